"""Loss networks: chosen by name, they turn images into features by layer.

Images are float32 RGB 0..255, (N, H, W, 3), for every network; each does its own preprocessing.
Features are float32, (N, H', W', C).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from stylizer.errors import ConfigError
from stylizer.perceptual import applications, vgg
from stylizer.perceptual.compact import TAPS, load_compact
from stylizer.perceptual.losses import Tensor
from stylizer.perceptual.types import LayerWeights
from stylizer.weights import weights_path

if TYPE_CHECKING:
    from stylizer.gatys.config import GatysConfig

__all__ = ["LossNetwork", "load_network"]

_DEFAULT_CONTENT: dict[str, LayerWeights] = {
    "compact": ((TAPS[-1], 1.0),),
    "vgg16": (("block4_conv2", 1.0),),
    "vgg19": (("block4_conv2", 1.0),),
}
_DEFAULT_STYLE: dict[str, LayerWeights] = {
    "compact": tuple((layer, 1 / 4) for layer in TAPS),
    "vgg16": tuple((f"block{block}_conv1", 1 / 5) for block in range(1, 6)),
    "vgg19": tuple((f"block{block}_conv1", 1 / 5) for block in range(1, 6)),
}
_SIDES = (1, 2, 4, 8, 16, 32, 48, 64, 75, 96, 128, 160, 224, 331)
"""Sides among which the least that a network takes is looked for, in pixels."""


class LossNetwork:
    """A frozen network whose features measure content and style.

    Attributes:
      name: as in `GatysConfig.network`.
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
        self._model = model

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return float32 features by layer for images, float32 RGB 0..255, (N, H, W, 3)."""
        features = self._model(images, training=False)
        return {layer: ops.cast(value, "float32") for layer, value in features.items()}


def load_network(config: GatysConfig, *, precision: str = "float32") -> LossNetwork:
    """Load the network that ``config`` names, no deeper than its layers need.

    Args:
      config: ``network``, ``weights``, ``pooling``, ``content_layers`` and ``style_layers`` count.
      precision: arithmetic of the network: ``"float32"``, ``"float16"`` or ``"bfloat16"``; its
        weights are kept in float32.

    Raises:
      ConfigError: no such network or layer, layers are not named where they must be, or ``pooling``
        is given for a network other than a VGG.
      WeightsError: the weights are missing, damaged, or of another network.
    """
    name = config.network.lower()
    content = config.content_layers or _DEFAULT_CONTENT.get(name)
    style = config.style_layers or _DEFAULT_STYLE.get(name)
    if content is None or style is None:
        if name not in applications.application_names():
            known = ", ".join(sorted(applications.application_names()))
            raise ConfigError(f"network: got {name!r}, expected compact or one of {known}")
        raise ConfigError(
            f"network: {config.network} has no default layers; name content_layers and style_layers"
        )
    if config.pooling is not None and name not in vgg.VGG_BLOCKS:
        raise ConfigError(f"pooling: can be replaced in vgg16 and vgg19 only, got {config.network}")
    layers = list(dict.fromkeys(layer for layer, _ in (*content, *style)))
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        model, stride = _build(name, config, layers)
    finally:
        keras.config.set_dtype_policy(before)
    color = {} if name not in _DEFAULT_STYLE else {"mean_color": vgg.MEAN_COLOR}
    return LossNetwork(model, content_layers=content, style_layers=style, stride=stride, **color)


def _build(name: str, config: GatysConfig, layers: list[str]) -> tuple[keras.Model, int | None]:
    if name == "compact":
        return _build_compact(config, layers), 8
    if name not in vgg.VGG_BLOCKS:
        return applications.build_application(name, layers, config.weights), None
    reflect = False
    if config.weights is not None and config.weights.suffix.lower() == ".npz":
        kernels, reflect = vgg.read_kernels(config.weights)
    else:
        vgg.check_layers(name, layers)
        kernels = applications.vgg_kernels(name, config.weights)
    pooling = config.pooling or "max"
    model = vgg.build_vgg(name, layers, kernels, pooling=pooling, reflect=reflect)
    deepest = max(int(layer[len("block")]) for layer in layers)
    return model, 2 ** (deepest - 1)


def _build_compact(config: GatysConfig, layers: Sequence[str]) -> keras.Model:
    for layer in layers:
        if layer not in TAPS:
            raise ConfigError(f"compact: no layer {layer!r}; expected some of {', '.join(TAPS)}")
    model = load_compact(config.weights or weights_path("compact"))
    return keras.Model(
        model.input, {layer: model.output[layer] for layer in layers}, name="compact"
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
