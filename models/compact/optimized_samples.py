"""Samples optimized against the student, as its users will do: what fools it turns up here."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.backend.keras_backend import compile_step, value_and_gradient
from stylizer.perceptual.compact import TAPS

from .crops import Crops
from .distill import Distiller, relative_distance

__all__ = ["OptimizedSamples"]

Tensor = Any


class OptimizedSamples:
    """Samples under way: each is optimized against the student, from content towards a style.

    What fools the student turns up here, and the teacher's features of it are the cure. A sample
    starts anew after a random number of steps.

    Attributes:
      pictures: where contents and styles come from.
      images: the samples as they are, float32, (N, H, W, 3), 0 to 255.
      styles: what each is to look like, as ``images``.
    """

    def __init__(self, distiller: Distiller, pictures: Crops, *, count: int) -> None:
        """Make room for ``count`` samples of the pictures' size."""
        self.pictures, self._distiller = pictures, distiller
        self._aim = compile_step(partial(_targets, distiller))
        self._slope = compile_step(value_and_gradient(partial(_losses, distiller)))
        side = pictures.crop
        self.images = np.zeros((count, side, side, 3), np.float32)
        self._contents = np.zeros_like(self.images)
        self.styles = np.zeros_like(self.images)
        self._first, self._second = np.zeros_like(self.images), np.zeros_like(self.images)
        self._left, self._age = np.zeros(count, int), np.zeros(count, int)
        self._rates, self._weights = np.zeros(count), np.zeros((count, 3), np.float32)

    def advance(self, steps: int) -> npt.NDArray[np.float32]:
        """Take steps of Adam on every sample; return them, (count, side, side, 3)."""
        for index in np.flatnonzero(self._left <= 0):
            self._begin(int(index))
        values = [variable.value for variable in self._distiller.variables]
        sides = (ops.convert_to_tensor(side) for side in (self._contents, self.styles))
        targets = self._aim(*sides, values)
        for _ in range(steps):
            images, weights = map(ops.convert_to_tensor, (self.images, self._weights))
            _, slope = self._slope(images, values, targets, weights)
            self._step(ops.convert_to_numpy(slope))
        return self.images

    def _step(self, slope: npt.NDArray[np.float32]) -> None:
        self._age += 1
        self._left -= 1
        self._first += 0.1 * (slope - self._first)
        self._second += 0.01 * (slope**2 - self._second)
        age = self._age[:, None, None, None]
        step = self._first / (1 - 0.9**age) / (np.sqrt(self._second / (1 - 0.99**age)) + 1e-12)
        moved = self.images - self._rates[:, None, None, None] * step
        self.images = np.clip(moved, 0, 255).astype(np.float32)

    def _begin(self, index: int) -> None:
        pictures = self.pictures
        random = pictures.random
        self._contents[index] = pictures.photo()
        self.styles[index] = pictures.painting() if random.random() < 0.9 else pictures.damaged()
        start = random.random()
        if start < 0.7:
            self.images[index] = self._contents[index]
        elif start < 0.85:
            self.images[index] = random.normal(128, 40, self.images[index].shape).clip(0, 255)
        else:
            self.images[index] = pictures.damaged()
        self._first[index] = self._second[index] = 0
        self._age[index], self._left[index] = 0, random.integers(20, 120)
        self._rates[index] = random.choice([2.0, 5.0, 10.0])
        self._weights[index] = random.choice([0, 0.3, 1]), 1, random.choice([0, 0, 1e-4, 1e-3])


def _targets(
    distiller: Distiller, contents: Tensor, styles: Tensor, values: list[Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the deepest features of the contents and the Gram matrices of the styles.

    The network's variables come as values, since a compiled function would keep those of its trace.
    """
    with keras.StatelessScope(state_mapping=list(zip(distiller.variables, values, strict=True))):
        return distiller(contents)[TAPS[-1]], distiller.grams(distiller(styles))


def _losses(
    distiller: Distiller,
    images: Tensor,
    values: list[Tensor],
    targets: tuple[Tensor, dict[str, Tensor]],
    weights: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the sum over samples of content, style and total variation losses, weighted."""
    content, style = targets
    with keras.StatelessScope(state_mapping=list(zip(distiller.variables, values, strict=True))):
        features = distiller(images)
        grams = distiller.grams(features)
        linear = distiller.linear(TAPS[-1])
    off = relative_distance(ops.matmul(features[TAPS[-1]], linear), ops.matmul(content, linear))
    total = ops.sum(weights[:, 0] * off)
    for tap in TAPS:
        total += ops.sum(weights[:, 1] * relative_distance(grams[tap], style[tap]))
    for rough in (images[:, 1:] - images[:, :-1], images[:, :, 1:] - images[:, :, :-1]):
        total += ops.sum(weights[:, 2] * ops.mean(ops.square(rough), axis=(1, 2, 3)))
    return total, total
