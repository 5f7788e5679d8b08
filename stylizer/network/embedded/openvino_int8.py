"""The image network in one style, in 8 bits: quicker where a CPU has no AMX.

As in Jacob et al. 2018 ("Quantization and Training of Neural Networks for Efficient Integer-
Arithmetic-Only Inference"), features and kernels are rounded to 8 bits, and sums are whole numbers.
OpenVINO does so where a graph says which values a convolution may take, and where its kernel is a
constant: kernels that go in beside the picture are not rounded (tried: 2026.4). So a network is
made for each style, with ranges of features that are measured on pictures painted in it. It differs
from the paper in that nothing is trained for it: between convolutions features are normalized in
bfloat16 or float32, which bounds what rounding does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as op

from stylizer.network.embedded.openvino_style import Ranges

__all__ = ["find_ranges", "quantize", "set_style"]

Values = npt.NDArray[np.float32]

_FIRST, _LAST = 2, 2
"""Convolutions that are not in 8 bits. The first two see the picture's faintest details, which are
normalized later (one of them alone doubles what rounding changes); the last two make its pixels."""

_SHARE = 0.9
"""Of what is measured: single values beyond are clipped, all others are rounded less."""

_LEVELS, _KERNEL_LEVELS = 256, 255


def set_style(model: ov.Model, values: Sequence[Values]) -> None:
    """Make constants of a network's last inputs.

    Args:
      model: as `stylizer.network.embedded.openvino_split.split_style` gives it; it is changed.
      values: what the network takes of a style, in its order.
    """
    given = model.get_parameters()[len(model.inputs) - len(values) :]
    for parameter, value in zip(given, values, strict=True):
        constant = op.constant(value)
        for target in parameter.output(0).get_target_inputs():
            target.replace_source_output(constant.output(0))
        model.remove_parameter(parameter)


def find_ranges(
    model: ov.Model, inputs: Iterable[Mapping[str, Any]], compile_model: Callable[[ov.Model], Any]
) -> Ranges:
    """Measure what `quantize` has to know.

    Args:
      model: of one style, as `set_style` leaves it, with shapes of the inputs.
      inputs: for each picture that is painted, the arrays that go in.
      compile_model: compiles a model, in float32.

    Returns:
      The mean over the pictures of the least and the largest value, a little less than that.
    """
    features = [_features(one).get_source_output() for one in _convolutions(model)]
    ends = [
        op.result(reduce(one, np.arange(4), False))
        for one in features
        for reduce in (op.reduce_min, op.reduce_max)
    ]
    measure = compile_model(ov.Model(ends, model.get_parameters(), "ranges"))
    found = [[float(value) for value in measure(given).values()] for given in inputs]
    return np.reshape(_SHARE * np.mean(found, axis=0), (-1, 2))


def quantize(model: ov.Model, ranges: Ranges) -> None:
    """Have a network's convolutions computed in 8 bits.

    Args:
      model: of one style, as `set_style` leaves it; it is changed.
      ranges: as `find_ranges` gives them.
    """
    for convolution, (low, high) in zip(_convolutions(model), ranges, strict=True):
        slot, kernel = _features(convolution), convolution.input_value(1).get_node().data
        least, most = (np.float32(one).reshape(1, 1, 1, 1) for one in _with_zero(low, high))
        slot.replace_source_output(
            _rounded(slot.get_source_output(), least, most, levels=_LEVELS).output(0)
        )
        # each channel that comes out has its own scale
        largest = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True) + np.float32(1e-9)
        convolution.input(1).replace_source_output(
            _rounded(op.constant(kernel), -largest, largest, levels=_KERNEL_LEVELS).output(0)
        )
    model.validate_nodes_and_infer_types()


def _convolutions(model: ov.Model) -> list[Any]:
    """Return the convolutions that are quantized; those of single channels are not."""
    found = [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]
    return found[_FIRST:-_LAST]


def _features(convolution: Any) -> Any:
    """Return the slot that a convolution's features go into: before they are mirrored, if so."""
    node = convolution.input_value(0).get_node()
    return node.input(0) if node.get_type_name() == "Pad" else convolution.input(0)


def _with_zero(low: float, high: float) -> tuple[float, float]:
    """Return a range of 256 levels of which one is 0, which covers a given one."""
    low, high = min(low, 0.0), max(high, 1e-6)
    step = (high - low) / (_LEVELS - 2)
    below = math.ceil(-low / step)
    return -below * step, (_LEVELS - 1 - below) * step


def _rounded(values: Any, low: Values, high: Values, *, levels: int) -> Any:
    ends = op.constant(low), op.constant(high)
    return op.fake_quantize(values, *ends, *ends, levels)
