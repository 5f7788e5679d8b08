"""Features enlarged by reading between pixels; also of sizes that are not known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

__all__ = ["interpolate"]

Tensor = Any
Weights = tuple[float, float, float]


def interpolate(features: Tensor, weights: Sequence[Weights]) -> Tensor:
    """Enlarge features by a whole number, corners of pixels aligned as areas are.

    Args:
      features: (N, H, W, C).
      weights: for each pixel that comes out of one, those of the pixel before, of its own and of
        the one behind. Beyond a border there is the pixel at the border.

    Returns:
      (N, K H, K W, C) for K weights.
    """
    for axis in (1, 2):
        first = ops.take(features, np.array([0]), axis=axis)
        last = ops.take(features, np.array([-1]), axis=axis)
        count = features.shape[axis] or ops.shape(features)[axis]
        before = ops.concatenate([first, _cut(features, axis, 0, count - 1)], axis)
        behind = ops.concatenate([_cut(features, axis, 1, count), last], axis)
        lines = [own * features + near * before + far * behind for near, own, far in weights]
        shape = list(ops.shape(features))
        shape[axis] = len(lines) * count
        features = ops.reshape(ops.stack(lines, axis + 1), shape)
    return features


def _cut(features: Tensor, axis: int, start: Any, stop: Any) -> Tensor:
    shape = list(features.shape)
    if None not in shape:  # its gradient takes TensorFlow on a CPU a fifth of the time
        shape[axis] = stop - start
        return ops.slice(features, [start if axis == each else 0 for each in range(4)], shape)
    return features[:, start:stop] if axis == 1 else features[:, :, start:stop]
