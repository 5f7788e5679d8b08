"""What is known of a loss network before it is loaded: one record a network.

Importing this starts no backend.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from stylizer.errors import ConfigError
from stylizer.perceptual.types import LayerWeights, Pooling

__all__ = [
    "IMAGENET_COLOR",
    "VGG_LAYERS",
    "LossNetworkChoice",
    "LossNetworkSpec",
    "pooling_stride",
]

IMAGENET_COLOR = (123.68, 116.779, 103.939)
"""Mean red, green and blue of ImageNet, 0..255."""

VGG_LAYERS = {
    name: tuple(
        f"block{block}_conv{index}"
        for block, count in enumerate(counts, start=1)
        for index in range(1, count + 1)
    )
    for name, counts in (("vgg16", (2, 2, 3, 3, 3)), ("vgg19", (2, 2, 4, 4, 4)))
}
"""The names of VGG's convolutions, from the first."""


def pooling_stride(layers: Sequence[str]) -> int:
    """Return the product of VGG's poolings before the deepest of these layers."""
    return int(2 ** (max(int(layer[len("block")]) for layer in layers) - 1))


class LossNetworkChoice(Protocol):
    """Which loss network is asked for; `stylizer.gatys.config.GatysConfig` has these fields."""

    @property
    def network(self) -> str:
        """Its name, in any case: one of `stylizer.perceptual.registry`."""

    @property
    def weights(self) -> Path | None:
        """A file of weights; None for the network's own."""

    @property
    def pooling(self) -> Pooling | None:
        """What replaces its pooling; None for the network's own."""

    @property
    def content_layers(self) -> LayerWeights | None:
        """Layers and weights of the content loss; None for the network's default."""

    @property
    def style_layers(self) -> LayerWeights | None:
        """Layers and weights of the style loss; None for the network's default."""


@dataclass(frozen=True, kw_only=True)
class LossNetworkSpec:
    """A loss network, as `stylizer.perceptual.registry` lists it.

    Attributes:
      name: as in ``--loss-network``, in lower case.
      summary: a few words for help.
      load: loads a model from float32 RGB 0..255 (N, H, W, 3) to a dict of features by layer, no
        deeper than the layers asked for, under the precision policy that Keras has; frozen. Its
        name is the network's.
      layers: those that have features; None where they are known only once it is loaded.
      content_layers: the default ones, with their weights; None where they must be named.
      style_layers: the same.
      stride: the product of its poolings for the layers asked for; None where that is not known.
      mean_color: mean red, green and blue (0..255) of what it was trained with.
      pooling: whether its pooling can be replaced.
      channels: by layer, of a network that is scaled to a mean activation of 1, as Gatys et al.
        (2016) scale VGG-19; None for networks with ImageNet's weights as they are.
      built_in_styles: whether the built-in styles' Gram matrices are of its own weights.
    """

    name: str
    summary: str
    load: Callable[[LossNetworkChoice, Sequence[str]], Any]
    layers: tuple[str, ...] | None = None
    content_layers: LayerWeights | None = None
    style_layers: LayerWeights | None = None
    stride: Callable[[Sequence[str]], int] | None = None
    mean_color: tuple[float, float, float] = (127.5, 127.5, 127.5)
    pooling: bool = False
    channels: Mapping[str, int] | None = None
    built_in_styles: bool = False

    def choose_layers(self, settings: LossNetworkChoice) -> tuple[LayerWeights, LayerWeights]:
        """Return the layers of the content and of the style loss: those asked for, or its own.

        Raises:
          ConfigError: they are not named where they must be, or the network has no such layer.
        """
        content = settings.content_layers or self.content_layers
        style = settings.style_layers or self.style_layers
        if content is None or style is None:
            raise ConfigError(
                f"network: {settings.network} has no default layers; "
                "name content_layers and style_layers"
            )
        for layer, _ in (*content, *style):
            if self.layers is not None and layer not in self.layers:
                raise ConfigError(
                    f"{self.name}: no layer {layer!r}; expected some of {', '.join(self.layers)}"
                )
        return content, style
