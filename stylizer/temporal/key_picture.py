"""A picture that later ones are compared with: how things moved since, and what is the same.

All of it is found in pictures that are reduced alike (`Reduced`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image
from stylizer.protocols import State
from stylizer.temporal.camera_motion import (
    Affine,
    CameraFinder,
    camera_field,
    prefer_camera,
)
from stylizer.temporal.flow import Flow, Gray, OpticalFlow, Preset, pixel_grid

__all__ = [
    "MOST_SIDE",
    "TOLERANCE",
    "KeyPicture",
    "Reduced",
    "find_same",
    "find_standing",
    "find_straight",
    "make_search",
]

Bytes = npt.NDArray[np.uint8]

MOST_SIDE = 256
"""Longer side of the pictures that the flow is searched in where nobody asks for another."""

TOLERANCE = 12.0
"""Gray levels: a pixel that differs by so much counts for 1/e as the same, by default."""

_STILL = 0.12
"""Pixels of the reduced picture, across or down; a motion that is no longer is none."""

_STRIDE = 6
"""Pixels between patches that are searched for the flow, but for the most exact: it begins near."""

_SURE = 0.15, 0.45
"""Likeness at which a pixel begins to count as the same, and at which it wholly does. Between the
two, paintings are mixed half and half, which costs their style; so they are near to each other."""

_KERNEL = np.ones((5, 5), np.uint8)
_LEVELS = np.arange(256, dtype=np.float32)
_CERTAINTY = np.rint(
    255 * np.clip((_LEVELS / 255 - _SURE[0]) / (_SURE[1] - _SURE[0]), 0, 1)
).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Reduced:
    """A picture, reduced.

    Attributes:
      gray: uint8, (h, w).
      colors: blurred over 3x3 pixels against noise: uint8, (h, w, 4), the last channel 255.
    """

    gray: Gray
    colors: Bytes

    @classmethod
    def of(cls, image: Image, size: tuple[int, int]) -> Reduced:
        """Reduce a picture, uint8 RGB (H, W, 3), to (width, height)."""
        small = _reduce(image, size)
        gray = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        colors = cv2.blur(cv2.cvtColor(small, cv2.COLOR_RGB2RGBA), (3, 3))
        return cls(gray, np.asarray(colors, np.uint8).reshape(*gray.shape, 4))


class KeyPicture:
    """A picture, and how things moved since.

    Attributes:
      seen: the picture, reduced.
      flow: from the last picture to it, float32 (h, w, 2).
      camera: the camera's motion in the same way.
    """

    def __init__(self, seen: Reduced, *, moves: bool | None = None) -> None:
        """Begin with the picture itself, from which nothing has moved.

        Args:
          seen: the picture.
          moves: whether the camera is moving, as the picture before had it; None if unknown.
        """
        self.seen = seen
        self._finder = CameraFinder(seen.gray, moves=moves)
        self.flow: Flow = np.zeros((*seen.gray.shape, 2), np.float32)
        self.camera: Affine = np.zeros((2, 3))

    @classmethod
    def after(cls, before: KeyPicture | None, seen: Reduced) -> KeyPicture:
        """Return the next one of a stream, which knows whether the camera moves."""
        return cls(seen, moves=None if before is None else before.moves)

    @property
    def moves(self) -> bool | None:
        """Whether the camera was moving when last it could be told; None if it never could."""
        return self._finder.moves

    def save_state(self) -> State:
        """Return all of it, for `load`."""
        moves = {} if self.moves is None else {"moves": np.array(self.moves)}
        seen = {"gray": self.seen.gray, "colors": self.seen.colors}
        return {**seen, "flow": self.flow, "camera": self.camera, **moves}

    @classmethod
    def load(cls, state: State) -> KeyPicture:
        """Return what `save_state` was asked of."""
        moves = bool(state["moves"]) if "moves" in state else None
        found = cls(Reduced(state["gray"], state["colors"]), moves=moves)
        found.flow, found.camera = state["flow"], state["camera"]
        return found

    def find(self, picture: Reduced, search: OpticalFlow) -> Flow:
        """Return the flow from the picture at hand to this one, float32 (h, w, 2).

        The camera's motion since the last picture is known before the rest is searched, so that is
        begun from where the last flow is after it.
        """
        gray, key, before = picture.gray, self.seen.gray, self.camera
        self.camera = self._finder(gray, start=before)
        field = camera_field(self.camera, gray.shape)
        start = self.flow + camera_field(self.camera - before, gray.shape)
        flow = search.search(gray, key, start=start)
        self.flow = prefer_camera(flow, field, gray, key)
        return self.flow


def make_search(preset: Preset, max_side: int) -> OpticalFlow:
    """Return what searches flows between pictures that follow each other."""
    stride = None if preset == "medium" else _STRIDE
    return OpticalFlow(preset=preset, max_side=max_side, stride=stride)


def find_standing(flow: Flow) -> Bytes:
    """Return where nothing moves, uint8 (h, w), 255 for there."""
    stands = cv2.inRange(flow, np.full(2, -_STILL), np.full(2, _STILL))
    return np.asarray(stands, np.uint8).reshape(flow.shape[:2])


def find_straight(flow: Flow, bound: float) -> Bytes:
    """Return where neighbors move alike, uint8 (h, w), 255 for there, else 0.

    Args:
      flow: float32 (h, w, 2).
      bound: pixels by which the motion of two neighbors differs at most, across or down.
    """
    straight = np.full(flow.shape[:2], 255, np.uint8)
    if min(straight.shape) < 2:
        return straight
    most = np.full(2, bound)
    straight[:, 1:] = cv2.inRange(flow[:, 1:] - flow[:, :-1], -most, most)
    straight[1:] &= np.asarray(cv2.inRange(flow[1:] - flow[:-1], -most, most), np.uint8)
    return straight


def find_same(flow: Flow, here: Bytes, there: Bytes, tolerance: float) -> Bytes:
    """Return where another picture shows the same thing, uint8 (h, w), 255 for surely.

    The likeness of one pixel is ``exp(-(d / tolerance)^2)``, with ``d`` the largest difference
    among the channels. What was read beyond the other one's border is black, its fourth channel
    too.

    Args:
      flow: from the picture at hand to the other one, float32 (h, w, 2).
      here: the colors of the one, as of `Reduced`.
      there: those of the other one.
      tolerance: in gray levels, above 0.
    """
    places = flow + pixel_grid(*flow.shape[:2])
    warped = cv2.remap(  # type: ignore[call-overload]  # one array of pairs, so no second one
        there, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    difference = cv2.absdiff(here, warped.reshape(here.shape))
    red, green, blue, inside = cv2.split(difference)
    difference = cv2.dilate(cv2.max(cv2.max(red, green), cv2.max(blue, inside)), _KERNEL)
    likeness = cv2.blur(cv2.LUT(difference, _likeness(tolerance)), (3, 3))
    return np.asarray(cv2.LUT(likeness, _CERTAINTY), np.uint8).reshape(here.shape[:2])


def _likeness(tolerance: float) -> Bytes:
    """Return the likeness of each difference of 0..255 gray levels, 255 for none."""
    return np.asarray(np.rint(255 * np.exp(-np.square(_LEVELS / tolerance))), np.uint8)


def _reduce(image: Image, size: tuple[int, int]) -> Image:
    """Reduce to (width, height): by halves first, for which OpenCV has a short way."""
    small = image
    while min(small.shape[1] / size[0], small.shape[0] / size[1]) >= 2:
        half = small.shape[1] // 2, small.shape[0] // 2
        small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), np.uint8)
    if (small.shape[1], small.shape[0]) != size:
        small = np.asarray(cv2.resize(small, size), np.uint8)
    return small
