"""A new picture mixed with the last one, so that neither color nor contrast is lost by it.

A picture is float32 (H, W, 3), 0..255.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.temporal.flow import Flow, resize_flow, warp
from stylizer.temporal.occlusion import Weights

__all__ = ["Painted", "mix"]

Painted = npt.NDArray[np.float32]

_COARSE = 8
"""Pixels of the output that one of the coarse picture stands for."""

_MOST_GAIN = 2.0
_LEAST_VARIANCE = 1.0
"""Bounds of the fine detail that is given back: a factor a frame, and squared gray levels below
which there is none to give back."""


def mix(fresh: Painted, last: Painted, flow: Flow, share: Weights, *, slack: float) -> Painted:
    """Return the mixture of the new picture and the last one carried along.

    Args:
      fresh: the new picture, float32 (H, W, 3), 0..255.
      last: the one before, of the same size.
      flow: from the new one to the last one, float32 (h, w, 2), at reduced size.
      share: how much of the last one each pixel keeps, float32 (h, w), 0..1.
      slack: by how many gray levels colors of the last one may differ, over 8x8 pixels.

    Returns:
      float32, (H, W, 3); a little beyond 0..255 at places.
    """
    height, width, _ = fresh.shape
    share = np.asarray(cv2.resize(share, (width, height)), np.float32)
    carried = _carry(last, resize_flow(flow, (width, height)))
    _pull(carried, _shrink(fresh), slack=slack)
    # Written in place: a large new array costs as much as the work on it.
    cv2.blendLinear(carried, fresh, share, 1.0 - share, carried)
    _restore(carried, fresh)
    return carried


def _carry(painted: Painted, flow: Flow) -> Painted:
    """Move a picture along; where nothing moves at all it is not resampled."""
    if not flow.any():
        return painted.copy()
    return warp(painted, flow, interpolation="cubic")


def _pull(carried: Painted, coarse: Painted, *, slack: float) -> None:
    """Bring colors, averaged over a few pixels, to within ``slack`` of the new picture's."""
    gap = coarse - _shrink(carried)
    beyond = gap - np.clip(gap, -slack, slack)
    if beyond.any():
        cv2.add(carried, _grow(beyond, carried.shape), carried)


def _restore(mixed: Painted, fresh: Painted) -> None:
    """Give back the contrast of fine detail that mixing and resampling took.

    Mixing two pictures whose details differ lowers their variance; the remedy is that of Heitz and
    Neyret 2018 ("High-performance by-example noise using a histogram-preserving blending operator",
    section 4): deviations from the mean are scaled. Here the mean is taken over 3x3 pixels, since
    the finest detail suffers most, and the variance aimed at is the new picture's, over 8x8.
    """
    variance, wanted = _fine_variance(mixed), _fine_variance(fresh)
    gain = np.sqrt((wanted + _LEAST_VARIANCE) / (variance + _LEAST_VARIANCE))
    gain = np.clip(gain, 1.0, _MOST_GAIN)
    if gain.max() < 1.01:
        return
    gain = _grow(gain[..., None], mixed.shape[:2])
    cv2.blendLinear(mixed, cv2.blur(mixed, _FINE), gain, 1.0 - gain, mixed)


_FINE = (3, 3)


def _fine_variance(painted: Painted) -> Painted:
    """Return the mean square of the brightness less its mean over 3x3 pixels, float32 (h, w)."""
    gray = np.asarray(cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY), np.float32)
    fine = gray - cv2.blur(gray, _FINE)
    return _shrink(fine * fine)


def _shrink(picture: Painted) -> Painted:
    """Average over 8x8 pixels."""
    height, width = picture.shape[:2]
    size = max(1, round(width / _COARSE)), max(1, round(height / _COARSE))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(size[1], size[0], *picture.shape[2:])


def _grow(coarse: Painted, shape: tuple[int, ...]) -> Painted:
    grown = cv2.resize(coarse, (shape[1], shape[0]))
    return np.asarray(grown, np.float32).reshape(shape)
