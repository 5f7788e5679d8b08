"""What phones need: addresses that can be opened, HTTPS, and a form for the token."""

from __future__ import annotations

import ipaddress
import json
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from stylizer.errors import ConfigError
from stylizer.network.config import FastConfig
from stylizer.web.app import create_app
from stylizer.web.certificate import certificate_file, own_addresses
from stylizer.web.config import WebConfig
from stylizer.web.server import open_server
from tests.web.serving import FlatRuntime, serve

TOKEN = "a-token-of-some-length"
PAGE = {"Accept": "text/html,application/xhtml+xml;q=0.9"}


def load(_: FastConfig) -> Any:
    return FlatRuntime()


def test_a_person_without_the_token_is_asked_for_it(tmp_path: Path) -> None:
    with serve(tmp_path, token=TOKEN) as site:
        stranger = site.http.application.test_client()
        answer = stranger.get("/", headers=PAGE)
        assert answer.status_code == 401
        assert '<form action="/" method="get">' in answer.text
        assert TOKEN not in answer.text
        wrong = stranger.get("/?token=wrong-but-long-enough", headers=PAGE)
        assert wrong.status_code == 401
        assert "not this server" in wrong.text
        assert stranger.get("/static/token.css", buffered=True).status_code == 200
        assert stranger.get("/static/page.css").status_code == 401
        assert stranger.get("/api/info", headers=PAGE).json["error"]["code"] == "no_token"
        assert stranger.get(f"/?token={TOKEN}", headers=PAGE).status_code == 302
        assert stranger.get("/", headers=PAGE, buffered=True).status_code == 200


def test_addresses_of_this_machine_can_be_opened_by_others() -> None:
    for address in own_addresses():
        parsed = ipaddress.ip_address(address)
        assert not parsed.is_loopback and not parsed.is_unspecified


def test_a_certificate_is_kept_until_it_does_no_more(tmp_path: Path) -> None:
    first = certificate_file(["192.168.0.7"], folder=tmp_path / "new")
    assert first.stat().st_mode & 0o077 == 0, "nobody else may read its key"
    data = first.read_bytes()
    made = x509.load_pem_x509_certificate(data)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "192.168.0.7" in [str(one.value) for one in names]
    assert certificate_file(["192.168.0.7"], folder=tmp_path / "new").read_bytes() == data
    assert certificate_file([], folder=tmp_path / "new").read_bytes() == data
    other = certificate_file(["192.168.0.8"], folder=tmp_path / "new").read_bytes()
    assert other != data
    first.write_text("damaged")
    assert certificate_file([], folder=tmp_path / "new").read_bytes().startswith(b"-----BEGIN")
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days <= 398


def test_it_is_served_by_https(tmp_path: Path) -> None:
    path = certificate_file([], folder=tmp_path)
    trusting = ssl.create_default_context(cafile=str(path))
    with serve(tmp_path / "kept", certificate=path) as site:
        address = f"https://127.0.0.1:{site.port}/api/info"
        with urllib.request.urlopen(address, context=trusting, timeout=20) as answer:
            assert json.load(answer)["engine"] == "flat, for tests"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_is_none_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "mine.pem"
    if content is not None:
        path.write_text(content)
    config = WebConfig(port=0, folder=tmp_path, certificate=path)
    with pytest.raises(ConfigError, match=r"mine\.pem cannot be used"):
        open_server(create_app(config, loader=load), config)
