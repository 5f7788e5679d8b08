"""What the fast network is trained to make small: style, content and flicker, as a network sees it.

Every distance is relative to the energy of what it should be, layer by layer: absolute ones are
ruled by a few loud styles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from stylizer.network.fast.architecture import STATISTICS_SIZE, STRIDE, build_network
from stylizer.perceptual.compact import TAPS
from stylizer.perceptual.losses import gram_matrix

__all__ = ["MOST_SHIFT", "LossWeights", "Trainee", "style_targets"]

Tensor = Any
Teacher = Callable[[Tensor], dict[str, Tensor]]
"""A loss network: float32 RGB 0..255 (N, H, W, 3) to features by the names of `TAPS`."""

MOST_SHIFT = 8
"""The second view of a picture is moved by up to this many pixels: no fixed grid may show."""


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """Weights of the losses.

    Attributes:
      content: of the squared distance of features at the deepest tap.
      gram: of the squared distance of Gram matrices, mean over the taps.
      moments: of the squared distance of means and standard deviations, mean over the taps.
      deep: how much more the two deeper taps count than the two others.
      temporal: of the squared difference between the paintings of two views, brought together,
      in units of half the range of gray levels.
      checkerboard: of the squared pattern that repeats every 8 pixels, in the same units.
    """

    content: float = 1.0
    gram: float = 2.0
    moments: float = 1.0
    deep: float = 1.5
    temporal: float = 20.0
    checkerboard: float = 0.0


def style_targets(features: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what the style loss compares, by tap: Gram matrices, means and deviations."""
    found = {}
    for tap in TAPS:
        found[f"gram_{tap}"] = gram_matrix(features[tap])
        found[f"mean_{tap}"] = ops.mean(features[tap], (1, 2))
        # a channel that is silent everywhere has no slope without the small number
        found[f"deviation_{tap}"] = ops.sqrt(ops.var(features[tap], (1, 2)) + 1e-4)
    return found


class Trainee(keras.Model):
    """Both networks under training: pictures, style statistics and a shift to paintings.

    Inputs: ``image`` (N, H, W, 3); ``second`` (M, H, W, 3), the first M of them moved by ``shift``
    (2,) pixels up and left and with noise; ``statistics`` (N, STATISTICS_SIZE). Output: (N + M, H,
    W, 3). The targets are the teacher's ``content`` features and `style_targets` (N, ...).
    """

    def __init__(self, teacher: Teacher, factors: LossWeights) -> None:
        """Build the networks; the teacher is no part of this model's weights."""
        super().__init__(name="trainee")
        self.network = build_network()
        self._teacher: Teacher = lambda images: teacher(images)
        self.factors = factors
        side = np.zeros((1, 32, 32, 3), np.float32)
        self.network({"image": side, "statistics": np.zeros((1, STATISTICS_SIZE), np.float32)})

    def call(self, inputs: dict[str, Tensor]) -> Tensor:
        """Paint all views."""
        views = ops.concatenate([inputs["image"], inputs["second"]], axis=0)
        known = inputs["statistics"]
        again = known[: inputs["second"].shape[0]]
        statistics = ops.concatenate([known, again], axis=0)
        return self.network({"image": views, "statistics": statistics})

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """Return the weighted sum of the losses (Keras's own hook)."""
        count = x["image"].shape[0]
        parts = self.parts(self._teacher(y_pred[:count]), y)
        flicker = self._flicker(y_pred[:count], y_pred[count:], x["shift"])
        factors = self.factors
        return (
            factors.content * parts["content"]
            + factors.gram * parts["gram"]
            + factors.moments * parts["moments"]
            + factors.temporal * flicker
            + factors.checkerboard * _checkerboard(y_pred)
        )

    def parts(self, seen: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return content, gram and moments, each relative, averaged over pictures and taps."""
        share = np.array([1, 1, self.factors.deep, self.factors.deep]) / (2 + 2 * self.factors.deep)
        gram, moments, mine = 0.0, 0.0, style_targets(seen)
        for tap, weight in zip(TAPS, share, strict=True):
            gram += float(weight) * _relative([(mine[f"gram_{tap}"], y[f"gram_{tap}"])])
            pairs = [(mine[f"{kind}_{tap}"], y[f"{kind}_{tap}"]) for kind in ("mean", "deviation")]
            moments += float(weight) * _relative(pairs)
        content = _relative([(seen[TAPS[-1]], y["content"])])
        return {"content": content, "gram": gram, "moments": moments}

    def _flicker(self, first: Tensor, second: Tensor, shift: Tensor) -> Tensor:
        count, height, width, channels = second.shape
        window = (count, height - MOST_SHIFT, width - MOST_SHIFT, channels)
        start = ops.concatenate(
            [ops.zeros((1,), "int32"), ops.cast(shift, "int32"), ops.zeros((1,), "int32")], axis=0
        )
        moved = ops.slice(first, start, window)
        still = second[:, : window[1], : window[2]]
        return ops.mean(ops.square((moved - still) / 127.5))


def _checkerboard(painted: Tensor) -> Tensor:
    """Return the squared pattern that repeats with the network's stride, mean over the pictures.

    Upper and lower half each show it, with texture that is not alike: their product is without bias
    where a square would count ordinary texture too. Below 0 it counts as 0: opposite patterns in
    the halves would be no better.

    Args:
      painted: (N, H, W, 3), H and W multiples of the stride.
    """
    count, height, width, channels = painted.shape
    rows, columns = height // STRIDE, width // STRIDE
    cells = ops.reshape(painted / 127.5, (count, rows, STRIDE, columns, STRIDE, channels))
    upper, lower = (
        ops.mean(half, (1, 3)) - ops.mean(half, (1, 2, 3, 4))[:, None, None]
        for half in (cells[:, : rows // 2], cells[:, rows // 2 :])
    )
    return ops.mean(ops.maximum(ops.mean(upper * lower, (1, 2, 3)), 0.0))


def _relative(pairs: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return the mean over pictures of squared distance over squared norm of what is wanted."""
    off, energy = 0.0, 0.0
    for got, wanted in pairs:
        wanted = ops.cast(wanted, "float32")
        axes = tuple(range(1, len(wanted.shape)))
        off += ops.sum(ops.square(got - wanted), axis=axes)
        energy += ops.sum(ops.square(wanted), axis=axes)
    return ops.mean(off / (energy + 1e-6))
