"""The server that ``stylizer web`` runs: uvicorn, with a limit on what a connection may keep."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from flask import Flask
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from stylizer.errors import ConfigError
from stylizer.web.asgi import GONE, Application
from stylizer.web.config import WebConfig

__all__ = ["WebServer", "open_server"]

_log = logging.getLogger(__name__)

_HEAD_SECONDS = 10.0
"""For a request's head to come as a whole, however many bytes of it do."""
_DEAF_SECONDS = 30.0
"""That a client may leave an answer standing."""
_END_SECONDS = 3
"""For answers that are under way when the server ends."""
_LONGEST_HEAD = 32 * 1024
_MOST_CONNECTIONS = 400


class _Deadline:
    """Ends a connection unless it is called off."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    @property
    def when(self) -> float:
        """When it comes, by the loop's clock; never, if it was not armed."""
        return float("inf") if self._timer is None else self._timer.when()

    def arm(self, transport: asyncio.Transport, seconds: float) -> None:
        """Begin to count, unless that has begun."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, transport.abort)

    def disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Http(H11Protocol):
    """HTTP, where whoever begins no request, or takes no answer, is let go after a time."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._head, self._deaf = _Deadline(), _Deadline()
        self._upgraded = False
        self._gone = threading.Event()
        self.app_state = {**self.app_state, GONE: self._gone}

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        if len(self.connections) >= _MOST_CONNECTIONS and not self._make_room():
            transport.abort()
            return
        _send_at_once(transport)
        super().connection_made(transport)
        self._head.arm(transport, _HEAD_SECONDS)

    def _make_room(self) -> bool:
        """End the connection that has begun no request for longest."""
        ours = [one for one in self.connections if isinstance(one, _Http)]
        first = min(ours, key=lambda one: one._head.when, default=None)
        if first is None or first._head.when == float("inf"):
            return False
        first.transport.abort()
        self.connections.discard(first)
        return True

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def _look(self) -> None:
        """Count the time as long as there is no request that is being answered."""
        if self._upgraded:  # the transport is a live socket's, which has its own deadlines
            self._head.disarm()
        elif self.cycle is not None and not self.cycle.response_complete:
            self._head.disarm()
        elif not self.transport.is_closing():
            self._head.arm(self.transport, _HEAD_SECONDS)

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._upgraded = True
        self._head.disarm()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        self._deaf.arm(self.transport, _DEAF_SECONDS)
        super().pause_writing()

    def resume_writing(self) -> None:
        self._deaf.disarm()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._head.disarm()
        self._deaf.disarm()
        super().connection_lost(exc)


def _send_at_once(transport: asyncio.Transport) -> None:
    """Have small messages leave at once, not 40 ms later with the next (Nagle's algorithm).

    asyncio does so too, but only for sockets that were made with TCP's number.
    """
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):  # it is gone again
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _WebSocket(WebSocketsSansIOProtocol):
    """A live socket, whose client is let go when it takes nothing in."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._deaf = _Deadline()

    def pause_writing(self) -> None:
        self._deaf.arm(self.transport, 2 * (self.ping_interval or _DEAF_SECONDS))
        super().pause_writing()

    def resume_writing(self) -> None:
        self._deaf.disarm()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deaf.disarm()
        super().connection_lost(exc)

    def handle_parser_exception(self) -> None:
        """End a connection; one whose handshake is not answered has nothing to be closed with."""
        if self.conn.close_sent is None:
            self.transport.abort()
        else:
            super().handle_parser_exception()


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End well when the terminal is closed, too."""
        with super().capture_signals():
            hangup = getattr(signal, "SIGHUP", None)
            main = threading.current_thread() is threading.main_thread()
            if hangup is None or not main or signal.getsignal(hangup) is signal.SIG_IGN:
                yield
                return
            before = signal.signal(hangup, self.handle_exit)
            try:
                yield
            finally:
                signal.signal(hangup, before)


class WebServer:
    """A server that listens; see `open_server`.

    Attributes:
      port: that it listens on.
    """

    def __init__(self, app: Flask, config: WebConfig, bound: socket.socket) -> None:
        """Take over a socket that is bound."""
        self.port: int = bound.getsockname()[1]
        self._socket = bound
        self._ended = threading.Event()
        self._server = _Uvicorn(
            uvicorn.Config(
                Application(app),
                http=_Http,
                ws=_WebSocket,
                ws_max_size=config.frame_bytes,
                ws_ping_interval=config.ping_seconds,
                ws_ping_timeout=2 * config.ping_seconds,  # a machine may be very busy
                ws_per_message_deflate=False,  # no gain on JPEG, and a way to send a bomb
                lifespan="on",
                log_config=None,
                log_level="critical",  # the application logs what matters
                access_log=False,
                proxy_headers=False,
                server_header=False,
                h11_max_incomplete_event_size=_LONGEST_HEAD,
                timeout_graceful_shutdown=_END_SECONDS,
                ssl_certfile=config.certificate,
                ssl_keyfile=config.key,
                headers=[("server", "stylizer")],
            )
        )

        try:
            self._server.config.load()
        except OSError as error:  # errors of TLS among them
            raise ConfigError(
                f"certificate: {config.certificate} cannot be used ({error.strerror or error}); "
                "expected a certificate and its key, as PEM"
            ) from error

    def serve_forever(self) -> None:
        """Serve until `shutdown` or, in the main thread, until a signal, which is raised again."""
        try:
            self._server.run([self._socket])
        finally:
            self._ended.set()

    def shutdown(self) -> None:
        """Have `serve_forever` return, in whatever thread it runs, and wait for that."""
        self._server.should_exit = True
        self._ended.wait()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def open_server(app: Flask, config: WebConfig) -> WebServer:
    """Listen; ``serve_forever`` of what is returned serves.

    Args:
      app: what `stylizer.web.app.create_app` made.
      config: says where.

    Raises:
      ConfigError: the address cannot be listened on, as when the port is taken, or the
        certificate cannot be used.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        bound = socket.create_server((config.host, config.port), family=family, backlog=128)
    except OSError as error:
        raise ConfigError(
            f"{config.host}:{config.port}: cannot be listened on ({_reason(error)}); "
            "choose another host or port"
        ) from error
    try:
        return WebServer(app, config, bound)
    except BaseException:
        bound.close()
        raise


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or str(error)
    return os.strerror(error.errno)  # its own words repeat the address
