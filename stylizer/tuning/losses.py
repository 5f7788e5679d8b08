"""What fast networks are trained to make small: style, content and flicker, to VGG-19.

Every distance is relative, layer by layer: absolute ones are ruled by a few loud styles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from keras import ops

from stylizer.tuning.views import differences

__all__ = [
    "LAYERS",
    "LossWeights",
    "checkerboard_loss",
    "content_loss",
    "flicker_loss",
    "halved",
    "lattice_loss",
    "style_losses",
    "style_targets",
]

Tensor = Any
LossNetwork = Callable[[Tensor], dict[str, Tensor]]
"""From float32 RGB 0..255 (N, H, W, 3) to features by the names of `LAYERS`."""

LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")
"""Of VGG-19."""

STRIDE = 8
"""Of our networks, in pixels."""

_WINDOW = 8
"""Cells of the stride, on both sides, over which a checkerboard pattern is taken for the same."""


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """Weights of the losses.

    Attributes:
      content: of the squared distance of features at the deepest layer.
      detail: of the same at the layer before: eyes and letters are too small for the deepest.
      light: of light and dark that are not where the content has them.
      color: of the squared distance of the colors.
      transfer: of local colors that are not where the content has them, brought to the style's.
      gradients: of the squared distance between how even and how broken painting and style are.
      noise_color: of the squared difference of local colors under two noises.
      gram: of the squared distance of Gram matrices, mean over the layers.
      loud: of the squared distance of Gram matrices, summed over the layers: the deepest is by far
        the loudest.
      moments: of the squared distance of means and standard deviations, mean over the layers.
      deep: how much more the two deeper layers count than the two others.
      temporal: of the squared difference between the paintings of two views, brought together,
        in units of half the range of gray levels.
      checkerboard: of the squared pattern that repeats with the networks' stride, in the same
        units.
      lattice: of texture that is stronger at some pixels of the stride than at others, squared and
        relative.
    """

    content: float = 1.0
    detail: float = 0.0
    light: float = 0.0
    color: float = 0.0
    transfer: float = 0.0
    gradients: float = 0.0
    noise_color: float = 0.0
    gram: float = 10.0
    loud: float = 0.0
    moments: float = 5.0
    deep: float = 3.0
    temporal: float = 3.0
    checkerboard: float = 100.0
    lattice: float = 0.0

    def at(self, spent: float, *, gentle: float) -> dict[str, np.float32]:
        """Return the weights after a share of the training: content first, style later.

        From scratch, a network that is asked for style alone finds texture without content.

        Args:
          spent: 0..1.
          gentle: share of the training in which the weights go from content to what they are set
            to; 0 for never.
        """
        late = min(1.0, spent / gentle) if gentle else 1.0
        found = {field.name: getattr(self, field.name) for field in fields(LossWeights)}
        found["content"] *= 1.0 + 3.0 * (1.0 - late)
        found |= {name: found[name] * (0.4 + 0.6 * late) for name in ("gram", "loud", "moments")}
        return {name: np.float32(value) for name, value in found.items()}


def style_targets(features: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what the style losses compare, by layer: Gram matrices, means and deviations."""
    found = {}
    for layer in LAYERS:
        values = features[layer]
        count, height, width, channels = values.shape
        flat = ops.reshape(values, (count, height * width, channels))
        gram = ops.matmul(ops.transpose(flat, (0, 2, 1)), flat)
        found[f"gram_{layer}"] = ops.cast(gram, "float32") / (height * width)
        mean, variance = ops.unstack(_mean_and_variance(ops.cast(values, "float32")), axis=1)
        found[f"mean_{layer}"] = mean
        # a channel that is silent everywhere has no slope without the small number
        found[f"deviation_{layer}"] = ops.sqrt(variance + 1e-4)
    return found


