"""A WebSocket of flask-sock, made fit for clients that are slow, gone, or hostile.

simple-websocket has four faults that matter here (tried: 1.1). It sends from two threads, the
handler's and its reader's, whose bytes may mix once the system's buffer is full. It waits for ever
for a client that no longer reads. It takes in messages without bound while the handler works. And
it wakes the handler before it notes that a message was too big, so that the handler waits on.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Any

from simple_websocket import ConnectionClosed

__all__ = ["MISTAKE", "REFUSED", "LiveSocket"]

REFUSED = 1008
"""Closing code: a policy, such as a limit, was violated (RFC 6455, 7.4.1)."""
MISTAKE = 1011
"""Closing code: the server failed."""

_MOST_MESSAGES = 256
"""Messages that may wait: a page sends one frame at a time, and settings as a slider moves."""
_LOOK_SECONDS = 1.0
"""Between two looks whether the connection has ended without waking who waits."""
_LONGEST_REASON = 120
"""Bytes; 123 fit into a closing frame."""


class LiveSocket:
    """A connection to a client."""

    def __init__(self, ws: Any, *, send_seconds: float, most_bytes: int) -> None:
        """Take over a connection that was just accepted.

        Args:
          ws: `simple_websocket.Server`.
          send_seconds: how long a client may take to take one message in.
          most_bytes: that may wait to be handled.
        """
        self._ws = ws
        self._outlet = ws.sock = _Outlet(ws.sock, send_seconds)
        inbox = _Inbox(most_bytes)
        came, ws.input_buffer = ws.input_buffer, inbox
        inbox[:0] = came  # between the handshake and now; the reader's thread adds to it already

    def receive(self, timeout: float) -> str | bytes | None:
        """Return the next message; None when none came in ``timeout`` seconds.

        Raises:
          ConnectionClosed: the connection has ended.
        """
        ends = time.monotonic() + timeout
        while (left := ends - time.monotonic()) > 0:
            message: str | bytes | None = self._ws.receive(timeout=min(left, _LOOK_SECONDS))
            if message is not None:
                return message
        return None

    def send(self, message: str | bytes) -> None:
        """Send a message.

        Raises:
          ConnectionClosed: the connection has ended, or the client takes nothing in.
        """
        try:
            self._ws.send(message)
        except OSError as error:
            self.abort()
            raise ConnectionClosed(REFUSED, "the client takes nothing in") from error

    def close(self, code: int, reason: str) -> None:
        """Close the connection, and say why."""
        short = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
        with suppress(ConnectionClosed, OSError):
            self._ws.close(code, short)

    def finish(self) -> None:
        """Close what is open still, and let nothing more out.

        The server would write its HTTP answer after the last frame, and a browser would take that
        for a broken frame, and forget why it was closed.
        """
        if self._ws.connected:
            with suppress(ConnectionClosed, OSError):
                self._ws.close()
        self._outlet.end()

    def abort(self) -> None:
        """End the connection without a word; whatever waits for it wakes up."""
        self._outlet.abort()


class _Inbox(list[Any]):
    """Messages that wait; an OSError ends the connection of who sends too many."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes

    def append(self, message: Any) -> None:
        waiting = sum(map(len, self)) + len(message)
        if len(self) >= _MOST_MESSAGES or waiting > self._most_bytes:
            raise ConnectionAbortedError("more messages than can be handled")
        super().append(message)


class _Outlet:
    """A TCP socket whose messages go out one by one, each whole, or within a time not at all."""

    def __init__(self, sock: socket.socket, send_seconds: float) -> None:
        self._sock = sock
        self._sending = threading.Lock()
        sock.settimeout(send_seconds)
        with suppress(OSError):  # no TCP, as a server behind a Unix socket has it
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        return self._sock.fileno()

    def recv(self, size: int) -> bytes:
        return self._sock.recv(size)

    def send(self, data: bytes) -> int:
        with self._sending:
            self._sock.sendall(data)
        return len(data)

    def close(self) -> None:
        self._sock.close()

    def end(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
