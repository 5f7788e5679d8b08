"""The landmarks of a hand: 21 points of MediaPipe Hands (Zhang et al. 2020).

Point 0 is the wrist; 1 to 4 lead to the thumb's tip, 5 to 8 to that of the forefinger, and so on.
Places are (x, y) in pixels of the picture, pixel centers at whole numbers plus a half; the third
coordinate that the network gives, the depth, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stylizer.backend.tflite import TfliteNetwork
from stylizer.faces.landmarks import Located, Place
from stylizer.frame import Image
from stylizer.hands.detector import Palm
from stylizer.weights import weights_path

__all__ = ["COUNT", "FINGERS", "PALM", "Hand", "HandNetwork", "place_of_hand", "place_of_palm"]

Points = npt.NDArray[np.float32]

_SIDE = 224

COUNT = 21
"""How many points there are."""

FINGERS: Sequence[Sequence[int]] = (
    (1, 2, 3, 4),
    (5, 6, 7, 8),
    (9, 10, 11, 12),
    (13, 14, 15, 16),
    (17, 18, 19, 20),
)
"""The points of each finger, from its base to its tip, the thumb's first."""

PALM: Sequence[int] = (0, 1, 2, 5, 9, 13, 17)
"""The points around the palm, a closed line."""

_STEADY = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""The points that say where a hand is sought next: those that fingers do not carry far away."""

_OF_PALM, _OF_HAND = (2.6, 0.5), (2.0, 0.1)
"""Side of the square in which landmarks are sought, by that of the box of a palm, or of the steady
points; and how far it is moved towards the fingers, by the same."""


@dataclass(frozen=True, kw_only=True)
class Hand(Located):
    """A hand and its 21 points."""

    @property
    def palm(self) -> float:
        """How large the palm is, in pixels: from the wrist to the middle finger, or across."""
        long = np.linalg.norm(self.points[9] - self.points[0])
        return float(max(long, 1.4 * np.linalg.norm(self.points[17] - self.points[5])))


def place_of_palm(palm: Palm) -> Place:
    """Return where the landmarks of a palm that was detected are sought, fingers upwards."""
    low, high = palm.box[:2], palm.box[2:]
    side, angle = float((high - low).max()), _turn(palm.middle - palm.wrist)
    return _place((low + high) / 2, side, angle, _OF_PALM)


def place_of_hand(hand: Hand) -> Place:
    """Return where the landmarks of a hand are sought that was found a moment ago."""
    wrist, fore, middle, ring = hand.points[[0, 5, 9, 13]]
    angle = _turn(((fore + ring) / 2 + middle) / 2 - wrist)
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = hand.points[list(_STEADY)] @ axes.T
    low, high = turned.min(0), turned.max(0)
    center = axes.T @ ((low + high) / 2)
    return _place(center, float((high - low).max()), angle, _OF_HAND)


def _turn(up: Points) -> float:
    """Return by how much a hand is turned that points so, in radians, clockwise; 0 for upwards."""
    return float(np.arctan2(up[0], -up[1]))


def _place(
    center: npt.NDArray[np.floating], side: float, angle: float, how: tuple[float, float]
) -> Place:
    larger, moved = how
    x, y = center + moved * side * np.array([np.sin(angle), -np.cos(angle)])
    return Place(center=(float(x), float(y)), side=larger * side, angle=angle)


class HandNetwork:
    """Finds the points of one hand at a time."""

    def __init__(self) -> None:
        """Load the network.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: the file is missing or damaged.
        """
        self._network = TfliteNetwork(
            weights_path("hands"), inputs=(1, _SIDE, _SIDE, 3), cure="reinstall stylizer"
        )

    def __call__(self, image: Image, place: Place) -> Hand:
        """Return the hand at a place of a picture, uint8 RGB (H, W, 3); see its score."""
        outputs = self._network(place.cut_out(image, _SIDE)[None] * np.float32(1 / 255))
        points = place.lay_back(outputs[0].reshape(COUNT, 3)[:, :2], _SIDE)
        return Hand(points=points, score=float(outputs[1].ravel()[0]))
