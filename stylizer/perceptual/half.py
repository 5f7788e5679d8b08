"""The larger embedded loss network: VGG-19 up to block4_conv1 at half its widths.

Where `stylizer.perceptual.compact` has a shape of its own, this one has VGG-19's, layer by layer:
same names, same pooling, half the channels, a quarter of the work. At every layer a linear map
takes its channels to the teacher's; of the map only what tells in distances and Gram matrices is
kept (`stylizer.perceptual.compact.fold_map`). How it was trained stands in ``models/half``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import keras

from stylizer.errors import WeightsError
from stylizer.perceptual.compact import ReflectionPadding
from stylizer.perceptual.spec import VGG_LAYERS
from stylizer.perceptual.types import Pooling

if TYPE_CHECKING:
    from keras import KerasTensor

__all__ = ["LAYERS", "TEACHER_CHANNELS", "build_half", "build_student", "load_half"]

LAYERS = VGG_LAYERS["vgg19"][:9]
"""The layers that it has, by VGG-19's names: ``block1_conv1`` to ``block4_conv1``."""

_TEACHER_WIDTHS = {1: 64, 2: 128, 3: 256, 4: 512}

TEACHER_CHANNELS = {layer: _TEACHER_WIDTHS[int(layer[len("block")])] for layer in LAYERS}
"""VGG-19's channels by layer; here there are half as many."""


def build_student(*, pooling: Pooling = "max") -> keras.Model:
    """Build the network before the maps: float32 RGB 0..255 (N, H, W, 3) to features.

    Args:
      pooling: ``"max"``, as it was trained, or ``"average"``.

    Returns:
      A model with a dict of outputs, one for each of `LAYERS`, after ReLU: (N, H / 2**i, W / 2**i,
      C) in block i + 1.
    """
    inputs = keras.Input((None, None, 3))
    pool = keras.layers.MaxPooling2D if pooling == "max" else keras.layers.AveragePooling2D
    features: KerasTensor = inputs
    outputs: dict[str, KerasTensor] = {}
    for layer in LAYERS:
        if layer.endswith("conv1") and outputs:
            features = pool(2)(features)
        # in half precision, gray levels would lose their last bit
        arithmetic = {} if outputs else {"dtype": "float32"}
        convolution = keras.layers.Conv2D(
            TEACHER_CHANNELS[layer] // 2,
            3,
            activation="relu",
            kernel_initializer="he_normal",
            name=f"{layer}_student",
            **arithmetic,
        )
        features = convolution(ReflectionPadding(**arithmetic)(features))
        outputs[layer] = features
    return keras.Model(inputs, outputs, name="half_student")


def build_half(*, layers: Sequence[str] = LAYERS, pooling: Pooling = "max") -> keras.Model:
    """Build the loss network without weights: the student and the folded map of each layer.

    Args:
      layers: some of `LAYERS`: those that have outputs.
      pooling: as for `build_student`.

    Returns:
      A model from float32 RGB 0..255 (N, H, W, 3), with H and W at least 16, to a dict of features
      by layer, float32, scaled like VGG-19's with a mean activation of 1.
    """
    student = build_student(pooling=pooling)
    outputs: dict[str, KerasTensor] = {}
    for layer in LAYERS:
        channels = student.output[layer].shape[-1]
        straight = keras.layers.Conv2D(channels, 1, use_bias=False, name=layer)
        outputs[layer] = straight(student.output[layer])
    return keras.Model(student.input, {layer: outputs[layer] for layer in layers}, name="half")


def load_half(
    path: Path | str, *, layers: Sequence[str] = LAYERS, pooling: Pooling = "max"
) -> keras.Model:
    """Build the loss network and load its weights from a ``.weights.h5`` file; frozen.

    Args:
      path: the file, with the weights of all `LAYERS`.
      layers: those that have outputs; what is deeper is not computed.
      pooling: as for `build_student`.

    Raises:
      WeightsError: the file is missing, damaged, or of another network.
    """
    model = build_half(pooling=pooling)
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{path}: expected weights of the network half (.weights.h5), got something else; "
            "leave weights out to use the embedded ones"
        ) from error
    model = keras.Model(model.input, {layer: model.output[layer] for layer in layers}, name="half")
    model.trainable = False
    return model
