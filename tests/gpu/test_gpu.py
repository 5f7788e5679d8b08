"""On a GPU: gradients, losses and paintings are as they must be. Needs no ffmpeg and no OpenVINO.

Run by ``.ci/gpu.sh`` on machines that have nothing but the backend, so it imports little.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import pytest
from keras import ops

from stylizer.backend.keras_backend import describe_device, has_gpu, value_and_gradient
from stylizer.frame import Frame
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import Engine
from stylizer.network.config import FastConfig
from stylizer.network.stylizer import FastStylizer
from stylizer.perceptual.precision import TOLERANCE, choose_precision, deviation
from stylizer.styles.load import Style

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not has_gpu() and not os.environ.get("SMALL"),
        reason="the backend has no GPU; SMALL=1 rehearses without",
    ),
]


def picture(seed: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, 0).repeat(8, 1))


def test_the_device_is_named() -> None:
    assert ("on CPU (" in describe_device()) != has_gpu()


def test_gradients_are_those_of_differences() -> None:
    point = np.random.default_rng(0).normal(size=(1, 6, 6, 3)).astype(np.float32)
    kernel = np.random.default_rng(1).normal(size=(3, 3, 3, 4)).astype(np.float32)

    def objective(canvas: object) -> tuple[object, object]:
        value = ops.mean(ops.square(ops.conv(canvas, kernel, padding="same")))
        return value, value

    (value, _), gradient = value_and_gradient(objective)(ops.convert_to_tensor(point))
    slopes = np.asarray(ops.convert_to_numpy(gradient))
    for index in ((0, 0, 0, 0), (0, 3, 2, 1)):
        moved = point.copy()
        moved[index] += 0.05
        (there, _), _ = value_and_gradient(objective)(ops.convert_to_tensor(moved))
        moved[index] -= 0.1
        (here, _), _ = value_and_gradient(objective)(ops.convert_to_tensor(moved))
        assert (float(there) - float(here)) / 0.1 == pytest.approx(
            slopes[index], rel=0.02, abs=0.01
        )
    assert float(value) > 0


@pytest.mark.parametrize("network", ["compact", "half"])
def test_the_optimization_lowers_the_loss(network: str) -> None:
    config = GatysConfig(network=network, engine="keras", temporal_weight=0.0)
    content = picture(1)
    found: list[Mapping[str, float]] = []
    engine = Engine([Style(name="a", image=picture(2))], config)
    engine(content.astype(np.float32), content, 30, on_losses=found.append)
    assert found[-1]["total"] < 0.7 * found[0]["total"]
    if has_gpu():
        assert "on CPU" not in engine.description


@pytest.mark.parametrize("network", ["compact", "half"])
def test_auto_takes_bfloat16_where_losses_are_within_a_percent(network: str) -> None:
    config = GatysConfig(network=network)
    worst = deviation(config, picture(2, (256, 256)), precision="bfloat16")
    chosen = choose_precision(config, picture(2, (256, 256)))
    assert chosen == ("bfloat16" if has_gpu() and worst <= TOLERANCE else "float32")


@pytest.mark.parametrize("network", ["adaptive", "fast"])
def test_the_fast_network_paints_what_the_style_asks_for(network: str) -> None:
    frame = Frame(picture(1), 0, 0.0)
    painted = [
        FastStylizer([Style(name="a", image=style)], FastConfig(network=network, engine="keras"))(
            frame
        ).image.astype(int)
        for style in (picture(2), picture(2) // 4 + np.array([190, 20, 10], np.uint8))
    ]
    assert painted[0].shape == frame.image.shape
    assert np.abs(painted[0] - frame.image).mean() > 5
    assert np.abs(painted[0] - painted[1]).mean() > 5
