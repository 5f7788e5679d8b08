"""The landmarks of a face: 468 points of MediaPipe's face mesh (Kartynnik et al. 2019).

Points are (x, y) in pixels of the picture, pixel centers at whole numbers plus a half; the third
coordinate that the network gives, the depth, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.faces.detector import Detection
from stylizer.faces.models import FaceNetwork
from stylizer.frame import Image

__all__ = ["EYES", "FEATURES", "KEY_POINTS", "OVAL", "Face", "LandmarkNetwork", "Located", "Place"]

Points = npt.NDArray[np.float32]

_FILE = "face_landmark.tflite"
_SIDE = 192
_COUNT = 468

_LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
_RIGHT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
_LEFT_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
_RIGHT_BROW = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_NOSE = (98, 97, 2, 326, 327, 294, 278, 344, 440, 275, 4, 45, 220, 115, 48, 64)

EYES: tuple[Sequence[int], ...] = (_LEFT_EYE, _RIGHT_EYE)
"""The numbers of the points around the eyes: the one at the picture's left in an upright face."""

FEATURES: tuple[Sequence[int], ...] = (*EYES, _LEFT_BROW, _RIGHT_BROW, _LIPS, _NOSE)
"""Eyes, brows, lips and the end of the nose: closed lines around what a face is known by."""

# fmt: off
OVAL: Sequence[int] = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
"""The contour of the face, a closed line."""

KEY_POINTS: Sequence[int] = (
    33, 133, 159, 145, 362, 263, 386, 374, 70, 105, 107, 336, 334, 300, 61, 291, 13, 14, 0, 17,
    1, 4, 98, 327, 168, 10, 152, 234, 454, 172, 397, 132, 361, 127, 356,
)
# fmt: on
"""A choice of points all over the face, by which faces are laid onto each other."""


@dataclass(frozen=True, kw_only=True)
class Located:
    """What was found in a picture, by its points.

    Attributes:
      points: float32 (N, 2), in pixels; may lie outside of the picture.
      score: how sure it is that it is there, 0..1.
    """

    points: Points
    score: float

    @property
    def box(self) -> Points:
        """The least upright box around all points: left, top, right, bottom, float32 (4,)."""
        return np.concatenate([self.points.min(0), self.points.max(0)]).astype(np.float32)

    @property
    def side(self) -> float:
        """The longer side of the box, in pixels."""
        return float((self.box[2:] - self.box[:2]).max())


@dataclass(frozen=True, kw_only=True)
class Face(Located):
    """A face and its 468 points."""

    def line(self, numbers: Sequence[int]) -> Points:
        """Return some of the points, float32 (N, 2)."""
        return self.points[list(numbers)]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A square in which a face is looked for, turned so that the face is upright.

    Attributes:
      center: (x, y) in pixels.
      side: in pixels.
      angle: of the line through the eyes, in radians, clockwise.
    """

    center: tuple[float, float]
    side: float
    angle: float

    @classmethod
    def of_detection(cls, found: Detection) -> Place:
        """Return where the landmarks of a detected face are sought."""
        low, high = found.box[:2], found.box[2:]
        return cls._around((low + high) / 2, float((high - low).max()), tuple(found.eyes))

    @classmethod
    def of_face(cls, face: Face) -> Place:
        """Return where the landmarks of a face are sought that was found a moment ago."""
        left, right = (face.line(eye).mean(0) for eye in EYES)
        return cls._around((face.box[:2] + face.box[2:]) / 2, face.side, (left, right))

    @classmethod
    def _around(cls, center: Any, side: float, eyes: tuple[Any, ...]) -> Place:
        across, down = eyes[1] - eyes[0]
        angle = float(np.arctan2(down, across))
        return cls(center=(float(center[0]), float(center[1])), side=1.5 * side, angle=angle)

    def matrix(self, side: int) -> npt.NDArray[np.float64]:
        """Return what maps this square onto one of ``side`` pixels: (2, 3)."""
        scale = side / max(self.side, 1e-3)
        turn = scale * np.array(
            [[np.cos(self.angle), np.sin(self.angle)], [-np.sin(self.angle), np.cos(self.angle)]]
        )
        shift = side / 2 - turn @ np.array(self.center)
        return np.asarray(np.c_[turn, shift], np.float64)

    def cut_out(self, image: Image, side: int) -> Points:
        """Return this square of a picture, uint8 RGB (H, W, 3): float32 (side, side, 3), 0..255."""
        matrix = self.matrix(side)
        matrix[:, 2] -= 0.5 - 0.5 * matrix[:, :2].sum(1)  # OpenCV's pixel centers are at integers
        crop = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR)
        return np.asarray(crop, np.float32)

    def lay_back(self, points: Points, side: int) -> Points:
        """Return where points, (N, 2), of what was cut out at that side are in the picture."""
        matrix = self.matrix(side)
        found = (points.astype(np.float64) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        return found.astype(np.float32)


class LandmarkNetwork:
    """Finds the points of one face at a time."""

    def __init__(self, folder: Path) -> None:
        """Load the network.

        Args:
          folder: as `stylizer.faces.models.find_models` gives it.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: the file is missing or damaged.
        """
        self._network = FaceNetwork(folder, _FILE, inputs=(1, _SIDE, _SIDE, 3))

    def __call__(self, image: Image, place: Place) -> Face:
        """Return the face at a place of a picture, uint8 RGB (H, W, 3); see its score."""
        fed = place.cut_out(image, _SIDE)[None] / np.float32(255)
        values = sorted(self._network(fed), key=np.size)
        score = 1 / (1 + np.exp(-float(np.clip(values[0].ravel()[0], -80, 80))))
        points = place.lay_back(values[1].reshape(_COUNT, 3)[:, :2], _SIDE)
        return Face(points=points, score=score)
