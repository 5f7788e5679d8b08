"""Sources around a source: at another size, its beginning alone, its newest pictures remembered."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace

from stylizer.base import WrappedSource
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.io.resize import resize_image
from stylizer.protocols import FrameSource
from stylizer.size import Size

__all__ = ["Limited", "RecentFrames", "Resized"]


class Resized(WrappedSource):
    """A source whose frames are resized; opening and closing it opens and closes the source.

    Frames whose size differs from the source's are fitted one by one, so that unrelated pictures
    keep their own aspect ratios when ``size`` is a short side. A frame that has its size already is
    passed on as it is.
    """

    def __init__(self, source: FrameSource, size: Size) -> None:
        """Wrap ``source``; ``size`` is a short side, or an exact (width, height)."""
        super().__init__(source)
        self._target = size

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, after resizing."""
        return self._target.fit(self._source.size)

    def __iter__(self) -> Iterator[Frame]:
        """Give the wrapped source's frames, resized."""
        frames = iter(self._source)
        return (self._resize(frame) for frame in frames)

    def _resize(self, frame: Frame) -> Frame:
        size = self._target.fit(frame.size)
        if size == frame.size:
            return frame
        alpha = None if frame.alpha is None else resize_image(frame.alpha, size)
        return replace(frame, image=resize_image(frame.image, size), alpha=alpha)


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
