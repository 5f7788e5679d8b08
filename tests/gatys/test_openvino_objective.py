"""OpenVINO's losses and gradients against Keras's, and when which of the two is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from stylizer.backend.keras_backend import value_and_gradient
from stylizer.backend.openvino_core import has_bfloat16
from stylizer.errors import BackendError, ConfigError
from stylizer.frame import Image
from stylizer.gatys import engine as engine_module
from stylizer.gatys.config import GatysConfig, Optimizer
from stylizer.gatys.engine import Engine, describe_engine
from stylizer.gatys.keras_objective import KerasObjective
from stylizer.gatys.memory import TemporalTarget
from stylizer.gatys.objective import make_objective
from stylizer.gatys.openvino_objective import OpenVinoObjective
from stylizer.gatys.targets import pad_picture, picture_grams
from stylizer.perceptual.chain import read_chain
from stylizer.perceptual.features import load_network
from stylizer.styles.load import Style
from tests.gatys.networks import random_vgg, tiny_config

Losses = tuple[float, ...]
Gradient = npt.NDArray[np.float32]


def picture(seed: int, size: tuple[int, int]) -> Image:
    """Return soft blobs with noise: areas that are flat, and areas that are not."""
    random = np.random.default_rng(seed)
    width, height = size
    coarse = random.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3))
    grown = coarse.repeat(8, 0).repeat(8, 1)[:height, :width]
    return np.asarray(np.clip(grown + random.normal(0, 12, grown.shape), 0, 255), np.uint8)


def evaluated(config: GatysConfig, size: tuple[int, int]) -> list[tuple[Losses, Gradient]]:
    """Return losses and gradient by Keras and by OpenVINO, of the same canvas and targets."""
    network = load_network(config)
    content, style = (picture(seed, size) for seed in (1, 2))
    canvas = pad_picture(network, picture(3, size))
    weights = np.random.default_rng(4).uniform(0, 1, (*content.shape[:2], 1)).astype(np.float32)
    held = TemporalTarget(picture(5, size).astype(np.float32), weights)
    found = []
    for objective in (
        KerasObjective(network, config, precision="float32"),
        OpenVinoObjective(network, config),
    ):
        targets: dict[str, Any] = {
            "content": objective.content_targets(pad_picture(network, content)),
            "style": objective.style_targets(picture_grams(network, style)),
            "temporal": objective.temporal_targets(held, content.shape),
        }
        if isinstance(objective, OpenVinoObjective):
            _, losses, gradient = objective.evaluate(canvas, targets)
            found.append((losses, gradient.copy()))
        else:
            differentiate = value_and_gradient(make_objective(network, config))
            (_, values), slope = differentiate(ops.convert_to_tensor(canvas), targets)
            losses = tuple(float(value) for value in ops.convert_to_numpy(values))
            found.append((losses, np.asarray(ops.convert_to_numpy(slope))))
    return found


def apart(found: list[tuple[Losses, Gradient]]) -> float:
    """Return how far the gradients are apart, as a share of the first's length."""
    (_, first), (_, second) = found
    return float(np.linalg.norm(second - first) / np.linalg.norm(first))


def expect_equal(config: GatysConfig, size: tuple[int, int]) -> None:
    found = evaluated(replace(config, precision="float32"), size)
    (keras, slope), (openvino, _) = found
    assert np.abs(slope).max() > 0
    assert openvino == pytest.approx(keras, rel=1e-4, abs=1e-6)
    assert apart(found) < 1e-4


@pytest.mark.parametrize(
    ("network", "settings"),
    [
        ("compact", {}),
        ("compact", {"content_layers": (("block2_conv1", 0.5), ("block4_conv1", 1.0))}),
        ("compact", {"relative": False, "reduction": "sum"}),
        ("half", {}),
        ("half", {"pooling": "average", "style_layers": (("block1_conv2", 1.0),)}),
    ],
)
def test_gradients_of_the_embedded_networks_are_keras_s(
    network: str, settings: dict[str, Any]
) -> None:
    expect_equal(GatysConfig(network=network, **settings), (72, 40))


