"""The record of the embedded network ``adaptive``."""

from __future__ import annotations

from stylizer.network.embedded.spec import EmbeddedNetworkSpec

__all__ = ["ADAPTIVE"]

ADAPTIVE = EmbeddedNetworkSpec(
    name="adaptive",
    summary="embedded; its kernels follow the style",
    stride=8,
    least_side=16,  # at an eighth of it there are two pixels, which can be reflected
    style_side=384,
    built_in_styles=True,
    weights="adaptive",
    loss_weights="style_encoder",
    openvino="adaptive_openvino",
    parts="stylizer.network.adaptive.parts:load_parts",
    noise="stylizer.network.adaptive.noise:noise_map",
    noise_gains="stylizer.network.adaptive.noise:noise_gains",
    colors="stylizer.network.adaptive.colors:match_colors",
    precisions=("float32", "bfloat16", "int8"),
    examples="stylizer.network.adaptive.dead_leaves:example_pictures",
    sources=(
        "stylizer.network.adaptive.architecture",
        "stylizer.network.adaptive.layers",
        "stylizer.network.adaptive.noise",
        "stylizer.network.adaptive.styled",
        "stylizer.network.fast.architecture",
        "stylizer.network.embedded.interpolation",
        "stylizer.network.embedded.openvino_graph",
        "stylizer.perceptual.compact",
    ),
)
