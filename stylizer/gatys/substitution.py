"""Settings made for one loss network, carried over to another: layers, and the losses' balance.

A recipe names VGG's layers, and weights that belong to the scale of ImageNet's weights. Where those
cannot be had, or another network is asked for, each layer is replaced by the nearest there is, and
weights of losses that are not relative are multiplied so that the balance stays about what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from stylizer.errors import FetchError
from stylizer.gatys.config import GatysConfig
from stylizer.notices import notice
from stylizer.perceptual.registry import find_loss_network
from stylizer.perceptual.spec import VGG_LAYERS, LossNetworkSpec
from stylizer.perceptual.types import LayerWeights

__all__ = ["reachable", "with_network"]

_ORDER = VGG_LAYERS["vgg19"]
"""All layers of VGG-16 and VGG-19, from the first."""

_WIDTHS = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512}
"""Channels by block of VGG."""

_ACTIVATIONS = {1: 40.0, 2: 100.0, 3: 100.0, 4: 300.0, 5: 10.0}
"""Mean activations by block of VGG with ImageNet's weights, to the order of magnitude.

Estimated: weight decay makes the kernels of all layers equal in norm, which together with the
rescaled kernels gives the activations up to one number; this follows from the total loss of 5.78e8
that TensorFlow's tutorial starts from. Block 5 is a guess.
"""


def reachable(config: GatysConfig) -> GatysConfig:
    """Return settings whose loss network can be had: these, or those with their ``substitute``.

    That it was needed is said in one line. ImageNet's weights are fetched for it, if they are not
    there.
    """
    if config.substitute is None or config.weights is not None:
        return config
    from stylizer.perceptual.applications import fetch_weights

    try:
        fetch_weights(config.network)
    except FetchError:
        return with_network(
            config,
            config.substitute,
            reason=f"the ImageNet weights of {config.network} cannot be fetched: ",
        )
    return config


def with_network(config: GatysConfig, name: str, *, reason: str = "") -> GatysConfig:
    """Return settings with another loss network; what it lacks is replaced, and said in one line.

    Args:
      config: settings whose layers are VGG's, or the network's own.
      name: of the network, as in ``--loss-network``.
      reason: what the line begins with.

    Raises:
      ConfigError: there is no such network.
    """
    spec, old = find_loss_network(name), find_loss_network(config.network)
    changed = replace(config, network=spec.name, substitute=None)
    if spec.layers is None or spec.name == old.name:
        return changed
    known = spec.layers
    nearest = {
        layer: _nearest(layer, known)
        for layers in (config.content_layers, config.style_layers)
        for layer, _ in layers or ()
        if layer not in known and layer in _ORDER
    }
    content, style = _factors(config, spec, old, nearest)
    pooling = config.pooling if spec.pooling else None
    told = [f"{new} for {' and '.join(olds)}" for new, olds in _grouped(nearest).items()]
    if config.pooling != pooling:
        told.append(f"its own pooling for {config.pooling}")
    if told or reason:
        what = f"{spec.name} takes the place of {old.name}"
        notice.info("%s%s", reason, ", with ".join([what, *([", ".join(told)] if told else [])]))
    return replace(
        changed,
        pooling=pooling,
        content_layers=_moved(config.content_layers, nearest, content),
        style_layers=_moved(config.style_layers, nearest, style),
    )


def _nearest(layer: str, known: Sequence[str]) -> str:
    """Return the layer of the nearest block, and there the nearest."""

    def distance(other: str) -> tuple[int, int]:
        return abs(_block(other) - _block(layer)), abs(_ORDER.index(other) - _ORDER.index(layer))

    return min((other for other in known if other in _ORDER), key=distance)


def _grouped(nearest: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for old, new in nearest.items():
        found.setdefault(new, []).append(old)
    return found


def _moved(
    layers: LayerWeights | None, nearest: Mapping[str, str], factors: Mapping[str, float]
) -> LayerWeights | None:
    """Return layers and weights for the other network; those that coincide are added up."""
    if layers is None:
        return None
    found: dict[str, float] = {}
    for layer, weight in layers:
        new = nearest.get(layer, layer)
        found[new] = found.get(new, 0.0) + weight * factors.get(layer, 1.0)
    return tuple(found.items())


def _factors(
    config: GatysConfig, spec: LossNetworkSpec, old: LossNetworkSpec, nearest: Mapping[str, str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return by which weights of content and style layers are multiplied: losses have a scale.

    The content loss goes with the second power of the activations, the style loss with the fourth.
    A sum over fewer entries is less.
    """
    content: dict[str, float] = {}
    style: dict[str, float] = {}
    if config.relative or spec.channels is None or old.channels is not None:
        return content, style
    for layer in _ORDER:
        activation = _ACTIVATIONS[_block(layer)]
        content[layer], style[layer] = activation**2, activation**4
        new = nearest.get(layer, layer)
        if config.reduction == "sum" and new in spec.channels:
            entries = [
                width / 4 ** _block(name)
                for name, width in ((layer, _WIDTHS[_block(layer)]), (new, spec.channels[new]))
            ]
            content[layer] *= entries[0] / entries[1]
    return content, style


def _block(layer: str) -> int:
    return int(layer[len("block")])
