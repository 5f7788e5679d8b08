"""Visitors: who has which styles, told apart by a cookie, and the one of the request at hand.

A visitor is remembered from the first thing that is handed in, so that who only looks takes no
room, and links from elsewhere, which bring no cookie along, begin nothing anew.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Response, after_this_request, request

from stylizer.web.config import WebConfig
from stylizer.web.errors import ApiError
from stylizer.web.gallery import OwnStyle

__all__ = ["SESSION_COOKIE", "Session", "Sessions", "current_session", "find_session"]


SESSION_COOKIE = "stylizer_session"

_MOST_AT_WORK = 3
"""Uploads of one visitor that are looked at at once; a page sends one."""


@dataclass(kw_only=True, eq=False)
class Session:
    """A visitor.

    Attributes:
      id: random; it is the cookie.
      used: when it was last seen, by the clock of `Sessions`.
      busy: live streams and unfinished jobs; a session that has some is not forgotten.
      jobs: how many jobs it has, those that have ended too.
      at_work: its uploads that are looked at.
      styles: brought by the visitor, by id; replaced as a whole, never changed, so that it may be
        read while another thread adds to it.
    """

    id: str
    used: float
    busy: int = 0
    jobs: int = 0
    at_work: int = 0
    styles: dict[str, OwnStyle] = field(default_factory=dict)


class Sessions:
    """All visitors; may be used by several threads.

    Attributes:
      on_change: called with a session whose styles have changed.
      on_end: called with one that is forgotten.
    """

    on_change: Callable[[Session], None]
    on_end: Callable[[Session], None]

    def __init__(self, config: WebConfig, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a visitor.

        Args:
          config: says how many are remembered, with how many styles, and for how long.
          clock: seconds; another one for tests.
        """
        self._config, self._clock = config, clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self.on_change = self.on_end = lambda session: None

    def __len__(self) -> int:
        """How many visitors there are."""
        return len(self._sessions)

    def all(self) -> list[Session]:
        """Return all visitors."""
        with self._lock:
            return list(self._sessions.values())

    def find(self, id: str | None) -> Session | None:
        """Return the session of that id, and note that it is used; None if there is none."""
        with self._lock:
            session = self._sessions.get(id or "")
            if session is not None:
                session.used = self._clock()
            return session

    def start(self, *, id: str | None = None) -> Session:
        """Begin a session; where there are too many, another one makes room.

        That is one without anything if there is one, then one without jobs, and of these the one
        that is idle for longest.

        Args:
          id: of one that comes back; None for a new one.

        Raises:
          ApiError: all of them are busy.
        """
        gone = None
        with self._lock:
            if len(self._sessions) >= self._config.max_sessions:
                idle = [one for one in self._sessions.values() if not one.busy + one.at_work]
                if not idle:
                    raise ApiError(429, "busy", "too many visitors at once; try again later")
                gone = min(idle, key=lambda one: (one.jobs > 0, bool(one.styles), one.used))
                del self._sessions[gone.id]
            session = Session(id=id or secrets.token_urlsafe(24), used=self._clock())
            self._sessions[session.id] = session
        if gone is not None:
            self.on_end(gone)
        return session

    def hold(self, session: Session | None, change: int) -> None:
        """Count a live stream or job that begins (1) or ends (-1)."""
        if session is not None:
            with self._lock:
                session.busy += change
                session.used = self._clock()

    @contextmanager
    def work_for(self, session: Session) -> Iterator[None]:
        """Count an upload that is looked at while the block lasts.

        Raises:
          ApiError: the visitor has as many at once as one may.
        """
        with self._lock:
            if session.at_work >= _MOST_AT_WORK:
                raise ApiError(
                    429, "busy", "your last uploads are still looked at; try again in a moment"
                )
            session.at_work += 1
        try:
            yield
        finally:
            with self._lock:
                session.at_work -= 1

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
        self.on_change(session)

    def replace_style(self, session: Session, style: OwnStyle) -> None:
        """Put a style into the place of the one of its id.

        Raises:
          ApiError: the session has none of that id any more.
        """
        with self._lock:
            if style.id not in session.styles:
                raise ApiError(404, "no_style", "that style was removed meanwhile")
            session.styles = {**session.styles, style.id: style}
        self.on_change(session)

    def remove_style(self, session: Session | None, id: str) -> None:
        """Take a style away.

        Raises:
          ApiError: it has no such style.
        """
        with self._lock:
            if session is None or id not in session.styles:
                raise ApiError(404, "no_style", "you have no such style of your own")
            session.styles = {key: style for key, style in session.styles.items() if key != id}
        self.on_change(session)

    def sweep(self) -> None:
        """Forget who has been idle for too long."""
        with self._lock:
            oldest = self._clock() - self._config.keep_seconds
            gone = [
                one
                for one in self._sessions.values()
                if not one.busy and not one.jobs and one.used < oldest
            ]
            for session in gone:
                del self._sessions[session.id]
        for session in gone:
            self.on_end(session)


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
            max_age=_COOKIE_SECONDS,
        )
        return response

    return begun


_COOKIE_SECONDS = 30 * 24 * 3600
"""The server forgets earlier; but a browser that is closed and opened must not."""
