"""Skin of a face in the color that its neck has in a painting."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.effects.cutting import spread
from stylizer.faces.masks import rise
from stylizer.frame import LUMA, Image

__all__ = ["follow_neck"]

Values = npt.NDArray[np.float32]

_LIKE, _DARKER = (4.0, 9.0), 0.25
"""Distance in CIELAB from a face's color, in its units, up to which it is the same skin in the
source, and from which on it is not; and what a difference in lightness counts, in shadow."""

_ENOUGH = 0.02
"""Area of a neck that is believed in, as a share of the face's."""

_FOLLOWS, _FARTHEST = 0.7, 40.0
"""Share of the way to the neck's color, and the longest way, in gray levels."""

_DULL, _FULL = 0.85, 1.1
"""Strength of the neck's color, by that of the face's, from which on it is followed, and wholly: a
neck in a gray shadow would take the color from a face that is lit."""

_ONE, _MANY = 15.0, 35.0
"""Deviation of the neck's colors, in gray levels, up to which it has one color, and from which on
it has many."""

_LIGHT = 45.0
"""Deviation, in gray levels, of the neck's light from the face's as far as it counts."""

_LUMA = np.array(LUMA, np.float32)


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
    alike = neck * (1 - rise(apart, _LIKE))
    face = _mean(fine, area)
    light = (around @ _LUMA - face @ _LUMA) / np.float32(_LIGHT)
    shown = np.asarray(alike * np.exp(np.square(light) / -2), np.float32)
    there = _color(around)
    color, own = _mean(there, shown), _color(face)
    deviation = np.sqrt(_mean(np.square(there - color).sum(-1, keepdims=True), shown)[0])
    strength = float(np.linalg.norm(color)) / (float(np.linalg.norm(own)) + 1e-3)
    sure = min(float(alike.sum()) / (_ENOUGH * float(area.sum()) + 1e-3), 1.0)
    sure *= float(shown.sum()) / (float(alike.sum()) + 1e-3)
    sure *= float(rise(strength, (_DULL, _FULL)) * (1 - rise(deviation, (_ONE, _MANY))))
    shift = color - own
    longest = float(np.abs(shift).max())
    shift *= np.float32(_FOLLOWS * sure * min(1.0, _FARTHEST / (longest + 1e-3)))
    return np.asarray(fine + spread(area) * shift, np.float32)


def _color(picture: Values) -> Values:
    """Return what a picture, (..., 3), has besides its light and dark."""
    return np.asarray(picture - (picture @ _LUMA)[..., None], np.float32)


def _mean(values: Values, weight: Values) -> Values:
    """Return the mean of each channel, weighted, (C,)."""
    total = np.tensordot(weight, values, axes=((0, 1), (0, 1)))
    return np.asarray(total / (float(weight.sum()) + 1e-3), np.float32)
