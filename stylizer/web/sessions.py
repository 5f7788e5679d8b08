"""Visitors: who has which styles, told apart by a cookie, and the one of the request at hand."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Response, after_this_request, request

from stylizer.web.config import WebConfig
from stylizer.web.errors import ApiError
from stylizer.web.gallery import OwnStyle

__all__ = ["SESSION_COOKIE", "Session", "Sessions", "current_session", "find_session"]


SESSION_COOKIE = "stylizer_session"


@dataclass(kw_only=True)
class Session:
    """A visitor.

    Attributes:
      id: random; it is the cookie.
      used: when it was last seen, by the clock of `Sessions`.
      busy: live streams and unfinished jobs; a session that has some is not forgotten.
      styles: brought by the visitor, by id; replaced as a whole, never changed, so that it may be
        read while another thread adds to it.
    """

    id: str
    used: float
    busy: int = 0
    styles: dict[str, OwnStyle] = field(default_factory=dict)


class Sessions:
    """All visitors; may be used by several threads."""

    def __init__(self, config: WebConfig, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a visitor.

        Args:
          config: says how many are remembered, with how many styles, and for how long.
          clock: seconds; another one for tests.
        """
        self._config, self._clock = config, clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        """How many visitors there are."""
        return len(self._sessions)

    def find(self, id: str | None) -> Session | None:
        """Return the session of that id, and note that it is used; None if there is none."""
        with self._lock:
            session = self._sessions.get(id or "")
            if session is not None:
                session.used = self._clock()
            return session

    def start(self) -> Session:
        """Begin a session; where there are too many, the one idle for longest makes room.

        Raises:
          ApiError: all of them are busy.
        """
        with self._lock:
            if len(self._sessions) >= self._config.max_sessions:
                idle = [session for session in self._sessions.values() if not session.busy]
                if not idle:
                    raise ApiError(429, "busy", "too many visitors at once; try again later")
                del self._sessions[min(idle, key=lambda session: session.used).id]
            session = Session(id=secrets.token_urlsafe(24), used=self._clock())
            self._sessions[session.id] = session
            return session

    def hold(self, session: Session | None, change: int) -> None:
        """Count a live stream or job that begins (1) or ends (-1)."""
        if session is not None:
            with self._lock:
                session.busy += change
                session.used = self._clock()

    def check_room(self, session: Session) -> None:
        """Make sure that a session may bring one more style.

        Raises:
          ApiError: it has as many as it may.
        """
        if len(session.styles) >= self._config.max_styles:
            raise ApiError(
                429,
                "too_many_styles",
                f"styles: expected at most {self._config.max_styles} of your own; remove one first",
            )

    def add_style(self, session: Session, style: OwnStyle) -> None:
        """Give a session a style.

        Raises:
          ApiError: it has as many as it may.
        """
        with self._lock:
            self.check_room(session)
            session.styles = {**session.styles, style.id: style}

    def remove_style(self, session: Session, id: str) -> None:
        """Take a style away.

        Raises:
          ApiError: it has no such style.
        """
        with self._lock:
            if id not in session.styles:
                raise ApiError(404, "no_style", "you have no such style of your own")
            session.styles = {key: style for key, style in session.styles.items() if key != id}

    def sweep(self) -> None:
        """Forget who has been idle for too long."""
        with self._lock:
            oldest = self._clock() - self._config.keep_seconds
            for session in list(self._sessions.values()):
                if not session.busy and session.used < oldest:
                    del self._sessions[session.id]


def find_session(sessions: Sessions) -> Session | None:
    """Return the session that the request's cookie names, if there is one."""
    return sessions.find(request.cookies.get(SESSION_COOKIE))


def current_session(sessions: Sessions) -> Session:
    """Return the request's session; begin one, and send its cookie along, if there is none.

    Raises:
      ApiError: there are too many visitors.
    """
    session = find_session(sessions)
    if session is not None:
        return session
    begun = sessions.start()

    @after_this_request
    def send(response: Response) -> Response:
        response.set_cookie(
            SESSION_COOKIE,
            begun.id,
            httponly=True,
            secure=request.is_secure,
            samesite="Strict",
        )
        return response

    return begun
