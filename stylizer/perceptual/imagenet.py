"""The records of networks that were trained on ImageNet: VGG, and the others that Keras has."""

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

__all__ = ["VGG16", "VGG19", "application"]


def _vgg(name: str) -> LossNetworkSpec:
    def load(settings: LossNetworkChoice, layers: Sequence[str]) -> Any:
        from stylizer.perceptual import applications, vgg

        reflect = False
        if settings.weights is not None and settings.weights.suffix.lower() == ".npz":
            kernels, reflect = vgg.read_kernels(settings.weights)
        else:
            kernels = applications.vgg_kernels(name, settings.weights)
        pooling = settings.pooling or "max"
        return vgg.build_vgg(name, layers, kernels, pooling=pooling, reflect=reflect)

    return LossNetworkSpec(
        name=name,
        summary="fetched",
        load=load,
        layers=VGG_LAYERS[name],
        content_layers=(("block4_conv2", 1.0),),
        style_layers=tuple((f"block{block}_conv1", 1 / 5) for block in range(1, 6)),
        stride=pooling_stride,
        mean_color=IMAGENET_COLOR,
        pooling=True,
    )


VGG16, VGG19 = _vgg("vgg16"), _vgg("vgg19")


def application(name: str) -> LossNetworkSpec:
    """Return the record of a network of `keras.applications`; its layers must be named.

    Args:
      name: of its class, in lower case.
    """

    def load(settings: LossNetworkChoice, layers: Sequence[str]) -> Any:
        from stylizer.perceptual.applications import build_application

        return build_application(name, layers, settings.weights)

    return LossNetworkSpec(name=name, summary="one of keras.applications", load=load)
