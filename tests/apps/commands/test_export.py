"""``stylizer export``: the conversion itself is tested with the library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylizer.apps.commands import export as export_app
from stylizer.network import runtime as runtime_module
from stylizer.network.config import FastConfig
from stylizer.network.embedded.export import ExportConfig, ExportedModel
from stylizer.network.inputs import StyleEmbedding
from stylizer.styles.load import AnyStyle
from tests.apps.conftest import Run, names


class Exporter:
    """Writes a text in place of models, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.config: ExportConfig | None = None
        self.runner: str | None = "onnxruntime"

    def __call__(
        self, target: Path, config: ExportConfig, *, overwrite: bool
    ) -> tuple[ExportedModel, ...]:
        self.config = config
        assert overwrite or not target.exists()
        target.write_text("model")
        difference = None if self.runner is None else 0.25
        return (
            ExportedModel(path=target, part="image", runner=self.runner, difference=difference),
        )


class Encoder:
    """Encodes a style as its name's length, times the scale."""

    description = "encoder"
    mixes = True

    def encode(self, style: AnyStyle, *, scale: float) -> StyleEmbedding:
        return np.full(3, len(style.name) * scale, np.float32)


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Exporter:
    exporter = Exporter()
    monkeypatch.setattr(export_app, "export_network", exporter)

    def load(config: FastConfig | None = None) -> Encoder:
        return Encoder()

    monkeypatch.setattr(runtime_module, "load_runtime", load)
    return exporter


@pytest.mark.parametrize(
    ("name", "kind"), [("a.onnx", "onnx"), ("a.TFLITE", "litert"), ("a.xml", "openvino")]
)
def test_the_ending_is_the_format(
    stylizer: Run, exporter: Exporter, tmp_path: Path, name: str, kind: str
) -> None:
    done = stylizer("export", tmp_path / name)
    assert (done.code, done.errors) == (0, [])
    assert exporter.config == ExportConfig(format=kind)  # type: ignore[arg-type]
    assert "as Keras within 0.2 gray levels (onnxruntime)" in done.err


def test_every_embedded_network_can_be_exported(
    stylizer: Run, exporter: Exporter, tmp_path: Path
) -> None:
    for network in ("fast", "adaptive"):
        done = stylizer("export", tmp_path / f"{network}.onnx", "--network", network)
        assert (done.code, done.errors) == (0, [])
        assert exporter.config == ExportConfig(network=network, format="onnx")


def test_size_and_style(stylizer: Run, exporter: Exporter, tmp_path: Path, style: Path) -> None:
    arguments = ("--size", "64x48", "-s", "starry_night:3", "-s", f"{style}:1")
    done = stylizer("export", tmp_path / "a.onnx", *arguments, "--style-scale", "0.5")
    assert (done.code, done.errors) == (0, [])
    assert exporter.config is not None
    assert exporter.config.size == (64, 48)
    expected = (3 * len("starry_night") + len(style.stem)) / 4 * 0.5
    assert exporter.config.code is not None
    np.testing.assert_allclose(exporter.config.code, expected, rtol=1e-6)


def test_it_says_what_was_not_compared(stylizer: Run, exporter: Exporter, tmp_path: Path) -> None:
    exporter.runner = None
    assert "NOT compared with Keras" in stylizer("export", tmp_path / "a.onnx").err
    assert stylizer("export", tmp_path / "b.onnx", "--quiet").err == ""


@pytest.mark.parametrize("taken", ["a.onnx", "a_style.onnx"])
def test_a_file_is_replaced_only_if_asked(
    stylizer: Run, exporter: Exporter, tmp_path: Path, taken: str
) -> None:
    (tmp_path / taken).write_text("mine")
    done = stylizer("export", tmp_path / "a.onnx")
    assert done.code == 1
    assert f"{taken}: exists already" in done.errors[0]
    assert exporter.config is None
    assert (tmp_path / taken).read_text() == "mine"
    assert stylizer("export", tmp_path / "a.onnx", "-y").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.pb",), "expected a file ending in one of .onnx (onnx), .tflite (litert)"),
        (("a.onnx", "--format", "litert"), "expected a file ending in .tflite, for litert"),
        (
            ("a.onnx", "--format", "coreml"),
            "--format: expected onnx, litert or openvino, got 'coreml'",
        ),
        (("a.onnx", "--network", "magenta"), "network: expected "),
        (("a.onnx", "--size", "480"), "expected WIDTHxHEIGHT or dynamic, got 480"),
        (("a.onnx", "--size", "641x480"), "take 640x480"),
        (("a.onnx", "-s", "nobody"), "no built-in style of that name"),
        (("a.onnx", "--style-scale", "2"), "--style-scale: goes with --style"),
        (("a.onnx", "-s", "starry_night", "--style-scale", "0"), "--style-scale: expected 0.05..8"),
        (("nowhere/a.onnx",), "the folder nowhere does not exist"),
    ],
)
def test_mistakes_are_told_in_one_line(
    stylizer: Run,
    exporter: Exporter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = stylizer("export", *arguments)
    assert done.code == 1
    (line,) = done.errors
    assert message in line
    assert exporter.config is None
    assert names(tmp_path) == []
