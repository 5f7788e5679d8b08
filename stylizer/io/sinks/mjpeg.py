"""Pictures over HTTP, one JPEG after another: browsers, VLC, ffmpeg and OBS show them as they come.

This is what network cameras speak ("MJPEG", ``multipart/x-mixed-replace``): no sound, and a few
megabits a second. Whoever watches gets the newest picture when the one before has gone, so that one
on a slow line sees fewer of them and holds up nobody.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from stylizer.base import Managed
from stylizer.errors import SinkError
from stylizer.frame import Frame, check_image
from stylizer.io.image import encode_image
from stylizer.notices import notice

__all__ = ["MjpegServer", "is_address", "parse_address"]

_BOUNDARY = "stylizer"
_MOST_WATCHERS = 16
_PATIENCE = 10.0
"""Seconds that a watcher may take nothing in, or say nothing, before it is let go."""
_PATHS = ("/", "/stream.mjpg")
_STILL = "/frame.jpg"


def is_address(text: str) -> bool:
    """Whether a text names such a server: ``http://:9090``."""
    return text.lower().startswith("http://")


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of ``http://HOST:PORT``; the host is empty for all of this machine's.

    Raises:
      SinkError: it is no such address.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
        parts = urlsplit("")
    if port is None or parts.path not in ("", "/") or parts.query or parts.username is not None:
        raise SinkError(
            f"{text.rsplit('@', 1)[-1]}: expected an address to be watched at, as http://:9090 or "
            "http://127.0.0.1:9090"
        )
    return host, port


class MjpegServer(Managed):
    """A sink that can be watched over the network, by several at once.

    Attributes:
      url: where; the port is a free one where 0 was asked for.
    """

    def __init__(self, address: str) -> None:
        """Take the address; it is listened on from the ``with`` block on.

        Args:
          address: ``http://HOST:PORT``; without a host, all that can reach this machine may watch.

        Raises:
          SinkError: it is no such address.
        """
        self._host, self._port = parse_address(address)
        self._news = threading.Condition()
        self._jpeg, self._number, self._watchers, self._ended = b"", 0, 0, False
        self._server: _Server | None = None
        self.url = address

    def __enter__(self) -> Self:
        """Listen.

        Raises:
          SinkError: the address cannot be listened on, as when the port is taken.
        """
        try:
            self._server = _Server((self._host or "0.0.0.0", self._port), self)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SinkError(
                f"{self.url}: cannot be listened on ({reason}); choose another port"
            ) from error
        self.url = f"http://{self._host or socket.gethostname()}:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, name="stylizer-mjpeg").start()
        open_to = "" if self._local else ", and by all who can reach this machine"
        notice.info("to be watched at %s%s", self.url, open_to)
        return self

    @property
    def _local(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self._host).is_loopback
        except ValueError:
            return self._host == "localhost"

    def write(self, frame: Frame) -> None:
        """Show a frame to who watches.

        Raises:
          ConfigError: its image is no uint8 RGB picture.
        """
        image = check_image(frame.image)
        # without a watcher, one in a while is kept for who comes
        jpeg = encode_image(image) if self._watchers or self._number % 30 == 0 else self._jpeg
        with self._news:
            self._jpeg, self._number = jpeg, self._number + 1
            self._news.notify_all()

    def __exit__(self, *error: object) -> None:
        """Let all watchers go, and stop listening."""
        with self._news:
            self._ended = True
            self._news.notify_all()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def next(self, number: int) -> tuple[bytes, int]:
        """Wait for a picture after that of a number, 0 for any; empty when there is none more."""
        with self._news:
            self._news.wait_for(lambda: self._ended or self._number > number, _PATIENCE)
            return (b"", number) if self._ended else (self._jpeg, self._number)

    def seat(self, change: int) -> bool:
        """Count a watcher that comes (1) or goes (-1); False where there are too many."""
        with self._news:
            if change > 0 and self._watchers >= _MOST_WATCHERS:
                return False
            self._watchers += change
            return True

    def may_ask(self, host: str) -> bool:
        """Whether a request for that ``Host`` is meant: pages elsewhere may not come by a name."""
        name = host.rpartition(":")[0].strip("[]") or host
        return not self._local or name in ("localhost", "127.0.0.1", "::1", self._host)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], sink: MjpegServer) -> None:
        self.sink = sink
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Watcher)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent: watchers come and go."""


class _Watcher(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE

    def do_GET(self) -> None:
        path, sink = self.path.partition("?")[0], self.server.sink
        if not sink.may_ask(self.headers.get("Host", "")):
            self.send_error(403)
        elif path == _STILL:
            self._show_still()
        elif path not in _PATHS:
            self.send_error(404)
        elif not sink.seat(1):
            self.send_error(503, "too many watch already")
        else:
            try:
                with suppress(OSError):  # it went away, or took nothing in for too long
                    self._show_all()
            finally:
                sink.seat(-1)

    def _show_all(self) -> None:
        self._begin(f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        number = self.server.sink.next(0)[1] - 1  # what is there already
        while True:
            jpeg, number = self.server.sink.next(number)
            if not jpeg:
                return
            head = (
                f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            )
            self.wfile.write(head.encode() + jpeg + b"\r\n")

    def _show_still(self) -> None:
        jpeg, _ = self.server.sink.next(0)
        if not jpeg:
            self.send_error(503)
            return
        self._begin("image/jpeg", length=len(jpeg))
        self.wfile.write(jpeg)

    def _begin(self, kind: str, *, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in (
            ("Cache-Control", "no-store"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *values: Any) -> None:
        """Say nothing: what comes in is a stranger's."""
