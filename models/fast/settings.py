"""What a training of the fast network is made of."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .objective import LossWeights

__all__ = ["Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the training is made of.

    Attributes:
      teacher: the loss network, ``"compact"`` or ``"vgg19"``.
      arithmetic: of the loss network, ``"float32"`` or ``"bfloat16"``.
      start: a file of weights to begin with where there is no ``progress.npz``; empty for none.
      validation_network: the one that looks at the held-out pictures.
      side: of the pictures painted, pixels, a multiple of 8.
      style_side: of the style pictures, pixels.
      batch: pictures in a step, half of them in two views.
      fresh: share of a step's pictures and styles that are new; the others come from the replay
        buffer.
      stored: pictures, and styles, kept with what the teacher says of them.
      optimizer: ``"adam"``, or ``"muon"`` for the kernels of convolutions.
      learning_rate: the highest, reached after a minute; falls along a cosine.
      last_rate: share of it that is left at the end.
      content, gram, moments, deep, temporal, checkerboard: see `LossWeights`.
      minutes: length of the training.
      every: minutes between two evaluations, each followed by a checkpoint.
      seed: of pictures and initial weights.
    """

    teacher: str = "vgg19"
    arithmetic: str = "float32"
    start: str = ""
    validation_network: str = "vgg19"
    side: int = 160
    style_side: int = 224
    batch: int = 4
    fresh: float = 0.25
    stored: int = 1500
    optimizer: str = "muon"
    learning_rate: float = 2e-3
    last_rate: float = 0.01
    content: float = LossWeights.content
    gram: float = LossWeights.gram
    moments: float = LossWeights.moments
    deep: float = LossWeights.deep
    temporal: float = LossWeights.temporal
    checkerboard: float = LossWeights.checkerboard
    minutes: float = 60.0
    every: float = 5.0
    seed: int = 0

    def loss_weights(self) -> LossWeights:
        """Return the weights of the losses."""
        return LossWeights(
            **{field.name: getattr(self, field.name) for field in fields(LossWeights)}
        )
