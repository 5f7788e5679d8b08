"""Uploads on their way in: so many at once, each visitor its share, and none that stands still.

The server's loop receives them, so that none keeps a thread before it is whole. All of this runs in
that loop, and needs no lock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from stylizer.web.errors import ApiError
from stylizer.web.live import Receive

__all__ = ["Arrival", "Arrivals"]

_MOST = 24
"""Uploads at once, of all visitors."""
_SHARE = 3
"""Uploads at once of one visitor."""
_SILENCE = 15.0
"""Seconds without a byte."""
_SLOWEST = 8 * 1024
"""Bytes a second that an upload must reach, after its first `_GRACE` seconds."""
_GRACE = 30.0
_YOUNG = 3.0
"""Seconds for which an upload is not judged by its speed."""


@dataclass(eq=False, kw_only=True)
class Arrival:
    """An upload on its way in.

    Attributes:
      visitor: whose it is.
      received: bytes so far.
      began: by the loop's clock.
    """

    visitor: str
    received: int = 0
    began: float = field(default_factory=time.monotonic)
    _given_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def speed(self) -> float:
        """Bytes a second so far."""
        return self.received / max(time.monotonic() - self.began, 0.001)

    def give_up(self) -> None:
        """Let it go, for another one."""
        self._given_up.set()

    async def take_in(self, receive: Receive, target: BinaryIO, *, most_bytes: int) -> bool:
        """Write what comes into a file.

        Args:
          receive: of the request.
          target: the file.
          most_bytes: that it may be.

        Returns:
          False when the client went away.

        Raises:
          ApiError: it is too large or too slow, or has to make room.
        """
        gone = asyncio.ensure_future(self._given_up.wait())
        try:
            while True:
                allowed = _GRACE + self.received / _SLOWEST - (time.monotonic() - self.began)
                coming = asyncio.ensure_future(receive())
                await asyncio.wait(
                    {coming, gone},
                    timeout=max(0.0, min(_SILENCE, allowed)),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not coming.done() or gone.done():
                    coming.cancel()
                    raise ApiError(408, "too_slow", "the upload came too slowly; send it again")
                message = coming.result()
                if message["type"] != "http.request":
                    return False
                data = message.get("body", b"")
                self.received += len(data)
                if self.received > most_bytes:
                    raise ApiError(
                        413, "too_large", f"expected at most {most_bytes:,} bytes, got more"
                    )
                target.write(data)
                if not message.get("more_body", False):
                    return True
        finally:
            gone.cancel()


class Arrivals:
    """All uploads on their way in."""

    def __init__(self) -> None:
        """Begin with none."""
        self._all: set[Arrival] = set()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    @asynccontextmanager
    async def enter(self, visitor: str) -> AsyncIterator[Arrival]:
        """Count an upload while the block lasts; where there are too many, the slowest goes.

        Raises:
          ApiError: the visitor has as many as one may, or all others are quick.
        """
        mine = [one for one in self._all if one.visitor == visitor]
        if len(mine) >= _SHARE:
            self._let_go(mine)
        elif len(self._all) >= _MOST:
            self._let_go(list(self._all))
        arrival = Arrival(visitor=visitor)
        self._all.add(arrival)
        try:
            yield arrival
        finally:
            self._all.discard(arrival)

    def _let_go(self, ones: list[Arrival]) -> None:
        now = time.monotonic()
        old = [one for one in ones if now - one.began > _YOUNG]
        if not old:
            raise ApiError(429, "busy", "too many uploads at once; try again in a moment")
        slowest = min(old, key=lambda one: one.speed)
        slowest.give_up()
        self._all.discard(slowest)
