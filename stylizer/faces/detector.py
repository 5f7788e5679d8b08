"""Where there are faces in a picture: the BlazeFace network (Bazarevsky et al. 2019).

The one for rear cameras, which also finds small faces. Its output is decoded as MediaPipe's graph
does: offsets from anchors, a sigmoid for the score. Boxes that overlap are not averaged by their
scores as there; the best one stands for them, since the landmarks are sought anew within.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.faces.models import FaceNetwork
from stylizer.faces.search import distinct, make_anchors
from stylizer.frame import Image

__all__ = ["Detection", "FaceDetector"]

Points = npt.NDArray[np.float32]

_FILE = "face_detection_back.tflite"
_SIDE = 256
_GRIDS = ((16, 2), (8, 6))
"""Cells a side, and anchors a cell."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """A face, roughly.

    Attributes:
      score: 0..1.
      box: float32 (4,): left, top, right, bottom, in pixels; may reach out of the picture.
      eyes: float32 (2, 2): (x, y) of the eye at the picture's left in an upright face, then of the
        other, in pixels.
    """

    score: float
    box: Points
    eyes: Points


class FaceDetector:
    """Finds faces in pictures, each by itself."""

    def __init__(self, folder: Path, *, threshold: float = 0.5) -> None:
        """Load the network.

        Args:
          folder: as `stylizer.faces.models.find_models` gives it.
          threshold: the least score of a face, 0..1.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: the file is missing or damaged.
        """
        self._network = FaceNetwork(folder, _FILE, inputs=(1, _SIDE, _SIDE, 3))
        self._anchors = make_anchors(_SIDE, _GRIDS)
        self._threshold = threshold

    def __call__(self, image: Image) -> list[Detection]:
        """Return the faces of a picture, uint8 RGB (H, W, 3), the surest first."""
        height, width, _ = image.shape
        scale = _SIDE / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2
        fed = np.full((_SIDE, _SIDE, 3), -1.0, np.float32)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        fed[top : top + size[1], left : left + size[0]] = small.astype(np.float32) / 127.5 - 1
        values, scores = (output[0] for output in self._network(fed[None]))
        scores = 1 / (1 + np.exp(-np.clip(scores[:, 0], -80, 80)))
        sure = np.flatnonzero(scores >= self._threshold)
        sure = sure[np.argsort(-scores[sure], kind="stable")]
        pairs = values[sure].reshape(-1, 8, 2)  # center, size, eyes, nose, mouth, ears
        pairs[:, [0, *range(2, 8)]] += self._anchors[sure][:, None]
        pairs[:, [0, *range(2, 8)]] -= (left, top)
        pairs /= scale
        boxes = np.concatenate(
            [pairs[:, 0] - pairs[:, 1] / 2, pairs[:, 0] + pairs[:, 1] / 2], axis=1
        )
        return [
            Detection(score=float(scores[sure[index]]), box=boxes[index], eyes=pairs[index, 2:4])
            for index in distinct(boxes)
        ]
