from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame
from stylizer.io.sinks import recording as recording_module
from stylizer.io.sinks.recording import Recording
from stylizer.io.sinks.video_writer import VideoWriter
from tests.clips import count_frames, decode, duration, picture, read_number

SIZE = (64, 48)
RATE = Fraction(10)


def frame(number: int, time: float, size: tuple[int, int] = SIZE) -> Frame:
    return Frame(picture(number, size), number, time)


def numbers(path: Path, size: tuple[int, int] = SIZE) -> list[int]:
    return [read_number(image) for image in decode(path, size, "-fps_mode", "passthrough")]


def record(path: Path, times: Sequence[float]) -> list[int]:
    """Record picture n at ``times[n]``, and return what the file shows, frame by frame."""
    with Recording(path, size=SIZE, rate=RATE) as recording:
        for number, time in enumerate(times):
            recording.write(frame(number, time))
    return numbers(path)


def test_uneven_times_become_a_constant_rate(tmp_path: Path) -> None:
    shown = record(tmp_path / "out.mp4", [3.0, 3.11, 3.12, 3.5, 3.78])
    assert shown == [0, 2, 2, 2, 2, 3, 3, 3, 4]
    assert duration(tmp_path / "out.mp4") == pytest.approx(0.9, abs=0.01)


def test_a_long_pause_is_made_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "_LONGEST_STILL", Fraction(1, 2))
    shown = record(tmp_path / "out.mp4", [0.0, 3600.0, 3600.1, 9000.0, 9000.2])
    assert shown == [0] * 5 + [1] + [2] * 5 + [3] * 2 + [4]


def test_frames_of_another_size_are_fitted(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with Recording(path, size=SIZE, rate=RATE) as recording:
        recording.write(frame(3, 0.0, (128, 96)))
        recording.write(frame(5, 0.1, (32, 24)))
    assert numbers(path) == [3, 5]


def test_an_encoder_that_is_too_slow_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It hangs after the first frame; every write returns all the same, or this test hangs too."""
    begun, go_on = threading.Event(), threading.Event()
    encode = VideoWriter.write

    def hang(writer: VideoWriter, given: Frame) -> None:
        begun.set()
        go_on.wait()
        encode(writer, given)

    monkeypatch.setattr(VideoWriter, "write", hang)
    path = tmp_path / "out.mp4"
    with Recording(path, size=SIZE, rate=RATE) as recording:
        recording.write(frame(0, 0.0))
        recording.write(frame(1, 0.1))
        begun.wait()
        for number in range(2, 80):
            recording.write(frame(number, number / 10))
        dropped = recording.dropped
        go_on.set()
        offered = 0
        while offered == recording.dropped - dropped:  # until one finds room again
            recording.write(frame(100, 10.0))
            offered += 1
    assert 40 <= dropped < 78
    shown = numbers(path)
    assert len(shown) == 101  # the pace is right: what is lacking is bridged by what came before
    assert shown == sorted(shown)
    assert shown[:30] == list(range(30))
    assert shown[-1] == 100
    messages = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(messages) == 2  # once at the first, once at the end
    assert f"{recording.dropped} frames were left out" in messages[1]


def test_an_encoder_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(writer: VideoWriter, given: Frame) -> None:
        raise SinkError("ffmpeg died")

    monkeypatch.setattr(VideoWriter, "write", die)
    with pytest.raises(SinkError, match="ffmpeg died") as caught:
        with Recording(tmp_path / "out.mp4", size=SIZE, rate=RATE) as recording:
            for number in range(1_000_000):
                recording.write(frame(number, number / 10))
    assert "left out" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_dies_unseen_is_told_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(writer: VideoWriter, given: Frame) -> None:
        raise SinkError("ffmpeg died")

    monkeypatch.setattr(VideoWriter, "write", die)
    with pytest.raises(SinkError, match="ffmpeg died"):
        with Recording(tmp_path / "out.mp4", size=SIZE, rate=RATE) as recording:
            recording.write(frame(0, 0.0))


def test_without_a_frame_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="not one frame"):
        with Recording(tmp_path / "out.mp4", size=SIZE, rate=RATE):
            pass
    with pytest.raises(KeyboardInterrupt), Recording(tmp_path / "b.mp4", size=SIZE, rate=RATE):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_work_is_told_before_any_work(tmp_path: Path) -> None:
    there = tmp_path / "there.mp4"
    there.touch()
    with pytest.raises(SinkError, match="exists already"):
        Recording(there, size=SIZE, rate=RATE)
    with pytest.raises(SinkError, match=r"got '\.avi'"):
        Recording(tmp_path / "a.avi", size=SIZE, rate=RATE)
    with pytest.raises(ConfigError, match="above 0"):
        Recording(tmp_path / "a.mp4", size=SIZE, rate=Fraction(0))


def test_a_recording_that_is_not_open_says_so(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4", size=SIZE, rate=RATE)
    with pytest.raises(SinkError, match="not open"):
        recording.write(frame(0, 0.0))
    with recording:
        recording.write(frame(0, 0.0))
        recording.finish()
        with pytest.raises(SinkError, match="not open"):
            recording.write(frame(1, 0.1))
    assert numbers(tmp_path / "out.mp4") == [0]


FULL_DISK = """
import logging, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from stylizer.frame import Frame
from stylizer.io.sinks.recording import Recorder

logging.basicConfig(stream=sys.stdout, format="%(message)s")
generator = np.random.default_rng(0)
index = 0
with Recorder(Path(sys.argv[1]), size=(320, 240), rate=Fraction(30)) as recorder:
    recorder.start()
    while recorder.active:
        image = generator.integers(0, 256, (240, 320, 3), np.uint8)
        recorder.write(Frame(image, index, index / 30))
        index += 1
    recorder.write(Frame(image, index, index / 30))
print("the show goes on")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sets ulimit")
def test_a_full_disk_ends_the_recording_alone(tmp_path: Path) -> None:
    done = subprocess.run(
        ["prlimit", "--fsize=4000000", sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"the recording ended: .*recording-0001\.mp4: ffmpeg .*(SIGXFSZ|File too large)",
        done.stdout,
    )
    assert done.stdout.endswith("the show goes on\n")
    (partial,) = tmp_path.iterdir()
    assert partial.name == "recording-0001.partial.mp4"
    assert count_frames(partial) > 5


def test_pictures_are_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with Recording(path, size=SIZE, rate=RATE) as recording:
        recording.write(frame(37, 0.0))
    (shown,) = decode(path, SIZE)
    assert np.abs(shown.astype(int) - picture(37, SIZE)).mean() < 4
