"""The image network as a graph of OpenVINO's own operations, for the engine that runs per frame.

Converted by way of TensorFlow, the same network takes up to a tenth longer. Here the picture is
mirrored at its borders while its pixels are bytes; kernels that follow the style are whole before
anything is convolved; and pixels get their order last, as bytes, outside of the graph
(`stylizer.network.inputs.join_tiles`). Between the first two layers and the last two, the graph
follows the Keras model, whatever that is made of. What depends on the code alone is to be computed
once a style: `stylizer.network.embedded.openvino_split`.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import openvino as ov
from keras import layers
from openvino import opset13 as op

from stylizer.errors import BackendError
from stylizer.network.adaptive import layers as adaptive
from stylizer.network.adaptive.noise import NOISE_CHANNELS
from stylizer.network.adaptive.styled import change_shapes, noisy_kernels
from stylizer.network.fast import architecture as fast
from stylizer.network.fast.architecture import DepthToSpace, DynamicConvolution, Reflect

__all__ = ["build_graph"]

Output = Any
"""An output of an operation. Features are float32 (1, C, H, W): the plugin chooses the layout."""

_BINOMIAL = (1.0, 2.0, 1.0)
_SPATIAL = (2, 3)


def build_graph(network: keras.Model) -> ov.Model:
    """Translate a network's ``build_image_network()``, with its weights.

    Args:
      network: it begins with Rescaling and Reflect, and ends with DepthToSpace and Rescaling.

    Returns:
      A model from ``image``, uint8 RGB (1, H, W, 3), ``code``, float32 (1, N), and what else the
      network takes, maps of float32 (1, H, W, C) by their names, to ``output``: the painting in
      tiles, uint8 (1, H / r, W / r, 3 r^2), where r is the last layer's factor. Where kernels
      follow the style it takes ``change`` too, float32 (D,), of all that is made of the code
      (`stylizer.network.adaptive.styled.apply_change`).

    Raises:
      BackendError: the network has a layer that is not known here.
    """
    image = op.parameter([1, -1, -1, 3], ov.Type.u8, name="image")
    code = op.parameter([1, network.input["code"].shape[-1]], ov.Type.f32, name="code")
    given = {"image": image, "code": code}
    steps = [layer for layer in network.layers if not isinstance(layer, layers.InputLayer)]
    rescaling, reflect = _find(steps, layers.Rescaling)[0], _find(steps, Reflect)[0]
    arranging, scaling = _find(steps, DepthToSpace)[-1], _find(steps, layers.Rescaling)[-1]
    known = _project(code, _find(steps, layers.Dense))
    kernels: dict[str, Output] = {}
    if _find(steps, adaptive.AdaptiveConvolution):
        given["change"], noise, changes = _take_change(network)
        noisy = noisy_kernels(network)
        for layer in steps:
            if isinstance(layer, layers.Dense) and layer.name in changes:
                part = op.reshape(changes[layer.name], _whole([1, layer.units, 1, 1]), False)
                known[layer.output.name] = op.add(known[layer.output.name], part)
            elif layer.name in changes:
                whole = op.reshape(changes[layer.name], _whole(layer.shared.shape), False)
                made = _style_kernel(layer, known[layer.input[1].name])
                kernel = op.add(made, _transpose(whole, (3, 2, 0, 1)))
                if layer.name in noisy:
                    kernel = _weigh_noise(kernel, noise, layer.shared.shape[2] - NOISE_CHANNELS)
                kernels[layer.name] = kernel
    for name, slot in network.input.items():
        if name not in given:
            given[name] = op.parameter([1, -1, -1, slot.shape[-1]], ov.Type.f32, name=name)
            known[slot.name] = _transpose(given[name], (0, 3, 1, 2))
    mirrored = op.convert(_reflect(image, reflect.pixels, axes=(1, 2)), "f32")
    known[reflect.output.name] = _transpose(_rescale(mirrored, rescaling), (0, 3, 1, 2))
    for layer in steps:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        if layer.output.name not in known and layer not in (rescaling, arranging, scaling):
            features = [known[one.name] for one in inputs]
            if layer.name in kernels:
                features[1] = kernels[layer.name]
            known[layer.output.name] = _translate(layer, features)
    painted = _rescale(known[arranging.input.name], scaling)
    levels = op.convert(op.round(op.clamp(painted, 0.0, 255.0), "half_to_even"), "u8")
    result = op.result(_transpose(levels, (0, 2, 3, 1)))
    for name, node in (*given.items(), ("output", result)):
        node.output(0).tensor.set_names({name})
    return ov.Model([result], list(given.values()), network.name)


def _find(steps: list[keras.layers.Layer], kind: type) -> list[Any]:
    return [layer for layer in steps if isinstance(layer, kind)]


def _project(code: Output, dense: list[layers.Dense]) -> dict[str, Output]:
    """Return all that is read from the code: (1, C, 1, 1) by the names of the layers' outputs.

    As a convolution, which gives its output in the layout that normalizations are computed in; of
    a matrix product each output would be copied.
    """
    kernels, biases = zip(*(layer.weights for layer in dense), strict=True)
    kernel = op.concat([_turned(_numpy(one)[None, None]) for one in kernels], 0)
    bias = op.concat([_constant(_numpy(one)[None, :, None, None]) for one in biases], 1)
    whole = op.add(_convolve(op.unsqueeze(code, _whole(_SPATIAL)), kernel), bias)
    widths = _whole([layer.units for layer in dense])
    parts = op.variadic_split(whole, _whole(1), widths).outputs()
    return {layer.output.name: part for layer, part in zip(dense, parts, strict=True)}


def _take_change(network: keras.Model) -> tuple[Output, Output, dict[str, Output]]:
    """Return the parameter ``change``, its part that is for the noise, and its parts by layer."""
    shapes = change_shapes(network)
    sizes = [NOISE_CHANNELS, *(math.prod(shape) for shape in shapes.values())]
    change = op.parameter([sum(sizes)], ov.Type.f32, name="change")
    noise, *parts = op.variadic_split(change, _whole(0), _whole(sizes)).outputs()
    return change, noise, dict(zip(shapes, parts, strict=True))


def _weigh_noise(kernel: Output, more: Output, features: int) -> Output:
    """Return a kernel, (out, in, height, width), whose last channels are weighed: by 1 + more."""
    weights = op.concat([_constant(np.ones(features)), op.add(more, _constant(1.0))], 0)
    return op.multiply(kernel, op.reshape(weights, _whole([1, -1, 1, 1]), False))


def _translate(layer: keras.layers.Layer, given: list[Output]) -> Output:
    """Return a layer's output, given its inputs.

    Raises:
      BackendError: the layer is not known.
    """
    match layer:
        case layers.Reshape():  # of scales and shifts, which are in shape already
            return given[0]
        case layers.ReLU():
            return op.relu(given[0])
        case layers.Add():
            return op.add(*given)
        case Reflect():
            return _reflect(given[0], layer.pixels, axes=_SPATIAL)
        case DepthToSpace():
            return op.depth_to_space(given[0], "blocks_first", layer.factor)
        case layers.Concatenate():
            return op.concat(given, 1)
        case layers.AveragePooling2D():
            sides = list(layer.pool_size)
            return op.avg_pool(given[0], sides, [0, 0], [0, 0], sides, True)
        case adaptive.Upsample():
            return _upsample(given[0])
        case fast.ConditionalInstanceNormalization() | adaptive.ConditionalInstanceNormalization():
            features, scale, shift = given
            normal = op.mvn(features, _whole(_SPATIAL), True, layer.epsilon, "inside_sqrt")
            return op.add(op.multiply(normal, scale), shift)
        case DynamicConvolution():
            return _convolve(given[0], _style_kernel(layer, given[1]))
        case adaptive.AdaptiveConvolution():
            return _convolve(_reflect(given[0], layer.size // 2, axes=_SPATIAL), given[1])
        case adaptive.BinomialFilter():
            return _convolve(_reflect(given[0], 1, axes=_SPATIAL), _turned(layer.kernel))
        case layers.DepthwiseConv2D():
            kernel = _constant(np.transpose(_numpy(layer.kernel), (2, 3, 0, 1))[:, :, None])
            none, ones = [0, 0], [1, 1]
            return op.group_convolution(given[0], kernel, list(layer.strides), none, none, ones)
        case layers.Conv2D():
            features = _convolve(given[0], _turned(layer.kernel), layer.strides)
            if not layer.use_bias:
                return features
            return op.add(features, _constant(_numpy(layer.bias)[None, :, None, None]))
    raise BackendError(
        f"layer {layer.name}: OpenVINO's form of a {type(layer).__name__} is not known here; "
        "choose the engine keras"
    )


def _convolve(features: Output, kernel: Output, strides: Any = (1, 1)) -> Output:
    """Convolve without padding; the kernel is (out, in, height, width)."""
    return op.convolution(features, kernel, list(strides), [0, 0], [0, 0], [1, 1])


def _turned(kernel: Any) -> Output:
    """Return a kernel of Keras, (height, width, in, out), as one of OpenVINO."""
    return _constant(np.transpose(_numpy(kernel), (3, 2, 0, 1)))


def _style_kernel(layer: keras.layers.Layer, gain: Output) -> Output:
    """Return W + B diag(g) A as a kernel (out, in, height, width)."""
    shared, before, after = (np.transpose(_numpy(part), (3, 2, 0, 1)) for part in layer.weights)
    rank = len(before)
    gained = op.multiply(_constant(after[:, :, 0, 0]), op.reshape(gain, _whole([1, rank]), False))
    change = op.matmul(gained, _constant(before.reshape(rank, -1)), False, False)
    return op.add(op.reshape(change, _whole(shared.shape), False), _constant(shared))


def _upsample(features: Output) -> Output:
    """Double both sides by quadratic B-splines: linear interpolation, and a binomial filter."""
    scales, axes = _constant([2.0, 2.0]), _whole(_SPATIAL)
    linear = op.interpolate(
        features,
        scales,
        "linear_onnx",
        "scales",
        coordinate_transformation_mode="half_pixel",
        axes=axes,
    )
    channels = linear.get_output_partial_shape(0)[1].get_length()
    binomial = np.outer(_BINOMIAL, _BINOMIAL) / 16.0
    kernel = _constant(np.tile(binomial.astype(np.float32), (channels, 1, 1, 1, 1)))
    sides = _whole([0, 0, 1, 1])
    padded = op.pad(linear, sides, sides, "edge")
    return op.group_convolution(padded, kernel, [1, 1], [0, 0], [0, 0], [1, 1])


def _reflect(features: Output, pixels: int, *, axes: tuple[int, int]) -> Output:
    if not pixels:
        return features
    widths = _whole([pixels if axis in axes else 0 for axis in range(4)])
    return op.pad(features, widths, widths, "reflect")


def _rescale(features: Output, layer: layers.Rescaling) -> Output:
    scale, offset = (_constant(np.float32(value)) for value in (layer.scale, layer.offset))
    return op.add(op.multiply(features, scale), offset)


def _transpose(features: Output, order: tuple[int, ...]) -> Output:
    return op.transpose(features, _whole(order))


def _whole(values: Any) -> Output:
    return op.constant(np.array(values, np.int64))


def _constant(values: Any) -> Output:
    return op.constant(np.ascontiguousarray(values, np.float32))


def _numpy(variable: Any) -> npt.NDArray[Any]:
    return np.asarray(variable)
