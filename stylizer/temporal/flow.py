"""Dense optical flow, and pictures carried along by it.

A flow is float32 (H, W, 2): at (y, x) stands the displacement (dx, dy), in pixels, from the pixel
(x, y) of the first picture to where the same thing lies in the second. It is the backward flow that
`warp` reads by: ``warp(second, estimate(first, second))`` looks like ``first``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, TypeVar, get_args

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.errors import ConfigError
from stylizer.frame import Image, check_image

__all__ = [
    "Flow",
    "Gray",
    "Interpolation",
    "OpticalFlow",
    "Preset",
    "outside",
    "pixel_grid",
    "resize_flow",
    "warp",
]

Flow = npt.NDArray[np.float32]
Gray = npt.NDArray[np.uint8]
Interpolation = Literal["linear", "cubic"]
Preset = Literal["ultrafast", "fast", "medium"]
_Pixel = TypeVar("_Pixel", np.uint8, np.float32)

_PRESETS = {
    "ultrafast": (cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST, 2, 12, 0),
    "fast": (cv2.DISOPTICAL_FLOW_PRESET_FAST, 1, 8, 0),
    "medium": (cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, 1, 25, 5),
}
"""OpenCV's preset, the finest scale searched, 1 for a half, rounds of the search, and rounds of
variational refinement. OpenCV's own FAST ends at 2, which of pictures that are reduced already is
too coarse: of a known motion it left twice the error. Its 16 rounds of search and 5 of refinement
take twice as long, and with the camera's motion in its place leave nine tenths of the error."""
_INTERPOLATIONS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
_LEAST_SIDE = 64
"""Below it DIS has no room for its pyramid of 8x8 patches; smaller pictures are padded."""


