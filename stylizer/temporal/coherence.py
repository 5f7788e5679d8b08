"""Coherence for a stylizer that paints each frame by itself: what it painted last moves along.

Where the source says that a pixel shows the same thing as before, the last output, carried along by
the source's motion, is mixed with the new one; elsewhere the new one stands alone. This is the
temporal loss of Ruder et al. 2016 (section 4.2) minimized in closed form, pixel by pixel, with the
stylizer's own picture in the place of content and style; its form is a recursive filter, as of
temporal antialiasing in games (Karis 2014, "High quality temporal supersampling").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

import cv2
import numpy as np

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.protocols import State
from stylizer.temporal.camera_motion import camera_flow, prefer_camera
from stylizer.temporal.flow import Flow, Gray, OpticalFlow, Preset, warp
from stylizer.temporal.mixing import Painted, mix
from stylizer.temporal.occlusion import Weights, in_bounds, photometric_consistency

__all__ = ["Coherence", "CoherenceConfig"]

_MOST = 0.94
"""Share of the last output at full strength; the rest lets changes that the source shows through
within a second."""

_MOVING = 0.62
_MOVES = 0.5
"""Factor of the share where the source moves by so many pixels of the reduced picture or more: to
move a picture is to resample it, which costs fine detail each time, and the eye sees less boil in
what moves. Of pans, zooms and rotations painted by the fast network, 0.39 to 0.48 of the raw
warping error is left so, at 1.08 to 1.37 of the raw style loss: the nearer to the style its frames
are, the more there is to lose. (With a factor of 1, and without the detail that `mix` gives back,
earlier weights left 0.15 to 0.17, at 1.5 to 1.7.)"""


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
    slack: float = 12.0

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


@dataclass(frozen=True, slots=True)
class _Memory:
    """What a frame leaves to the next.

    Attributes:
      shape: of the painting.
      small: the source, reduced: uint8 RGB, (h, w, 3).
      gray: the same in gray, (h, w).
      painted: the output, float32, (H, W, 3), not rounded, so that small changes add up.
    """

    shape: tuple[int, ...]
    small: Image
    gray: Gray
    painted: Painted

    def follows(self, image: Image, small: Image) -> bool:
        """Whether a painting of this size, its source reduced to this one, can go on from it."""
        return self.shape == image.shape and self.small.shape == small.shape


class Coherence:
    """Holds what is painted still; a `stylizer.protocols.Effect`. At strength 0 it does nothing."""

    def __init__(self, config: CoherenceConfig | None = None) -> None:
        """Begin without a memory; None for the default settings."""
        config = config or CoherenceConfig()
        self._settings = config, OpticalFlow(preset=config.preset, max_side=config.max_side)
        self._memory: _Memory | None = None

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
            flow = OpticalFlow(preset=config.preset, max_side=config.max_side)
        self._settings = config, flow

    def reset(self) -> None:
        """Forget all earlier frames."""
        self._memory = None

    def save_state(self) -> State:
        """Return what it remembers, for a `stylizer.protocols.Resumable`."""
        memory = self._memory
        if memory is None:
            return {}
        return {"small": memory.small, "gray": memory.gray, "painted": memory.painted}

    def load_state(self, state: State) -> None:
        """Remember what another one did; nothing of an empty state."""
        if not state:
            self._memory = None
            return
        painted = state["painted"]
        self._memory = _Memory(painted.shape, state["small"], state["gray"], painted)

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting, mixed with the last one where the source shows the same.

        Args:
          source: its motion counts; it may be larger than the painting.
          painted: by itself, without what was painted before.

        Raises:
          ConfigError: one is no uint8 RGB picture.
        """
        image, made = check_image(source.image), check_image(painted.image, name="painted")
        config, finder = self._settings
        memory = self._memory
        if config.strength == 0.0:
            self._memory = None  # by the time it is wanted again it is of long ago
            return painted
        small = _reduce(image, finder.reduced_size(painted.size))
        gray = finder.reduce(small)
        picture = made.astype(np.float32)
        if memory is not None and memory.follows(made, small):
            flow = finder.search(gray, memory.gray)
            flow = prefer_camera(flow, camera_flow(flow, gray), gray, memory.gray)
            share = _share(flow, small, memory.small, config)
            picture = mix(picture, memory.painted, flow, share, slack=config.slack)
            painted = painted.with_image(_to_image(picture))
        self._memory = _Memory(made.shape, small, gray, picture)
        return painted


def _reduce(image: Image, size: tuple[int, int]) -> Image:
    """Reduce to (width, height): by halves first, for which OpenCV has a short way. A copy."""
    small = image
    while min(small.shape[1] / size[0], small.shape[0] / size[1]) >= 2:
        half = small.shape[1] // 2, small.shape[0] // 2
        small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), np.uint8)
    if (small.shape[1], small.shape[0]) != size:
        small = np.asarray(cv2.resize(small, size), np.uint8)
    return image.copy() if small is image else small


def _share(flow: Flow, small: Image, before: Image, config: CoherenceConfig) -> Weights:
    """Return how much of the last output each pixel keeps, float32 (h, w)."""
    same = photometric_consistency(small, warp(before, flow), tolerance=config.tolerance)
    same = same * in_bounds(flow)
    same = np.asarray(cv2.blur(cv2.erode(same, _KERNEL), (3, 3)), np.float32)
    across, down = cv2.split(flow)
    # Not cv2.magnitude, whose last bit depends on where its arrays lie in memory.
    moving = np.minimum(np.sqrt(across * across + down * down) / _MOVES, 1.0)
    kept = same * (1.0 - (1.0 - _MOVING) * moving) * (_MOST * config.strength)
    return np.asarray(kept, np.float32).reshape(small.shape[:2])


_KERNEL = np.ones((3, 3), np.uint8)


def _to_image(painted: Painted) -> Image:
    """Round, and cut off what cannot be shown; OpenCV does so without arrays in between."""
    return np.asarray(cv2.add(painted, np.zeros(4), dtype=cv2.CV_8U), np.uint8)
