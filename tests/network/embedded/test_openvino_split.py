"""What depends on a style alone, apart from what runs per frame; held against the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("openvino")

import openvino as ov
from openvino import opset13 as op

from stylizer.network.embedded.openvino_split import split_style

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def make_model() -> ov.Model:
    """Return ``image * (code, twice) + first half of that + noise + 1``."""
    image = op.parameter([1, -1, 4], ov.Type.f32, name="image")
    code = op.parameter([1, 4], ov.Type.f32, name="code")
    noise = op.parameter([1, 4], ov.Type.f32, name="noise")
    twice = op.multiply(code, op.constant(np.float32(2)))
    parts = op.split(twice, op.constant(np.int64(1)), 2).outputs()
    whole = op.add(op.multiply(image, twice), op.concat([parts[0], parts[0]], 1))
    one = op.constant(np.float32(1))
    result = op.result(op.add(op.add(whole, noise), op.add(one, one)))
    for name, node in (("image", image), ("code", code), ("noise", noise), ("output", result)):
        node.output(0).tensor.set_names({name})
    return ov.Model([result], [image, code, noise], "whole")


def run(model: ov.Model, given: list[Any]) -> list[Any]:
    found = ov.Core().compile_model(model, "CPU", EXACT)(given)
    return [np.array(value) for value in found.values()]


def test_both_halves_make_what_the_whole_makes() -> None:
    random = np.random.default_rng(0)
    model = make_model()
    style, frame = split_style(model)
    assert [slot.get_any_name() for slot in style.inputs] == ["code"]
    assert [slot.get_any_name() for slot in frame.inputs[:2]] == ["image", "noise"]
    assert frame.outputs[0].get_names() == {"output"}
    assert len(style.outputs) == len(frame.inputs) - 2 == 2
    for rows in (3, 5):
        image, code, noise = (
            random.normal(size=shape).astype(np.float32) for shape in ((1, rows, 4), (1, 4), (1, 4))
        )
        (expected,) = run(model, [image, code, noise])
        (found,) = run(frame, [image, noise, *run(style, [code])])
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        twice = 2 * code
        half = np.concatenate([twice[:, :2], twice[:, :2]], 1)
        np.testing.assert_allclose(found, image * twice + half + noise + 2, rtol=1e-5)


def test_what_only_a_style_needs_is_not_run_with_each_frame() -> None:
    _, frame = split_style(make_model())
    kinds = [node.get_type_name() for node in frame.get_ops()]
    assert "Split" not in kinds and "Concat" not in kinds
    assert kinds.count("Multiply") == 1
