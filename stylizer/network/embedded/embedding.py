"""What goes with a style's code: what tuning found, or what suits its planes and its colors."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stylizer.frame import Image
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.inputs import StyleEmbedding, embed, resize_style
from stylizer.styles.load import AnyStyle, Style

__all__ = ["Engine", "embed_style"]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What an engine does with an embedding, which is a code, or a code followed by a change.

    Attributes:
      change: how many numbers a change of the network has.
      values: gives what is made of it, as arrays.
      paint: paints a picture, uint8 RGB (H, W, 3), by it.
    """

    change: int
    values: Callable[[StyleEmbedding], Sequence[Any]]
    paint: Callable[[Image, StyleEmbedding], Image]


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
    if not engine.change or not isinstance(style, Style) or style.tuning is not None:
        return embed(code, style, network=network.name, weights=weights)
    whole = np.concatenate([code, np.zeros(engine.change, np.float32)])
    if network.noise_gains is not None:
        picture = resize_style(style.image, network.style_side)
        gains = pkgutil.resolve_name(network.noise_gains)(picture)
        whole[len(code) :][: len(gains)] = gains - 1
    if network.colors is not None:
        match = pkgutil.resolve_name(network.colors)
        before = whole.copy()
        whole = match(
            before,
            style.image,
            values=engine.values(before),
            paint=lambda image: engine.paint(image, before),
        )
    whole.setflags(write=False)
    return whole
