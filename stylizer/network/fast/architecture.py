"""The fast network: one pass from a frame and a style code to the painted frame.

After Dumoulin et al. 2017 ("A Learned Representation for Artistic Style": conditional instance
normalization) and Ghiasi et al. 2017 ("Exploring the structure of a real-time, arbitrary neural
artistic stylization network": a second network predicts the style's code). It differs from both:
no tensor is larger than a quarter of the frame's sides, most work is done at an eighth by separable
convolutions, whose kernels depend on the style too, and the code comes from means and deviations of
the compact loss network's features.
Images are float32 RGB 0..255, (N, H, W, 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from stylizer.network.fast.spec import FAST
from stylizer.perceptual.compact import BLOCKS, TAPS

if TYPE_CHECKING:
    from keras import KerasTensor

__all__ = [
    "CODE_SIZE",
    "STATISTICS_SIZE",
    "STRIDE",
    "ConditionalInstanceNormalization",
    "DepthToSpace",
    "DynamicConvolution",
    "Reflect",
    "build_image_network",
    "build_network",
    "build_predictor",
    "style_statistics",
]

Tensor = Any

CODE_SIZE = 64
"""Numbers in a style code."""

STATISTICS_SIZE = 2 * sum(block[-1] for block in BLOCKS)
"""Numbers of a style picture that the code is predicted from."""

STRIDE = FAST.stride
"""Both sides of the image network's input are multiples of this."""

_QUARTER, _EIGHTH = 32, 128
_BLOCKS = 6
_HIDDEN = 96


class Reflect(keras.layers.Layer):
    """Mirrors ``pixels`` at each border: (N, H, W, C) to (N, H + 2 pixels, W + 2 pixels, C)."""

    def __init__(self, pixels: int, **options: Any) -> None:
        """Set the width of the border."""
        super().__init__(**options)
        self.pixels = pixels

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Pad."""
        both = (self.pixels, self.pixels)
        return ops.pad(inputs, ((0, 0), both, both, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the padded features."""
        batch, *sides, channels = input_shape
        grown = [None if side is None else side + 2 * self.pixels for side in sides]
        return batch, *grown, channels


class ConditionalInstanceNormalization(keras.layers.Layer):
    """Normalizes each channel of each image, then scales and shifts it (Dumoulin et al. 2017, 5).

    Written so that OpenVINO finds its one operation for it: other forms of the same took twice the
    time of the whole network.
    """

    epsilon = 1e-5

    def call(self, inputs: KerasTensor, scale: KerasTensor, shift: KerasTensor) -> KerasTensor:
        """Normalize (N, H, W, C) features by scale and shift (N, 1, 1, C)."""
        off = inputs - ops.mean(inputs, (1, 2), keepdims=True)
        variance = ops.mean(ops.power(off, 2.0), (1, 2), keepdims=True)
        return off / ops.sqrt(variance + self.epsilon) * scale + shift


class DynamicConvolution(keras.layers.Layer):
    """A 1x1 convolution whose kernel depends on the style: K = W + P diag(g) Q.

    After Li et al. 2021 ("Revisiting Dynamic Convolution via Matrix Decomposition"), with a
    diagonal matrix in the middle, and with g read from the style code in place of the features: to
    make the kernel takes the same few multiplications for a frame of any size.
    """

    def __init__(self, channels: int, rank: int, **options: Any) -> None:
        """Set the number of channels that come out, and of the numbers in g."""
        super().__init__(**options)
        self.channels, self.rank = channels, rank

    def build(self, inputs_shape: tuple[int | None, ...], gain_shape: Any) -> None:
        """Make the weights; kernels are (1, 1, in, out), as those of other convolutions."""
        given = inputs_shape[-1]
        self.kernel = self.add_weight((1, 1, given, self.channels), name="kernel")
        self.before = self.add_weight((1, 1, given, self.rank), name="before")
        self.after = self.add_weight((1, 1, self.rank, self.channels), name="after")

    def call(self, inputs: KerasTensor, gain: KerasTensor) -> KerasTensor:
        """Convolve (N, H, W, C) features with each image's own kernel; the gain g is (N, rank)."""
        kernel = self.kernel[0] + ops.matmul(self.before[0] * gain[:, None], self.after[0])
        batch, height, width, given = ops.shape(inputs)
        mixed = ops.matmul(ops.reshape(inputs, (batch, height * width, given)), kernel)
        return ops.reshape(mixed, (batch, height, width, self.channels))

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], gain_shape: Any
    ) -> tuple[int | None, ...]:
        """Return the shape of the features that come out."""
        return *inputs_shape[:-1], self.channels


class DepthToSpace(keras.layers.Layer):
    """Turns channels into pixels: (N, H, W, C r^2) to (N, H r, W r, C)."""

    def __init__(self, factor: int, **options: Any) -> None:
        """Set the factor r."""
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Rearrange."""
        return ops.depth_to_space(inputs, self.factor)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the larger image."""
        batch, *sides, channels = input_shape
        grown = [None if side is None else side * self.factor for side in sides]
        return batch, *grown, channels // self.factor**2 if channels else None


