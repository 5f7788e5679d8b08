"""How fast a stream runs, and how far behind its camera: measured on the frames themselves."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np

from stylizer.base import WrappedSource
from stylizer.frame import Frame
from stylizer.live.controls import Controls
from stylizer.protocols import FrameSource

__all__ = ["LiveFrames", "Meter", "Reading"]

_RECENT = 120
"""How many of the newest frames are looked at."""

_PAUSE = 1.0
"""Seconds without a frame after which what was measured before says nothing any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What was measured over the newest frames.

    Attributes:
      fps: frames shown a second; 0 before the second one.
      latency: seconds from the capture of a frame to its display, median.
      latency_p95: the same, 95th percentile.
    """

    fps: float = 0.0
    latency: float = 0.0
    latency_p95: float = 0.0


class Meter:
    """Told when a frame is taken and when it is shown; may be told and asked by any thread.

    A live frame's time says when it was captured, on the source's own clock. No frame is taken
    before it was captured, and some are at once: the least delay seen sets the clocks against each
    other. What the camera itself takes, until it hands a picture to this process, is not known.
    """

    def __init__(self) -> None:
        """Measure nothing yet."""
        self._lock = threading.Lock()
        self._offset: float | None = None
        self._shown: deque[float] = deque(maxlen=_RECENT)
        self._latencies: deque[float] = deque(maxlen=_RECENT)

    def take(self, frame: Frame) -> None:
        """Note that a frame has come out of the source at this moment."""
        delay = perf_counter() - frame.time
        with self._lock:
            if self._offset is None or delay < self._offset:
                self._offset = delay

    def show(self, frame: Frame) -> None:
        """Note that a frame is on the screen at this moment."""
        now = perf_counter()
        with self._lock:
            if self._shown and now - self._shown[-1] > _PAUSE:
                self._shown.clear()
                self._latencies.clear()
            self._shown.append(now)
            if self._offset is not None:
                self._latencies.append(max(0.0, now - frame.time - self._offset))

    def read(self) -> Reading:
        """Return what the newest frames say."""
        with self._lock:
            shown, ordered = list(self._shown), sorted(self._latencies)
        span = shown[-1] - shown[0] if shown else 0.0
        if not ordered:
            return Reading()
        return Reading(
            fps=(len(shown) - 1) / span if span > 0 else 0.0,
            latency=ordered[len(ordered) // 2],
            latency_p95=ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        )


class LiveFrames(WrappedSource):
    """A source around a live source; opened and closed with it."""

    def __init__(self, source: FrameSource, controls: Controls, meter: Meter) -> None:
        """Wrap ``source``.

        Args:
          source: its frames' times say when they were captured.
          controls: say whether the frames are mirrored.
          meter: told of every frame.
        """
        super().__init__(source)
        self._controls, self._meter = controls, meter

    def __iter__(self) -> Iterator[Frame]:
        """Give the source's frames, mirrored if that is wished for."""
        for frame in self._source:
            self._meter.take(frame)
            if self._controls.settings.mirror:
                frame = frame.with_image(np.asarray(cv2.flip(frame.image, 1), np.uint8))
            yield frame
