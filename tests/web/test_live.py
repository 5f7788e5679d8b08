"""The live socket: who gets what painted, and who is let go."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from stylizer.live.budget import BudgetConfig
from stylizer.network.config import FastConfig
from stylizer.web import live as live_module
from stylizer.web import painter as painter_module
from stylizer.web import server
from stylizer.web.sessions import SESSION_COOKIE
from tests.waiting import wait_until
from tests.web.serving import (
    HANDSHAKE,
    FlatRuntime,
    Site,
    color_of,
    decode,
    jpeg,
    live,
    picture_bytes,
    raw_request,
    serve,
    settings,
)

PATIENCE = 60.0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serve(tmp_path) as site:
        yield site


def told(client: ClientConnection) -> dict[str, Any]:
    """Return the next message, which must be text."""
    message = client.recv(timeout=PATIENCE)
    assert isinstance(message, str), message
    values: dict[str, Any] = json.loads(message)
    return values


def painted(client: ClientConnection, frame: bytes) -> tuple[Any, dict[str, Any]]:
    """Send a frame; return the picture that comes back, and the numbers."""
    client.send(frame)
    image = decode(client.recv(timeout=PATIENCE))
    return image, told(client)


def test_a_stream_outlives_the_time_that_a_request_has_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_HEAD_SECONDS", 0.5)
    with serve(tmp_path) as site, live(site) as client:
        told(client)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            painted(client, jpeg())
            time.sleep(0.05)


def test_small_messages_do_not_wait_for_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, without_delay = server._Http.connection_made, []

    def note(self: Any, transport: Any) -> None:
        begin(self, transport)
        own = transport.get_extra_info("socket")
        without_delay.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(server._Http, "connection_made", note)
    with serve(tmp_path) as site, live(site) as client:
        told(client)
    assert without_delay
    assert all(without_delay)


def test_less_is_painted_where_painting_takes_too_long_and_the_picture_keeps_its_size(
    tmp_path: Path,
) -> None:
    with serve(tmp_path, runtime=FlatRuntime(delay=0.1)) as site:
        for adapts in (True, False):
            with live(site) as client:
                told(client)
                client.send(settings("the_scream", short_side=256, adapts=adapts))
                for _ in range(8):
                    image, stats = painted(client, jpeg((320, 256)))
                assert image.shape == (256, 320, 3)
                assert (160 <= stats["painted"][1] < 256) == adapts


def test_a_stream_that_is_too_slow_for_long_gets_the_quicker_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = BudgetConfig(few=1, enough=1, skipped=0)
    monkeypatch.setattr(painter_module, "_RATE", rate)
    monkeypatch.setattr(live_module, "_SLOW", 0.2)
    loaded: list[str] = []

    def load(config: FastConfig) -> FlatRuntime:
        loaded.append(config.network)
        return FlatRuntime(delay=0.0 if config.network == "fast" else 0.1)

    with serve(tmp_path, loader=load) as site, live(site) as client:
        told(client)
        assert loaded == ["adaptive"]
        for adapts in (False, True):
            client.send(settings("the_scream", short_side=256, adapts=adapts))
            for _ in range(12):
                image, stats = painted(client, jpeg((320, 256)))
            assert stats["quicker"] == adapts
        assert is_color(image, color_of("the_scream"))
        client.send(settings("mosaic", short_side=256))
        image, stats = painted(client, jpeg((320, 256)))
        assert is_color(image, color_of("mosaic"))
        assert loaded == ["adaptive", "fast"]


def end_of(closed: pytest.ExceptionInfo[ConnectionClosed]) -> tuple[int, str]:
    """Return the code and the words that the server closed a connection with."""
    assert closed.value.rcvd is not None, closed.value
    return closed.value.rcvd.code, closed.value.rcvd.reason


def is_color(image: Any, color: tuple[float, ...]) -> bool:
    """Whether a picture is of one color, as exact as JPEG is."""
    return bool(np.abs(image.astype(int) - color).max() <= 6)


def test_a_frame_comes_back_painted_with_its_numbers(site: Site) -> None:
    with live(site) as client:
        assert told(client) == {"type": "ready", "engine": "flat, for tests"}
        client.send(settings("the_scream"))
        image, stats = painted(client, jpeg((192, 128)))
        assert is_color(image, color_of("the_scream"))
        assert image.shape == (64, 96, 3)
        assert stats["type"] == "stats"
        assert stats["size"] == [96, 64]
        assert stats["paint_ms"] >= 0


def test_several_clients_have_their_own_settings(site: Site) -> None:
    names = ["the_scream", "starry_night", "great_wave", "tahiti"]
    wrong: list[str] = []

    def use(name: str) -> None:
        with live(site) as client:
            told(client)
            client.send(settings(name))
            for number in range(10):
                image, _ = painted(client, jpeg(seed=number))
                if not is_color(image, color_of(name)):
                    wrong.append(name)

    threads = [threading.Thread(target=use, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def test_a_new_style_shows_in_the_next_frame_though_coherence_is_on(site: Site) -> None:
    frame = jpeg()
    with live(site) as client:
        told(client)
        client.send(settings("the_scream", coherence=1))
        for _ in range(3):
            painted(client, frame)
        client.send(settings("great_wave", coherence=1))
        image, _ = painted(client, frame)
        assert is_color(image, color_of("great_wave"))


def test_strength_and_colors_and_mixture(site: Site) -> None:
    gray = picture_bytes(np.full((64, 96, 3), 100, np.uint8), "JPEG")
    scream, wave = np.array(color_of("the_scream")), np.array(color_of("great_wave"))
    with live(site) as client:
        told(client)
        client.send(settings("the_scream", strength=0.5))
        image, _ = painted(client, gray)
        assert is_color(image, tuple((scream + 100) / 2))
        client.send(json.dumps({"type": "settings", "strength": 0}))
        image, _ = painted(client, gray)
        assert is_color(image, (100, 100, 100))
        client.send(json.dumps({"type": "settings", "strength": 1, "keep_color": True}))
        image, _ = painted(client, gray)
        luma = float(scream @ (0.299, 0.587, 0.114))
        assert is_color(image, (luma, luma, luma))
        mixture = [{"id": "the_scream", "weight": 3}, {"id": "great_wave", "weight": 1}]
        client.send(json.dumps({"type": "settings", "styles": mixture, "keep_color": False}))
        image, _ = painted(client, gray)
        assert is_color(image, tuple((3 * scream + wave) / 4))


def test_sizes_change_at_most_once_a_second_and_small_frames_are_not_enlarged(site: Site) -> None:
    with live(site) as client:
        told(client)
        client.send(settings("the_scream"))
        assert painted(client, jpeg((48, 32)))[1]["size"] == [48, 32]
        assert painted(client, jpeg((32, 48)))[1]["size"] == [48, 32]
        time.sleep(1.1)
        assert painted(client, jpeg((32, 48)))[1]["size"] == [32, 48]
    margins = [(48 + 16, 32 + 16), (32, 24), (32 + 16, 48 + 16), (24, 32)]  # and their halves
    assert site.runtime.prepared == margins


def test_an_own_style_paints_for_its_visitor_alone(site: Site) -> None:
    orange = picture_bytes(np.full((40, 40, 3), (240, 120, 10), np.uint8))
    style = site.post_file("/api/styles", "file", orange).json["id"]
    cookie = site.http.get_cookie("stylizer_session")
    assert cookie is not None
    with live(site, Cookie=f"stylizer_session={cookie.value}") as client:
        told(client)
        client.send(settings(style))
        image, _ = painted(client, jpeg())
        assert is_color(image, (240, 120, 10))
    with live(site) as client:
        told(client)
        client.send(settings(style))
        assert told(client)["code"] == "no_style"
    assert len([name for name in site.runtime.encoded if name == "file"]) == 1


def test_too_many_clients_are_told_why(tmp_path: Path) -> None:
    with serve(tmp_path, max_clients=2) as site, live(site) as one, live(site) as two:
        told(one), told(two)
        with live(site) as three:
            with pytest.raises(ConnectionClosed) as closed:
                three.recv(timeout=PATIENCE)
            assert end_of(closed)[0] == 1008
            assert "places are taken" in end_of(closed)[1]
        one.close()
        wait_until(lambda: len(site.services.clients) == 1)
        with live(site) as four:
            assert told(four)["type"] == "ready"


def test_who_sends_nothing_for_long_is_let_go(tmp_path: Path) -> None:
    with serve(tmp_path, idle_seconds=0.3) as site, live(site) as client:
        told(client)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=PATIENCE)
        assert end_of(closed)[0] == 1008


def test_a_vanished_client_is_forgotten(tmp_path: Path) -> None:
    """It neither closes its connection nor answers a ping, as when its network is gone."""
    with serve(tmp_path, ping_seconds=0.3) as site:
        with socket.create_connection(("127.0.0.1", site.port)) as gone:
            gone.sendall(HANDSHAKE)
            wait_until(lambda: len(site.services.clients) == 1)
            wait_until(lambda: len(site.services.clients) == 0)


def test_a_busy_client_that_answers_no_ping_is_let_go(tmp_path: Path) -> None:
    with serve(tmp_path, ping_seconds=0.3) as site:
        with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as busy:
            busy.sendall(HANDSHAKE)
            with pytest.raises(OSError):
                for _ in range(1000):
                    busy.sendall(masked(1, b"{}"))
                    if not busy.recv(65536):
                        raise ConnectionResetError("closed by the server")
                    time.sleep(0.01)
        wait_until(lambda: len(site.services.clients) == 0)


def test_a_silent_client_that_answers_pings_stays(tmp_path: Path) -> None:
    with serve(tmp_path, ping_seconds=0.2) as site, live(site) as client:
        told(client)
        time.sleep(1.0)
        image, _ = painted(client, jpeg())
        assert image.any()


def test_a_client_that_reads_nothing_delays_no_other_and_is_let_go(tmp_path: Path) -> None:
    runtime = FlatRuntime()
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    frame = picture_bytes(noise, "JPEG")
    ask = settings("the_scream", strength=0, short_side=720).encode()
    with serve(tmp_path, runtime=runtime, ping_seconds=1.0) as site:
        with socket.create_connection(("127.0.0.1", site.port)) as deaf, live(site) as client:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.sendall(HANDSHAKE)
            assert deaf.recv(100).startswith(b"HTTP/1.1 101")
            wait_until(lambda: len(site.services.clients) == 2)  # soon: it answers no ping
            deaf.sendall(masked(1, ask))
            told(client)
            feeder = threading.Thread(target=feed, args=(deaf, masked(2, frame)))
            feeder.start()
            client.send(settings("great_wave"))
            while len(site.services.clients) == 2:
                image, _ = painted(client, jpeg())
                assert is_color(image, color_of("great_wave"))
            with suppress(OSError):  # the server has ended the connection
                deaf.shutdown(socket.SHUT_RDWR)
            feeder.join(10)
            assert not feeder.is_alive()


def feed(connection: socket.socket, message: bytes) -> None:
    """Send a message again and again until the other side has enough."""
    try:
        for _ in range(500):
            connection.sendall(message)
    except OSError:
        return


def masked(code: int, data: bytes) -> bytes:
    """Return a WebSocket's frame as clients send it, with a mask of zeros."""
    if len(data) < 126:
        length = bytes([0x80 | len(data)])
    elif len(data) < 65536:
        length = bytes([0x80 | 126]) + len(data).to_bytes(2, "big")
    else:
        length = bytes([0x80 | 127]) + len(data).to_bytes(8, "big")
    return bytes([0x80 | code]) + length + bytes(4) + data


