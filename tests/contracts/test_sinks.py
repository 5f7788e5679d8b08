"""What every sink promises, one suite over all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame, Image
from stylizer.io.image import read_image
from stylizer.io.sinks import window as window_module
from stylizer.io.sinks.broadcast import Broadcast
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.io.sinks.recording import Recording
from stylizer.io.sinks.video_writer import VideoWriter, VideoWriterConfig
from stylizer.io.sinks.virtual_camera import VirtualCamera
from stylizer.io.sinks.window import Window
from stylizer.protocols import FrameSink
from tests.clips import decode, picture, read_number
from tests.virtual_cameras import plug_in

SIZE = (64, 48)
COUNT = 7


@dataclass(frozen=True)
class Case:
    """A sink, how to open it, and how to look at what it took by other means than its own."""

    open: Callable[[Path], FrameSink]
    numbers: Callable[[Path], list[int]]
    files: tuple[str, ...] = ()
    partial: tuple[str, ...] | None = None


def video(suffix: str) -> Case:
    def open_(folder: Path) -> FrameSink:
        config = VideoWriterConfig(preset="ultrafast")
        path = folder / f"out{suffix}"
        return VideoWriter(path, size=SIZE, rate=Fraction(30000, 1001), config=config)

    def numbers(folder: Path) -> list[int]:
        (path,) = folder.iterdir()
        return [read_number(image) for image in decode(path, SIZE, "-fps_mode", "passthrough")]

    return Case(open_, numbers, (f"out{suffix}",), (f"out.partial{suffix}",))


def folder() -> Case:
    names = [f"{index}.png" for index in range(COUNT)]

    def open_(folder: Path) -> FrameSink:
        return FolderWriter(folder, names=names)

    def numbers(folder: Path) -> list[int]:
        paths = sorted(folder.iterdir(), key=lambda path: int(path.stem))
        return [read_number(read_image(path)) for path in paths]

    return Case(open_, numbers, tuple(names))


SHOWN: list[int] = []


def window() -> Case:
    return Case(lambda folder: Window("a"), lambda folder: list(SHOWN))


def recording() -> Case:
    def open_(folder: Path) -> FrameSink:
        return Recording(folder / "out.mp4", size=SIZE, rate=Fraction(30))

    return Case(open_, video(".mp4").numbers, ("out.mp4",), ("out.partial.mp4",))


def virtual_camera() -> Case:
    def open_(folder: Path) -> FrameSink:
        return VirtualCamera(size=SIZE, rate=Fraction(30))

    return Case(open_, lambda folder: [read_number(image) for image in SENT])


def broadcast() -> Case:
    """Of a folder and the window: what the one took, the other must have taken too."""
    written = folder()

    def open_(folder: Path) -> FrameSink:
        return Broadcast([written.open(folder), Window("a")])

    def numbers(folder: Path) -> list[int]:
        assert written.numbers(folder) == SHOWN
        return list(SHOWN)

    return Case(open_, numbers, written.files)


SENT: list[Image] = []


CASES = {
    "mp4": video(".mp4"),
    "mov": video(".mov"),
    "mkv": video(".mkv"),
    "webm": video(".webm"),
    "gif": video(".gif"),
    "folder": folder(),
    "window": window(),
    "recording": recording(),
    "virtual camera": virtual_camera(),
    "broadcast": broadcast(),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Case:
    """One sink after the other; the screen and the virtual camera are played."""
    SHOWN.clear()
    SENT.clear()
    plug_in(monkeypatch, sent=SENT)
    monkeypatch.setattr(window_module, "check_screen", lambda: None)
    for name in ("namedWindow", "resizeWindow", "destroyWindow", "setMouseCallback"):
        monkeypatch.setattr(cv2, name, lambda *arguments: None)
    monkeypatch.setattr(cv2, "imshow", lambda title, image: SHOWN.append(read_number(image)))
    monkeypatch.setattr(cv2, "waitKey", lambda milliseconds: -1)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda title, what: 1.0)
    return CASES[request.param]


def frame(index: int) -> Frame:
    return Frame(picture(index, SIZE), index, index / 30)


def fill(sink: FrameSink, count: int) -> None:
    for index in range(count):
        sink.write(frame(index))


def test_it_fits_the_socket(case: Case, tmp_path: Path) -> None:
    sink = case.open(tmp_path)
    assert isinstance(sink, FrameSink)
    with sink as entered:
        assert entered is sink
        fill(sink, 1)


def test_it_takes_all_frames_in_order(case: Case, tmp_path: Path) -> None:
    with case.open(tmp_path) as sink:
        fill(sink, COUNT)
    assert case.numbers(tmp_path) == list(range(COUNT))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(case.files)


def test_it_leaves_the_frames_as_they_are(case: Case, tmp_path: Path) -> None:
    given = frame(5)
    given.image.flags.writeable = False
    with case.open(tmp_path) as sink:
        sink.write(given)
    np.testing.assert_array_equal(given.image, picture(5, SIZE))


def test_an_error_passes_and_the_work_is_kept_but_not_as_the_whole(
    case: Case, tmp_path: Path
) -> None:
    error = ValueError("in the middle")
    with pytest.raises(ValueError) as caught, case.open(tmp_path) as sink:
        fill(sink, 3)
        raise error
    assert caught.value is error
    assert case.numbers(tmp_path) == [0, 1, 2]
    left = case.files[:3] if case.partial is None else case.partial
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(left)


def test_ctrl_c_passes_and_the_work_is_kept(case: Case, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), case.open(tmp_path) as sink:
        fill(sink, 3)
        raise KeyboardInterrupt
    assert case.numbers(tmp_path) == [0, 1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(case.files[:3])


def test_an_error_before_the_first_frame_leaves_nothing(case: Case, tmp_path: Path) -> None:
    with pytest.raises(ValueError), case.open(tmp_path):
        raise ValueError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((48, 64, 3), np.float32),
        np.zeros((48, 64), np.uint8),
        np.zeros((48, 64, 4), np.uint8),
    ],
    ids=["float", "gray", "alpha"],
)
def test_what_is_no_image_is_refused(
    case: Case, tmp_path: Path, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    with pytest.raises((ConfigError, SinkError), match="expected"), case.open(tmp_path) as sink:
        sink.write(Frame(image, 0, 0.0))
    assert list(tmp_path.iterdir()) == []


def test_a_view_that_is_not_contiguous_is_written_rightly(case: Case, tmp_path: Path) -> None:
    double = np.repeat(picture(3, SIZE), 2, axis=1)
    with case.open(tmp_path) as sink:
        sink.write(Frame(double[:, ::2], 0, 0.0))
    assert case.numbers(tmp_path) == [3]


def test_no_thread_is_left(case: Case, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with case.open(tmp_path) as sink:
        fill(sink, 2)
    assert set(threading.enumerate()) <= before
