"""Live streams: a frame comes in as JPEG, is painted, and goes out as JPEG.

Frames are answered in their order; while one is finished, the next is begun. A client may send the
next ones before it has the answer: they wait in the connection, whose other side is told to send no
more when there are two. A slow client
holds up nobody: connections belong to the server's loop, and frames are painted in other threads.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from stylizer.live.budget import Turns
from stylizer.network.inputs import StyleEmbedding
from stylizer.web.config import WebConfig
from stylizer.web.errors import ApiError
from stylizer.web.events import log_event
from stylizer.web.gallery import Gallery, OwnStyle
from stylizer.web.jpeg import decode_frame, encode_jpeg
from stylizer.web.options import LiveSettings, StyleChoice, read_live_settings, read_object
from stylizer.web.painter import Begun, ClientPainter
from stylizer.web.priority import LivePriority
from stylizer.web.sessions import Session, Sessions

__all__ = ["MISTAKE", "REFUSED", "Clients", "LiveService", "Receive", "Send"]

_log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
"""Of ASGI: the next message of a connection, and a message to it."""

REFUSED = 1008
"""Closing code: a policy, such as a limit, was violated (RFC 6455, 7.4.1)."""
MISTAKE = 1011
"""Closing code: the server failed."""
_FAILED = "the server made a mistake; its log says which"
_MOST_MISTAKES = 64
"""Messages in a row that are wrong, before the connection ends."""
_SLOW, _EASE = 10.0, 60.0
"""Seconds, as of `Turns`."""
_LONGEST_REASON = 120
"""Bytes; 123 fit into a closing frame."""


class _Gone(Exception):
    """The client has ended the connection, or takes nothing in."""


class Clients:
    """The live streams that are open; may be used by several threads."""

    def __init__(self, most: int) -> None:
        """Begin with none, and have ``most`` at once."""
        self._most = most
        self._lock = threading.Lock()
        self._count = 0
        self._closing = False

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Count a client as long as the block lasts.

        Raises:
          ApiError: there are as many as there may be, or the server is ending.
        """
        with self._lock:
            if self._closing or self._count >= self._most:
                raise ApiError(
                    429, "too_many_clients", f"all {self._most} places are taken; try again later"
                )
            self._count += 1
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1

    def close(self) -> None:
        """Take no more."""
        with self._lock:
            self._closing = True


@dataclass(frozen=True, kw_only=True)
class LiveService:
    """What live streams need.

    Attributes:
      config: the limits.
      gallery: the network and the styles.
      quicker: the same with a network for streams that are too slow with the first.
      sessions: the visitors.
      clients: the streams that are open.
      priority: is told of every frame.
      threads: that all of them work in.
    """

    config: WebConfig
    gallery: Gallery
    quicker: Gallery
    sessions: Sessions
    clients: Clients
    priority: LivePriority
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(64, thread_name_prefix="stylizer-web-live")
    )

    async def serve(self, receive: Receive, send: Send, session: Session | None) -> None:
        """Serve a client to its end.

        Args:
          receive: of the connection, which is accepted.
          send: of the connection.
          session: the visitor; None for one without, who has the built-in styles alone.
        """
        client = secrets.token_hex(4)
        socket = _Socket(receive, send, patience=2 * self.config.ping_seconds)
        try:
            with self.clients.seat():
                log_event(_log, "client_open", client=client)
                self.sessions.hold(session, 1)
                stream = _Stream(self, socket, session)
                try:
                    why = await stream.run()
                finally:
                    self.sessions.hold(session, -1)
                    log_event(_log, "client_end", frames=stream.frames, client=client)
            await socket.close(REFUSED, why)
        except ApiError as error:
            log_event(_log, "client_refused", code=error.code, client=client)
            await socket.close(REFUSED, error.message)
        except _Gone:
            pass
        except Exception:
            _log.exception("client failed")
            await socket.close(MISTAKE, _FAILED)

    async def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in a thread of its own."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, function, *arguments)


class _Socket:
    """A connection by ASGI; a client that takes nothing in for a time is given up."""

    def __init__(self, receive: Receive, send: Send, *, patience: float) -> None:
        self._receive, self._send, self._patience = receive, send, patience

    async def receive(self, timeout: float) -> str | bytes | None:
        """Return the next message; None when none came in ``timeout`` seconds."""
        try:
            message = await asyncio.wait_for(self._receive(), timeout)
        except TimeoutError:
            return None
        if message["type"] != "websocket.receive":
            raise _Gone
        text: str | None = message.get("text")
        return message.get("bytes") if text is None else text

    async def send(self, message: str | bytes) -> None:
        kind = "text" if isinstance(message, str) else "bytes"
        await self._give({"type": "websocket.send", kind: message})

    async def close(self, code: int, reason: str) -> None:
        short = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
        with suppress(_Gone):
            await self._give({"type": "websocket.close", "code": code, "reason": short})

    async def _give(self, message: dict[str, Any]) -> None:
        try:
            await asyncio.wait_for(self._send(message), self._patience)
        except (OSError, RuntimeError) as error:  # TimeoutError is an OSError
            raise _Gone from error


