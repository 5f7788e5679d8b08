"""What fast networks see in training: crops, and what cameras and codecs do to them.

All of it runs in the training step, on whatever device that runs on; only a few random numbers a
picture are drawn outside. Images are float32 RGB 0..255, (N, H, W, 3).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from stylizer.frame import LUMA

__all__ = [
    "blur",
    "compress",
    "cut",
    "differences",
    "gradients",
    "noise_at",
    "recolor",
    "slice_at",
    "tile",
]

Tensor = Any

_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
_CHROMINANCE = np.full((8, 8), 99, np.float32)
_CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
"""Quantization tables of JPEG (ITU-T T.81, annex K)."""

_TO_YCC = np.array([LUMA, [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_FREQUENCIES = np.array(
    [
        [
            np.sqrt((1 if row == 0 else 2) / 8) * np.cos((2 * column + 1) * row * np.pi / 16)
            for column in range(8)
        ]
        for row in range(8)
    ],
    np.float32,
)


def cut(canvases: Tensor, index: Tensor, window: Tensor, mirrored: Tensor, *, side: int) -> Tensor:
    """Cut squares out of pictures, resized by linear interpolation, over areas where they shrink.

    Args:
      canvases: uint8, (P, S, S, 3).
      index: int32, (N,), of the picture.
      window: float32, (N, 3): top, left and side of the square, in pixels of the canvas.
      mirrored: float32, (N,), 1 for mirrored pictures.
      side: of what comes out, pixels.

    Returns:
      float32, (N, side, side, 3).
    """
    place = (np.arange(side, dtype=np.float32) + 0.5) / side
    across = ops.where(mirrored[:, None] > 0, 1.0 - place[None], place[None])
    cells = np.arange(canvases.shape[1], dtype=np.float32)
    spread = ops.maximum(window[:, 2] / side, 1.0)[:, None, None]

    def hats(places: Tensor) -> Tensor:
        """Return each pixel's share in what comes out: (N, side, S)."""
        places = ops.clip(places, 0.0, float(len(cells) - 1))
        shares = ops.relu(1.0 - ops.abs(places[..., None] - cells) / spread)
        return shares / ops.sum(shares, -1, keepdims=True)

    rows = hats(window[:, 0:1] + place[None] * window[:, 2:3] - 0.5)
    columns = hats(window[:, 1:2] + across * window[:, 2:3] - 0.5)
    picked = ops.cast(ops.take(canvases, index, axis=0), "float32")
    tall = ops.einsum("nyh,nhwc->nywc", rows, picked)
    return ops.einsum("nxw,nywc->nyxc", columns, tall)


def gradients(colors: Tensor, direction: Tensor, *, side: int) -> Tensor:
    """Make smooth skies.

    Args:
      colors: float32, (N, 2, 3), 0..255.
      direction: float32, (N, 3): the gradient's rows and columns, and how much it bends.
      side: pixels.

    Returns:
      float32, (N, side, side, 3), without grain.
    """
    line = np.linspace(-1, 1, side, dtype=np.float32)
    rows, columns = line[None, :, None], line[None, None, :]
    along = direction[:, 0, None, None] * rows + direction[:, 1, None, None] * columns
    place = 1 / (1 + ops.exp(-2 * along - direction[:, 2, None, None] * ops.square(along)))
    low, high = colors[:, 0, None, None], colors[:, 1, None, None]
    return low + (high - low) * place[..., None]


