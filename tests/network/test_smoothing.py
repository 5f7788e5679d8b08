"""Tests for leaving out what is too faint to be painted."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from stylizer.errors import ConfigError
from stylizer.frame import Image
from stylizer.io.smoothing import smooth
from stylizer.network.config import FastConfig
from stylizer.network.embedded.smoothing_layer import smooth_tensor
from stylizer.network.runtime import load_runtime
from stylizer.styles.built_in import load_named_style


def _halves(low: int, high: int) -> Image:
    image = np.full((48, 64, 3), low, np.uint8)
    image[:, 32:] = high
    return image


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_grain_goes_and_what_is_even_stays(rng: np.random.Generator) -> None:
    even = np.full((48, 64, 3), (20, 120, 250), np.uint8)
    assert np.abs(smooth(even, 6.0).astype(int) - even).max() <= 2
    grain = even + np.rint(rng.normal(0, 3, even.shape))
    left = smooth(np.clip(grain, 0, 255).astype(np.uint8), 6.0)
    assert left[:, :, 1].std() < 0.3 * grain[:, :, 1].std()


@pytest.mark.parametrize(("step", "kept"), [(6, (0.0, 0.75)), (120, (0.97, 1.03))])
def test_strong_edges_stay_and_faint_ones_go(step: int, kept: tuple[float, float]) -> None:
    found = smooth(_halves(100, 100 + step), 6.0).astype(float)
    jump = (found[:, 32] - found[:, 31]).mean() / step
    assert kept[0] <= jump <= kept[1]


def test_more_is_smoother_and_none_is_the_picture_itself(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (40, 56, 3), dtype=np.uint8)
    assert smooth(image, 0.0) is image
    left = [smooth(image, deviation).std() for deviation in (3.0, 12.0, 50.0)]
    assert image.std() > left[0] > left[1] > left[2]


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 70), (17, 9)])
def test_pictures_of_any_size_keep_it(size: tuple[int, int], rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    found = smooth(image, 6.0)
    assert found.shape == image.shape and found.dtype == np.uint8


@pytest.mark.parametrize("engine", ["openvino", "keras"])
def test_networks_are_given_smoothed_pictures(engine: str, rng: np.random.Generator) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    image = rng.integers(0, 256, (32, 48, 3), dtype=np.uint8)
    style = load_named_style("starry_night")
    plain, default, strong = (
        load_runtime(FastConfig(network="fast", engine=engine, smooth=smoothing))  # type: ignore[arg-type]
        for smoothing in (0.0, None, 30.0)
    )
    code = plain.encode(style, scale=1.0)
    for runtime, deviation in ((default, 8.0), (strong, 30.0)):
        wanted = plain.paint(smooth(image, deviation), code)
        np.testing.assert_array_equal(runtime.paint(image, code), wanted)
        assert not np.array_equal(wanted, plain.paint(image, code))


@pytest.mark.parametrize("smoothing", [-1.0, 51.0, float("nan")])
def test_settings_out_of_range_are_refused(smoothing: float) -> None:
    with pytest.raises(ConfigError, match=r"smooth: expected 0\.\.50, got"):
        FastConfig(smooth=smoothing)


def test_magenta_takes_no_such_setting() -> None:
    with pytest.raises(ConfigError, match="smooth: goes with the network"):
        FastConfig(network="magenta", smooth=3.0)


def test_as_a_part_of_a_network_it_does_the_same_but_for_rounding(
    rng: np.random.Generator,
) -> None:
    image = _halves(60, 180)
    image[:20] += rng.integers(0, 12, (20, 64, 3)).astype(np.uint8)
    wanted = smooth(image, 8.0).astype(float)
    found = ops.convert_to_numpy(smooth_tensor(ops.convert_to_tensor(image[None], "float32"), 8.0))
    assert np.abs(found[0] - wanted).max() < 3
    assert np.abs(found[0] - wanted).mean() < 0.8
    assert np.abs(wanted - image).mean() > 1
    assert smooth_tensor(image, 0.0) is image
