"""The adaptive network in one style: kernels, scales and shifts are given, not made per picture.

`stylizer.network.adaptive.architecture` serves batches of many styles, so it convolves in parts.
For one style all that follows from the code is made once (`style_values`), a tuned style's change
is added to it, and a frame then takes plain convolutions (`paint`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from stylizer.network.adaptive.layers import AdaptiveConvolution
from stylizer.network.adaptive.noise import NOISE_CHANNELS

__all__ = [
    "Values",
    "apply_change",
    "change_shapes",
    "change_size",
    "noisy_kernels",
    "paint",
    "style_values",
]

Tensor = Any
Values = dict[str, Tensor]
"""By layer: the kernel, (size, size, in, out), of an `AdaptiveConvolution`; what a Dense layer
reads from the code, (C,), a scale, a shift or the palette."""


def change_shapes(network: keras.Model) -> dict[str, tuple[int, ...]]:
    """Return the shapes of `Values`, in the order in which a change lists them.

    Args:
      network: as `stylizer.network.adaptive.architecture.build_image_network` makes it.
    """
    gains = _gains(network)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in network.layers:
        if isinstance(layer, AdaptiveConvolution):
            shapes[layer.name] = tuple(layer.shared.shape)
        elif isinstance(layer, keras.layers.Dense) and layer.name not in gains:
            shapes[layer.name] = (layer.units,)
    return shapes


def change_size(network: keras.Model) -> int:
    """Return how many numbers a change has."""
    added = sum(math.prod(shape) for shape in change_shapes(network).values())
    return NOISE_CHANNELS + added


def noisy_kernels(network: keras.Model) -> frozenset[str]:
    """Return the names of the layers whose last `NOISE_CHANNELS` inputs are the noise."""
    joined = {
        layer.output.name for layer in network.layers if isinstance(layer, keras.layers.Concatenate)
    }
    return frozenset(
        layer.name
        for layer in network.layers
        if isinstance(layer, AdaptiveConvolution) and layer.input[0].name in joined
    )


def apply_change(network: keras.Model, values: Mapping[str, Tensor], change: Tensor) -> Values:
    """Return a style's values, changed.

    Args:
      network: as `stylizer.network.adaptive.architecture.build_image_network` makes it.
      values: as `style_values` gives them.
      change: float32, (D,). First how much more than 1 each channel of the noise counts, then what
        is to be added to the values, in the order of `change_shapes`.
    """
    gains, at, noisy = 1.0 + change[:NOISE_CHANNELS], NOISE_CHANNELS, noisy_kernels(network)
    found = {}
    for name, shape in change_shapes(network).items():
        size = math.prod(shape)
        found[name] = values[name] + ops.reshape(change[at : at + size], shape)
        at += size
        if name in noisy:
            rows = ops.concatenate([ops.ones(shape[2] - NOISE_CHANNELS), gains])
            found[name] *= rows[:, None]
    return found


def style_values(network: keras.Model, code: Tensor) -> Values:
    """Return all that the network makes of a style's code, (1, CODE_SIZE).

    It is affine in the code: the values of a mixture of codes are the mixture of their values.
    """
    gains, read = _gains(network), {}
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dense):
            read[layer.name] = layer(code)[0]
    found = {name: value for name, value in read.items() if name not in gains}
    for name, layer in gains.items():
        found[layer.name] = layer.kernel(read[name])
    return found


def paint(network: keras.Model, image: Tensor, noise: Tensor, values: Mapping[str, Tensor]) -> Any:
    """Paint images in one style; as the network itself does it, up to rounding.

    Args:
      network: in float32.
      image: float32 RGB 0..255, (N, H, W, 3), and
      noise: (N, H / 4, W / 4, NOISE_CHANNELS), as the network takes them.
      values: as `style_values` gives them.

    Returns:
      float32, (N, H, W, 3).
    """
    known = {network.input["image"].name: image, network.input["noise"].name: noise}
    for layer in network.layers:
        given = layer.input if isinstance(layer.input, list) else [layer.input]
        match layer:
            case keras.layers.InputLayer():
                continue
            case keras.layers.Dense():
                made = values[layer.name][None] if layer.name in values else None
            case AdaptiveConvolution():
                made = layer.convolve(known[given[0].name], values[layer.name])
            case keras.layers.Add() | keras.layers.Concatenate():
                made = layer([known[one.name] for one in given])
            case _:
                made = layer(*(known[one.name] for one in given))
        known[layer.output.name] = made
    return known[network.output.name]


def _gains(network: keras.Model) -> dict[str, AdaptiveConvolution]:
    """Return the layers whose kernels follow the style, by the layers that read their gains."""
    reads = {
        layer.output.name: layer.name
        for layer in network.layers
        if isinstance(layer, keras.layers.Dense)
    }
    return {
        reads[layer.input[1].name]: layer
        for layer in network.layers
        if isinstance(layer, AdaptiveConvolution)
    }
