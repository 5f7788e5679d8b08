"""Coherence for a stylizer that paints each frame by itself: what it painted before moves along.

Where the source shows the same thing as before, the painting is held. What stands is averaged in
time: this is the temporal loss of Ruder et al. 2016 (section 4.2) minimized in closed form, pixel
by pixel, with the stylizer's own picture in the place of content and style; its form is a recursive
filter, as of temporal antialiasing in games (Karis 2014, "High quality temporal supersampling").
What moves would be resampled in each frame by that, and lose its strokes. So it is read from a key
frame, each time anew, for some frames, and then passes to the painting of a new key frame: no pixel
is resampled more than once. Key frames follow each other by the frames' own numbers, and what
stands forgets from frame to frame: wherever one begins, before long it holds the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.protocols import State
from stylizer.temporal.camera_motion import (
    Affine,
    CameraFinder,
    camera_field,
    prefer_camera,
)
from stylizer.temporal.flow import Flow, Gray, OpticalFlow, Preset, pixel_grid
from stylizer.temporal.mixing import Mixer

__all__ = ["Coherence", "CoherenceConfig"]

Bytes = npt.NDArray[np.uint8]

_MOST = 0.94
"""Share of the last output at full strength, where nothing moves; the rest lets changes that the
source shows through within a second."""

_HELD, _PASSING = 4, 4
"""Frames for which what moves is held, and in which it passes to the next key frame."""

_CYCLE = _HELD + _PASSING
"""A frame whose index is a multiple of this is a key frame, so that all who come to it agree."""

_STILL = 0.12
"""Pixels of the reduced picture, across or down; a motion that is no longer is none."""

_STRIDE = 6
"""Pixels between patches that are searched for the flow, but for the most exact: it begins near."""

_LEAST_KEPT = 0.5
"""Share of the key frame that must be in sight; with less another one is taken."""

_SURE = 0.15, 0.45
"""Likeness at which a pixel begins to count as the same, and at which it wholly does. Between the
two, paintings are mixed half and half, which costs their style; so they are near to each other."""


@dataclass(frozen=True, kw_only=True)
class CoherenceConfig:
    """How much of the last output is kept, and where.

    Attributes:
      strength: 0 (each frame by itself: the stylizer's own boil) to 1 (as still as can be).
      preset: of the optical flow.
      max_side: the flow is searched in pictures reduced to this longer side, in pixels, 16 or more.
      tolerance: difference in the source, in gray levels, at which a pixel's past counts for 1/e.
      slack: by how many gray levels the carried picture may differ in color from the new one, over
        8x8 pixels; what is beyond is taken off, so that nothing is left behind a moving thing.
    """

    strength: float = 0.8
    preset: Preset = "fast"
    max_side: int = 256
    tolerance: float = 12.0
    slack: float = 8.0

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if not 0.0 <= self.strength <= 1.0:
            raise ConfigError(f"strength: expected 0..1, got {self.strength!r}")
        if self.preset not in get_args(Preset):
            known = ", ".join(get_args(Preset))
            raise ConfigError(f"preset: expected one of {known}, got {self.preset!r}")
        if self.max_side < 16:
            raise ConfigError(f"max_side: expected 16 or more pixels, got {self.max_side!r}")
        for name in ("tolerance", "slack"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"{name}: expected a number above 0, got {value!r}")


@dataclass(slots=True)
class _Key:
    """The key frame.

    Attributes:
      shape: of the painting.
      small: the source, reduced and blurred: uint8, (h, w, 4), the last channel 255.
      finder: finds how the camera moved since; its key is the source, reduced, uint8 (h, w).
      index: the frame's.
      flow: from the last frame to it, float32 (h, w, 2).
      camera: the camera's motion in the same way.
    """

    shape: tuple[int, ...]
    small: Bytes
    finder: CameraFinder
    index: int
    flow: Flow
    camera: Affine

    @classmethod
    def of(cls, painted: Image, small: Bytes, gray: Gray, index: int) -> _Key:
        """Make a frame the key frame."""
        still = np.zeros((*gray.shape, 2), np.float32)
        return cls(painted.shape, small, CameraFinder(gray), index, still, np.zeros((2, 3)))

    def find(self, gray: Gray, search: OpticalFlow) -> Flow:
        """Return the flow from the picture at hand, uint8 (h, w), to the key frame.

        The camera's motion since the last frame is known before the rest is searched, so that is
        begun from where the last flow is after it.
        """
        key, before = self.finder.key, self.camera
        self.camera = self.finder(gray, start=before)
        field = camera_field(self.camera, gray.shape)
        start = self.flow + camera_field(self.camera - before, gray.shape)
        flow = search.search(gray, key, start=start)
        self.flow = prefer_camera(flow, field, gray, key)
        return self.flow

    def steps(self, index: int) -> int:
        """Return how far a frame is into the time of this key frame, which may begin before it.

        That is over for a frame before it, as a source gives one that begins anew.
        """
        passed = index - self.index // _CYCLE * _CYCLE
        return passed if 0 <= passed < _CYCLE else _CYCLE


class Coherence:
    """Holds what is painted still; a `stylizer.protocols.Effect`. At strength 0 it does nothing."""

    def __init__(self, config: CoherenceConfig | None = None) -> None:
        """Begin without a memory; None for the default settings."""
        config = config or CoherenceConfig()
        self._settings = config, _search(config)
        self._mixer = Mixer()
        self._key: _Key | None = None

    @property
    def config(self) -> CoherenceConfig:
        """The settings."""
        return self._settings[0]

    def configure(self, config: CoherenceConfig) -> None:
        """Go on with other settings from the next frame on; any thread may ask for it.

        What is remembered of earlier frames stays of use, unless ``max_side`` changes.
        """
        before, flow = self._settings
        if (config.preset, config.max_side) != (before.preset, before.max_side):
            flow = _search(config)
        self._settings = config, flow

    def reset(self) -> None:
        """Forget all earlier frames."""
        self._key = None

    def save_state(self) -> State:
        """Return what it remembers, for a `stylizer.protocols.Resumable`."""
        key = self._key
        if key is None:
            return {}
        return {
            **self._mixer.save_state(),
            "small": key.small,
            "gray": key.finder.key,
            "flow": key.flow,
            "camera": key.camera,
            "index": np.array(key.index),
        }

    def load_state(self, state: State) -> None:
        """Remember what another one did; nothing of an empty state."""
        self._key = None
        if state:
            self._mixer.load_state(state)
            self._key = _Key.of(state["key"], state["small"], state["gray"], int(state["index"]))
            self._key.flow = state.get("flow", self._key.flow)
            self._key.camera = state.get("camera", self._key.camera)

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting, mixed with that of the key frame where the source shows the same.

        Args:
          source: its motion counts; it may be larger than the painting.
          painted: by itself, without what was painted before.

        Raises:
          ConfigError: one is no uint8 RGB picture.
        """
        image, made = check_image(source.image), check_image(painted.image, name="painted")
        config, finder = self._settings
        key = self._key
        if config.strength == 0.0:
            self._key = None  # by the time it is wanted again it is of long ago
            return painted
        reduced = _reduce(image, finder.reduced_size(painted.size))
        gray = np.asarray(cv2.cvtColor(reduced, cv2.COLOR_RGB2GRAY), np.uint8)
        small = cv2.blur(cv2.cvtColor(reduced, cv2.COLOR_RGB2RGBA), (3, 3))
        small = np.asarray(small, np.uint8).reshape(*gray.shape, 4)
        if key is None or (key.shape, key.finder.key.shape) != (made.shape, gray.shape):
            self._mixer.set_key(made)
            self._key = _Key.of(made, small, gray, source.index)
            return painted
        flow, steps = key.find(gray, finder), key.steps(source.index)
        stands = _standing(flow)
        share = _share(flow, small, key.small, config.tolerance)
        kept = _weigh(share, stands, config.strength, steps)
        mixed = self._mixer(made, flow, stands, kept, slack=config.slack)
        ends = steps == _CYCLE or share.mean() < _LEAST_KEPT * 255
        if ends or stands.all():
            self._mixer.set_key(made)
            self._key = _Key.of(made, small, gray, source.index)
        # Elsewhere the key frame's source and its painting would no longer show the same.
        same = cv2.min(stands, cv2.threshold(share, 127, 255, cv2.THRESH_BINARY)[1])
        self._mixer.update_key(mixed, np.asarray(same, np.uint8).reshape(gray.shape))
        return painted.with_image(mixed)


def _search(config: CoherenceConfig) -> OpticalFlow:
    stride = None if config.preset == "medium" else _STRIDE
    return OpticalFlow(preset=config.preset, max_side=config.max_side, stride=stride)


def _reduce(image: Image, size: tuple[int, int]) -> Image:
    """Reduce to (width, height): by halves first, for which OpenCV has a short way."""
    small = image
    while min(small.shape[1] / size[0], small.shape[0] / size[1]) >= 2:
        half = small.shape[1] // 2, small.shape[0] // 2
        small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), np.uint8)
    if (small.shape[1], small.shape[0]) != size:
        small = np.asarray(cv2.resize(small, size), np.uint8)
    return small


