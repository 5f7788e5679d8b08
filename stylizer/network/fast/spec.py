"""The record of the embedded network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stylizer.network.spec import FastNetworkSpec

if TYPE_CHECKING:
    from stylizer.network.config import FastConfig
    from stylizer.network.runtime import Runtime

__all__ = ["FAST"]


def _in_openvino(config: FastConfig) -> Runtime:
    from stylizer.network.fast.openvino_runtime import OpenVinoRuntime

    return OpenVinoRuntime(config)


def _in_keras(config: FastConfig) -> Runtime:
    from stylizer.network.fast.keras_runtime import KerasRuntime

    return KerasRuntime(config)


FAST = FastNetworkSpec(
    name="fast",
    summary="embedded",
    loaders={"openvino": _in_openvino, "keras": _in_keras},
    precisions=("float32", "bfloat16"),
    settings=("weights",),
    weights="fast",
    stride=8,
    least_side=16,  # at an eighth of it there are two pixels, which can be reflected
    style_side=384,
    mixes=True,
    built_in_styles=True,
)