BAD_FRAMES = {
    "nothing": b"",
    "text": b"this is no picture",
    "PNG": picture_bytes(np.zeros((8, 8, 3), np.uint8)),
    "half a JPEG": jpeg()[: len(jpeg()) // 2],
    "the head of a JPEG": jpeg()[:20],
    "too wide": picture_bytes(np.zeros((1, 5000, 3), np.uint8), "JPEG"),
}


@pytest.mark.parametrize("data", BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_a_bad_frame_is_answered_and_the_stream_goes_on(site: Site, data: bytes) -> None:
    with live(site) as client:
        told(client)
        client.send(settings("the_scream"))
        client.send(data)
        answer = told(client)
        assert answer["type"] == "error"
        assert answer["code"] in ("bad_frame", "too_large")
        image, _ = painted(client, jpeg())
        assert is_color(image, color_of("the_scream"))


BAD_MESSAGES = [
    "",
    "no json",
    "[]",
    "null",
    "{}",
    '{"type": "other"}',
    '{"type": ["settings"]}',
    '{"type": "settings", "strength": NaN}',
    '{"type": "settings", "strength": Infinity}',
    '{"type": "settings", "strength": -1}',
    '{"type": "settings", "strength": true}',
    '{"type": "settings", "strength": "1"}',
    '{"type": "settings", "strength": 1e999}',
    '{"type": "settings", "short_side": -5}',
    '{"type": "settings", "short_side": 1e300}',
    '{"type": "settings", "short_side": 100.5}',
    '{"type": "settings", "short_side": ' + "9" * 5000 + "}",
    '{"type": "settings", "styles": []}',
    '{"type": "settings", "styles": {}}',
    '{"type": "settings", "styles": [1]}',
    '{"type": "settings", "styles": [{"id": 1}]}',
    '{"type": "settings", "styles": [{"id": "../../etc/passwd"}]}',
    '{"type": "settings", "styles": [{"id": "the_scream", "weight": -1}]}',
    '{"type": "settings", "styles": [{"id": "the_scream", "weight": 0}]}',
    '{"type": "settings", "keep_color": 1}',
    '{"type": "settings", "unknown": 1}',
    "[" * 10_000,
    '{"type":' * 3000,
    '{"a": "' + "x" * 20_000 + '"}',
]


def test_odd_messages_are_answered_and_change_nothing(site: Site) -> None:
    with live(site) as client:
        told(client)
        client.send(settings("the_scream"))
        for message in BAD_MESSAGES:
            client.send(message)
            answer = told(client)
            assert answer["type"] == "error", message[:80]
            assert answer["code"] in ("bad_options", "bad_message", "no_style"), message[:80]
        image, _ = painted(client, jpeg())
        assert is_color(image, color_of("the_scream"))


def test_thousands_of_tiny_messages_end_the_connection_or_are_answered(site: Site) -> None:
    site.runtime.delay = 0.3
    with live(site) as client:
        told(client)
        client.send(jpeg())
        with suppress(ConnectionClosed, OSError):
            for _ in range(200_000):
                client.send("x")
        wait_until(lambda: len(site.services.clients) == 0)
        with live(site) as other:
            assert told(other)["type"] == "ready"
    site.runtime.delay = 0.0
    wait_until(lambda: len(site.services.clients) == 0)


def test_a_mistake_of_the_server_ends_the_stream_without_its_secrets(tmp_path: Path) -> None:
    class Broken(FlatRuntime):
        def paint(self, image: Any, code: Any) -> Any:
            raise RuntimeError("a secret")

    with serve(tmp_path, runtime=Broken()) as site, live(site) as client:
        told(client)
        client.send(jpeg())
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=PATIENCE)
        assert end_of(closed)[0] == 1011
        assert "secret" not in end_of(closed)[1]


@pytest.mark.parametrize("size", [30_000, 3_000_000])
def test_a_message_that_is_too_big_ends_the_connection(tmp_path: Path, size: int) -> None:
    with serve(tmp_path, frame_bytes=20_000) as site:
        for _ in range(10):
            with live(site) as client:
                told(client)
                with pytest.raises(ConnectionClosed) as closed:
                    client.send(bytes(size))
                    client.recv(timeout=PATIENCE)
            # what is left of a large one is not read, which may reset the connection too early
            if closed.value.rcvd is not None:
                break
        assert end_of(closed)[0] == 1009
        wait_until(lambda: len(site.services.clients) == 0)


def test_a_stream_that_cannot_begin_leaves_its_visitor_idle(tmp_path: Path) -> None:
    def fail(_: Any) -> Any:
        raise RuntimeError("no network")

    with serve(tmp_path, loader=fail) as site:
        session = site.services.sessions.start()
        with live(site, Cookie=f"{SESSION_COOKIE}={session.id}") as client:
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(timeout=PATIENCE)
        assert end_of(closed)[0] == 1011
        wait_until(lambda: len(site.services.clients) == 0)
        assert session.busy == 0


BROKEN = {
    "no mask": b"\x82\x05hello",
    "an unknown code": b"\x8b\x80\x00\x00\x00\x00",
    "reserved bits": b"\xf2\x80\x00\x00\x00\x00",
    "text that is no UTF-8": masked(1, b"\xff\xfe\xfd"),
    "a continuation of nothing": masked(0, b"x"),
    "a ping that is too long": masked(9, bytes(200)),
    "a length gone wild": b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
    "half a frame": masked(2, bytes(1000))[:200],
    "something else": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken_websocket_frames_end_their_connection_alone(site: Site, data: bytes) -> None:
    with live(site) as client:
        told(client)
        answer = raw_request(site.port, HANDSHAKE + data)
        assert answer.startswith(b"HTTP/1.1 101")
        client.send(settings("the_scream"))
        image, _ = painted(client, jpeg())
        assert is_color(image, color_of("the_scream"))
    wait_until(lambda: len(site.services.clients) == 0)


def test_what_comes_before_the_answer_ends_its_connection_and_is_no_error(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        with suppress(OSError):  # the server has ended the connection
            raw_request(site.port, HANDSHAKE + b"\xff" * 500_000)
    with live(site) as client:
        told(client)
    wait_until(lambda: len(site.services.clients) == 0)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_compression_is_not_agreed_to(site: Site) -> None:
    offer = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    answer = raw_request(site.port, HANDSHAKE[:-2] + offer)
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"extensions" not in answer.lower()


@pytest.mark.parametrize(
    "change",
    [
        (b"Sec-WebSocket-Version: 13\r\n", b""),
        (b"Sec-WebSocket-Version: 13\r\n", b"Sec-WebSocket-Version: 99\r\n"),
        (b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", b""),
        (b"Upgrade: websocket\r\n", b""),
        (b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\n"),
        (b"GET ", b"POST "),
    ],
)
def test_a_broken_handshake_is_refused(site: Site, change: tuple[bytes, bytes]) -> None:
    answer = raw_request(site.port, HANDSHAKE.replace(*change))
    assert answer.startswith(b"HTTP/1.1 4"), answer[:200]
