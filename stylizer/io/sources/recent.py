"""Remembers the newest pictures of a source, for whoever wants to see the original later."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from stylizer.base import WrappedSource
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.protocols import FrameSource

__all__ = ["RecentFrames"]


class RecentFrames(WrappedSource):
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
        super().__init__(source)
        self._keep = keep
        self._images: OrderedDict[int, Image] = OrderedDict()
        self._lock = threading.Lock()

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
