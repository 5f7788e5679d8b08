"""The objective in Keras, under any of its backends: whatever the network, on CPUs and GPUs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from stylizer.backend.keras_backend import compile_step, describe_device
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.guidance import Guides
from stylizer.gatys.memory import TemporalTarget
from stylizer.gatys.objective import make_objective
from stylizer.gatys.optimizers import Canvas, CanvasOptimizer, make_optimizer
from stylizer.gatys.targets import pad_picture
from stylizer.perceptual.features import LossNetwork
from stylizer.perceptual.losses import Tensor

__all__ = ["KerasObjective"]


class KerasObjective:
    """Targets as Keras's tensors; an `stylizer.gatys.engine.Objective`."""

    def __init__(self, network: LossNetwork, config: GatysConfig, *, precision: str) -> None:
        """Compile what reads the content.

        Args:
          network: the loss network, which runs in ``precision``.
          config: the weights, and the optimizer.
          precision: for the description.
        """
        self._network, self._config, self._precision = network, config, precision
        self._features = compile_step(self._select)

    @property
    def description(self) -> str:
        """Backend, device and precision."""
        return describe_device(precision=self._precision)

    def optimizer(self) -> CanvasOptimizer:
        """Return the optimizer that the config names."""
        return make_optimizer(make_objective(self._network, self._config), self._config)

    def content_targets(self, batch: Canvas) -> Any:
        """Return the content's features, given the padded picture (1, H, W, 3)."""
        return self._features(ops.convert_to_tensor(batch, "float32"))

    def style_targets(self, grams: Mapping[str, Tensor]) -> Any:
        """Return the styles' Gram matrices, given them as Keras's tensors."""
        return grams

    def guide_targets(self, guides: Guides) -> Any:
        """Return tensors of where each part is."""
        arrays = {**guides.maps, "shares": guides.shares}
        return {name: ops.convert_to_tensor(array) for name, array in arrays.items()}

    def temporal_targets(self, target: TemporalTarget | None, shape: tuple[int, ...]) -> Any:
        """Return tensors of the same shapes with a target or without, so that one trace does.

        Args:
          target: what the canvas is held to; None for nothing.
          shape: (H, W, 3) of the canvas.
        """
        if target is None:
            nothing = np.zeros(shape, np.float32)
            target = TemporalTarget(nothing, nothing[..., :1])
        arrays = {"picture": target.picture, "weights": target.weights}
        return {
            name: ops.convert_to_tensor(pad_picture(self._network, array), "float32")
            for name, array in arrays.items()
        }

    def _select(self, images: Tensor) -> dict[str, Tensor]:
        features = self._network(images)
        return {layer: features[layer] for layer, _ in self._network.content_layers}
