"""The losses of neural style transfer, as pure functions.

Feature maps are (N, H, W, C), Gram matrices (N, C, C), images (N, H, W, 3) in 0..255; all float32.
Every loss is a scalar. They are written in `keras.ops` and so run, and have gradients, under
TensorFlow, JAX and PyTorch alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keras import ops

from stylizer.perceptual.types import Reduction

__all__ = [
    "SMALLEST_ENERGY",
    "Tensor",
    "content_loss",
    "gram_matrix",
    "guided_gram_matrices",
    "relative_content_loss",
    "relative_style_loss",
    "style_loss",
    "temporal_loss",
    "total_variation",
    "weighted_sum",
]

Tensor = Any
"""A tensor of the backend in use; NumPy arrays are taken too."""

_SMALLEST_DIFFERENCE = 1e-6
"""Keeps the gradient of a power finite where the picture is flat, in gray levels²."""

SMALLEST_ENERGY = 1e-6
"""Keeps the relative losses finite for a target of zeros (a black picture)."""


def content_loss(features: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Mean squared difference of two feature maps (Gatys et al. 2016, eq. 1).

    ``mean((features - target)²)``. Differs from the paper: the mean in place of half the sum, so
    that the loss does not depend on the image's size.

    Args:
      features: float32, (N, H, W, C).
      target: float32, (N, H, W, C).
      reduction: ``"sum"`` for the sum of squares, twice the paper's loss.

    Returns:
      float32 scalar, 0 or more.
    """
    return _reduce(ops.square(features - target), reduction)


def gram_matrix(features: Tensor) -> Tensor:
    """Channel correlations of a feature map (Gatys et al. 2016, eq. 3).

    ``G[i, j] = sum over pixels(F[i] F[j]) / (H W)``. Differs from the paper: divided by H*W, so
    that the matrix does not depend on the image's size.

    Args:
      features: float32, (N, H, W, C).

    Returns:
      float32, (N, C, C).

    Raises:
      ValueError: features is not of rank 4.
    """
    if len(features.shape) != 4:
        raise ValueError(f"features: expected (N, H, W, C), got {tuple(features.shape)}")
    count, height, width, channels = features.shape
    flat = ops.reshape(features, (count, height * width, channels))
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / (height * width)


def guided_gram_matrices(features: Tensor, guides: Tensor) -> Tensor:
    """Channel correlations within parts of a feature map (Gatys et al. 2017, eq. 3 and 4).

    ``G_r[i, j] = sum over pixels(T_r F[i] F[j]) / (H W)``, with guides of mean 1; a guide of ones
    gives `gram_matrix`. The paper multiplies features by guidance channels whose squares have the
    sum 1: those channels are the roots of these guides, but for the factor.

    Args:
      features: float32, (1, H, W, C).
      guides: float32, (P, H, W), 0 or more, the mean of each 1, or 0 for a part that is nowhere.

    Returns:
      float32, (P, C, C).
    """
    _, height, width, channels = features.shape
    parts, pixels = guides.shape[0], height * width
    flat = ops.reshape(features, (1, pixels, channels))
    weighted = flat * ops.reshape(guides, (parts, pixels, 1))
    return ops.matmul(ops.transpose(weighted, (0, 2, 1)), flat) / pixels


def style_loss(gram: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of two Gram matrices (Gatys et al. 2016, eq. 4).

    ``mean((gram - target)²)``. With Gram matrices divided by H*W, as `gram_matrix` gives them, the
    paper's ``E = sum(...) / (4 N² M²)`` is a quarter of this.

    Args:
      gram: float32, (N, C, C).
      target: float32, (N, C, C).

    Returns:
      float32 scalar, 0 or more.
    """
    return ops.mean(ops.square(gram - target))


def total_variation(
    images: Tensor, *, exponent: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    """Squared differences of neighboring pixels (Mahendran and Vedaldi 2015, eq. 3, beta = 2).

    ``mean(dy²) + mean(dx²)``, in gray levels², each over its own pairs of pixels. Differs from the
    paper: means in place of sums, so that the loss does not depend on the image's size. The squared
    form is smooth at 0, where the absolute form of Rudin et al. (1992) is not. An axis of one pixel
    has no neighbors and adds nothing.

    Args:
      images: float32, (N, H, W, 3), 0..255.
      exponent: other than 1, the loss is ``mean((dy² + dx²) ** exponent)`` over the pixels that
        have both neighbors (the paper's beta / 2).
      reduction: ``"sum"`` for sums in place of means.

    Returns:
      float32 scalar, 0 or more.
    """
    down = ops.square(images[:, 1:] - images[:, :-1])
    right = ops.square(images[:, :, 1:] - images[:, :, :-1])
    if exponent != 1.0:
        squares = down[:, :, :-1] + right[:, :-1]
        squares = ops.maximum(squares, _SMALLEST_DIFFERENCE)
        return _reduce(ops.power(squares, exponent), reduction)
    return _reduce(down, reduction) + _reduce(right, reduction)


def relative_content_loss(features: Tensor, target: Tensor) -> Tensor:
    """`content_loss` divided by the target's energy, ``mean(target²)``.

    0 for equal features, 1 for features of zeros; does not depend on the scale of a layer.

    Args:
      features: float32, (N, H, W, C).
      target: float32, (N, H, W, C).

    Returns:
      float32 scalar, 0 or more.
    """
    return content_loss(features, target) / _energy(target)


def relative_style_loss(gram: Tensor, target: Tensor) -> Tensor:
    """`style_loss` divided by the target's energy, ``mean(target²)``.

    0 for equal Gram matrices, 1 for a matrix of zeros; does not depend on the scale of a layer.

    Args:
      gram: float32, (N, C, C).
      target: float32, (N, C, C).

    Returns:
      float32 scalar, 0 or more.
    """
    return style_loss(gram, target) / _energy(target)


def temporal_loss(
    images: Tensor, target: Tensor, weights: Tensor, *, reduction: Reduction = "mean"
) -> Tensor:
    """Squared differences from the frame before, carried along (Ruder et al. 2016, eq. 7).

    ``mean(weights * (images - target)²)``, in gray levels², over all pixels and channels (the
    paper's D).

    Args:
      images: float32, (N, H, W, 3), 0..255.
      target: float32, (N, H, W, 3): the earlier frame as painted, warped.
      weights: float32, (N, H, W, 1): 0 where the flow cannot be relied on.
      reduction: ``"sum"`` for the sum in place of the mean.

    Returns:
      float32 scalar, 0 or more.
    """
    return _reduce(weights * ops.square(images - target), reduction)


def weighted_sum(losses: Mapping[str, Tensor], weights: Iterable[tuple[str, float]]) -> Tensor:
    """Sum the losses of layers, each times its weight (Gatys et al. 2016, eq. 5).

    Args:
      losses: a scalar by layer.
      weights: pairs of a layer and its weight.

    Returns:
      float32 scalar; 0 for no layers.

    Raises:
      KeyError: a layer without a loss.
    """
    total = ops.zeros((), dtype="float32")
    for layer, weight in weights:
        total = total + weight * losses[layer]
    return total


def _reduce(squares: Tensor, reduction: Reduction) -> Tensor:
    if 0 in squares.shape:
        return ops.zeros((), dtype="float32")
    return ops.sum(squares) if reduction == "sum" else ops.mean(squares)


def _energy(target: Tensor) -> Tensor:
    return ops.maximum(ops.mean(ops.square(target)), SMALLEST_ENERGY)
