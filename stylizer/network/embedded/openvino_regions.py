"""One pass of a network in several styles, each in a part of the picture of its own.

Codes belong to pixels, at the network's own resolution. Feature maps are normalized by the
statistics of every part alone, and scaled and shifted as the part's style wants it; a part is then
painted in the contrasts that it would have alone. Of small parts the statistics are drawn a little
towards those of the whole, or they would flicker. Within residual blocks all of that is done as the
mean of the styles wants it: what a block adds is what shows. Kernels that follow the style cannot
change from pixel to pixel at that cost: they are those of the mean of the codes, but for the last
layers, which decide on the finest strokes and have few channels. Each of those convolves once with
the kernels of all styles beside each other, and a pixel takes its own.

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

__all__ = ["combine_styles", "divide_styles", "give_masks"]

Values = npt.NDArray[np.float32]
Output = Any

_GIVEN = "masks", "weights", "prior"
"""Inputs at each resolution: masks, (1, h, w, parts); the weights of pixels in each part's
statistics, (parts, pixels); and what the whole's variance adds to them, (parts, 1)."""

_OWN_KERNELS = 1
"""The last so many kernels that follow the style are each style's own."""

_OWN_WITHIN = 2
"""The last so many scales and shifts within residual blocks are; the others hardly show."""

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
      From the network's own inputs, what `combine_styles` gives, and masks at the network's
      resolutions, as `give_masks` gives them, to the network's outputs.
    """
    given = model.get_parameters()
    own, style = given[: len(given) - count], given[len(given) - count :]
    divided = _Divided(parts)
    shared, new = _find_shared(style), []
    for index, one in enumerate(style):
        shape = [int(side) for side in one.get_output_shape(0)]
        if index in shared:
            new.append(one)
            continue
        if _is_kernel(one):
            new.append(op.parameter([parts * shape[0], *shape[1:]], ov.Type.f32))
            divided.convolve(one, new[-1].output(0))
        else:
            new.append(op.parameter([parts, shape[1]], ov.Type.f32))
            divided.modulate(one, new[-1].output(0))
    divided.normalize()
    inputs = [*own, *new, *divided.inputs]
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
    shared = _find_shared(inputs)
    together = []
    for index in range(count):
        values = [style[index] for style in styles]
        if index in shared:
            together.append(mean[index])
        elif _is_kernel(inputs[index]):
            together.append(np.concatenate(values))
        else:
            together.append(np.stack([one.ravel() for one in values]))
    return together


def give_masks(request: Any, masks: Values, size: tuple[int, int]) -> None:
    """Give masks to what runs a divided network, at the network's resolutions.

    Args:
      request: takes a picture that was extended to the right and below.
      masks: of the picture as it was, (N, h, w), of any size, with a sum of 1 for each pixel.
      size: (width, height) of the picture as it was.
    """
    width, height = (-(-side // 2) for side in size)
    whole = request.get_tensor("image").shape
    half = np.empty((whole[1] // 2, whole[2] // 2, len(masks)), np.float32)
    for index, mask in enumerate(masks):
        small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        edges = 0, half.shape[0] - height, 0, half.shape[1] - width
        half[..., index] = cv2.copyMakeBorder(small, *edges, cv2.BORDER_REPLICATE)
    given = {slot.get_any_name(): slot for slot in request.model_inputs if slot.get_names()}
    for number in range(sum(name.startswith(_GIVEN[0]) for name in given)):
        names = [f"{name}{number}" for name in _GIVEN]
        _, height, width, _ = given[names[0]].shape
        fitting = cv2.resize(half, (width, height), interpolation=cv2.INTER_AREA)
        step = _step((height, width))
        shares = fitting[::step, ::step].reshape(-1, len(masks)).T
        prior = np.float32(_PRIOR * shares.shape[1])
        whole = shares.sum(1, keepdims=True) + prior
        for name, values in zip(names, (fitting[None], shares / whole, prior / whole), strict=True):
            request.set_tensor(name, ov.Tensor(np.ascontiguousarray(values), shared_memory=False))


def _find_shared(inputs: Sequence[Any]) -> set[int]:
    """Return which inputs of a style are those of the mean of the styles."""
    kernels, within = [], []
    for index, one in enumerate(inputs):
        if _is_kernel(one):
            kernels.append(index)
        elif _is_within(one):
            within.append(index)
    return {*kernels[: len(kernels) - _OWN_KERNELS], *within[: len(within) - _OWN_WITHIN]}


def _is_within(given: Any) -> bool:
    """Whether an input scales or shifts what the next convolution alone reads, by way of a ReLU."""
    node = _only_taker(given)
    if node is not None and any(
        slot.get_node().get_type_name() == "MVN" for slot in node.input_values()
    ):
        node = _only_taker(node)
    if node is None or node.get_type_name() != "Add":
        return False
    rectified = _only_taker(node)
    return (
        rectified is not None
        and rectified.get_type_name() == "Relu"
        and _only_taker(rectified) is not None
    )


def _only_taker(node: Any) -> Any:
    """Return the node that takes another's output; None if there are several."""
    takers = list(node.output(0).get_target_inputs())
    return takers[0].get_node() if len(takers) == 1 else None


