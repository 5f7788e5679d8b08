"""What goes with a style's code: what tuning found, or what makes its colors truer."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stylizer.frame import Image
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.inputs import StyleEmbedding, embed
from stylizer.styles.load import AnyStyle, Style

__all__ = ["Engine", "embed_style"]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What an engine does with a code.

    Attributes:
      change: how many numbers a change of the network has.
      values: gives what is made of the code, as arrays.
      paint: paints a picture, uint8 RGB (H, W, 3), by the code alone.
    """

    change: int
    values: Callable[[], Sequence[Any]]
    paint: Callable[[Image], Image]


def embed_style(
    code: StyleEmbedding,
    style: AnyStyle,
    network: EmbeddedNetworkSpec,
    weights: str | None,
    engine: Engine,
) -> StyleEmbedding:
    """Return a code, followed by a change of the network for its style, if there is any.

    Args:
      code: float32, 1-D.
      style: whose it is.
      network: which it is for.
      weights: sha256 of the network's file of weights.
      engine: what runs it.

    Raises:
      StyleError: the style was tuned for other weights of this network.
    """
    if network.colors is None or not isinstance(style, Style) or style.tuning is not None:
        return embed(code, style, network=network.name, weights=weights)
    match = pkgutil.resolve_name(network.colors)
    found: StyleEmbedding = match(
        code, style.image, size=engine.change, values=engine.values(), paint=engine.paint
    )
    return found
