"""Reading in a process of its own: the same frames, and a crash that ends only that."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from stylizer.errors import SourceError
from stylizer.io.isolated import IsolatedReader, isolated
from stylizer.io.media.formats import CONTAINERS
from stylizer.io.media.probe import probe
from stylizer.io.media.tracks import plan_tracks
from stylizer.io.sources.video_reader import VideoReader
from tests.clips import ffmpeg
from tests.processes import children


def test_the_frames_are_the_readers(clip: Path) -> None:
    with IsolatedReader(clip) as isolated_reader, VideoReader(clip) as reader:
        assert isolated_reader.info == reader.info
        assert (isolated_reader.size, isolated_reader.rate) == (reader.size, reader.rate)
        assert isolated_reader.frame_count == reader.frame_count
        for got, expected in zip(isolated_reader, reader, strict=True):
            assert (got.index, got.time) == (expected.index, expected.time)
            np.testing.assert_array_equal(got.image, expected.image)


def test_a_crash_is_an_error(clip: Path) -> None:
    with pytest.raises(SourceError, match="SIGABRT"):
        isolated(os.abort)
    with pytest.raises(SourceError, match="SIGSEGV"):
        isolated(os.kill, 0, signal.SIGSEGV)
    assert isolated(probe, clip) == probe(clip)


def test_errors_and_warnings_come_over(
    tmp_path: Path, clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SourceError, match="no such video"):
        isolated(probe, tmp_path / "none.mp4")
    with pytest.raises(SourceError, match="no such video"):
        IsolatedReader(tmp_path / "none.mp4")
    with pytest.raises(SourceError, match="invalid literal"):
        isolated(int, "one")
    two = tmp_path / "two.mkv"
    ffmpeg("-i", clip, "-i", clip, "-map", 0, "-map", "1:v", "-c", "copy", two)
    planned = isolated(_plan, two)
    assert planned == plan_tracks(two, CONTAINERS[".mp4"], suffix=".mp4")
    assert caplog.text.count("video track 2 (h264) is left out") == 2  # once each


def _plan(path: Path) -> object:
    return plan_tracks(path, CONTAINERS[".mp4"], suffix=".mp4")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found by /proc")
def test_nothing_is_left_running(clip: Path) -> None:
    before = children(os.getpid())
    with IsolatedReader(clip) as reader:
        next(iter(reader))
        assert len(children(os.getpid()) - before) == 1
    assert children(os.getpid()) <= before