@pytest.mark.parametrize("padding", ["reflect", "zero"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_gradients_of_vgg_are_keras_s(tmp_path: Path, padding: str, pooling: str) -> None:
    weights = random_vgg(tmp_path / "vgg.npz", padding=padding)
    expect_equal(tiny_config(weights, pooling=pooling), (26, 18))


@pytest.mark.parametrize("size", [(1, 1), (16, 24), (24, 16), (33, 47), (50, 56)])
def test_gradients_are_keras_s_whatever_the_size(size: tuple[int, int]) -> None:
    expect_equal(GatysConfig(), size)


def test_in_bfloat16_losses_are_about_the_same() -> None:
    if not has_bfloat16():
        pytest.skip("this CPU has no bfloat16")
    for network in ("compact", "half"):
        found = evaluated(GatysConfig(network=network, precision="bfloat16"), (160, 96))
        (keras, _), (openvino, _) = found
        assert openvino == pytest.approx(keras, rel=0.03)
        assert 0 < apart(found) < 0.15


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_both_engines_paint_the_same(optimizer: Optimizer) -> None:
    config = GatysConfig(optimizer=optimizer, iterations=3, evaluations=5, precision="float32")
    content, styles = picture(1, (40, 32)), [Style(name="a", image=picture(2, (40, 32)))]
    keras, openvino = (
        Engine(styles, replace(config, engine=engine))(content.astype(np.float32), content, 3)
        for engine in ("keras", "openvino")
    )
    assert np.abs(keras - content).mean() > 1
    # where a slope is 0 but for rounding, a step is whole all the same
    assert np.mean(np.abs(keras - openvino) > 0.5) < 0.01


def test_a_canvas_that_is_the_content_has_no_content_loss() -> None:
    found: list[Any] = []
    content = picture(1, (40, 32))
    engine = Engine([Style(name="a", image=picture(2, (40, 32)))], GatysConfig(engine="openvino"))
    engine(content.astype(np.float32), content, 1, on_losses=found.append)
    assert found[0]["content"] == 0.0
    assert found[0]["style"] > 0.0


@pytest.mark.parametrize(
    "settings", [{}, {"engine": "keras"}, {"tv_exponent": 1.25}, {"precision": "float32"}]
)
def test_what_will_run_is_told_before_it_is_loaded(settings: dict[str, Any]) -> None:
    config = GatysConfig(**settings)
    styles = [Style(name="a", image=picture(2, (40, 32)))]
    assert describe_engine(config, styles[0].image) == Engine(styles, config).description


def test_what_is_no_chain_is_not_read_as_one() -> None:
    inputs = keras.Input((None, None, 3))
    strided = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(inputs)
    assert read_chain(keras.Model(inputs, {"a": strided})) is None
    first = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    second = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    assert read_chain(keras.Model(inputs, {"a": first, "b": second})) is None


def test_what_openvino_cannot_run_is_keras_s_or_an_error() -> None:
    styles = [Style(name="a", image=picture(2, (40, 32)))]
    config = GatysConfig(tv_exponent=1.25, relative=False)
    assert "openvino" not in Engine(styles, config).description
    with pytest.raises(BackendError, match=r"tv_exponent: expected 1, got 1\.25"):
        Engine(styles, replace(config, engine="openvino"))
    with pytest.raises(ConfigError, match="engine: expected one of auto, keras, openvino"):
        GatysConfig(engine="tpu")  # type: ignore[arg-type]


def test_without_openvino_keras_runs_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "openvino", None)
    styles = [Style(name="a", image=picture(2, (40, 32)))]
    assert "openvino" not in Engine(styles, GatysConfig()).description
    assert "openvino cannot be imported" in caplog.text
    with pytest.raises(BackendError, match="expected openvino to be installed"):
        Engine(styles, GatysConfig(engine="openvino"))


def test_a_gpu_is_left_to_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    styles = [Style(name="a", image=picture(2, (40, 32)))]
    assert ", openvino on CPU (" in Engine(styles, GatysConfig()).description
    monkeypatch.setattr(engine_module, "has_gpu", lambda: True)
    assert "openvino" not in Engine(styles, GatysConfig()).description
