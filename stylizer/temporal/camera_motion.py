"""The motion of the camera, told from a flow, and put in place of it where it explains as much.

In a sky or on a wall a flow is mostly noise: nothing there holds it. What such pixels do is told by
the rest of the picture: they move with the camera, or, before a camera that stands, not at all.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.temporal.flow import Flow, Gray, pixel_grid, warp

__all__ = ["camera_flow", "prefer_camera"]

_SPACING = 8
_SPREADS = (4.0, 2.0, 1.0, 0.5, 0.25, 0.25)
"""Pixels by which a point may miss the common motion before it counts half, round by round."""

_STILL = 0.15
"""A motion that is nowhere longer, in pixels, is none: picture noise gives as much."""

_TEXTURE = 1.0
_LEAST_WEIGHT = 0.1
"""Squared slope, in (gray levels a pixel)^2, at which a point counts half, and what any counts.
Low, since else a textured thing before a bare wall would pass for the camera's motion."""

_MARGIN = 2.0
"""Gray levels by which the flow must fit better than the camera's motion."""


def camera_flow(flow: Flow, gray: Gray) -> Flow:
    """Fit one affine motion to a flow, by least squares that are reweighted against outliers.

    Points count by the texture under them, and less the more they miss the common motion (Cauchy's
    weights; Black and Anandan 1996 fit motion so).

    Args:
      flow: float32, (H, W, 2).
      gray: the picture that the flow starts from, uint8, (H, W).

    Returns:
      float32, (H, W, 2); zeros when the camera stands.
    """
    height, width = gray.shape
    rows, columns, points = _points(height, width)
    moved = np.asarray(flow[np.ix_(rows, columns)].reshape(-1, 2).T, np.float64)
    texture = _texture(gray[::2, ::2])[np.ix_(rows // 2, columns // 2)].reshape(-1)
    weights = (texture / (texture + _TEXTURE) + _LEAST_WEIGHT).astype(np.float64)
    motion = np.zeros((2, 3))
    motion[:, 0] = _median(moved, weights)
    for spread in _SPREADS:
        misses = np.square(moved - motion @ points).sum(0)
        scaled = points * (weights / (1 + misses / spread**2))
        motion = np.linalg.solve(scaled @ points.T + 1e-6 * np.eye(3), scaled @ moved.T).T
    # The points are in hundreds of pixels, and the 1 that goes with the shift comes last here.
    affine = np.column_stack([motion[:, 1:] / 100.0, motion[:, 0]])
    camera = np.asarray(cv2.transform(pixel_grid(height, width), affine), np.float32)
    corners = camera[:: height - 1 or 1, :: width - 1 or 1]
    if np.square(corners).sum(-1).max() < _STILL**2:
        return np.zeros_like(flow)
    return camera


def prefer_camera(flow: Flow, camera: Flow, gray: Gray, other: Gray) -> Flow:
    """Take the camera's motion wherever the flow does not explain the pictures better.

    Args:
      flow: from ``gray`` to ``other``, float32 (H, W, 2).
      camera: as `camera_flow` gives it.
      gray: uint8, (H, W).
      other: uint8, (H, W).

    Returns:
      float32, (H, W, 2), passing softly from one motion to the other.
    """
    fits, common = (_misfit(gray, other, motion) for motion in (flow, camera))
    share = np.clip((common - fits) / _MARGIN - 1.0, 0.0, 1.0)
    if not share.any():
        return camera
    share = cv2.blur(cv2.dilate(share, _KERNEL), (5, 5)).reshape(gray.shape)
    return np.asarray(cv2.blendLinear(flow, camera, share, 1.0 - share), np.float32)


_KERNEL = np.ones((5, 5), np.uint8)


@lru_cache(maxsize=8)
def _points(
    height: int, width: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return rows, columns, and (1, x, y) of each crossing, (3, N), in hundreds of pixels."""
    rows = np.arange(min(_SPACING, height) // 2, height, _SPACING)
    columns = np.arange(min(_SPACING, width) // 2, width, _SPACING)
    x, y = np.meshgrid(columns / 100.0, rows / 100.0)
    return rows, columns, np.stack([np.ones_like(x), x, y]).reshape(3, -1)


def _median(
    moved: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the weighted median of each component, (2,)."""
    found = []
    for values in moved:
        order = np.argsort(values)
        sums = np.cumsum(weights[order])
        found.append(values[order[np.searchsorted(sums, sums[-1] / 2)]])
    return np.array(found, float)


def _texture(gray: Gray) -> npt.NDArray[np.float32]:
    """Return the squared slope, averaged over 5x5 pixels."""
    across = cv2.Sobel(gray, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(gray, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.asarray(cv2.blur(across * across + down * down, (5, 5)), np.float32)


def _misfit(gray: Gray, other: Gray, flow: Flow) -> npt.NDArray[np.float32]:
    """Return the absolute difference under a motion, averaged over 5x5 pixels: float32 (H, W)."""
    difference = cv2.absdiff(gray, warp(other[..., None], flow)[..., 0])
    return np.asarray(cv2.boxFilter(difference, cv2.CV_32F, (5, 5)), np.float32)
