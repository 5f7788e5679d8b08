"""Where there are palms in a picture: the detector of MediaPipe Hands (Zhang et al. 2020).

Its output is decoded as the paper's graph does: offsets from anchors of one size, a sigmoid for the
score. Boxes that overlap are not averaged by their scores as there; the best one stands for them,
since the landmarks are sought anew within.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.backend.tflite import TfliteNetwork
from stylizer.faces.search import distinct, make_anchors
from stylizer.frame import Image
from stylizer.weights import weights_path

__all__ = ["Palm", "PalmDetector", "decode"]

Points = npt.NDArray[np.float32]

_SIDE = 192
_GRIDS = ((24, 2), (12, 6))
"""Cells a side, and anchors a cell."""

_WRIST, _MIDDLE = 0, 2
"""Which of the key points are the wrist and the base of the middle finger."""


@dataclass(frozen=True, kw_only=True)
class Palm:
    """A palm, roughly.

    Attributes:
      score: 0..1.
      box: float32 (4,): left, top, right, bottom, in pixels; may reach out of the picture.
      wrist: (x, y), float32 (2,), in pixels.
      middle: where the middle finger begins, the same.
    """

    score: float
    box: Points
    wrist: Points
    middle: Points


class PalmDetector:
    """Finds palms in pictures, each by itself."""

    def __init__(self, *, threshold: float = 0.5) -> None:
        """Load the network.

        Args:
          threshold: the least score of a palm, 0..1.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: the file is missing or damaged.
        """
        self._network = TfliteNetwork(
            weights_path("palms"), inputs=(1, _SIDE, _SIDE, 3), cure="reinstall stylizer"
        )
        self._anchors = make_anchors(_SIDE, _GRIDS)
        self._threshold = threshold

    def __call__(self, image: Image) -> list[Palm]:
        """Return the palms of a picture, uint8 RGB (H, W, 3), the surest first."""
        height, width, _ = image.shape
        scale = _SIDE / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2
        fed = np.zeros((1, _SIDE, _SIDE, 3), np.float32)
        while image.shape[1] >= 4 * size[0] and image.shape[0] >= 4 * size[1]:
            half = image.shape[1] // 2, image.shape[0] // 2  # for which OpenCV has a short way
            image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        fed[0, top : top + size[1], left : left + size[0]] = small * np.float32(1 / 255)
        values, scores = sorted(self._network(fed), key=np.size, reverse=True)
        pairs, sure = decode(values[0], scores[0, :, 0], self._anchors, least=self._threshold)
        pairs -= np.array([left, top], np.float32) * _OF_PLACES
        pairs /= scale
        boxes = np.concatenate(
            [pairs[:, 0] - pairs[:, 1] / 2, pairs[:, 0] + pairs[:, 1] / 2], axis=1
        )
        return [
            Palm(
                score=float(sure[index]),
                box=boxes[index],
                wrist=pairs[index, 2 + _WRIST],
                middle=pairs[index, 2 + _MIDDLE],
            )
            for index in distinct(boxes)
        ]


_OF_PLACES = np.array([1, 0, *[1] * 7], np.float32)[:, None]
"""Which of the pairs that are decoded are places: all but the box's size."""


def decode(
    values: Points, scores: Points, anchors: Points, *, least: float
) -> tuple[Points, Points]:
    """Return the palms that the detector's output tells of, the surest first.

    Args:
      values: float32 (N, 18): center and size of the box, and seven points, as offsets in pixels.
      scores: float32 (N,), before the sigmoid.
      anchors: float32 (N, 2), in pixels of the network's picture.
      least: score of a palm, 0..1.

    Returns:
      float32 (M, 9, 2), in pixels of the network's picture: center, size, points; and their scores.
    """
    sure = 1 / (1 + np.exp(-np.clip(scores, -80, 80)))
    chosen = np.flatnonzero(sure >= least)
    chosen = chosen[np.argsort(-sure[chosen], kind="stable")]
    pairs = values[chosen].reshape(-1, 9, 2) + anchors[chosen][:, None] * _OF_PLACES
    return np.asarray(pairs, np.float32), np.asarray(sure[chosen], np.float32)
