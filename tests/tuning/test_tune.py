"""Tuning: it comes nearer to the style, both engines paint what it found, and it can be stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from stylizer.errors import ConfigError, StyleError
from stylizer.frame import Image
from stylizer.network.adaptive import styled
from stylizer.network.adaptive.dead_leaves import dead_leaves
from stylizer.network.adaptive.noise import NOISE_CHANNELS, noise_map
from stylizer.network.adaptive.parts import load_network
from stylizer.network.config import FastConfig
from stylizer.network.runtime import load_runtime
from stylizer.network.stylizer import mix_styles
from stylizer.styles.load import Style, load_style
from stylizer.styles.tuning import Tuning, write_tuning
from stylizer.tuning.change import StyleChange
from stylizer.tuning.config import TuningConfig
from stylizer.tuning.tune import Tuner
from stylizer.weights import weights_path


def picture(seed: int = 0, size: tuple[int, int] = (96, 128)) -> Image:
    """Return broad stripes of two colors."""
    rows, columns = np.mgrid[: size[0], : size[1]][..., None] / 6
    waves = np.sin(rows * 0.8 + columns * (0.5 + seed)) > 0
    return np.where(waves, [230, 190, 40], [20, 40, 120]).astype(np.uint8)


@pytest.fixture(scope="module")
def tuned() -> tuple[Tuner, list[float]]:
    """A style after a few steps, and what was left to the style at each."""
    random = np.random.default_rng(2)
    photos = [dead_leaves(random, side=96) for _ in range(6)]
    # half the usual side, a quarter of the time
    config, left = TuningConfig(minutes=10, rank=2, side=96), []
    tuner = Tuner(picture(seed=1), photos, replace(config, noise=(0.0, 0.5, 1.0)))
    for _, _ in zip(range(3), tuner, strict=False):
        assert tuner.begun
    assert tuner.tuning.change[NOISE_CHANNELS:].any()
    assert tuner.tuning.noise == (0.0, 0.5, 1.0)
    tuner.turn_to(picture(), config)  # nothing of the other style is left
    assert not tuner.begun
    assert not tuner.tuning.change[NOISE_CHANNELS:].any()
    assert tuner.tuning.noise[0] == 0.0 and tuner.tuning.noise[2] > 1  # as it is of planes
    for progress in tuner:
        left.append(progress.style)
        assert 0 <= progress.share <= 1
        if progress.pictures >= 192:
            break
    return tuner, left


def test_it_comes_nearer_to_the_style(tuned: tuple[Tuner, list[float]]) -> None:
    _, left = tuned
    assert left[-1] < 0.9 * left[9]  # means of the last twenty steps and of the first ten


def test_both_engines_paint_what_was_found(tuned: tuple[Tuner, list[float]]) -> None:
    tuner, _ = tuned
    style = Style(name="mine", image=picture(), tuning=tuner.tuning)
    plain = Style(name="mine", image=picture())
    photo = dead_leaves(np.random.default_rng(5), side=64)
    painted = {}
    for engine in ("keras", "openvino"):
        runtime = load_runtime(FastConfig(engine=engine, precision="float32"))
        code = runtime.encode(style, scale=1.0)
        painted[engine] = runtime.paint(photo, code).astype(int)
        without = runtime.paint(photo, runtime.encode(plain, scale=1.0))
        assert np.abs(painted[engine] - without).mean() > 1
        again = runtime.paint(photo, code)
        assert np.array_equal(again, painted[engine])
        mixed = mix_styles(runtime, [style, plain])
        assert len(mixed) == len(code)
        between = runtime.paint(photo, mixed).astype(int)
        assert np.abs(between - painted[engine]).mean() > 0.2
        assert np.abs(between - without).mean() > 0.2
    assert np.abs(painted["keras"] - painted["openvino"]).max() <= 2
    assert np.abs(painted["keras"] - tuner.paint(photo)).max() <= 2


def test_it_goes_through_a_file(tuned: tuple[Tuner, list[float]], tmp_path: Path) -> None:
    tuner, _ = tuned
    path = tmp_path / "mine.style"
    write_tuning(path, tuner.tuning, name="mine", picture=picture())
    style = load_style(str(path))
    assert style.tuning is not None
    assert np.array_equal(style.tuning.change, tuner.tuning.change)
    assert path.stat().st_size < 600_000


def test_it_goes_with_its_weights_alone(
    tuned: tuple[Tuner, list[float]], caplog: pytest.LogCaptureFixture
) -> None:
    tuner, _ = tuned
    found = replace(tuner.tuning, scale=1.5)
    other = Tuning(network="adaptive", weights="f" * 64, parts=found.parts)
    runtime = load_runtime(FastConfig())
    with pytest.raises(StyleError, match="tuned for other weights"):
        runtime.encode(Style(name="mine", image=picture(), tuning=other), scale=1.0)
    fast = load_runtime(FastConfig(network="fast"))
    style = Style(name="mine", image=picture(), tuning=found)
    plain = fast.encode(Style(name="mine", image=picture()), scale=1.0)
    assert np.array_equal(fast.encode(style, scale=1.0), plain)
    assert "as if it were not" in caplog.text


def test_a_change_of_nothing_changes_nothing() -> None:
    network = load_network(weights_path("adaptive")).get_layer("image_network")
    change = StyleChange(styled.change_shapes(network), 2)
    tuning = Tuning(network="adaptive", weights="", parts=change.parts())
    assert len(tuning.change) == styled.change_size(network)
    assert not tuning.change.any()


def found_change(shapes: dict[str, tuple[int, ...]]) -> StyleChange:
    """Return a change of rank 2 in which every number is something."""
    random, found = np.random.default_rng(3), StyleChange(shapes, 2, seed=1)
    for variable in found.variables:
        variable.assign(random.normal(0, 1, variable.shape))
    return found


def assert_same_change(one: StyleChange, other: StyleChange) -> None:
    """Assert that two changes add the same, but for 8 bits."""
    for name, value in one.added().items():
        assert np.abs(value - other.added()[name]).max() < 0.02 * np.abs(value).max()


def test_a_change_goes_on_from_what_was_found() -> None:
    shapes = {"kernel": (3, 3, 4, 8), "scale": (8,)}
    found, later = found_change(shapes), StyleChange(shapes, 2, seed=2)
    later.go_on_from(found.parts())
    assert_same_change(found, later)
    lefts = [one.numpy() for one in later.variables if tuple(one.shape) == (36, 2)]
    assert np.linalg.norm(lefts[0], axis=0) == pytest.approx(1.0, rel=1e-4)
    others = ({"scale": (8,)}, {**shapes, "kernel": (3, 3, 4, 9)}, {**shapes, "more": (8,)})
    for other in (StyleChange(shapes, 3), *(StyleChange(one, 2) for one in others)):
        with pytest.raises(StyleError, match="of a higher rank"):
            later.go_on_from(other.parts())


def test_a_change_of_higher_rank_goes_on_from_a_lower_one() -> None:
    shapes = {"kernel": (3, 3, 4, 8), "scale": (8,)}
    found, later = found_change(shapes), StyleChange(shapes, 5, seed=2)
    first = [one.numpy() for one in later.variables]
    later.go_on_from(found.parts())
    assert_same_change(found, later)
    left, right = (one.numpy() for one in later.variables[:2])
    assert np.array_equal(left[:, 2:], first[0][:, 2:]) and left[:, 2:].any()
    assert not right[2:].any() and right[:2].any()


def test_a_style_is_tuned_further(tuned: tuple[Tuner, list[float]]) -> None:
    tuner, left = tuned
    found, config = tuner.tuning, TuningConfig(minutes=10, rank=2, side=96)
    tuner.turn_to(picture(), config, begin=found)
    assert np.abs(tuner.tuning.change - found.change).max() < 0.01 * np.abs(found.change).max()
    further = [progress.style for _, progress in zip(range(5), tuner, strict=False)]
    assert further[-1] < 0.9 * left[9]
    tuner.turn_to(picture(), config)
    plain = tuner.tuning
    lost = tuner.losses([plain, found, plain])
    assert lost[1] < 0.9 * lost[0] and lost[2] == pytest.approx(lost[0], rel=1e-3)
    np.testing.assert_array_equal(tuner.tuning.change, plain.change)
    tuner.turn_to(picture(), config)


def test_the_painter_of_one_style_paints_as_the_network_does() -> None:
    network = load_network(weights_path("adaptive")).get_layer("image_network")
    random = np.random.default_rng(0)
    image = random.uniform(0, 255, (2, 48, 64, 3)).astype(np.float32)
    code = random.normal(0, 1, (1, 256)).astype(np.float32)
    noise = np.repeat(noise_map(48, 64), 2, axis=0)
    given = {"image": image, "noise": noise, "code": np.repeat(code, 2, axis=0)}
    values = styled.style_values(network, code)
    painted = styled.paint(network, image, noise, values)
    assert np.abs(ops.convert_to_numpy(network(given)) - painted).max() < 0.05


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 0.0},
        {"minutes": float("nan")},
        {"rank": 0},
        {"style_scale": 9.0},
        {"content": -1.0},
        {"light": float("inf")},
        {"batch": 1},
        {"side": 100},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"seed": -1},
    ],
)
def test_settings_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TuningConfig(**wrong)  # type: ignore[arg-type]


def test_generated_pictures_differ_and_have_light_and_dark() -> None:
    random = np.random.default_rng(0)
    made = [dead_leaves(random, side=64) for _ in range(6)]
    assert all(one.shape == (64, 64, 3) and one.dtype == np.uint8 for one in made)
    assert all(one.std() > 5 for one in made)
    assert np.abs(made[0].astype(int) - made[1]).mean() > 10
