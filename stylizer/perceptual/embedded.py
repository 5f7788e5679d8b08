"""The records of the embedded loss networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stylizer.perceptual.spec import (
    IMAGENET_COLOR,
    VGG_LAYERS,
    LossNetworkChoice,
    LossNetworkSpec,
    pooling_stride,
)
from stylizer.weights import weights_path

__all__ = ["COMPACT", "HALF"]

_TAPS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")
_HALF_LAYERS = VGG_LAYERS["vgg19"][:9]
_HALF_WIDTHS = {"block1": 32, "block2": 64, "block3": 128, "block4": 256}


def _load_compact(settings: LossNetworkChoice, layers: Sequence[str]) -> Any:
    import keras

    from stylizer.perceptual.compact import load_compact

    model = load_compact(settings.weights or weights_path("compact"))
    outputs = {layer: model.output[layer] for layer in layers}
    return keras.Model(model.input, outputs, name="compact")


def _load_half(settings: LossNetworkChoice, layers: Sequence[str]) -> Any:
    from stylizer.perceptual.half import load_half

    path = settings.weights or weights_path("half")
    return load_half(path, layers=layers, pooling=settings.pooling or "max")


COMPACT = LossNetworkSpec(
    name="compact",
    summary="embedded, quick",
    load=_load_compact,
    layers=_TAPS,
    content_layers=((_TAPS[-1], 1.0),),
    style_layers=tuple((layer, 1 / 4) for layer in _TAPS),
    stride=lambda layers: 8,
    mean_color=IMAGENET_COLOR,  # its teacher's
    channels=dict(zip(_TAPS, (16, 48, 96, 160), strict=True)),
    built_in_styles=True,
)

HALF = LossNetworkSpec(
    name="half",
    summary="embedded, nearly VGG-19",
    load=_load_half,
    layers=_HALF_LAYERS,
    content_layers=((_TAPS[-1], 1.0),),
    style_layers=tuple((layer, 1 / 4) for layer in _TAPS),
    stride=pooling_stride,
    mean_color=IMAGENET_COLOR,
    pooling=True,
    channels={layer: _HALF_WIDTHS[layer.partition("_")[0]] for layer in _HALF_LAYERS},
    built_in_styles=True,
)
