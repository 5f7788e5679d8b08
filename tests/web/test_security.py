"""Who is let in: hosts, origins, tokens."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylizer.errors import ConfigError
from stylizer.web.config import WebConfig, is_loopback
from tests.web.serving import HANDSHAKE, Site, jpeg, live, picture_bytes, raw_request, serve

TOKEN = "a-token-of-some-length"
OPTIONS = '{"styles": [{"id": "the_scream"}]}'
ELSEWHERE = ["http://evil.example", "null", "http://localhost:1", "file://", "http://[", "x" * 999]


def fresh(site: Site) -> Any:
    """Return a client without cookies."""
    return site.http.application.test_client()


def photo(client: Any, **more: Any) -> Any:
    data = {"content": (BytesIO(jpeg()), "a.jpg"), "options": OPTIONS}
    return client.post("/api/photos", data=data, **more)


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_another_origin_changes_nothing(tmp_path: Path, origin: str) -> None:
    with serve(tmp_path) as site:
        headers = {"Origin": origin}
        assert photo(site.http, headers=headers).status_code == 403
        for method, path in (
            ("POST", "/api/styles"),
            ("POST", "/api/videos"),
            ("POST", "/api/jobs/x/cancel"),
            ("DELETE", "/api/jobs/x"),
            ("DELETE", "/api/styles/x"),
        ):
            answer = site.http.open(path, method=method, headers=headers)
            assert answer.status_code == 403, path
            assert answer.json["error"]["code"] == "wrong_origin"
        asked = HANDSHAKE[:-2] + f"Origin: {origin}\r\n\r\n".encode()
        assert raw_request(site.port, asked).startswith(b"HTTP/1.1 403")
        assert len(site.services.clients) == 0


def test_a_browser_that_names_another_site_is_refused(tmp_path: Path) -> None:
    with serve(tmp_path) as site:
        assert photo(site.http, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert photo(site.http, headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
        assert photo(site.http, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 202


def test_the_page_itself_is_let_in(tmp_path: Path) -> None:
    with serve(tmp_path) as site:
        assert photo(site.http, headers={"Origin": "http://localhost"}).status_code == 202
        own = {"Origin": "http://127.0.0.1:8000", "Host": "127.0.0.1:8000"}
        assert photo(site.http, headers=own).status_code == 202
        with live(site, Origin=site.url) as client:
            assert client.recv(timeout=60)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True),
        ("localhost:9000", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("evil.example", False),
        ("evil.example:8000", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("192.168.0.7:8000", False),
        ("[fe80::1]", False),
    ],
)
def test_without_a_token_only_known_hosts_are_served(
    tmp_path: Path, host: str, allowed: bool
) -> None:
    with serve(tmp_path) as site:
        for path in ("/api/info", "/api/jobs", "/static/page.css", "/"):
            answer = site.http.get(path, headers={"Host": host}, buffered=True)
            assert (answer.status_code != 403) is allowed, path
        assert site.http.get("/healthz", headers={"Host": host}).status_code == 200


def test_without_a_token_only_this_machine_is_served(tmp_path: Path) -> None:
    with serve(tmp_path) as site:
        for address, status in (("192.168.0.9", 403), ("127.0.0.1", 200), ("::1", 200)):
            answer = site.http.get("/api/info", environ_base={"REMOTE_ADDR": address})
            assert answer.status_code == status, address
        for name in (
            *("X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto"),
            *("X-Real-IP", "Via", "X-Forwarded-Server", "CF-Connecting-IP"),
        ):
            assert site.http.get("/api/info", headers={name: "127.0.0.1"}).status_code == 403


def test_without_the_token_nothing_is_served(tmp_path: Path) -> None:
    with serve(tmp_path, token=TOKEN) as site:
        client = fresh(site)
        for method, path in (
            ("GET", "/"),
            ("GET", "/?token=wrong-but-long-enough"),
            ("GET", "/?token="),
            ("GET", "/?token=%ff%fe"),
            ("GET", f"/api/info?token={TOKEN}"),
            ("GET", "/api/info"),
            ("GET", "/static/page.css"),
            ("GET", "/api/jobs"),
            ("POST", "/api/styles"),
            ("POST", "/api/videos"),
        ):
            answer = client.open(path, method=method)
            assert answer.status_code == 401, path
            assert TOKEN not in answer.text
        assert photo(client).status_code == 401
        client.set_cookie("stylizer_token", TOKEN)
        assert client.get("/api/info").status_code == 401, "the cookie holds a hash"
        assert client.get("/healthz").status_code == 200
        assert raw_request(site.port, HANDSHAKE).startswith(b"HTTP/1.1 401")


def test_the_token_opens_the_page_once_and_for_all(tmp_path: Path) -> None:
    with serve(tmp_path, token=TOKEN) as site:
        client = fresh(site)
        base = "http://my.phone.example"
        answer = client.get(f"/?token={TOKEN}", base_url=base)
        assert answer.status_code == 302
        assert answer.location == "/"
        assert TOKEN not in answer.headers["Set-Cookie"]
        assert "HttpOnly" in answer.headers["Set-Cookie"]
        assert client.get("/api/info", base_url=base).status_code == 200
        assert photo(client, base_url=base, headers={"Origin": base}).status_code == 202
        elsewhere = {"Origin": "http://evil.example"}
        assert photo(client, base_url=base, headers=elsewhere).status_code == 403
        cookie = client.get_cookie("stylizer_token", "my.phone.example")
        assert cookie is not None
        with live(site, Cookie=f"stylizer_token={cookie.value}") as stream:
            assert stream.recv(timeout=60)


def test_programs_may_send_the_token_as_a_header(tmp_path: Path) -> None:
    with serve(tmp_path, token=TOKEN) as site:
        ask = fresh(site).get
        assert ask("/api/info", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        for wrong in ("Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer \xff"):
            assert ask("/api/info", headers={"Authorization": wrong}).status_code == 401, wrong


def test_another_address_needs_a_token() -> None:
    with pytest.raises(ConfigError, match="token"):
        WebConfig(host="0.0.0.0")
    with pytest.raises(ConfigError, match="guessed"):
        WebConfig(host="0.0.0.0", token="short")
    assert WebConfig(host="0.0.0.0", token=TOKEN).token == TOKEN
    for host in ("127.0.0.1", "localhost", "::1", "127.8.8.8"):
        assert is_loopback(host)
        assert WebConfig(host=host).token is None
    for host in ("0.0.0.0", "::", "192.168.0.1", "example.com", ""):
        assert not is_loopback(host)


def test_names_of_files_never_are_paths(tmp_path: Path) -> None:
    names = ["../../escaped.png", "/etc/cron.d/x", "..\\..\\x.png", "a\x00b.png", "con", "." * 300]
    picture = picture_bytes(np.full((40, 40, 3), 9, np.uint8))
    with serve(tmp_path / "kept") as site:
        for name in names:
            assert site.post_file("/api/styles", "file", picture, filename=name).status_code == 201
            answer = site.post_file(
                "/api/photos", "content", picture, filename=name, options=OPTIONS
            )
            told = site.ended(answer.json["job"])
            assert told["state"] == "done", told
            result = site.http.get(told["result"], buffered=True)
            disposition = result.headers["Content-Disposition"]
            assert ".." not in disposition.replace("..png", ".png"), disposition
            assert "/" not in disposition and "\\" not in disposition
            site.http.delete(f"/api/jobs/{told['id']}")
        made = [path.parent.name for path in tmp_path.rglob("*") if path.is_file()]
        assert made == ["sessions"], "one visitor is remembered, and nothing else is there"
