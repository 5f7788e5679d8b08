"""The adaptive network: one pass from a frame and a style code to the painted frame.

Every spatial kernel of its body depends on the style, after Chandran et al. 2021 ("Adaptive
Convolutions for Structure-Aware Style Transfer"): strokes have a direction, and kernels shared by
all styles give all of them the same hatch. It differs from the paper: kernels are predicted once a
style from a code, not from a map of features, and as a low-rank change of a shared kernel (after Li
et al. 2021, "Revisiting Dynamic Convolution via Matrix Decomposition"). Conditional instance
normalization is that of Dumoulin et al. 2017. Smooth noise goes in beside the frame, as in Ulyanov
et al. 2016 ("Texture Networks"), so that an empty sky can get strokes of its own.

Full 3x3 kernels at a quarter and an eighth of the sides; what goes up goes by quadratic
B-splines.
Images are float32 RGB 0..255, (N, H, W, 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from stylizer.network.adaptive.layers import (
    AdaptiveConvolution,
    BinomialFilter,
    ConditionalInstanceNormalization,
    Squash,
    Upsample,
)
from stylizer.network.adaptive.noise import NOISE_CHANNELS
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.fast import architecture as fast
from stylizer.network.fast.architecture import DepthToSpace, Reflect
from stylizer.perceptual.compact import BLOCKS, TAPS

if TYPE_CHECKING:
    from keras import KerasTensor

__all__ = [
    "CODE_SIZE",
    "FEATURE_CHANNELS",
    "STATISTICS_SIZE",
    "STRIDE",
    "StyleStatistics",
    "build_image_network",
    "build_network",
    "build_predictor",
    "style_statistics",
]

Tensor = Any

CODE_SIZE = 256
"""Numbers in a style code."""

STRIDE = ADAPTIVE.stride
"""Both sides of the image network's input are multiples of this."""

FEATURE_CHANNELS = tuple(block[-1] for block in BLOCKS)
"""Channels of the loss network's features that a style is read from, from fine to coarse."""

