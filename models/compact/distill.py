"""The distillation: the teacher, and the student that learns from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.perceptual.compact import TAPS
from stylizer.perceptual.losses import gram_matrix
from stylizer.perceptual.spec import IMAGENET_COLOR
from stylizer.perceptual.vgg import build_vgg, read_kernels

__all__ = ["Distiller", "build_teacher", "prepare", "relative_distance"]

Tensor = Any
_Products = tuple[Tensor, Tensor, Tensor]
"""Of a tap, for each picture: S = s's / M, X = s't / M and T = t't / M, of the student's features s
and the teacher's t at M places. All errors follow from them, without a feature map more."""


def build_teacher(path: Path, *, layers: Sequence[str] = TAPS) -> keras.Model:
    """Build the normalized VGG-19 up to block4_conv1: float32 RGB 0..255 to features by layer.

    Args:
      path: an ``.npz`` with ``blockB_convC/kernel`` (H, W, in, out) and ``/bias``.
      layers: whose features are asked for.
    """
    kernels, reflect = read_kernels(path)
    return build_vgg("vgg19", layers, kernels, reflect=reflect)


class Distiller(keras.Model):
    """A student, trained so that a linear map of its features gives the teacher's.

    The map of each tap is not learnt step by step: it is the ridge regression of the teacher's
    features on the student's, from running sums over the last batches, and no gradient flows
    through it. (At the best map the gradient by the map is zero, so the student's gradient is
    exact all the same.)

    The loss is, summed over the taps, the squared error of the features and ``gram_share`` times
    that of the Gram matrices, each divided by the energy of what it should be.
    """

    def __init__(
        self,
        student: keras.Model,
        channels: Mapping[str, int],
        *,
        gram_share: float,
        memory: float = 0.98,
    ) -> None:
        """Take a student.

        Args:
          student: from float32 RGB 0..255 to features by tap; it may have more taps.
          channels: those of the teacher, by the taps that are compared.
          gram_share: weight of the Gram matrices' error beside the features'.
          memory: the share that each batch leaves of the running sums.
        """
        super().__init__(name="distiller")
        self.student = student
        self.taps = tuple(channels)
        self.gram_share, self.memory = gram_share, memory
        self.own, self.cross = {}, {}
        for tap, teachers in channels.items():
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
        features = self.student(images)
        return {tap: ops.cast(features[tap], "float32") for tap in self.taps}

    def linear(self, tap: str) -> Tensor:
        """Return the map of a tap, (C_student, C_teacher)."""
        own = ops.convert_to_tensor(self.own[tap])
        size = own.shape[0]
        ridge = 1e-5 * ops.trace(own) / size * ops.eye(size)
        return ops.stop_gradient(ops.solve(own + ridge, ops.convert_to_tensor(self.cross[tap])))

    def grams(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the Gram matrices of the reconstructed features, by tap: A^T G A."""
        maps = {tap: self.linear(tap) for tap in self.taps}
        return {
            tap: ops.matmul(
                ops.matmul(ops.transpose(maps[tap]), gram_matrix(features[tap])), maps[tap]
            )
            for tap in self.taps
        }

    def relative_errors(
        self, features: dict[str, Tensor], wanted: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return squared errors over energies, by tap: of features, and of Gram matrices."""
        return self._errors(_multiply(features, wanted))

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """Return the loss of features ``y_pred`` against the teacher's ``y`` (Keras's own hook)."""
        products = _multiply(y_pred, y)
        for tap in self.taps if training else ():
            self._remember(tap, products[tap])
        errors, grams = self._errors(products)
        return sum(errors.values()) + self.gram_share * sum(grams.values())

    def _errors(
        self, products: dict[str, _Products]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the errors by `_Products`: |s A - t|^2 is <A, S A> - 2 <A, X> + tr T."""
        errors, off = {}, {}
        for tap, (own, cross, wanted) in products.items():
            linear = self.linear(tap)
            energy = ops.sum(ops.trace(wanted, axis1=1, axis2=2))
            moved = ops.matmul(ops.sum(own, axis=0), linear) - 2.0 * ops.sum(cross, axis=0)
            errors[tap] = (ops.sum(linear * moved) + energy) / energy
            gram = ops.matmul(ops.matmul(ops.transpose(linear), own), linear)
            off[tap] = ops.mean(relative_distance(gram, wanted))
        return errors, off

    def _remember(self, tap: str, products: _Products) -> None:
        own, cross, wanted = (ops.stop_gradient(ops.sum(one, axis=0)) for one in products)
        energy = ops.trace(wanted)
        for sums, new in ((self.own, own), (self.cross, cross)):
            sums[tap].assign(self.memory * sums[tap] + (1 - self.memory) * new / energy)


def _multiply(features: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, _Products]:
    found = {}
    for tap, got in features.items():
        count, height, width, students = got.shape
        own = ops.reshape(got, (count, height * width, students))
        want = ops.cast(wanted[tap], "float32")
        flat = ops.reshape(want, (count, height * width, want.shape[-1]))
        turned = ops.transpose(own, (0, 2, 1)) / (height * width)
        found[tap] = (ops.matmul(turned, own), ops.matmul(turned, flat), gram_matrix(want))
    return found


def prepare(distiller: Distiller, teacher: keras.Model, images: npt.NDArray[np.float32]) -> None:
    """Start the compact student well: the teacher's filters first, unit variance in later layers.

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
