"""The visitor of the request at hand."""

from __future__ import annotations

from flask import Response, after_this_request, request

from stylizer.web.sessions import Session, Sessions

__all__ = ["SESSION_COOKIE", "current_session", "find_session"]

SESSION_COOKIE = "stylizer_session"


def find_session(sessions: Sessions) -> Session | None:
    """Return the session that the request's cookie names, if there is one."""
    return sessions.find(request.cookies.get(SESSION_COOKIE))


def current_session(sessions: Sessions) -> Session:
    """Return the request's session; begin one, and send its cookie along, if there is none.

    Raises:
      Refusal: there are too many visitors.
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
