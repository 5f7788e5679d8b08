"""Who may ask for what: host, origin and token of every request, and headers of every answer.

* The page is served to this machine alone, unless there is a token. Without one, the request must
  come from a loopback address and through no proxy, and must ask for a loopback name: else a site
  that points its own name at 127.0.0.1 (DNS rebinding) could read what is here.
* A browser says with ``Origin`` which page sends a WebSocket or a changing request. It must be this
  one. Programs other than browsers send none, and bring no one's cookies either.
* The token comes once in the address, and from then on as a cookie that holds its hash; programs
  may send ``Authorization: Bearer TOKEN``.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from stylizer.web.config import WebConfig, is_loopback
from stylizer.web.errors import ApiError
from stylizer.web.token_page import STYLE, ask_for_token, wants_a_page

__all__ = ["TOKEN_COOKIE", "Guard", "set_headers"]

TOKEN_COOKIE = "stylizer_token"

_OPEN = ("/healthz", STYLE)
"""The paths that any program may ask for."""

_COOKIE_SECONDS = 30 * 24 * 3600
"""A phone that closes its browser need not be given the token again."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})

_FORWARDED = (
    *("Forwarded", "Via", "X-Forwarded", "X-Forwarded-For", "X-Forwarded-Host"),
    *("X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Forwarded-Ssl"),
    *("X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP"),
)
"""What a proxy adds, through which others may come."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), display-capture=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Looks at every request before anything is done for it."""

    def __init__(self, config: WebConfig) -> None:
        """Guard by the token of ``config``; None is for this machine alone."""
        self._token = config.token

    def install(self, app: Flask) -> None:
        """Stand before all of an application's requests."""
        app.before_request(self.check)
        app.after_request(set_headers)

    def check(self) -> AnyResponse | None:
        """Let the request at hand pass with None, or answer it.

        Raises:
          ApiError: host, origin or token is wrong.
        """
        if request.path in _OPEN:
            return None
        if self._token is None:
            _check_local()
        if request.method not in _READING or request.headers.get("Upgrade"):
            _check_origin()
        return None if self._token is None else self._check_token(self._token)

    def _check_token(self, token: str) -> AnyResponse | None:
        known = hashlib.sha256(token.encode()).hexdigest()
        given = request.args.get("token")
        if given is not None and request.method == "GET" and request.path == "/":
            if not _same(hashlib.sha256(given.encode()).hexdigest(), known):
                if wants_a_page():
                    return ask_for_token(wrong=True)
                raise _no_token()
            answer = redirect("/")
            answer.set_cookie(
                TOKEN_COOKIE,
                known,
                max_age=_COOKIE_SECONDS,
                httponly=True,
                secure=request.is_secure,
                # A strict one is not sent after a redirect that began elsewhere, as in a chat.
                samesite="Lax",
            )
            return answer
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        bearer = bearer if scheme.lower() == "bearer" else ""
        hashed = hashlib.sha256(bearer.encode("utf-8", "surrogatepass")).hexdigest()
        if not _same(request.cookies.get(TOKEN_COOKIE, ""), known) and not _same(hashed, known):
            if wants_a_page():
                return ask_for_token(wrong=False)
            raise _no_token()
        return None


def set_headers(response: Response) -> Response:
    """Add the headers that make browsers careful."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.path.startswith("/static/"):
        if response.headers.get("Cache-Control") == "no-cache":  # Flask's word for files
            response.headers["Cache-Control"] = "private, no-cache"
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _check_local() -> None:
    forwarded = any(name in request.headers for name in _FORWARDED)
    strange = request.remote_addr and not is_loopback(request.remote_addr)
    if forwarded or strange or not is_loopback(_host_name(request.host)):
        raise ApiError(
            403, "wrong_host", "without a token this page is served to its own machine alone"
        )


def _check_origin() -> None:
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none"):
        raise _wrong_origin()
    if origin is None:
        return
    try:
        parts = urlsplit(origin)
    except ValueError:
        raise _wrong_origin() from None
    if parts.scheme not in ("http", "https") or parts.netloc.lower() != request.host.lower():
        raise _wrong_origin()


def _host_name(host: str) -> str:
    """Return the name in a ``Host`` header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _same(given: str, known: str) -> bool:
    """Compare in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), known.encode())


def _wrong_origin() -> ApiError:
    return ApiError(403, "wrong_origin", "only this page itself may ask for that")


def _no_token() -> ApiError:
    return ApiError(401, "no_token", "open the address that was printed when the server started")
