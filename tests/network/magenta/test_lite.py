"""Magenta's TFLite files, by stand-ins of the same inputs and outputs."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylizer.backend.cores import usable_cores
from stylizer.errors import BackendError, ConfigError, WeightsError
from stylizer.network.magenta.lite import FILES, SIDE, MagentaLite
from tests.clips import picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return files that put the mean color of the style halfway over a picture."""
    tf: Any = pytest.importorskip("tensorflow")
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra peers is not installed")
    root = tmp_path_factory.mktemp("magenta")

    class Stand(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, 256, 256, 3))])
        def predict(self, style):  # type: ignore[no-untyped-def]
            return tf.tile(tf.reduce_mean(style, (1, 2), keepdims=True), (1, 1, 1, 34))[..., :100]

        @tf.function(
            input_signature=[tf.TensorSpec((1, 1, 1, 100)), tf.TensorSpec((1, SIDE, SIDE, 3))]
        )
        def transfer(self, code, image):  # type: ignore[no-untyped-def]
            return image / 2 + code[..., :3] / 2

    stand = Stand()
    for name, function in zip(FILES, (stand.predict, stand.transfer), strict=True):
        made = tf.lite.TFLiteConverter.from_concrete_functions(
            [function.get_concrete_function()], stand
        )
        (root / name).write_bytes(made.convert())
    return root


@pytest.mark.slow
def test_a_picture_and_a_code_go_through_in_0_to_1(folder: Path) -> None:
    peer = MagentaLite(folder, threads=1)
    style = np.full((40, 60, 3), (200, 40, 90), np.uint8)
    code = peer.encode(style)
    assert code.shape == (100,) and code.dtype == np.float32
    np.testing.assert_allclose(code[:3], np.array([200, 40, 90]) / 255, atol=1e-3)
    image = np.tile(picture(3), (16, 16, 1))[:SIDE, :SIDE]
    painted = peer.paint(image, code)
    assert painted.shape == (SIDE, SIDE, 3) and painted.dtype == np.uint8
    wanted = (image.astype(float) + style[0, 0]) / 2
    assert np.abs(painted - wanted).max() <= 1
    assert "1 threads" in peer.description
    with pytest.raises(ConfigError, match=f"expected a picture of {SIDE}x{SIDE}, got 64x48"):
        peer.paint(picture(3), code)


def test_files_that_are_missing_or_no_networks_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra peers is not installed")
    with pytest.raises(WeightsError, match=f"{FILES[0]}: there is no such file"):
        MagentaLite(tmp_path, threads=1)
    for name in FILES:
        (tmp_path / name).write_bytes(b"no network")
    with pytest.raises(WeightsError, match="is no TFLite network"):
        MagentaLite(tmp_path, threads=1)


def test_without_its_runtime_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(BackendError, match=r"pip install 'stylizer\[peers\]'"):
        MagentaLite(tmp_path, threads=1)


def test_a_process_may_use_some_core() -> None:
    assert usable_cores() >= 1
