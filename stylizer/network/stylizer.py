"""The fast method as a stylizer: every frame by itself, in one pass for each part's style."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from stylizer.errors import StyleError
from stylizer.frame import Frame, Image, check_image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.regions import paint_parts
from stylizer.network.registry import FAST_NETWORKS
from stylizer.network.runtime import (
    NoisyRuntime,
    ParallelRuntime,
    Runtime,
    load_runtime,
    paint_frame,
)
from stylizer.protocols import MaskFinder, Masks, State
from stylizer.styles.load import AnyStyle
from stylizer.styles.regions import group_styles

__all__ = ["FastStylizer", "mix_codes", "mix_styles"]

_Codes = Mapping[str | None, StyleEmbedding]
"""By the part that each is for, from the lowest to the highest; last, under None, for the rest."""


class FastStylizer:
    """A network that paints in any style; a `stylizer.protocols.StyledStylizer`.

    It is a `stylizer.protocols.CameraStylizer` and a `stylizer.protocols.ParallelStylizer`. Of
    earlier frames it remembers where their parts were. Several styles for one part are mixed by
    their codes; what no style is for stays the source.
    """

    def __init__(
        self,
        styles: Sequence[AnyStyle],
        config: FastConfig | None = None,
        *,
        masks: MaskFinder | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        """Load the network and encode the styles.

        Args:
          styles: one or more; their ``region`` says what part of the picture they are for.
          config: the settings; None for the defaults.
          masks: finds the parts; None where all styles are for all of the picture.
          runtime: one already loaded; None loads what ``config`` names.

        Raises:
          StyleError: no style, or one that the network cannot use.
          BackendError, WeightsError: as `stylizer.network.runtime.load_runtime` says.
        """
        self._config = config or FastConfig()
        FAST_NETWORKS[self._config.network].check_styles(styles)  # loading takes seconds
        self._runtime = runtime or load_runtime(self._config)
        self._masks = masks
        self._codes = self._encode(styles)
        self._size: tuple[int, int] | None = None

    @property
    def description(self) -> str:
        """Network, engine, device, threads and precision, for a start line."""
        return self._runtime.description

    @property
    def follows_camera(self) -> bool:
        """Whether it paints otherwise when it is told where the camera looks."""
        return isinstance(self._runtime, NoisyRuntime) and self._runtime.moves_noise

    @property
    def divides(self) -> bool:
        """Whether it may be given styles for parts of the picture."""
        return self._masks is not None

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        """Paint in other styles from the next frame on, in the same parts or in others.

        They are encoded here and now, in the thread that calls, and what frames of the last size
        need is made ready; frames may be painted meanwhile.

        Raises:
          StyleError: no style, or one that the network cannot use; the old ones stay.
          BackendError, ConfigError, WeightsError: nothing finds a part; the same.
        """
        codes = self._encode(styles)
        if self._masks is not None:
            self._masks.prepare([part for part in codes if part is not None])
        if self._size is not None:
            self._prepare(self._size, codes)
        self._codes = codes

    def prepare(self, size: tuple[int, int]) -> None:
        """Get ready for frames of another size, so that the first of them takes no longer.

        Done here and now, in the thread that calls; frames may be painted meanwhile.

        Args:
          size: (width, height) in pixels.
        """
        self._prepare(size, self._codes)

    def find_parts(self, frame: Frame) -> Masks | None:
        """Return where each style is in the frame that comes next, as `Frame.parts`.

        None where one is for all of it.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        return self._find_parts(frame, self._codes)

    def paint_patch(self, image: Image) -> Image:
        """Return a picture painted as faces are, uint8 RGB (H, W, 3), of any size.

        Raises:
          ConfigError: it is no uint8 RGB picture.
        """
        codes = self._codes
        part = next((part for part in ("face", "skin", "person", None) if part in codes), None)
        code = codes[part] if part in codes else next(iter(codes.values()))
        return self._runtime.paint(image, code)

    def paint_patch_in_parts(self, parts: Masks, image: Image) -> Image:
        """Return a picture painted as the place of a frame that it shows.

        Args:
          parts: as of a painted frame, (N, h, w), with a sum of 1.
          image: uint8 RGB, (H, W, 3).

        Raises:
          ConfigError: the image is no uint8 RGB picture.
        """
        return self.repaint(Frame(image, 0, 0.0, parts=parts))

    def repaint(self, painting: Frame) -> Image:
        """Return a painting painted once more, each part of it in its style, (H, W, 3).

        Raises:
          ConfigError: its image is no uint8 RGB picture.
        """
        return self._paint(painting.with_cameras(None), self._codes).image

    def reset(self) -> None:
        """Forget where the parts were in earlier frames."""
        if self._masks is not None:
            self._masks.reset()

    def save_state(self) -> State:
        """Return what is remembered of where the parts were."""
        return {} if self._masks is None else self._masks.save_state()

    def load_state(self, state: State) -> None:
        """Remember where the parts were."""
        if self._masks is not None:
            self._masks.load_state(state)

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame: same size, index and time.

        Its parts are found, unless it says where they are.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        codes = self._codes
        return self._paint(self._get_ready(frame, codes), codes)

    @property
    def at_once(self) -> int:
        """How many frames are painted at once best."""
        return self._runtime.at_once if isinstance(self._runtime, ParallelRuntime) else 1

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        """Return what paints a frame beside others, in the styles of now."""
        codes = self._codes
        return partial(self._paint, self._get_ready(frame, codes), codes, beside=True)

    def _get_ready(self, frame: Frame, codes: _Codes) -> Frame:
        """Return the frame that comes next, told where its parts are.

        At the first one the network gets ready; for styles that are set later it does then.
        """
        check_image(frame.image)
        if self._size is None:
            self._prepare(frame.size, codes)
        self._size = frame.size
        if frame.parts is not None and len(frame.parts) == len(codes):
            return frame
        return replace(frame, parts=self._find_parts(frame, codes))

    def _find_parts(self, frame: Frame, codes: _Codes) -> Masks | None:
        parts = [part for part in codes if part is not None]
        if self._masks is None or not parts:
            return None
        return self._masks(frame, parts)[: len(codes)]

    def _paint(self, frame: Frame, codes: _Codes, *, beside: bool = False) -> Frame:
        if frame.parts is None or len(frame.parts) != len(codes):  # of the styles of before
            return paint_frame(self._runtime, frame, next(iter(codes.values())), beside=beside)
        return paint_parts(self._runtime, frame, [*codes.values()], beside=beside)

    def _prepare(self, size: tuple[int, int], codes: _Codes) -> None:
        for code in codes.values():
            self._runtime.prepare(size, code)

    def _encode(self, styles: Sequence[AnyStyle]) -> _Codes:
        scale = self._config.style_scale
        return {
            part: mix_styles(self._runtime, together, scale=scale)
            for part, together in (group_styles(styles) or {None: ()}).items()
        }


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
