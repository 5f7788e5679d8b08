"""Styles for parts of the picture in the optimization, by guided Gram matrices.

After Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer", section 4: the
Gram matrix of a part is taken of features that are multiplied by where the part is, and is compared
with the Gram matrix of the part's own style.

Differs from the paper: a style is the whole of its picture, no part of it. Each part's loss is
multiplied by the part's share of the picture, so that a place is painted as strongly as in a
picture of one style, however small its part is. Masks are averaged down to each layer's size, where
the paper also tries to leave out features that see across a border.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.errors import StyleError
from stylizer.frame import Frame, Image, mix_images
from stylizer.perceptual.features import LossNetwork
from stylizer.protocols import MaskFinder
from stylizer.styles.regions import group_styles

__all__ = [
    "Guides",
    "PartMasks",
    "check_masks",
    "find_masks",
    "guide_layers",
    "is_anything_painted",
    "painted_in_parts",
    "parts_of",
    "show_source",
    "styles_of",
]

Values = npt.NDArray[np.float32]
StyleT = TypeVar("StyleT")

PartMasks = Mapping[str | None, Values]
"""Where each part of a picture is, (h, w), 0..1; under None all that no part covers."""

_NOWHERE = 1e-4
"""Share of the picture below which a part is nowhere."""


@dataclass(frozen=True, kw_only=True)
class Guides:
    """Where the parts of a picture are, for the layers of a loss network.

    Attributes:
      maps: by style layer, float32 (P, h, w): the mean of each is 1, or 0 for a part that is
        nowhere.
      shares: of the picture, float32 (P,), 0..1.
    """

    maps: Mapping[str, Values]
    shares: Values


def parts_of(styles: Sequence[object]) -> tuple[str | None, ...]:
    """Return the parts that styles are for, from the lowest to the highest; ``(None,)`` for all.

    A style that does not say is for all that is left.
    """
    regions = [_Part(getattr(style, "region", None)) for style in styles]
    return tuple(group_styles(regions))


def styles_of(styles: Sequence[StyleT], part: str | None) -> list[StyleT]:
    """Return the styles that are for a part."""
    return [style for style in styles if getattr(style, "region", None) == part]


@dataclass(frozen=True, slots=True)
class _Part:
    region: str | None


def check_masks(finder: MaskFinder | None, styles: Sequence[object]) -> None:
    """Make sure that what parts the styles are for can be found.

    Raises:
      StyleError: there are parts, and nothing to find them.
    """
    part = parts_of(styles)[0] if styles else None
    if finder is None and part is not None:
        raise StyleError(
            f"style {part}=...: styles for parts of the picture go with what finds the parts, and "
            "nothing does here; give styles for the whole picture"
        )


def find_masks(
    finder: MaskFinder | None, frame: Frame, parts: Sequence[str | None]
) -> PartMasks | None:
    """Return where parts are in a frame; None where there is one style all over.

    Args:
      finder: finds them; None does where there are none.
      frame: the frame.
      parts: as `parts_of` gives them.
    """
    wanted = [part for part in parts if part is not None]
    if not wanted or finder is None:
        return None
    found = finder(frame, wanted)
    return dict(zip((*wanted, None), found, strict=True))


def guide_layers(
    network: LossNetwork,
    masks: PartMasks,
    parts: Sequence[str | None],
    *,
    size: tuple[int, int],
    padded: tuple[int, int],
) -> Guides:
    """Return guides for a network's style layers.

    Args:
      network: the loss network.
      masks: where parts are; a part that is not among them is nowhere.
      parts: the parts that have styles, in their order.
      size: (height, width) of the content.
      padded: the same, padded for the network.
    """
    height, width = size
    full = np.zeros((len(parts), *padded), np.float32)
    grow = ((0, padded[0] - height), (0, padded[1] - width))
    for one, part in zip(full, parts, strict=True):
        if part in masks:
            mask = cv2.resize(masks[part], (width, height), interpolation=cv2.INTER_LINEAR)
            one[:] = np.pad(np.reshape(mask, (height, width)), grow, mode="symmetric")
    shares = full.mean((1, 2))
    shares[shares < _NOWHERE] = 0
    sizes = network.layer_sizes(*padded)
    maps = {layer: _shrink(full, shares, sizes[layer]) for layer, _ in network.style_layers}
    return Guides(maps=maps, shares=shares.astype(np.float32))


def _shrink(masks: Values, shares: Values, size: tuple[int, int]) -> Values:
    """Return masks at (height, width), divided by their means."""
    found = np.zeros((len(masks), *size), np.float32)
    for one, mask, share in zip(found, masks, shares, strict=True):
        if share > 0:
            small = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_AREA).reshape(size)
            one[:] = small / max(float(small.mean()), _NOWHERE)
    return found


def is_anything_painted(masks: PartMasks | None, parts: Sequence[str | None]) -> bool:
    """Whether a style is for anything of a picture: there is one all over, or its part is there."""
    return masks is None or any(part is None or bool(masks[part].any()) for part in parts)


def painted_in_parts(
    frame: Frame, painted: Image, masks: PartMasks | None, parts: Sequence[str | None]
) -> Frame:
    """Return a frame as it was painted, with where its parts are, and the source elsewhere."""
    shown = show_source(painted, frame.image, masks, parts)
    there = None if masks is None else np.stack([masks[part] for part in parts])
    return replace(frame, image=shown, parts=there)


def show_source(
    painted: Image, source: Image, masks: PartMasks | None, parts: Sequence[str | None]
) -> Image:
    """Return a painting with the source where no style is for."""
    if masks is None or None in parts:
        return painted
    return mix_images(source, painted, masks[None])
