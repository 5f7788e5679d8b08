"""A network that mixes every pixel with the mean color of the style: all that one has to bring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
from keras import ops

from stylizer.network.embedded.parts import NetworkParts
from stylizer.network.embedded.spec import EmbeddedNetworkSpec

__all__ = ["TINT", "load_parts"]

TINT = EmbeddedNetworkSpec(
    name="tint",
    summary="a stand-in",
    stride=4,
    least_side=4,
    style_side=32,
    built_in_styles=False,
    weights="fast",  # any file does: there is nothing to load
    loss_weights="compact",
    parts="tests.network.embedded.stand_in:load_parts",
    sources=("tests.network.embedded.stand_in",),
)


def load_parts(weights: Path, loss_weights: Path) -> NetworkParts:
    """Build the network, which has no weights."""
    image, code = keras.Input((None, None, 3), name="image"), keras.Input((3,), name="code")
    painted = 0.5 * image + 0.5 * ops.reshape(code, (-1, 1, 1, 3))
    picture = keras.Input((None, None, 3), name="image")
    statistics = keras.Input((3,), name="statistics")

    def make_graph() -> Any:
        import openvino as ov
        from openvino import opset13 as op

        given = op.parameter([1, -1, -1, 3], ov.Type.u8, name="image")
        color = op.parameter([1, 3], ov.Type.f32, name="code")
        half = op.multiply(op.convert(given, "f32"), op.constant(0.5, ov.Type.f32))
        mixed = op.add(half, op.multiply(color, op.constant(0.5, ov.Type.f32)))
        result = op.result(op.convert(op.round(mixed, "half_to_even"), "u8"))
        for name, slot in (("image", given), ("code", color), ("output", result)):
            slot.output(0).tensor.set_names({name})
        return ov.Model([result], [given, color], "tint")

    return NetworkParts(
        image=keras.Model({"image": image, "code": code}, painted),
        statistics=keras.Model({"image": picture}, ops.mean(picture, (1, 2))),
        predictor=keras.Model(statistics, keras.layers.Identity()(statistics)),
        make_graph=make_graph,
    )
