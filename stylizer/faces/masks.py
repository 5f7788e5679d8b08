"""Soft masks of faces and of their features, from landmarks: float32 (h, w), 0..1."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.faces.landmarks import FEATURES, OVAL
from stylizer.faces.tracker import TrackedFace

__all__ = [
    "Mask",
    "deviation_around",
    "draw_area",
    "draw_bare_area",
    "draw_faces",
    "draw_features",
    "draw_head",
    "draw_heads",
    "draw_neck",
    "rise",
    "smooth",
]

Mask = npt.NDArray[np.float32]
Points = npt.NDArray[np.float32]

_GROWS, _SOFT = 0.12, 0.08
"""Shares of a face's side: by how much its area reaches beyond its contour, and the soft edge."""

_HEAD, _UP, _HEAD_SOFT = 1.3, 0.1, 0.1
"""A head by its face: larger by the first; higher, and with an edge, by shares of its side."""

_ABOVE = 0.4
"""Share of a face's side: how far above the forehead's landmark a bald head ends."""

_BELOW = 0.3
"""Share of a face's side: how far below it a neck is looked for."""

_MARGIN = 0.75
"""Share of a face's side around its box in which a head and its soft edge end."""

_FEATURE_GROWS, _FEATURE_SOFT = 0.06, 0.03
_FINE = 4
"""Bits after the point in the places that OpenCV draws at."""


def draw_area(points: Points, size: tuple[int, int], *, side: float) -> Mask:
    """Return where a face is, to its contour and a little beyond.

    Args:
      points: of the landmarks, (468, 2), in pixels of the mask.
      size: (width, height) of the mask.
      side: of the face, in pixels of the mask.
    """
    mask = np.zeros(size[::-1], np.float32)
    _fill(mask, _hull(points))
    return smooth(_grow(mask, _GROWS * side), _SOFT * side)


def draw_bare_area(points: Points, size: tuple[int, int], *, side: float) -> Mask:
    """Return where a face is, and above it what may be a bald head, less and less upwards.

    No landmark tells where hair begins, and a line across a forehead is seen. Arguments are as of
    `draw_area`.
    """
    width, height = size
    down = (points[152] - points[10]).astype(np.float64)  # from the forehead to the chin
    down /= max(float(np.linalg.norm(down)), 1e-6)
    above = points[list(OVAL)] - (_ABOVE * side * down).astype(np.float32)
    area = draw_area(np.concatenate([points, above]), size, side=side)
    below = down[0] * np.arange(width)[None] + down[1] * np.arange(height)[:, None]
    share = 1 + (below - float(points[10] @ down)) / (_ABOVE * side)
    return np.asarray(area * np.clip(share, 0, 1).astype(np.float32), np.float32)


def draw_neck(points: Points, size: tuple[int, int], *, side: float) -> Mask:
    """Return where a neck may be: a crescent below the chin; arguments as of `draw_area`."""
    down = points[152] - points[10]  # from the forehead to the chin
    down = down * np.float32(_BELOW * side / max(float(np.linalg.norm(down)), 1e-6))
    below = draw_area((points + down).astype(np.float32), size, side=side)
    return np.asarray(np.maximum(below - draw_area(points, size, side=side), 0), np.float32)


def draw_head(points: Points, size: tuple[int, int], *, side: float) -> Mask:
    """Return where a head is, about, with a broad edge; arguments as of `draw_area`.

    It ends within 0.95 of the face's side from the middle of its box.
    """
    mask = np.zeros(size[::-1], np.float32)
    line, middle = _hull(points), points[list(OVAL)].mean(0)
    above = points[10] - points[152]  # from the chin to the forehead
    up = _UP * side * above / max(float(np.linalg.norm(above)), 1e-6)
    _fill(mask, (middle + up + _HEAD * (line - middle)).astype(np.float32))
    return smooth(mask, _HEAD_SOFT * side)


