"""The words in which a loss network and its losses are chosen; importing them starts no backend."""

from __future__ import annotations

from typing import Literal

__all__ = ["LayerWeights", "Pooling", "Reduction"]

LayerWeights = tuple[tuple[str, float], ...]
"""Names of layers of the loss network, each with the weight of its loss."""

Pooling = Literal["max", "average"]
Reduction = Literal["mean", "sum"]