@ops.custom_gradient  # type: ignore[untyped-decorator]
def _mean_and_variance(values: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Return means and variances of the channels of (N, H, W, C), (N, 2, C), and the gradient.

    TensorFlow's own gradient tiles: with it, both take a CPU half as long again.
    """
    mean = ops.mean(values, (1, 2), keepdims=True)
    off = values - mean
    variance = ops.mean(ops.square(off), (1, 2), keepdims=True)
    pixels = values.shape[1] * values.shape[2]

    def gradient(slope: Tensor) -> Tensor:
        by_mean, by_variance = ops.split(ops.expand_dims(slope / pixels, 1), 2, axis=2)
        return off * (2.0 * by_variance) + by_mean

    return ops.concatenate([mean[:, 0], variance[:, 0]], axis=1), gradient


def style_losses(
    painted: dict[str, Tensor], before: dict[str, Tensor], wanted: dict[str, Tensor], deep: Tensor
) -> dict[str, Tensor]:
    """Return ``gram`` and ``moments``: what is left of the distance to the style, mean of layers.

    And ``loud``: as ``gram``, of all layers' numbers together. The unit is the mean of the style's
    own energy and of the content's squared distance to it: the latter alone has no bound where a
    content looks like its style.

    Args:
      painted: `style_targets` of the paintings.
      before: those of the contents.
      wanted: those of the styles.
      deep: weight of the two deeper layers, where the two others have 1.
    """
    shares = [share / (2.0 + 2.0 * deep) for share in (1.0, 1.0, deep, deep)]
    found = {}
    all_off = all_unit = 0.0
    for name, kinds in (("gram", ("gram",)), ("moments", ("mean", "deviation"))):
        total = 0.0
        for layer, share in zip(LAYERS, shares, strict=True):
            keys = [f"{kind}_{layer}" for kind in kinds]
            off = sum(_energy(painted[key] - wanted[key]) for key in keys)
            unit = sum(_energy(before[key] - wanted[key]) + _energy(wanted[key]) for key in keys)
            total += share * ops.mean(off / (0.5 * unit + 1e-6))
            if name == "gram":
                all_off, all_unit = all_off + off, all_unit + unit
        found[name] = total
    found["loud"] = ops.mean(all_off / (0.5 * all_unit + 1e-6))
    return found


def halved(images: Tensor) -> Tensor:
    """Return images at half their size: strokes too broad for one scale are seen at the other.

    After Snelgrove 2017, "High-Resolution Multi-Scale Neural Texture Synthesis".

    Args:
      images: (N, H, W, C).
    """
    return ops.average_pool(images, 2, 2)


def content_loss(painted: Tensor, wanted: Tensor) -> Tensor:
    """Return the squared distance of features relative to their energy, mean over pictures.

    A picture with less energy than others has its distance told relative to the mean energy, and
    counts the less, as its energy is of that: a smooth sky has next to none, and would have to stay
    empty.
    """
    painted, wanted = ops.cast(painted, "float32"), ops.cast(wanted, "float32")
    energy = _energy(wanted)
    share = ops.minimum(energy / (ops.mean(energy) + 1e-6), 1.0)
    least = ops.maximum(energy, ops.mean(energy))
    return ops.mean(share * _energy(painted - wanted) / least)


def flicker_loss(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean squared difference of two paintings of the same thing, in half ranges."""
    return ops.mean(ops.square((first - second) / 127.5))


def checkerboard_loss(painted: Tensor) -> Tensor:
    """Return the squared pattern that repeats every `STRIDE` pixels, in half ranges.

    It may differ from place to place: windows of `_WINDOW` cells are looked at one by one. In each,
    the cells of a chessboard's white and black fields show it, with texture that is not alike:
    their product is without bias where a square would count ordinary texture too. A picture's mean
    below 0 counts as 0: opposite patterns on the fields would be no better.

    Args:
      painted: (N, H, W, 3), H and W multiples of the stride; what is left of whole windows at the
        right and at the bottom is not looked at.
    """
    white, black = (_centered(field) for field in _fields(painted / 127.5))
    return ops.maximum(ops.mean(white * black), 0.0)


def lattice_loss(painted: Tensor) -> Tensor:
    """Return how much the texture's strength repeats every `STRIDE` pixels, squared and relative.

    Where `checkerboard_loss` finds nothing, because strokes go anywhere and their mean is the same
    at each pixel of a cell, neighbors may still differ more at some places of each cell than at
    others: a mesh over dark and even parts. Compared are the absolute differences from pixel to
    pixel, of each color for itself, with its windows and fields. At 0.05, the mesh is plain to see.

    Args:
      painted: float32 RGB 0..255, (N, H, W, 3).
    """
    total = 0.0
    for axis in (1, 2):
        step = differences(painted, 1, axis=axis)
        fields = _fields(ops.sqrt(ops.square(step) + 1.0))
        unit = ops.square(ops.mean(sum(fields) / 2.0, (2, 4), keepdims=True))
        white, black = (_centered(field) for field in fields)
        total += ops.maximum(ops.mean(white * black / unit), 0.0)
    return total / 2.0


def _fields(images: Tensor) -> list[Tensor]:
    """Return each window's mean cell, of the white and of the black fields of a chessboard.

    They are (N, rows of windows, STRIDE, columns, STRIDE, C).
    """
    count, height, width, channels = images.shape
    cells = min(_WINDOW, height // STRIDE, width // STRIDE) // 2 * 2
    rows, columns = (side // STRIDE // cells for side in (height, width))
    whole = (count, rows * cells * STRIDE, columns * cells * STRIDE, channels)
    used = ops.slice(images, (0, 0, 0, 0), whole)
    # matrices, as sums over products of eight axes have a slow gradient
    parity = np.stack([1 - np.arange(cells) % 2, np.arange(cells) % 2]).astype(np.float32)
    lines = ops.reshape(used, (count, rows, cells, STRIDE * whole[2] * channels))
    lines = ops.matmul(parity * (2.0 / cells**2), lines)
    split = ops.reshape(lines, (count, rows, 2, STRIDE, columns, cells, STRIDE * channels))
    even, odd = ops.unstack(ops.matmul(parity, split), axis=2)
    (even_even, even_odd), (odd_even, odd_odd) = (ops.unstack(one, axis=4) for one in (even, odd))
    shape = (count, rows, STRIDE, columns, STRIDE, channels)
    return [ops.reshape(one, shape) for one in (even_odd + odd_even, even_even + odd_odd)]


def _centered(cells: Tensor) -> Tensor:
    return cells - ops.mean(cells, (2, 4), keepdims=True)


def _energy(values: Tensor) -> Tensor:
    return ops.sum(ops.square(values), axis=tuple(range(1, len(values.shape))))
