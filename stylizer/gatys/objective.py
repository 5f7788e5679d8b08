"""What the optimization makes small: a sum of weighted loss terms, each under its name.

A new term is a function here and its line in `TERMS`: records of losses, their CSV and their plot
follow the names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from keras import ops

from stylizer.gatys.config import GatysConfig
from stylizer.perceptual import losses
from stylizer.perceptual.features import LossNetwork
from stylizer.perceptual.losses import Tensor

__all__ = ["TERMS", "LossTerm", "State", "make_objective", "name_losses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a term is computed of.

    Attributes:
      canvas: float32, (1, H, W, 3), 0..255.
      features: of the canvas, by layer of the loss network.
      targets: what the engine has measured, by name.
      network: the loss network.
      config: the settings.
    """

    canvas: Tensor
    features: Mapping[str, Tensor]
    targets: Mapping[str, Any]
    network: LossNetwork
    config: GatysConfig


@dataclass(frozen=True, kw_only=True)
class LossTerm:
    """One term of the total loss.

    Attributes:
      weight: its factor, by the settings.
      loss: its value, a float32 scalar of 0 or more.
      target: the target without which it is 0 and costs nothing; None where it needs none.
    """

    weight: Callable[[GatysConfig], float]
    loss: Callable[[State], Tensor]
    target: str | None = None


def _content(state: State) -> Tensor:
    """Features of the content (Gatys et al. 2016, eq. 1); relative to their energy if so set."""

    def compare(features: Tensor, target: Tensor) -> Tensor:
        if state.config.relative:
            return losses.relative_content_loss(features, target)
        return losses.content_loss(features, target, reduction=state.config.reduction)

    found = {
        layer: compare(state.features[layer], target)
        for layer, target in state.targets["content"].items()
    }
    return losses.weighted_sum(found, state.network.content_layers)


def _style(state: State) -> Tensor:
    """Gram matrices of the styles (Gatys et al. 2016, eq. 5); relative to energy if so set."""
    guides = state.targets.get("guides")
    found = {
        layer: _style_of_layer(state.features[layer], target, layer, guides, state.config)
        for layer, target in state.targets["style"].items()
    }
    return losses.weighted_sum(found, state.network.style_layers)


def _style_of_layer(
    features: Tensor, target: Tensor, layer: str, guides: Any, config: GatysConfig
) -> Tensor:
    """Return a layer's style loss; with guides, that of each part times its share of the picture.

    Guided as in Gatys et al. 2017; see `stylizer.gatys.guidance`.
    """
    compare = losses.relative_style_loss if config.relative else losses.style_loss
    if guides is None:
        return compare(losses.gram_matrix(features), target)
    grams = losses.guided_gram_matrices(features, guides[layer])
    parts = [
        guides["shares"][part] * compare(grams[part : part + 1], target[part : part + 1])
        for part in range(grams.shape[0])
    ]
    return sum(parts[1:], start=parts[0])


def _total_variation(state: State) -> Tensor:
    """Smoothness, which the paper does not have."""
    config = state.config
    return losses.total_variation(
        state.canvas, exponent=config.tv_exponent, reduction=config.reduction
    )


def _temporal(state: State) -> Tensor:
    """Earlier frames, carried along (Ruder et al. 2016, eq. 8 and 9)."""
    held = state.targets["temporal"]
    return losses.temporal_loss(
        state.canvas, held["picture"], held["weights"], reduction=state.config.reduction
    )


TERMS: Mapping[str, LossTerm] = MappingProxyType(
    {
        "content": LossTerm(
            weight=lambda config: config.content_weight, loss=_content, target="content"
        ),
        "style": LossTerm(weight=lambda config: config.style_weight, loss=_style, target="style"),
        "total_variation": LossTerm(weight=lambda config: config.tv_weight, loss=_total_variation),
        "temporal": LossTerm(
            weight=lambda config: config.temporal_weight, loss=_temporal, target="temporal"
        ),
    }
)
"""The terms of the total loss, by name."""


def make_objective(
    network: LossNetwork, config: GatysConfig
) -> Callable[[Tensor, Any], tuple[Tensor, Tensor]]:
    """Return the total loss as a function of the canvas (Gatys et al. 2016, eq. 7).

    Differs from the paper: there are more `TERMS`, and the layers' losses may be relative to their
    targets' energies.

    Args:
      network: the loss network.
      config: the weights.

    Returns:
      ``objective(canvas, targets by name) -> (total, losses)`` with losses float32: each term's,
      times its weight, and the total, as `name_losses` names them.
    """

    def objective(canvas: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        state = State(
            canvas=canvas,
            features=network(canvas),
            targets=targets,
            network=network,
            config=config,
        )
        found = [
            term.weight(config) * term.loss(state)
            if term.target is None or term.target in targets
            else ops.zeros((), "float32")
            for term in TERMS.values()
        ]
        total = sum(found[1:], start=found[0])
        return total, ops.stack([*found, total])

    return objective


def name_losses(values: tuple[float, ...]) -> dict[str, float]:
    """Return the losses of an objective by name: each of `TERMS`, and ``"total"``."""
    return dict(zip((*TERMS, "total"), values, strict=True))
