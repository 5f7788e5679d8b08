"""Content and style loss with their gradient, as one graph of OpenVINO's own operations.

OpenVINO has no automatic differentiation, so the way back is written by hand. The gradient of a
convolution is the convolution with its kernel turned round; of ReLU, a mask; of an average, a
spreading out; of reflection padding, the mirrored border added to what it mirrors. A Gram matrix of
features f has the gradient ``f D`` with a symmetric matrix D: a convolution of size 1 whose kernel
is computed on the way.

Features are (1, C, H, W) here: the plugin chooses the layout in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op

from stylizer.perceptual.chain import Chain, Convolution, Pool

__all__ = ["build_features", "build_gradient", "centered"]

Output = Any
_HEIGHT, _WIDTH = 2, 3
_MIDDLE = 127.5
_HUGE = 1e30
"""Makes every value above 0 one above 1, by which ReLU's gradient is a minimum."""


def centered(chain: Chain) -> Chain:
    """Return a chain that gives the same for pictures less its offset, which lie about 0.

    In bfloat16, 0..255 would lose gray levels, and kernels that sum up to 0 would not quite.
    """
    first, *others = chain.steps
    if any(chain.offset) or not isinstance(first, Convolution) or not first.reflect:
        return chain
    bias = first.bias + _MIDDLE * first.kernel.sum((0, 1, 2))
    moved = replace(first, bias=np.asarray(bias, np.float32))
    return replace(chain, offset=(_MIDDLE,) * 3, steps=(moved, *others))


def build_features(chain: Chain, layers: Sequence[str], size: tuple[int, int]) -> ov.Model:
    """Build the way forth.

    Args:
      chain: the loss network.
      layers: whose features are wanted.
      size: (width, height), multiples of the chain's stride.

    Returns:
      A model from ``canvas``, float32 (1, H, W, 3), less the chain's offset, to two outputs for
      each of ``layers``: ``LAYER``, its features before the linear map, float32 (1, h, w, C), and
      ``LAYER/energy``, the mean square of those after it, float32 ().
    """
    canvas, values = _forward(chain, size)
    results = []
    for layer in layers:
        tap = chain.taps[layer]
        features = mapped = values[tap.step]
        if tap.linear is not None:
            mapped = _convolve(features, _constant(tap.linear.T[..., None, None]), 0)
        energy = op.reduce_mean(op.multiply(mapped, mapped), _whole([0, 1, 2, 3]), False)
        found = {layer: _transpose(features, (0, 2, 3, 1)), f"{layer}/energy": energy}
        for name, node in found.items():
            results.append(op.result(node))
            results[-1].output(0).tensor.set_names({name})
    return ov.Model(results, [canvas], "features")


def build_gradient(
    chain: Chain,
    size: tuple[int, int],
    *,
    content: Sequence[tuple[str, float]],
    style: Sequence[tuple[str, float]],
    parts: int = 0,
) -> ov.Model:
    """Build the way forth and back.

    Args:
      chain: the loss network.
      size: (width, height), multiples of the chain's stride.
      content: layers of the content loss, with their weights, all factors included.
      style: the same of the style loss.
      parts: how many parts of the picture have styles of their own; 0 for one style all over.

    Returns:
      A model from ``canvas``, float32 (1, H, W, 3), less the chain's offset, ``content/LAYER``,
      float32 (1, h, w, C): the content's features before the linear map, and ``style/LAYER``,
      float32 (P, C, C): Gram matrices after it, one a part; and for each of these
      ``LAYER/factor``, float32 (1, 1) or (P, 1), by which its loss is multiplied beside its
      weight; with parts also ``guide/LAYER``, float32 (P, h, w), and ``shares``, float32 (P, 1), as
      `stylizer.gatys.guidance.Guides` has them; to ``gradient``, float32 (1, H, W, 3), and
      ``losses``, float32 (2,): content and style.
    """
    canvas, values = _forward(chain, size)
    inputs: dict[str, Output] = {"canvas": canvas}
    heads: dict[int, Output] = {}
    losses: dict[str, list[Output]] = {"content": [], "style": []}
    for layer, weight in style:
        tap = chain.taps[layer]
        features = values[tap.step]
        given = _given_styles(inputs, layer, tap.width, parts, _sides(features))
        loss, gradient = _style(features, tap.linear, weight, given)
        losses["style"].append(loss)
        heads[tap.step] = gradient if tap.step not in heads else op.add(heads[tap.step], gradient)
    for layer, weight in content:
        tap = chain.taps[layer]
        features = values[tap.step]
        shape = [1, *_sides(features), tap.width]
        target = _parameter(inputs, f"content/{layer}", shape)
        factor = _parameter(inputs, f"content/{layer}/factor", [1, 1])
        loss, gradient = _content(features, tap.linear, weight, (target, factor))
        losses["content"].append(loss)
        heads[tap.step] = gradient if tap.step not in heads else op.add(heads[tap.step], gradient)
    gradient = op.result(_transpose(_backward(chain, values, heads), (0, 2, 3, 1)))
    sums = [_sum(losses[name]) for name in ("content", "style")]
    told = op.result(op.concat([op.unsqueeze(one, _whole(0)) for one in sums], 0))
    for name, node in (("gradient", gradient), ("losses", told), *inputs.items()):
        node.output(0).tensor.set_names({name})
    return ov.Model([gradient, told], list(inputs.values()), "gradient")


