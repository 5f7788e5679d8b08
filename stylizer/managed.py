"""The ``with`` block of what is open from the start, and has only to be closed."""

from __future__ import annotations

from types import TracebackType
from typing import Self

__all__ = ["Managed"]


class Managed:
    """A source or sink with a ``close``, which the end of its ``with`` block calls."""

    def close(self) -> None:
        """Let go of what is open, here nothing; closing twice does no harm."""

    def __enter__(self) -> Self:
        """Return the thing itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
