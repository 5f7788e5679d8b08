"""The application as servers speak to it (ASGI): live sockets by themselves, all else by Flask.

What a request brings along is received here, into a file, before Flask sees it in a thread: so no
client, however slow, keeps a thread. Who may not ask is refused before anything is received.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import tempfile
from collections.abc import Mapping
from typing import IO, Any, cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi import build_environ
from flask import Flask
from uvicorn.protocols.utils import ClientDisconnected
from werkzeug.wrappers import Response

from stylizer.web.arrivals import Arrivals
from stylizer.web.errors import ApiError
from stylizer.web.live import Receive, Send
from stylizer.web.services import Services
from stylizer.web.sessions import SESSION_COOKIE, find_session
from stylizer.web.uploads import body_limit

__all__ = ["GONE", "REFUSAL", "Application"]

_log = logging.getLogger(__name__)

REFUSAL = "stylizer.refusal"
"""In the WSGI environ: the `ApiError` that a request is to be answered with."""
GONE = "stylizer.gone"
"""In the scope's state, where the server tells: an event that is set once the client has gone."""

Scope = Mapping[str, Any]

_READERS, _UPLOADERS = 16, 8
"""Threads for requests without a body, and with one: those may be looked at for seconds."""
_IN_MEMORY = 256 * 1024
_CHUNK = 256 * 1024
_LIVE = "/api/live"


class Application:
    """An ASGI application."""

    def __init__(self, app: Flask) -> None:
        """Serve what `stylizer.web.app.create_app` made."""
        self._app = app
        self._services: Services = app.extensions["stylizer"]
        self._readers = WSGIMiddleware(cast(Any, app), workers=_READERS)
        self._uploads = WSGIMiddleware(cast(Any, app), workers=_UPLOADERS)
        self.arrivals = Arrivals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a connection."""
        serve = {"http": self._request, "websocket": self._live, "lifespan": self._lifespan}
        try:
            await serve[scope["type"]](scope, receive, send)
        except ClientDisconnected:  # before it was answered: nobody is left to be told
            raise
        except Exception:
            _log.exception("failed")
            raise

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.to_thread(self._services.start)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if not (headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers):
            await self._readers(cast(Any, scope), cast(Any, _nothing), cast(Any, send))
            return
        refusal = await asyncio.to_thread(self._refusal, scope)
        limit = body_limit(scope["path"], self._services.config)
        if refusal is None and _number(headers.get(b"content-length")) > limit:
            refusal = ApiError(413, "too_large", f"expected at most {limit:,} bytes, got more")
        if refusal is not None:
            await self._refuse(scope, send, refusal)
            return
        try:
            folder = str(self._services.folder.path())
            with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=folder) as body:
                async with self.arrivals.enter(self._visitor(scope)) as arrival:
                    if not await arrival.take_in(receive, cast(Any, body), most_bytes=limit):
                        return
                size = body.tell()
                body.seek(0)
                whole = _with_length(scope, size)
                await self._uploads(cast(Any, whole), cast(Any, _reader(body)), cast(Any, send))
        except ApiError as error:
            await self._refuse(scope, send, error)

    async def _refuse(self, scope: Scope, send: Send, error: ApiError) -> None:
        """Have Flask answer: with its headers, and a line in the log."""
        told = {**scope, REFUSAL: error}
        await self._readers(cast(Any, told), cast(Any, _nothing), cast(Any, send))

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        request = {**scope, "type": "http", "method": "GET", "scheme": _http(scope["scheme"])}
        refusal = await asyncio.to_thread(self._refusal, request)
        if refusal is None and scope["path"] != _LIVE:
            refusal = ApiError(404, "not_found", "there is no live socket at this address")
        if refusal is not None:
            await _answer(send, refusal)
            return
        session = await asyncio.to_thread(self._session, request)
        await send({"type": "websocket.accept"})
        await self._services.live.serve(receive, send, session)

    def _refusal(self, scope: Scope) -> ApiError | None:
        """Ask the guard about a request of which only the head is here."""
        try:
            with self._app.request_context(_environ(scope)):
                answer = self._app.preprocess_request()
        except ApiError as error:
            return error
        if isinstance(answer, Response):
            return ApiError(400, "bad_request", "only GET / takes a token in the address")
        return None

    def _session(self, scope: Scope) -> Any:
        with self._app.request_context(_environ(scope)):
            return find_session(self._services.sessions)

    def _visitor(self, scope: Scope) -> str:
        with self._app.request_context(_environ(scope)) as context:
            cookie = context.request.cookies.get(SESSION_COOKIE)
        if self._services.sessions.find(cookie) is not None:
            return hashlib.sha256(str(cookie).encode()).hexdigest()
        client = scope.get("client") or ("", 0)
        return f"at {client[0]}"


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def _reader(body: IO[bytes]) -> Receive:
    async def receive() -> dict[str, Any]:
        data = body.read(_CHUNK)
        return {"type": "http.request", "body": data, "more_body": len(data) == _CHUNK}

    return receive


def _with_length(scope: Scope, size: int) -> dict[str, Any]:
    """Return a request whose head says how much came."""
    said = (b"content-length", b"transfer-encoding")
    headers = [(name, value) for name, value in scope["headers"] if name not in said]
    return {**scope, "headers": [*headers, (b"content-length", str(size).encode())]}


def _environ(scope: Scope) -> Any:
    return build_environ(cast(Any, scope), cast(Any, None))


def _number(text: bytes | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0


def _http(scheme: str) -> str:
    return "https" if scheme == "wss" else "http"


async def _answer(send: Send, error: ApiError) -> None:
    """Refuse a handshake as a request is refused."""
    body = json.dumps(error.as_json()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    start = {"type": "websocket.http.response.start", "status": error.status, "headers": headers}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": body})
