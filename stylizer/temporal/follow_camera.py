"""Where the camera looks, frame by frame, told to the stylizer that paints them.

What a network paints into a sky comes from noise. Noise that is fixed to the screen makes strokes
that stay on the glass while the camera pans; told where the camera looks, a network moves it along.

It is told so against the last two frames whose index is a multiple of `CYCLE`, and passes from one
to the next. So errors do not add up, noise is never zoomed far, and what is remembered fades:
wherever one begins in a shot, after two cycles it is told the same.
"""

from __future__ import annotations

import cmath

import cv2
import numpy as np

from stylizer.base import Prepared, find, load_states, save_states
from stylizer.frame import Camera, Cameras, Frame, Image, check_image
from stylizer.protocols import CameraStylizer, State, Stylizer
from stylizer.temporal.camera_motion import Affine, CameraFinder, farthest
from stylizer.temporal.flow import Gray, OpticalFlow

__all__ = ["CYCLE", "CameraTracker", "FollowCamera", "follow_camera"]

CYCLE = 16
"""Frames after which another one is told against."""

_SIDE = 192
_DENSER = 2
"""Longer side of the pictures that are compared, and how many times that is read of a large one."""

_STEADY = 0.1
"""Pixels, of 192, by which a motion must differ from the last one to count: a camera that stands
again must not leave anything trembling."""

_FAR, _TURNED, _ZOOMED = 0.15, 0.1, 1.1
"""How far the picture may move, in shares of its side, turn, in radians, and be zoomed before it is
compared with a newer one: the points that are followed neither turn nor grow."""

_MOST_ZOOMED = 1.5
"""A zoom by more, against the picture that is compared with, is a mistake."""


class CameraTracker:
    """Follows the camera through a shot, by comparing each picture with one some frames before.

    So a slow pan is not lost below what can be measured between two frames.
    """

    def __init__(self) -> None:
        """Begin a shot."""
        self._size = OpticalFlow(max_side=_SIDE).reduced_size
        self.reset()

    def reset(self) -> None:
        """Begin another shot."""
        self._finder: CameraFinder | None = None
        self._motion: Affine = np.zeros((2, 3))
        self._index = 0
        # from the picture that is compared with to the last two that are told against
        self._before = self._after = Camera()

    def save_state(self) -> State:
        """Return what it remembers, for a `stylizer.protocols.Resumable`."""
        if self._finder is None:
            return {}
        cameras = [[one.gain, one.shift] for one in (self._before, self._after)]
        moves = self._finder.moves
        return {
            **({} if moves is None else {"moves": np.array(moves)}),
            "key": self._finder.key,
            "motion": self._motion,
            "index": np.array(self._index),
            "cameras": np.array(cameras, complex),
        }

    def load_state(self, state: State) -> None:
        """Remember what another one did; nothing of an empty state."""
        self.reset()
        if state:
            moves = bool(state["moves"]) if "moves" in state else None
            self._finder, self._motion = CameraFinder(state["key"], moves=moves), state["motion"]
            self._index = int(state["index"])
            self._before, self._after = (Camera(*map(complex, one)) for one in state["cameras"])

    def __call__(self, frame: Frame) -> Cameras:
        """Return where the camera looks at the next frame of a shot.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        gray = self._reduce(check_image(frame.image))
        step = self._step(gray)
        before, after = self._before @ step, self._after @ step
        if self._finder is None or frame.index // CYCLE != self._index // CYCLE:
            before, after = after, Camera()
            self._begin(gray, before, after)
        elif _is_far(self._motion, step, gray.shape):
            self._begin(gray, before, after)
        self._index = frame.index
        passed = frame.index % CYCLE / CYCLE
        return (1.0 - passed, before), (passed, after)

    def _step(self, gray: Gray) -> Camera:
        """Return how the camera moved since the picture that is compared with."""
        if self._finder is None:
            return Camera()
        if self._finder.key.shape != gray.shape:
            self._begin(gray, self._before, self._after)
            return Camera()
        motion = self._finder(gray, start=self._motion)
        if farthest(motion - self._motion, gray.shape) >= _STEADY:
            self._motion = motion
        step = _similarity(self._motion, gray.shape)
        if max(abs(step.gain), 1 / abs(step.gain)) > _MOST_ZOOMED:
            self._begin(gray, self._before, self._after)
            return Camera()
        return step

    def _begin(self, gray: Gray, before: Camera, after: Camera) -> None:
        """Compare with this picture from now on."""
        moves = None if self._finder is None else self._finder.moves
        self._finder, self._motion = CameraFinder(gray, moves=moves), np.zeros((2, 3))
        self._before, self._after = before, after

    def _reduce(self, image: Image) -> Gray:
        """Reduce to gray pictures: of what is much larger, not every pixel is read."""
        size = self._size((image.shape[1], image.shape[0]))
        apart = max(1, image.shape[1] // (_DENSER * size[0]))
        if apart > 1:
            coarse = image.shape[1] // apart, max(1, image.shape[0] // apart)
            image = np.asarray(cv2.resize(image, coarse, interpolation=cv2.INTER_NEAREST), np.uint8)
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def follow_camera(stylizer: Stylizer) -> Stylizer:
    """Return a stylizer that is told where the camera looks; itself where it does not ask."""
    following = find(stylizer, CameraStylizer)
    if following is None or not following.follows_camera:
        return stylizer
    return FollowCamera(stylizer)


class FollowCamera(Prepared):
    """Tells a stylizer where the camera looks: `stylizer.frame.Frame.cameras`.

    Attributes:
      on: whether it does; may be changed between frames.
    """

    def __init__(self, stylizer: Stylizer, *, on: bool = True) -> None:
        """Wrap ``stylizer``."""
        super().__init__(stylizer)
        self.on = on
        self._tracker = CameraTracker()

    def reset(self) -> None:
        """Reset the wrapped stylizer, and begin another shot."""
        super().reset()
        self._tracker.reset()

    def save_state(self) -> State:
        """Return what is remembered of the camera, and by the wrapped stylizer."""
        return save_states({"camera": self._tracker, "wrapped": self._stylizer})

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        load_states({"camera": self._tracker, "wrapped": self._stylizer}, state)

    def follow(self, frame: Frame) -> None:
        """Look where the camera looks at a frame that is not painted."""
        if self.on:
            self._tracker(frame)

    def change(self, frame: Frame) -> Frame:
        """Return the frame, told where the camera looks."""
        if not self.on:
            self._tracker.reset()  # by the time it is wanted again all is of long ago
            return frame
        return frame.with_cameras(self._tracker(frame))


def _is_far(motion: Affine, step: Camera, shape: tuple[int, ...]) -> bool:
    """Whether the picture that is compared with is to be replaced by a newer one."""
    zoomed = max(abs(step.gain), 1 / abs(step.gain)) > _ZOOMED
    turned = abs(cmath.phase(step.gain)) > _TURNED
    return zoomed or turned or farthest(motion, shape) > _FAR * max(shape)


def _similarity(motion: Affine, shape: tuple[int, ...]) -> Camera:
    """Return the turn, zoom and shift that are nearest to a motion."""
    height, width = shape[:2]
    (across, shear, _), (turn, down, _) = motion
    x, y = motion @ ((width - 1) / 2, (height - 1) / 2, 1)
    gain = 1 + complex(across + down, turn - shear) / 2
    return Camera(gain, complex(x, y) / width)
