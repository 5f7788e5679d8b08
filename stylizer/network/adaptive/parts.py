"""Loads the network ``adaptive`` in the parts that engines run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
from keras import ops

from stylizer.network.adaptive import styled
from stylizer.network.adaptive.architecture import (
    CODE_SIZE,
    STATISTICS_SIZE,
    build_network,
    style_statistics,
)
from stylizer.network.adaptive.noise import NOISE_CHANNELS, NOISE_STRIDE, noise_map
from stylizer.network.embedded.parts import (
    NetworkParts,
    StyledParts,
    join_parts,
    load_weights,
)

__all__ = ["Measure", "NoiseMap", "load_network", "load_parts"]

Tensor = Any

_SIDE = 2048
"""Pixels after which the noise repeats."""


class NoiseMap(keras.layers.Layer):
    """Gives the noise of `stylizer.network.adaptive.noise.noise_map` for pictures of any size."""

    def call(self, image: Tensor) -> Tensor:
        """Return (N, H / NOISE_STRIDE, W / NOISE_STRIDE, NOISE_CHANNELS) for (N, H, W, 3)."""
        noise = ops.convert_to_tensor(noise_map(_SIDE, _SIDE))
        for axis in (1, 2):
            cells = ops.arange(ops.shape(image)[axis] // NOISE_STRIDE) % (_SIDE // NOISE_STRIDE)
            noise = ops.take(noise, cells, axis=axis)
        return noise * ops.ones_like(image[:, :1, :1, :1])  # one for each picture

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the noise."""
        sides = (None if side is None else side // NOISE_STRIDE for side in shape[1:3])
        return shape[0], *sides, NOISE_CHANNELS


class Measure(keras.layers.Layer):
    """Measures a style: `stylizer.network.adaptive.architecture.style_statistics`."""

    def call(self, features: dict[str, Tensor]) -> Tensor:
        """Return (N, STATISTICS_SIZE) for features by their taps."""
        return style_statistics(features)

    def compute_output_shape(self, shapes: dict[str, Any]) -> tuple[int | None, ...]:
        """Return the shape of the statistics."""
        return next(iter(shapes.values()))[0], STATISTICS_SIZE


def load_parts(weights: Path, loss_weights: Path) -> NetworkParts:
    """Load the network, and the compact loss network that it reads styles with.

    Raises:
      WeightsError: a file cannot be read, or holds another network's weights.
    """
    network = load_network(weights)
    painter = network.get_layer("image_network")
    image, code = keras.Input((None, None, 3), name="image"), keras.Input((CODE_SIZE,), name="code")
    noise = NoiseMap()
    painted = painter({"image": image, "noise": noise(image), "code": code})

    def read(code: Tensor, change: Tensor) -> styled.Values:
        return styled.apply_change(painter, styled.style_values(painter, code), change)

    def paint(image: Tensor, values: styled.Values) -> Tensor:
        return styled.paint(painter, image, noise(image), values)

    parts = join_parts(
        painter=painter,
        predictor=network.get_layer("predictor"),
        measure=Measure(),
        loss_weights=loss_weights,
        image=keras.Model({"image": image, "code": code}, painted),
    )
    size = styled.change_size(painter)
    return replace(parts, styled=StyledParts(change_size=size, read=read, paint=paint))


def load_network(weights: Path) -> keras.Model:
    """Build the network of `build_network` and load its weights; frozen.

    Raises:
      WeightsError: the file cannot be read, or holds another network's weights.
    """
    network = build_network()
    load_weights(network, weights, name="adaptive")
    return network
