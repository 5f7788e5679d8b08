"""Tests for smoothing along strokes."""

from __future__ import annotations

import numpy as np
import pytest

from stylizer.errors import ConfigError
from stylizer.frame import Image
from stylizer.network import strokes
from stylizer.network.config import FastConfig
from stylizer.network.runtime import load_runtime
from stylizer.network.strokes import StrokeSmoother
from stylizer.styles.built_in import load_named_style


def _stripes(height: int = 96, width: int = 128) -> Image:
    """Return slanting stripes 8 pixels broad."""
    rows, columns = np.mgrid[:height, :width]
    waves = 128 + 90 * np.sin((columns + 0.7 * rows) * 2 * np.pi / 16)
    return np.repeat(np.rint(waves).astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def _off(found: Image, wanted: Image) -> float:
    inner = found.astype(float)[8:-8, 8:-8] - wanted[8:-8, 8:-8]
    return float(np.sqrt(np.square(inner).mean()))


def test_dots_along_stripes_go_and_the_stripes_stay(rng: np.random.Generator) -> None:
    clean = _stripes()
    dotted = np.clip(clean + rng.normal(0, 16, clean.shape), 0, 255).astype(np.uint8)
    smoothed = StrokeSmoother(1.0)(dotted)
    assert _off(smoothed, clean) < 0.6 * _off(dotted, clean)
    assert _off(StrokeSmoother(1.0)(clean), clean) < 2


def test_what_has_no_direction_stays_as_it_is(rng: np.random.Generator) -> None:
    even = np.full((48, 64, 3), (20, 120, 250), np.uint8)
    assert np.array_equal(StrokeSmoother(1.0)(even), even)
    grain = rng.integers(0, 255, (96, 128, 3)).astype(np.uint8)
    smoothed = StrokeSmoother(1.0)(grain)
    slanting = np.abs(StrokeSmoother(1.0)(_stripes()).astype(int) - _stripes()).mean()
    assert smoothed.std() > 0.6 * grain.std()
    assert slanting < 2


def test_a_share_of_0_gives_the_painting_itself() -> None:
    painting = _stripes()
    assert StrokeSmoother(0.0)(painting) is painting
    half, whole = (StrokeSmoother(share)(painting).astype(int) for share in (0.5, 1.0))
    assert 0 < np.abs(half - painting).sum() < np.abs(whole - painting).sum()


@pytest.mark.parametrize("shape", [(1, 40, 3), (40, 1, 3), (2, 2, 3), (37, 53, 3)])
def test_any_size_goes(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    painting = rng.integers(0, 255, shape).astype(np.uint8)
    smoothed = StrokeSmoother(1.0)(painting)
    assert smoothed.shape == shape
    assert smoothed.dtype == np.uint8
    assert smoothed.flags.c_contiguous


def test_large_paintings_are_smoothed_in_strips_without_a_seam(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    painting = np.clip(_stripes(300, 64) + rng.normal(0, 9, (300, 64, 3)), 0, 255).astype(np.uint8)
    whole = StrokeSmoother(1.0)(painting).astype(int)
    monkeypatch.setattr(strokes, "_MOST_PIXELS", 5000)
    assert np.abs(whole - StrokeSmoother(1.0)(painting)).max() <= 1
    assert np.abs(whole - painting).max() > 9


@pytest.mark.parametrize("engine", ["openvino", "keras"])
def test_engines_smooth_what_they_paint(engine: str) -> None:
    settings = {"engine": engine, "precision": "float32"}
    plain = load_runtime(FastConfig(smooth_strokes=0.0, **settings))  # type: ignore[arg-type]
    usual = load_runtime(FastConfig(**settings))  # type: ignore[arg-type]
    code = plain.encode(load_named_style("starry_night"), scale=1.0)
    photo = _stripes()
    painted = plain.paint(photo, code)
    smoothed = usual.paint(photo, code)
    assert np.abs(smoothed.astype(int) - StrokeSmoother(1.0)(painted)).max() <= 1
    assert np.abs(smoothed.astype(int) - painted).mean() > 1


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_shares_are_checked(share: float) -> None:
    with pytest.raises(ConfigError, match=r"smooth_strokes: expected 0..1"):
        FastConfig(smooth_strokes=share)


def test_only_embedded_networks_take_it() -> None:
    with pytest.raises(ConfigError, match="smooth_strokes: goes"):
        FastConfig(network="magenta", smooth_strokes=0.5)
