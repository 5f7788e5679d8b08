from __future__ import annotations

import logging
import threading
from fractions import Fraction
from pathlib import Path

import pytest

from stylizer.frame import Frame
from stylizer.io.sinks.recording import Recorder
from stylizer.io.sinks.video_writer import VideoWriter
from tests.clips import decode, picture, read_number

SIZE = (64, 48)


def recorder(folder: Path) -> Recorder:
    return Recorder(folder, size=SIZE, rate=Fraction(10))


def write(recorder: Recorder, start: int, stop: int) -> None:
    for number in range(start, stop):
        recorder.write(Frame(picture(number, SIZE), number, number / 10))


def numbers(path: Path) -> list[int]:
    return [read_number(image) for image in decode(path, SIZE, "-fps_mode", "passthrough")]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_between_start_and_stop_is_recorded(tmp_path: Path) -> None:
    with recorder(tmp_path) as it:
        active = [it.active]
        write(it, 0, 3)
        assert it.start() == tmp_path / "recording-0001.mp4"
        active.append(it.active)
        write(it, 3, 8)
        assert it.stop() == tmp_path / "recording-0001.mp4"
        active.append(it.active)
        write(it, 8, 10)
        assert it.start() == tmp_path / "recording-0002.mp4"
        write(it, 10, 12)
    assert active == [False, True, False]
    assert names(tmp_path) == ["recording-0001.mp4", "recording-0002.mp4"]
    assert numbers(tmp_path / "recording-0001.mp4") == [3, 4, 5, 6, 7]
    assert numbers(tmp_path / "recording-0002.mp4") == [10, 11]


def test_nothing_is_replaced(tmp_path: Path) -> None:
    for number in (1, 3):
        (tmp_path / f"recording-{number:04}.mp4").write_bytes(b"mine")
    with recorder(tmp_path) as it:
        for _ in range(2):
            it.start()
            write(it, 0, 2)
            it.stop()
    assert names(tmp_path) == [f"recording-{number:04}.mp4" for number in (1, 2, 3, 4)]
    assert (tmp_path / "recording-0003.mp4").read_bytes() == b"mine"
    assert numbers(tmp_path / "recording-0004.mp4") == [0, 1]


def test_starting_and_stopping_twice_does_no_harm(tmp_path: Path) -> None:
    with recorder(tmp_path) as it:
        assert it.stop() is None
        assert it.start() == it.start()
        write(it, 0, 2)
        it.stop()
        assert it.stop() is None
    assert names(tmp_path) == ["recording-0001.mp4"]


def test_stopping_waits_for_no_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first file is held back until the second is under way, or this test would hang."""
    go_on = threading.Event()
    encode = VideoWriter.write

    def hang(writer: VideoWriter, given: Frame) -> None:
        go_on.wait()
        encode(writer, given)

    monkeypatch.setattr(VideoWriter, "write", hang)
    with recorder(tmp_path) as it:
        it.start()
        write(it, 0, 2)
        it.stop()
        assert it.start() == tmp_path / "recording-0002.mp4"  # though the first is not there yet
        assert not (tmp_path / "recording-0001.mp4").exists()
        write(it, 2, 5)
        go_on.set()
    assert numbers(tmp_path / "recording-0001.mp4") == [0, 1]
    assert numbers(tmp_path / "recording-0002.mp4") == [2, 3, 4]


def test_left_by_an_error_the_recording_is_finished(tmp_path: Path) -> None:
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), recorder(tmp_path) as it:
            it.start()
            write(it, 0, 4)
            raise error
    assert names(tmp_path) == ["recording-0001.mp4", "recording-0002.mp4"]
    assert numbers(tmp_path / "recording-0002.mp4") == [0, 1, 2, 3]


def test_a_folder_that_is_not_there_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with recorder(tmp_path / "none") as it:
        assert it.start() is None
        assert not it.active
        write(it, 0, 1)
    assert "no recording: " in caplog.text
    assert "create it first" in caplog.text


def test_what_becomes_of_it_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "stylizer.notice"), recorder(tmp_path) as it:
        it.start()
        write(it, 0, 1)
        it.stop()
        it.start()  # not one frame comes
    assert f"recording saved as {tmp_path / 'recording-0001.mp4'}" in caplog.text
    assert "the recording ended: " in caplog.text
    assert "not one frame" in caplog.text


def test_no_thread_is_left(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with recorder(tmp_path) as it:
        it.start()
        write(it, 0, 2)
    assert set(threading.enumerate()) <= before
