"""A span of a video is exactly those frames of the whole, however the file is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stylizer.errors import ConfigError, SourceError
from stylizer.io.media import container as container_module
from stylizer.io.sources.video_reader import VideoReader
from tests.clips import count_frames, decode, ffmpeg, make_clip, make_variable_clip, read_number

RATE = Fraction(30000, 1001)
GROUPS = ["-g", 12, "-bf", 3]
"""Key pictures every 12, the others stored out of order."""

UNEVEN = [0, 40, 80, 120, 400, 440, 460, 480, 520, 1200, 1240, 1280, 1320, 1700, 1740, 1780]


def _plain(path: Path) -> Path:
    return make_clip(path, seconds=2, extra=GROUPS)


def _open_groups(path: Path) -> Path:
    options = "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:scenecut=0"
    return make_clip(path, seconds=2, extra=["-x264-params", options])


def _open_groups_hevc(path: Path) -> Path:
    options = "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:scenecut=0:log-level=none"
    codec = ["-c:v", "libx265", "-x265-params", options, "-tag:v", "hvc1"]
    return make_clip(path, seconds=2, extra=codec)


def _vp9(path: Path) -> Path:
    return make_clip(path, seconds=2, extra=["-g", 12, "-b:v", "2M", "-auto-alt-ref", 1])


def _turned(path: Path) -> Path:
    return make_clip(path, seconds=2, rotation=90, extra=GROUPS)


def _uneven(path: Path) -> Path:
    whole = make_variable_clip(path.with_name(f"whole-{path.name}"), UNEVEN)
    ffmpeg("-i", whole, *("-c:v", "libx264", "-qp", 8, "-g", 4, "-bf", 2), path)
    return path


def _late(path: Path) -> Path:
    """The first picture stands at 3.7 seconds, and sound begins at 0."""
    clip = _plain(path.with_name(f"plain-{path.name}"))
    sound = ["-f", "lavfi", "-t", 6, "-i", "sine"]
    ffmpeg(
        "-itsoffset", 3.7, "-i", clip, *sound, "-map", "0:v", "-map", "1:a", "-c:v", "copy", path
    )
    return path


def _trimmed(path: Path) -> Path:
    """The file's first pictures are there, but not to be shown (an edit list)."""
    clip = _plain(path.with_name(f"plain-{path.name}"))
    ffmpeg("-ss", 0.6, "-i", clip, "-c", "copy", path)
    return path


CLIPS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "mp4": (_plain, ".mp4"),
    "mov": (_plain, ".mov"),
    "mkv": (_plain, ".mkv"),
    "open groups": (_open_groups, ".mp4"),
    "open groups, mkv": (_open_groups, ".mkv"),
    "open groups, HEVC": (_open_groups_hevc, ".mp4"),
    "VP9": (_vp9, ".webm"),
    "turned": (_turned, ".mp4"),
    "uneven": (_uneven, ".mp4"),
    "uneven, mkv": (_uneven, ".mkv"),
    "late": (_late, ".mp4"),
    "late, mkv": (_late, ".mkv"),
    "trimmed": (_trimmed, ".mp4"),
    "ts": (_plain, ".ts"),
    "avi": (_plain, ".avi"),
    "gif": (lambda path: make_clip(path, rate="10", seconds=4), ".gif"),
}


