"""A clip whose motion is known: a real photograph moved by a homography, a cut-out before it.

What moves where is set, not estimated, so that optical flow, its reliability and the coherence of a
painted video can be held against the truth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.base import Managed
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.temporal.flow import Flow
from stylizer.temporal.occlusion import Mask

__all__ = ["KnownMotion", "KnownMotionConfig", "Motion"]

Motion = Literal["pan", "zoom", "rotation", "still"]
Matrix = npt.NDArray[np.float64]

_PANNED = 0.008
_ZOOMED = 0.012
_TURNED = math.radians(0.8)
"""A frame's motion at speed 1: as shares of the width, of the size, and in radians."""

_SOFT = 1.0
"""Pixels over which the cut-out's rim fades; the truth has its edge in the middle."""


@dataclass(frozen=True, kw_only=True)
class KnownMotionConfig:
    """What moves, and how fast.

    Attributes:
      motion: of the camera; ``"still"`` for none.
      size: (width, height) in pixels.
      frame_count: how many frames there are, 1 or more.
      speed: of the camera and the cut-out: 1 pans by 0.8 % of the width a frame, zooms in by 1.2 %
        or turns by 0.8 degrees.
      foreground: whether a cut-out moves before the photograph, against the camera.
      noise: standard deviation of the noise of each frame, in gray levels; as a webcam's in a
        room, about 3.
      seed: of the noise.
    """

    motion: Motion = "pan"
    size: tuple[int, int] = (320, 180)
    frame_count: int = 30
    speed: float = 1.0
    foreground: bool = True
    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if self.motion not in get_args(Motion):
            known = ", ".join(get_args(Motion))
            raise ConfigError(f"motion: expected one of {known}, got {self.motion!r}")
        if min(self.size) < 8:
            raise ConfigError(f"size: expected at least 8x8 pixels, got {self.size}")
        if self.frame_count < 1:
            raise ConfigError(f"frame_count: expected 1 or more, got {self.frame_count}")
        for name in ("speed", "noise"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"{name}: expected a number of 0 or more, got {value!r}")


