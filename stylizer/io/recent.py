"""Remembers the newest pictures of a source, for whoever wants to see the original later."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.protocols import FrameSource

__all__ = ["RecentFrames"]


class RecentFrames:
    """A source around a source, which keeps its newest pictures by index.

    Read by one thread and asked by another, as `stylizer.pipeline.run` does.
    """

    def __init__(self, source: FrameSource, *, keep: int = 64) -> None:
        """Wrap a source.

        Args:
          source: opened and closed with this one.
          keep: pictures to remember, 1 or more; more than frames are on their way in a pipeline.

        Raises:
          ConfigError: ``keep`` is below 1.
        """
        if keep < 1:
            raise ConfigError(f"keep: expected 1 or more, got {keep}")
        self._source = source
        self._keep = keep
        self._images: OrderedDict[int, Image] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, of the source."""
        return self._source.size

    @property
    def rate(self) -> Fraction | None:
        """Frames a second, of the source."""
        return self._source.rate

    @property
    def frame_count(self) -> int | None:
        """How many frames the source announces."""
        return self._source.frame_count

    def image(self, index: int) -> Image | None:
        """Return the source's picture of that index; None when it is too old, or yet to come."""
        with self._lock:
            return self._images.get(index)

    def __iter__(self) -> Iterator[Frame]:
        """Give the source's frames."""
        for frame in self._source:
            with self._lock:
                self._images[frame.index] = frame.image
                while len(self._images) > self._keep:
                    self._images.popitem(last=False)
            yield frame

    def __enter__(self) -> Self:
        """Open the source."""
        self._source.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the source."""
        self._source.__exit__(kind, error, trace)
