"""The layers of the adaptive network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from stylizer.network.embedded.interpolation import interpolate
from stylizer.network.fast.architecture import Reflect

if TYPE_CHECKING:
    from keras import KerasTensor

__all__ = [
    "AdaptiveConvolution",
    "BinomialFilter",
    "ConditionalInstanceNormalization",
    "Squash",
    "Upsample",
]

Tensor = Any


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
        shared, changed = ops.split(both, [self.channels], axis=-1)
        return shared + ops.conv(changed * gain[:, None, None], self.after)

    def convolve(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Convolve (N, H, W, C) features with one whole kernel, as `kernel` gives it."""
        padded = self._pad(inputs) if self.size > 1 else inputs
        return ops.conv(padded, kernel, padding="valid")

    def kernel(self, gain: Tensor) -> Tensor:
        """Return the whole kernel for one style's gain (rank,): (size, size, in, out)."""
        return self.shared + ops.matmul(self.before * gain, self.after[0, 0])

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], gain_shape: Any
    ) -> tuple[int | None, ...]:
        """Return the shape of the features that come out."""
        return *inputs_shape[:-1], self.channels


class Upsample(keras.layers.Layer):
    """Doubles both sides by quadratic B-splines, pixels' corners aligned as areas are.

    The same as linear interpolation and a binomial filter (1, 2, 1) after it. Linear interpolation
    alone has kinks at each pixel that was given, and what follows learns to draw with them: strokes
    then carry a weave of twice and of four times the pixels that come out.
    """

    weights_of_three = (0.3125, 0.625, 0.0625)
    """Of the pixel before, of its own and of the one behind, for the first of two; the second has
    them mirrored."""

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Interpolate (N, H, W, C) to (N, 2 H, 2 W, C)."""
        return interpolate(inputs, (self.weights_of_three, self.weights_of_three[::-1]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the larger features."""
        batch, *sides, channels = input_shape
        return batch, *(None if side is None else 2 * side for side in sides), channels


class BinomialFilter(keras.layers.Layer):
    """Smooths what `DepthToSpace` by 2 is to arrange, as a filter (1, 2, 1) does afterwards.

    The four pixels of a cell come from kernels of their own. Nothing makes them go on smoothly from
    one cell to the next, and networks leave them nearly alike: strokes then have steps, which are
    images of them at frequencies of 1/2 minus their own, and show as a weave. A lattice that is the
    same in all cells (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts") goes as well:
    the filter has its zero there.
    """

    def __init__(self, **options: Any) -> None:
        """Make the filter's kernel for cells: (3, 3, 12, 12); it is not trained."""
        super().__init__(**options)
        line = np.zeros((3, 2, 2))  # of the cell before, its own and the next: pixel in, pixel out
        line[0, 1, 0] = line[2, 0, 1] = 0.25
        line[1] = [[0.5, 0.25], [0.25, 0.5]]
        pixels = np.einsum("yab,xcd->yxacbd", line, line).reshape(3, 3, 4, 4)
        self.kernel = np.kron(pixels, np.eye(3)).astype(np.float32)
        self._pad = Reflect(1, dtype=self.dtype_policy)

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Filter (N, H, W, 12), mirrored at the border."""
        kernel = ops.cast(ops.convert_to_tensor(self.kernel), inputs.dtype)
        return ops.conv(self._pad(inputs), kernel, padding="valid")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape as it is."""
        return input_shape


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
