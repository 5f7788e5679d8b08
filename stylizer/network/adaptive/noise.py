"""The smooth noise that goes into the adaptive network beside the frame.

Importing this imports neither Keras nor OpenVINO.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

__all__ = ["NOISE_CHANNELS", "NOISE_STRIDE", "make_noise", "noise_map"]

NOISE_CHANNELS = 4
"""Channels of the noise, from fine to coarse."""

NOISE_STRIDE = 4
"""Pixels of the frame, on both sides, for one cell of noise."""

_GRAINS = (0.7, 1.4, 2.8, 5.6)


def make_noise(*, side: int = 512, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return a tile of smooth noise that repeats without a seam.

    Args:
      side: both sides, in cells.
      seed: of the noise; the network is made for any.

    Returns:
      float32, (side, side, NOISE_CHANNELS): mean 0, deviation 1, smoothed by Gaussians of
      `_GRAINS` cells.
    """
    random = np.random.default_rng(seed)
    frequencies = np.fft.fftfreq(side)
    squared = frequencies[:, None] ** 2 + frequencies[None] ** 2
    channels = []
    for grain in _GRAINS:
        white = np.fft.fft2(random.standard_normal((side, side)))
        smooth = np.fft.ifft2(white * np.exp(-2 * (np.pi * grain) ** 2 * squared)).real
        channels.append((smooth - smooth.mean()) / smooth.std())
    return np.stack(channels, axis=-1).astype(np.float32)


def noise_map(height: int, width: int) -> npt.NDArray[np.float32]:
    """Return the noise for pictures of a size: one tile from the top left, over and over.

    Args:
      height: of the pictures, in pixels, a multiple of `NOISE_STRIDE`.
      width: likewise.

    Returns:
      float32, (1, height / NOISE_STRIDE, width / NOISE_STRIDE, NOISE_CHANNELS).
    """
    tile = _tile()
    rows, columns = (np.arange(side // NOISE_STRIDE) % len(tile) for side in (height, width))
    return tile[None, rows[:, None], columns]


@functools.cache
def _tile() -> npt.NDArray[np.float32]:
    return make_noise()
