from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

import cv2
import numpy as np
import pytest

from stylizer.errors import ConfigError, SourceError
from stylizer.io.sources.camera import Camera
from stylizer.io.sources.devices import Capture, request_format
from stylizer.protocols import FrameSource
from tests.clips import picture, read_number
from tests.streams import MjpegServer


def test_a_stream_gives_its_pictures_in_order(mjpeg: MjpegServer) -> None:
    with Camera(mjpeg.url) as camera:
        assert isinstance(camera, FrameSource)
        assert camera.size == (64, 48)
        assert camera.rate is None
        assert camera.frame_count is None
        frames = list(islice(camera, 10))
    assert [frame.index for frame in frames] == list(range(10))
    numbers = [read_number(frame.image) for frame in frames]
    assert numbers == sorted(set(numbers))
    times = [frame.time for frame in frames]
    assert times[0] == 0
    assert times == sorted(set(times))


def test_a_slow_consumer_gets_the_newest_picture(mjpeg: MjpegServer) -> None:
    with Camera(mjpeg.url) as camera:
        frames = iter(camera)
        first = read_number(next(frames).image)
        while mjpeg.sent < first + 40:
            time.sleep(0.01)
        second = read_number(next(frames).image)
        sent = mjpeg.sent
    assert second > first + 20  # not the one that followed the first
    # What is between is on its way: FFmpeg's reader holds back a few pictures.
    assert sent - second < 15


def test_a_stream_that_dies_ends_with_an_error(mjpeg: MjpegServer) -> None:
    with Camera(mjpeg.url, timeout=2) as camera:
        frames = iter(camera)
        next(frames)
        mjpeg.dead.set()
        with pytest.raises(SourceError, match=r"stream http.* was lost"):
            for _ in frames:
                pass


def test_a_stream_that_falls_silent_ends_with_an_error(mjpeg: MjpegServer) -> None:
    with Camera(mjpeg.url, timeout=0.5) as camera:
        frames = iter(camera)
        next(frames)
        mjpeg.silent.set()
        with pytest.raises(SourceError, match=r"was lost|gave no picture"):
            for _ in frames:
                pass


def test_closing_lets_the_thread_go(mjpeg: MjpegServer) -> None:
    before = threading.active_count()
    with Camera(mjpeg.url) as camera:
        next(iter(camera))
        assert threading.active_count() > before
    assert not any(thread.name.startswith("stream") for thread in threading.enumerate())


def test_a_stream_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/video"
        with pytest.raises(SourceError, match=r"cannot be opened.*check the address"):
            Camera(url, timeout=1)
    assert capfd.readouterr().err == ""


def test_a_password_is_not_told() -> None:
    with pytest.raises(SourceError) as caught:
        Camera("http://anna:secret@127.0.0.1:9/video", timeout=1)
    assert "secret" not in str(caught.value)
    assert "http://127.0.0.1:9/video" in str(caught.value)


def test_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes the call and says nothing
        url = f"http://127.0.0.1:{server.getsockname()[1]}/video"
        with pytest.raises(SourceError, match=r"cannot be opened"):
            Camera(url, timeout=0.5)


def test_a_camera_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    for device in (97, "97"):
        with pytest.raises(SourceError, match=r"camera 97: not there.*try another index"):
            Camera(device, timeout=1)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("device", [-1, "clip.mp4", "", "file:///etc/passwd"])
def test_no_camera_at_all(device: int | str) -> None:
    with pytest.raises(ConfigError, match="expected an index"):
        Camera(device)


def test_arguments_out_of_range() -> None:
    with pytest.raises(ConfigError, match="size"):
        Camera(0, size=(0, 480))
    with pytest.raises(ConfigError, match="rate"):
        Camera(0, rate=Fraction(0))
    with pytest.raises(ConfigError, match="timeout"):
        Camera(0, timeout=0)


class _Device:
    """A webcam: stumbles, grants another size than was asked for, and may be unplugged."""

    def __init__(self, script: Iterator[bool]) -> None:
        self.script = script
        self.asked: list[tuple[int, float]] = []
        self.released = 0
        self.reads = 0

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, cv2.typing.MatLike]:
        time.sleep(0.002)
        self.reads += 1
        good = next(self.script, False)
        return good, picture(self.reads % 256, (80, 60))[..., ::-1].copy() if good else np.empty(0)

    def set(self, propId: int, value: float, /) -> bool:
        self.asked.append((propId, value))
        return True

    def release(self) -> None:
        self.released += 1


class _Plugged(Camera):
    device: _Device

    def _open_capture(self, device: int | str, timeout: float) -> Capture:
        return self.device


def test_what_a_camera_is_asked_for_and_what_it_gives(caplog: pytest.LogCaptureFixture) -> None:
    device = _Device(iter([True] * 100))
    _Plugged.device = device
    with _Plugged(0, size=(640, 480), rate=Fraction(30)) as camera:
        assert "asked for 640x480, gives 80x60" in caplog.text
        assert camera.size == (80, 60)  # what the device really gave
        assert next(iter(camera)).size == (80, 60)
    assert device.released == 1
    mjpg = float(cv2.VideoWriter.fourcc(*"MJPG"))
    wanted = [
        (cv2.CAP_PROP_FOURCC, mjpg),
        (cv2.CAP_PROP_FRAME_WIDTH, 640),
        (cv2.CAP_PROP_FRAME_HEIGHT, 480),
        (cv2.CAP_PROP_FPS, 30),
    ]
    assert device.asked[:4] == wanted  # in this order, or Video4Linux forgets


def test_nothing_is_asked_that_was_not_wanted() -> None:
    device = _Device(iter([]))
    request_format(device, size=None, rate=None, mjpg=False)
    assert device.asked == [(cv2.CAP_PROP_BUFFERSIZE, 1)]


def test_a_camera_may_stumble() -> None:
    _Plugged.device = _Device(iter([False, True, False, False, *[True] * 300]))
    with _Plugged(0) as camera:
        assert len(list(islice(camera, 3))) == 3


def test_a_camera_unplugged_is_an_error_and_no_spin() -> None:
    device = _Device(iter([True] * 5))
    _Plugged.device = device
    with _Plugged(0, timeout=0.3) as camera, pytest.raises(SourceError, match="camera 0 was lost"):
        for _ in camera:
            pass
    assert device.released == 1
    assert device.reads < 30  # it waits between attempts


def test_a_camera_that_gives_no_picture() -> None:
    device = _Device(iter([]))
    _Plugged.device = device
    with pytest.raises(SourceError, match="gave no picture"):
        _Plugged(0, timeout=0.1)
    assert device.released == 1
