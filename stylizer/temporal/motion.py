"""Motion between two frames as painting needs it: a flow, and where it can be relied on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from stylizer.frame import Image
from stylizer.temporal.camera_motion import camera_flow, prefer_camera
from stylizer.temporal.flow import Flow, Gray, OpticalFlow, Preset, resize_flow, warp
from stylizer.temporal.occlusion import (
    Mask,
    consistent,
    in_bounds,
    motion_boundaries,
    photometric_consistency,
)

__all__ = ["Motion", "MotionFinder", "find_flow"]

_TOLERANCE = 24.0
"""Gray levels between source frames at which a pixel no longer passes for the same thing."""


@dataclass(frozen=True, slots=True)
class Motion:
    """From a frame to an earlier one.

    Attributes:
      flow: float32, (H, W, 2).
      seen: bool, (H, W): the pixel's thing is in the earlier frame too.
      reliable: bool, (H, W): seen, and at no motion boundary.
    """

    flow: Flow
    seen: Mask
    reliable: Mask


class MotionFinder:
    """Finds the motion between frames, there and back, at reduced size."""

    def __init__(self, *, preset: Preset = "fast", max_side: int = 320) -> None:
        """Set the quality; see `OpticalFlow`."""
        self._flow, self._back = (OpticalFlow(preset=preset, max_side=max_side) for _ in range(2))

    def __call__(self, image: Image, earlier: Image) -> Motion:
        """Find where each pixel of ``image`` lay in ``earlier``, both uint8 RGB of one size."""
        here, there = self._flow.reduce(image), self._flow.reduce(earlier)
        with ThreadPoolExecutor(1, thread_name_prefix="stylizer-flow") as beside:
            other_way = beside.submit(find_flow, self._back, there, here)
            flow, back = find_flow(self._flow, here, there), other_way.result()
        agrees, smooth = consistent(flow, back) & in_bounds(flow), ~motion_boundaries(flow)
        height, width, _ = image.shape
        size = width, height
        full = resize_flow(flow, size)
        alike = photometric_consistency(image, warp(earlier, full), tolerance=_TOLERANCE)
        seen = _enlarge(agrees, size) & (alike > np.exp(-1.0))
        return Motion(full, seen, seen & _enlarge(smooth, size))


def find_flow(search: OpticalFlow, here: Gray, there: Gray) -> Flow:
    """Return the flow from one picture to another, or the camera's where that explains as much.

    Args:
      search: finds the flow.
      here: uint8, (h, w), as ``search`` reduces pictures.
      there: the other one.

    Returns:
      float32, (h, w, 2), in pixels.
    """
    return prefer_camera(search.search(here, there), camera_flow(here, there), here, there)


def _enlarge(mask: Mask, size: tuple[int, int]) -> Mask:
    grown = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(grown.reshape(size[1], size[0]) > 0)
