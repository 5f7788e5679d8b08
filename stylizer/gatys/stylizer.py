"""Style transfer by optimization, for video: each frame starts from the one before it.

Frames are uint8 RGB (H, W, 3); the canvas between them is float32, 0..255, and private.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from stylizer.base import load_states, save_states
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import Engine, StyleLike
from stylizer.gatys.guidance import check_masks, find_masks, painted_in_parts, parts_of
from stylizer.gatys.initial import QuickPainter, initial_canvas, paint_quickly
from stylizer.gatys.memory import FrameMemory, Recalled
from stylizer.gatys.optimizers import Canvas
from stylizer.protocols import MaskFinder, State
from stylizer.temporal.anchor import ColorAnchor
from stylizer.temporal.motion import MotionFinder

__all__ = ["GatysStylizer", "LossRecord", "loss_reporter", "to_image"]


@dataclass(frozen=True, slots=True)
class LossRecord:
    """The losses of one iteration; each is weighted, and the total is their sum.

    Of Adam they are those before its step, of L-BFGS the least among its evaluations.

    Attributes:
      frame: index of the frame; 0 for a still.
      iteration: 1, 2, ... within the frame.
      terms: the loss of each of `stylizer.gatys.objective.TERMS`, by name.
      total: what is minimized.
    """

    frame: int
    iteration: int
    terms: Mapping[str, float]
    total: float


class GatysStylizer:
    """Gatys et al. (2016), warm-started from frame to frame; a `stylizer.protocols.Stylizer`.

    The first frame gets ``iterations``, each later one ``warm_iterations`` from the start that the
    config names. ``"warped"`` is as in Ruder et al. (2016), with their temporal loss: the last
    canvas moves along with the scene, and is held to where it can be relied on; what comes into
    view begins as ``uncovered`` of the config says. Over a long shot the canvas's colors keep to
    what they were.
    """

    def __init__(
        self,
        styles: Sequence[StyleLike],
        config: GatysConfig | None = None,
        *,
        masks: MaskFinder | None = None,
        quick: QuickPainter | None = None,
        on_loss: Callable[[LossRecord], None] | None = None,
    ) -> None:
        """Load the loss network.

        Args:
          styles: one or more.
          config: the settings; None for the defaults.
          masks: finds the parts that have styles of their own; None for one style all over.
          quick: paints in the styles by itself the first frame, and what comes into view, for the
            optimization to go on from; None for the content, whatever the config says.
          on_loss: called once for each iteration. Reading the losses takes time.

        Raises:
          ConfigError: ``initial`` is ``"image"`` (stills only), several ``passes``, or no such
            network or layer.
          StyleError: no style, none with a weight, a built-in one where a picture is needed, or one
            for a part that nothing finds.
          WeightsError: the network's weights are missing or damaged.
        """
        check_masks(masks, styles)
        self._masks = masks
        self._config = config or GatysConfig()
        if self._config.initial == "image":
            raise ConfigError("initial: expected content, noise or style for a video, got 'image'")
        if self._config.passes > 1:
            raise ConfigError(
                f"passes: expected 1 for a stream, got {self._config.passes}; "
                "stylizer.gatys.shots paints a video in several"
            )
        self._engine = Engine(styles, self._config)
        self._quick = quick
        uncovered = quick if self._config.uncovered == "painted" else None
        self._memory = FrameMemory(
            MotionFinder(preset=self._config.flow),
            distances=self._config.long_term,
            # without self, which would be kept, networks and all, until Python looks for cycles
            begin=partial(paint_quickly, uncovered, self._engine),
        )
        self._anchor = ColorAnchor()
        self._on_loss = on_loss

    @property
    def description(self) -> str:
        """Network, backend, device and precision, in words for a start line."""
        return self._engine.description

    @property
    def warm_iterations(self) -> int:
        """Iterations of each frame but a shot's first; may be changed from frame to frame."""
        return self._config.warm_iterations

    @warm_iterations.setter
    def warm_iterations(self, count: int) -> None:
        self._config = replace(self._config, warm_iterations=count)

    @property
    def divides(self) -> bool:
        """Whether it may have styles for parts of the picture."""
        return self._masks is not None

    def set_styles(self, styles: Sequence[StyleLike]) -> None:
        """Paint after other styles from the next frame on, which starts from the last one.

        What they are measured for is done here and now, in the thread that calls; frames may be
        painted meanwhile.

        Args:
          styles: one or more.

        Raises:
          ConfigError, StyleError: as for a new stylizer; the styles stay as they were.
          BackendError, WeightsError: nothing finds a part; the same.
        """
        check_masks(self._masks, styles)
        if self._masks is not None and styles:
            self._masks.prepare([part for part in parts_of(styles) if part is not None])
        self._engine.set_styles(styles)
        if self._quick is not None and parts_of(styles) == (None,):
            self._quick.set_styles(styles)

    def reset(self) -> None:
        """Forget all earlier frames; the next one gets all iterations again."""
        self._memory.forget()
        self._anchor.reset()
        self._engine.forget()
        if self._masks is not None:
            self._masks.reset()

    def save_state(self) -> State:
        """Return what it remembers, for a `stylizer.protocols.Resumable`."""
        return save_states(self._memories)

    def load_state(self, state: State) -> None:
        """Remember what another one did; nothing of an empty state."""
        load_states(self._memories, state)

    @property
    def _memories(self) -> Mapping[str, object]:
        return {
            "memory": self._memory,
            "anchor": self._anchor,
            "engine": self._engine,
            "masks": self._masks,
        }

    def __call__(self, frame: Frame) -> Frame:
        """Return the stylized frame: same size, index and time.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
          OptimizationError: the optimization diverged and could not be rescued.
        """
        image = check_image(frame.image)
        latest = self._memory.latest
        if latest is not None and latest[0].shape != image.shape:
            if not self._memory.resize((image.shape[1], image.shape[0])):
                self.reset()
            elif self._masks is not None:
                self._masks.reset()
        parts = self._engine.parts
        masks = find_masks(self._masks, frame, parts)
        recalled = self._memory.recall(image) if self._config.start == "warped" else None
        canvas, iterations = self._start(image, recalled)
        canvas = self._engine(
            canvas,
            image,
            iterations,
            masks=masks,
            temporal=None if recalled is None else recalled.target,
            goes_on=recalled is not None,
            on_losses=loss_reporter(self._on_loss, frame.index),
        )
        canvas = self._anchor(canvas, image)
        self._memory.remember(image, canvas)
        return painted_in_parts(frame, to_image(canvas), masks, parts)

    def _start(self, image: Image, recalled: Recalled | None) -> tuple[Canvas, int]:
        config, latest = self._config, self._memory.latest
        if recalled is not None:
            return recalled.start, config.warm_iterations
        if latest is not None and config.start == "previous":
            return latest[1], config.warm_iterations
        first = latest is None
        count = config.iterations if first else config.warm_iterations
        return initial_canvas(self._engine, config, image, quick=self._quick), count


def loss_reporter(
    on_loss: Callable[[LossRecord], None] | None, frame: int
) -> Callable[[Mapping[str, float]], None] | None:
    """Return a function that numbers losses and passes them on as records; None for None."""
    if on_loss is None:
        return None
    iterations = itertools.count(1)

    def report(losses: Mapping[str, float]) -> None:
        terms = {name: loss for name, loss in losses.items() if name != "total"}
        on_loss(LossRecord(frame, next(iterations), terms, losses["total"]))

    return report


def to_image(canvas: Canvas) -> Image:
    """Round a canvas, float32 (H, W, 3) in 0..255, to uint8; C-contiguous."""
    return np.ascontiguousarray(np.rint(np.clip(canvas, 0, 255)).astype(np.uint8))
