"""One pass of a network in several styles, each in a part of the picture of its own.

Codes belong to pixels, at the network's own resolution. Each feature map is normalized by the
statistics of every part alone, and scaled and shifted as the part's style wants it; a part is then
painted in the contrasts that it would have alone. Statistics are taken of some pixels only, which
tells as much; of small parts they are drawn a little towards those of the whole, or they would
flicker. Kernels that follow the style cannot change from pixel to pixel at that cost: they are
those of the mean of the codes, but for the last layers, which decide on the finest strokes and have
few channels. Each of those convolves once with the kernels of all styles beside each other, and a
pixel takes its own.

What a style's part takes beside the frame is made once a style, as for one style alone
(`stylizer.network.embedded.openvino_split`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as op

from stylizer.frame import Image

__all__ = ["combine_styles", "divide_styles", "fit_masks", "give_masks"]

Values = npt.NDArray[np.float32]
Output = Any

_MASKS = "masks"
"""What the names of the inputs for masks begin with."""

_OWN_KERNELS = 1
"""The last so many kernels that follow the style are each style's own."""

_PRIOR = 0.01
"""Share of the picture, of the whole's statistics, that is added to each part's."""

_SAMPLES = 4000
"""Pixels of a map, about, that statistics are taken of."""

_EPSILON = 1e-5


def divide_styles(model: ov.Model, count: int, parts: int) -> ov.Model:
    """Change a network into one that paints in several styles.

    Args:
      model: what `split_style` gives for each frame, of a static shape; it is used up.
      count: how many of its last inputs are of a style.
      parts: how many styles, 2 or more.

    Returns:
      From the network's own inputs, what `combine_styles` gives, and masks at the network's
      resolutions, float32 (1, parts, h, w) with a sum of 1 for each pixel, whose names begin with
      `_MASKS`, to the network's outputs.
    """
    given = model.get_parameters()
    own, style = given[: len(given) - count], given[len(given) - count :]
    divided = _Divided(parts)
    kernels = [one for one in style if _is_kernel(one)]
    new = []
    for one in style:
        shape = [int(side) for side in one.get_output_shape(0)]
        if _is_kernel(one) and one not in kernels[-_OWN_KERNELS:]:
            new.append(one)
            continue
        if _is_kernel(one):
            new.append(op.parameter([parts * shape[0], *shape[1:]], ov.Type.f32))
            divided.convolve(one, new[-1])
        else:
            new.append(op.parameter([shape[1], parts], ov.Type.f32))
            divided.modulate(one, new[-1])
    divided.normalize()
    inputs = [*own, *new, *divided.masks]
    return ov.Model(model.get_results(), inputs, model.get_friendly_name())


def combine_styles(
    model: ov.Model, count: int, styles: Sequence[Sequence[Values]], mean: Sequence[Values]
) -> list[Values]:
    """Return what a divided network takes of several styles.

    Args:
      model: as `divide_styles` was given it.
      count: how many of its last inputs are of a style.
      styles: what one style's part of the network gives, for each style.
      mean: what it gives for the mean of their codes.
    """
    inputs = model.get_parameters()[-count:]
    kernels = [index for index, one in enumerate(inputs) if _is_kernel(one)]
    shared = set(kernels[:-_OWN_KERNELS])
    together = []
    for index in range(count):
        if index in shared:
            together.append(mean[index])
            continue
        values = np.concatenate([style[index] for style in styles])
        together.append(values if index in kernels else values.reshape(len(styles), -1).T)
    return together