def _standing(flow: Flow) -> Bytes:
    """Return where nothing moves, uint8 (h, w), 255 for there."""
    stands = cv2.inRange(flow, np.full(2, -_STILL), np.full(2, _STILL))
    return np.asarray(stands, np.uint8).reshape(flow.shape[:2])


def _share(flow: Flow, small: Bytes, before: Bytes, tolerance: float) -> Bytes:
    """Return where the key frame shows the same thing, uint8 (h, w), 255 for surely.

    Pictures are blurred over 3x3 pixels against noise. The likeness of one pixel is
    ``exp(-(d / tolerance)^2)``, with ``d`` the largest difference among the channels. What was read
    beyond the key frame's border is black, its fourth channel too.
    """
    places = flow + pixel_grid(*flow.shape[:2])
    warped = cv2.remap(  # type: ignore[call-overload]  # one array of pairs, so no second one
        before, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    difference = cv2.absdiff(small, warped.reshape(small.shape))
    red, green, blue, inside = cv2.split(difference)
    difference = cv2.dilate(cv2.max(cv2.max(red, green), cv2.max(blue, inside)), _KERNEL)
    likeness = cv2.blur(cv2.LUT(difference, _likeness(tolerance)), (3, 3))
    return np.asarray(cv2.LUT(likeness, _CERTAINTY), np.uint8).reshape(small.shape[:2])


_KERNEL = np.ones((5, 5), np.uint8)
_LEVELS = np.arange(256, dtype=np.float32)
_CERTAINTY = np.rint(
    255 * np.clip((_LEVELS / 255 - _SURE[0]) / (_SURE[1] - _SURE[0]), 0, 1)
).astype(np.uint8)


def _likeness(tolerance: float) -> Bytes:
    """Return the likeness of each difference of 0..255 gray levels, 255 for none."""
    return np.asarray(np.rint(255 * np.exp(-np.square(_LEVELS / tolerance))), np.uint8)


def _weigh(share: Bytes, stands: Bytes, strength: float, steps: int) -> Bytes:
    """Return how much of the key frame is kept, of what shows the same in both.

    Args:
      share: as `_share` gives it.
      stands: where nothing moves, uint8 (h, w), else 0.
      strength: of the settings.
      steps: frames into the key frame's time.

    Returns:
      uint8 (h, w).
    """
    passed = max(0, steps - _HELD) / (_PASSING + 1)
    moving = (1.0 - (1.0 - strength) ** 2) * (1.0 - passed)
    levels = np.arange(256)
    tables = [np.rint(levels * most).astype(np.uint8) for most in (moving, _MOST * strength)]
    kept, standing = (cv2.LUT(share, table) for table in tables)
    return np.asarray(cv2.copyTo(standing, stands, kept), np.uint8)
