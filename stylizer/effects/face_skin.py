"""Skin of a face as the rest of a painting has it: of the neck's color, and without a pattern."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.effects.cutting import spread
from stylizer.frame import Image

__all__ = ["calm_skin", "follow_neck"]

Values = npt.NDArray[np.float32]

_LIKE, _DARKER = (4.0, 9.0), 0.25
"""Distance in CIELAB from a face's color, in its units, up to which it is the same skin in the
source, and from which on it is not; and what a difference in lightness counts, in shadow."""

_ENOUGH = 0.02
"""Area of a neck that is believed in, as a share of the face's."""

_FOLLOWS, _FARTHEST = 0.7, 40.0
"""Share of the way to the neck's color, and the longest way, in gray levels."""

_REACH, _FLAT = 0.04, 60.0
"""Reach of the filter that calms, as a share of a face's side; and the variance, in gray levels, of
what is no edge to it."""


def follow_neck(fine: Values, around: Values, seen: Image, area: Values, neck: Values) -> Values:
    """Return a face in the color that its neck has in the painting, where that is seen.

    Light and dark stay as they are.

    Args:
      fine: the face as it is painted, (h, w, 3).
      around: the painting, (h, w, 3).
      seen: the source, uint8 RGB (h, w, 3).
      area: where the face is, (h, w), 0..1.
      neck: where a neck may be, (h, w), 0..1: hair, collars and hands are told by their color.
    """
    lab = cv2.cvtColor(seen, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[..., 0] *= np.float32(_DARKER)
    apart = np.sqrt(np.square(lab - _mean(lab, area)).sum(-1))
    same, other = _LIKE
    alike = np.clip((np.float32(other) - apart) / np.float32(other - same), 0, 1)
    shown = np.asarray(neck * alike, np.float32)
    sure = min(float(shown.sum()) / (_ENOUGH * float(area.sum()) + 1e-3), 1.0)
    shift = _mean(around, shown) - _mean(fine, area)
    shift -= np.float32(shift @ np.array([0.299, 0.587, 0.114]))
    length = float(np.abs(shift).max())
    shift *= np.float32(_FOLLOWS * sure * min(1.0, _FARTHEST / (length + 1e-3)))
    return np.asarray(fine + spread(area) * shift, np.float32)


def calm_skin(paint: Values, bright: Values, where: Values, *, side: float) -> Values:
    """Return paint without what does not follow the light of a face: boxes, cracks and blisters.

    It is the filter of He et al. 2010 ("Guided image filtering"), by the light of the source.

    Args:
      paint: (h, w, 3).
      bright: light and dark of the source, (h, w), 0..255.
      where: how much of that, (h, w), 0..1.
      side: of the face, in pixels of these.
    """
    reach = 2 * max(1, round(_REACH * side)) + 1
    mean = cv2.blur(bright, (reach, reach))
    spreads = cv2.blur(bright * bright, (reach, reach)) - mean * mean + np.float32(_FLAT)
    middle = cv2.blur(paint, (reach, reach))
    apart = cv2.blur(paint * bright[..., None], (reach, reach)) - middle * mean[..., None]
    slope = apart / spreads[..., None]
    level = middle - slope * mean[..., None]
    calm = cv2.blur(slope, (reach, reach)) * bright[..., None] + cv2.blur(level, (reach, reach))
    return np.asarray(paint + spread(where) * (calm - paint), np.float32)


def _mean(values: Values, weight: Values) -> Values:
    """Return the mean of each channel, weighted, (C,)."""
    total = np.tensordot(weight, values, axes=((0, 1), (0, 1)))
    return np.asarray(total / (float(weight.sum()) + 1e-3), np.float32)