class _Builder:
    """Puts the layers together; each normalization reads the code through its own linear map."""

    def __init__(self, code: KerasTensor) -> None:
        self._code = code

    def normalize(self, features: KerasTensor) -> KerasTensor:
        channels = features.shape[-1]
        scale = keras.layers.Dense(channels, bias_initializer="ones")(self._code)
        shift = keras.layers.Dense(channels)(self._code)
        pair = (keras.layers.Reshape((1, 1, channels))(value) for value in (scale, shift))
        return ConditionalInstanceNormalization()(features, *pair)

    def convolve(
        self, features: KerasTensor, channels: int, size: int, *, strides: int = 1, bias: bool
    ) -> KerasTensor:
        padded = Reflect((size - strides + 1) // 2)(features)
        return keras.layers.Conv2D(channels, size, strides=strides, use_bias=bias)(padded)

    def mix(self, features: KerasTensor, channels: int) -> KerasTensor:
        rank = channels // 4
        gain = keras.layers.Dense(rank, kernel_initializer="zeros")(self._code)
        return DynamicConvolution(channels, rank)(features, gain)

    def separable(self, features: KerasTensor) -> KerasTensor:
        filtered = keras.layers.DepthwiseConv2D(3, use_bias=False)(Reflect(1)(features))
        return self.normalize(self.mix(filtered, features.shape[-1]))

    def residual(self, features: KerasTensor) -> KerasTensor:
        inner = keras.layers.ReLU()(self.separable(features))
        return keras.layers.Add()([features, self.separable(inner)])


def build_image_network() -> keras.Model:
    """Build the network that runs per frame, without weights.

    Returns:
      A model from ``{"image": float32 RGB 0..255 (N, H, W, 3), "code": float32 (N, CODE_SIZE)}``,
      with H and W multiples of `STRIDE` and at least 16, to the painted image, float32
      (N, H, W, 3); its values may lie a little outside 0..255.
    """
    image = keras.Input((None, None, 3), name="image")
    code = keras.Input((CODE_SIZE,), name="code")
    net = _Builder(code)
    features = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
    features = net.normalize(net.convolve(features, _QUARTER, 8, strides=4, bias=False))
    quarter = keras.layers.ReLU()(features)
    features = net.normalize(net.convolve(quarter, _EIGHTH, 4, strides=2, bias=False))
    features = keras.layers.ReLU()(features)
    for _ in range(_BLOCKS):
        features = net.residual(features)
    features = net.mix(features, 4 * _QUARTER)
    features = keras.layers.Add()([DepthToSpace(2)(features), quarter])
    features = keras.layers.ReLU()(net.normalize(features))
    features = net.residual(features)
    features = net.convolve(features, 48, 3, bias=True)
    painted = keras.layers.Rescaling(127.5, 127.5)(DepthToSpace(4)(features))
    return keras.Model({"image": image, "code": code}, painted, name="fast_image")


def build_predictor() -> keras.Model:
    """Build the style prediction network: `style_statistics` (N, STATISTICS_SIZE) to codes.

    Returns:
      A model to float32 (N, CODE_SIZE). Codes may be mixed linearly: the image network reads them
      through linear maps only.
    """
    statistics = keras.Input((STATISTICS_SIZE,), name="statistics")
    normalized = keras.layers.Normalization(name="normalization")(statistics)
    hidden = keras.layers.Dense(_HIDDEN, activation="relu")(normalized)
    code = keras.layers.Dense(CODE_SIZE, name="code")(hidden)
    return keras.Model(statistics, code, name="fast_predictor")


def build_network() -> keras.Model:
    """Build both networks as one model, which is what a file of weights holds.

    Returns:
      A model from ``{"image": ..., "statistics": ...}`` to the painted image, with the layers
      ``fast_image`` (`build_image_network`) and ``fast_predictor`` (`build_predictor`).
    """
    image = keras.Input((None, None, 3), name="image")
    statistics = keras.Input((STATISTICS_SIZE,), name="statistics")
    code = build_predictor()(statistics)
    painted = build_image_network()({"image": image, "code": code})
    return keras.Model({"image": image, "statistics": statistics}, painted, name="fast")


def style_statistics(features: dict[str, Tensor]) -> Tensor:
    """Return means and deviations of the compact loss network's features.

    Args:
      features: by the names of `TAPS`, float32 (N, H, W, C).

    Returns:
      float32, (N, STATISTICS_SIZE): for each tap the means, then the standard deviations.
    """
    values = []
    for tap in TAPS:
        values += [ops.mean(features[tap], (1, 2)), ops.std(features[tap], (1, 2))]
    return ops.concatenate(values, axis=-1)
