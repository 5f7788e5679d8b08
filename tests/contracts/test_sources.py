"""Every source keeps the same contract: `stylizer.protocols.FrameSource`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from stylizer.errors import SourceError
from stylizer.frame import Frame
from stylizer.io.image import write_image
from stylizer.io.sources.camera import Camera
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.reconnecting import Reconnecting
from stylizer.io.sources.video_reader import VideoReader
from stylizer.io.sources.wrappers import Limited, Resized
from stylizer.protocols import FrameSource
from stylizer.size import Size
from tests.clips import COLORS, corner_colors, ffmpeg, make_clip, picture
from tests.streams import MjpegServer

COUNT = 12
RATE = Fraction(24000, 1001)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A way to make a source of `tests.clips.picture` 0, 1, ..., and what it should be."""

    make: Callable[[Path, ExitStack], FrameSource]
    size: tuple[int, int] = (64, 48)
    live: bool = False


def _video(folder: Path, _: ExitStack) -> FrameSource:
    seconds = float(COUNT / RATE)
    return VideoReader(make_clip(folder / "a.mp4", rate=str(RATE), seconds=seconds))


def _turned_video(folder: Path, _: ExitStack) -> FrameSource:
    # The pictures are stored lying on their side; the tag sets them upright, but mirrors nothing.
    upright = make_clip(folder / "a.mp4", rate=str(RATE), seconds=float(COUNT / RATE))
    lying, tagged = folder / "lying.mp4", folder / "tagged.mp4"
    ffmpeg("-i", upright, "-vf", "transpose=clock", "-c:v", "libx264", "-qp", 8, lying)
    ffmpeg("-display_rotation:v:0", 90, "-i", lying, "-c", "copy", tagged)
    return VideoReader(tagged)


def _folder(folder: Path, _: ExitStack) -> FrameSource:
    for number in range(COUNT):
        write_image(folder / f"{number}.png", picture(number))
    return FolderReader(folder, rate=RATE)


def _camera(_: Path, stack: ExitStack) -> FrameSource:
    return Camera(stack.enter_context(MjpegServer()).url)


def _resized_video(folder: Path, stack: ExitStack) -> FrameSource:
    return Resized(_video(folder, stack), Size(exact=(50, 31)))


def _resized_camera(folder: Path, stack: ExitStack) -> FrameSource:
    return Resized(_camera(folder, stack), Size(short_side=96))


def _reconnecting_camera(_: Path, stack: ExitStack) -> FrameSource:
    server = stack.enter_context(MjpegServer())
    return Reconnecting(lambda: Camera(server.url))


def _limited_video(folder: Path, stack: ExitStack) -> FrameSource:
    longer = make_clip(folder / "a.mp4", rate=str(RATE), seconds=float((COUNT + 9) / RATE))
    return Limited(VideoReader(longer), float(COUNT / RATE))


CASES = {
    "video": Case(make=_video),
    "turned video": Case(make=_turned_video),
    "folder": Case(make=_folder),
    "camera": Case(make=_camera, live=True),
    "reconnecting camera": Case(make=_reconnecting_camera, live=True),
    "limited video": Case(make=_limited_video),
    "resized video": Case(make=_resized_video, size=(50, 31)),
    "resized camera": Case(make=_resized_camera, size=(128, 96), live=True),
}


@pytest.fixture(params=CASES, ids=lambda name: name.replace(" ", "-"))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def source(case: Case, tmp_path: Path) -> Iterator[FrameSource]:
    with ExitStack() as stack:
        source = case.make(tmp_path, stack)
        try:
            yield source
        finally:
            source.__exit__(None, None, None)


def _take(source: FrameSource) -> list[Frame]:
    with source as entered:
        return list(islice(entered, COUNT + 5 if source.frame_count is not None else COUNT))


def test_fits_the_socket(source: FrameSource, case: Case) -> None:
    assert isinstance(source, FrameSource)
    assert source.size == case.size
    assert source.rate == (None if case.live else RATE)
    assert source.frame_count == (None if case.live else COUNT)
    with source as entered:
        assert entered is source


def test_frames_are_upright_rgb_of_the_size_told(source: FrameSource, case: Case) -> None:
    frames = _take(source)
    assert len(frames) == COUNT
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        assert frame.size == source.size == case.size
        assert np.abs(corner_colors(frame.image) - COLORS).max() < 30  # red is red, on the left


def test_index_and_time_count_from_the_first_frame(source: FrameSource, case: Case) -> None:
    frames = _take(source)
    assert [frame.index for frame in frames] == list(range(COUNT))
    times = [frame.time for frame in frames]
    assert times[0] == 0
    assert times == sorted(times)
    if not case.live:
        assert times == [float(index / RATE) for index in range(COUNT)]


def test_every_frame_has_pixels_of_its_own(source: FrameSource) -> None:
    first, second = _take(source)[:2]
    assert not np.shares_memory(first.image, second.image)
    first.image[:] = 0  # a stylizer may paint on it


def test_it_is_read_once(source: FrameSource) -> None:
    with source:
        next(iter(source))
        with pytest.raises(SourceError):
            next(iter(source))


def test_a_closed_source_says_so(source: FrameSource) -> None:
    with source:
        pass
    with pytest.raises(SourceError, match="closed"):
        next(iter(source))


def test_closing_in_the_middle_ends_the_reading(source: FrameSource) -> None:
    with source:
        frames = iter(source)
        next(frames)
    with pytest.raises(SourceError, match="closed"):
        for _ in frames:
            pass
    source.__exit__(None, None, None)  # twice does no harm
