"""The record of Magenta's network."""

from __future__ import annotations

from stylizer.network.spec import FastNetworkSpec

__all__ = ["MAGENTA"]

MAGENTA = FastNetworkSpec(
    name="magenta",
    summary="Google's, fetched",
    engines={"tensorflow": "stylizer.network.magenta.hub:load"},
    precisions=("float32",),
    settings=("magenta",),
    stride=4,
    least_side=4,
    style_side=256,  # what it was trained at
    mixes=False,
    built_in_styles=False,
)
