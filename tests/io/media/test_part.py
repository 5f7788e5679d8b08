"""A part of a film has the sound, the subtitles and the chapters of that part, from time 0 on."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from stylizer.io.media import part as part_module
from stylizer.io.media.probe import probe
from stylizer.io.open import open_sink, open_source
from stylizer.io.sources.video_reader import Span
from tests.clips import decode, duration, ffmpeg, make_clip, make_variable_clip, read_number
from tests.io.media.test_timeline import TIMES, shown_at

SIZE = (64, 48)
RATE = 48000
SECONDS = 6

SUBTITLES = """1
00:00:00,200 --> 00:00:00,900
long over

2
00:00:01,500 --> 00:00:02,500
begins before

3
00:00:02,600 --> 00:00:03,000
inside

4
00:00:03,500 --> 00:00:05,500
ends after

5
00:00:05,600 --> 00:00:05,900
later
"""

CHAPTERS = ";FFMETADATA1\ntitle=The film\n" + "".join(
    f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n"
    for title, start, end in (("one", 0, 1000), ("two", 1000, 3000), ("three", 3000, 6000))
)


def make_film(path: Path, *more: object) -> Path:
    """Make a film of numbered pictures whose sound rises, so that every moment of it is told."""
    if path.exists():
        return path
    plain = make_clip(path.with_name("plain.mp4"), rate="25", seconds=SECONDS, extra=["-g", 20])
    sound = ["-f", "lavfi", "-i", f"aevalsrc=0.7*sin(2*PI*(200*t+90*t*t)):s={RATE}:d={SECONDS}"]
    video = ["-c:v", "libvpx", "-b:v", "1M"] if path.suffix == ".webm" else ["-c:v", "copy"]
    if path.suffix == ".avi":
        video = ["-c:v", "mpeg4", "-q:v", "2"]
    ffmpeg("-i", plain, *sound, *more, "-map", "0:v", "-map", "1:a", *video, path)
    return path


def write_part(source: Path, target: Path, span: Span | None, *, vfr: bool = False) -> Path:
    with open_source(source, span=span, vfr=vfr) as reader, open_sink(target, reader) as sink:
        for frame in reader:
            sink.write(frame)
    return target


def sound(path: Path) -> npt.NDArray[np.float64]:
    """Return a film's sound from the time of its first picture on."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        begin = float(stream.start_time * stream.time_base) - file.start_time / 1e6
    data = ffmpeg("-i", path, "-af", "aresample=async=1:first_pts=0", *TO_PCM)
    return np.frombuffer(data, np.int16)[round(begin * RATE) :].astype(np.float64)


TO_PCM = ("-f", "s16le", "-ac", 1, "-ar", RATE, "-")


def lag(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64], begin: float) -> int:
    """Return how many samples later than it should a part's sound begins."""
    piece = part[3000:15000]
    near = whole[round(begin * RATE) + 1000 :][: len(piece) + 4000]
    likeness = np.correlate(near, piece, "valid")
    assert likeness.max() > 0.98 * np.linalg.norm(piece) ** 2
    return 2000 - int(likeness.argmax())


