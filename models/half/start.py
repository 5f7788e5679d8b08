"""The start of the student: VGG-19's own channels, half of them, refitted layer by layer.

Of each layer those channels are kept in whose span lies most of the energy of all. Their kernels
read channels that are not there, so kernels and biases are fitted anew by ridge regression: from
what the student has before the layer, to what the teacher has there before its ReLU. (Principal
components would hold more energy as long as all is linear, but a ReLU cuts them in half.)
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.perceptual.half import LAYERS
from stylizer.perceptual.spec import IMAGENET_COLOR

__all__ = ["fit_layer", "span", "start_student"]

Array = npt.NDArray[np.float32]

_SAMPLES = 60_000
"""Places in the pictures that a layer is fitted at, about."""


def start_student(student: keras.Model, teacher: keras.Model, images: Array) -> dict[str, float]:
    """Fit every layer of the student, from the first.

    Args:
      student: as `stylizer.perceptual.half.build_student` builds it; its kernels are replaced.
      teacher: VGG-19 with all `LAYERS`.
      images: float32 RGB 0..255, (N, H, W, 3).

    Returns:
      By layer the share of the energy of all the teacher's channels that no linear map of the
      student's gives.
    """
    random = np.random.default_rng(0)
    left = {}
    wanted = _Responses(teacher, images)
    for index, layer in enumerate(LAYERS):
        target = wanted(layer)
        places = _choose_places(target.shape[:3], random)
        response = target[places]
        chosen = span(np.maximum(response, 0), student.output[layer].shape[-1])
        convolution = student.get_layer(f"{layer}_student")
        if index == 0:
            kernel, bias = _first_kernel(teacher.get_layer(layer))
            kernel, bias = kernel[..., chosen], bias[chosen]
        else:
            patches = _patches(student, convolution, images, places)
            kernel, bias = fit_layer(patches, response[:, chosen])
            kernel = kernel.reshape(convolution.kernel.shape)
        convolution.set_weights([kernel, bias])
        own = _run(student, student.output[layer], images)[places]
        left[layer] = _left(own, np.maximum(response, 0))
    return left


def fit_layer(patches: Array, wanted: Array, *, rounds: int = 6) -> tuple[Array, Array]:
    """Fit a linear map that comes near to what is wanted, where that is above 0.

    Below 0 it only has to be below 0 too, as a ReLU follows: there each round asks for no more than
    the round before had. That is least squares with a majorizing step, so that the error after the
    ReLU only falls.

    Args:
      patches: (places, inputs).
      wanted: (places, channels), before the ReLU.
      rounds: how often it is solved.

    Returns:
      The map (inputs, channels) and the bias (channels,).
    """
    mean = patches.mean(axis=0, dtype=np.float64).astype(np.float32)
    centered = patches - mean
    products = (centered.T @ centered).astype(np.float64)
    products[np.diag_indices(len(products))] += 1e-4 * np.trace(products) / len(products)
    inverse = np.linalg.inv(products)
    target = wanted
    for _ in range(rounds):
        bias = target.mean(axis=0, dtype=np.float64)
        linear = (inverse @ (centered.T @ (target - bias.astype(np.float32)))).astype(np.float32)
        found = centered @ linear + bias.astype(np.float32)
        target = np.where(wanted > 0, wanted, np.minimum(found, 0))
    return linear, (bias - mean.astype(np.float64) @ linear).astype(np.float32)


def span(features: Array, count: int) -> list[int]:
    """Choose ``count`` columns of (places, channels) whose span holds most of the energy of all.

    Greedily: each time the one that leaves least, as by a pivoted Cholesky decomposition.
    """
    products = features.astype(np.float64).T @ features
    least = 1e-9 * np.trace(products)
    chosen: list[int] = []
    for _ in range(count):
        own = np.diag(products)
        gain = np.where(own > least, np.sum(products**2, axis=0) / np.maximum(own, least), -1.0)
        gain[chosen] = -2.0
        best = int(np.argmax(gain))
        chosen.append(best)
        if own[best] > least:
            products = products - np.outer(products[:, best], products[best]) / own[best]
    return chosen


class _Responses:
    """What the teacher has before its ReLU, layer by layer."""

    def __init__(self, teacher: keras.Model, images: Array) -> None:
        self._teacher, self._images = teacher, images

    def __call__(self, layer: str) -> Array:
        convolution = self._teacher.get_layer(layer)
        response = ops.conv(
            convolution.input, ops.convert_to_tensor(convolution.kernel), padding="valid"
        ) + ops.convert_to_tensor(convolution.bias)
        return _run(self._teacher, response, self._images)


def _run(model: keras.Model, output: Any, images: Array) -> Array:
    part = keras.Model(model.input, output)
    return np.concatenate(
        [np.asarray(part(images[at : at + 4]), np.float32) for at in range(0, len(images), 4)]
    )


def _patches(student: keras.Model, convolution: Any, images: Array, places: Any) -> Array:
    padded = _run(student, convolution.input, images)
    pictures, rows, columns = places
    return np.concatenate(
        [padded[pictures, rows + down, columns + right] for down in range(3) for right in range(3)],
        axis=1,
    )


def _choose_places(shape: tuple[int, ...], random: np.random.Generator) -> Any:
    count = int(np.prod(shape))
    flat = random.choice(count, min(count, _SAMPLES), replace=False)
    return np.unravel_index(flat, shape)


def _first_kernel(convolution: Any) -> tuple[Array, Array]:
    """Return the teacher's first kernel, for RGB, with the mean color folded into the bias."""
    kernel, bias = convolution.get_weights()
    return kernel, bias - np.einsum("hwio,i->o", kernel, np.array(IMAGENET_COLOR, np.float32))


def _left(own: Array, wanted: Array) -> float:
    products = own.astype(np.float64).T @ own
    products[np.diag_indices(len(products))] += 1e-6 * np.trace(products) / len(products)
    linear = np.linalg.solve(products, own.T @ wanted).astype(np.float32)
    return float(np.sum((own @ linear - wanted) ** 2) / np.sum(wanted**2))
