"""Converts parts of a network: ``python -m stylizer.network.embedded.convert FOLDER < SETTINGS``.

Runs in a process of its own with TensorFlow as the backend of Keras; see
`stylizer.network.embedded.conversion`.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.errors import WeightsError
from stylizer.network.embedded.conversion import ConversionConfig
from stylizer.network.embedded.parts import NetworkParts, load_parts
from stylizer.network.embedded.smoothing_layer import smooth_tensor

__all__ = ["Constant", "build_part", "convert_part", "main", "run_sample"]

Arrays = dict[str, npt.NDArray[Any]]


class Constant(keras.layers.Layer):
    """Gives the same float32 (1, N) whatever it is called with."""

    def __init__(self, values: tuple[float, ...], **options: Any) -> None:
        """Set the values."""
        super().__init__(**options)
        self._values = np.array([values], np.float32)

    def call(self, inputs: Any) -> Any:
        """Return the constant."""
        return ops.convert_to_tensor(self._values)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int, ...]:
        """Return its shape."""
        return self._values.shape


def build_part(part: str, parts: NetworkParts, config: ConversionConfig) -> keras.Model:
    """Build a part for batches of one: a model with named inputs.

    Args:
      part: one of `stylizer.network.embedded.conversion.Part`.
      parts: the network.
      config: its sizes and code count here.
    """
    if part == "image":
        return _image_part(parts, config)
    predictor = _with_constants(parts.predictor)
    if part == "predictor":
        statistics = keras.Input(predictor.input_shape[1:], batch_size=1, name="statistics")
        return keras.Model({"statistics": statistics}, predictor(statistics), name=part)
    sides = (None, None) if config.size is None else (config.style_side, config.style_side)
    picture = keras.Input((*sides, 3), batch_size=1, name="image")
    found = parts.statistics({"image": picture})
    return keras.Model({"image": picture}, predictor(found) if part == "style" else found)


def _image_part(parts: NetworkParts, config: ConversionConfig) -> keras.Model:
    width, height = config.size or (None, None)
    given = keras.Input((height, width, 3), batch_size=1, name="image")
    inputs, image = {"image": given}, smooth_tensor(given, config.smooth)
    if config.code is None:
        inputs["code"] = keras.Input((parts.code_size,), batch_size=1, name="code")
    if config.code is not None and len(config.code) > parts.code_size:
        return keras.Model(inputs, ops.clip(_paint_tuned(parts, image, config.code), 0.0, 255.0))
    code = inputs["code"] if config.code is None else Constant(config.code)(image)
    return keras.Model(inputs, ops.clip(parts.image({"image": image, "code": code}), 0.0, 255.0))


def _paint_tuned(parts: NetworkParts, image: Any, code: Sequence[float]) -> Any:
    """Return the painting of an image in a style whose code is followed by what tuning found."""
    if parts.styled is None:
        raise WeightsError("expected a code without a change; this network cannot be tuned")
    whole = np.array(code, np.float32)
    known, change = whole[None, : parts.code_size], whole[parts.code_size :]
    values = parts.styled.read(ops.convert_to_tensor(known), ops.convert_to_tensor(change))
    return parts.styled.paint(image, {name: np.asarray(value) for name, value in values.items()})


def _with_constants(predictor: keras.Model) -> keras.Model:
    """Write the predictor as tf2onnx knows it.

    It would make inputs of the normalization's tensors, and has no ``erfc``, by which TensorFlow
    reckons GELU.
    """
    for layer in predictor.layers:
        if getattr(layer, "activation", None) is keras.activations.gelu:
            layer.activation = _gelu
        if isinstance(layer, keras.layers.Normalization):
            layer.mean = ops.convert_to_numpy(layer.mean)
            layer.variance = ops.convert_to_numpy(layer.variance)
    return predictor


def _gelu(values: Any) -> Any:
    return 0.5 * values * (1.0 + ops.erf(values * 0.5**0.5))


def run_sample(model: keras.Model) -> Arrays:
    """Return inputs by name and the ``output`` that Keras makes of them, with the batch axis.

    Pictures are waves of many lengths and directions with some noise, float32 of whole numbers.
    """
    random = np.random.default_rng(0)
    given: Arrays = {}
    for name, slot in model.input.items():
        if name != "image":
            given[name] = random.normal(0, 1, (1, slot.shape[-1])).astype(np.float32)
            continue
        height, width = slot.shape[1] or 104, slot.shape[2] or 136
        rows, columns = np.mgrid[:height, :width][..., None]
        waves = np.zeros((height, width, 3))
        for _ in range(12):
            pace, phase = random.normal(0, 0.1, (2, 1, 1, 3)), random.uniform(0, 6.3, 3)
            waves += np.sin(rows * pace[0] + columns * pace[1] + phase)
        waves = 127.5 + 30 * waves + random.normal(0, 4, waves.shape)
        given[name] = np.rint(np.clip(waves, 0, 255))[None].astype(np.float32)
    output = ops.convert_to_numpy(model(given, training=False))
    return given | {"output": np.asarray(output)}


def convert_part(model: keras.Model, part: str, config: ConversionConfig, folder: Path) -> None:
    """Write one part into the folder, by its name."""
    signature = [
        {
            name: keras.InputSpec(shape=slot.shape, dtype="float32", name=name)
            for name, slot in model.input.items()
        }
    ]
    if config.format == "openvino":
        _to_openvino(model, folder / f"{part}.xml")
    elif config.format == "onnx":
        path = folder / f"{part}.onnx"
        model.export(path, format="onnx", input_signature=signature, verbose=False)
        _name_output(path)
    else:
        path = folder / f"{part}.tflite"
        model.export(path, format="litert", input_signature=signature, verbose=False)


def _name_output(path: Path) -> None:
    """Call an ONNX model's output ``output``; tf2onnx calls it ``Identity:0``."""
    import onnx

    model = onnx.load(path)
    (output,) = model.graph.output
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["output" if name == output.name else name for name in names]
    output.name = "output"
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _to_openvino(model: keras.Model, path: Path) -> None:
    import openvino as ov
    import tensorflow as tf

    signature = {
        name: tf.TensorSpec(slot.shape, tf.float32, name=name) for name, slot in model.input.items()
    }
    call = tf.function(lambda **given: model(given, training=False), autograph=False)
    converted = ov.convert_model(call.get_concrete_function(**signature))
    for result in converted.get_results()[1:]:  # sizes that nothing takes any longer come out too
        converted.remove_result(result)
    for slot in converted.inputs:
        kind = "image" if len(slot.partial_shape) == 4 else next(iter({*signature} - {"image"}))
        slot.tensor.set_names({kind})
    converted.outputs[0].tensor.set_names({"output"})
    ov.save_model(converted, path, compress_to_fp16=False)


def _write_graph(parts: NetworkParts, path: Path) -> None:
    import openvino as ov

    ov.save_model(parts.make_graph(), path, compress_to_fp16=False)


def main() -> None:
    """Convert what the arguments say."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    config, folder = ConversionConfig.from_json(sys.stdin.read()), Path(sys.argv[1])
    parts = load_parts(config.load, config.weights, config.loss_weights)
    for part in config.parts:
        if part == "image" and config.eight_bit:
            _write_graph(parts, folder / "image.xml")
            continue
        model = build_part(part, parts, config)
        np.savez(folder / f"{part}.npz", allow_pickle=False, **run_sample(model))
        convert_part(model, part, config, folder)


if __name__ == "__main__":
    main()
