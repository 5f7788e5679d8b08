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
import numpy.typing as npt

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.protocols import Stylizer
from stylizer.temporal.camera_motion import camera_flow, prefer_camera
from stylizer.temporal.flow import Flow, Gray, OpticalFlow, Preset, resize_flow, warp
from stylizer.temporal.occlusion import Weights, inside, likeness
from stylizer.wrapper import WrappedStylizer

__all__ = ["CoherenceConfig", "Coherent"]

Painted = npt.NDArray[np.float32]

_MOST = 0.94
"""Share of the last output at full strength; the rest lets changes that the source shows through
within a second."""

_COARSE = 8
"""Pixels of the output that one of the coarse picture stands for."""

_MOST_GAIN = 1.3
_LEAST_VARIANCE = 4.0
"""Bounds of the contrast that is given back: a factor a frame, and squared gray levels below which
there is none to give back."""


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
      shape: of the frame.
      small: the source, reduced: uint8 RGB, (h, w, 3).
      gray: the same in gray, (h, w).
      painted: the output, float32, (H, W, 3), not rounded, so that small changes add up.
    """

    shape: tuple[int, ...]
    small: Image
    gray: Gray
    painted: Painted


class Coherent(WrappedStylizer):
    """Wraps a stylizer; itself one. With strength 0 it hands on what the stylizer gives."""

    def __init__(self, stylizer: Stylizer, config: CoherenceConfig | None = None) -> None:
        """Wrap ``stylizer``; None for the default settings."""
        super().__init__(stylizer)
        self._config = config or CoherenceConfig()
        self._flow = OpticalFlow(preset=self._config.preset, max_side=self._config.max_side)
        self._memory: _Memory | None = None

    def reset(self) -> None:
        """Forget all earlier frames; the stylizer's too."""
        self._memory = None
        super().reset()

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame: same size, index and time.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        image = check_image(frame.image)
        if self._config.strength == 0.0:
            return self._stylizer(frame)
        small, gray = self._reduce(image)
        result = self._stylizer(frame)
        painted = result.image.astype(np.float32)
        memory = self._memory
        if memory is not None and memory.shape == image.shape:
            painted = self._mix(painted, small, gray, memory)
            result = result.with_image(_to_image(painted))
        self._memory = _Memory(image.shape, small, gray, painted)
        return result

    def _reduce(self, image: Image) -> tuple[Image, Gray]:
        size = self._flow.reduced_size((image.shape[1], image.shape[0]))
        if size == (image.shape[1], image.shape[0]):
            small = image.copy()
        else:
            small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return small, self._flow.reduce(small)

    def _mix(self, fresh: Painted, small: Image, gray: Gray, memory: _Memory) -> Painted:
        """Return the mixture of the new picture and the last output carried along."""
        flow = self._flow.search(gray, memory.gray)
        flow = prefer_camera(flow, camera_flow(flow, gray), gray, memory.gray)
        share = self._share(flow, small, memory.small)
        height, width, _ = fresh.shape
        share = np.asarray(cv2.resize(share, (width, height)), np.float32)
        carried = _carry(memory.painted, resize_flow(flow, (width, height)))
        coarse = _shrink(fresh)
        carried = _pull(carried, coarse, slack=self._config.slack)
        mixed = cv2.blendLinear(carried, fresh, share, 1.0 - share)
        return _restore(np.asarray(mixed, np.float32), fresh)

    def _share(self, flow: Flow, small: Image, before: Image) -> Weights:
        """Return how much of the last output each pixel keeps, float32 (h, w)."""
        same = likeness(small, warp(before, flow), tolerance=self._config.tolerance) * inside(flow)
        same = np.asarray(cv2.blur(cv2.erode(same, _KERNEL), (3, 3)), np.float32)
        same = same.reshape(small.shape[:2])
        return np.asarray(same * np.float32(_MOST * self._config.strength), np.float32)


_KERNEL = np.ones((3, 3), np.uint8)


def _carry(painted: Painted, flow: Flow) -> Painted:
    """Move a picture along; where nothing moves at all it is not resampled."""
    if not flow.any():
        return painted
    return warp(painted, flow, interpolation="cubic")


def _pull(carried: Painted, coarse: Painted, *, slack: float) -> Painted:
    """Bring colors, averaged over a few pixels, to within ``slack`` of the new picture's."""
    gap = coarse - _shrink(carried)
    beyond = gap - np.clip(gap, -slack, slack)
    if not beyond.any():
        return carried
    return np.asarray(cv2.add(carried, _grow(beyond, carried.shape)), np.float32)


def _restore(mixed: Painted, fresh: Painted) -> Painted:
    """Give back the contrast of fine detail that mixing and resampling took.

    Mixing two pictures whose details differ lowers their variance; the remedy is that of Heitz and
    Neyret 2018 ("High-performance by-example noise using a histogram-preserving blending operator",
    section 4): deviations from the mean are scaled. Here the mean is taken over 8x8 pixels, and the
    variance aimed at is the new picture's.
    """
    variance, wanted = _variance(mixed), _variance(fresh)
    gain = np.sqrt((wanted + _LEAST_VARIANCE) / (variance + _LEAST_VARIANCE))
    gain = np.clip(gain, 1.0, _MOST_GAIN)
    if gain.max() < 1.01:
        return mixed
    gain = _grow(gain[..., None], mixed.shape[:2])
    colors = _grow(_shrink(mixed), mixed.shape)
    return np.asarray(cv2.blendLinear(mixed, colors, gain, 1.0 - gain), np.float32)


def _variance(painted: Painted) -> Painted:
    """Return the variance of the brightness over 8x8 pixels, float32 (h, w)."""
    gray = np.asarray(cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY), np.float32)
    mean = _shrink(gray)
    return np.maximum(_shrink(gray * gray) - mean * mean, 0.0)


def _shrink(picture: Painted) -> Painted:
    """Average over 8x8 pixels."""
    height, width = picture.shape[:2]
    size = max(1, round(width / _COARSE)), max(1, round(height / _COARSE))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(size[1], size[0], *picture.shape[2:])


def _grow(coarse: Painted, shape: tuple[int, ...]) -> Painted:
    grown = cv2.resize(coarse, (shape[1], shape[0]))
    return np.asarray(grown, np.float32).reshape(shape)


def _to_image(painted: Painted) -> Image:
    rounded = np.rint(np.clip(painted, 0, 255)).astype(np.uint8)
    return np.ascontiguousarray(rounded)
