"""Local contrast raised in pictures before they are painted, so that paint shows what is faint.

A network weighs what it sees against all of the picture: trees in fog, or people in a shadow, are
next to nothing beside the rest, and strokes of its own take their place. So they are made as plain
as the rest is, each part of a picture for itself, as an eye does that looks there. Where there is
nothing at all, as in a sky, nothing is made of it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.faces.masks import deviation_around, rise, smooth
from stylizer.frame import Image
from stylizer.io.smoothing import smooth as leave_out_faint

__all__ = ["raise_contrast"]

_TILES = 6
"""Squares along the short side, each of which has contrast of its own."""

_STEEPEST = 3.0
"""By how much light and dark may go apart, at most: what is one plane is to stay one."""

_FAINT = 8.0
"""Gray levels of details that stay as faint as they are: grain, and the blocks of codecs. They are
left out later (`stylizer.io.smoothing`)."""

_NOTHING, _SOMETHING = 3.0, 9.0
"""Deviation of light and dark, 0 to 255, up to which there is nothing to be seen somewhere, and
from which on there is."""

_AROUND, _COARSE = 1 / 8, 8
"""Share of the short side: deviation of the Gaussian that says what "somewhere" is; and pixels, on
both sides, for one of what is known of it."""


def raise_contrast(image: Image, share: float) -> Image:
    """Return a picture in which light and dark go apart where they are close together.

    Contrast-limited adaptive histogram equalization (Zuiderveld 1994, "Contrast limited adaptive
    histogram equalization", in Graphics Gems IV) of CIELAB's lightness. Differs from it: it is told
    from a picture without faint details, which stay as they are, and so do empty places.

    Args:
      image: uint8 RGB, (H, W, 3).
      share: how much of the change is made, 0 to 1; 0 returns the image itself.

    Returns:
      uint8 RGB, (H, W, 3).
    """
    height, width, _ = image.shape
    side = min(height, width) // _TILES
    if share == 0 or side < 2:
        return image
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    light = np.asarray(lab[..., 0], np.uint8)
    plain = leave_out_faint(light, _FAINT)
    tiles = round(width / side), round(height / side)
    apart = cv2.createCLAHE(_STEEPEST, tiles).apply(plain)
    change = np.float32(share) * np.asarray(cv2.subtract(apart, plain, dtype=cv2.CV_32F))
    change *= _filled(plain)
    lab[..., 0] = cv2.add(light, change, dtype=cv2.CV_8U)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def _filled(light: Image) -> npt.NDArray[np.float32]:
    """Return where there is something to be seen, by light and dark, (H, W), 0..1."""
    height, width = light.shape
    size = max(1, width // _COARSE), max(1, height // _COARSE)
    small = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    values, around = np.asarray(small, np.float32), _AROUND * min(size)
    there = smooth(rise(deviation_around(values, around), (_NOTHING, _SOMETHING)), around / 2)
    return np.asarray(cv2.resize(there, (width, height)), np.float32)