def _is_kernel(given: Any) -> bool:
    takers = [one.get_node() for one in given.output(0).get_target_inputs()]
    return all(taker.get_type_name() == "Convolution" for taker in takers)


class _Divided:
    """A network on its way to several styles."""

    def __init__(self, parts: int) -> None:
        self._parts = parts
        self.inputs: list[Any] = []
        self._given: dict[tuple[int, int], tuple[Output, Output, Output]] = {}
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
                taker.replace_source_output(self._spread(together, _sides(node)))

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
            mean, variance = self._statistics(values, sides)
            factors = op.divide(scales, op.sqrt(op.add(variance, _number(_EPSILON))))
            offsets = op.subtract(shifts, op.multiply(factors, mean))
            factor, offset = (self._spread(one, sides) for one in (factors, offsets))
            normal = op.add(op.multiply(values, factor), offset)
            for reader in list(shifting.output(0).get_target_inputs()):
                reader.replace_source_output(normal.output(0))

    def _statistics(self, values: Output, sides: tuple[int, int]) -> tuple[Output, Output]:
        """Return mean and variance in each part, (parts, C), of values that have 0 and 1."""
        _, weights, prior = self._given_at(sides)
        sampled = _pixels(_sample(values, _step(sides)))
        mean = op.matmul(weights, sampled, False, False)
        square = op.add(op.matmul(weights, op.multiply(sampled, sampled), False, False), prior)
        return mean, op.relu(op.subtract(square, op.multiply(mean, mean)))

    def _choose(self, values: list[Output], sides: tuple[int, int]) -> Output:
        """Return the values of all parts, mixed as each pixel belongs to them."""
        chosen = values[-1]
        for value, share in zip(values[:-1], self._shares_at(sides)[:-1], strict=True):
            chosen = op.add(chosen, op.multiply(op.subtract(value, values[-1]), share)).output(0)
        return chosen

    def _spread(self, values: Output, sides: tuple[int, int]) -> Output:
        """Return a map of values of the parts, (1, C, h, w), from (parts, C): by a convolution.

        Its kernel is of 1x1, from the masks to the channels; spread by multiplications, it takes
        several times as long.
        """
        turned = op.transpose(values, _whole([1, 0]))
        kernel = op.reshape(turned, _whole([-1, self._parts, 1, 1]), False)
        masks, none, ones = self._given_at(sides)[0], [0, 0], [1, 1]
        return op.convolution(masks, kernel, ones, none, none, ones).output(0)

    def _given_at(self, sides: tuple[int, int]) -> tuple[Output, Output, Output]:
        """Return what `give_masks` gives at a resolution of the network: three inputs.

        The first is turned: (1, parts, h, w).
        """
        if sides not in self._given:
            height, width = sides
            step = _step(sides)
            sampled = -(-height // step) * -(-width // step)
            shapes = [1, height, width, self._parts], [self._parts, sampled], [self._parts, 1]
            given = [op.parameter(shape, ov.Type.f32) for shape in shapes]
            for one, name in zip(given, _GIVEN, strict=True):
                one.output(0).tensor.set_names({f"{name}{len(self._given)}"})
            self.inputs += given
            masks, weights, prior = (one.output(0) for one in given)
            turned = op.transpose(masks, _whole([0, 3, 1, 2])).output(0)
            self._given[sides] = turned, weights, prior
        return self._given[sides]

    def _shares_at(self, sides: tuple[int, int]) -> list[Output]:
        """Return each part's mask at a resolution of the network, (1, 1, h, w)."""
        return _split(self._given_at(sides)[0], 1, self._parts)


def _split(values: Output, axis: int, parts: int) -> list[Output]:
    return list(op.split(values, op.constant(np.int64(axis)), parts).outputs())


def _step(sides: tuple[int, int]) -> int:
    """Return how far apart the pixels are that statistics are taken of."""
    return max(1, math.isqrt(sides[0] * sides[1] // _SAMPLES))


def _sample(values: Output, step: int) -> Output:
    """Return every so many values of a map across and down, (1, C, h, w)."""
    if step == 1:
        return values
    pooled = op.max_pool(
        values, [step, step], [1, 1], [0, 0], [0, 0], [1, 1], "floor", "explicit", "i64", 2
    )
    return pooled.output(0)


def _pixels(values: Output) -> Any:
    """Return the values of a map, (1, C, h, w), one row a pixel: (h * w, C)."""
    _, channels, height, width = (int(side) for side in values.get_shape())
    turned = op.transpose(values, _whole([0, 2, 3, 1]))
    return op.reshape(turned, _whole([height * width, channels]), False)


def _sides(node: Any) -> tuple[int, int]:
    height, width = (int(side) for side in node.get_output_shape(0)[2:])
    return height, width


def _number(value: float) -> Output:
    return op.constant(np.float32(value)).output(0)


def _whole(values: Sequence[int]) -> Output:
    return op.constant(np.array(values, np.int64))