class KnownMotion(Managed):
    """A source of frames, and the truth about them.

    Attributes:
      size: (width, height) in pixels.
      rate: frames a second.
      frame_count: how many frames there are.
    """

    def __init__(
        self, photo: Image, cutout: Image, config: KnownMotionConfig | None = None
    ) -> None:
        """Take the pictures.

        Args:
          photo: the background, uint8 RGB, of any size; mirrored where the camera leaves it.
          cutout: the picture that an ellipse is cut from, uint8 RGB, of any size.
          config: the motion; None for the defaults.

        Raises:
          ConfigError: one of them is no picture.
        """
        config = config or KnownMotionConfig()
        self.size = config.size
        self.rate = Fraction(30)
        self.frame_count = config.frame_count
        self._config = config
        width, height = config.size
        # A quarter more than the frame, so that the camera has room before it meets the mirror.
        self._photo = _cover(check_image(photo, name="photo"), (width * 5 // 4, height * 5 // 4))
        side = max(4, height // 2)
        self._cutout = _cover(check_image(cutout, name="cutout"), (side, side))

    def __iter__(self) -> Iterator[Frame]:
        """Give every frame, the same each time."""
        for index in range(self.frame_count):
            yield Frame(image=self.image(index), index=index, time=float(index / self.rate))

    def image(self, index: int) -> Image:
        """Render a frame: uint8 RGB, (H, W, 3)."""
        picture: npt.NDArray[Any] = _look(self._photo, self._camera(index), self.size)
        if self._config.foreground:
            before = _look(self._cutout, self._pose(index), self.size)
            share = np.clip(self._rim(index) / _SOFT + 0.5, 0, 1)[..., None]
            picture = picture + share * (before - picture)
        if self._config.noise:
            random = np.random.default_rng((self._config.seed, index))
            picture = picture + random.normal(0, self._config.noise, picture.shape)
        return np.ascontiguousarray(np.rint(np.clip(picture, 0, 255)).astype(np.uint8))

    def flow(self, index: int, other: int) -> Flow:
        """Return where each pixel of frame ``index`` lies in frame ``other``: float32 (H, W, 2)."""
        behind = self._moved(self._camera(index), self._camera(other))
        if not self._config.foreground:
            return behind
        before = self._moved(self._pose(index), self._pose(other))
        return np.where(self._covered(index)[..., None], before, behind).astype(np.float32)

    def visible(self, index: int, other: int) -> Mask:
        """Mark the pixels of frame ``index`` that are seen in frame ``other``: bool (H, W)."""
        width, height = self.size
        flow = self.flow(index, other)
        across, down = _grid(self.size) + flow.transpose(2, 0, 1)
        seen = (across >= 0) & (down >= 0) & (across <= width - 1) & (down <= height - 1)
        if not self._config.foreground:
            return np.asarray(seen)
        rim = cv2.remap(
            self._rim(other), across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR
        )
        # Pixels of the soft rim itself are a mixture of both, and belong to neither.
        clear = np.abs(self._rim(index)) > _SOFT
        hidden = ~self._covered(index) & (rim > -_SOFT)
        return np.asarray(seen & clear & ~hidden)

    def _camera(self, index: int) -> Matrix:
        """Map pixels of a frame to pixels of the photograph."""
        width, height = self.size
        middle = (self._photo.shape[1] - width) / 2, (self._photo.shape[0] - height) / 2
        at = index * self._config.speed
        if self._config.motion == "still":
            return _affine(self.size, (1.0, 0.0), middle)
        if self._config.motion == "zoom":
            return _affine(self.size, (math.exp(-_ZOOMED * at), 0.0), middle)
        if self._config.motion == "rotation":
            return _affine(self.size, (1.0, _TURNED * at), middle)
        step = _PANNED * width * at
        return _affine(self.size, (1.0, 0.0), (middle[0] + step, middle[1] + 0.3 * step))

    def _pose(self, index: int) -> Matrix:
        """Map pixels of a frame to pixels of the cut-out, which sways to and fro and turns."""
        width, height = self.size
        side = self._cutout.shape[0]
        at = index * self._config.speed
        x = width * (0.5 + 0.28 * math.sin(at * 0.06 + 0.6))
        y = height * (0.5 + 0.12 * math.sin(at * 0.09))
        shift = side / 2 - x, side / 2 - y
        turn = _affine((side, side), (1.0, 0.15 * math.sin(at * 0.07)), (0.0, 0.0))
        move = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]], [0.0, 0.0, 1.0]])
        return np.asarray(turn @ move)

    def _rim(self, index: int) -> npt.NDArray[np.float32]:
        """Return about how far inside the cut-out each pixel is, in pixels; below 0 outside."""
        side = self._cutout.shape[0]
        across, down = _apply(self._pose(index), _grid(self.size))
        center = (side - 1) / 2
        radii = 0.36 * side, 0.48 * side
        x, y = (across - center) / radii[0], (down - center) / radii[1]
        level = np.sqrt(x * x + y * y)
        steepness = np.sqrt((x / radii[0]) ** 2 + (y / radii[1]) ** 2) / np.maximum(level, 1e-6)
        return np.asarray((1 - level) / np.maximum(steepness, 1e-6), np.float32)

    def _covered(self, index: int) -> Mask:
        return np.asarray(self._rim(index) > 0)

    def _moved(self, here: Matrix, there: Matrix) -> Flow:
        grid = _grid(self.size)
        moved = _apply(np.linalg.inv(there) @ here, grid) - grid
        return np.ascontiguousarray(moved.transpose(1, 2, 0), np.float32)


def _cover(picture: Image, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Resize to cover (width, height), its aspect kept, and cut off what is beyond: float32."""
    width, height = size
    factor = max(width / picture.shape[1], height / picture.shape[0])
    grown = (
        max(width, round(picture.shape[1] * factor)),
        max(height, round(picture.shape[0] * factor)),
    )
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    resized = np.clip(cv2.resize(picture.astype(np.float32), grown, interpolation=how), 0, 255)
    left, top = (grown[0] - width) // 2, (grown[1] - height) // 2
    return np.ascontiguousarray(resized[top : top + height, left : left + width], np.float32)


def _affine(
    size: tuple[int, int], change: tuple[float, float], shift: tuple[float, float]
) -> Matrix:
    """Scale and turn (radians) about the middle of ``size``, then shift."""
    scale, angle = change
    x, y = (size[0] - 1) / 2, (size[1] - 1) / 2
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    return np.array(
        [
            [cosine, -sine, x - cosine * x + sine * y + shift[0]],
            [sine, cosine, y - sine * x - cosine * y + shift[1]],
            [0, 0, 1],
        ]
    )


def _grid(size: tuple[int, int]) -> npt.NDArray[np.float64]:
    grid = np.meshgrid(np.arange(size[0], dtype=float), np.arange(size[1], dtype=float))
    return np.asarray(np.stack(grid))


def _apply(matrix: Matrix, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    across, down, depth = np.tensordot(matrix, np.stack([*points, np.ones_like(points[0])]), 1)
    return np.stack([across / depth, down / depth])


def _look(
    picture: npt.NDArray[np.float32], matrix: Matrix, size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(picture, matrix, size, flags=how, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.float32)
