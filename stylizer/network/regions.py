"""The fast method with several styles, each in a part of the picture of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from stylizer.frame import LEAST_SHARE, Frame, Image, check_image, mix_images
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.registry import FAST_NETWORKS
from stylizer.network.runtime import Runtime, load_runtime
from stylizer.network.stylizer import mix_styles
from stylizer.protocols import MaskFinder, Masks, State
from stylizer.styles.load import AnyStyle
from stylizer.styles.regions import group_styles

__all__ = ["DividingRuntime", "RegionStylizer", "paint_parts", "prepare_parts"]


@runtime_checkable
class DividingRuntime(Runtime, Protocol):
    """A runtime that paints in several styles in one pass."""

    def paint_parts(self, image: Image, codes: Sequence[StyleEmbedding], masks: Masks) -> Image:
        """Paint a picture, uint8 RGB (H, W, 3), by each code where its mask says."""
        ...


class RegionStylizer:
    """A network that paints in any styles; a `stylizer.protocols.StyledStylizer`.

    Where the runtime cannot paint in several styles in one pass, each paints the whole picture and
    the paintings are mixed. What no style is for stays the source.
    """

    def __init__(
        self,
        styles: Sequence[AnyStyle],
        config: FastConfig | None = None,
        *,
        masks: MaskFinder,
        runtime: Runtime | None = None,
    ) -> None:
        """Load the network and encode the styles.

        Args:
          styles: one or more; their ``region`` says where they are for.
          config: the settings; None for the defaults.
          masks: finds the regions.
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

    @property
    def description(self) -> str:
        """Network, engine, device, threads and precision, for a start line."""
        return self._runtime.description

    @property
    def divides(self) -> bool:
        """It has styles for parts of the picture."""
        return True

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        """Paint in other styles from the next frame on, in the same regions or in others.

        Raises:
          StyleError: no style, or one that the network cannot use; the old ones stay.
          BackendError, ConfigError, WeightsError: nothing finds a region; the same.
        """
        codes = self._encode(styles)
        self._masks.prepare([part for part in codes if part is not None])
        self._codes = codes

    def prepare(self, size: tuple[int, int]) -> None:
        """Get ready for frames of (width, height), in the thread that calls."""
        prepare_parts(self._runtime, size, [*self._codes.values()])

    def paint_patch(self, image: Image) -> Image:
        """Return a picture painted as faces are, uint8 RGB (H, W, 3).

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
        pairs = zip(self._codes.values(), parts, strict=True)
        there = [(code, mask) for code, mask in pairs if mask.max() > LEAST_SHARE]
        codes, masks = [code for code, _ in there], np.stack([mask for _, mask in there])
        return paint_parts(self._runtime, image, codes, masks / masks.sum(0))

    def reset(self) -> None:
        """Forget where the parts were in earlier frames."""
        self._masks.reset()

    def save_state(self) -> State:
        """Return what is remembered of where the parts were."""
        return self._masks.save_state()

    def load_state(self, state: State) -> None:
        """Remember where the parts were."""
        self._masks.load_state(state)

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame: same size, index and time.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        image, codes = check_image(frame.image), self._codes
        parts = [part for part in codes if part is not None]
        if not parts:
            return frame.with_image(self._runtime.paint(image, codes[None]))
        masks = self._masks(frame, parts)
        if None in codes:
            painted = paint_parts(self._runtime, image, [*codes.values()], masks)
            return replace(frame, image=painted, parts=masks)
        covered, left = masks[:-1], masks[-1]
        if not covered.any():
            return replace(frame, image=image.copy(), parts=covered)
        shares = covered.copy()
        shares[0] += left  # painted too, and not shown
        painted = paint_parts(self._runtime, image, [*codes.values()], shares)
        return replace(frame, image=mix_images(painted, image, 1 - left), parts=covered)

    def _encode(self, styles: Sequence[AnyStyle]) -> Mapping[str | None, StyleEmbedding]:
        scale = self._config.style_scale
        return {
            part: mix_styles(self._runtime, together, scale=scale)
            for part, together in group_styles(styles).items()
        }


def prepare_parts(runtime: Runtime, size: tuple[int, int], codes: Sequence[StyleEmbedding]) -> None:
    """Get ready for `paint_parts` with pictures of (width, height), in the thread that calls."""
    if len(codes) == 1 or not isinstance(runtime, DividingRuntime):
        runtime.prepare(size, codes[0])
        return
    image = np.zeros((size[1], size[0], 3), np.uint8)
    even = np.full((len(codes), 1, 1), 1 / len(codes), np.float32)
    runtime.paint_parts(image, codes, even)


def paint_parts(
    runtime: Runtime, image: Image, codes: Sequence[StyleEmbedding], masks: Masks
) -> Image:
    """Paint a picture by each code where its mask says, in one pass where the runtime can.

    Args:
      runtime: the network.
      image: uint8 RGB, (H, W, 3).
      codes: of the styles, one or more.
      masks: float32, (N, h, w), of any size: each pixel's share of each, with a sum of 1.

    Raises:
      ConfigError: the image is no uint8 RGB picture.
    """
    if len(codes) == 1:
        return runtime.paint(image, codes[0])
    if isinstance(runtime, DividingRuntime):
        return runtime.paint_parts(image, codes, masks)
    painted = runtime.paint(image, codes[-1])
    below = masks[-1]
    for code, mask in zip(codes[:-1], masks[:-1], strict=True):
        below = below + mask
        share = np.divide(mask, below, out=np.zeros_like(mask), where=below > 0)
        painted = mix_images(runtime.paint(image, code), painted, share)
    return painted
