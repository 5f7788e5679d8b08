"""Where people are in a frame: in the picture as a whole, and each once more by its face.

The network (``models/person``) sees 256x256 pixels. It finds one person or a few, and whatever else
a picture is of; in a crowd it finds nobody. So each person whose face is known is cut out, from
above the head down to the feet, or to the hips, and looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.backend.tflite import TfliteNetwork
from stylizer.faces.tracker import TrackedFace
from stylizer.frame import Frame, Image, check_image
from stylizer.weights import weights_path

__all__ = ["PeopleFinder", "Silhouettes"]

Mask = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]

_SIDE = 256

_SEEN = 0.2, 0.8
"""Probabilities from which on someone begins to be there, and surely is."""

_BODY, _BUST = (4.2, 5.6), (2.6, 3.6)
"""By the side of a face: how far below it the middle of what is cut out is, and half its side; of
a person down to the feet, and, where that is most of the frame, down to the hips."""

_FADES = 0.15
"""Share of what is cut out in which a silhouette ends softly at each border."""

_MOST = 0.8
"""Share of the frame from which on it is not worth while to cut something out."""


@dataclass(frozen=True, kw_only=True)
class Silhouettes:
    """Where people are in a frame; masks are float32 (256, 256), 0..1.

    Attributes:
      whole: what is found in the whole frame.
      single: what is found where each face's person is, and the (left, top, right, bottom) that it
        covers, in pixels of the frame.
      size: (width, height) of the frame.
    """

    whole: Mask
    single: Sequence[tuple[Mask, Box]]
    size: tuple[int, int]

    def draw(self, size: tuple[int, int], shares: Sequence[float], *, whole: float) -> Mask:
        """Return where people are, float32 (h, w), 0..1.

        Args:
          size: (width, height) of what is returned.
          shares: of the person of each face, 0 to 1.
          whole: share of what is found in the whole frame.
        """
        everywhere = self.whole, (0, 0, *self.size)
        drawn = np.zeros(size[::-1], np.float32)
        for (mask, box), share in zip((everywhere, *self.single), (whole, *shares), strict=True):
            if share > 0:
                there = _place(mask, box, self.size, size)
                np.maximum(drawn, np.float32(share) * there, out=drawn)
        return drawn


class PeopleFinder:
    """Finds people in frames, each by itself."""

    def __init__(self) -> None:
        """Load the network.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: the network's file is missing or damaged.
        """
        self._network = TfliteNetwork(
            weights_path("person"), inputs=(1, _SIDE, _SIDE, 3), cure="reinstall stylizer"
        )

    def __call__(self, frame: Frame, faces: Sequence[TrackedFace] = ()) -> Silhouettes:
        """Return where people are in a frame, whose faces are known or not.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        image = check_image(frame.image)
        whole = self._find(image)
        single = [self._look(image, one, whole) for one in faces]
        return Silhouettes(whole=whole, single=single, size=frame.size)

    def _look(self, image: Image, one: TrackedFace, whole: Mask) -> tuple[Mask, Box]:
        """Return what is found where a face's person is, ending softly, with its place."""
        height, width, _ = image.shape
        boxes = (_around(one, (width, height), part=part) for part in (_BODY, _BUST))
        box = next((box for box in boxes if 0 < _area(box) <= _MOST * width * height), None)
        if box is None:
            return whole, (0, 0, width, height)
        left, top, right, bottom = box
        mask = self._find(image[top:bottom, left:right])
        across = _fade(before=left > 0, after=right < width)
        return mask * across * _fade(before=top > 0, after=bottom < height)[:, None], box

    def _find(self, image: Image) -> Mask:
        small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        values = np.asarray(small, np.float32)[None] * np.float32(1 / 255)
        sure = self._network(values)[0].reshape(_SIDE, _SIDE)
        low, high = _SEEN
        return np.asarray(np.clip((sure - low) / (high - low), 0, 1), np.float32)


def _around(one: TrackedFace, size: tuple[int, int], *, part: tuple[float, float]) -> Box:
    """Return what is cut out for a face: left, top, right, bottom.

    Args:
      one: the face.
      size: (width, height) of the frame.
      part: of the person, as `_BODY`.
    """
    side, (down, reach) = one.face.side, part
    middle = (one.face.box[:2] + one.face.box[2:]) / 2 + down * side * _body_direction(one)
    low = np.maximum(np.floor(middle - reach * side), 0).astype(int)
    high = np.minimum(np.ceil(middle + reach * side), size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _area(box: Box) -> int:
    """Return the pixels of a box; none where it is out of the frame."""
    left, top, right, bottom = box
    return max(right - left, 0) * max(bottom - top, 0)


def _body_direction(one: TrackedFace) -> npt.NDArray[np.float64]:
    """Return where a body lies from its face: downwards, and as the face is turned; of length 1."""
    down = np.asarray(one.face.points[152] - one.face.points[10], np.float64)  # forehead to chin
    down = down / max(float(np.linalg.norm(down)), 1e-6) + (0.0, 1.0)
    length = float(np.linalg.norm(down))
    return down / length if length > 0.2 else np.array([0.0, 1.0])


def _fade(*, before: bool, after: bool) -> Mask:
    """Return shares, (256,), that rise from the one end and fall to the other, or do not."""
    rising = np.minimum(np.arange(1, _SIDE + 1, dtype=np.float32) / np.float32(_FADES * _SIDE), 1)
    shares = np.ones(_SIDE, np.float32)
    if before:
        shares *= rising
    if after:
        shares *= rising[::-1]
    return shares


def _place(mask: Mask, box: Box, frame: tuple[int, int], size: tuple[int, int]) -> Mask:
    """Return a mask that covers a part of a frame as one of the whole frame, (h, w), 0 elsewhere.

    Args:
      mask: float32 (256, 256).
      box: what it covers.
      frame: (width, height).
      size: (width, height) of what is returned.
    """
    scale = np.divide(size, frame)
    sides = scale * np.subtract(box[2:], box[:2])
    to = np.maximum(np.minimum(np.rint(sides), _SIDE), 1).astype(int)
    small = cv2.resize(mask, to.tolist(), interpolation=cv2.INTER_AREA)
    zoom = sides / to
    shift = scale * box[:2] + 0.5 * zoom - 0.5  # OpenCV's pixel centers are at whole numbers
    matrix = np.array([[zoom[0], 0, shift[0]], [0, zoom[1], shift[1]]])
    edge = cv2.BORDER_REPLICATE if box == (0, 0, *frame) else cv2.BORDER_CONSTANT
    return np.asarray(cv2.warpAffine(small, matrix, size, borderMode=edge), np.float32)
