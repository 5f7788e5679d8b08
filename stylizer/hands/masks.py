"""Soft masks of hands, from landmarks: float32 (h, w), 0..1."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.faces.masks import smooth
from stylizer.hands.landmarks import FINGERS, PALM, Hand

__all__ = ["draw_hand", "finger_breadth"]

Mask = npt.NDArray[np.float32]

_BREADTH = 0.22
"""Breadth of a finger, by the length of the palm."""

_THICK, _SOFT = 1.5, 0.3
"""By the breadth of a finger: that of the lines along fingers and around the palm, and the
deviation of their soft edge. Points are off by a fifth of it at times."""

_FINE = 4
"""Bits after the point in the places that OpenCV draws at."""


def finger_breadth(hand: Hand) -> float:
    """Return how broad the fingers of a hand are, about, in pixels."""
    return _BREADTH * hand.palm


def draw_hand(hand: Hand, size: tuple[int, int]) -> Mask:
    """Return where a hand is: its palm, and its fingers to a little beyond their contours.

    Args:
      hand: in pixels of the mask.
      size: (width, height) of the mask.
    """
    mask = np.zeros(size[::-1], np.float32)
    breadth = finger_breadth(hand)
    places = np.rint((hand.points - 0.5) * (1 << _FINE)).astype(np.int32)
    palm = places[list(PALM)]
    thick = max(1, round(_THICK * breadth))
    cv2.fillPoly(mask, [palm], 1.0, lineType=cv2.LINE_8, shift=_FINE)
    for line, closed in ((palm, True), *((places[list(one)], False) for one in FINGERS)):
        cv2.polylines(mask, [line], closed, 1.0, thickness=thick, shift=_FINE)
    return smooth(mask, _SOFT * breadth)
