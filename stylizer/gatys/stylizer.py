"""Style transfer by optimization, for video: each frame starts from the one before it.

Frames are uint8 RGB (H, W, 3); the canvas between them is float32, 0..255, and private.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.gatys.backend import describe_device
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import Engine, WeightedStyle
from stylizer.gatys.initial import initial_canvas
from stylizer.gatys.optimizers import Canvas, Losses
from stylizer.temporal.flow import OpticalFlow, outside, warp

__all__ = ["GatysStylizer", "LossRecord", "loss_reporter", "to_image"]


@dataclass(frozen=True, slots=True)
class LossRecord:
    """The losses of one iteration; each is weighted, and the total is their sum.

    Of Adam they are those before its step, of L-BFGS the least among its evaluations.

    Attributes:
      frame: index of the frame; 0 for a still.
      iteration: 1, 2, ... within the frame.
      content: content loss.
      style: style loss.
      total_variation: total variation loss.
      total: what is minimized.
    """

    frame: int
    iteration: int
    content: float
    style: float
    total_variation: float
    total: float


@dataclass(frozen=True, slots=True)
class _Memory:
    image: Image
    canvas: Canvas


class GatysStylizer:
    """Gatys et al. (2016), warm-started from frame to frame; a `stylizer.protocols.Stylizer`.

    The first frame gets ``iterations``, each later one ``warm_iterations`` from the start that the
    config names (``"warped"``: as in Ruder et al. 2016, without their temporal loss). Where the
    flow leads out of the frame, the content stands in.
    """

    def __init__(
        self,
        styles: Sequence[WeightedStyle],
        config: GatysConfig | None = None,
        *,
        on_loss: Callable[[LossRecord], None] | None = None,
    ) -> None:
        """Load the loss network.

        Args:
          styles: one or more.
          config: the settings; None for the defaults.
          on_loss: called once for each iteration. Reading the losses takes time.

        Raises:
          ConfigError: ``initial`` is ``"image"`` (stills only), or no such network or layer.
          StyleError: no style, or none with a weight.
          WeightsError: the network's weights are missing or damaged.
        """
        self._config = config or GatysConfig()
        if self._config.initial == "image":
            raise ConfigError("initial: expected content, noise or style for a video, got 'image'")
        self._engine = Engine(styles, self._config)
        self._flow = OpticalFlow()
        self._on_loss = on_loss
        self._memory: _Memory | None = None

    @property
    def description(self) -> str:
        """Network, backend, device and precision, in words for a start line."""
        device = describe_device(precision=self._engine.precision)
        return f"{self._engine.network.name}, {device}"

    def reset(self) -> None:
        """Forget all earlier frames; the next one gets all iterations again."""
        self._memory = None
        self._engine.forget()

    def __call__(self, frame: Frame) -> Frame:
        """Return the stylized frame: same size, index and time.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
          OptimizationError: the optimization diverged and could not be rescued.
        """
        image = check_image(frame.image)
        if self._memory is not None and self._memory.image.shape != image.shape:
            self.reset()
        canvas, iterations = self._start(image)
        report = loss_reporter(self._on_loss, frame.index)
        canvas = self._engine(canvas, image, iterations, on_losses=report)
        self._memory = _Memory(image.copy(), canvas)
        return frame.with_image(to_image(canvas))

    def _start(self, image: Image) -> tuple[Canvas, int]:
        config, memory = self._config, self._memory
        if memory is None:
            return initial_canvas(self._engine, config, image), config.iterations
        if config.start == "cold":
            return initial_canvas(self._engine, config, image), config.warm_iterations
        if config.start == "previous":
            return memory.canvas, config.warm_iterations
        flow = self._flow.estimate(image, memory.image)
        canvas = warp(memory.canvas, flow)
        beyond = outside(flow)
        if beyond.any():
            canvas[beyond] = _recolored(image[beyond], memory)
        return canvas, config.warm_iterations


def _recolored(pixels: Image, memory: _Memory) -> Canvas:
    """Give content pixels (N, 3) the colors of the canvas: its mean and deviation by channel.

    Content as it is would stand out for as many frames as it takes to stylize it.
    """
    source, target = (
        (picture.mean((0, 1)), picture.std((0, 1)) + 1.0)
        for picture in (memory.image, memory.canvas)
    )
    recolored = (pixels - source[0]) * (target[1] / source[1]) + target[0]
    return np.asarray(np.clip(recolored, 0, 255), np.float32)


def loss_reporter(
    on_loss: Callable[[LossRecord], None] | None, frame: int
) -> Callable[[Losses], None] | None:
    """Return a function that numbers losses and passes them on as records; None for None."""
    if on_loss is None:
        return None
    iterations = itertools.count(1)
    return lambda losses: on_loss(LossRecord(frame, next(iterations), *losses))


def to_image(canvas: Canvas) -> Image:
    """Round a canvas, float32 (H, W, 3) in 0..255, to uint8; C-contiguous."""
    return np.ascontiguousarray(np.rint(np.clip(canvas, 0, 255)).astype(np.uint8))