STATISTICS_SIZE = sum(2 * n + n * (n - 1) // 2 for n in FEATURE_CHANNELS)
"""Numbers of a style picture that the code is predicted from."""

_QUARTER, _EIGHTH = 48, 96
_QUARTER_RANK, _EIGHTH_RANK = 48, 64
_DEEP_BLOCKS, _LATE_BLOCKS = 4, 2
_PROJECTED = 16
_AXES, _HIDDEN = 320, 768


class _Builder:
    """Puts the layers together; each reads the code through its own linear map."""

    def __init__(self, code: KerasTensor) -> None:
        self._code = code

    def _read(self, count: int, bias: str) -> KerasTensor:
        return keras.layers.Dense(count, bias_initializer=bias)(self._code)

    def normalize(self, features: KerasTensor) -> KerasTensor:
        channels = features.shape[-1]
        scale, shift = self._read(channels, "ones"), self._read(channels, "zeros")
        return ConditionalInstanceNormalization()(features, scale, shift)

    def reduce(self, features: KerasTensor, channels: int, size: int, strides: int) -> KerasTensor:
        padded = Reflect((size - strides + 1) // 2)(features)
        made = keras.layers.Conv2D(channels, size, strides=strides, use_bias=False)(padded)
        return keras.layers.ReLU()(self.normalize(made))

    def convolve(
        self, features: KerasTensor, channels: int, rank: int, *, size: int = 3, spread: float = 2.0
    ) -> KerasTensor:
        layer = AdaptiveConvolution(channels, rank, size=size, spread=spread)
        return layer(features, self._read(rank, "zeros"))

    def palette(self, channels: int) -> KerasTensor:
        """Return what the style adds to all pixels, (N, 1, 1, channels): its mean color."""
        begin = keras.initializers.RandomNormal(stddev=0.01)
        read = keras.layers.Dense(channels, kernel_initializer=begin, dtype="float32")
        return keras.layers.Reshape((1, 1, channels), dtype="float32")(read(self._code))

    def residual(
        self, features: KerasTensor, rank: int, noise: KerasTensor | None = None
    ) -> KerasTensor:
        given, channels = features, features.shape[-1]
        if noise is not None:
            given = keras.layers.Concatenate()([features, noise])
        inner = keras.layers.ReLU()(self.normalize(self.convolve(given, channels, rank)))
        outer = self.normalize(self.convolve(inner, channels, rank))
        return keras.layers.Add()([features, outer])


def build_image_network() -> keras.Model:
    """Build the network that runs per frame, without weights.

    Returns:
      A model from ``{"image": float32 RGB 0..255 (N, H, W, 3), "noise": float32 (N, H / 4, W / 4,
      NOISE_CHANNELS) as `noise_map` gives it, "code": float32 (N, CODE_SIZE)}``, with H and W
      multiples of `STRIDE` and at least 16, to the painted image, float32 (N, H, W, 3); its values
      may lie a little outside 0..255.
    """
    image = keras.Input((None, None, 3), name="image")
    noise = keras.Input((None, None, NOISE_CHANNELS), name="noise")
    code = keras.Input((CODE_SIZE,), name="code")
    net = _Builder(code)
    coarse = keras.layers.AveragePooling2D(2)(noise)
    features = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
    quarter = net.reduce(features, _QUARTER, 8, 4)
    quarter = net.residual(quarter, _QUARTER_RANK, noise)
    features = net.reduce(quarter, _EIGHTH, 4, 2)
    for index in range(_DEEP_BLOCKS):
        features = net.residual(features, _EIGHTH_RANK, coarse if index in (0, 2) else None)
    features = Upsample()(net.convolve(features, _QUARTER, _QUARTER_RANK, size=1))
    features = keras.layers.ReLU()(net.normalize(keras.layers.Add()([features, quarter])))
    for index in range(_LATE_BLOCKS):
        features = net.residual(features, _QUARTER_RANK, noise if index == 0 else None)
    features = Upsample()(net.convolve(features, 32, 32, size=1))
    features = keras.layers.ReLU()(net.normalize(net.convolve(features, 24, 24)))
    features = keras.layers.Add(dtype="float32")(
        [net.convolve(features, 12, 24, spread=0.05), net.palette(12)]
    )
    painted = DepthToSpace(2, dtype="float32")(BinomialFilter(dtype="float32")(features))
    painted = keras.layers.Rescaling(127.5, 127.5, dtype="float32")(painted)
    inputs = {"image": image, "noise": noise, "code": code}
    return keras.Model(inputs, painted, name="image_network")


class StyleStatistics(keras.layers.Layer):
    """What the code is predicted from: means, deviations, and how channels go together.

    The last are the correlations of `_PROJECTED` learned mixtures of the channels of each map: a
    part of its Gram matrix, which says which way strokes run where means and deviations cannot.
    """

    def build(self, shape: Any) -> None:
        """Make the mixtures."""
        self.mixtures = [
            self.add_weight((channels, _PROJECTED), "orthogonal", name=f"mixture{index}")
            for index, channels in enumerate(FEATURE_CHANNELS)
        ]

    def call(self, statistics: KerasTensor) -> KerasTensor:
        """Return (N, S) from what `style_statistics` gives."""
        found = []
        rows, columns = np.tril_indices(_PROJECTED, -1)
        at, above = 0, 2 * sum(FEATURE_CHANNELS)
        for channels, mixture in zip(FEATURE_CHANNELS, self.mixtures, strict=True):
            mean = statistics[:, at : at + channels]
            spread = statistics[:, at + channels : at + 2 * channels]
            deviation = ops.sqrt(ops.square(spread) + 1e-4)
            pairs = channels * (channels - 1) // 2
            relations = _symmetric(statistics[:, above : above + pairs], channels)
            mixing = mixture * (spread / deviation)[..., None]
            together = ops.matmul(ops.transpose(mixing, (0, 2, 1)), ops.matmul(relations, mixing))
            flat = ops.reshape(together, (-1, _PROJECTED**2))
            energy = ops.sqrt(ops.take(flat, np.arange(_PROJECTED) * (_PROJECTED + 1), 1) + 1e-4)
            off = ops.take(flat, rows * _PROJECTED + columns, axis=1)
            off /= ops.take(energy, rows, axis=1) * ops.take(energy, columns, axis=1)
            logs = (ops.log(ops.relu(value) + 0.05) for value in (mean, deviation))
            found += [*logs, 2.0 * off]
            at, above = at + 2 * channels, above + pairs
        return ops.concatenate(found, axis=-1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (N, S)."""
        pairs = _PROJECTED * (_PROJECTED - 1) // 2
        return shape[0], sum(2 * channels + pairs for channels in FEATURE_CHANNELS)


def _symmetric(triangle: Tensor, channels: int) -> Tensor:
    """Return (N, C, C), 1 in the diagonal, from what lies below it, (N, C (C - 1) / 2)."""
    rows, columns = np.tril_indices(channels, -1)
    places = np.full((channels, channels), len(rows))
    places[rows, columns] = places[columns, rows] = np.arange(len(rows))
    ones = ops.ones_like(triangle[:, :1])
    whole = ops.take(ops.concatenate([triangle, ones], 1), places.ravel(), axis=1)
    return ops.reshape(whole, (-1, channels, channels))


def style_statistics(features: dict[str, Tensor]) -> Tensor:
    """Return what is known of a style by the compact loss network's features.

    Args:
      features: by the names of `stylizer.perceptual.compact.TAPS`, float32 (N, H, W, C).

    Returns:
      float32, (N, STATISTICS_SIZE): means and standard deviations as
      `stylizer.network.fast.architecture.style_statistics` gives them; then for each tap the
      correlations of its channels, what lies below the diagonal, row by row.
    """
    found = [fast.style_statistics(features)]
    for tap in TAPS:
        values = features[tap]
        channels = values.shape[-1]
        off = values - ops.mean(values, (1, 2), keepdims=True)
        off /= ops.sqrt(ops.mean(ops.square(off), (1, 2), keepdims=True) + 1e-8)
        flat = ops.reshape(off, (ops.shape(off)[0], -1, channels))
        count = ops.cast(ops.shape(flat)[1], "float32")
        relations = ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / count
        rows, columns = np.tril_indices(channels, -1)
        flat = ops.reshape(relations, (-1, channels**2))
        found.append(ops.take(flat, rows * channels + columns, axis=1))
    return ops.concatenate(found, axis=-1)


def build_predictor() -> keras.Model:
    """Build the style prediction network: `style_statistics` (N, STATISTICS_SIZE) to codes.

    Returns:
      A model to float32 (N, CODE_SIZE). Codes may be mixed linearly: the image network reads them
      through linear maps only.
    """
    float32 = {"dtype": "float32"}
    known = keras.Input((STATISTICS_SIZE,), name="statistics", **float32)
    statistics = StyleStatistics(name="read", **float32)(known)
    normalized = keras.layers.Normalization(name="normalization", **float32)(statistics)
    normalized = Squash(3.0, **float32)(normalized)
    # set once, before training: `stylizer.models.training.predictor`
    components = keras.layers.Dense(_AXES, trainable=False, name="axes", **float32)(normalized)
    hidden = keras.layers.Dense(_HIDDEN, activation="gelu", name="hidden", **float32)(components)
    code = keras.layers.Dense(CODE_SIZE, **float32)(hidden)
    code = Squash(2.0, name="code", **float32)(code)
    return keras.Model(known, code, name="predictor")


def build_network() -> keras.Model:
    """Build both networks as one model, which is what a file of weights holds.

    Returns:
      A model from ``{"image": ..., "noise": ..., "statistics": ...}`` to the painted image, with
      the layers ``image_network`` (`build_image_network`) and ``predictor`` (`build_predictor`).
    """
    predictor, painter = build_predictor(), build_image_network()
    inputs = {
        name: keras.Input(value.shape[1:], name=name)
        for name, value in painter.input.items()
        if name != "code"
    }
    inputs["statistics"] = keras.Input((STATISTICS_SIZE,), name="statistics")
    code = predictor(inputs["statistics"])
    painted = painter({"image": inputs["image"], "noise": inputs["noise"], "code": code})
    return keras.Model(inputs, painted, name="adaptive")
