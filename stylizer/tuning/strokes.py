"""Smoothing along strokes, as `stylizer.effects.strokes` does it, for the training step.

What is done to paintings in use must be there while a network learns: asked for the style's grain
in paintings that are not smoothed, it draws it as dots along the strokes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from stylizer.effects.strokes import LEAST, REACH, WEIGHT, WINDOW
from stylizer.tuning.views import LUMA

__all__ = ["smooth_strokes"]

Tensor = Any

_FARTHEST = 2
"""Pixels that lie between a pixel and the last one that is read."""


def smooth_strokes(paintings: Tensor, share: Tensor) -> Tensor:
    """Average paintings along their strokes; slopes go to the colors, not to the directions.

    Args:
      paintings: float32 RGB 0..255, (N, H, W, 3), both sides even.
      share: (N,), 0 for not at all to 1 for all.

    Returns:
      float32, (N, H, W, 3). Up to rounding and to the outermost pixels, where pictures are mirrored
      here, it is what `stylizer.effects.strokes.smooth_strokes` gives.
    """
    across, down = (
        REACH * ops.repeat(ops.repeat(one, 2, axis=1), 2, axis=2) for one in _tangents(paintings)
    )
    _, height, width, _ = paintings.shape
    border = ((0, 0), (_FARTHEST, _FARTHEST), (_FARTHEST, _FARTHEST), (0, 0))
    padded = ops.pad(paintings, border, mode="symmetric")

    def moved(rows: int, columns: int) -> Tensor:
        top, left = _FARTHEST + rows, _FARTHEST + columns
        return padded[:, top : top + height, left : left + width]

    beside = 0.0
    for rows in range(_FARTHEST + 1):  # strokes run down: see `_tangents`
        for columns in range(-_FARTHEST, _FARTHEST + 1):
            near = ops.relu(1.0 - ops.abs(down - rows)) * ops.relu(1.0 - ops.abs(across - columns))
            beside += near * (moved(rows, columns) + moved(-rows, -columns)) / 2.0
    weight = WEIGHT * share[:, None, None, None]
    return (paintings + weight * beside) / (1.0 + weight)


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
