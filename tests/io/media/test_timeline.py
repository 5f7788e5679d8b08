"""Films whose pictures keep their own times: read and written, by parts too."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from stylizer.errors import ConfigError, SourceError
from stylizer.io.media.timeline import read_timeline
from stylizer.io.open import open_sink, open_source
from stylizer.io.sources.video_reader import VideoReader
from tests.clips import duration, ffmpeg, make_clip, make_variable_clip, read_number

TIMES = [0, 1000, 1700, 1733, 1767, 1800, 1833, 1867, 1900, 1933, 1967, 2000, 2500, 4000, 4040]


def shown_at(path: Path) -> list[int]:
    """Return when pictures stand in milliseconds after the first, by ffmpeg's account."""
    look = ffmpeg("-i", path, "-map", "0:v", "-c", "copy", "-f", "framecrc", "-")
    base = Fraction(re.search(r"#tb 0: (\S+)", look.decode())[1])  # type: ignore[index]
    rows = [line.split(",") for line in look.decode().splitlines() if not line.startswith("#")]
    stamps = sorted(int(row[2]) for row in rows)
    return [round((stamp - stamps[0]) * base * 1000) for stamp in stamps]


def has_sound(path: Path) -> float:
    return len(ffmpeg("-i", path, "-f", "s16le", "-ac", 1, "-ar", 8000, "-")) / 16000


@pytest.fixture(scope="module", params=[".mp4", ".mkv"])
def film(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    return make_variable_clip(
        tmp_path_factory.mktemp("film") / f"in{request.param}", TIMES, audio=True
    )


def test_each_picture_comes_once_at_its_time(film: Path) -> None:
    with open_source(film, vfr=True) as reader:
        frames = list(reader)
    assert reader.frame_count == len(TIMES)
    assert [read_number(frame.image) for frame in frames] == list(range(len(TIMES)))
    assert [round(1000 * frame.time) for frame in frames] == TIMES
    assert [frame.index for frame in frames] == list(range(len(TIMES)))


def test_the_last_picture_stands_as_long_as_it_did(tmp_path: Path) -> None:
    """As the last slide of many; there is no sound that would tell the length."""
    short = make_variable_clip(tmp_path / "short.mkv", [0, 40, 80, 120])
    film, out = tmp_path / "in.mkv", tmp_path / "out.mp4"
    ffmpeg("-i", short, "-c", "copy", "-bsf:v", "setts=duration=if(eq(N\\,3)\\,5000\\,40)", film)
    with open_source(film, vfr=True) as reader, open_sink(out, reader) as sink:
        assert reader.frame_count == 4
        for frame in reader:
            sink.write(frame)
    assert shown_at(out) == [0, 40, 80, 120]
    assert duration(out) == pytest.approx(5.12, abs=0.02)


def test_an_avi_has_times_too(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.avi", rate="25", extra=["-c:v", "mpeg4", "-bf", 2])
    with open_source(clip, vfr=True) as reader:
        assert [read_number(frame.image) for frame in reader] == list(range(25))


def test_parts_are_those_of_the_whole(film: Path) -> None:
    times = read_timeline(film)
    with VideoReader(film, times=times) as reader:
        for first, end in pairwise([0, 1, 5, 12, 15]):
            with reader.rest(first, end=end) as part:
                assert [read_number(frame.image) for frame in part] == list(range(first, end))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".mov"])
def test_a_film_keeps_its_times_and_its_sound(film: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    with open_source(film, vfr=True) as reader, open_sink(out, reader) as sink:
        for frame in reader:
            sink.write(frame)
    assert shown_at(out) == TIMES
    assert has_sound(out) == pytest.approx(has_sound(film), abs=0.05)
    with open_source(out, vfr=True) as written:
        assert [read_number(frame.image) for frame in written] == list(range(len(TIMES)))


def test_what_has_no_times_or_cannot_keep_them_is_refused(film: Path, tmp_path: Path) -> None:
    raw = make_clip(tmp_path / "raw.h264", extra=["-bsf:v", "h264_mp4toannexb"])
    with pytest.raises(SourceError, match="says when its pictures stand"):
        open_source(raw, vfr=True)
    with pytest.raises(ConfigError, match="--vfr: expected a video file"):
        open_source(tmp_path, vfr=True)
    with open_source(film, vfr=True) as reader:
        for name in ("out.gif", "out/", "out%03d.png", "-", "virtual-camera"):
            where = name if name in {"-", "virtual-camera"} else f"{tmp_path}/{name}"
            with pytest.raises(ConfigError, match=r"expected \.mp4, \.mkv, \.webm or \.mov"):
                open_sink(where, reader)
