"""The options of the optimization: everything in `GatysConfig` that a user sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from stylizer.backend.precision import AnyPrecision
from stylizer.errors import ConfigError
from stylizer.gatys.config import (
    STILL_NETWORK,
    GatysConfig,
    GatysEngine,
    Initial,
    Optimizer,
    Start,
    Uncovered,
)
from stylizer.gatys.recipes import RECIPES, Recipe, recipe
from stylizer.gatys.substitution import with_network
from stylizer.perceptual.registry import LOSS_NETWORKS
from stylizer.perceptual.types import LayerWeights, Pooling
from stylizer.size import Size

from .shared import named, option, parse_size

__all__ = ["SHARED", "GatysAloneOptions", "GatysOptions", "StyleOption"]

SHARED = ("style", "style_scale", "weights", "precision")
"""The options here that the fast method has too."""

_DEFAULTS = GatysConfig()
_STYLE, _COURSE, _NETWORK = "Style", "Gatys: optimization", "Gatys: loss network"


def _setting(field: str, text: str, panel: str, **settings: Any) -> Any:
    """Describe the option for a field of `GatysConfig`, its default read from there."""
    default = getattr(_DEFAULTS, field)
    shown = "the network's own" if default is None else default
    text = f"{text} Default: {shown}."
    return option(field.replace("_", "-"), text, panel, show_default=False, **settings)


StyleOption = Annotated[
    list[str],
    typer.Option(
        "--style",
        "-s",
        metavar="[PART=]NAME|PATH[:WEIGHT]",
        help="A built-in style (`stylizer styles` lists them) or a picture; "
        "repeat it, with weights, to mix several, or for parts of the picture: person=..., "
        "background=..., face=..., hair=..., skin=..., mask:FILE=... (white in a picture or "
        "video of masks).",
        rich_help_panel=_STYLE,
    ),
]
"""What to paint like; the same for all commands."""


@dataclass(frozen=True, kw_only=True)
class GatysOptions:
    """What to paint like, and how; an option that is not given is None."""

    style: StyleOption
    style_scale: Annotated[
        float | None,
        _setting(
            "style_scale", "Size of the style pictures: larger makes broader strokes.", _STYLE
        ),
    ] = None
    weights: Annotated[
        Path | None, _setting("weights", "A file of weights for the network.", _STYLE)
    ] = None
    recipe: Annotated[
        str | None,
        option(
            "recipe",
            f"Settings of a published method: {', '.join(RECIPES)}; implies --method gatys. "
            "Other options override it.",
            _COURSE,
            metavar="NAME",
        ),
    ] = None
    content_weight: Annotated[
        float | None, _setting("content_weight", "Factor of the content loss.", _COURSE)
    ] = None
    style_weight: Annotated[
        float | None, _setting("style_weight", "Factor of the style loss.", _COURSE)
    ] = None
    tv_weight: Annotated[
        float | None, _setting("tv_weight", "Factor of the total variation loss.", _COURSE)
    ] = None
    loss_network: Annotated[
        str | None,
        option(
            "loss-network",
            f"{named(LOSS_NETWORKS)}, or one of keras.applications with its layers. "
            f"Default: {STILL_NETWORK} for pictures, {_DEFAULTS.network} for videos.",
            _NETWORK,
            show_default=False,
        ),
    ] = None
    pooling: Annotated[
        Pooling | None, _setting("pooling", "Replaces the pooling of a VGG or of half.", _NETWORK)
    ] = None
    content_layer: Annotated[
        list[str] | None,
        option(
            "content-layer",
            "A layer of the content loss; repeatable.",
            _NETWORK,
            metavar="NAME[:WEIGHT]",
        ),
    ] = None
    style_layer: Annotated[
        list[str] | None,
        option(
            "style-layer",
            "A layer of the style loss; repeatable.",
            _NETWORK,
            metavar="NAME[:WEIGHT]",
        ),
    ] = None
    precision: Annotated[
        AnyPrecision | None,
        _setting(
            "precision",
            "Arithmetic of the network. int8 goes with --method fast, float16 with --method gatys.",
            _NETWORK,
        ),
    ] = None
    gatys_engine: Annotated[
        GatysEngine | None,
        option(
            "gatys-engine",
            "What computes losses and gradients: OpenVINO, made for CPUs, or Keras, which knows "
            f"GPUs and every network. Default: {_DEFAULTS.engine}, by device and network.",
            _NETWORK,
            show_default=False,
        ),
    ] = None
    iterations: Annotated[
        int | None,
        _setting("iterations", "Iterations of a picture, or of a video's first frame.", _COURSE),
    ] = None
    warm_iterations: Annotated[
        int | None, _setting("warm_iterations", "Iterations of each later frame.", _COURSE)
    ] = None
    passes: Annotated[
        int | None,
        _setting(
            "passes",
            "Of `stylizer video`: how often each shot is gone through, forward and backward in "
            "turn; with more than one, a shot is written once it is painted.",
            _COURSE,
        ),
    ] = None
    start: Annotated[
        Start | None,
        _setting(
            "start",
            "What a later frame starts from: the last painted frame moved along with the scene, "
            "the last as it was, or --initial.",
            _COURSE,
        ),
    ] = None
    uncovered: Annotated[
        Uncovered | None,
        _setting(
            "uncovered",
            "What comes into view begins as: painted by the fast network, or the content.",
            _COURSE,
        ),
    ] = None
    initial: Annotated[
        Initial | None,
        _setting(
            "initial",
            "What a picture starts from: painted by the fast network (of one style all over, and "
            "of no portrait), itself, noise, the style, or --initial-image.",
            _COURSE,
        ),
    ] = None
    optimizer: Annotated[
        Optimizer | None, _setting("optimizer", "adam or lbfgs (SciPy).", _COURSE)
    ] = None
    learning_rate: Annotated[
        float | None, _setting("learning_rate", "Adam's step in gray levels, 0..255.", _COURSE)
    ] = None
    scales: Annotated[
        int | None, _setting("scales", "Sizes of a still, coarse to fine.", _COURSE)
    ] = None
    seed: Annotated[int | None, _setting("seed", "Seed of the noise.", _COURSE)] = None

    def chosen_recipe(self) -> Recipe | None:
        """Return the recipe asked for, if any.

        Raises:
          ConfigError: there is no such recipe.
        """
        return None if self.recipe is None else recipe(self.recipe)

    def config(
        self, *, passes: bool = False, network: str | None = None, still: bool = False
    ) -> GatysConfig:
        """Return the recipe's settings, or the default ones, with the given options over them.

        Args:
          passes: whether several ``--passes`` may be asked for.
          network: as given by ``--network``, which once meant ``--loss-network``.
          still: whether what is painted are pictures, each by itself.

        Raises:
          ConfigError: there is no such recipe, or a setting is out of its range.
        """
        if network is not None and self.loss_network is not None:
            raise ConfigError(
                f"--network: once meant --loss-network, got {network} beside "
                f"{self.loss_network}; leave it out"
            )
        chosen = self.chosen_recipe()
        given = {
            field.name: getattr(self, field.name)
            for field in fields(GatysConfig)
            if field.name != "network" and getattr(self, field.name, None) is not None
        }
        default = replace(_DEFAULTS, network=STILL_NETWORK) if still else _DEFAULTS
        config = default if chosen is None else chosen.config
        if loss_network := self.loss_network or network:
            config = with_network(config, loss_network)
        if self.gatys_engine is not None:
            given["engine"] = self.gatys_engine
        for name, texts in (("content", self.content_layer), ("style", self.style_layer)):
            if texts:
                given[f"{name}_layers"] = _parse_layers(f"--{name}-layer", texts)
        config = replace(config, **given)
        if config.passes > 1 and not passes:
            raise ConfigError(
                f"--passes: expected 1 here, got {config.passes}; only `stylizer video` can go "
                "through a clip several times"
            )
        return config

    def recipe_size(self, size: str | None) -> Size | None:
        """Return the size asked for, else the recipe's, else None (the source's own).

        Raises:
          ConfigError: the size cannot be read.
        """
        chosen = self.chosen_recipe()
        return parse_size(size) or (chosen.size if chosen is not None else None)


@dataclass(frozen=True, kw_only=True)
class GatysAloneOptions(GatysOptions):
    """The same for commands that know no other method, and have no ``--network`` of their own."""

    network: Annotated[
        str | None, option("network", "Once meant --loss-network.", _NETWORK, hidden=True)
    ] = None

    def config(
        self, *, passes: bool = False, network: str | None = None, still: bool = False
    ) -> GatysConfig:
        """Return the settings; see `GatysOptions.config`."""
        return super().config(passes=passes, network=network or self.network, still=still)


def _parse_layers(option: str, texts: Sequence[str]) -> LayerWeights:
    layers = []
    for text in texts:
        name, colon, weight = text.partition(":")
        try:
            layers.append((name, float(weight) if colon else 1.0))
        except ValueError:
            raise ConfigError(f"{option}: expected NAME or NAME:WEIGHT, got {text!r}") from None
    return tuple(layers)
