from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from stylizer.errors import ConfigError
from stylizer.frame import Frame
from stylizer.io.sources.camera import Camera
from stylizer.io.sources.video_reader import VideoReader
from stylizer.io.sources.wrappers import Limited, RecentFrames
from stylizer.protocols import FrameSource
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


class Numbers:
    size = (2, 1)
    rate: Fraction | None = Fraction(24000, 1001)
    frame_count: int | None = 5
    opened = 0

    def __iter__(self) -> Iterator[Frame]:
        for index in range(5):
            yield Frame(np.full((1, 2, 3), index, np.uint8), index, 0.0)

    def __enter__(self) -> Self:
        self.opened += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.opened -= 1


def test_it_is_the_source_and_remembers_the_newest_pictures() -> None:
    inner = Numbers()
    recent = RecentFrames(inner, keep=2)
    assert isinstance(recent, FrameSource)
    assert (recent.size, recent.rate, recent.frame_count) == ((2, 1), Fraction(24000, 1001), 5)
    with recent as source:
        assert inner.opened == 1
        assert source.image(0) is None
        for frame in source:
            assert source.image(frame.index) is frame.image
        remembered = [index for index in range(6) if source.image(index) is not None]
    assert remembered == [3, 4]
    assert inner.opened == 0


def test_keep_is_checked() -> None:
    with pytest.raises(ConfigError, match="keep"):
        RecentFrames(Numbers(), keep=0)
