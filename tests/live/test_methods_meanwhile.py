"""The two methods while a stream runs: other sizes and styles are made ready beside the loop."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylizer.frame import Frame
from stylizer.gatys import engine as engine_module
from stylizer.gatys.engine import Engine
from stylizer.gatys.stylizer import GatysStylizer, LossRecord
from stylizer.gatys.targets import style_grams
from stylizer.network.config import FastConfig
from stylizer.network.embedded.openvino_painter import ImageNetwork
from stylizer.network.embedded.openvino_runtime import OpenVinoRuntime
from stylizer.network.fast.spec import FAST
from stylizer.network.stylizer import FastStylizer
from stylizer.protocols import IteratingStylizer, PreparingStylizer
from stylizer.styles.load import Style
from tests.clips import picture
from tests.gatys.networks import random_vgg, tiny_config

SIZES = [(64, 48), (50, 37), (320, 176)]


def style(seed: int) -> Style:
    image = np.random.default_rng(seed).integers(0, 256, (32, 48, 3), np.uint8)
    return Style(name=str(seed), image=image)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_vgg(tmp_path_factory.mktemp("weights") / "vgg.npz")


def test_a_size_that_is_prepared_is_not_compiled_when_it_comes(
    model_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = OpenVinoRuntime(FAST, FastConfig(cache=model_cache))
    network = FastStylizer([style(1)], runtime=runtime)
    assert isinstance(network, PreparingStylizer)
    expected = [network(Frame(picture(5, size), 0, 0.0)).image for size in SIZES]
    another = OpenVinoRuntime(FAST, FastConfig(cache=model_cache))
    fresh = FastStylizer([style(1)], runtime=another)
    threads = [threading.Thread(target=fresh.prepare, args=(size,)) for size in SIZES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def compile_(*_: object, **__: object) -> Any:
        raise AssertionError("compiled again")

    monkeypatch.setattr(ImageNetwork, "compile", compile_)
    for size, image in zip(SIZES, expected, strict=True):
        painted = fresh(Frame(picture(5, size), 0, 0.0)).image
        np.testing.assert_array_equal(painted, image)
        fresh.prepare(size)  # known already


def test_iterations_can_be_changed_from_frame_to_frame(weights: Path) -> None:
    records: list[LossRecord] = []
    config = tiny_config(weights, iterations=5, warm_iterations=4)
    method = GatysStylizer([style(1)], config, on_loss=records.append)
    assert isinstance(method, IteratingStylizer)
    for index, count in enumerate((4, 4, 1, 3)):
        method.warm_iterations = count
        method(Frame(picture(9), index, index / 30))
    counts = [sum(record.frame == index for record in records) for index in range(4)]
    assert counts == [5, 4, 1, 3]


def style_loss(engine: Engine) -> float:
    """Return what the engine holds a picture's style to be off by."""
    losses: list[float] = []
    content = picture(9)
    canvas = content.astype(np.float32)
    engine(canvas, content, 1, on_losses=lambda terms: losses.append(terms["style"]))
    return losses[0]


def test_styles_that_are_set_meanwhile_count_from_the_next_picture(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set in the middle of an optimization, and in the middle of measuring the styles before."""
    config = tiny_config(weights)
    first, second = (style_loss(Engine([style(seed)], config)) for seed in (1, 2))
    assert abs(first - second) > 1e-3 * first

    def set_styles(engine: Engine) -> None:
        thread = threading.Thread(target=engine.set_styles, args=([style(2)],))
        thread.start()
        thread.join()

    engine, content = Engine([style(1)], config), picture(9)
    engine(content.astype(np.float32), content, 2, on_losses=lambda _: set_styles(engine))
    assert style_loss(engine) == pytest.approx(second)

    engine = Engine([style(1)], config)
    calls: list[None] = []

    def interrupted(*arguments: Any, **values: Any) -> Any:
        calls.append(None)
        if len(calls) == 1:
            set_styles(engine)
        return style_grams(*arguments, **values)

    monkeypatch.setattr(engine_module, "style_grams", interrupted)
    assert style_loss(engine) == pytest.approx(first)
    assert style_loss(engine) == pytest.approx(second)