@pytest.mark.parametrize(
    ("name", "codec", "exact"),
    [
        ("in.mp4", "aac", 0),
        ("in.mov", "pcm_s16le", 0),
        ("in.mkv", "flac", RATE // 1000),
        ("in.webm", "libopus", RATE // 1000),
        ("in.ts", "aac", 1),
        ("in.avi", "pcm_s16le", RATE // 1000),
    ],
)
def test_the_first_sample_belongs_to_the_first_picture(
    tmp_path: Path, name: str, codec: str, exact: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_module, "_BEFORE", 1)  # so that the file is not read from its start
    film = make_film(tmp_path / name, "-c:a", codec)
    for suffix in (".mp4", ".mkv"):
        out = write_part(film, tmp_path / f"out{suffix}", (2.2, 4.6))
        assert [read_number(image) for image in decode(out, SIZE)] == list(range(55, 115))
        assert probe(out).rate == 25
        assert abs(lag(sound(out), sound(film), 2.2)) <= exact
        assert abs(len(sound(out)) - 2.4 * RATE) <= max(exact, 1)
        assert duration(out) == pytest.approx(2.4, abs=0.03)


def test_sound_that_is_copied_is_cut_between_packets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_module, "_cut", lambda track, _: replace(track, cut=True))
    film = make_film(tmp_path / "in.mp4", "-c:a", "aac")
    for suffix in (".mp4", ".mkv"):
        out = write_part(film, tmp_path / f"out{suffix}", (2.2, 4.6))
        assert read_number(decode(out, SIZE)[0]) == 55
        assert abs(lag(sound(out), sound(film), 2.2)) <= RATE // 1000
        assert abs(len(sound(out)) - 2.4 * RATE) <= 1024
        assert duration(out) == pytest.approx(2.4, abs=0.06)


def test_sound_without_loss_is_the_films_own(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mov", "-c:a", "pcm_s16le")
    out = write_part(film, tmp_path / "out.mkv", (Fraction(7, 3), Fraction(11, 3)))
    begin, end = 59 / 25, 92 / 25  # of whole pictures
    expected = sound(film)[round(begin * RATE) : round(end * RATE)]
    np.testing.assert_array_equal(sound(out), expected)


def test_pictures_that_begin_after_the_sound(tmp_path: Path) -> None:
    plain = make_film(tmp_path / "plain-in.mkv", "-c:a", "flac")
    film = tmp_path / "in.mkv"
    late = ["-itsoffset", 0.7, "-i", plain, "-i", plain, "-map", "0:v", "-map", "1:a"]
    ffmpeg(*late, "-c", "copy", film)
    out = write_part(film, tmp_path / "out.mp4", (1, 3))
    assert read_number(decode(out, SIZE)[0]) == 25
    # The picture of one second stands where there are 1.7 seconds of sound.
    assert abs(lag(sound(out), sound(plain), 1.7)) <= RATE // 1000


def test_to_the_end_sound_and_pictures_end_as_those_of_the_whole(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mp4", "-c:a", "aac")
    for end in (None, 99):
        out = write_part(film, tmp_path / f"{end}.mp4", (4, end))
        assert len(decode(out, SIZE)) == 50
        assert abs(len(sound(out)) - 2 * RATE) <= 1024
    out = write_part(film, tmp_path / "short.mp4", (4, 5.8))  # nearly
    assert abs(len(sound(out)) - 1.8 * RATE) <= 1


def test_a_part_that_is_the_whole_is_copied(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mp4", "-c:a", "mp3")
    assert probe(write_part(film, tmp_path / "whole.mp4", (0, 99))).audio == ("mp3float",)
    assert probe(write_part(film, tmp_path / "part.mp4", (0, 5.9))).audio == ("aac",)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_subtitles_and_chapters_are_those_of_the_part(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "words.srt").write_text(SUBTITLES, encoding="utf-8")
    (tmp_path / "chapters.txt").write_text(CHAPTERS, encoding="utf-8")
    beside = ["-i", tmp_path / "words.srt", "-i", tmp_path / "chapters.txt"]
    film = make_film(tmp_path / "in.mkv", *beside, "-map", "2:s", "-c:s", "srt", "-map_metadata", 3)
    out = write_part(film, tmp_path / f"out{suffix}", (2, 4))
    words = ffmpeg("-i", out, "-map", "0:s", "-f", "srt", "-").decode().split("\n\n")
    assert [line.split("\n")[1:] for line in words if line.strip()] == [
        ["00:00:00,000 --> 00:00:00,500", "begins before"],
        ["00:00:00,600 --> 00:00:01,000", "inside"],
        ["00:00:01,500 --> 00:00:02,000", "ends after"],
    ]
    with av.open(str(out)) as file:
        assert file.metadata["title"] == "The film"
        found = [
            (
                one["metadata"]["title"],
                one["start"] * one["time_base"],
                one["end"] * one["time_base"],
            )
            for one in file.chapters()
        ]
    assert found == [("two", 0, 1), ("three", 1, 2)]
    assert duration(out) == pytest.approx(2, abs=0.03)


def test_the_timecode_of_the_film_is_not_that_of_a_part(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    film = make_film(tmp_path / "in.mov", "-timecode", "01:00:00:00")
    write_part(film, tmp_path / "out.mov", (2, 4))
    assert "the timecode (01:00:00:00) is left out" in caplog.text
    with av.open(str(tmp_path / "out.mov")) as file:
        assert [stream.type for stream in file.streams] == ["video", "audio"]


def test_pictures_keep_their_own_times(tmp_path: Path) -> None:
    film = make_variable_clip(tmp_path / "in.mkv", TIMES, audio=True)
    out = write_part(film, tmp_path / "out.mp4", (TIMES[4] / 1000, TIMES[11] / 1000), vfr=True)
    assert shown_at(out) == [time - TIMES[4] for time in TIMES[4:11]]
    assert [read_number(image) for image in decode(out, SIZE, "-fps_mode", "passthrough")] == list(
        range(4, 11)
    )
    assert duration(out) == pytest.approx((TIMES[11] - TIMES[4]) / 1000, abs=0.03)
