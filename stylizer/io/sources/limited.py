"""The beginning of a source."""

from __future__ import annotations

import math
from collections.abc import Iterator

from stylizer.base import WrappedSource
from stylizer.errors import ConfigError
from stylizer.frame import Frame
from stylizer.protocols import FrameSource

__all__ = ["Limited"]


class Limited(WrappedSource):
    """A source that ends after so many seconds of its own time; opened and closed with it."""

    def __init__(self, source: FrameSource, seconds: float) -> None:
        """Wrap ``source``; frames whose time is ``seconds`` or more do not come.

        Raises:
          ConfigError: ``seconds`` is not above 0.
        """
        if not seconds > 0:
            raise ConfigError(f"duration: expected more than 0 seconds, got {seconds:g}")
        super().__init__(source)
        self._seconds = seconds

    @property
    def frame_count(self) -> int | None:
        """How many frames will come, as well as is known."""
        count, rate = self._source.frame_count, self._source.rate
        if count is None or rate is None:
            return None
        return min(count, math.ceil(self._seconds * rate))

    def __iter__(self) -> Iterator[Frame]:
        """Give the source's frames up to the time."""
        for frame in self._source:
            if frame.time >= self._seconds:
                return
            yield frame