def _parameter(inputs: dict[str, Output], name: str, shape: list[int]) -> Output:
    """Return the input of this name, added if it is new."""
    if name not in inputs:
        inputs[name] = op.parameter(shape, ov.Type.f32)
    return inputs[name]


def _given_styles(
    inputs: dict[str, Output], layer: str, width: int, parts: int, sides: tuple[int, int]
) -> list[tuple[Output, Output, Output]]:
    """Add the parameters for a layer's targets; return those of each part.

    Returns:
      Gram matrix (C, C), factor (1, 1), and where the part is, (1, 1, h, w); None for all over.
    """
    count = max(1, parts)
    target = _parameter(inputs, f"style/{layer}", [count, width, width])
    factor = _parameter(inputs, f"style/{layer}/factor", [count, 1])
    targets = op.split(target, _whole(0), count).outputs()
    grams = [op.reshape(one, _whole([width, width]), False) for one in targets]
    if parts == 0:
        return [(grams[0], factor, None)]
    factor = op.multiply(factor, _parameter(inputs, "shares", [count, 1]))
    guides = op.split(_parameter(inputs, f"guide/{layer}", [count, *sides]), _whole(0), count)
    maps = [op.reshape(one, _whole([1, 1, *sides]), False) for one in guides.outputs()]
    return list(zip(grams, op.split(factor, _whole(0), count).outputs(), maps, strict=True))


