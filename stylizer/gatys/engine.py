"""The optimization of one canvas, which stills and video share.

Pictures come and go as (H, W, 3), canvases float32 and pictures uint8, both 0..255. Inside they are
padded at the right and bottom to what the network's pooling divides evenly, and cropped again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from stylizer.backend.keras_backend import compile_step
from stylizer.errors import StyleError
from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.memory import TemporalTarget
from stylizer.gatys.objective import make_objective, name_losses
from stylizer.gatys.optimizers import Canvas, make_optimizer
from stylizer.gatys.substitution import reachable
from stylizer.gatys.targets import (
    StyleLike,
    WeightedStyle,
    check_styles,
    first_picture,
    pad_picture,
    style_grams,
)
from stylizer.perceptual.features import LossNetwork, load_network
from stylizer.perceptual.losses import Tensor
from stylizer.perceptual.precision import choose_precision
from stylizer.protocols import State
from stylizer.styles.built_in import NamedStyle

__all__ = ["Engine", "StyleLike", "WeightedStyle"]


@dataclass(frozen=True, slots=True)
class _Targets:
    """Styles, and their Gram matrices for a content's (width, height); None for not yet."""

    styles: tuple[StyleLike, ...]
    size: tuple[int, int] | None
    grams: dict[str, Tensor]


class Engine:
    """A loss network, style targets and an optimizer, for pictures of one size at a time.

    Attributes:
      network: the loss network.
      precision: the arithmetic it runs in.
    """

    def __init__(
        self,
        styles: Sequence[StyleLike],
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
          ConfigError, StyleError: as `stylizer.gatys.targets.check_styles` says.
          ConfigError, WeightsError: as `load_network` says.
        """
        if network is None:
            config = reachable(config)
        check_styles(styles, config)
        self._config = config
        self.precision = choose_precision(config, first_picture(styles))
        self.network = network or load_network(config, precision=self.precision)
        self._content_features = compile_step(_select(self.network, self.network.content_layers))
        self._optimize = make_optimizer(make_objective(self.network, config), config)
        self._targets = _Targets(tuple(styles), None, {})

    @property
    def first_style(self) -> Image:
        """The first style picture, uint8 RGB, as it was given.

        Raises:
          StyleError: the first style is built in, and has no picture.
        """
        style = self._targets.styles[0]
        if isinstance(style, NamedStyle):
            raise StyleError(f"style {style.name}: expected a picture, got a built-in style")
        return style.image

    def set_styles(self, styles: Sequence[StyleLike]) -> None:
        """Paint after other styles from the next call on; may be called while one runs.

        Args:
          styles: one or more.

        Raises:
          ConfigError, StyleError: as `stylizer.gatys.targets.check_styles` says; the styles stay
            as they were.
        """
        check_styles(styles, self._config)
        size = self._targets.size
        self._targets = self._measure(tuple(styles), size)

    def forget(self) -> None:
        """Drop what the optimizer learnt from earlier pictures."""
        self._optimize.forget()

    def save_state(self) -> State:
        """Return what the optimizer learnt, for a `stylizer.protocols.Resumable`."""
        return self._optimize.save_state()

    def load_state(self, state: State) -> None:
        """Have the optimizer know what another one learnt."""
        self._optimize.load_state(state)

    def __call__(
        self,
        canvas: Canvas,
        content: Image,
        iterations: int,
        *,
        temporal: TemporalTarget | None = None,
        on_losses: Callable[[Mapping[str, float]], None] | None = None,
    ) -> Canvas:
        """Optimize a canvas towards a content picture and the styles.

        Args:
          canvas: float32, (H, W, 3), 0..255, what to start from.
          content: uint8 RGB, (H, W, 3).
          iterations: 1 or more.
          temporal: what the canvas is held to, of its size; None for nothing. Counts only with a
            ``temporal_weight`` above 0.
          on_losses: called once for each iteration with the losses, weighted, by the names of
            `stylizer.gatys.objective.TERMS` and ``"total"``; reading them takes time.

        Returns:
          float32, (H, W, 3), 0..255.

        Raises:
          OptimizationError: it diverged and could not be rescued.
        """
        height, width, _ = content.shape
        aim = self._targets
        if aim.size != (width, height):
            before, aim = aim, self._measure(aim.styles, (width, height))
            if self._targets is before:  # else other styles were set meanwhile: theirs come next
                self._targets = aim
        batch = pad_picture(self.network, content)
        features = self._content_features(ops.convert_to_tensor(batch, "float32"))
        targets = {"content": features, "style": aim.grams}
        if self._config.temporal_weight:
            targets["temporal"] = self._temporal(temporal, content.shape)
        report = None if on_losses is None else lambda values: on_losses(name_losses(values))
        result = self._optimize(
            pad_picture(self.network, canvas), targets, iterations, on_losses=report
        )
        return np.ascontiguousarray(result[0, :height, :width])

    def _measure(self, styles: tuple[StyleLike, ...], size: tuple[int, int] | None) -> _Targets:
        if size is None:
            return _Targets(styles, None, {})
        scale = self._config.style_scale
        return _Targets(styles, size, style_grams(self.network, styles, size, scale=scale))

    def _temporal(self, target: TemporalTarget | None, shape: tuple[int, ...]) -> dict[str, Tensor]:
        """Return tensors of the same shapes with a target or without, so that one trace does."""
        if target is None:
            nothing = np.zeros(shape, np.float32)
            target = TemporalTarget(nothing, nothing[..., :1])
        arrays = {"picture": target.picture, "weights": target.weights}
        return {
            name: ops.convert_to_tensor(pad_picture(self.network, array), "float32")
            for name, array in arrays.items()
        }


def _select(network: LossNetwork, layers: Any) -> Callable[[Tensor], dict[str, Tensor]]:
    def select(images: Tensor) -> dict[str, Tensor]:
        features = network(images)
        return {layer: features[layer] for layer, _ in layers}

    return select
