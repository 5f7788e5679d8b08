"""`stylizer.io.smoothing.smooth` as a part of a network, for programs that have none of it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from stylizer.io.smoothing import STEP
from stylizer.network.embedded.interpolation import interpolate

__all__ = ["smooth_tensor"]


def smooth_tensor(image: Any, deviation: float) -> Any:
    """Return pictures without their faint details.

    As `stylizer.io.smoothing.smooth`, but that nothing is rounded on the way.

    Args:
      image: RGB 0..255, (N, H, W, 3), symbolic or not; sides multiples of `STEP`, 2 or more of it.
      deviation: as there, in gray levels; 0 returns the pictures themselves.
    """
    if deviation == 0:
        return image
    small = ops.average_pool(image, STEP)
    mean = _windows(small)
    variance = ops.relu(_windows(ops.square(small)) - ops.square(mean))
    share = variance / (variance + deviation**2)
    enlarge = _Enlarge()
    return enlarge(share) * image + enlarge(mean - share * mean)


def _windows(small: Any) -> Any:
    """Return means over 3x3 pixels; beyond the borders pictures are mirrored."""
    padded = ops.pad(small, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="reflect")
    return ops.average_pool(padded, 3, strides=1)


class _Enlarge(keras.layers.Layer):  # type: ignore[misc, unused-ignore]
    """Enlarges by `STEP`, linearly, so that it need not be told the size."""

    def call(self, inputs: Any) -> Any:
        """Interpolate (N, H, W, C) to (N, STEP H, STEP W, C)."""
        offsets = (np.arange(STEP) + 0.5) / STEP - 0.5
        return interpolate(
            inputs, [(max(-at, 0.0), 1 - abs(at), max(at, 0.0)) for at in offsets.tolist()]
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of what comes out."""
        batch, *sides, channels = input_shape
        return batch, *(None if side is None else STEP * side for side in sides), channels
