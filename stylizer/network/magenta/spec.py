"""The record of Magenta's network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stylizer.network.spec import FastNetworkSpec

if TYPE_CHECKING:
    from stylizer.network.config import FastConfig
    from stylizer.network.runtime import Runtime

__all__ = ["MAGENTA"]


def _in_tensorflow(config: FastConfig) -> Runtime:
    from stylizer.network.magenta.hub import MagentaRuntime

    return MagentaRuntime(source=config.magenta, threads=config.threads)


MAGENTA = FastNetworkSpec(
    name="magenta",
    summary="Google's, fetched",
    loaders={"tensorflow": _in_tensorflow},
    precisions=("float32",),
    settings=("magenta",),
    stride=4,
    least_side=4,
    style_side=256,  # what it was trained at
    mixes=False,
    built_in_styles=False,
)
