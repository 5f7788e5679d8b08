from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from stylizer.errors import ConfigError
from stylizer.io.sources.camera import Camera
from stylizer.io.sources.video_reader import VideoReader
from stylizer.io.sources.wrappers import Limited
from tests.clips import make_clip
from tests.streams import MjpegServer


@pytest.mark.parametrize(("seconds", "count"), [(0.5, 5), (0.41, 5), (0.05, 1), (60.0, 10)])
def test_frames_come_up_to_the_time(tmp_path: Path, seconds: float, count: int) -> None:
    clip = make_clip(tmp_path / "clip.mp4", rate="10", seconds=1)
    with Limited(VideoReader(clip), seconds) as source:
        assert source.frame_count == count
        assert source.rate == Fraction(10)
        assert len(list(source)) == count


def test_a_live_source_ends_too(mjpeg: MjpegServer) -> None:
    with Limited(Camera(mjpeg.url), 0.2) as source:
        assert source.frame_count is None
        frames = list(source)
    assert frames
    assert frames[-1].time < 0.2


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_a_time_that_is_none(mjpeg: MjpegServer, seconds: float) -> None:
    with Camera(mjpeg.url) as camera, pytest.raises(ConfigError, match="more than 0"):
        Limited(camera, seconds)
