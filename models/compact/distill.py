"""The distillation: the teacher, and the student that learns from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.perceptual.compact import TAPS, TEACHER_CHANNELS, build_student
from stylizer.perceptual.losses import gram_matrix
from stylizer.perceptual.spec import IMAGENET_COLOR
from stylizer.perceptual.vgg import build_vgg, read_kernels

__all__ = ["Distiller", "build_teacher", "prepare", "relative_distance"]

Tensor = Any


def build_teacher(path: Path) -> keras.Model:
    """Build the normalized VGG-19 up to block4_conv1: float32 RGB 0..255 to the features of `TAPS`.

    Args:
      path: an ``.npz`` with ``blockB_convC/kernel`` (H, W, in, out) and ``/bias``.
    """
    kernels, reflect = read_kernels(path)
    return build_vgg("vgg19", TAPS, kernels, reflect=reflect)


class Distiller(keras.Model):
    """The student, trained so that a linear map of its features gives the teacher's.

    The map of each tap is not learnt step by step: it is the ridge regression of the teacher's
    features on the student's, from running sums over the last batches, and no gradient flows
    through it. (At the best map the gradient by the map is zero, so the student's gradient is
    exact all the same.)

    The loss is, summed over the taps, the squared error of the features and ``gram_share`` times
    that of the Gram matrices, each divided by the energy of what it should be.
    """

    def __init__(self, *, gram_share: float, memory: float = 0.98) -> None:
        """Build the student; ``memory`` is the share that each batch leaves of the running sums."""
        super().__init__(name="distiller")
        self.student = build_student(rescale=True)
        self.gram_share, self.memory = gram_share, memory
        self.own, self.cross = {}, {}
        for tap, teachers in zip(TAPS, TEACHER_CHANNELS, strict=True):
            students = self.student.output[tap].shape[-1]
            options = {"initializer": "zeros", "trainable": False}
            self.own[tap] = self.add_weight(
                shape=(students, students), name=f"{tap}_own", **options
            )
            self.cross[tap] = self.add_weight(
                shape=(students, teachers), name=f"{tap}_cross", **options
            )
        self(np.zeros((1, 32, 32, 3), np.float32))

    def call(self, images: Tensor) -> dict[str, Tensor]:
        """Return the student's features, by tap."""
        features: dict[str, Tensor] = self.student(images)
        return features

    def linear(self, tap: str) -> Tensor:
        """Return the map of a tap, (C_student, C_teacher)."""
        own = ops.convert_to_tensor(self.own[tap])
        size = own.shape[0]
        ridge = 1e-5 * ops.trace(own) / size * ops.eye(size)
        return ops.stop_gradient(ops.solve(own + ridge, ops.convert_to_tensor(self.cross[tap])))

    def grams(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the Gram matrices of the reconstructed features, by tap: A^T G A."""
        maps = {tap: self.linear(tap) for tap in TAPS}
        return {
            tap: ops.matmul(
                ops.matmul(ops.transpose(maps[tap]), gram_matrix(features[tap])), maps[tap]
            )
            for tap in TAPS
        }

    def relative_errors(
        self, features: dict[str, Tensor], wanted: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return squared errors over energies, by tap: of features, and of Gram matrices."""
        errors, off, grams = {}, {}, self.grams(features)
        for tap in TAPS:
            target = ops.cast(wanted[tap], "float32")
            got = ops.matmul(features[tap], self.linear(tap))
            errors[tap] = ops.mean(ops.square(got - target)) / ops.mean(ops.square(target))
            off[tap] = ops.mean(relative_distance(grams[tap], gram_matrix(target)))
        return errors, off

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """Return the loss of features ``y_pred`` against the teacher's ``y`` (Keras's own hook)."""
        for tap in TAPS if training else ():
            self._remember(tap, ops.stop_gradient(y_pred[tap]), ops.cast(y[tap], "float32"))
        errors, grams = self.relative_errors(y_pred, y)
        return sum(errors.values()) + self.gram_share * sum(grams.values())

    def _remember(self, tap: str, got: Tensor, want: Tensor) -> None:
        got = ops.reshape(got, (-1, got.shape[-1]))
        want = ops.reshape(want, (-1, want.shape[-1]))
        energy = ops.sum(ops.square(want))
        for sums, value in ((self.own, got), (self.cross, want)):
            new = ops.matmul(ops.transpose(got), value) / energy
            sums[tap].assign(self.memory * sums[tap] + (1 - self.memory) * new)


def prepare(distiller: Distiller, teacher: keras.Model, images: npt.NDArray[np.float32]) -> None:
    """Start the student well: the teacher's own filters first, unit variance in every later layer.

    The first layer takes those of the teacher's filters whose features best span all the teacher's
    (greedy choice by least squares); each later one is scaled by its response (Mishkin and Matas
    2016).
    """
    student = distiller.student
    layers = [layer for layer in student.layers if isinstance(layer, keras.layers.Conv2D)]
    first = teacher.get_layer(TAPS[0])
    wanted = ops.convert_to_numpy(teacher(images)[TAPS[0]])
    chosen = _span(wanted.reshape(-1, wanted.shape[-1])[::7], layers[0].filters)
    kernel, bias = first.get_weights()
    kernel, bias = kernel[..., chosen], bias[chosen]
    shift = np.float32(127.5) - np.array(IMAGENET_COLOR, np.float32)
    bias = bias + np.einsum("hwio,i->o", kernel, shift)
    layers[0].set_weights([kernel * 127.5, bias])
    for layer in layers[1:]:
        response = keras.Model(student.input, layer.output)(images)
        kernel, bias = layer.get_weights()
        spread = ops.convert_to_numpy(ops.std(response, axis=(0, 1, 2)))
        layer.set_weights([kernel / float(np.mean(spread)), bias])
    distiller.compute_loss(y=teacher(images), y_pred=distiller(images))


def _span(features: npt.NDArray[np.float32], count: int) -> list[int]:
    """Choose ``count`` columns of (pixels, channels) whose span holds most of the energy of all."""
    products = features.astype(np.float64).T @ features
    chosen: list[int] = []
    for _ in range(count):
        held = {}
        for column in set(range(len(products))) - set(chosen):
            some = [*chosen, column]
            inverse = np.linalg.pinv(products[np.ix_(some, some)])
            held[column] = np.trace(products[:, some] @ inverse @ products[some])
        chosen.append(max(held, key=lambda column: held[column]))
    return chosen


def relative_distance(got: Tensor, wanted: Tensor) -> Tensor:
    """Return the squared distance over the squared norm of what is wanted, for each of (N, ...)."""
    axes = tuple(range(1, len(wanted.shape)))
    return ops.sum(ops.square(got - wanted), axis=axes) / ops.sum(ops.square(wanted), axis=axes)
