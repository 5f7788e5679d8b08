from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from stylizer.base import Managed
from stylizer.errors import SourceError
from stylizer.frame import Frame
from stylizer.io.sources import reconnecting as module
from stylizer.io.sources.camera import Camera
from stylizer.io.sources.reconnecting import Reconnecting
from tests.clips import picture, read_number
from tests.streams import MjpegServer


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(module, "_LONGEST_WAIT", 0.05)
    monkeypatch.setattr(module, "_REPEAT", 0.01)


class Shop:
    """Cameras that are opened one after the other, and what became of them.

    Attributes:
      plugged: clear it, and no camera can be opened.
      opened, attempts, closed: how often that was done.
    """

    def __init__(self, *cameras: FakeCamera) -> None:
        self._cameras = list(cameras)
        self.plugged = threading.Event()
        self.plugged.set()
        self.attempts = self.opened = self.closed = 0

    def open(self) -> FakeCamera:
        self.attempts += 1
        if not self.plugged.is_set() or self.opened == len(self._cameras):
            raise SourceError("not there")
        camera = self._cameras[self.opened]
        camera.shop = self
        self.opened += 1
        return camera


class FakeCamera(Managed):
    """Gives pictures ``numbers``, one each time `go_on` allows it, and is lost then, or hangs."""

    rate = None
    frame_count = None
    shop: Shop

    def __init__(
        self, numbers: range, *, size: tuple[int, int] = (64, 48), error: Exception | None = None
    ) -> None:
        self._numbers, self.size = numbers, size
        self._error = error or SourceError("camera 0 was lost")
        self.go_on = threading.Semaphore(0)

    def __iter__(self) -> Iterator[Frame]:
        for index, number in enumerate(self._numbers):
            self.go_on.acquire(timeout=60)
            yield Frame(picture(number, self.size), index, index / 30)
        self.go_on.acquire(timeout=60)
        raise self._error

    def close(self) -> None:
        self.shop.closed += 1


def until(source: Reconnecting, frames: Iterator[Frame], *, waiting: bool) -> list[Frame]:
    """Read on until the source says that it waits, or no longer; return what came."""
    read = []
    for frame in frames:
        read.append(frame)
        if (source.notice is not None) == waiting:
            break
    return read


def test_a_lost_camera_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    first, second = FakeCamera(range(3, 5)), FakeCamera(range(20, 40), size=(128, 96))
    shop = Shop(first, second)
    with Reconnecting(shop.open) as source:
        frames = iter(source)
        first.go_on.release()
        shown = [next(frames)]
        notices = [source.notice]
        first.go_on.release()
        shown.append(next(frames))
        shop.plugged.clear()
        first.go_on.release()  # it is lost now
        shown += until(source, frames, waiting=True)
        notices.append(source.notice)
        second.go_on.release()
        while shop.attempts < 4:  # it goes on asking, and on showing
            shown.append(next(frames))
        shop.plugged.set()
        shown += until(source, frames, waiting=False)
        second.go_on.release()
        shown.append(next(frames))
        second.go_on.release(100)
    assert notices == [None, "camera lost, waiting (0 s)"]
    assert [read_number(frame.image) for frame in shown[:2]] == [3, 4]
    assert {read_number(frame.image) for frame in shown[2:-2]} == {4}
    assert [read_number(frame.image) for frame in shown[-2:]] == [20, 21]
    assert {frame.size for frame in shown} == {(64, 48)}
    assert [frame.index for frame in shown] == list(range(len(shown)))
    times = [frame.time for frame in shown]
    assert times[0] == 0
    assert times == sorted(times)
    assert times[-1] - times[-2] == pytest.approx(1 / 30)  # the camera's own time, not ours
    assert shop.closed == shop.opened == 2
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == ["camera lost, waiting for it", "camera is back after 0 s"]


def test_the_repeated_picture_is_not_what_was_painted_over() -> None:
    camera = FakeCamera(range(9, 10))
    with Reconnecting(Shop(camera).open) as source:
        frames = iter(source)
        camera.go_on.release(2)
        first = next(frames)
        first.image[:] = 0
        second = until(source, frames, waiting=True)[-1]
        np.testing.assert_array_equal(second.image, picture(9))
        second.image[:] = 0
        np.testing.assert_array_equal(next(frames).image, picture(9))


