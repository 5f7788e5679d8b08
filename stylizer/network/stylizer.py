"""The fast method as a stylizer: every frame by itself, in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from stylizer.errors import StyleError
from stylizer.frame import Frame, Image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.registry import FAST_NETWORKS
from stylizer.network.runtime import (
    NoisyRuntime,
    ParallelRuntime,
    Runtime,
    load_runtime,
    paint_frame,
)
from stylizer.styles.load import AnyStyle

__all__ = ["FastStylizer", "mix_codes", "mix_styles"]


class FastStylizer:
    """A network that paints in any style; a `stylizer.protocols.StyledStylizer`.

    It remembers nothing of earlier frames, and is a `stylizer.protocols.CameraStylizer` and a
    `stylizer.protocols.ParallelStylizer`. Several styles are mixed by their codes.
    """

    def __init__(
        self,
        styles: Sequence[AnyStyle],
        config: FastConfig | None = None,
        *,
        runtime: Runtime | None = None,
    ) -> None:
        """Load the network and encode the styles.

        Args:
          styles: one or more.
          config: the settings; None for the defaults.
          runtime: one already loaded; None loads what ``config`` names.

        Raises:
          StyleError: no style, or one that the network cannot use.
          BackendError, WeightsError: as `stylizer.network.runtime.load_runtime` says.
        """
        self._config = config or FastConfig()
        FAST_NETWORKS[self._config.network].check_styles(styles)  # loading takes seconds
        self._runtime = runtime or load_runtime(self._config)
        self._code = mix_styles(self._runtime, styles, scale=self._config.style_scale)
        self._size: tuple[int, int] | None = None

    @property
    def description(self) -> str:
        """Network, engine, device, threads and precision, for a start line."""
        return self._runtime.description

    @property
    def follows_camera(self) -> bool:
        """Whether it paints otherwise when it is told where the camera looks."""
        return isinstance(self._runtime, NoisyRuntime) and self._runtime.moves_noise

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        """Paint in other styles from the next frame on.

        They are encoded here and now, in the thread that calls, and what frames of the last size
        need is made ready; frames may be painted meanwhile.

        Raises:
          StyleError: no style, or one that the network cannot use; the old ones stay.
        """
        code = mix_styles(self._runtime, styles, scale=self._config.style_scale)
        if self._size is not None:
            self._runtime.prepare(self._size, code)
        self._code = code

    def prepare(self, size: tuple[int, int]) -> None:
        """Get ready for frames of another size, so that the first of them takes no longer.

        Done here and now, in the thread that calls; frames may be painted meanwhile.

        Args:
          size: (width, height) in pixels.
        """
        self._runtime.prepare(size, self._code)

    def paint_patch(self, image: Image) -> Image:
        """Return a picture painted as frames are, uint8 RGB (H, W, 3); of any size.

        Raises:
          ConfigError: it is no uint8 RGB picture.
        """
        return self._runtime.paint(image, self._code)

    def repaint(self, painting: Image) -> Image:
        """Return a painting painted once more; as `paint_patch`."""
        return self.paint_patch(painting)

    def reset(self) -> None:
        """Forget earlier frames: there is nothing to forget."""

    def _get_ready(self, frame: Frame) -> None:
        """Get ready at the first frame; styles that are set later are got ready then."""
        if self._size is None:
            self._runtime.prepare(frame.size, self._code)
            self._size = frame.size

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame: same size, index and time.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        self._get_ready(frame)
        painted = paint_frame(self._runtime, frame, self._code)
        self._size = frame.size
        return painted

    @property
    def at_once(self) -> int:
        """How many frames are painted at once best."""
        return self._runtime.at_once if isinstance(self._runtime, ParallelRuntime) else 1

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        """Return what paints a frame beside others, in the styles of now."""
        self._get_ready(frame)
        return partial(paint_frame, self._runtime, frame, self._code, beside=True)


def mix_styles(
    runtime: Runtime, styles: Sequence[AnyStyle], *, scale: float = 1.0
) -> StyleEmbedding:
    """Encode styles, and return the mean of their codes by the styles' weights.

    Args:
      runtime: the network.
      styles: one or more.
      scale: of the style pictures, as `Runtime.encode` says.

    Returns:
      float32, 1-D.

    Raises:
      StyleError: no style, or one that the network cannot use, or several where it cannot mix.
    """
    if not styles:
        raise StyleError("styles: expected at least one style, got none")
    if len(styles) > 1 and not runtime.mixes:
        raise StyleError(
            f"styles: expected one, got {len(styles)}; this network cannot mix them "
            f"({runtime.description})"
        )
    codes = [runtime.encode(style, scale=scale) for style in styles]
    return mix_codes(codes, [style.weight for style in styles])


def mix_codes(codes: Sequence[StyleEmbedding], weights: Sequence[float]) -> StyleEmbedding:
    """Return the mean of codes by weights; one that is not tuned is as if followed by 0.

    Args:
      codes: one or more.
      weights: as many, more than 0.

    Returns:
      float32, 1-D, as long as the longest; it cannot be written to.
    """
    if len(codes) == 1:
        return codes[0]
    total = math.fsum(weights)
    mixed = np.zeros(max(map(len, codes)), np.float32)
    for code, weight in zip(codes, weights, strict=True):
        mixed[: len(code)] += np.float32(weight / total) * code
    mixed.setflags(write=False)
    return mixed
