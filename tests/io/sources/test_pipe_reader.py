"""Films that come by a pipe, read from named ones: the same frames as from a file."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from stylizer.errors import SourceError
from stylizer.io.open import open_source
from stylizer.io.sources import pipe_reader
from stylizer.io.sources.pipe_reader import PipeReader
from stylizer.io.sources.video_reader import VideoReader
from tests.clips import ffmpeg, make_clip, make_variable_clip, read_number

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")

Pour = Callable[[bytes], str]


@pytest.fixture
def pour(tmp_path: Path) -> Iterator[Pour]:
    """Write bytes into a named pipe as soon as someone reads; return its path."""
    threads: list[threading.Thread] = []

    def start(data: bytes) -> str:
        pipe = tmp_path / f"pipe{len(threads)}"
        os.mkfifo(pipe)

        def write() -> None:
            with suppress(BrokenPipeError), pipe.open("wb") as file:
                file.write(data)

        threads.append(threading.Thread(target=write, daemon=True))
        threads[-1].start()
        return str(pipe)

    yield start
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".webm"])
def test_the_frames_are_those_of_a_file(tmp_path: Path, pour: Pour, suffix: str) -> None:
    path = make_clip(tmp_path / f"in{suffix}", seconds=1, audio=True)
    with open_source(pour(path.read_bytes())) as piped, VideoReader(path) as read:
        assert isinstance(piped, PipeReader)
        assert (piped.size, piped.rate, piped.frame_count) == (read.size, read.rate, None)
        for one, two in zip(piped, read, strict=True):
            np.testing.assert_array_equal(one.image, two.image)
            assert (one.index, one.time) == (two.index, two.time)


def test_y4m_and_a_variable_rate(tmp_path: Path, pour: Pour) -> None:
    clip = make_clip(tmp_path / "in.mp4", rate="24000/1001", seconds=0.5)
    with PipeReader(pour(ffmpeg("-i", clip, "-f", "yuv4mpegpipe", "-"))) as piped:
        assert str(piped.rate) == "24000/1001"
        assert [read_number(frame.image) for frame in piped] == list(range(12))
    times = [0, 100, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700, 750, 1000]
    variable = make_variable_clip(tmp_path / "variable.mkv", times)
    with PipeReader(pour(variable.read_bytes())) as piped:
        assert piped.rate == 20
        shown = [read_number(frame.image) for frame in piped]
    assert shown[:6] == [0, 0, 1, 1, 2, 3] and shown[15:] == [13] * 5 + [14]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nothing came|nobody wrote"),  # it may be over before we look
        (b"hello\n" * 5000, "not a film that can be read from a pipe"),
    ],
)
def test_what_is_no_film_is_refused(
    pour: Pour, data: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipe_reader, "_PATIENCE", 1.0)
    with pytest.raises(SourceError, match=words):
        PipeReader(pour(data))


def test_an_mp4_with_its_index_at_the_end_is_refused(tmp_path: Path, pour: Pour) -> None:
    clip = tmp_path / "in.mp4"  # larger than what is read ahead
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x240", "-t", 1, "-c:v", "mpeg4", "-q:v", 1, clip)
    with pytest.raises(SourceError, match="whose index does not stand at its end"):
        PipeReader(pour(clip.read_bytes()))


def test_a_pipe_that_nobody_writes_into_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(pipe_reader, "_PATIENCE", 0.1)
    with pytest.raises(SourceError, match="nobody wrote into this pipe"):
        open_source(tmp_path / "pipe")


def test_it_is_read_once(tmp_path: Path, pour: Pour) -> None:
    clip = make_clip(tmp_path / "in.mkv", seconds=0.2)
    with PipeReader(pour(clip.read_bytes())) as piped:
        assert len(list(piped)) == 6
        with pytest.raises(SourceError, match="once"):
            iter(piped)
