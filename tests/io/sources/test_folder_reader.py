from __future__ import annotations

import os
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as pillow
from PIL import features

from stylizer.errors import ConfigError, SourceError
from stylizer.io.image import IMAGE_SUFFIXES, write_image
from stylizer.io.sources.folder_reader import FolderReader, find_pictures
from tests.clips import ffmpeg, make_clip, picture, read_number


def _names(where: Path | str) -> list[str]:
    return [path.name for path in find_pictures(where)]


def test_natural_order(tmp_path: Path) -> None:
    names = ["10.png", "2.png", "a 9.jpg", "a 10.jpg", "1.png", "img12.tif", "img2.TIF"]
    for name in names:
        (tmp_path / name).touch()
    expected = ["1.png", "2.png", "10.png", "a 9.jpg", "a 10.jpg", "img2.TIF", "img12.tif"]
    assert _names(tmp_path) == expected


def test_negative_numbers_and_dashes(tmp_path: Path) -> None:
    signed, dashed = tmp_path / "signed", tmp_path / "dashed"
    for folder in (signed, dashed):
        folder.mkdir()
    for number in (0, -10, 2, -1, 10, 1, -2):
        (signed / f"shot_{number}.png").touch()
    for number in (10, 2, 1):
        (dashed / f"clip-{number}.png").touch()
    ordered = [f"shot_{number}.png" for number in (-10, -2, -1, 0, 1, 2, 10)]
    assert _names(signed) == _names(f"{signed}/*.png") == _names(f"{signed}/shot_%d.png") == ordered
    assert _names(dashed) == ["clip-1.png", "clip-2.png", "clip-10.png"]


def test_what_cannot_be_read_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_image(tmp_path / "1.png", picture(1))
    (tmp_path / "2.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "3.png")
    assert _names(tmp_path) == ["1.png"]
    assert re.search(r"2\.png is passed over: a link", caplog.text)
    assert re.search(r"3\.png is passed over: a pipe", caplog.text)


@given(numbers=st.sets(st.integers(0, 10**6), min_size=1, max_size=12), width=st.integers(1, 7))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_count_whatever_their_digits(tmp_path: Path, numbers: set[int], width: int) -> None:
    folder = tmp_path / f"{width}-{hash(frozenset(numbers))}"
    folder.mkdir(exist_ok=True)
    for number in numbers:
        (folder / f"shot_{number:0{width}d}.png").touch()
    for where in (folder, f"{folder}/*.png", f"{folder}/shot_%0{width}d.png"):
        found = [int(re.findall(r"\d+", name)[0]) for name in _names(where)]
        assert found == sorted(numbers)


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_every_format(tmp_path: Path, suffix: str) -> None:
    for number in range(3):
        write_image(tmp_path / f"{number}{suffix}", picture(number))
    with FolderReader(tmp_path) as reader:
        assert reader.rate == 25
        assert reader.names == tuple(f"{number}{suffix}" for number in range(3))
        assert reader.paths == tuple(tmp_path / name for name in reader.names)
        assert [read_number(frame.image) for frame in reader] == [0, 1, 2]


@pytest.mark.parametrize("suffix", [".heic", ".HEIF", ".avif"])
def test_formats_that_are_only_read(tmp_path: Path, suffix: str) -> None:
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("Pillow has no AVIF here")
    kind = "AVIF" if suffix == ".avif" else "HEIF"
    for name in ("1", "2"):
        pillow.fromarray(picture(5)).save(tmp_path / f"{name}{suffix}", format=kind)
    write_image(tmp_path / "2.jpg", picture(6))
    with FolderReader(tmp_path) as reader:
        assert [path.suffix for path in reader.paths] == [suffix, suffix, ".jpg"]
        assert reader.names == ("1.jpg", f"2{suffix}.jpg", "2.jpg")
        assert [read_number(frame.image) for frame in reader] == [5, 5, 6]


def test_a_sequence_that_ffmpeg_wrote(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", rate="25", seconds=0.5)
    ffmpeg("-i", path, tmp_path / "frame%05d.png")
    with FolderReader(tmp_path / "frame%05d.png", rate=Fraction(24000, 1001)) as reader:
        frames = list(reader)
    assert [read_number(frame.image) for frame in frames] == list(range(12))
    assert frames[5].time == float(5 * Fraction(1001, 24000))


def test_what_is_passed_over(tmp_path: Path) -> None:
    for name in ("1.png", ".hidden.png", "notes.txt", "2.png.part", "film.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "folder.png" / "3.png").touch()
    assert _names(tmp_path) == ["1.png"]
    assert _names(f"{tmp_path}/*") == ["1.png"]
    assert _names(f"{tmp_path}/**/*.png") == ["1.png", "3.png"]


def test_a_folder_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    for name in ("a[1]", "b%03d", "c*"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").touch()
        assert _names(tmp_path / name) == ["x.png"]


def test_a_pattern_takes_no_neighbors(tmp_path: Path) -> None:
    for name in ("a001.png", "a1.png", "ba002.png", "a003.png.png", "a010.png", "aXXX.png"):
        (tmp_path / name).touch()
    assert _names(tmp_path / "a%03d.png") == ["a001.png", "a010.png"]
    assert _names(tmp_path / "a%d.png") == ["a001.png", "a1.png", "a010.png"]


def test_bad_places(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        FolderReader(tmp_path / "none")
    with pytest.raises(SourceError, match="no such folder"):
        FolderReader(tmp_path / "none" / "%d.png")
    with pytest.raises(SourceError, match="no pictures there"):
        FolderReader(tmp_path)
    with pytest.raises(SourceError, match="no pictures there"):
        FolderReader(f"{tmp_path}/*.png")
    write_image(tmp_path / "a.png", picture(0))
    with pytest.raises(SourceError, match="got a picture"):
        FolderReader(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="rate"):
        FolderReader(tmp_path, rate=Fraction(0))


def test_two_pictures_of_one_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").touch()
    with pytest.raises(SourceError, match=r"two pictures are named 1\.png"):
        find_pictures(f"{tmp_path}/*/*.png")


def test_pictures_of_different_sizes(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", picture(0))
    write_image(tmp_path / "2.png", picture(0, (40, 30)))
    with FolderReader(tmp_path) as reader, pytest.raises(SourceError, match=r"2\.png: 40x30"):
        list(reader)
    with FolderReader(tmp_path, same_size=False) as reader:
        assert [frame.size for frame in reader] == [(64, 48), (40, 30)]


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", picture(0))
    (tmp_path / "2.png").write_bytes((tmp_path / "1.png").read_bytes()[:-40])
    with FolderReader(tmp_path) as reader, pytest.raises(SourceError, match=r"2\.png.*truncated"):
        list(reader)
