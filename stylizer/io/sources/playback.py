"""A video file in the place of a camera: it plays at its own pace, again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction

from stylizer.base import Managed
from stylizer.errors import SourceError
from stylizer.frame import Frame
from stylizer.protocols import FrameSource

__all__ = ["Playback"]

_LATE = 0.02
"""Seconds after which a frame is dropped, as a camera's would be that nobody took in time."""


class Playback(Managed):
    """A live source made of one that has an end; a `stylizer.protocols.FrameSource`.

    Attributes:
      size: (width, height) in pixels.
      rate: None, as of all live sources.
      frame_count: None: it never ends.
    """

    rate: Fraction | None = None
    frame_count: int | None = None

    def __init__(self, open_source: Callable[[], FrameSource]) -> None:
        """Look at the source.

        Args:
          open_source: opens it, each time that it begins anew.

        Raises:
          SourceError: it cannot be read.
        """
        self._open = open_source
        with open_source() as source:
            self.size: tuple[int, int] = source.size

    def __iter__(self) -> Iterator[Frame]:
        """Give frames when they are due; those that are late do not come.

        Raises:
          SourceError: it cannot be read, or has no frame.
        """
        began, index = time.perf_counter(), 0
        start = 0.0  # of this round
        while True:
            last, step = -1.0, 0.0
            with self._open() as source:
                for frame in source:
                    step, last = (frame.time - last if last >= 0 else 0.0), frame.time
                    late = time.perf_counter() - (began + start + frame.time)
                    if late > max(_LATE, step):
                        continue
                    time.sleep(max(0.0, -late))
                    yield Frame(frame.image, index, time.perf_counter() - began)
                    index += 1
            if last < 0:
                raise SourceError("expected a video with frames, got none")
            start += last + max(step, 1 / 60)
