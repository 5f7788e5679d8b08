"""One pass of a network in several styles, each in a part of the picture of its own.

Codes belong to pixels, at the network's own resolution. Each feature map is normalized by the
statistics of every part alone, and scaled and shifted as the part's style wants it; a part is then
painted in the contrasts that it would have alone. Of small parts the statistics are drawn a little
towards those of the whole, or they would flicker. Kernels that follow the style cannot change from
pixel to pixel at that cost: they are those of the mean of the codes, but for the last layers, which
decide on the finest strokes and have few channels. Each of those convolves once with the kernels of
all styles beside each other, and a pixel takes its own.

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

__all__ = ["combine_styles", "divide_styles", "fit_masks"]

Values = npt.NDArray[np.float32]
Output = Any

_OWN_KERNELS = 1
"""The last so many kernels that follow the style are each style's own."""

_PRIOR = 0.01
"""Share of the picture, of the whole's statistics, that is added to each part's."""

_SAMPLES = 1000
"""Pixels of a map, at least, that statistics are taken of."""

_EPSILON = 1e-3


def divide_styles(model: ov.Model, count: int, parts: int) -> ov.Model:
    """Change a network into one that paints in several styles.

    Args:
      model: what `split_style` gives for each frame, of a static shape; it is used up.
      count: how many of its last inputs are of a style.
      parts: how many styles, 2 or more.

    Returns:
      From the network's own inputs, ``masks``, float32 (1, parts, H / 2, W / 2) with a sum of 1
      for each pixel, and what `combine_styles` gives, to the network's outputs.
    """
    given = model.get_parameters()
    own, style = given[: len(given) - count], given[len(given) - count :]
    height, width = (int(side) for side in own[0].get_output_shape(0)[1:3])
    masks = op.parameter([1, parts, height // 2, width // 2], ov.Type.f32, name="masks")
    masks.output(0).tensor.set_names({"masks"})
    divided = _Divided(masks, parts)
    kernels = [one for one in style if _is_kernel(one)]
    new = []
    for one in style:
        shape = [int(side) for side in one.get_output_shape(0)]
        if _is_kernel(one) and one not in kernels[-_OWN_KERNELS:]:
            new.append(one)
            continue
        together = op.parameter([parts * shape[0], *shape[1:]], ov.Type.f32)
        new.append(together)
        if _is_kernel(one):
            divided.convolve(one, together)
        else:
            divided.modulate(one, together)
    divided.normalize()
    return ov.Model(model.get_results(), [*own, masks, *new], model.get_friendly_name())


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
    return [
        mean[index] if index in shared else np.concatenate([style[index] for style in styles])
        for index in range(count)
    ]


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


def _is_kernel(given: Any) -> bool:
    takers = [one.get_node() for one in given.output(0).get_target_inputs()]
    return all(taker.get_type_name() == "Convolution" for taker in takers)


class _Divided:
    """A network on its way to several styles."""

    def __init__(self, masks: Output, parts: int) -> None:
        self._masks, self._parts = masks, parts
        self._resized: dict[tuple[int, int], Output] = {}
        self._shares: dict[tuple[int, int], list[Output]] = {}
        self._scales: dict[str, tuple[Any, Output]] = {}
        self._shifts: dict[str, tuple[Any, Output]] = {}

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
            chosen = self._choose(convolved, _sides(node))
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
                chosen = self._choose(_split(together, 0, self._parts), _sides(node))
                taker.replace_source_output(chosen)

    def normalize(self) -> None:
        """Normalize each part by itself, in place of all parts together."""
        for name, (scaling, scales) in self._scales.items():
            shifting, shifts = self._shifts[name]
            values = next(
                scaling.input_value(index)
                for index in range(2)
                if scaling.input_value(index).get_node().get_type_name() == "MVN"
            )
            sides = _sides(scaling)
            factors, offsets = [], []
            parts = zip(
                self._statistics(values, sides),
                _split(scales, 0, self._parts),
                _split(shifts, 0, self._parts),
                strict=True,
            )
            for (mean, variance), scale, shift in parts:
                factor = op.divide(scale, op.sqrt(op.add(variance, _number(_EPSILON))))
                factors.append(factor.output(0))
                offsets.append(op.subtract(shift, op.multiply(factor, mean)).output(0))
            factor, offset = (self._spread(one, sides) for one in (factors, offsets))
            normal = op.add(op.multiply(values, factor), offset)
            for reader in list(shifting.output(0).get_target_inputs()):
                reader.replace_source_output(normal.output(0))

    def _statistics(self, values: Output, sides: tuple[int, int]) -> list[tuple[Output, Output]]:
        """Return mean and variance of each part, of values that have 0 and 1 as a whole."""
        step = max(1, math.isqrt(sides[0] * sides[1] // _SAMPLES))
        values, *shares = (_sample(one, step) for one in (values, *self._shares_at(sides)))
        axes, one = _whole([2, 3]), _number(1.0)
        moments = []
        for share in shares[:-1]:
            count = op.reduce_mean(share, axes, True)
            within = op.multiply(values, share)
            first = op.reduce_mean(within, axes, True)
            second = op.reduce_mean(op.multiply(within, values), axes, True)
            moments.append((count, first, second))
        left = [one, _number(0.0), one]  # of the last part: the whole's, without the others'
        for found in moments:
            left = [op.subtract(whole, part) for whole, part in zip(left, found, strict=True)]
        statistics = []
        for count, first, second in [*moments, tuple(left)]:
            count = op.add(op.relu(count), _number(_PRIOR))
            mean = op.divide(first, count)
            square = op.divide(op.add(second, _number(_PRIOR)), count)
            statistics.append((mean, op.relu(op.subtract(square, op.multiply(mean, mean)))))
        return statistics

    def _choose(self, values: list[Output], sides: tuple[int, int]) -> Output:
        """Return the values of all parts, mixed as each pixel belongs to them."""
        chosen = values[-1]
        for value, share in zip(values[:-1], self._shares_at(sides)[:-1], strict=True):
            chosen = op.add(chosen, op.multiply(op.subtract(value, values[-1]), share)).output(0)
        return chosen

    def _spread(self, values: list[Output], sides: tuple[int, int]) -> Output:
        """Return a map of values of the parts, (1, C, h, w), each (1, C, 1, 1): by a convolution.

        Its kernel is of 1x1, from the masks to the channels; spread by multiplications, it takes
        several times as long.
        """
        kernel = op.concat([op.transpose(one, _whole([1, 0, 2, 3])) for one in values], 1)
        none, ones = [0, 0], [1, 1]
        return op.convolution(self._at(sides), kernel, ones, none, none, ones).output(0)

    def _at(self, sides: tuple[int, int]) -> Output:
        """Return the masks at a resolution of the network, (1, parts, h, w)."""
        if sides not in self._resized:
            factor = int(self._masks.get_output_shape(0)[2]) // sides[0]
            steps = [factor, factor]
            pooled = op.avg_pool(self._masks, steps, [0, 0], [0, 0], steps, True)
            self._resized[sides] = pooled.output(0) if factor > 1 else self._masks.output(0)
        return self._resized[sides]

    def _shares_at(self, sides: tuple[int, int]) -> list[Output]:
        """Return each part's mask at a resolution of the network, (1, 1, h, w)."""
        if sides not in self._shares:
            self._shares[sides] = _split(self._at(sides), 1, self._parts)
        return self._shares[sides]


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
