"""The networks that the training knows, each built and called in its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from stylizer.network.adaptive import architecture as adaptive
from stylizer.network.adaptive.noise import NOISE_CHANNELS
from stylizer.network.fast import architecture as fast
from stylizer.perceptual.compact import TAPS
from stylizer.tuning.policy import Policy

__all__ = ["NETWORKS", "Trainable", "build"]

Tensor = Any


@dataclass(frozen=True, kw_only=True)
class Trainable:
    """A network with what it is called by. Images are float32 RGB 0..255, (N, H, W, 3).

    Attributes:
      network: of all weights; built.
      measure: from features of the compact loss network, from fine to coarse, to what the predictor
        is given; no weights that are trained take part.
      read: from that to the statistics that the predictor normalizes.
      predict: from what is measured to codes (N, C).
      paint: from images, noise as of `stylizer.network.adaptive.noise.make_noise`, and
        codes, to paintings.
    """

    network: keras.Model
    measure: Callable[[list[Tensor]], Tensor]
    read: Callable[[Tensor], Tensor]
    predict: Callable[[Tensor], Tensor]
    paint: Callable[[Tensor, Tensor, Tensor], Tensor]

    @property
    def normalization(self) -> keras.layers.Normalization:
        """The layer that is set to the mean and variance of statistics before training."""
        return next(
            layer
            for model in self.network.layers
            if isinstance(model, keras.Model)
            for layer in model.layers
            if isinstance(layer, keras.layers.Normalization)
        )


def build(name: str, arithmetic: str) -> Trainable:
    """Build a network.

    Args:
      name: of `NETWORKS`.
      arithmetic: ``"float32"`` or ``"bfloat16"``, for networks that are made for it.
    """
    return NETWORKS[name](arithmetic)


def _build_adaptive(arithmetic: str) -> Trainable:
    with Policy(arithmetic):
        network = adaptive.build_network()
    shapes = {
        "image": (1, 32, 32, 3),
        "noise": (1, 8, 8, NOISE_CHANNELS),
        "statistics": (1, adaptive.STATISTICS_SIZE),
    }
    network({key: np.ones(shape, np.float32) for key, shape in shapes.items()})
    predictor, painter = network.get_layer("predictor"), network.get_layer("image_network")

    def measure(features: list[Tensor]) -> Tensor:
        return adaptive.style_statistics(dict(zip(TAPS, features, strict=True)))

    def paint(image: Tensor, noise: Tensor, code: Tensor) -> Tensor:
        return painter({"image": image, "noise": noise, "code": code})

    return Trainable(
        network=network,
        measure=measure,
        read=predictor.get_layer("read"),
        predict=predictor,
        paint=paint,
    )


def _build_fast(_: str) -> Trainable:
    network = fast.build_network()  # its normalization needs float32
    statistics = np.zeros((1, fast.STATISTICS_SIZE), np.float32)
    network({"image": np.zeros((1, 32, 32, 3), np.float32), "statistics": statistics})
    predictor, painter = network.get_layer("fast_predictor"), network.get_layer("fast_image")

    def measure(features: list[Tensor]) -> Tensor:
        return fast.style_statistics(dict(zip(TAPS, features, strict=True)))

    def paint(image: Tensor, _: Tensor, code: Tensor) -> Tensor:
        return painter({"image": image, "code": code})

    return Trainable(
        network=network,
        measure=measure,
        read=lambda statistics: statistics,
        predict=predictor,
        paint=paint,
    )


NETWORKS: dict[str, Callable[[str], Trainable]] = {
    "adaptive": _build_adaptive,
    "fast": _build_fast,
}
"""By the names of their records (`stylizer.network.registry`)."""
