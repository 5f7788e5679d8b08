"""The settings of tuning, in one frozen record. Importing this imports no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stylizer.errors import ConfigError

__all__ = ["LOSS_WEIGHTS", "PICTURE_SIDE", "TuningConfig"]

LOSS_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "color": 24.0,
        "transfer": 1.0,
        "gradients": 2.5,
        "lattice": 30.0,
        "gram": 20.0,
        "moments": 10.0,
        "temporal": 16.0,
    }
)
"""Weights of the losses that no setting changes, by the names of `losses.LossWeights`."""

PICTURE_SIDE = 768
"""Short side, in pixels, that pictures in files of tuned styles, and visitors', are reduced to."""


@dataclass(frozen=True, kw_only=True)
class TuningConfig:
    """How a style is tuned.

    Attributes:
      minutes: how long, more than 0; what is compiled before does not count.
      rank: of the kernels' changes, 1..48.
      style_scale: size of the style picture, 0.25..4; larger ones make broader strokes.
      noise: by how much each channel of the network's noise counts, from fine to coarse, 0..4 each;
        None for what suits the picture, `stylizer.network.adaptive.noise.noise_gains`.
      content: weight of the photo's features in the loss, 0 or more.
      light: weight of light and dark that are not where the photo has them, 0 or more.
      batch: pictures in a step, 2 or more; half of them are painted in two views.
      side: of the pictures painted, in pixels: a multiple of 16, 64..336.
      learning_rate: the highest, more than 0; falls along a cosine.
      seed: of all that is random, 0 or more.
    """

    minutes: float = 5.0
    rank: int = 8
    style_scale: float = 2.0
    noise: tuple[float, float, float] | None = None
    content: float = 4.0
    light: float = 3.0
    batch: int = 4
    side: int = 192
    learning_rate: float = 1e-2
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if not 0 < self.minutes < float("inf"):
            raise ConfigError(f"minutes: expected more than 0, got {self.minutes:g}")
        if not 1 <= self.rank <= 48:
            raise ConfigError(f"rank: expected 1..48, got {self.rank}")
        if not 0.25 <= self.style_scale <= 4:
            raise ConfigError(f"style_scale: expected 0.25..4, got {self.style_scale:g}")
        if self.noise is not None and not all(0 <= gain <= 4 for gain in self.noise):
            raise ConfigError(f"noise: expected three numbers of 0..4, got {self.noise}")
        for name in ("content", "light"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigError(f"{name}: expected 0 or more, got {getattr(self, name):g}")
        if self.batch < 2:
            raise ConfigError(f"batch: expected 2 or more, got {self.batch}")
        if not 64 <= self.side <= 336 or self.side % 16:
            raise ConfigError(f"side: expected a multiple of 16 in 64..336, got {self.side}")
        if not 0 < self.learning_rate < float("inf"):
            raise ConfigError(f"learning_rate: expected more than 0, got {self.learning_rate:g}")
        if self.seed < 0:
            raise ConfigError(f"seed: expected 0 or more, got {self.seed}")
