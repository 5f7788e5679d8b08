"""Smoothing along strokes, as `stylizer.effects.strokes` does it, for the training step.

What is done to paintings in use must be there while a network learns: asked for the style's grain
in paintings that are not smoothed, it draws it as dots along the strokes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from stylizer.effects.strokes import COARSE, FINE, LEAST, REACHES, WEIGHT, WINDOW
from stylizer.tuning.views import LUMA

__all__ = ["smooth_strokes"]

Tensor = Any


def smooth_strokes(paintings: Tensor, share: Tensor) -> Tensor:
    """Average paintings along their strokes; slopes go to the colors, not to the directions.

    Args:
      paintings: float32 RGB 0..255, (N, H, W, 3), both sides even.
      share: (N,), 0 for not at all to 1 for all.

    Returns:
      float32, (N, H, W, 3). Up to rounding, and to what is near the border, where pictures are
      mirrored here, it is what `stylizer.effects.strokes.smooth_strokes` gives.
    """
    across, down = (
        ops.repeat(ops.repeat(one, 2, axis=1), 2, axis=2) for one in _tangents(paintings)
    )
    smoothed = paintings
    for reach in REACHES:
        beside = _beside(smoothed, reach * across, reach * down, farthest=math.ceil(reach))
        smoothed = (smoothed + WEIGHT * beside) / (1.0 + WEIGHT)
    # the painting's coarse part, and more than the smoothed one's fine part
    found = FINE * smoothed - _coarse(FINE * smoothed - paintings)
    return paintings + share[:, None, None, None] * (found - paintings)


def _beside(paintings: Tensor, across: Tensor, down: Tensor, *, farthest: int) -> Tensor:
    """Return the mean of the two pixels that lie so far on either side, read between pixels.

    It is a sum over all places where they may lie: what looks pixels up scatters its slopes.

    Args:
      paintings: (N, H, W, 3).
      across: how far to the right, (N, H, W, 1), up to ``farthest``.
      down: how far down, 0 or more.
      farthest: pixels.
    """
    _, height, width, _ = paintings.shape
    border = ((0, 0), (farthest, farthest), (farthest, farthest), (0, 0))
    padded = ops.pad(paintings, border, mode="symmetric")

    def moved(rows: int, columns: int) -> Tensor:
        top, left = farthest + rows, farthest + columns
        return padded[:, top : top + height, left : left + width]

    near_columns = {
        columns: ops.relu(1.0 - ops.abs(across - columns)) / 2.0
        for columns in range(-farthest, farthest + 1)
    }
    total = 0.0
    for rows in range(farthest + 1):
        near_row = ops.relu(1.0 - ops.abs(down - rows))
        for columns, near_column in near_columns.items():
            # elsewhere nothing is read: lines are no longer than ``farthest``
            if (rows - 1) ** 2 + (abs(columns) - 1) ** 2 <= farthest**2:
                near = near_row * near_column
                total += near * (moved(rows, columns) + moved(-rows, -columns))
    return total


def _coarse(pictures: Tensor) -> Tensor:
    """Return a low-pass of (N, H, W, 3), made at half the size."""
    _, height, width, _ = pictures.shape
    border = ((0, 0), (2, 2), (2, 2), (0, 0))
    half = ops.pad(ops.average_pool(pictures, 2, 2), border, mode="reflect")
    rows = sum(share * half[:, index : index + height // 2] for index, share in enumerate(COARSE))
    both = sum(share * rows[:, :, index : index + width // 2] for index, share in enumerate(COARSE))
    return ops.image.resize(both, (height, width), interpolation="bilinear")


def _tangents(paintings: Tensor) -> tuple[Tensor, Tensor]:
    """Return how strokes run at half the size, each (N, h, w, 1): to the right, and down.

    The second is 0 or more. Of length 1 where all that is around runs alike.
    """
    fixed = ops.stop_gradient(ops.clip(paintings, 0.0, 255.0))
    gray = ops.sum(ops.average_pool(fixed, 2, 2) * np.array(LUMA, np.float32), -1, keepdims=True)
    framed = ops.pad(gray, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    tall = framed[:, :-2] + 2.0 * framed[:, 1:-1] + framed[:, 2:]
    wide = framed[:, :, :-2] + 2.0 * framed[:, :, 1:-1] + framed[:, :, 2:]
    slope_x = (tall[:, :, 2:] - tall[:, :, :-2]) / 8.0
    slope_y = (wide[:, 2:] - wide[:, :-2]) / 8.0
    tensor = ops.concatenate([slope_x * slope_x, slope_y * slope_y, slope_x * slope_y], -1)
    rows, columns = (side // 2 for side in WINDOW)
    border = ((0, 0), (rows, rows), (columns, columns), (0, 0))
    tensor = ops.average_pool(ops.pad(tensor, border, mode="reflect"), WINDOW, 1)
    xx, yy, xy = (tensor[..., index : index + 1] for index in range(3))
    difference, mixed = xx - yy, 2.0 * xy
    length = ops.sqrt(ops.square(difference) + ops.square(mixed) + 1e-9)
    alike = length / (xx + yy + LEAST)
    cosine = difference / length
    across = ops.sqrt(ops.relu(0.5 - 0.5 * cosine)) * alike
    down = ops.sqrt(ops.relu(0.5 + 0.5 * cosine)) * alike
    return ops.where(mixed > 0, -across, across), down
