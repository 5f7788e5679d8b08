"""Loss networks: chosen by name, they turn images into features by layer.

Images are float32 RGB 0..255, (N, H, W, 3), for every network; each does its own preprocessing.
Features are float32, (N, H', W', C).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from stylizer.errors import ConfigError
from stylizer.perceptual.losses import Tensor
from stylizer.perceptual.registry import LOSS_NETWORKS, find_loss_network
from stylizer.perceptual.spec import LossNetworkChoice
from stylizer.perceptual.types import LayerWeights

__all__ = ["LossNetwork", "load_network"]

_SIDES = (1, 2, 4, 8, 16, 32, 48, 64, 75, 96, 128, 160, 224, 331)
"""Sides among which the least that a network takes is looked for, in pixels."""


class LossNetwork:
    """A frozen network whose features measure content and style.

    Attributes:
      name: as in `LossNetworkChoice.network`, in lower case.
      model: the network as it is in Keras.
      content_layers: the layers of the content loss, with their weights.
      style_layers: the layers of the style loss, with their weights.
      minimum_size: the least side of an image, in pixels.
      stride: sides that are multiples of it lose no pixel in the pooling.
      mean_color: the mean red, green and blue (0..255) that the network was trained with.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        content_layers: LayerWeights,
        style_layers: LayerWeights,
        stride: int | None = None,
        mean_color: tuple[float, float, float] = (127.5, 127.5, 127.5),
    ) -> None:
        """Wrap a model from float32 RGB 0..255 (N, H, W, 3) to a dict of features by layer."""
        self.name = str(model.name)
        self.content_layers = content_layers
        self.style_layers = style_layers
        self.stride = stride or 1
        self.mean_color = mean_color
        # twice the stride leaves the deepest layer two pixels a side, which can be reflected
        self.minimum_size = 2 * stride if stride is not None else _minimum_size(model)
        self.model = model

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return float32 features by layer for images, float32 RGB 0..255, (N, H, W, 3)."""
        features = self.model(images, training=False)
        return {layer: ops.cast(value, "float32") for layer, value in features.items()}

    def layer_sizes(self, height: int, width: int) -> dict[str, tuple[int, int]]:
        """Return the (height, width) of each layer's features, for an image's."""
        shapes = self.model.compute_output_shape((1, height, width, 3))
        return {layer: (shape[1], shape[2]) for layer, shape in shapes.items()}


def load_network(settings: LossNetworkChoice, *, precision: str = "float32") -> LossNetwork:
    """Load the network that is asked for, no deeper than its layers need.

    Args:
      settings: which network, and how.
      precision: arithmetic of the network: ``"float32"``, ``"float16"`` or ``"bfloat16"``; its
        weights are kept in float32.

    Raises:
      ConfigError: no such network or layer, layers are not named where they must be, or ``pooling``
        is given for a network whose pooling cannot be replaced.
      WeightsError: the weights are missing, damaged, or of another network.
    """
    spec = find_loss_network(settings.network)
    content, style = spec.choose_layers(settings)
    if settings.pooling is not None and not spec.pooling:
        *able, last = sorted(one.name for one in LOSS_NETWORKS.values() if one.pooling)
        raise ConfigError(
            f"pooling: can be replaced in {', '.join(able)} and {last} only, got {settings.network}"
        )
    layers = list(dict.fromkeys(layer for layer, _ in (*content, *style)))
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        model = spec.load(settings, layers)
    finally:
        keras.config.set_dtype_policy(before)
    return LossNetwork(
        model,
        content_layers=content,
        style_layers=style,
        stride=None if spec.stride is None else spec.stride(layers),
        mean_color=spec.mean_color,
    )


def _minimum_size(model: Any) -> int:
    for side in _SIDES:
        try:
            shapes = model.compute_output_shape((1, side, side, 3))
        except ValueError:
            continue
        if all(0 not in shape for shape in shapes.values()):
            return side
    return _SIDES[-1]
