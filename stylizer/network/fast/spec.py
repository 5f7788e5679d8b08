"""The record of the embedded network ``fast``."""

from __future__ import annotations

from stylizer.network.embedded.spec import EmbeddedNetworkSpec

__all__ = ["FAST"]

FAST = EmbeddedNetworkSpec(
    name="fast",
    summary="embedded",
    stride=8,
    least_side=16,  # at an eighth of it there are two pixels, which can be reflected
    style_side=384,
    built_in_styles=True,
    weights="fast",
    loss_weights="style_encoder",
    openvino="fast_openvino",
    parts="stylizer.network.fast.parts:load_parts",
    sources=(
        "stylizer.network.fast.architecture",
        "stylizer.network.embedded.openvino_graph",
        "stylizer.perceptual.compact",
    ),
)
