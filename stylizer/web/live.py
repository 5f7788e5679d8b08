"""Live streams: a frame comes in as JPEG, is painted, and goes out as JPEG.

The next frame comes when the client has the last one, so that nothing queues up. No lock is held
while anything is received or sent: a slow client holds up nobody.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from stylizer.web.config import WebConfig
from stylizer.web.errors import ApiError
from stylizer.web.events import log_event
from stylizer.web.gallery import Gallery
from stylizer.web.jpeg import decode_frame, encode_jpeg
from stylizer.web.options import LiveSettings, StyleChoice, read_live_settings, read_object
from stylizer.web.painter import ClientPainter
from stylizer.web.sessions import Session, Sessions
from stylizer.web.sockets import MISTAKE, REFUSED, ConnectionClosed, LiveSocket

__all__ = ["Clients", "LiveService"]

_log = logging.getLogger(__name__)


class Clients:
    """The live streams that are open; may be used by several threads."""

    def __init__(self, most: int) -> None:
        """Begin with none, and have ``most`` at once."""
        self._most = most
        self._lock = threading.Lock()
        self._open: set[LiveSocket] = set()
        self._closing = False

    def __len__(self) -> int:
        """How many there are."""
        return len(self._open)

    @contextmanager
    def seat(self, socket: LiveSocket) -> Iterator[None]:
        """Count a client as long as the block lasts.

        Raises:
          ApiError: there are as many as there may be, or the server is ending.
        """
        with self._lock:
            if self._closing or len(self._open) >= self._most:
                raise ApiError(
                    429, "too_many_clients", f"all {self._most} places are taken; try again later"
                )
            self._open.add(socket)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(socket)

    def close(self) -> None:
        """Let all clients go, and take no more."""
        with self._lock:
            self._closing = True
            sockets = list(self._open)
        for socket in sockets:
            socket.abort()


@dataclass(frozen=True, kw_only=True)
class LiveService:
    """What live streams need.

    Attributes:
      config: the limits.
      gallery: the network and the styles.
      sessions: the visitors.
      clients: the streams that are open.
    """

    config: WebConfig
    gallery: Gallery
    sessions: Sessions
    clients: Clients

    def serve(self, environ: Mapping[str, Any], session: Session | None) -> None:
        """Serve a client to its end.

        Args:
          environ: the WSGI request that asks for a WebSocket.
          session: the visitor; None for one without, who has the built-in styles alone.

        Raises:
          ApiError: it does not ask as one should.
        """
        config = self.config
        socket = LiveSocket.accept(
            environ, ping_seconds=config.ping_seconds, most_bytes=config.frame_bytes
        )
        client = secrets.token_hex(4)
        try:
            with self.clients.seat(socket):
                log_event(_log, "client_open", client=client)
                stream = _Stream(self, socket, session)
                self.sessions.hold(session, 1)
                try:
                    why = stream.run()
                finally:
                    self.sessions.hold(session, -1)
                    log_event(_log, "client_end", frames=stream.frames, client=client)
            if why is not None:
                socket.close(REFUSED, why)
        except ApiError as error:
            log_event(_log, "client_refused", code=error.code, client=client)
            socket.close(REFUSED, error.message)
        except ConnectionClosed:
            pass
        except Exception:
            _log.exception("client failed")
            socket.close(MISTAKE, "the server made a mistake; its log says which")
        finally:
            socket.finish()


class _Stream:
    """One client's frames."""

    def __init__(self, service: LiveService, socket: LiveSocket, session: Session | None) -> None:
        self._service, self._socket, self._session = service, socket, session
        gallery = service.gallery
        settings = LiveSettings(styles=(StyleChoice(id=gallery.built_in()[0].name, weight=1.0),))
        self._code = gallery.mix(settings.styles, {})
        self._painter = ClientPainter(gallery.runtime, settings, self._code)
        self.frames = 0

    def run(self) -> str | None:
        """Serve until the connection is closed; return why, if it is to be the server's doing.

        Raises:
          ConnectionClosed: by the client.
        """
        self._tell("ready", engine=self._service.gallery.runtime.description)
        while True:
            message = self._socket.receive(self._service.config.idle_seconds)
            if message is None:
                return "nothing came for too long; connect again"
            try:
                if isinstance(message, str):
                    self._change(message)
                else:
                    self._paint(message)
            except ApiError as error:
                self._tell("error", code=error.code, message=error.message)

    def _change(self, message: str) -> None:
        values = read_object(message, name="message")
        if values.pop("type", None) != "settings":
            raise ApiError(400, "bad_message", 'type: expected "settings"')
        settings = read_live_settings(values, self._painter.settings)
        if "styles" in values:
            own = {} if self._session is None else self._session.styles
            self._code = self._service.gallery.mix(settings.styles, own)
        self._painter.change(settings, self._code)

    def _paint(self, data: bytes) -> None:
        config = self._service.config
        short_side = min(self._painter.settings.short_side, config.live_short_side)
        image = decode_frame(data, short_side=short_side)
        began = time.perf_counter()
        painted = self._painter(image)
        spent = time.perf_counter() - began
        self.frames += 1
        self._socket.send(encode_jpeg(painted))
        size = [painted.shape[1], painted.shape[0]]
        self._tell("stats", paint_ms=round(1000 * spent, 1), size=size)

    def _tell(self, kind: str, **values: Any) -> None:
        self._socket.send(json.dumps({"type": kind, **values}))