def test_a_camera_that_is_silent_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    camera = FakeCamera(range(5))
    with Reconnecting(Shop(camera).open, name="stream") as source:
        frames = iter(source)
        camera.go_on.release()
        next(frames)
        assert until(source, frames, waiting=True)[-1].index == 1
        assert source.notice == "stream lost, waiting (0 s)"
        camera.go_on.release()  # it was only slow
        assert read_number(until(source, frames, waiting=False)[-1].image) == 1
        camera.go_on.release(100)


def test_the_first_camera_must_be_there() -> None:
    shop = Shop()
    shop.plugged.clear()
    with pytest.raises(SourceError, match="not there"):
        Reconnecting(shop.open)
    assert shop.attempts == 1


def test_a_camera_without_one_picture_is_an_error() -> None:
    camera = FakeCamera(range(0))
    camera.go_on.release()
    shop = Shop(camera)
    with Reconnecting(shop.open) as source, pytest.raises(SourceError, match="was lost"):
        next(iter(source))
    assert shop.attempts == shop.closed == 1


def test_an_error_that_is_no_loss_ends_it() -> None:
    camera = FakeCamera(range(1), error=ZeroDivisionError("a bug"))
    camera.go_on.release(2)
    with Reconnecting(Shop(camera).open) as source, pytest.raises(ZeroDivisionError, match="a bug"):
        for _ in source:
            pass


def test_closing_while_it_waits_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_WAIT", 3600.0)
    camera = FakeCamera(range(1))
    camera.go_on.release(2)
    shop = Shop(camera)
    with Reconnecting(shop.open) as source:
        frames = iter(source)
        until(source, frames, waiting=True)
    with pytest.raises(SourceError, match="closed"):
        next(frames)
    assert not any(thread.name == "reconnecting" for thread in threading.enumerate())
    assert shop.attempts == shop.closed == 1


def test_closing_wakes_whoever_reads() -> None:
    camera = FakeCamera(range(1))
    camera.go_on.release()
    source = Reconnecting(Shop(camera).open)
    ended: list[str] = []

    def read() -> None:
        try:
            for _ in source:
                began.set()
        except SourceError as error:
            ended.append(str(error))

    began = threading.Event()
    reader = threading.Thread(target=read)
    reader.start()
    began.wait()
    camera.go_on.release()
    source.close()
    reader.join()
    assert ended == ["camera: was closed while it was being read"]


def test_a_camera_found_after_closing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening may take long; who closes meanwhile does not wait for it."""
    monkeypatch.setattr(module, "_PROMPT", 0.01)
    monkeypatch.setattr(atexit, "register", lambda *_: None)
    first, second = FakeCamera(range(1)), FakeCamera(range(9))
    shop = Shop(first, second)
    opening, go_on = threading.Event(), threading.Event()

    def open_camera() -> FakeCamera:
        if shop.opened:
            opening.set()
            go_on.wait()
        return shop.open()

    with Reconnecting(open_camera) as source:
        first.go_on.release(2)
        next(iter(source))
        opening.wait()
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "reconnecting")
    second.go_on.release()
    go_on.set()
    thread.join()
    assert shop.opened == shop.closed == 2


def test_a_stream_that_is_restarted(mjpeg: MjpegServer) -> None:
    with Reconnecting(lambda: Camera(mjpeg.url), name="stream") as source:
        frames = iter(source)
        assert next(frames).size == (64, 48)
        mjpeg.dead.set()
        held = until(source, frames, waiting=True)[-1]
        again = next(frames)
        np.testing.assert_array_equal(held.image, again.image)
        sent = mjpeg.sent
        mjpeg.size = (80, 60)
        mjpeg.dead.clear()
        back = until(source, frames, waiting=False)[-1]
        assert back.size == (64, 48)
        assert read_number(back.image) >= sent % 256
        later = list(islice(frames, 3))
    assert [frame.index for frame in later] == [back.index + 1 + step for step in range(3)]
    assert len({read_number(frame.image) for frame in [back, *later]}) == 4
