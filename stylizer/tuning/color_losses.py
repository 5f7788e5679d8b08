"""Where a painting's light and colors go, how strong and how even: losses without features."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from stylizer.frame import LUMA
from stylizer.tuning.views import differences

__all__ = [
    "color_loss",
    "color_targets",
    "color_transfer_loss",
    "gradient_loss",
    "light_loss",
    "noise_color_loss",
]

Tensor = Any

_PATCH = 8
"""Pixels: strokes are finer."""

_CONTRAST = 8.0
"""Deviation of light and of colors in patches, gray levels."""

_LUMA = np.array(LUMA, np.float32)

_SLICES = np.array(
    [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (1, -1, 0), (1, 0, -1), (0, 1, -1)], np.float32
)
_SLICES /= np.linalg.norm(_SLICES, axis=1, keepdims=True)
"""Directions in RGB along which colors are compared."""

_PLACE = 32
"""Pixels: colors of places of this side are the photo's to choose."""

_AREA = 16
"""Pixels: what is broader follows the colors of the photo."""

_RANGE = 16.0
"""Deviation of colors, gray levels; contents with less are not spread to all of a style's."""

_SPARSE = 3
"""One pixel of so many, on both sides, is looked at for its color; no divisor of the
networks' stride."""

_COLORS = 128**2
"""How many colors of a style are compared with, along each slice."""

_REACHES = (1, 4, 12)
"""Pixels: how far apart colors are whose differences are looked at, along rows and columns."""

_FAINT = 4.0
"""Gray levels: differences count by their logarithm above it, next to nothing below."""

_GRADIENTS = 64**2
"""How many differences of a style are compared with, for each reach and direction."""


def light_loss(painted: Tensor, content: Tensor) -> Tensor:
    """Return how little light and dark of the paintings follow the contents', 0..2.

    One minus the correlation of luma, in means over `_PATCH` pixels on both sides, mean over
    pictures. Features of a loss network say little of it: a face whose hair is lighter than its
    skin has nearly the same, and is not known again. Contents of less contrast than `_CONTRAST`
    count less: a smooth sky may be painted dark or light.

    Args:
      painted: float32 RGB 0..255, (N, H, W, 3).
      content: the same.
    """
    first, second = (
        ops.average_pool(_luma(images), _PATCH, _PATCH) for images in (painted, content)
    )
    return _unlike(first, second)


def _luma(images: Tensor) -> Tensor:
    """Return luma, (N, H, W, 1)."""
    return ops.sum(images * _LUMA, -1, keepdims=True)


def _unlike(found: Tensor, wanted: Tensor) -> Tensor:
    """Return one minus the correlation of patches (N, h, w, C), mean over pictures.

    What is wanted counts less where its deviation is less than `_CONTRAST`.
    """
    first, second = (one - ops.mean(one, (1, 2), keepdims=True) for one in (found, wanted))
    product = ops.sum(first * second, (1, 2, 3))
    sizes = [ops.sum(ops.square(one), (1, 2, 3)) for one in (first, second)]
    count = first.shape[1] * first.shape[2]
    spread = ops.sqrt((sizes[0] + 1.0) * (sizes[1] + count * _CONTRAST**2))
    return ops.mean(1.0 - product / spread)


def color_targets(style: Tensor) -> dict[str, Tensor]:
    """Return what the losses compare: ``colors``, ``mean``, ``covariance`` and ``gradients``.

    Args:
      style: float32 RGB 0..255, (N, H, W, 3), of any size.

    Returns:
      (N, 7, `_COLORS`), sorted, in half ranges; (N, 1, 1, 3) and (N, 3, 3), in gray levels;
      (N, 6, `_GRADIENTS`), sorted, without a unit.
    """
    mean, covariance = _moments(style)
    return {
        "colors": _spread(_sliced(style), _COLORS),
        "mean": mean,
        "covariance": covariance,
        "gradients": ops.stack([_spread(one, _GRADIENTS) for one in _gradients(style)], axis=1),
    }


def color_loss(painted: Tensor, wanted: dict[str, Tensor]) -> Tensor:
    """Return how far the colors of paintings are from those of the styles, in squared half ranges.

    The sliced Wasserstein distance (Rabin et al. 2012, "Wasserstein Barycenter and its Application
    to Texture Mixing"), here along seven directions that stay. Features say little of how strong
    colors are: a pale painting has nearly the same Gram matrices.

    Args:
      painted: float32 RGB 0..255, (N, H, W, 3).
      wanted: `color_targets` of one style for all, or of one for each.
    """
    found = _sliced(painted)
    return ops.mean(ops.square(found - _spread(wanted["colors"], found.shape[-1])))


def _sliced(images: Tensor) -> Tensor:
    """Return colors along `_SLICES`, sorted: (N, slices, pixels), in half ranges."""
    some = _sparse(images) / 127.5
    flat = ops.reshape(some, (some.shape[0], some.shape[1] * some.shape[2], 3))
    return ops.sort(ops.transpose(ops.matmul(flat, _SLICES.T), (0, 2, 1)), axis=-1)


def _sparse(images: Tensor) -> Tensor:
    """Return one pixel of `_SPARSE` on both sides, as indexing does, whose gradient is slow."""
    return ops.average_pool(images, 1, _SPARSE, padding="valid")


