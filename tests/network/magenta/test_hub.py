"""Magenta's network, by a stand-in that has its signature: the true one cannot be fetched here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stylizer.errors import BackendError, ConfigError, StyleError, WeightsError
from stylizer.network.magenta import hub as magenta
from stylizer.network.magenta.hub import MagentaRuntime
from stylizer.styles.load import NamedStyle, Style
from tests.clips import picture
from tests.network.magenta.stand_in import save_model

pytest.importorskip("tensorflow", reason="Magenta's network runs in TensorFlow")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("tensorflow_hub", reason="Magenta's network needs the extra hub")
    return save_model(tmp_path_factory.mktemp("magenta"))


@pytest.fixture(scope="module")
def runtime(model: Path) -> MagentaRuntime:
    return MagentaRuntime(source=str(model))


def style(color: tuple[int, int, int] = (200, 100, 0), size: tuple[int, int] = (64, 48)) -> Style:
    width, height = size
    return Style(name="plain", image=np.full((height, width, 3), color, np.uint8))


def named() -> NamedStyle:
    statistics = {256: np.ones(640, np.float32)}
    grams = {"compact": {256: {"block1_conv1": np.eye(16, dtype=np.float32)}}}
    return NamedStyle(
        name="wave", title="Wave", artist="H.", year=1831, statistics=statistics, grams=grams
    )


@pytest.mark.parametrize("size", [(64, 48), (33, 21), (17, 64), (1, 1)])
def test_the_model_gets_both_pictures_from_0_to_1(
    runtime: MagentaRuntime, size: tuple[int, int]
) -> None:
    content = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    painted = runtime.paint(content, runtime.encode(style(), scale=1.0))
    assert painted.dtype == np.uint8
    assert painted.shape == content.shape
    expected = (content + np.array([200.0, 100.0, 0.0])) / 2
    assert np.abs(painted - expected).max() <= 0.51


@pytest.mark.parametrize(
    ("size", "scale", "expected"),
    [((64, 48), 1.0, (341, 256)), ((512, 1024), 1.0, (256, 512)), ((300, 300), 0.5, (128, 128))],
)
def test_a_style_is_resized_by_its_short_side(
    runtime: MagentaRuntime, size: tuple[int, int], scale: float, expected: tuple[int, int]
) -> None:
    code = runtime.encode(style(size=size), scale=scale)
    assert code.dtype == np.float32
    assert (code[1], code[0]) == expected
    assert len(code) == 2 + 3 * expected[0] * expected[1]
    np.testing.assert_allclose(code[2:5], np.array([200, 100, 0]) / 255, atol=1e-3)


def test_a_built_in_style_has_no_picture_to_give(runtime: MagentaRuntime) -> None:
    with pytest.raises(StyleError, match="wave: the network magenta needs a picture"):
        runtime.encode(named(), scale=1.0)


def test_styles_that_were_mixed_are_refused(runtime: MagentaRuntime) -> None:
    one = runtime.encode(style(size=(64, 48)), scale=0.1)
    other = runtime.encode(style(size=(48, 64)), scale=0.1)
    for code in (0.5 * one[: len(other)] + 0.5 * other[: len(one)], one[:1], one[None]):
        with pytest.raises(ConfigError, match="cannot be mixed"):
            runtime.paint(picture(1), code)


def test_what_is_no_picture_is_refused(runtime: MagentaRuntime) -> None:
    code = runtime.encode(style(), scale=0.1)
    with pytest.raises(ConfigError, match="expected uint8"):
        runtime.paint(np.zeros((8, 8, 3), np.float32), code)


def test_says_what_runs(runtime: MagentaRuntime) -> None:
    assert runtime.description.startswith("magenta, tensorflow on ")
    assert runtime.description.endswith(", float32")


def test_a_folder_without_the_model_is_told(model: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"there is no folder .*none"):
        MagentaRuntime(source=str(tmp_path / "none"))
    with pytest.raises(WeightsError, match=r"holds no TensorFlow model.*saved_model\.pb"):
        MagentaRuntime(source=str(tmp_path))
    (tmp_path / "saved_model.pb").write_bytes(b"not a model")
    with pytest.raises(WeightsError, match="holds no TensorFlow model"):
        MagentaRuntime(source=str(tmp_path))


def test_a_model_that_does_something_else_is_told(model: Path, tmp_path: Path) -> None:
    import tensorflow as tf

    tf.saved_model.save(tf.Module(), str(tmp_path / "other"))
    with pytest.raises(WeightsError, match="cannot be called with a content and a style"):
        MagentaRuntime(source=str(tmp_path / "other"))
    smaller = MagentaRuntime(source=str(save_model(tmp_path / "half", shrink=2)))
    with pytest.raises(WeightsError, match=r"expected a picture of shape \(1, 48, 64, 3\)"):
        smaller.paint(picture(1), smaller.encode(style(), scale=0.1))


def test_offline_it_says_what_was_tried_and_what_to_do(model: Path, tmp_path: Path) -> None:
    """In a process that finds no host, whatever this machine's net can reach."""
    program = (
        "import socket, warnings\n"
        "def offline(*_, **__): raise socket.gaierror(-2, 'Name or service not known')\n"
        "socket.getaddrinfo = offline\n"
        "from stylizer.errors import WeightsError\n"
        "from stylizer.network.magenta.hub import MagentaRuntime\n"
        "try: MagentaRuntime()\n"
        "except WeightsError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={"PATH": "", "TFHUB_CACHE_DIR": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
    assert magenta.URL in done.stdout
    assert "--magenta FOLDER" in done.stdout
    assert "not known" in done.stdout


def test_without_tensorflow_hub_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    with pytest.raises(BackendError, match=r"pip install 'stylizer\[hub\]'"):
        MagentaRuntime(source=str(tmp_path))


def test_threads_that_come_too_late_are_told(runtime: MagentaRuntime, model: Path) -> None:
    runtime.paint(picture(1), runtime.encode(style(), scale=0.1))  # TensorFlow has begun
    with pytest.raises(BackendError, match="runs already"):
        MagentaRuntime(source=str(model), threads=1)
    with pytest.raises(ConfigError, match="threads: expected 1 or more, got 0"):
        MagentaRuntime(source=str(model), threads=0)
