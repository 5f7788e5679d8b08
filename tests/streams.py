"""A Motion JPEG camera on the network, as cheap IP cameras are, served from a thread."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import cv2

from tests.clips import picture

__all__ = ["MjpegServer"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: MjpegServer


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        owner = self.server.owner
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            while not owner.dead.is_set():
                while owner.silent.is_set() and not owner.dead.wait(0.01):
                    pass
                self.wfile.write(owner.next_part())
                self.wfile.flush()
                owner.dead.wait(owner.interval)
        except OSError:
            pass  # the other side hung up
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


class MjpegServer:
    """Serves ``tests.clips.picture(n % 256)`` at `url`, n counting on as time passes.

    Attributes:
      dead: set it, and the connection is closed.
      silent: set it, and nothing more is sent though the connection stays.
      sent: pictures sent so far.
    """

    def __init__(self, *, size: tuple[int, int] = (64, 48), interval: float = 0.02) -> None:
        self.size = size
        self.interval = interval
        self.dead = threading.Event()
        self.silent = threading.Event()
        self.sent = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/video.mjpg"

    def next_part(self) -> bytes:
        image = cv2.cvtColor(picture(self.sent % 256, self.size), cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        self.sent += 1
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
        return head.encode() + data + b"\r\n"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.dead.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
