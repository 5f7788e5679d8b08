"""Brings the colors that the network gives to paintings in a style nearer to the style's own.

Content and light pull paintings in any style towards the photo's contrast and grays. How far is
seen in a few pictures that are painted in the style. What is amiss of mean and covariance of the
colors is then put right in part by a linear map, which goes into the network's last layer: it costs
nothing a frame, is the same in all frames, and mixes as styles do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image
from stylizer.network.adaptive.dead_leaves import example_pictures
from stylizer.network.inputs import StyleEmbedding

__all__ = ["match_colors"]

Array = npt.NDArray[np.float64]

_SHARE = 0.25
"""Of the whole map: more leaves less of the content than is wanted, and colors of their own to
nothing in a picture that has few."""

_MOST = 2.0
"""By how much contrast is changed at most, in any direction of color."""

_PALETTE, _KERNEL, _TURNED = 12, (3, 3, 24, 12), (12, 24, 3, 3)
"""How many numbers the palette has; the last kernel's shapes, in Keras and in OpenVINO."""

_STYLE_SIDE = 256
"""Short side that the style's colors are measured at, in pixels: less than its grain."""

_FLOOR = 4.0
"""Squared gray levels that are added to variances: rounding has some."""

_HALF = 127.5
"""Gray levels that the network's numbers stand for; 0 is that, too."""


def match_colors(
    embedding: StyleEmbedding,
    style: Image,
    *,
    values: Sequence[npt.NDArray[np.float32]],
    paint: Callable[[Image], Image],
) -> StyleEmbedding:
    """Return a style's embedding, with a change of the last layer in it.

    The map is that of Pitié and Kokaram 2007 ("The linear Monge-Kantorovitch linear colour mapping
    for example-based colour transfer"), a share of it, with bounded gains.

    Args:
      embedding: float32, 1-D, of a style that is not tuned: its code, and a change of the network,
        as `stylizer.network.adaptive.styled.apply_change` has it. The end, of palette and last
        kernel, is 0.
      style: its picture, uint8 RGB (H, W, 3).
      values: what the network makes of it, in any order, as an engine has it. Among them are the
        palette, of 12 numbers, and the last kernel, (3, 3, 24, 12) or (12, 24, 3, 3).
      paint: paints a picture, uint8 RGB (H, W, 3), by it.

    Returns:
      float32, 1-D.
    """
    height, width = style.shape[:2]
    scale = min(1.0, _STYLE_SIDE / min(height, width))
    small = max(1, round(scale * width)), max(1, round(scale * height))
    wanted = cv2.resize(style, small, interpolation=cv2.INTER_AREA)
    painted = np.concatenate([paint(picture) for picture in example_pictures()])
    matrix, offset = _map(painted, np.asarray(wanted, np.uint8))
    # channels are the colors of a tile's pixels, one after the other
    shifts = (matrix.sum(1) - 1) + offset / _HALF
    palette, kernel = _last(values)
    added = palette @ matrix.T + shifts - palette, kernel @ matrix.T - kernel
    change = np.concatenate([numbers.ravel() for numbers in added]).astype(np.float32)
    return np.concatenate([embedding[: -len(change)], change])


def _last(values: Sequence[npt.NDArray[np.float32]]) -> tuple[Array, Array]:
    """Return palette and last kernel, each (N, 3)."""
    palette = next(value for value in values if value.size == _PALETTE)
    kernel = next(value for value in values if value.shape in (_KERNEL, _TURNED))
    if kernel.shape == _TURNED:
        kernel = kernel.transpose(2, 3, 1, 0)
    return palette.reshape(-1, 3).astype(np.float64), kernel.reshape(-1, 3).astype(np.float64)


def _map(painted: Image, wanted: Image) -> tuple[Array, Array]:
    """Return a matrix (3, 3) and an offset (3,) that bring colors nearer to those wanted."""
    (mean, spread), (wanted_mean, wanted_spread) = map(_colors, (painted, wanted))
    root = _root(spread)
    back = np.linalg.inv(root)
    gains, axes = np.linalg.eigh(back @ _root(root @ wanted_spread @ root) @ back)
    gains = 1 + _SHARE * (np.clip(gains, 1 / _MOST, _MOST) - 1)
    matrix = axes * gains @ axes.T
    return matrix, mean + _SHARE * (wanted_mean - mean) - matrix @ mean


def _colors(image: Image) -> tuple[Array, Array]:
    """Return mean, (3,), and covariance, (3, 3)."""
    pixels = image.reshape(-1, 3).astype(np.float64)
    return pixels.mean(0), np.cov(pixels.T) + _FLOOR * np.eye(3)


def _root(values: Array) -> Array:
    """Return the square root of a symmetric matrix that has one."""
    squares, axes = np.linalg.eigh(values)
    return np.asarray(axes * np.sqrt(np.maximum(squares, 0)) @ axes.T)
