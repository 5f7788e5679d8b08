"""Shares: a visitor who asks for much, or stands still, locks nobody out."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylizer.web import arrivals, server
from stylizer.web.sessions import SESSION_COOKIE
from tests.waiting import wait_until
from tests.web.serving import FlatRuntime, Site, picture_bytes, raw_request, serve

PICTURE = picture_bytes(np.full((40, 60, 3), 90, np.uint8))
OPTIONS = json.dumps({"styles": [{"id": "the_scream", "weight": 1}]})


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Site]:
    """A server whose network takes a while for each picture."""
    with serve(tmp_path / "kept", runtime=FlatRuntime(delay=0.3), max_queue=4) as site:
        yield site


def visitor(site: Site) -> Any:
    return site.http.application.test_client()


def photo(client: Any) -> Any:
    data = {"content": (BytesIO(PICTURE), "a.png"), "options": OPTIONS}
    return client.post("/api/photos", data=data)


def begin_upload(site: Site, *, path: str = "/api/photos", cookie: str = "") -> socket.socket:
    """Send the first bytes of an upload."""
    connection = socket.create_connection(("127.0.0.1", site.port))
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
    head += f"Cookie: {cookie}\r\n" if cookie else ""
    head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
    connection.sendall(head.encode())
    return connection


def test_a_newcomer_takes_the_place_of_the_newest_job_of_who_has_most(slow: Site) -> None:
    greedy, other = visitor(slow), visitor(slow)
    while (answer := photo(greedy)).status_code == 202:
        last = answer.json["job"]
    assert answer.json["error"]["code"] == "queue_full"
    mine = photo(other)
    assert mine.status_code == 202, mine.text
    told = greedy.get(f"/api/jobs/{last}").json
    assert told["state"] == "failed"
    assert "Send it again" in told["message"]
    # Who was served last waits: the newcomer's comes before all that waited already.
    assert other.get(f"/api/jobs/{mine.json['job']}").json["place"] <= 1


def test_many_visitors_with_many_tiny_photos_lock_nobody_out(tmp_path: Path) -> None:
    with serve(tmp_path, max_queue=8) as site:
        for _ in range(4):
            hostile = visitor(site)
            assert {photo(hostile).status_code for _ in range(3)} <= {202, 429}
        wait_until(lambda: site.services.jobs.counts()["queued"] == 0, seconds=120)
        assert photo(visitor(site)).status_code == 202


def test_uploads_that_stand_still_lock_nobody_out_and_end(
    slow: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_SILENCE", 1.5)
    uploads = [begin_upload(slow) for _ in range(3)]
    time.sleep(0.3)
    cookie = visitor(slow)
    assert photo(cookie).status_code == 202
    session = cookie.get_cookie(SESSION_COOKIE)
    mine = begin_upload(slow, cookie=f"{SESSION_COOKIE}={session.value}")
    time.sleep(0.3)
    mine.settimeout(0.2)
    with pytest.raises(TimeoutError):
        mine.recv(10)  # it is being received
    for upload in [*uploads, mine]:
        upload.settimeout(10)
        assert upload.recv(100).startswith(b"HTTP/1.1 408")
        upload.close()


def test_a_visitor_s_slowest_upload_makes_room_for_a_new_one(
    slow: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_YOUNG", 0.2)
    uploads = [begin_upload(slow) for _ in range(3)]
    time.sleep(0.5)
    fourth = begin_upload(slow)
    answered = 0
    for upload in uploads:
        upload.settimeout(2)
        try:
            answered += upload.recv(100).startswith(b"HTTP/1.1 408")
        except TimeoutError:
            pass
        upload.close()
    assert answered == 1
    fourth.close()


def test_an_upload_that_is_refused_is_not_received(tmp_path: Path) -> None:
    """Neither a stranger's nor one that is too large: its head is enough."""
    token = "a-token-of-some-length"
    with serve(tmp_path, token=token, upload_bytes=50_000) as site:
        with begin_upload(site) as upload:
            upload.settimeout(10)
            assert upload.recv(100).startswith(b"HTTP/1.1 401")
    with serve(tmp_path, upload_bytes=10_000) as site:
        with begin_upload(site) as upload:
            upload.settimeout(10)
            assert upload.recv(100).startswith(b"HTTP/1.1 413")


def test_half_open_connections_end_though_a_byte_comes_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_HEAD_SECONDS", 1.0)
    with serve(tmp_path) as site:
        with socket.create_connection(("127.0.0.1", site.port)) as slow:
            began = time.monotonic()
            with pytest.raises(OSError):
                for sign in b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"x" * 200:
                    slow.sendall(bytes([sign]))
                    time.sleep(0.05)
            assert time.monotonic() - began < 5


def test_more_connections_than_may_be_end_the_oldest_idle_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_MOST_CONNECTIONS", 10)
    with serve(tmp_path) as site:
        idle = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(10)]
        time.sleep(0.2)
        answer = raw_request(site.port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        idle[0].settimeout(5)
        with pytest.raises(ConnectionResetError):
            if not idle[0].recv(1):
                raise ConnectionResetError
        for one in idle:
            one.close()


def test_an_answer_that_nobody_takes_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_DEAF_SECONDS", 1.0)
    with serve(tmp_path) as site:
        job = photo(site.http).json["job"]
        assert site.ended(job)["state"] == "done"
        (result,) = tmp_path.rglob("result.png")
        whole = 30_000_000
        result.write_bytes(bytes(whole))
        cookie = site.http.get_cookie(SESSION_COOKIE)
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", site.port))
        ask = f"GET /api/jobs/{job}/result HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        deaf.sendall(f"{ask}Cookie: {SESSION_COOKIE}={cookie.value}\r\n\r\n".encode())
        time.sleep(3)
        deaf.settimeout(5)
        received = 0
        try:
            while part := deaf.recv(1 << 20):
                received += len(part)
        except ConnectionResetError:
            pass
        deaf.close()
        assert 0 < received < whole


def test_looking_and_links_from_elsewhere_begin_no_session(tmp_path: Path) -> None:
    with serve(tmp_path) as site:
        style = site.post_file("/api/styles", "file", PICTURE).json["id"]
        cookie = site.http.get_cookie(SESSION_COOKIE)
        for _ in range(5):  # a link from another site, or its image: the cookie is not sent
            answer = visitor(site).get("/", buffered=True)
            assert "Set-Cookie" not in answer.headers
            visitor(site).get("/api/jobs")
        assert len(site.services.sessions) == 1
        assert site.http.get_cookie(SESSION_COOKIE) == cookie
        assert style in [one["id"] for one in site.http.get("/api/info").json["styles"]]


def test_visitors_with_jobs_or_styles_are_the_last_to_be_forgotten(tmp_path: Path) -> None:
    with serve(tmp_path, max_sessions=3) as site:
        with_job, with_style = visitor(site), visitor(site)
        job = photo(with_job).json["job"]
        wait_until(lambda: with_job.get(f"/api/jobs/{job}").json["state"] == "done")
        with_style.post("/api/styles", data={"file": (BytesIO(PICTURE), "a.png")})
        for _ in range(4):
            site.services.sessions.start()
        assert with_job.get(f"/api/jobs/{job}").status_code == 200
        assert len(with_style.get("/api/info").json["styles"]) > len(
            visitor(site).get("/api/info").json["styles"]
        )