@pytest.fixture(params=CLIPS, ids=lambda name: name.replace(" ", "-").replace(",", ""))
def clip(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    make, suffix = CLIPS[request.param]
    return make(tmp_path / f"a{suffix}")


def test_a_span_is_those_frames_of_the_whole(clip: Path) -> None:
    with VideoReader(clip) as reader:
        whole = list(reader)
        rate = reader.rate
    numbers = [0, 1, 11, 12, 13, len(whole) // 2, len(whole) - 2, len(whole) - 1]
    spans = [(first, first + count) for first in numbers for count in (1, 5)]
    for first, end in (*spans, (0, len(whole)), (7, len(whole) + 9)):
        expected = whole[first:end]
        with VideoReader(clip, span=(first / rate, end / rate)) as reader:
            assert reader.frame_count == len(expected)
            frames = list(reader)
        assert [frame.index for frame in frames] == [frame.index for frame in expected]
        assert [frame.time for frame in frames] == [frame.time for frame in expected]
        for frame, other in zip(frames, expected, strict=True):
            np.testing.assert_array_equal(frame.image, other.image)


def test_ffmpeg_counts_and_decodes_the_same(clip: Path) -> None:
    with VideoReader(clip, span=(0.5, 1.2)) as reader:
        frames, rate, size = list(reader), reader.rate, reader.size
        uneven = reader.info.variable_rate
    # ffmpeg gives the pictures as they are stored, or held to the rate by its own filter.
    held = ["-vf", f"fps={rate}:round=near"] if uneven else ["-fps_mode", "passthrough"]
    account = decode(clip, size, *held)
    if not uneven:
        assert len(account) == count_frames(clip)
    first, end = (int(-(-seconds * rate // 1)) for seconds in (Fraction(1, 2), Fraction(6, 5)))
    assert [frame.index for frame in frames] == list(range(first, end))
    for frame in frames:
        assert read_number(frame.image) == read_number(account[frame.index])
        np.testing.assert_array_equal(frame.image, account[frame.index])


def test_spans_that_meet_are_the_whole(tmp_path: Path) -> None:
    path = _plain(tmp_path / "a.mp4")
    for meeting in (0.1, 0.3, 0.7, Fraction(1001, 30000), 1.0, 1.9):
        numbers = []
        for span in ((0, meeting), (meeting, None)):
            with VideoReader(path, span=span) as reader:
                numbers += [read_number(frame.image) for frame in reader]
        assert numbers == list(range(60))


def test_the_rest_of_a_span_ends_with_it(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", rate="10", seconds=2)
    with VideoReader(path, span=(0.3, 0.9)) as reader, reader.rest(5) as rest:
        assert (reader.first, reader.end) == (3, 9)
        assert [read_number(frame.image) for frame in rest] == [5, 6, 7, 8]
    with VideoReader(path, span=(0, 2.5)) as reader:
        assert reader.span is None  # it is the whole


def test_a_long_film_that_does_not_say_how_long_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    look = ["-f", "lavfi", "-i", "color=size=16x16:rate=60:duration=51", "-preset", "ultrafast"]
    path.write_bytes(
        ffmpeg(*look, "-g", 60, "-f", "matroska", "-")
    )  # a pipe cannot be gone back in
    with VideoReader(path) as reader:
        assert reader.frame_count == 51 * 60
    with VideoReader(path, span=(50.5, 60)) as reader:
        assert reader.frame_count == len(list(reader)) == 30


def test_a_tenth_is_a_tenth(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", rate="10", seconds=2)
    with VideoReader(path, span=(0.1 + 0.2, 0.7)) as reader:
        assert [read_number(frame.image) for frame in reader] == [3, 4, 5, 6]


def test_another_rate_than_the_files(tmp_path: Path) -> None:
    path = _plain(tmp_path / "a.mp4")
    for rate in (Fraction(7), Fraction(50)):
        with VideoReader(path, rate=rate) as reader:
            whole = list(reader)
        with VideoReader(path, rate=rate, span=(0.9, 1.4)) as reader:
            frames = list(reader)
        expected = [frame for frame in whole if 0.9 <= frame.time < 1.4]
        assert [frame.index for frame in frames] == [frame.index for frame in expected]
        for frame, other in zip(frames, expected, strict=True):
            np.testing.assert_array_equal(frame.image, other.image)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_comes_long_before_a_span_is_not_decoded(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip(tmp_path / f"a{suffix}", seconds=8, extra=GROUPS)
    decoded, real = [0], container_module.decode_pictures

    def count(*given: object) -> Iterator[av.VideoFrame]:
        for picture in real(*given):  # type: ignore[arg-type]
            decoded[0] += 1
            yield picture

    with VideoReader(path, span=(7.0, 7.2)) as reader:
        monkeypatch.setattr(container_module, "decode_pictures", count)
        numbers = [read_number(frame.image) for frame in reader]
    assert numbers == list(range(210, 216))
    assert 6 <= decoded[0] <= 30


@pytest.mark.parametrize(
    ("span", "error", "message"),
    [
        ((-0.1, 1), ConfigError, "begin at 0"),
        ((0.5, 0.5), ConfigError, "a frame in it"),
        ((1, 0.5), ConfigError, "a frame in it"),
        ((0.001, 0.002), ConfigError, "a frame in it"),
        ((float("nan"), 1), ConfigError, "numbers of seconds"),
        ((2.5, None), SourceError, "before 2.002 s"),
    ],
)
def test_spans_that_hold_nothing(
    tmp_path: Path, span: tuple[float, float | None], error: type[Exception], message: str
) -> None:
    path = _plain(tmp_path / "a.mp4")
    with pytest.raises(error, match=message):
        VideoReader(path, span=span)
