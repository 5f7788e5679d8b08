"""The network as files for other programs, run by those programs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from stylizer.errors import BackendError, ConfigError, SinkError, WeightsError
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.config import FastConfig
from stylizer.network.embedded import export
from stylizer.network.embedded.conversion import ConversionConfig, convert
from stylizer.network.embedded.export import ExportConfig, export_files, export_network
from stylizer.network.embedded.parts import load_parts
from stylizer.network.embedded.smoothing_layer import smooth_tensor
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.fast.architecture import CODE_SIZE
from stylizer.network.fast.spec import FAST
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.runtime import load_runtime
from stylizer.styles.built_in import load_named_style
from stylizer.weights import weights_path

RANDOM = np.random.default_rng(3)
CODE = RANDOM.normal(0, 1, CODE_SIZE).astype(np.float32)
LONG_CODE = RANDOM.normal(0, 0.5, 256).astype(np.float32)

EMBEDDED = pytest.mark.parametrize(
    ("network", "code"), [(FAST, CODE), (ADAPTIVE, LONG_CODE)], ids=["fast", "adaptive"]
)


def in_keras(
    image: StyleEmbedding, code: StyleEmbedding, network: EmbeddedNetworkSpec = FAST
) -> StyleEmbedding:
    weights = weights_path(network.weights), weights_path(network.loss_weights)
    parts = load_parts(network.parts, *weights)
    smoothed = ops.convert_to_numpy(smooth_tensor(ops.convert_to_tensor(image), network.smooth))
    painted = np.asarray(parts.image({"image": smoothed, "code": code[None]}))
    return np.asarray(np.clip(painted, 0, 255), np.float32)


def pixels(width: int, height: int) -> StyleEmbedding:
    lines = np.cumsum(RANDOM.normal(0, 4, (1, height, width, 3)), axis=2)
    return np.rint(np.clip(128 + lines, 0, 255)).astype(np.float32)


@pytest.mark.slow
@EMBEDDED
def test_onnx_takes_pictures_of_any_size(
    network: EmbeddedNetworkSpec, code: StyleEmbedding, tmp_path: Path
) -> None:
    pytest.importorskip("tf2onnx", reason="the extra onnx")
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx")
    config = ExportConfig(network=network.name, format="onnx")
    image, style = export_network(tmp_path / "fast.onnx", config)
    assert (image.path, style.path) == (tmp_path / "fast.onnx", tmp_path / "fast_style.onnx")
    assert image.runner == style.runner == "onnxruntime"
    assert image.difference is not None and image.difference < 0.5
    assert style.difference is not None and style.difference < 1e-3
    assert sorted(tmp_path.iterdir()) == [image.path, style.path]
    session = onnxruntime.InferenceSession(str(image.path), providers=["CPUExecutionProvider"])
    assert {slot.name for slot in session.get_inputs()} == {"image", "code"}
    for size in ((64, 48), (40, 104)):
        given = pixels(*size)
        (painted,) = session.run(["output"], {"image": given, "code": code[None]})
        assert np.abs(painted - in_keras(given, code, network)).max() < 0.5
    session = onnxruntime.InferenceSession(str(style.path), providers=["CPUExecutionProvider"])
    assert [slot.name for slot in session.get_inputs()] == ["image"]
    (found,) = session.run(["output"], {"image": pixels(100, 60)})
    assert found.shape == (1, len(code))


@pytest.mark.slow
@EMBEDDED
def test_litert_with_a_style_in_it_takes_a_picture_only(
    network: EmbeddedNetworkSpec, code: StyleEmbedding, tmp_path: Path
) -> None:
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="the extra litert")
    config = ExportConfig(network=network.name, format="litert", size=(64, 48), code=code)
    (model,) = export_network(tmp_path / "night.tflite", config)
    assert model.runner == "ai_edge_litert"
    assert model.difference is not None and model.difference < 0.5
    assert list(tmp_path.iterdir()) == [model.path]
    run = interpreter.Interpreter(str(model.path))
    run.allocate_tensors()
    (slot,) = run.get_input_details()
    assert slot["shape"].tolist() == [1, 48, 64, 3]
    given = pixels(64, 48)
    run.set_tensor(slot["index"], given)
    run.invoke()
    painted = run.get_tensor(run.get_output_details()[0]["index"])
    assert np.abs(painted - in_keras(given, code, network)).max() < 0.5


@pytest.mark.slow
def test_litert_takes_pictures_of_any_size_and_style(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra litert")
    config = ExportConfig(network="adaptive", format="litert")
    for model in export_network(tmp_path / "a.tflite", config):
        assert model.difference is not None and model.difference < 1e-2


@pytest.mark.slow
@EMBEDDED
def test_openvino_and_another_backend_of_keras(
    network: EmbeddedNetworkSpec,
    code: StyleEmbedding,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import openvino

    monkeypatch.setenv("KERAS_BACKEND", "torch")
    config = ExportConfig(network=network.name, format="openvino")
    image, style = export_network(tmp_path / "fast.xml", config)
    assert image.runner == style.runner == "openvino"
    names = ["fast.bin", "fast.xml", "fast_style.bin", "fast_style.xml"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert sorted(path.name for path in export_files(tmp_path / "fast.xml", config)) == names
    given = pixels(40, 64)
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    run = openvino.Core().compile_model(str(image.path), "CPU", exact)
    painted = run({"image": given, "code": code[None]})["output"]
    assert np.abs(painted - in_keras(given, code, network)).max() < 0.5


class Converter:
    """Writes a text in place of each model, and samples that say so."""

    def __call__(self, config: ConversionConfig, folder: Path) -> None:
        for part in config.parts:
            (folder / f"{part}{export.SUFFIXES[config.format]}").write_text(f"{part} {config.size}")
            if config.format == "openvino":
                (folder / f"{part}.bin").write_text("weights")
            output = np.full((1, 4), 200, np.float32)
            np.savez(folder / f"{part}.npz", allow_pickle=False, image=output, output=output)


@pytest.fixture
def off(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Play the conversion and the programs that run the files; how far off the latter are."""
    off = [0.0]
    monkeypatch.setattr(export, "convert", Converter())
    runners = {
        suffix: (runner, lambda file, given: given["image"] + np.float32(off[0]))
        for suffix, (runner, _) in export._RUNNERS.items()
    }
    monkeypatch.setattr(export, "_RUNNERS", runners)
    monkeypatch.setattr(export, "_NEEDED", {})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    return off