def draw_features(points: Points, size: tuple[int, int], *, side: float) -> Mask:
    """Return where the features are by which a face is known; arguments as of `draw_area`."""
    mask = np.zeros(size[::-1], np.float32)
    for numbers in FEATURES:
        _fill(mask, _hull(points[list(numbers)]))
    return smooth(_grow(mask, _FEATURE_GROWS * side), _FEATURE_SOFT * side)


def draw_faces(faces: Iterable[TrackedFace], size: tuple[int, int], *, scale: float = 1.0) -> Mask:
    """Return where faces are in a picture, each as much as it is present.

    Args:
      faces: in pixels of the picture.
      size: (width, height) of the mask.
      scale: pixels of the mask for one of the picture.
    """
    return _draw_each(faces, size, scale, draw_area)


def draw_heads(faces: Iterable[TrackedFace], size: tuple[int, int], *, scale: float = 1.0) -> Mask:
    """Return where heads are in a picture; arguments as of `draw_faces`."""
    return _draw_each(faces, size, scale, draw_head)


def _draw_each(
    faces: Iterable[TrackedFace], size: tuple[int, int], scale: float, draw: Callable[..., Mask]
) -> Mask:
    """Return where something of each face is, as `draw` gives it, each in its own part."""
    mask = np.zeros(size[::-1], np.float32)
    for one in faces:
        side = one.face.side * scale
        box = one.face.box * scale
        low = np.maximum(np.floor(box[:2] - _MARGIN * side), 0).astype(int)
        high = np.minimum(np.ceil(box[2:] + _MARGIN * side), size).astype(int)
        if (high <= low).any():
            continue
        points = one.face.points * scale - low.astype(np.float32)
        width, height = (int(length) for length in high - low)
        drawn = one.presence * draw(points.astype(np.float32), (width, height), side=side)
        place = mask[low[1] : high[1], low[0] : high[0]]
        np.maximum(place, drawn, out=place)
    return mask


def rise(values: Mask | float, ends: tuple[float, float]) -> Mask:
    """Return values as 0 up to the one end, 1 from the other on, and a share between."""
    start, whole = ends
    return np.asarray(np.clip((values - start) / (whole - start), 0, 1), np.float32)


def smooth(values: Mask, deviation: float) -> Mask:
    """Blur by a Gaussian; where it is wide, on a smaller picture, which takes a tenth of the time.

    Args:
      values: float32, (h, w) or (h, w, 3).
      deviation: in pixels.
    """
    factor = int(deviation / 2.5)
    height, width = values.shape[:2]
    if factor <= 1:
        if deviation < 0.2:
            return values
        return np.asarray(_blur(values, deviation), np.float32).reshape(values.shape)
    size = max(1, -(-width // factor)), max(1, -(-height // factor))
    small = _blur(cv2.resize(values, size, interpolation=cv2.INTER_AREA), deviation / factor)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32).reshape(values.shape)


def deviation_around(values: Mask, reach: float) -> Mask:
    """Return the standard deviation around each place, (h, w); as `smooth` takes its arguments."""
    mean = smooth(values, reach)
    return np.sqrt(np.maximum(smooth(values * values, reach) - mean * mean, 0))


def _blur(values: cv2.typing.MatLike, deviation: float) -> cv2.typing.MatLike:
    return cv2.GaussianBlur(values, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)


def _hull(points: Points) -> Points:
    """Return the convex line around points: of a profile, nose and lips lie beyond the contour."""
    return np.asarray(cv2.convexHull(points.astype(np.float32)), np.float32)[:, 0]


def _fill(mask: Mask, line: Points) -> None:
    places = np.rint((line - 0.5) * (1 << _FINE)).astype(np.int32)
    cv2.fillPoly(mask, [places], 1.0, lineType=cv2.LINE_8, shift=_FINE)


def _grow(mask: Mask, pixels: float) -> Mask:
    side = round(pixels) | 1
    if side <= 1:
        return mask
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask, around), np.float32).reshape(mask.shape)
