"""Pictures over HTTP: read by ffmpeg's libraries and by plain sockets."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import av
import numpy as np
import pytest

from stylizer.errors import SinkError
from stylizer.frame import Frame
from stylizer.io.sinks.mjpeg import MjpegServer, parse_address
from tests.clips import picture, read_number

SIZE = (64, 48)


@contextmanager
def shown(server: MjpegServer) -> Iterator[None]:
    """Write numbered frames, 50 a second, as long as the block lasts."""
    ended = threading.Event()

    def write() -> None:
        index = 0
        while not ended.wait(0.02):
            server.write(Frame(picture(index % 64, SIZE), index, index / 50))
            index += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def port(server: MjpegServer) -> int:
    return int(server.url.rsplit(":", 1)[1].strip("/"))


def test_several_watch_at_once_and_see_the_frames_in_order() -> None:
    with MjpegServer("http://127.0.0.1:0") as server, shown(server):
        with (
            av.open(server.url, format="mpjpeg") as one,
            av.open(server.url, format="mpjpeg") as two,
        ):
            for watcher in (one, two):
                frames = watcher.decode(video=0)
                numbers = [read_number(next(frames).to_ndarray(format="rgb24")) for _ in range(4)]
                assert len(set(numbers)) == 4
                steps = np.diff(numbers) % 64
                assert (steps < 32).all()  # forward


def test_who_takes_nothing_in_holds_up_nobody() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    with MjpegServer("http://127.0.0.1:0") as server:
        with socket.create_connection(("127.0.0.1", port(server))) as deaf:
            deaf.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert deaf.recv(9) == b"HTTP/1.0 "
            for index in range(40):  # 15 MB: more than a connection keeps
                server.write(Frame(noise, index, index / 30))
            with shown(server), av.open(server.url, format="mpjpeg") as watcher:
                next(watcher.decode(video=0))


def test_a_still_can_be_had_and_what_is_not_there_is_told() -> None:
    with MjpegServer("http://127.0.0.1:0") as server, shown(server):
        for path, host, status in [
            ("/frame.jpg", "localhost", 200),
            ("/passwd", "localhost", 404),
            ("/", "evil.example", 403),
        ]:
            asking = http.client.HTTPConnection("127.0.0.1", port(server), timeout=10)
            asking.request("GET", path, headers={"Host": host})
            answer = asking.getresponse()
            assert answer.status == status
            if status == 200:
                assert answer.read(3) == b"\xff\xd8\xff"
            asking.close()


def test_too_many_are_told_so() -> None:
    with MjpegServer("http://127.0.0.1:0") as server, shown(server):
        watchers = []
        for _ in range(17):
            watchers.append(socket.create_connection(("127.0.0.1", port(server))))
            watchers[-1].sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = watchers[-1].recv(12)
        assert answer == b"HTTP/1.0 503"
        for watcher in watchers:
            with suppress(OSError):
                watcher.close()


def test_the_end_lets_everybody_go_and_the_port_is_free_again() -> None:
    with MjpegServer("http://127.0.0.1:0") as server:
        number = port(server)
        watcher = socket.create_connection(("127.0.0.1", number))
        watcher.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert watcher.recv(9)
    watcher.settimeout(5)
    while watcher.recv(65536):
        pass
    watcher.close()
    with MjpegServer(f"http://127.0.0.1:{number}"):
        pass


def test_an_address_that_is_taken_or_none_is_told() -> None:
    with MjpegServer("http://127.0.0.1:0") as server:
        with pytest.raises(SinkError, match="cannot be listened on"), MjpegServer(server.url):
            pass
    assert parse_address("http://:9090") == ("", 9090)
    for wrong in ("http://", "http://host", "http://:99999", "http://a:1/film", "http://u:p@a:1"):
        with pytest.raises(SinkError, match="expected an address") as told:
            parse_address(wrong)
        assert "u:p" not in str(told.value)