class _Stream:
    """One client's frames."""

    def __init__(self, service: LiveService, socket: _Socket, session: Session | None) -> None:
        self._service, self._socket, self._session = service, socket, session
        self._gallery, self._turns = service.gallery, Turns(slow=_SLOW, ease=_EASE)
        self._code: Any = None
        self._painter: ClientPainter | None = None
        self.frames = 0

    async def run(self) -> str:
        """Serve until the connection is closed; return why, if it is to be the server's doing.

        Raises:
          _Gone: it was the client's.
        """
        service = self._service
        engine = await service.in_thread(self._begin)
        self._last: Awaitable[None] = asyncio.ensure_future(asyncio.sleep(0))
        await self._tell("ready", engine=engine)
        try:
            return await self._answer()
        finally:
            await self._last

    async def _answer(self) -> str:
        service, mistakes = self._service, 0
        while mistakes < _MOST_MISTAKES:
            message = await self._socket.receive(service.config.idle_seconds)
            if message is None:
                return "nothing came for too long; connect again"
            try:
                if isinstance(message, str):
                    await self._last
                    await service.in_thread(self._change, message)
                else:
                    begun = await service.in_thread(self._begin_frame, message)
                    await self._last
                    self._last = asyncio.create_task(self._finish(begun))
                mistakes = 0
            except ApiError as error:
                mistakes += 1
                await self._last
                await self._tell("error", code=error.code, message=error.message)
        return "more wrong messages than can be answered"

    async def _finish(self, begun: Begun) -> None:
        """Finish a frame and send it, while the next one is begun."""
        try:
            painted, stats = await self._service.in_thread(self._finish_frame, begun)
        except Exception:
            await self._socket.close(MISTAKE, _FAILED)  # who waits for it sends nothing more
            raise
        await self._socket.send(painted)
        await self._tell("stats", **stats)

    def _begin(self) -> str:
        first = self._gallery.built_in()[0].name
        self._painter = self._make_painter(
            LiveSettings(styles=(StyleChoice(id=first, weight=1.0),))
        )
        return self._gallery.runtime.description

    def _make_painter(self, settings: LiveSettings) -> ClientPainter:
        gallery = self._gallery
        self._code = gallery.mix(settings.styles, self._own)
        painter = ClientPainter(
            gallery.runtime,
            settings,
            self._code,
            segmenter=gallery.segmenter,
            threads=self._service.threads,
        )
        painter.change(settings, self._code, parts=self._codes_of_parts(settings))
        return painter

    @property
    def _own(self) -> dict[str, OwnStyle]:
        return {} if self._session is None else self._session.styles

    def _codes_of_parts(self, settings: LiveSettings) -> dict[str, StyleEmbedding]:
        return {
            part: self._gallery.mix((StyleChoice(id=id),), self._own)
            for part, id in settings.parts.items()
        }

    def _change(self, message: str) -> None:
        values = read_object(message, name="message")
        if values.pop("type", None) != "settings":
            raise ApiError(400, "bad_message", 'type: expected "settings"')
        if self._painter is None:
            return
        settings = read_live_settings(values, self._painter.settings)
        gallery = self._gallery
        if "styles" in values:
            self._code = gallery.mix(settings.styles, self._own)
        gallery.check_parts(settings.parts)
        parts = self._codes_of_parts(settings)
        with gallery.loading_parts():
            self._painter.change(settings, self._code, parts=parts)

    def _begin_frame(self, data: bytes) -> Begun:
        config, painter = self._service.config, self._painter
        if painter is None:  # it is made before the first message is read
            raise _Gone
        self._service.priority.note_frame()
        if painter.ends(self._turns):
            self._turns.change()
            service = self._service
            self._gallery = service.quicker if self._turns.quick else service.gallery
            self._painter = painter = self._make_painter(painter.settings)
            log_event(_log, "client_changes", engine=self._gallery.runtime.description)
        short_side = min(painter.settings.short_side, config.live_short_side)
        return painter.begin(decode_frame(data, short_side=short_side))

    def _finish_frame(self, begun: Begun) -> tuple[bytes, dict[str, Any]]:
        if self._painter is None:
            raise _Gone
        began = time.perf_counter()
        painted = self._painter.finish(begun)
        spent = begun.seconds + time.perf_counter() - began
        self.frames += 1
        stats = {
            "paint_ms": round(1000 * spent, 1),
            "size": [painted.shape[1], painted.shape[0]],
            "painted": self._painter.painted_size or begun.painted.size,
            "quicker": self._turns.quick,
        }
        return encode_jpeg(painted, quality=self._painter.settings.quality), stats

    async def _tell(self, kind: str, **values: Any) -> None:
        await self._socket.send(json.dumps({"type": kind, **values}))
