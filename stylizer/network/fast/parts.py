"""Loads the network ``fast`` in the parts that engines run."""

from __future__ import annotations

from pathlib import Path

import keras

from stylizer.network.embedded.parts import NetworkParts, join_parts, load_weights
from stylizer.network.fast.architecture import build_network, style_statistics

__all__ = ["load_network", "load_parts"]


def load_parts(weights: Path, loss_weights: Path) -> NetworkParts:
    """Load the network, and the compact loss network that it reads styles with.

    Raises:
      WeightsError: a file cannot be read, or holds another network's weights.
    """
    network = load_network(weights)
    return join_parts(
        painter=network.get_layer("fast_image"),
        predictor=network.get_layer("fast_predictor"),
        measure=style_statistics,
        loss_weights=loss_weights,
    )


def load_network(weights: Path) -> keras.Model:
    """Build the network of `build_network` and load its weights; frozen.

    Raises:
      WeightsError: the file cannot be read, or holds another network's weights.
    """
    network = build_network()
    load_weights(network, weights, name="fast")
    return network
