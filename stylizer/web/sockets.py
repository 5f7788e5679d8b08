"""A WebSocket that the thread of its request reads, pings and writes all by itself.

wsproto speaks the protocol (RFC 6455) over the connection that werkzeug or gunicorn hands on.
Nothing is read while a frame is painted, so what a client sends too early waits in the system's
buffers, and what a client does not take in is given up after a time: slow, gone and hostile ones
hold up nobody but their own thread.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

import h11
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import ProtocolError

from stylizer.web.errors import ApiError

__all__ = ["MISTAKE", "REFUSED", "ConnectionClosed", "LiveSocket"]

REFUSED = int(CloseReason.POLICY_VIOLATION)
"""Closing code: a policy, such as a limit, was violated (RFC 6455, 7.4.1)."""
MISTAKE = int(CloseReason.INTERNAL_ERROR)
"""Closing code: the server failed."""

_MOST_MESSAGES = 256
"""Messages that may wait: a page sends one frame at a time, and settings as a slider moves."""
_READ_BYTES = 65536
"""At once; more than a TLS record, of which nothing must be left when a timeout is waited for."""
_LINGER_SECONDS = 1.0
"""How long a client's last words are taken in: unread, they would keep it from the server's."""
_LONGEST_REASON = 120
"""Bytes; 123 fit into a closing frame."""
_HANDSHAKE = ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version")


class ConnectionClosed(Exception):
    """The connection to a client has ended."""


class LiveSocket:
    """A connection to a client; all but `abort` is for one thread alone."""

    def __init__(
        self,
        connection: socket.socket,
        protocol: WSConnection,
        *,
        ping_seconds: float,
        most_bytes: int,
    ) -> None:
        """Take over a connection on which the protocol has begun; see `accept`."""
        self._connection, self._protocol = connection, protocol
        self._ping_seconds, self._most_bytes = ping_seconds, most_bytes
        self._open = True
        self._waiting: deque[str | bytes] = deque()
        self._parts: list[Any] = []  # of one message: all text, or all bytes
        self._gathered = 0
        self._next_ping = time.monotonic() + ping_seconds
        self._answered = True
        with suppress(OSError):  # no TCP, as a server behind a Unix socket has it
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def accept(cls, environ: Mapping[str, Any], *, ping_seconds: float, most_bytes: int) -> Self:
        """Accept the WebSocket that a request asks for; no extension is agreed to.

        Args:
          environ: of WSGI.
          ping_seconds: between two pings; who does not answer one before the next is let go, and so
            is who takes no message in for twice as long.
          most_bytes: of a message.

        Raises:
          ApiError: the request is no handshake, or the server hands no connection on.
        """
        connection = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
        if connection is None:
            raise ApiError(400, "bad_handshake", "this server hands no connection on")
        # The host is the guard's matter, and an extension that is not offered is not agreed to:
        # JPEG does not get smaller by deflating it, and a bomb could be sent that way.
        headers = [(b"Host", b"localhost")]
        for name in _HANDSHAKE:
            value = environ.get(f"HTTP_{name.upper().replace('-', '_')}")
            if value is not None:
                headers.append((name.encode(), value.encode("latin-1")))
        protocol = WSConnection(ConnectionType.SERVER)
        try:
            protocol.initiate_upgrade_connection(headers, "/")
            answer = protocol.send(AcceptConnection())
        except (ProtocolError, h11.ProtocolError):
            raise ApiError(
                400, "bad_handshake", "that is not how a WebSocket is asked for"
            ) from None
        accepted = cls(connection, protocol, ping_seconds=ping_seconds, most_bytes=most_bytes)
        with suppress(ConnectionClosed):  # the first message will meet the same fate
            accepted._write(answer)
        return accepted

    def receive(self, timeout: float) -> str | bytes | None:
        """Return the next message; None when none came in ``timeout`` seconds.

        Raises:
          ConnectionClosed: the connection has ended.
        """
        end = time.monotonic() + timeout
        while not self._waiting:
            came = self._read(until=min(end, self._next_ping))
            now = time.monotonic()
            if now >= self._next_ping:
                self._ping()
            elif not came and now >= end:
                return None
        return self._waiting.popleft()

    def send(self, message: str | bytes) -> None:
        """Send a message.

        Raises:
          ConnectionClosed: the connection has ended, or the client takes nothing in.
        """
        self._send(TextMessage(message) if isinstance(message, str) else BytesMessage(message))

    def close(self, code: int, reason: str) -> None:
        """Close the connection, and say why."""
        short = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
        with suppress(ConnectionClosed):
            self._send(CloseConnection(code, short))
        self._open = False

    def finish(self) -> None:
        """Close what is open still, and let nothing more out.

        The server would write its HTTP answer after the last frame, and a browser would take that
        for a broken frame, and forget why it was closed.
        """
        self.close(CloseReason.NORMAL_CLOSURE, "")
        end = time.monotonic() + _LINGER_SECONDS
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            while (left := end - time.monotonic()) > 0:
                self._connection.settimeout(left)
                if not self._connection.recv(_READ_BYTES):
                    return

    def abort(self) -> None:
        """End the connection without a word; whatever waits for it wakes up."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _send(self, event: Event) -> None:
        if not self._open:
            raise ConnectionClosed
        self._write(self._protocol.send(event))

    def _write(self, data: bytes) -> None:
        try:
            self._connection.settimeout(2 * self._ping_seconds)
            self._connection.sendall(data)
        except OSError as error:
            self._open = False
            self.abort()
            raise ConnectionClosed from error

    def _read(self, *, until: float) -> bool:
        """Take in what comes up to a time; say whether something came."""
        if not self._open:
            raise ConnectionClosed
        try:
            self._connection.settimeout(max(0.001, until - time.monotonic()))
            data = self._connection.recv(_READ_BYTES)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        if not data:
            self._open = False
            raise ConnectionClosed
        self._protocol.receive_data(data)
        for event in self._protocol.events():
            self._handle(event)
        return True

    def _handle(self, event: Event) -> None:
        if isinstance(event, Message):
            self._gather(event)
        elif isinstance(event, Pong):
            self._answered = True
        elif isinstance(event, Ping):
            self._send(event.response())
        elif isinstance(event, CloseConnection):  # the client's wish, or its fault
            self._end(event.code, event.reason or "")

    def _gather(self, part: Message[Any]) -> None:
        self._parts.append(part.data)
        self._gathered += len(part.data)
        if self._gathered > self._most_bytes:
            self._end(CloseReason.MESSAGE_TOO_BIG, "the message is too big")
        if not part.message_finished:
            return
        is_text = isinstance(part, TextMessage)
        self._waiting.append("".join(self._parts) if is_text else b"".join(self._parts))
        self._parts, self._gathered = [], 0
        if len(self._waiting) > _MOST_MESSAGES:
            self._end(REFUSED, "more messages than can be handled")

    def _ping(self) -> None:
        if not self._answered:
            self._end(REFUSED, "a ping was not answered")
        self._answered = False
        self._next_ping = time.monotonic() + self._ping_seconds
        self._send(Ping())

    def _end(self, code: int, reason: str) -> None:
        self.close(code, reason)
        raise ConnectionClosed
