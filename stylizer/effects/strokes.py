"""Smooths paintings along their strokes, which makes lines of what the networks leave as dots.

A network that arranges a few channels into pixels leaves a fine grid, in which a slanting stroke is
a row of dots. Along a stroke there is nothing to be lost, so each pixel is averaged with its
neighbors there; across it nothing is.
"""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image

__all__ = ["LEAST", "REACH", "WEIGHT", "WINDOW", "smooth_strokes"]

REACH = 1.5
"""Pixels from a pixel to its neighbors on either side, which are read between pixels: so each is
averaged with four."""

WEIGHT = 2.5
"""Of both neighbors together, the pixel's own being 1."""

WINDOW = (5, 5)
"""Over which directions are averaged, in pixels of the painting at half its size."""

LEAST = 4.0
"""Squared gray levels a pixel: directions of slopes that are no steeper do not count."""

_MARGIN = 16
"""Rows that a strip takes more than it gives, which is as far as anything is seen."""

_MOST_PIXELS = 1_000_000
"""Of a strip: larger paintings are smoothed in several."""

Plane = npt.NDArray[np.float32]


def smooth_strokes(painting: Image, share: float) -> Image:
    """Average a painting along its strokes; any threads may do so at once.

    Line integral convolution (Cabral and Leedom 1993, "Imaging vector fields using line integral
    convolution") along the structure tensor's minor eigenvectors, as in Kyprianidis and Kang 2011
    ("Image and video abstraction by coherence-enhancing filtering"). Differs from the latter: lines
    are straight and three samples long, the tensor is averaged once, over a box, at half the size,
    and where directions differ within it the lines get shorter, so that dots and corners stay.

    Args:
      painting: uint8 RGB, (H, W, 3).
      share: 0 for not at all, which returns the painting itself, to 1 for all.

    Returns:
      uint8 RGB, (H, W, 3).
    """
    if share == 0 or min(painting.shape[:2]) < 2:
        return painting
    height, width, _ = painting.shape
    # strips begin and end at even rows, as directions are found at half the size
    rows = max(4 * _MARGIN, _MOST_PIXELS // width // 2 * 2)
    if height <= rows:
        return _smooth(painting, share)
    smoothed = np.empty_like(painting)
    for top in range(0, height, rows):
        first, last = max(0, top - _MARGIN), min(height, top + rows + _MARGIN)
        strip = _smooth(np.ascontiguousarray(painting[first:last]), share)
        smoothed[top : top + rows] = strip[top - first : top - first + rows]
    return smoothed


def _smooth(painting: Image, share: float) -> Image:
    height, width, _ = painting.shape
    arrays = _arrays(height, width)
    across, down, x, y = arrays["planes"]
    for small, plane in zip(_tangents(painting), (across, down), strict=True):
        cv2.resize(small, (width, height), dst=plane, interpolation=cv2.INTER_NEAREST)
    whole, *sides = arrays["pictures"]  # four channels: those OpenCV is quick with
    cv2.cvtColor(painting, cv2.COLOR_RGB2RGBA, dst=whole)
    for reach, side in zip((REACH, -REACH), sides, strict=True):
        cv2.scaleAdd(across, reach, arrays["x"], dst=x)
        cv2.scaleAdd(down, reach, arrays["y"], dst=y)
        cv2.remap(whole, x, y, cv2.INTER_LINEAR, dst=side, borderMode=cv2.BORDER_REPLICATE)
    weight = WEIGHT * share
    beside = cv2.addWeighted(sides[0], 0.5, sides[1], 0.5, 0, dst=sides[0])
    cv2.addWeighted(whole, 1 / (1 + weight), beside, weight / (1 + weight), 0, dst=whole)
    return np.asarray(cv2.cvtColor(whole, cv2.COLOR_RGBA2RGB), np.uint8)


_kept = threading.local()


def _arrays(height: int, width: int) -> dict[str, Any]:
    """Return arrays to write to, of this thread; large new ones cost as much as the work."""
    kept: dict[str, Any] = getattr(_kept, "arrays", {})
    if not kept or kept["x"].shape != (height, width):
        columns, lines = np.meshgrid(np.arange(width), np.arange(height))
        kept = {
            "x": columns.astype(np.float32),
            "y": lines.astype(np.float32),
            "planes": [np.empty((height, width), np.float32) for _ in range(4)],
            "pictures": [np.empty((height, width, 4), np.uint8) for _ in range(3)],
        }
        _kept.arrays = kept
    return kept


def _tangents(painting: Image) -> tuple[Plane, Plane]:
    """Return how strokes run at half the size, each (h, w): to the right, and down.

    Of length 1 where all that is around runs alike, and 0 where nothing does.
    """
    height, width, _ = painting.shape
    size = max(1, width // 2), max(1, height // 2)
    gray = cv2.cvtColor(
        cv2.resize(painting, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    )
    slope_x, slope_y = (
        cv2.Sobel(gray, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1))
    )
    tensor = cv2.merge([slope_x * slope_x, slope_y * slope_y, slope_x * slope_y])
    xx, yy, xy = cv2.split(cv2.blur(tensor, WINDOW))
    difference, mixed = xx - yy, 2 * xy
    length = cv2.magnitude(difference, mixed)
    alike = length / (xx + yy + np.float32(LEAST))
    cosine = difference / (length + np.float32(1e-6))  # of twice the slope's angle
    across = np.copysign(np.sqrt(np.maximum(0.5 - 0.5 * cosine, 0)) * alike, -mixed)
    down = np.sqrt(np.maximum(0.5 + 0.5 * cosine, 0)) * alike
    return across.astype(np.float32), down.astype(np.float32)
