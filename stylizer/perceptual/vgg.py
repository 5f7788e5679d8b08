"""VGG-16 and VGG-19 (Simonyan and Zisserman 2015), built no deeper than the layers asked for.

Layers are named as in `keras.applications`: ``block4_conv2``. Input is RGB 0..255; the mean color
is taken off inside, and the reversal to BGR is folded into the first kernel.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from stylizer.errors import ConfigError, WeightsError
from stylizer.perceptual.compact import ReflectionPadding
from stylizer.perceptual.spec import IMAGENET_COLOR, VGG_LAYERS
from stylizer.perceptual.types import Pooling

__all__ = ["build_vgg", "read_kernels"]

_CHANNELS = (64, 128, 256, 512, 512)

Kernels = Mapping[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]
"""Kernel (3, 3, in, out), for BGR, and bias (out,) by the name of the layer."""


@dataclass(frozen=True)
class _Convolution:
    name: str
    block: int
    channels: int


def build_vgg(
    name: str,
    layers: Sequence[str],
    kernels: Kernels,
    *,
    pooling: Pooling = "max",
    reflect: bool = False,
) -> keras.Model:
    """Build the network up to the deepest of ``layers``.

    Args:
      name: ``"vgg16"`` or ``"vgg19"``.
      layers: the convolutions whose features (after ReLU) are asked for.
      kernels: kernels and biases, at least as deep as ``layers``.
      pooling: ``"max"``, or ``"average"`` as Gatys et al. (2016) prefer.
      reflect: reflect the border rather than padding with zeros.

    Returns:
      A model from float32 RGB 0..255 (N, H, W, 3) to a dict of features by layer. Frozen.

    Raises:
      ConfigError: no such layer.
      WeightsError: a layer has no kernel, or one of another shape.
    """
    for layer in layers:
        if layer not in VGG_LAYERS[name]:
            known = ", ".join(VGG_LAYERS[name])
            raise ConfigError(f"{name}: no layer {layer!r}; expected some of {known}")
    inputs = keras.Input((None, None, 3))
    less = [-value for value in IMAGENET_COLOR]
    features = keras.layers.Rescaling(1.0, less, dtype="float32")(inputs)
    pool = keras.layers.MaxPooling2D if pooling == "max" else keras.layers.AveragePooling2D
    outputs: dict[str, Any] = {}
    block = 1
    for convolution in _convolutions(name):
        if len(outputs) == len(set(layers)):
            break
        if convolution.block > block:
            block = convolution.block
            features = pool(2, name=f"block{block - 1}_pool")(features)
        features = _convolve(features, convolution, reflect=reflect)
        if convolution.name in layers:
            outputs[convolution.name] = features
    model = keras.Model(inputs, outputs, name=name)
    _set_kernels(model, kernels)
    model.trainable = False
    return model


def read_kernels(path: Path) -> tuple[Kernels, bool]:
    """Read an ``.npz`` of ``<layer>/kernel`` and ``<layer>/bias``, and maybe ``padding``.

    Such files come from other frameworks, where the normalized VGG-19 of Gatys et al. is found.
    Unless a text ``padding`` in the file says ``"zero"``, they are meant for reflection padding.

    Args:
      path: the file.

    Returns:
      Kernels by layer, and whether the border is reflected.

    Raises:
      WeightsError: the file is missing or is not such a file.
    """
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise WeightsError(f"{path}: expected an archive of arrays (.npz), got a single array")
        with file:
            arrays = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path}: cannot be read as weights ({error})") from error
    kernels = {
        key.removesuffix("/kernel"): (
            np.asarray(array, np.float32),
            np.asarray(arrays[key.replace("/kernel", "/bias")], np.float32),
        )
        for key, array in arrays.items()
        if key.endswith("/kernel") and key.replace("/kernel", "/bias") in arrays
    }
    if not kernels:
        raise WeightsError(f"{path}: expected arrays '<layer>/kernel' and '<layer>/bias', got none")
    return kernels, str(arrays.get("padding", "reflect")) != "zero"


def _convolutions(name: str) -> list[_Convolution]:
    blocks = [int(layer[len("block")]) for layer in VGG_LAYERS[name]]
    return [
        _Convolution(layer, block, _CHANNELS[block - 1])
        for layer, block in zip(VGG_LAYERS[name], blocks, strict=True)
    ]


def _convolve(features: Any, convolution: _Convolution, *, reflect: bool) -> Any:
    if reflect:
        features = ReflectionPadding()(features)
    layer = keras.layers.Conv2D(
        convolution.channels,
        3,
        padding="valid" if reflect else "same",
        activation="relu",
        kernel_initializer="zeros",
        name=convolution.name,
    )
    return layer(features)


def _set_kernels(model: keras.Model, kernels: Kernels) -> None:
    first = True
    for layer in model.layers:
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        if layer.name not in kernels:
            raise WeightsError(
                f"{model.name}: the weights file has no {layer.name}; it ends at "
                f"{max(kernels)}: choose layers up to there, or another file"
            )
        kernel, bias = kernels[layer.name]
        if kernel.shape != tuple(layer.kernel.shape) or bias.shape != tuple(layer.bias.shape):
            raise WeightsError(
                f"{model.name}: expected a kernel of shape {tuple(layer.kernel.shape)} for "
                f"{layer.name}, got {kernel.shape}: these are weights of another network"
            )
        layer.set_weights([kernel[:, :, ::-1] if first else kernel, bias])
        first = False
