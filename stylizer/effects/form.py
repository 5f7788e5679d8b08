"""Light and dark of people, given back to paint that has lost them: their form.

A bold style paints an arm before a dress, or legs before a floor, as one plane. Where the source
differs from what is around by its light, and the painting less so, in the same sense, the painting
gets what it lacks, and no more: strokes stay, and what the painting shows by itself stays as it is.
The difference is led by the source's edges (He et al. 2010, "Guided image filtering").
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.faces.masks import smooth
from stylizer.frame import Image

__all__ = ["give_form"]

Values = npt.NDArray[np.float32]

_SIDE = 384
"""Shorter side, in pixels, at which source and painting are compared."""

_FINE, _REACH, _FLAT = 1.2, 2, 30.0
"""Deviation of what is left out of the source; reach of the guided filter, both in those pixels;
and the variance, in gray levels, of what is no edge to it."""

_WIDE = 21.0
"""Deviation of the Gaussian, in those pixels, that says what is around."""

_GAIN, _MOST = 1.2, 50.0
"""How many times what is lacking is given, and the most of it, in gray levels."""

_BUSY, _BUSIEST = 14.0, 34.0
"""Deviation of the painting's light and dark, in gray levels, from which on less is given, and from
which on nothing: leads of glass and thick strokes are the form there."""

_STROKES = 5.0
"""Deviation of the Gaussian, in those pixels, of the place that this is told of."""

_BLUR = 3.0
"""Deviation, in those pixels, of what is left out of the painting before its contrast is told: that
of its planes, not of its strokes."""

_ROWS = 256


def give_form(source: Image, painting: Image, where: Values) -> Image:
    """Return a painting with the light and dark of its source where it has lost them.

    Args:
      source: uint8 RGB, (H, W, 3).
      painting: of it, uint8 RGB, (H, W, 3).
      where: how much of that is given, 0..1, at any size.

    Returns:
      uint8 RGB, (H, W, 3): the painting itself where nothing is.
    """
    if not where.any():
        return painting
    height, width, _ = source.shape
    scale = min(1.0, _SIDE / min(width, height))
    size = max(1, round(scale * width)), max(1, round(scale * height))
    seen, own = (
        _brightness(cv2.resize(one, size, interpolation=cv2.INTER_AREA))
        for one in (source, painting)
    )
    table = _match(seen, own)
    seen = np.asarray(cv2.LUT(np.asarray(smooth(seen, _FINE), np.uint8), table), np.float32)
    slope, level = _guide(seen, _lacking(seen, own))
    share = _calmness(own) * np.asarray(
        cv2.resize(where, size, interpolation=cv2.INTER_AREA), np.float32
    ).reshape(size[::-1])
    slope *= share
    level *= share
    slope, level = (
        np.asarray(cv2.resize(one, (width, height)), np.float32) for one in (slope, level)
    )
    gray = cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)
    gray = cv2.GaussianBlur(gray, (0, 0), _FINE / scale)  # a pattern would be a photo's
    formed = np.empty_like(painting)
    for top in range(0, height, _ROWS):
        rows = slice(top, top + _ROWS)
        light = cv2.LUT(gray[rows], table)
        given = np.clip(slope[rows] * light + level[rows], -_MOST, _MOST)
        cv2.add(painting[rows], cv2.merge((given, given, given)), dst=formed[rows], dtype=cv2.CV_8U)
    return formed


def _lacking(seen: Values, own: Values) -> Values:
    """Return by how much the source's light and dark are to change a painting's, in gray levels.

    Args:
      seen: the source's, brought to those of the painting, (h, w), 0..255.
      own: the painting's, the same.
    """
    slope, level = _guide(seen, own)
    own_planes = slope * seen + level
    slope, level = _guide(seen, seen)
    planes = slope * seen + level
    differs = planes - smooth(seen, _WIDE)
    shown = own_planes - smooth(own, _WIDE)
    sense = np.sign(differs)
    lacks = np.maximum(np.abs(differs) - np.maximum(sense * shown, 0), 0)
    return np.asarray(np.float32(_GAIN) * sense * lacks, np.float32)


def _calmness(own: Values) -> Values:
    """Return 1 where a painting's light and dark, (h, w), hardly vary, to 0 where they do."""
    mean = smooth(own, _STROKES)
    deviation = np.sqrt(np.maximum(smooth(own * own, _STROKES) - mean * mean, 0))
    return np.clip((_BUSIEST - deviation) / (_BUSIEST - _BUSY), 0, 1).astype(np.float32)


def _match(seen: Values, own: Values) -> Values:
    """Return what brings light and dark of a source to those of its painting, (256,)."""
    contrast = (float(smooth(own, _BLUR).std()) + 1) / (float(seen.std()) + 1)
    levels = np.arange(256, dtype=np.float32) - np.float32(seen.mean())
    matched = np.float32(own.mean()) + np.float32(contrast) * levels
    return np.asarray(np.clip(matched, 0, 255), np.float32)


def _guide(guide: Values, values: Values) -> tuple[Values, Values]:
    """Return slope and level by which a guide comes near to values at each place, (h, w) both."""
    mean, middle = _mean(guide), _mean(values)
    spread = _mean(guide * guide) - mean * mean + np.float32(_FLAT)
    slope = np.asarray((_mean(guide * values) - mean * middle) / spread, np.float32)
    return _mean(slope), _mean(middle - slope * mean)


def _mean(values: Values) -> Values:
    side = 2 * _REACH + 1
    return np.asarray(cv2.blur(values, (side, side)), np.float32)


def _brightness(picture: cv2.typing.MatLike) -> Values:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
