"""Loads the network ``fast`` in the parts that engines run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from stylizer.network.embedded.parts import NetworkParts, load_weights
from stylizer.network.fast.architecture import build_network, style_statistics
from stylizer.perceptual.compact import load_compact

__all__ = ["load_network", "load_parts"]


def load_parts(weights: Path, loss_weights: Path) -> NetworkParts:
    """Load the network, and the compact loss network that it reads styles with.

    Raises:
      WeightsError: a file cannot be read, or holds another network's weights.
    """
    network = load_network(weights)
    image = network.get_layer("fast_image")
    picture = keras.Input((None, None, 3), name="image")
    statistics = style_statistics(load_compact(loss_weights)(picture))

    def make_graph() -> Any:
        from stylizer.network.fast.openvino_graph import build_graph

        return build_graph(image)

    return NetworkParts(
        image=image,
        statistics=keras.Model({"image": picture}, statistics),
        predictor=network.get_layer("fast_predictor"),
        make_graph=make_graph,
    )


def load_network(weights: Path) -> keras.Model:
    """Build the network of `build_network` and load its weights; frozen.

    Raises:
      WeightsError: the file cannot be read, or holds another network's weights.
    """
    network = build_network()
    load_weights(network, weights, name="fast")
    return network