def test_what_differs_from_keras_is_not_written(off: list[float], tmp_path: Path) -> None:
    for wrong in (50.0, float("nan")):
        off[0] = wrong
        with pytest.raises(BackendError, match="expected what Keras gives"):
            export_network(tmp_path / "a.onnx", ExportConfig(format="onnx"))
    assert list(tmp_path.iterdir()) == []
    off[0] = 0.5
    image, style = export_network(tmp_path / "a.onnx", ExportConfig(format="onnx"))
    assert image.difference == pytest.approx(0.5)
    assert style.difference == pytest.approx(0.5 / 200)


def test_what_cannot_be_run_here_says_so(
    off: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (model,) = export_network(tmp_path / "a.tflite", ExportConfig(format="litert", code=CODE))
    assert model.runner is None
    assert model.difference is None
    assert model.path.read_text() == "image None"


def test_what_the_conversion_needs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(BackendError, match=r"expected tf2onnx.*pip install 'stylizer\[onnx\]'"):
        export_network(tmp_path / "a.onnx", ExportConfig(format="onnx"))


@pytest.mark.parametrize("taken", ["a.xml", "a.bin", "a_style.xml"])
def test_a_file_is_replaced_only_if_asked(off: list[float], tmp_path: Path, taken: str) -> None:
    config = ExportConfig(format="openvino", size=(64, 48))
    (tmp_path / taken).write_text("mine")
    with pytest.raises(SinkError, match="exists already"):
        export_network(tmp_path / "a.xml", config)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    export_network(tmp_path / "a.xml", config, overwrite=True)
    assert len(list(tmp_path.iterdir())) == 4
    assert (tmp_path / "a.xml").read_text() == "image (64, 48)"


def test_the_ending_must_be_the_format_s(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a file ending in \.tflite, for litert"):
        export_network(tmp_path / "a.onnx", ExportConfig(format="litert"))


@pytest.mark.parametrize(("size", "advice"), [((641, 360), "640x360"), ((8, 8), "16x16")])
def test_a_size_that_does_not_fit_is_refused(size: tuple[int, int], advice: str) -> None:
    with pytest.raises(ConfigError, match=f"take {advice}"):
        ExportConfig(format="onnx", size=size)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "coreml"}, "format: expected one of onnx, litert, openvino, got 'coreml'"),
        ({"parts": ()}, "parts: expected some of image, style"),
        ({"eight_bit": True}, "eight_bit: goes with openvino, got onnx"),
        (
            {"eight_bit": True, "format": "openvino", "smooth": 8.0},
            "eight_bit: expected smooth to be 0, got 8",
        ),
        (
            {"eight_bit": True, "format": "openvino", "size": (64, 48)},
            "eight_bit: expected any size and code",
        ),
    ],
)
def test_settings_of_a_conversion_are_checked(settings: dict[str, object], message: str) -> None:
    whole = {
        "load": FAST.parts,
        "format": "onnx",
        "parts": ("image",),
        "weights": Path("a"),
        "loss_weights": Path("b"),
    }
    with pytest.raises(ConfigError, match=message):
        ConversionConfig(**(whole | settings))  # type: ignore[arg-type]


def test_settings_of_a_conversion_survive_the_way_to_the_other_process() -> None:
    config = ConversionConfig(
        load=FAST.parts,
        format="litert",
        parts=("image", "style"),
        weights=Path("a b"),
        loss_weights=Path("c"),
        size=(64, 48),
        code=(0.1, -2.0),
    )
    assert ConversionConfig.from_json(config.to_json()) == config


def test_what_the_other_process_says_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ConversionConfig(
        load=FAST.parts, format="onnx", parts=("image",), weights=tmp_path, loss_weights=tmp_path
    )
    program = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(program))
    for line, kind, message in (
        ("ValueError: no such op", BackendError, r"to onnx with TensorFlow \(ValueError: no such"),
        ("stylizer.errors.WeightsError: a.h5: of another", WeightsError, "^a.h5: of another$"),
        ("", BackendError, "exit code 3"),
    ):
        program.write_text(f"#!/bin/sh\necho '{line}' >&2\nexit 3\n")
        program.chmod(0o755)
        with pytest.raises(kind, match=message):
            convert(config, tmp_path)


@pytest.mark.slow
def test_a_tuned_style_goes_into_the_network(tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino")
    runtime = load_runtime(FastConfig(precision="float32", smooth=0.0))
    code = runtime.encode(load_named_style("starry_night"), scale=1.0)
    assert len(code) > len(LONG_CODE)
    config = ExportConfig(
        network="adaptive", format="openvino", size=(64, 48), code=code, smooth=0.0
    )
    (image,) = export_network(tmp_path / "night.xml", config)
    assert image.difference is not None and image.difference < 0.5
    given = np.rint(pixels(64, 48))
    compiled = openvino.Core().compile_model(image.path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    painted = compiled({"image": given})[0][0]
    wanted = runtime.paint(given[0].astype(np.uint8), code)
    assert np.abs(painted - wanted).max() <= 1
