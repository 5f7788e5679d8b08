"""Chromium with a clip for its camera, the page's server as a process, and what a page shows."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from stylizer.frame import Image
from tests.waiting import wait_until

__all__ = [
    "CAMERA_SIZE",
    "OpenTab",
    "Watch",
    "WebServer",
    "canvas",
    "find_chromium",
    "launch",
    "open_page",
    "serve",
    "wait_until",
]

CAMERA_SIZE = (320, 180)
OpenTab = Callable[..., Page]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)

_PROGRAM = "import sys; from stylizer.apps import cli; cli.run()"
_PATIENCE = 60.0
_COUNT = """
window.flight = {now: 0, most: 0};  // frames sent and not yet answered
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (typeof data !== "string") flight.most = Math.max(flight.most, ++flight.now);
  const answered = ({data}) => typeof data !== "string" && flight.now--;
  if (!this.watched) this.addEventListener("message", answered);
  this.watched = true;
  return send.call(this, data);
};
"""


def find_chromium() -> str:
    """Return the browser's path; skip where there is none."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip(f"no Chromium: none of {', '.join(_NAMES)} is on the path")


def launch(playwright: Playwright, camera: Path) -> Browser:
    """Start a headless browser whose camera plays a clip (Y4M) again and again."""
    expect.set_options(timeout=1000 * _PATIENCE)  # else 5 s, too short on a busy machine
    options = [*_OPTIONS, f"--use-file-for-fake-video-capture={camera}"]
    return playwright.chromium.launch(executable_path=find_chromium(), args=options)


@dataclass
class WebServer:
    """``stylizer web`` at work."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str


@contextmanager
def serve(folder: Path, *, port: int = 0) -> Iterator[WebServer]:
    """Run ``stylizer web`` as a user does; it is interrupted at the end, and must take that well.

    Args:
      folder: for its log and what it keeps.
      port: 0 for a free one.
    """
    log = folder / "log.txt"
    command = [sys.executable, "-c", _PROGRAM, "web", "--port", str(port)]
    command += ["--folder", str(folder / "jobs"), "--max-clients", "4"]
    environment = {**os.environ, "COLUMNS": "200"}  # the address stays on one line
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process,
    ):
        try:
            yield WebServer(process, log, _wait_for_address(process, log))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    assert "Traceback" not in log.read_text(), log.read_text()


def _wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    def told() -> list[str]:
        assert process.poll() is None, log.read_text()
        return [word for word in log.read_text().split() if word.startswith("http://")]

    wait_until(told, seconds=120)
    return told()[0]


@dataclass
class Watch:
    """What went wrong in a page, and whom it asked.

    Attributes:
      troubles: errors and warnings of its console, and exceptions.
      hosts: all hosts that it sent a request to.
      received: painted frames.
      settings: what it told the live socket, in order.
    """

    troubles: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    received: int = 0
    settings: list[str] = field(default_factory=list)

    def sent(self, payload: str | bytes) -> None:
        if isinstance(payload, str):
            self.settings.append(payload)

    def heard(self, payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            self.received += 1

    def follow(self, context: BrowserContext, page: Page) -> None:
        def console(kind: str, text: str) -> None:
            if kind in ("error", "warning"):
                self.troubles.append(f"{kind}: {text}")

        page.on("console", lambda message: console(message.type, message.text))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        context.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: socket.on("framesent", self.sent))
        page.on("websocket", lambda socket: socket.on("framereceived", self.heard))
        page.on("websocket", lambda socket: self._asked(socket.url))

    def _asked(self, url: str) -> None:
        if urlsplit(url).scheme not in ("blob", "data"):
            self.hosts.add(urlsplit(url).netloc)


def open_page(context: BrowserContext, url: str, watch: Watch, *, tab: str = "live") -> Page:
    """Open the page and wait until it has read what the server offers."""
    page = context.new_page()
    page.add_init_script(_COUNT)
    page.set_default_timeout(1000 * _PATIENCE)
    watch.follow(context, page)
    page.goto(f"{url}#{tab}")
    page.wait_for_selector("html[data-loaded]")
    return page


def canvas(page: Page) -> Image:
    """Return what the live canvas shows, uint8 RGB, (H, W, 3)."""
    url = page.evaluate("document.getElementById('live-canvas').toDataURL('image/png')")
    data = np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image[..., ::-1], np.uint8)
