"""Smooths paintings along their strokes, which makes strokes of what the networks leave as dots.

A network that arranges a few channels into pixels leaves a fine grid, in which a slanting stroke is
a row of dots, and draws fine texture as the same small marks everywhere. Along a stroke there is
nothing to be lost, so each pixel is averaged with its neighbors there; across it nothing is.
"""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.backend.byte_arithmetic import ByteArithmetic, constant
from stylizer.frame import Image

__all__ = ["smooth_strokes"]

_REACHES = (1.5, 2.0)
"""Pixels from a pixel to its neighbors on either side, which are read between pixels; one pass for
each, so that a pixel is averaged with what is up to 3.5 away along a bent line. A second pass of 3
makes lines hardly longer, and takes more of the style."""

_WEIGHT = 2.0
"""Of both neighbors together, the pixel's own being 1."""

_WINDOW = (7, 7)
"""Over which directions and strengths are averaged, in pixels of the painting at half its size."""

_LEAST = 4.0
"""Squared gray levels a pixel: directions of slopes that are no steeper do not count."""

_COARSE = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
"""A low-pass at half the size, along both axes: what passes it stays as it was painted. So tiles,
patches of color and faces keep their forms, and what is finer runs along the strokes."""

_MOST = 1.8
"""By what fine detail is multiplied at most after it was smoothed: by what brings back the strength
that it had around. Clean edges lose none, and get no halos."""

_MARGIN = 32
"""Rows that a strip takes more than it gives, which is as far as anything is seen."""

_MOST_PIXELS = 1_000_000
"""Of a strip: larger paintings are smoothed in several."""

Plane = npt.NDArray[np.float32]


def smooth_strokes(painting: Image, share: float) -> Image:
    """Average a painting's fine detail along its strokes; any threads may do so at once.

    Line integral convolution (Cabral and Leedom 1993, "Imaging vector fields using line integral
    convolution") along the structure tensor's minor eigenvectors, as in Kyprianidis and Kang 2011
    ("Image and video abstraction by coherence-enhancing filtering"). Differs from the latter: there
    are passes of three samples, each reaching farther than the one before, instead of lines that
    are followed; the tensor is averaged once, over a box, at half the size; where directions differ
    within it the lines get shorter; coarse forms stay as they are, and fine detail as strong.

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
    given, *sides = arrays["pictures"]  # four channels: those OpenCV is quick with
    smoothed: Any = cv2.cvtColor(painting, cv2.COLOR_RGB2RGBA, dst=given)
    half = _halved(given)
    for small, plane in zip(_tangents(half), (across, down), strict=True):
        cv2.resize(small, (width, height), dst=plane, interpolation=cv2.INTER_NEAREST)
    for reach, averaged in zip(_REACHES, arrays["averaged"], strict=True):
        for length, side in zip((reach, -reach), sides, strict=True):
            cv2.scaleAdd(across, length, arrays["x"], dst=x)
            cv2.scaleAdd(down, length, arrays["y"], dst=y)
            cv2.remap(smoothed, x, y, cv2.INTER_LINEAR, dst=side, borderMode=cv2.BORDER_REPLICATE)
        smoothed = arrays["average"](smoothed, *sides, into=averaged)
    # the painting's coarse part, and the smoothed one's fine part as strong as the painting's was
    coarse, own_coarse = arrays["coarse"]
    for halved, large in ((_halved(smoothed), coarse), (half, own_coarse)):
        _make_coarse(halved, large)
    before, after = sides
    cv2.absdiff(given, own_coarse, dst=before)
    cv2.absdiff(smoothed, coarse, dst=after)
    cv2.resize(_restoring_share(before, after), (width, height), dst=arrays["more"])
    more = cv2.cvtColor(arrays["more"], cv2.COLOR_GRAY2RGBA, dst=before)
    restored = arrays["restore"](smoothed, coarse, own_coarse, more, into=after)
    if share < 1:
        cv2.addWeighted(given, 1 - share, restored, share, 0, dst=restored)
    return np.asarray(cv2.cvtColor(restored, cv2.COLOR_RGBA2RGB), np.uint8)


def _averaged(pixel: Any, one: Any, other: Any) -> Any:
    """Return a pixel averaged with its neighbors, as `ByteArithmetic` takes it."""
    from openvino import opset13 as op

    beside = op.multiply(op.add(one, other), constant(0.5 * _WEIGHT))
    return op.multiply(op.add(pixel, beside), constant(1 / (1 + _WEIGHT)))


def _restored(smoothed: Any, coarse: Any, own_coarse: Any, more: Any) -> Any:
    """Return a painting's coarse part with the fine part of a smoothed one, up to `_MOST` times."""
    from openvino import opset13 as op

    gain = op.add(op.multiply(more, constant((_MOST - 1) / 255)), constant(1))
    return op.add(own_coarse, op.multiply(op.subtract(smoothed, coarse), gain))