class OpticalFlow:
    """Dense inverse search (Kroeger et al. 2016), by OpenCV, at reduced size."""

    def __init__(
        self, *, preset: Preset = "fast", max_side: int = 320, stride: int | None = None
    ) -> None:
        """Set the quality.

        Args:
          preset: from the quickest to the most exact.
          max_side: pictures whose longer side is larger are reduced to it, in pixels, 16 or more.
          stride: pixels from one 8x8 patch that is searched to the next; None for the preset's, 3
            or 4. Where the search begins near the truth, a wider one does as well.

        Raises:
          ConfigError: no such preset, or a side that is too small.
        """
        if preset not in get_args(Preset):
            raise ConfigError(
                f"preset: expected one of {', '.join(get_args(Preset))}, got {preset!r}"
            )
        if max_side < 16:
            raise ConfigError(f"max_side: expected 16 or more pixels, got {max_side}")
        kind, finest, steps, rounds = _PRESETS[preset]
        self._search = cv2.DISOpticalFlow.create(kind)
        self._search.setFinestScale(finest)
        if stride is not None:
            self._search.setPatchStride(stride)
        self._search.setGradientDescentIterations(steps)
        self._search.setVariationalRefinementIterations(rounds)
        self._max_side = max_side

    def estimate(self, from_image: Image, to_image: Image) -> Flow:
        """Find where each pixel of ``from_image`` lies in ``to_image``.

        Args:
          from_image: uint8 RGB, (H, W, 3).
          to_image: uint8 RGB, (H, W, 3).

        Returns:
          float32, (H, W, 2): dx, dy in pixels of the pictures as given.

        Raises:
          ConfigError: not pictures, or not of one size.
        """
        check_image(from_image, name="from_image")
        check_image(to_image, name="to_image")
        if from_image.shape != to_image.shape:
            raise ConfigError(
                f"flow: expected pictures of one size, got {from_image.shape} and {to_image.shape}"
            )
        height, width, _ = from_image.shape
        flow = self.search(self.reduce(from_image), self.reduce(to_image))
        return resize_flow(flow, (width, height))

    def reduce(self, image: Image) -> Gray:
        """Make a picture ready for `search`: gray, its longer side at most ``max_side``.

        Args:
          image: uint8 RGB, (H, W, 3).

        Returns:
          uint8, (h, w).
        """
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        width, height = self.reduced_size((gray.shape[1], gray.shape[0]))
        if (width, height) != (gray.shape[1], gray.shape[0]):
            gray = cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(gray, np.uint8)

    def reduced_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the (width, height) to which `reduce` brings a picture of ``size``."""
        factor = min(1.0, self._max_side / max(size))
        return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))

    def search(self, from_gray: Gray, to_gray: Gray, *, start: Flow | None = None) -> Flow:
        """Find the flow between two pictures that `reduce` gave, so that neither is reduced twice.

        Args:
          from_gray: uint8, (h, w).
          to_gray: uint8, (h, w).
          start: about what is expected, of their size; None for no motion.

        Returns:
          float32, (h, w, 2), in pixels of the reduced pictures; see `resize_flow`.
        """
        height, width = from_gray.shape
        grow = (0, max(0, _LEAST_SIDE - height)), (0, max(0, _LEAST_SIDE - width))
        # OpenCV writes the flow over the one to start from; given none, it takes that of the last
        # search (tried: 5.0).
        flow = np.zeros((height, width, 2), np.float32) if start is None else start.copy()
        if any(after for _, after in grow):
            from_gray, to_gray = (np.pad(gray, grow, mode="edge") for gray in (from_gray, to_gray))
            flow = np.pad(flow, (*grow, (0, 0)), mode="edge")
        flow = np.asarray(self._search.calc(from_gray, to_gray, flow), np.float32)
        return np.ascontiguousarray(flow[:height, :width], np.float32)


def resize_flow(flow: Flow, size: tuple[int, int]) -> Flow:
    """Bring a flow to another size, and its displacements to pixels of that size.

    Args:
      flow: float32, (h, w, 2).
      size: (width, height) in pixels.

    Returns:
      float32, (H, W, 2); the flow itself where it has that size.
    """
    height, width, _ = flow.shape
    if (width, height) == size:
        return flow
    scale = np.array([size[0] / width, size[1] / height], np.float32)
    return np.asarray(cv2.resize(flow * scale, size), np.float32).reshape(size[1], size[0], 2)


def warp(
    picture: npt.NDArray[_Pixel], flow: Flow, *, interpolation: Interpolation = "linear"
) -> npt.NDArray[_Pixel]:
    """Read a picture along a flow: ``result[y, x] = picture[y + dy, x + dx]``.

    What lies beyond the border is the nearest pixel at the border; see `outside`.

    Args:
      picture: uint8 or float32, (H, W, C), C at most 4.
      flow: float32, (H, W, 2), in pixels.
      interpolation: between pixels. ``"cubic"`` keeps more of fine detail, may overshoot at edges,
        and takes about three times as long.

    Returns:
      Of the picture's dtype and shape.

    Raises:
      ConfigError: the flow is not of the picture's size.
    """
    _check_flow(flow)
    if flow.shape[:2] != picture.shape[:2]:
        raise ConfigError(
            f"warp: expected a flow of size {picture.shape[:2]}, got {flow.shape[:2]}"
        )
    how = _INTERPOLATIONS[interpolation]
    warped = cv2.remap(  # type: ignore[call-overload]  # one array of pairs, so no second one
        picture, _positions(flow), None, how, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, picture.dtype).reshape(picture.shape)


@lru_cache(maxsize=8)
def pixel_grid(height: int, width: int) -> Flow:
    """Return x and y of every pixel, float32 (height, width, 2); one array for all, to be read."""
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    grid = np.stack([across, down], axis=-1).astype(np.float32)
    grid.flags.writeable = False
    return grid


def outside(flow: Flow) -> npt.NDArray[np.bool_]:
    """Mark where `warp` would read more than half a pixel beyond the border.

    Args:
      flow: float32, (H, W, 2), in pixels.

    Returns:
      bool, (H, W).
    """
    _check_flow(flow)
    height, width, _ = flow.shape
    across, down = np.moveaxis(_positions(flow), -1, 0)
    return np.asarray(
        (across < -0.5) | (down < -0.5) | (across > width - 0.5) | (down > height - 0.5)
    )


def _check_flow(flow: Flow) -> None:
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise ConfigError(f"flow: expected shape (H, W, 2), got {flow.shape}")


def _positions(flow: Flow) -> Flow:
    """Return where each pixel is read: x and y, float32 (H, W, 2)."""
    return np.asarray(flow + pixel_grid(*flow.shape[:2]), np.float32)