def fit_masks(masks: Values, size: tuple[int, int], extended: Image) -> Values:
    """Return masks at half the sides of an extended picture, (N, H / 2, W / 2).

    Args:
      masks: of the picture, of any size.
      size: (width, height) of the picture.
      extended: (1, H, W, 3).
    """
    wanted = extended.shape[2] // 2, extended.shape[1] // 2
    half = (-(-size[0] // 2), -(-size[1] // 2))
    found = np.empty((len(masks), wanted[1], wanted[0]), np.float32)
    for one, mask in zip(found, masks, strict=True):
        small = cv2.resize(mask, half, interpolation=cv2.INTER_LINEAR).reshape(half[::-1])
        below, beside = wanted[1] - half[1], wanted[0] - half[0]
        np.copyto(one, np.pad(small, ((0, below), (0, beside)), mode="edge"))
    return found


def give_masks(request: Any, masks: Values) -> None:
    """Give masks, (N, h, w), to a network that is divided, at its resolutions."""
    for slot in request.model_inputs:
        name = slot.get_any_name() if slot.get_names() else ""
        if name.startswith(_MASKS):
            height, width = (int(side) for side in slot.shape[2:])
            fitting = [
                cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in masks
            ]
            request.set_tensor(name, ov.Tensor(np.stack(fitting)[None], shared_memory=False))


def _is_kernel(given: Any) -> bool:
    takers = [one.get_node() for one in given.output(0).get_target_inputs()]
    return all(taker.get_type_name() == "Convolution" for taker in takers)


class _Divided:
    """A network on its way to several styles."""

    def __init__(self, parts: int) -> None:
        self._parts = parts
        self._masks: dict[tuple[int, int], Any] = {}
        self._weights: dict[tuple[int, int], tuple[int, Output]] = {}
        self._scales: dict[str, tuple[Any, Output]] = {}
        self._shifts: dict[str, tuple[Any, Output]] = {}

    @property
    def masks(self) -> list[Any]:
        """The inputs for masks."""
        return [*self._masks.values()]

    def convolve(self, kernel: Any, together: Output) -> None:
        """Convolve with the kernels of all styles, and let each pixel take its own."""
        for taker in list(kernel.output(0).get_target_inputs()):
            node = taker.get_node()
            readers = list(node.output(0).get_target_inputs())
            none, ones = [0, 0], [1, 1]
            convolved = [
                op.convolution(node.input_value(0), one, ones, none, none, ones).output(0)
                for one in _split(together, 0, self._parts)
            ]
            chosen = convolved[-1]
            for value, share in zip(convolved[:-1], self._shares_at(_sides(node)), strict=False):
                apart = op.subtract(value, convolved[-1])
                chosen = op.add(chosen, op.multiply(apart, share)).output(0)
            for reader in readers:
                reader.replace_source_output(chosen)

    def modulate(self, given: Any, together: Output) -> None:
        """Let each pixel take its own of scales, shifts and what else is added to all pixels."""
        for taker in list(given.output(0).get_target_inputs()):
            node = taker.get_node()
            others = [node.input_value(index).get_node() for index in range(2)]
            scaled = [one.get_friendly_name() for one in others]
            if any(one.get_type_name() == "MVN" for one in others):
                self._scales[node.get_friendly_name()] = node, together
            elif name := next((name for name in scaled if name in self._scales), None):
                self._shifts[name] = node, together
            else:
                taker.replace_source_output(self._spread(together, _sides(node)))

    def normalize(self) -> None:
        """Normalize each part by itself, in place of all parts together."""
        for name, (scaling, scales) in self._scales.items():
            shifting, shifts = self._shifts[name]
            given = (scaling.input_value(index).get_node() for index in range(2))
            values = next(one for one in given if one.get_type_name() == "MVN").input_value(0)
            sides = _sides(scaling)
            middle, mean, variance = self._statistics(values, sides)
            factors = op.divide(scales, op.sqrt(op.add(variance, _number(_EPSILON))))
            offsets = op.subtract(shifts, op.multiply(factors, mean))
            factor, offset = (self._spread(one, sides) for one in (factors, offsets))
            normal = op.add(op.multiply(op.subtract(values, middle), factor), offset)
            for reader in list(shifting.output(0).get_target_inputs()):
                reader.replace_source_output(normal.output(0))

    def _statistics(self, values: Output, sides: tuple[int, int]) -> tuple[Output, Output, Output]:
        """Return what is about the mean of each channel, and mean and variance of each part.

        The first is (1, C, 1, 1), the others, of what is left without it, (C, parts). In bfloat16
        the mean itself would be off by so much that the picture flickers.
        """
        step, weights = self._weights_at(sides)
        sample = _sample(values, step)
        middle = op.reduce_mean(sample, _whole([2, 3]), True)
        channels = int(middle.get_output_shape(0)[1])
        apart = op.reshape(op.subtract(sample, middle), _whole([channels, -1]), False)
        mean = op.matmul(apart, weights, False, False)
        square = op.matmul(op.multiply(apart, apart), weights, False, False)
        variance = op.relu(op.subtract(square, op.multiply(mean, mean)))
        return middle.output(0), mean.output(0), variance.output(0)

    def _weights_at(self, sides: tuple[int, int]) -> tuple[int, Output]:
        """Return how statistics are taken: of pixels that are so far apart, weighted for each part.

        Weights are (N, parts), with a sum of 1 for each part.
        """
        if sides not in self._weights:
            step = max(1, round(math.sqrt(sides[0] * sides[1] / _SAMPLES)))
            counts = op.add(_sample(self._at(sides), step), _number(_PRIOR))
            counts = op.reshape(counts, _whole([self._parts, -1]), False)
            shares = op.divide(counts, op.reduce_sum(counts, _whole([1]), True))
            self._weights[sides] = step, op.transpose(shares, _whole([1, 0])).output(0)
        return self._weights[sides]

    def _spread(self, values: Output, sides: tuple[int, int]) -> Output:
        """Return a map, (1, C, h, w), of values of the parts, (C, parts).

        By a convolution of the masks; spread by multiplications, it takes several times as long.
        """
        none, ones = [0, 0], [1, 1]
        kernel = op.unsqueeze(values, _whole([2, 3]))
        return op.convolution(self._at(sides), kernel, ones, none, none, ones).output(0)

    def _at(self, sides: tuple[int, int]) -> Output:
        """Return the masks at a resolution of the network, (1, parts, h, w)."""
        if sides not in self._masks:
            name = f"{_MASKS} {sides[1]}x{sides[0]}"
            self._masks[sides] = op.parameter([1, self._parts, *sides], ov.Type.f32, name=name)
            self._masks[sides].output(0).tensor.set_names({name})
        return self._masks[sides].output(0)

    def _shares_at(self, sides: tuple[int, int]) -> list[Output]:
        """Return each part's mask at a resolution of the network, (1, 1, h, w)."""
        return _split(self._at(sides), 1, self._parts)


def _split(values: Output, axis: int, parts: int) -> list[Output]:
    return list(op.split(values, op.constant(np.int64(axis)), parts).outputs())


def _sample(values: Output, step: int) -> Output:
    """Return every so many values of a map across and down, (1, C, h, w)."""
    if step == 1:
        return values
    pooled = op.max_pool(
        values, [step, step], [1, 1], [0, 0], [0, 0], [1, 1], "floor", "explicit", "i64", 2
    )
    return pooled.output(0)


def _sides(node: Any) -> tuple[int, int]:
    height, width = (int(side) for side in node.get_output_shape(0)[2:])
    return height, width


def _number(value: float) -> Output:
    return op.constant(np.float32(value)).output(0)


def _whole(values: Sequence[int]) -> Output:
    return op.constant(np.array(values, np.int64))
