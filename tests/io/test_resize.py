from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylizer.errors import ConfigError
from stylizer.io.image import write_image
from stylizer.io.resize import resize_image
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.video_reader import VideoReader
from stylizer.io.sources.wrappers import Resized
from stylizer.size import Size
from tests.clips import COLORS, corner_colors, picture, read_number

sides = st.integers(1, 97)


@given(have=st.tuples(sides, sides), want=st.tuples(sides, sides))
def test_any_size_to_any_size(have: tuple[int, int], want: tuple[int, int]) -> None:
    image = np.full((have[1], have[0], 3), (200, 100, 50), np.uint8)
    resized = resize_image(image, want)
    assert resized.shape == (want[1], want[0], 3)
    assert resized.dtype == np.uint8
    assert resized.flags.c_contiguous
    assert (resized == (200, 100, 50)).all()  # a flat picture stays as it is


@given(factor=st.integers(2, 5), seed=st.integers(0, 99))
def test_shrinking_averages_areas(factor: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (6 * factor, 8 * factor, 3), np.uint8)
    mean = image.reshape(6, factor, 8, factor, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(resize_image(image, (8, 6)), mean, atol=0.51)


def test_growing_keeps_edges_in_place() -> None:
    big = resize_image(picture(6), (256, 192))
    assert np.abs(corner_colors(big) - COLORS).max() == 0
    assert read_number(big) == 6


def test_the_same_size_costs_nothing() -> None:
    image = picture(1)
    assert resize_image(image, (64, 48)) is image


def test_a_size_without_pixels() -> None:
    with pytest.raises(ConfigError, match="at least 1 pixel"):
        resize_image(picture(1), (0, 5))


def test_a_resized_source(clip: Path) -> None:
    with VideoReader(clip) as plain:
        frames = list(plain)
    with Resized(VideoReader(clip), Size(short_side=24)) as source:
        assert source.size == (32, 24)
        assert source.rate == Fraction(30000, 1001)
        assert source.frame_count == 30
        resized = list(source)
    assert [(f.index, f.time) for f in resized] == [(f.index, f.time) for f in frames]
    for before, after in zip(frames, resized, strict=True):
        np.testing.assert_array_equal(after.image, resize_image(before.image, (32, 24)))


def test_unrelated_pictures_keep_their_aspect_ratios(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", picture(0, (64, 48)))
    write_image(tmp_path / "2.png", picture(0, (48, 96)))
    with Resized(FolderReader(tmp_path, same_size=False), Size(short_side=24)) as source:
        assert [frame.size for frame in source] == [(32, 24), (24, 48)]
    with Resized(FolderReader(tmp_path, same_size=False), Size(exact=(20, 20))) as source:
        assert [frame.size for frame in source] == [(20, 20), (20, 20)]
