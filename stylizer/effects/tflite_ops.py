"""TFLite files whose operators LiteRT does not know, made into files that it runs.

MediaPipe's selfie segmenters use ``Convolution2DTransposeBias``, an operator that only MediaPipe's
own runtime registers. LiteRT's ``TRANSPOSE_CONV`` takes a bias too since its version 3, so one is
written in place of the other. Inputs and options are as in MediaPipe's ``transpose_conv_bias.cc``:
picture, weights (out, h, w, in), bias; padding (1 same, 2 valid), stride across, stride down.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

__all__ = ["with_plain_operators"]

_CUSTOM = b"Convolution2DTransposeBias"


def with_plain_operators(content: bytes) -> bytes:
    """Return a TFLite file without MediaPipe's transposed convolutions; as it is if it has none.

    Args:
      content: of the file. Needs ai-edge-litert if there is something to be replaced.

    Raises:
      ValueError: no TFLite file, or such an operator is not as it should be.
    """
    if _CUSTOM not in content:
        return content
    from ai_edge_litert import schema_py_generated as schema

    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
    except (struct.error, IndexError, TypeError) as error:
        raise ValueError(f"expected a TFLite file, got something else ({error})") from error
    codes = [code for code in model.operatorCodes if code.customCode == _CUSTOM]
    numbers = [model.operatorCodes.index(code) for code in codes]
    for graph in model.subgraphs:
        for operator in graph.operators:
            if operator.opcodeIndex in numbers:
                _replace(schema, model, graph, operator)
    for code in codes:
        code.customCode, code.version = None, 3
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.TRANSPOSE_CONV
    builder = schema.flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _replace(schema: Any, model: Any, graph: Any, operator: Any) -> None:
    raw = bytes(bytearray(operator.customOptions))
    if len(operator.inputs) != 3 or len(raw) < 12:
        raise ValueError(
            f"{_CUSTOM.decode()}: expected 3 inputs and 12 bytes of options, "
            f"got {len(operator.inputs)} and {len(raw)}"
        )
    padding, across, down = struct.unpack("<3i", raw[:12])
    options = schema.TransposeConvOptionsT()
    options.padding = schema.Padding.SAME if padding == 1 else schema.Padding.VALID
    options.strideW, options.strideH = across, down
    picture, weights, bias = operator.inputs
    shape = _constant(schema, model, graph, graph.tensors[operator.outputs[0]].shape)
    operator.inputs = np.array([shape, weights, picture, bias], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.TransposeConvOptions
    operator.builtinOptions = options
    operator.customOptions = None


def _constant(schema: Any, model: Any, graph: Any, values: Any) -> int:
    """Add a tensor of int32 to the graph, and return its number."""
    buffer, tensor = schema.BufferT(), schema.TensorT()
    buffer.data = np.frombuffer(np.asarray(values, np.int32).tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor.name, tensor.type = b"output_shape", schema.TensorType.INT32
    tensor.shape, tensor.buffer = np.array([len(values)], np.int32), len(model.buffers) - 1
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1