def _spread(ordered: Tensor, count: int) -> Tensor:
    """Return so many of the numbers, evenly spread over the last axis."""
    given = ordered.shape[-1]
    places = np.clip(np.rint((np.arange(count) + 0.5) / count * given - 0.5), 0, given - 1)
    return ops.take(ordered, places.astype(np.int32), axis=-1)


def color_transfer_loss(painted: Tensor, content: Tensor, wanted: dict[str, Tensor]) -> Tensor:
    """Return how little local colors follow the content's, brought to the style's, 0..2.

    The content's colors are brought to the style's mean and covariance by the linear map that moves
    them least (Pitie and Kokaram 2007, "The Linear Monge-Kantorovitch Linear Colour Mapping for
    Example-Based Colour Transfer"). One minus the correlation, without light, in means over `_AREA`
    pixels on both sides: what is warm in a photo is then warm in the painting, as far as the style
    has it, where the style's losses alone send colors anywhere. How strong they are, `color_loss`
    says: asked for a distance in place of a correlation, all that is between a style's colors is
    painted gray. It differs from the paper: to the content's covariance that of noise is added
    (`_RANGE`), or an empty sky would get all colors.

    Args:
      painted: float32 RGB 0..255, (N, H, W, 3).
      content: the same.
      wanted: `color_targets` of one style for all, or of one for each.
    """
    moved = _transfer(content, wanted["mean"], wanted["covariance"])
    areas = (ops.average_pool(images, _AREA, _AREA) for images in (painted, moved))
    return _unlike(*(colors - _luma(colors) for colors in areas))


def _transfer(content: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Return the content (N, H, W, 3) with a mean and, nearly, a covariance of colors."""
    center, own = _moments(content)
    noisy = own + _RANGE**2 * np.eye(3, dtype=np.float32)
    half, back = _power(noisy, 0.5), _power(noisy, -0.5)
    middle = _power(ops.matmul(ops.matmul(half, covariance), half), 0.5)
    matrix = ops.matmul(ops.matmul(back, middle), back)
    moved = ops.matmul(content - center, matrix[:, None]) + mean
    return ops.stop_gradient(ops.clip(moved, 0.0, 255.0))


def _moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean color (N, 1, 1, 3) and the covariance of colors (N, 3, 3)."""
    mean = ops.mean(images, (1, 2), keepdims=True)
    count, height, width, _ = images.shape
    off = ops.reshape(images - mean, (count, height * width, 3))
    return mean, ops.matmul(ops.transpose(off, (0, 2, 1)), off) / (height * width)


def _power(matrices: Tensor, exponent: float) -> Tensor:
    """Return powers of symmetric matrices (N, 3, 3) whose eigenvalues are 0 or more."""
    values, vectors = ops.eigh(matrices)
    scaled = vectors * ops.power(ops.maximum(values, 1e-3), exponent)[:, None]
    return ops.matmul(scaled, ops.transpose(vectors, (0, 2, 1)))


def noise_color_loss(first: Tensor, other: Tensor) -> Tensor:
    """Return how much the noise decides where colors go, in squared half ranges.

    The mean squared difference, less that of luma, of means over `_PLACE` pixels on both sides. A
    network that must show a style's rare colors (`color_loss`) otherwise draws clouds of them where
    the noise happens to be high; strokes and swirls are finer.

    Args:
      first: paintings, float32 RGB 0..255, (N, H, W, 3).
      other: paintings of the same pictures with another noise.
    """
    off = (first - other) / 127.5
    return ops.mean(ops.square(ops.average_pool(off - _luma(off), _PLACE, _PLACE)))


def gradient_loss(painted: Tensor, wanted: dict[str, Tensor]) -> Tensor:
    """Return how far paintings are from being as even and as broken as the styles, squared.

    The squared distance between the sorted logarithms of differences of color from pixel to pixel,
    to the fourth and to the twelfth: the distribution of gradients (Cho et al. 2012, "Image
    Restoration by Matching Gradient Distributions"), here of paintings, at three scales. Gram
    matrices are ruled by strong edges: even planes under a faint mesh or in a soft shade have
    nearly the same as planes of one color.

    Args:
      painted: float32 RGB 0..255, (N, H, W, 3), more than 12 pixels on both sides.
      wanted: `color_targets` of one style for all, or of one for each.
    """
    total = 0.0
    found = _gradients(painted)
    for index, one in enumerate(found):
        target = _spread(wanted["gradients"][:, index], one.shape[-1])
        total += ops.mean(ops.square(one - target))
    return total / len(found)


def _gradients(images: Tensor) -> list[Tensor]:
    """Return the sorted logarithms of differences, (N, some) each, by reach and direction."""
    found = []
    for reach in _REACHES:
        for axis in (1, 2):
            off = _sparse(differences(images, reach, axis=axis))
            some = ops.mean(ops.square(off), -1)
            flat = ops.reshape(some, (some.shape[0], some.shape[1] * some.shape[2]))
            found.append(ops.sort(0.5 * ops.log(1.0 + flat / _FAINT**2), axis=-1))
    return found
