"""The adaptive network: one pass from a frame and a style code to the painted frame.

Every spatial kernel of its body depends on the style, after Chandran et al. 2021 ("Adaptive
Convolutions for Structure-Aware Style Transfer"): strokes have a direction, and kernels shared by
all styles give all of them the same hatch. It differs from the paper: kernels are predicted once a
style from a code, not from a map of features, and as a low-rank change of a shared kernel (after Li
et al. 2021, "Revisiting Dynamic Convolution via Matrix Decomposition"). Conditional instance
normalization is that of Dumoulin et al. 2017. Smooth noise goes in beside the frame, as in Ulyanov
et al. 2016 ("Texture Networks"), so that an empty sky can get strokes of its own.

Full 3x3 kernels at a quarter and an eighth of the sides; what goes up goes by linear interpolation.
Images are float32 RGB 0..255, (N, H, W, 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

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
    "AdaptiveConvolution",
    "ConditionalInstanceNormalization",
    "Squash",
    "StyleStatistics",
    "Upsample",
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
_HIDDEN = 384


class ConditionalInstanceNormalization(keras.layers.Layer):
    """Normalizes each channel of each image, then scales and shifts it (Dumoulin et al. 2017, 5).

    Computed in float32 whatever the policy is: the variance needs it.
    """

    epsilon = 1e-5

    def call(self, inputs: KerasTensor, scale: KerasTensor, shift: KerasTensor) -> KerasTensor:
        """Normalize (N, H, W, C) features by scale and shift (N, C)."""
        values = ops.cast(inputs, "float32")
        off = values - ops.mean(values, (1, 2), keepdims=True)
        variance = ops.mean(ops.square(off), (1, 2), keepdims=True)
        factor = ops.cast(scale, "float32")[:, None, None] / ops.sqrt(variance + self.epsilon)
        normal = off * factor + ops.cast(shift, "float32")[:, None, None]
        return ops.cast(normal, inputs.dtype)

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], scale_shape: Any, shift_shape: Any
    ) -> tuple[int | None, ...]:
        """Return the shape of the features."""
        return inputs_shape


class AdaptiveConvolution(keras.layers.Layer):
    """A 3x3 convolution whose kernel depends on the style: K = W + sum over r of g_r B_r A_r.

    Each B_r is a 3x3 filter over all channels that come in, each A_r says to which channels that
    come out it goes, and g is read from the style code. To make K takes a few multiplications once
    a style (`kernel`). Here it is applied in parts, which gives the same and serves batches of many
    styles: the filters W and B, then g, then A.
    """

    def __init__(
        self, channels: int, rank: int, *, size: int = 3, spread: float = 2.0, **options: Any
    ) -> None:
        """Set the layer's sizes.

        Args:
          channels: that come out.
          rank: the number of filters B.
          size: the kernel's side.
          spread: of W at the beginning: its variance is that over the numbers that come in, 2 as
            after He et al. 2015; less begins near 0.
          **options: of any layer.
        """
        super().__init__(**options)
        self.spread = spread
        self.channels, self.rank, self.size = channels, rank, size
        self._pad = Reflect(size // 2)

    def build(self, inputs_shape: tuple[int | None, ...], gain_shape: Any) -> None:
        """Make the weights; kernels are (size, size, in, out), as those of other convolutions."""
        given = inputs_shape[-1]
        shape = (self.size, self.size, given)
        begin = keras.initializers.VarianceScaling(self.spread)
        self.shared = self.add_weight((*shape, self.channels), begin, name="shared")
        self.before = self.add_weight((*shape, self.rank), "he_normal", name="before")
        self.after = self.add_weight(
            (1, 1, self.rank, self.channels),
            keras.initializers.RandomNormal(stddev=0.35 * (self.spread / self.rank) ** 0.5),
            name="after",
        )

    def call(self, inputs: KerasTensor, gain: KerasTensor) -> KerasTensor:
        """Convolve (N, H, W, C) features, mirrored at the border; the gain g is (N, rank)."""
        padded = self._pad(inputs) if self.size > 1 else inputs
        both = ops.conv(padded, ops.concatenate([self.shared, self.before], -1), padding="valid")
        changed = both[..., self.channels :] * gain[:, None, None]
        return both[..., : self.channels] + ops.conv(changed, self.after)

    def kernel(self, gain: Tensor) -> Tensor:
        """Return the whole kernel for one style's gain (rank,): (size, size, in, out)."""
        return self.shared + ops.matmul(self.before * gain, self.after[0, 0])

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], gain_shape: Any
    ) -> tuple[int | None, ...]:
        """Return the shape of the features that come out."""
        return *inputs_shape[:-1], self.channels


class Upsample(keras.layers.Layer):
    """Doubles both sides by linear interpolation, pixels' corners aligned as areas are."""

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Interpolate (N, H, W, C) to (N, 2 H, 2 W, C)."""
        for axis in (1, 2):
            first = ops.take(inputs, np.array([0]), axis=axis)
            last = ops.take(inputs, np.array([-1]), axis=axis)
            count = inputs.shape[axis] or ops.shape(inputs)[axis]
            before = ops.concatenate([first, _cut(inputs, axis, 0, count - 1)], axis)
            behind = ops.concatenate([_cut(inputs, axis, 1, count), last], axis)
            pair = ops.stack(
                [0.75 * inputs + 0.25 * before, 0.75 * inputs + 0.25 * behind], axis + 1
            )
            shape = list(ops.shape(inputs))
            shape[axis] = 2 * count
            inputs = ops.reshape(pair, shape)
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the larger features."""
        batch, *sides, channels = input_shape
        return batch, *(None if side is None else 2 * side for side in sides), channels


def _cut(features: Tensor, axis: int, start: Any, stop: Any) -> Tensor:
    return features[:, start:stop] if axis == 1 else features[:, :, start:stop]


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
    painted = DepthToSpace(2, dtype="float32")(features)
    painted = keras.layers.Rescaling(127.5, 127.5, dtype="float32")(painted)
    inputs = {"image": image, "noise": noise, "code": code}
    return keras.Model(inputs, painted, name="image_network")


class Squash(keras.layers.Layer):
    """Bounds each number softly: most tanh(x / most). One odd style must not drive all others."""

    def __init__(self, most: float, **options: Any) -> None:
        """Set the bound."""
        super().__init__(**options)
        self.most = most

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Bound (N, C)."""
        return self.most * ops.tanh(inputs / self.most)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape as it is."""
        return input_shape


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
    hidden = keras.layers.Dense(_HIDDEN, activation="gelu", **float32)(normalized)
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
