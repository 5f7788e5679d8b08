"""Where a flow can be relied on: forward-backward consistency, motion boundaries, likeness.

``flow`` leads from the picture at hand to the other one, ``back`` from the other one back (see
`stylizer.temporal.flow`). A mask is of the picture at hand: bool or float32 (H, W).

The two inequalities are those of Ruder et al. 2016 ("Artistic style transfer for videos",
section 4.2), who took them from Sundaram et al. 2010 ("Dense point trajectories by GPU-accelerated
large displacement optical flow"). Their constants are in pixels of the flow as it was estimated, so
give flows of that size, and enlarge the mask.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image
from stylizer.temporal.flow import Flow, warp

__all__ = [
    "Mask",
    "Weights",
    "consistent",
    "in_bounds",
    "motion_boundaries",
    "photometric_consistency",
    "reliable",
]

Mask = npt.NDArray[np.bool_]
Weights = npt.NDArray[np.float32]

_LIKENESS_BLUR = (3, 3)
_EDGE = 0.05
"""Pixels beyond the outermost that are forgiven: the noise of a flow."""


def consistent(flow: Flow, back: Flow) -> Mask:
    """Mark the pixels whose flow there and back ends where it began (Ruder et al. 2016, eq. 5).

    With ``w`` the flow and ``v`` the flow back, read at the flow's end, a pixel is consistent
    unless ``|w + v|^2 > 0.01 (|w|^2 + |v|^2) + 0.5``: else it is not seen in the other picture.

    Args:
      flow: float32, (H, W, 2).
      back: float32, (H, W, 2).

    Returns:
      bool, (H, W).

    Raises:
      ConfigError: the flows are not of one size.
    """
    returned = warp(back, flow)
    lengths = _squares(flow) + _squares(returned)
    return np.asarray(_squares(flow + returned) <= 0.01 * lengths + 0.5)


def motion_boundaries(flow: Flow) -> Mask:
    """Mark the pixels where the flow changes abruptly (Ruder et al. 2016, eq. 6).

    ``|grad u|^2 + |grad v|^2 > 0.01 |w|^2 + 0.002`` with ``w = (u, v)``. Flows are blurred there,
    and mix two motions.

    Args:
      flow: float32, (H, W, 2).

    Returns:
      bool, (H, W).
    """
    slopes = (
        cv2.filter2D(flow, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE)
        for kernel in (_DERIVATIVE, _DERIVATIVE.T)
    )
    steepness = sum(_squares(np.asarray(slope, np.float32)) for slope in slopes)
    return np.asarray(steepness > 0.01 * _squares(flow) + 0.002)


_DERIVATIVE = np.array([[-0.5, 0.0, 0.5]], np.float32)


def reliable(flow: Flow, back: Flow) -> Mask:
    """Mark the pixels that are in the other picture, consistent, and at no motion boundary.

    The product of these is ``c`` of Ruder et al. 2016, eq. 7.

    Args:
      flow: float32, (H, W, 2).
      back: float32, (H, W, 2).

    Returns:
      bool, (H, W).

    Raises:
      ConfigError: the flows are not of one size.
    """
    return np.asarray(consistent(flow, back) & ~motion_boundaries(flow) & in_bounds(flow))


def in_bounds(flow: Flow) -> Mask:
    """Mark the pixels whose flow ends in the picture, between its outermost pixels.

    Args:
      flow: float32, (H, W, 2).

    Returns:
      bool, (H, W).
    """
    height, width, _ = flow.shape
    across = flow[..., 0] + np.arange(width, dtype=np.float32)
    down = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    found = (across >= -_EDGE) & (across <= width - 1 + _EDGE)
    return np.asarray(found & (down >= -_EDGE) & (down <= height - 1 + _EDGE))


def photometric_consistency(image: Image, warped: Image, *, tolerance: float) -> Weights:
    """Say how much each pixel looks like what the flow brought there.

    ``exp(-(d / tolerance)^2)``, with ``d`` the largest difference among the channels of the two
    pictures, each blurred over 3x3 pixels against noise.

    Args:
      image: uint8 RGB, (H, W, 3).
      warped: the other picture, read along the flow; uint8 RGB, (H, W, 3).
      tolerance: in gray levels, above 0.

    Returns:
      float32, (H, W), 0..1.
    """
    first, second = (cv2.blur(picture, _LIKENESS_BLUR) for picture in (image, warped))
    red, green, blue = cv2.split(cv2.absdiff(first, second).reshape(image.shape))
    difference = cv2.max(cv2.max(red, green), blue)
    levels = np.arange(256, dtype=np.float32)
    table = np.exp(-np.square(levels / np.float32(tolerance))).astype(np.float32)
    return np.asarray(cv2.LUT(difference, table), np.float32).reshape(image.shape[:2])


def _squares(flow: Flow) -> npt.NDArray[np.float32]:
    across, down = flow[..., 0], flow[..., 1]
    return np.asarray(across * across + down * down, np.float32)