def _restoring_share(before: Image, after: Image) -> Image:
    """Return what brings fine detail back to its strength, 0 for as it is to 255 for `_MOST`.

    Args:
      before: the detail's absolute values, uint8, (H, W, 4).
      after: the same when it was smoothed.

    Returns:
      uint8, at half the size.
    """
    strengths = []
    for detail in (before, after):
        half = _halved(cv2.cvtColor(detail, cv2.COLOR_RGBA2GRAY))
        strengths.append(cv2.blur(half.astype(np.float32), _WINDOW))
    gain = (strengths[0] + 1) / (strengths[1] + 1)
    return np.asarray(np.rint(255 * np.clip((gain - 1) / (_MOST - 1), 0, 1)), np.uint8)


def _halved(picture: cv2.typing.MatLike) -> Image:
    """Return a picture, of any number of channels, at half its size."""
    height, width = picture.shape[:2]
    size = max(1, width // 2), max(1, height // 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _make_coarse(half: Image, into: Image) -> None:
    """Make the coarse part of what is given at half the size."""
    line = np.array(_COARSE, np.float32)
    soft = cv2.sepFilter2D(half, -1, line, line, borderType=cv2.BORDER_REFLECT_101)
    cv2.resize(soft, into.shape[1::-1], dst=into, interpolation=cv2.INTER_LINEAR)


_kept = threading.local()

_SHAPES = 3
"""How many shapes arrays are kept for: that of frames, and those of faces."""


def _arrays(height: int, width: int) -> dict[str, Any]:
    """Return arrays to write to, of this thread; large new ones cost as much as the work.

    And what is done to each byte, for pictures of that shape.
    """
    kept: dict[tuple[int, int], dict[str, Any]] = _kept.__dict__.setdefault("arrays", {})
    arrays = kept.pop((height, width), None)
    if arrays is None:
        shape = height, width, 4
        columns, lines = np.meshgrid(np.arange(width), np.arange(height))
        arrays = {
            "x": columns.astype(np.float32),
            "y": lines.astype(np.float32),
            "planes": [np.empty((height, width), np.float32) for _ in range(4)],
            "pictures": [np.empty(shape, np.uint8) for _ in range(3)],
            "averaged": [np.empty(shape, np.uint8) for _ in _REACHES],
            "coarse": [np.empty(shape, np.uint8) for _ in range(2)],
            "more": np.empty((height, width), np.uint8),
            "average": ByteArithmetic(_averaged, ("pixel", "one", "other"), shape),
            "restore": ByteArithmetic(
                _restored, ("smoothed", "coarse", "own_coarse", "more"), shape
            ),
        }
    kept[height, width] = arrays  # as the last one used
    if len(kept) > _SHAPES:
        del kept[next(iter(kept))]
    return arrays


def _tangents(half: Image) -> tuple[Plane, Plane]:
    """Return how strokes run in a painting at half its size, each (h, w): to the right, and down.

    Of length 1 where all that is around runs alike, and 0 where nothing does; by the square root of
    how alike it runs, as dots and crossed marks are better drawn into strokes than left.
    """
    gray = cv2.cvtColor(half, cv2.COLOR_RGBA2GRAY)
    slope_x, slope_y = (
        cv2.Sobel(gray, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1))
    )
    tensor = cv2.merge([slope_x * slope_x, slope_y * slope_y, slope_x * slope_y])
    xx, yy, xy = cv2.split(cv2.blur(tensor, _WINDOW))
    difference, mixed = xx - yy, 2 * xy
    length = cv2.magnitude(difference, mixed)
    alike = np.sqrt(length / (xx + yy + np.float32(_LEAST)))
    cosine = difference / (length + np.float32(1e-6))  # of twice the slope's angle
    across = np.copysign(np.sqrt(np.maximum(0.5 - 0.5 * cosine, 0)) * alike, -mixed)
    down = np.sqrt(np.maximum(0.5 + 0.5 * cosine, 0)) * alike
    return across.astype(np.float32), down.astype(np.float32)