def recolor(images: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """Mix the channels of each picture about its mean: matrix (N, 3, 3), offset (N, 3)."""
    mean = ops.mean(images, (1, 2), keepdims=True)
    mixed = ops.matmul(ops.reshape(images - mean, (images.shape[0], -1, 3)), matrix)
    moved = ops.reshape(mixed, images.shape) + mean + offset[:, None, None]
    return ops.clip(moved, 0.0, 255.0)


def blur(images: Tensor, share: Tensor) -> Tensor:
    """Mix pictures with even sides with themselves at half the size and back: share (N,), 0..1."""
    small = ops.average_pool(images, 2, 2)
    large = ops.repeat(ops.repeat(small, 2, axis=1), 2, axis=2)
    soft = ops.average_pool(
        ops.pad(large, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect"), 3, 1, padding="valid"
    )
    return images + (soft - images) * share[:, None, None, None]


def compress(images: Tensor, quality: Tensor) -> Tensor:
    """Do what JPEG does to pictures, colors at half the size.

    Args:
      images: both sides multiples of 16.
      quality: float32, (N,), 1..100, as libjpeg means it; above 100 for no compression.
    """
    scale = ops.where(quality < 50.0, 50.0 / quality, 2.0 - quality / 50.0)
    planes = ops.matmul(images, _TO_YCC.T)
    light = _quantize(planes[..., :1] - 128.0, _LUMINANCE, scale) + 128.0
    color = _quantize(ops.average_pool(planes[..., 1:], 2, 2), _CHROMINANCE, scale)
    color = ops.repeat(ops.repeat(color, 2, axis=1), 2, axis=2)
    joined = ops.concatenate([light, color], -1)
    found = ops.clip(ops.matmul(joined, np.linalg.inv(_TO_YCC).T.astype(np.float32)), 0.0, 255.0)
    return ops.where((quality <= 100.0)[:, None, None, None], found, images)


def _quantize(planes: Tensor, table: Any, scale: Tensor) -> Tensor:
    count, height, width, channels = planes.shape
    blocks = ops.reshape(planes, (count, height // 8, 8, width // 8, 8, channels))
    blocks = ops.reshape(ops.transpose(blocks, (0, 1, 3, 5, 2, 4)), (count, -1, 8, 8))
    waves = ops.matmul(ops.matmul(_FREQUENCIES, blocks), _FREQUENCIES.T)
    steps = ops.maximum(ops.floor(table[None] * scale[:, None, None] + 0.5), 1.0)[:, None]
    blocks = ops.matmul(ops.matmul(_FREQUENCIES.T, ops.round(waves / steps) * steps), _FREQUENCIES)
    blocks = ops.reshape(blocks, (count, height // 8, width // 8, channels, 8, 8))
    return ops.reshape(ops.transpose(blocks, (0, 1, 4, 2, 5, 3)), planes.shape)


def slice_at(images: Tensor, start: Tensor, side: int, *, count: int | None = None) -> Tensor:
    """Return the squares that begin at the same place (2,) in all pictures, (N, side, side, C).

    Args:
      images: (N, H, W, C).
      start: int32, (2,), row and column.
      side: of the squares.
      count: so many of the pictures, from the first; None for all.
    """
    zero = ops.zeros((1,), "int32")
    place = ops.concatenate([zero, ops.cast(start, "int32"), zero], axis=0)
    return ops.slice(images, place, (count or images.shape[0], side, side, images.shape[-1]))


def differences(images: Tensor, reach: int, *, axis: int) -> Tensor:
    """Return by how much each pixel differs from the one ``reach`` rows or columns before it.

    By `slice`, whose gradient takes TensorFlow on a CPU a fifth of the time of that of indexing.

    Args:
      images: (N, H, W, C).
      reach: in pixels, less than the side.
      axis: 1 for rows, 2 for columns.

    Returns:
      (N, H - reach, W, C) or (N, H, W - reach, C).
    """
    shape, start = list(images.shape), [0, 0, 0, 0]
    shape[axis] -= reach
    start[axis] = reach
    return ops.slice(images, start, shape) - ops.slice(images, [0, 0, 0, 0], shape)


def tile(pattern: Tensor, start: Tensor, *, side: int) -> Tensor:
    """Cut squares out of a pattern that repeats without a seam.

    Args:
      pattern: (P, P, C).
      start: int32, (N, 2), row and column of each square's corner.
      side: of the squares.

    Returns:
      (N, side, side, C).
    """
    period, _, channels = pattern.shape
    rows, columns = ((start[:, axis, None] + np.arange(side)) % period for axis in (0, 1))
    places = rows[:, :, None] * period + columns[:, None, :]
    return ops.take(ops.reshape(pattern, (-1, channels)), places, axis=0)


def noise_at(pattern: Tensor, start: Tensor, place: Tensor, *, side: int) -> Tensor:
    """Cut the noise of a view, which stays with the scene when the view moves.

    Args:
      pattern: (P, P, C), a cell for four pixels, repeating without a seam.
      start: int32, (N, 2), the cell of each scene's corner.
      place: int32, (2,), the view's row and column in the scene, in pixels.
      side: of the view, in cells.

    Returns:
      (N, side, side, C), interpolated linearly.
    """
    whole, part = place // 4, ops.cast(place % 4, "float32") / 4
    grown = tile(pattern, start + whole, side=side + 1)
    tall = grown[:, :-1] + (grown[:, 1:] - grown[:, :-1]) * part[0]
    return tall[:, :, :-1] + (tall[:, :, 1:] - tall[:, :, :-1]) * part[1]
