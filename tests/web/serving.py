"""A server of this process with a network that paints one color, and clients without a browser."""

from __future__ import annotations

import json
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as pillow
from websockets.sync.client import ClientConnection, connect
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from stylizer.frame import Image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding
from stylizer.styles.load import AnyStyle, Style
from stylizer.web.app import create_app
from stylizer.web.config import WebConfig
from stylizer.web.server import open_server
from stylizer.web.services import Services
from tests.waiting import wait_until

__all__ = [
    "HANDSHAKE",
    "FlatRuntime",
    "Site",
    "color_of",
    "decode",
    "jpeg",
    "live",
    "picture_bytes",
    "raw_request",
    "serve",
    "settings",
    "wait_until",
]

HANDSHAKE = (
    b"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)

"""Asks for the live socket."""


class FlatRuntime:
    """Paints every picture in one color: a style picture's mean, or one made of a style's name."""

    description = "flat, for tests"
    mixes = True

    def __init__(self, *, delay: float = 0.0) -> None:
        self.delay = delay
        self.encoded: list[str] = []
        self.prepared: list[tuple[int, int]] = []

    def encode(self, style: AnyStyle, *, scale: float) -> StyleEmbedding:
        self.encoded.append(style.name)
        if isinstance(style, Style):
            return np.asarray(style.image.mean((0, 1)), np.float32)
        return np.array(color_of(style.name), np.float32)

    def prepare(self, size: tuple[int, int], code: StyleEmbedding) -> None:
        self.prepared.append(size)

    def paint(self, image: Image, code: StyleEmbedding) -> Image:
        time.sleep(self.delay)
        painted = np.empty_like(image)
        painted[:] = np.rint(code).astype(np.uint8)
        return painted


def color_of(name: str) -> tuple[int, int, int]:
    """Return the color that a built-in style is painted in."""
    number = zlib.crc32(name.encode())
    return number & 255, (number >> 8) & 255, (number >> 16) & 255


@dataclass
class Site:
    """A server at work.

    Attributes:
      http: flask's test client: it asks without a network between, and keeps its cookies.
      url: of the server.
      runtime: the network of all.
    """

    services: Services
    http: Any
    url: str
    port: int
    runtime: FlatRuntime

    def post_file(self, path: str, field: str, data: bytes, **form: str) -> Any:
        name = form.pop("filename", "file.bin")
        # encoded here: for large files the client would leave a temporary file to the collector
        file = FileStorage(BytesIO(data), filename=name, content_type="application/octet-stream")
        boundary, body = encode_multipart({field: file, **form})
        kind = f'multipart/form-data; boundary="{boundary}"'
        return self.http.post(path, data=body, content_type=kind)

    def ended(self, job: str, *, seconds: float = 60) -> dict[str, Any]:
        """Wait for a job's end, and return what is told of it."""
        told: dict[str, Any] = {}

        def look() -> bool:
            told.update(self.http.get(f"/api/jobs/{job}").json or {})
            return told["state"] not in ("queued", "running")

        wait_until(look, seconds=seconds)
        return told


@contextmanager
def serve(
    folder: Path, *, runtime: FlatRuntime | None = None, loader: Any = None, **limits: Any
) -> Iterator[Site]:
    """Serve until the block ends."""
    config = replace(WebConfig(port=0, folder=folder, ping_seconds=2.0), **limits)
    painter = runtime or FlatRuntime()

    def load(_: FastConfig) -> Any:
        return painter

    app = create_app(config, loader=loader or load)
    server = open_server(app, config)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    services: Services = app.extensions["stylizer"]
    try:
        http = app.test_client()
        yield Site(services, http, f"http://127.0.0.1:{server.port}", server.port, painter)
        assert http.get("/healthz").status_code == 200
    finally:
        server.shutdown()
        thread.join(10)
        server.close()
        services.close()


@contextmanager
def live(site: Site, **headers: str) -> Iterator[ClientConnection]:
    """Connect to the live socket."""
    address = f"ws://127.0.0.1:{site.port}/api/live"
    with connect(address, additional_headers=headers, compression=None, proxy=None) as client:
        yield client


def settings(name: str, **more: Any) -> str:
    """Return the message that asks for a built-in style, without coherence."""
    values = {"styles": [{"id": name, "weight": 1}], "coherence": 0, "short_side": 64, **more}
    return json.dumps({"type": "settings", **values})


def picture_bytes(image: Image, form: str = "PNG") -> bytes:
    """Write a picture to memory."""
    buffer = BytesIO()
    pillow.fromarray(image).save(buffer, format=form)
    return buffer.getvalue()


def jpeg(size: tuple[int, int] = (96, 64), *, seed: int = 0) -> bytes:
    """Return a JPEG of coarse noise; ``size`` is (width, height)."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return picture_bytes(np.array(pillow.fromarray(small).resize(size)), "JPEG")


def decode(data: Any) -> Image:
    """Decode a picture that came back."""
    assert isinstance(data, bytes), data
    with pillow.open(BytesIO(data)) as opened:
        return np.array(opened.convert("RGB"))


def raw_request(port: int, data: bytes, *, seconds: float = 10.0) -> bytes:
    """Send bytes as they are, and return what comes back until the server ends it, or is silent."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(data)
        connection.settimeout(1.0)
        try:
            while part := connection.recv(65536):
                received += part
        except (TimeoutError, ConnectionResetError):
            pass
    return received