def _forward(chain: Chain, size: tuple[int, int]) -> tuple[Output, list[Output]]:
    """Return the parameter, and what each step gives."""
    width, height = size
    canvas = op.parameter([1, height, width, 3], ov.Type.f32)
    canvas.output(0).tensor.set_names({"canvas"})
    features = _transpose(canvas, (0, 3, 1, 2))
    values: list[Output] = []
    for step in chain.steps:
        match step:
            case Convolution():
                kernel = _constant(np.transpose(step.kernel, (3, 2, 0, 1)))
                bias = _constant(step.bias[None, :, None, None])
                padded = _reflect(features) if step.reflect else features
                features = op.relu(
                    op.add(_convolve(padded, kernel, 0 if step.reflect else 1), bias)
                )
            case Pool(average=True):
                features = _average(features)
            case Pool():
                features = op.max_pool(features, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
        values.append(features)
    return canvas, values


def _backward(chain: Chain, values: list[Output], heads: Mapping[int, Output]) -> Output:
    """Carry gradients by what the steps give, by their numbers, back to the canvas."""
    gradient: Output = None
    for number in reversed(range(max(heads) + 1)):
        if number in heads:
            gradient = heads[number] if gradient is None else op.add(heads[number], gradient)
        step, value = chain.steps[number], values[number]
        if isinstance(step, Pool):
            before = values[number - 1]
            if step.average:
                gradient = op.multiply(_spread(gradient, before), _constant(0.25))
            else:  # several may be the largest, above all in bfloat16: they share it
                largest = op.convert(op.equal(before, _spread(value, before)), "f32")
                share = op.multiply(_average(largest), _constant(4.0))
                gradient = op.multiply(_spread(op.divide(gradient, share), before), largest)
            continue
        active = op.minimum(op.multiply(value, _constant(_HUGE)), _constant(1.0))
        gradient = op.multiply(gradient, active)
        kernel = _constant(np.transpose(step.kernel[::-1, ::-1], (2, 3, 0, 1)))
        if step.reflect:
            gradient = _fold(_fold(_convolve(gradient, kernel, 2), _HEIGHT), _WIDTH)
        else:
            gradient = _convolve(gradient, kernel, 1)
    return gradient


def _style(
    features: Output, linear: Any, weight: float, given: Sequence[tuple[Output, Output, Output]]
) -> tuple[Output, Output]:
    """Return the loss of Gram matrices, one a part, and its gradient by the features.

    The linear map is applied to the features, and not, which would be less work, to their Gram
    matrix: there large numbers would cancel out, and bfloat16 would lose a tenth of the loss.

    Args:
      features: (1, C, h, w).
      linear: the map, (C, C'); None for none.
      weight: of the loss.
      given: for each part, as `_given_styles` says.
    """
    _, channels, height, width = (int(side) for side in features.output(0).get_shape())
    share = 1.0 / (height * width)
    mapped = features
    if linear is not None:
        mapped = _convolve(features, _constant(linear.T[..., None, None]), 0)
    flat = op.reshape(_transpose(mapped, (0, 2, 3, 1)), _whole([height * width, channels]), False)
    losses, gradients = [], []
    for target, factor, guide in given:
        within = flat
        if guide is not None:
            within = op.multiply(flat, op.reshape(guide, _whole([height * width, 1]), False))
        gram = op.multiply(op.matmul(within, flat, True, False), _constant(share))
        apart = op.subtract(gram, target)
        squares = op.reduce_sum(op.multiply(apart, apart), _whole([0, 1]), False)
        scale = op.multiply(factor, _constant(weight / channels**2))
        losses.append(op.multiply(squares, op.reshape(scale, _whole([]), False)))
        kernel = op.multiply(apart, op.multiply(scale, _constant(4 * share)))
        if linear is not None:
            kernel = op.matmul(kernel, _constant(linear), False, True)
            kernel = op.matmul(_constant(linear), kernel, False, False)
        kernel = op.reshape(kernel, _whole([channels, channels, 1, 1]), False)
        gradient = _convolve(features, kernel, 0)
        gradients.append(gradient if guide is None else op.multiply(gradient, guide))
    return _sum(losses), _sum(gradients)


def _content(
    features: Output, linear: Any, weight: float, given: tuple[Output, Output]
) -> tuple[Output, Output]:
    """Return the loss of features, and its gradient by them."""
    target, factor = given
    count = float(np.prod(list(features.output(0).get_shape())))
    apart = op.subtract(features, _transpose(target, (0, 3, 1, 2)))
    mapped = apart
    if linear is not None:  # the square of ``d K`` is ``d K K^T d^T``
        mapped = _convolve(apart, _constant((linear @ linear.T)[..., None, None]), 0)
    squares = op.reduce_sum(op.multiply(apart, mapped), _whole([0, 1, 2, 3]), False)
    scale = op.multiply(factor, _constant(weight / count))
    loss = op.multiply(squares, op.reshape(scale, _whole([]), False))
    twice = op.reshape(op.multiply(scale, _constant(2.0)), _whole([1, 1, 1, 1]), False)
    return loss, op.multiply(mapped, twice)


def _sum(values: list[Output]) -> Output:
    total = _constant(0.0) if not values else values[0]
    for value in values[1:]:
        total = op.add(total, value)
    return total


def _sides(features: Output) -> tuple[int, int]:
    height, width = (int(side) for side in list(features.output(0).get_shape())[2:])
    return height, width


def _convolve(features: Output, kernel: Output, padding: int) -> Output:
    """Convolve, with a border of zeros; the kernel is (out, in, height, width)."""
    around = [padding, padding]
    return op.convolution(features, kernel, [1, 1], around, around, [1, 1])


def _average(features: Output) -> Output:
    """Pool by 2 in both directions."""
    return op.avg_pool(features, [2, 2], [0, 0], [0, 0], [2, 2], True)


def _reflect(features: Output) -> Output:
    widths = _whole([0, 0, 1, 1])
    return op.pad(features, widths, widths, "reflect")


def _fold(gradient: Output, axis: int) -> Output:
    """Return the gradient before a reflection padding of 1 along an axis, given that after it."""
    length = int(gradient.output(0).get_shape()[axis])
    widths = [1, 1, 1, length - 6, 1, 1, 1]
    if length < 7:  # sides of 4 and less mirror a pixel twice
        parts = op.variadic_split(gradient, _whole(axis), _whole([1] * length)).outputs()
        inner = list(parts[1:-1])
        inner[1] = op.add(inner[1], parts[0])
        inner[-2] = op.add(inner[-2], parts[-1])
        return op.concat(inner, axis)
    before, first, second, middle, last_but_one, last, after = op.variadic_split(
        gradient, _whole(axis), _whole(widths)
    ).outputs()
    second, last_but_one = op.add(second, before), op.add(last_but_one, after)
    return op.concat([first, second, middle, last_but_one, last], axis)


def _spread(features: Output, like: Output) -> Output:
    """Repeat each pixel as often as it takes for the size of ``like``."""
    return op.interpolate(
        features,
        _whole(_sides(like)),
        "nearest",
        "sizes",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
        axes=_whole([_HEIGHT, _WIDTH]),
    )


def _transpose(features: Output, order: tuple[int, ...]) -> Output:
    return op.transpose(features, _whole(order))


def _whole(values: Any) -> Output:
    return op.constant(np.array(values, np.int64))


def _constant(values: Any) -> Output:
    return op.constant(np.array(values, np.float32, order="C"))
