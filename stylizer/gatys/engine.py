"""The optimization of one canvas, which stills and video share.

Pictures come and go as (H, W, 3), canvases float32 and pictures uint8, both 0..255. Inside they are
padded at the right and bottom to what the network's pooling divides evenly, and cropped again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.errors import StyleError
from stylizer.frame import Image, check_image
from stylizer.gatys import losses
from stylizer.gatys.backend import compile_step
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.features import LossNetwork, load_network
from stylizer.gatys.losses import Tensor
from stylizer.gatys.optimizers import Canvas, Losses, make_optimizer
from stylizer.gatys.precision import choose_precision

__all__ = ["Engine", "WeightedStyle", "make_objective"]


class WeightedStyle(Protocol):
    """A style picture, uint8 RGB (H, W, 3), and its share among several."""

    @property
    def image(self) -> Image: ...  # noqa: D102
    @property
    def weight(self) -> float: ...  # noqa: D102


class Engine:
    """A loss network, style targets and an optimizer, for pictures of one size at a time.

    Attributes:
      network: the loss network.
      precision: the arithmetic it runs in.
    """

    def __init__(
        self,
        styles: Sequence[WeightedStyle],
        config: GatysConfig,
        *,
        network: LossNetwork | None = None,
    ) -> None:
        """Load the network.

        Args:
          styles: one or more.
          config: all but iterations and starts counts here.
          network: one already loaded; None loads what ``config`` names.

        Raises:
          StyleError: no style, or none with a weight.
          ConfigError, WeightsError: as `load_network` says.
        """
        if not styles:
            raise StyleError("styles: expected at least one style picture, got none")
        for style in styles:
            check_image(style.image, name="style")
        if min(style.weight for style in styles) < 0 or not sum(style.weight for style in styles):
            raise StyleError("styles: expected weights of 0 or more, not all 0")
        self._styles = tuple(styles)
        self._config = config
        self.precision = choose_precision(config, styles[0].image)
        self.network = network or load_network(config, precision=self.precision)
        self._content_features = compile_step(_select(self.network, self.network.content_layers))
        self._optimize = make_optimizer(make_objective(self.network, config), config)
        self._size: tuple[int, int] | None = None
        self._grams: dict[str, Tensor] = {}

    @property
    def first_style(self) -> Image:
        """The first style picture, uint8 RGB, as it was given."""
        return self._styles[0].image

    def forget(self) -> None:
        """Drop what the optimizer learnt from earlier pictures."""
        self._optimize.forget()

    def __call__(
        self,
        canvas: Canvas,
        content: Image,
        iterations: int,
        *,
        on_losses: Callable[[Losses], None] | None = None,
    ) -> Canvas:
        """Optimize a canvas towards a content picture and the styles.

        Args:
          canvas: float32, (H, W, 3), 0..255, what to start from.
          content: uint8 RGB, (H, W, 3).
          iterations: 1 or more.
          on_losses: called once for each iteration; reading the losses takes time.

        Returns:
          float32, (H, W, 3), 0..255.

        Raises:
          OptimizationError: it diverged and could not be rescued.
        """
        height, width, _ = content.shape
        if self._size != (width, height):
            self._grams = self._style_grams((width, height))
            self._size = width, height
        features = self._content_features(ops.convert_to_tensor(self._batch(content), "float32"))
        targets = {"content": features, "style": self._grams}
        result = self._optimize(self._batch(canvas), targets, iterations, on_losses=on_losses)
        return np.ascontiguousarray(result[0, :height, :width])

    def _batch(self, picture: npt.NDArray[Any]) -> Canvas:
        """Pad to the network's stride and least size: float32, (1, H', W', 3)."""
        height, width, _ = picture.shape
        grow = [self._padded(side) - side for side in (height, width)]
        padded = np.pad(picture, ((0, grow[0]), (0, grow[1]), (0, 0)), mode="symmetric")
        return padded[None].astype(np.float32)

    def _padded(self, side: int) -> int:
        stride = self.network.stride
        return max(self.network.minimum_size, -(-side // stride) * stride)

    def _style_grams(self, size: tuple[int, int]) -> dict[str, Tensor]:
        """Return the weighted mean of the styles' Gram matrices, for content of a size (W, H)."""
        total = sum(style.weight for style in self._styles)
        layers = self.network.style_layers
        grams: dict[str, Tensor] = {}
        for style in self._styles:
            image = _resize_style(style.image, size, self._config.style_scale)
            features = self.network(ops.convert_to_tensor(self._batch(image), "float32"))
            for layer, _ in layers:
                share = losses.gram_matrix(features[layer]) * (style.weight / total)
                grams[layer] = grams[layer] + share if layer in grams else share
        return grams


def make_objective(
    network: LossNetwork, config: GatysConfig
) -> Callable[[Tensor, Any], tuple[Tensor, Tensor]]:
    """Return the total loss as a function of the canvas (Gatys et al. 2016, eq. 7).

    Differs from the paper: total variation is added, and the layers' losses may be relative to
    their targets' energies.

    Args:
      network: the loss network.
      config: the weights.

    Returns:
      ``objective(canvas, {"content": features, "style": Gram matrices}) -> (total, losses)`` with
      losses float32 (4,): content, style, total variation, total; each times its weight.
    """

    def content_loss(features: Tensor, target: Tensor) -> Tensor:
        if config.relative:
            return losses.relative_content_loss(features, target)
        return losses.content_loss(features, target, reduction=config.reduction)

    style_loss = losses.relative_style_loss if config.relative else losses.style_loss

    def objective(canvas: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        features = network(canvas)
        content = {
            layer: content_loss(features[layer], target)
            for layer, target in targets["content"].items()
        }
        style = {
            layer: style_loss(losses.gram_matrix(features[layer]), target)
            for layer, target in targets["style"].items()
        }
        variation = losses.total_variation(
            canvas, exponent=config.tv_exponent, reduction=config.reduction
        )
        parts = [
            config.content_weight * losses.weighted_sum(content, network.content_layers),
            config.style_weight * losses.weighted_sum(style, network.style_layers),
            config.tv_weight * variation,
        ]
        total = parts[0] + parts[1] + parts[2]
        return total, ops.stack([*parts, total])

    return objective


def _select(network: LossNetwork, layers: Any) -> Callable[[Tensor], dict[str, Tensor]]:
    def select(images: Tensor) -> dict[str, Tensor]:
        features = network(images)
        return {layer: features[layer] for layer, _ in layers}

    return select


def _resize_style(image: Image, size: tuple[int, int], scale: float) -> Image:
    """Resize so that its area is ``scale²`` times that of ``size`` (W, H); its aspect is kept."""
    height, width, _ = image.shape
    factor = scale * np.sqrt(size[0] * size[1] / (width * height))
    target = max(1, round(width * factor)), max(1, round(height * factor))
    if target == (width, height):
        return image
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, target, interpolation=how), np.uint8)
