"""The record of the embedded loss network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stylizer.perceptual.spec import IMAGENET_COLOR, LossNetworkChoice, LossNetworkSpec
from stylizer.weights import weights_path

__all__ = ["COMPACT"]

_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")


def _load_compact(settings: LossNetworkChoice, layers: Sequence[str]) -> Any:
    import keras

    from stylizer.perceptual.compact import load_compact

    model = load_compact(settings.weights or weights_path("compact"))
    outputs = {layer: model.output[layer] for layer in layers}
    return keras.Model(model.input, outputs, name="compact")


COMPACT = LossNetworkSpec(
    name="compact",
    summary="embedded",
    load=_load_compact,
    layers=_LAYERS,
    content_layers=((_LAYERS[-1], 1.0),),
    style_layers=tuple((layer, 1 / 4) for layer in _LAYERS),
    stride=lambda layers: 8,
    mean_color=IMAGENET_COLOR,  # its teacher's
    built_in_styles=True,
)
