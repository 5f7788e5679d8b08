"""What a client is told that asks for something it cannot have."""

from __future__ import annotations

from typing import Any

__all__ = ["ApiError"]


class ApiError(Exception):
    """A request is refused; the client's doing, and no error of the server.

    Attributes:
      status: of HTTP, 400..499.
      code: one word for programs, ``"too_large"``.
      message: words for people: what was expected, what was got, what to do.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        """Refuse with these."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer."""
        return {"error": {"code": self.code, "message": self.message}}
