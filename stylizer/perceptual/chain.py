"""A loss network as a plain list of steps, for engines that do not run Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from stylizer.perceptual.compact import ReflectionPadding

__all__ = ["Chain", "Convolution", "Pool", "Tap", "read_chain"]


@dataclass(frozen=True)
class Convolution:
    """A convolution with ReLU that keeps the size.

    Attributes:
      kernel: float32, (3, 3, in, out).
      bias: float32, (out,).
      reflect: whether the border is mirrored; else it is padded with zeros.
    """

    kernel: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    reflect: bool


@dataclass(frozen=True)
class Pool:
    """A pooling by 2, of averages or of maxima."""

    average: bool


@dataclass(frozen=True)
class Tap:
    """Where a layer's features come from.

    Attributes:
      step: the number of the step that gives them.
      width: channels.
      linear: float32 (C, C), by which they are multiplied; None for nothing.
    """

    step: int
    width: int
    linear: npt.NDArray[np.float32] | None


@dataclass(frozen=True)
class Chain:
    """Steps, one after the other.

    Attributes:
      offset: is taken off red, green and blue (0..255) first.
      steps: in order.
      taps: by layer.
    """

    offset: tuple[float, float, float]
    steps: tuple[Convolution | Pool, ...]
    taps: Mapping[str, Tap]


def read_chain(model: keras.Model) -> Chain | None:
    """Return a model of `stylizer.perceptual.features` as a chain; None where it is none.

    Args:
      model: from float32 RGB 0..255 (N, H, W, 3) to features by layer.
    """
    reader = _Reader(model)
    try:
        for layer in model.layers:
            reader.take(layer)
    except _UnknownError:
        return None
    if any(output.name not in reader.taps for output in model.output.values()):
        return None
    taps = {name: reader.taps[output.name] for name, output in model.output.items()}
    return Chain(reader.offset, tuple(reader.steps), taps)


class _UnknownError(ValueError):
    """A layer is of a kind that no chain has, or takes what is not the last step's output."""


class _Reader:
    """Reads layers in order.

    Attributes:
      offset: as in `Chain`.
      steps: as in `Chain`.
      taps: by the name of the tensor.
    """

    def __init__(self, model: keras.Model) -> None:
        self.offset = (0.0, 0.0, 0.0)
        self.steps: list[Convolution | Pool] = []
        self.taps: dict[str, Tap] = {}
        self._latest = model.input.name
        self._padded: str | None = None

    def take(self, layer: keras.layers.Layer) -> None:
        """Read a layer."""
        layers = keras.layers
        match layer:
            case layers.InputLayer():
                return
            case layers.Rescaling() if not self.steps and layer.scale == 1:
                self._follow(layer)
                red, green, blue = (-float(value) for value in np.ravel(layer.offset))
                self.offset = red, green, blue
            case ReflectionPadding() if layer.input.name == self._latest:
                self._padded = layer.output.name
            case layers.Conv2D(kernel_size=(3, 3), strides=(1, 1)):
                self._convolve(layer)
            case layers.Conv2D(kernel_size=(1, 1), strides=(1, 1), use_bias=False):
                if layer.input.name not in self.taps or _name(layer.activation) != "linear":
                    raise _UnknownError
                before = self.taps[layer.input.name]
                linear = np.asarray(_array(layer.kernel)[0, 0], np.float32)
                if before.linear is not None or linear.shape[0] != linear.shape[1]:
                    raise _UnknownError
                self.taps[layer.output.name] = Tap(before.step, before.width, linear)
            case layers.AveragePooling2D() | layers.MaxPooling2D():
                if layer.pool_size != (2, 2) or layer.strides != (2, 2) or not self.steps:
                    raise _UnknownError
                self._follow(layer)
                self.steps.append(Pool(isinstance(layer, layers.AveragePooling2D)))
            case _:
                raise _UnknownError

    def _follow(self, layer: keras.layers.Layer) -> None:
        if layer.input.name != self._latest:
            raise _UnknownError
        self._latest = layer.output.name

    def _convolve(self, layer: keras.layers.Conv2D) -> None:
        reflect = layer.input.name == self._padded
        fits = layer.padding == ("valid" if reflect else "same")
        if not fits or _name(layer.activation) != "relu" or not layer.use_bias:
            raise _UnknownError
        if reflect:
            self._latest = layer.output.name
        else:
            self._follow(layer)
        self.steps.append(Convolution(_array(layer.kernel), _array(layer.bias), reflect))
        self.taps[self._latest] = Tap(len(self.steps) - 1, layer.filters, None)


def _name(activation: Any) -> str:
    return str(getattr(activation, "__name__", activation))


def _array(variable: Any) -> npt.NDArray[np.float32]:
    return np.asarray(np.asarray(variable), np.float32)
