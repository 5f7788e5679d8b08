"""Tests for smoothing along strokes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from stylizer.effects import strokes
from stylizer.effects.scale import enlarge
from stylizer.effects.strokes import smooth_strokes
from stylizer.frame import Image


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
    smoothed = smooth_strokes(dotted, 1.0)
    assert _off(smoothed, clean) < 0.6 * _off(dotted, clean)
    assert _off(smooth_strokes(clean, 1.0), clean) < 2


def test_fine_detail_stays_as_strong_as_it_was(rng: np.random.Generator) -> None:
    dotted = np.clip(_stripes() + rng.normal(0, 16, (96, 128, 3)), 0, 255).astype(np.uint8)
    clean = _stripes()

    def strength(image: Image) -> float:
        fine = image - cv2.GaussianBlur(image.astype(np.float32), (0, 0), 2.5)
        return float(np.abs(fine[12:-12, 12:-12]).mean())

    for before in (dotted, clean):
        assert strength(smooth_strokes(before, 1.0)) == pytest.approx(strength(before), rel=0.12)


def test_what_has_no_direction_stays_as_it_is(rng: np.random.Generator) -> None:
    even = np.full((48, 64, 3), (20, 120, 250), np.uint8)
    assert np.array_equal(smooth_strokes(even, 1.0), even)
    grain = rng.integers(0, 255, (96, 128, 3)).astype(np.uint8)
    smoothed = smooth_strokes(grain, 1.0)
    assert smoothed.std() > 0.6 * grain.std()


def test_a_share_of_0_gives_the_painting_itself() -> None:
    painting = _stripes()
    assert smooth_strokes(painting, 0.0) is painting
    half, whole = (smooth_strokes(painting, share).astype(int) for share in (0.5, 1.0))
    assert 0 < np.abs(half - painting).sum() < np.abs(whole - painting).sum()


@pytest.mark.parametrize("shape", [(1, 40, 3), (40, 1, 3), (2, 2, 3), (37, 53, 3)])
def test_any_size_goes(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    painting = rng.integers(0, 255, shape).astype(np.uint8)
    smoothed = smooth_strokes(painting, 1.0)
    assert smoothed.shape == shape
    assert smoothed.dtype == np.uint8
    assert smoothed.flags.c_contiguous


def test_large_paintings_are_smoothed_in_strips_without_a_seam(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    painting = np.clip(_stripes(300, 64) + rng.normal(0, 9, (300, 64, 3)), 0, 255).astype(np.uint8)
    whole = smooth_strokes(painting, 1.0).astype(int)
    monkeypatch.setattr(strokes, "_MOST_PIXELS", 5000)
    seams = np.abs(whole - smooth_strokes(painting, 1.0))
    assert seams.max() <= 2 and (seams > 0).mean() < 0.001  # rounding, made stronger
    assert np.abs(whole - painting).max() > 9


def test_the_more_a_painting_is_enlarged_the_more_its_strokes_are_smoothed(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: list[float] = []

    def note(painting: Image, share: float) -> Image:
        shares.append(share)
        return painting

    monkeypatch.setattr("stylizer.effects.scale.smooth_strokes", note)
    for factor in (1.1, 1.2, 1.5, 4):
        enlarge(_stripes(), (round(factor * 128), round(factor * 96)))
    assert 0 < shares[0] < shares[1] < shares[2] == shares[3] == 1
