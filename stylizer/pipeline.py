"""The loop: the only place where source, stylizer and sink meet.

::

    a file      reader thread ──queue──▶ stylizer thread ──queue──▶ sink, in the caller's thread
    a camera              stylizer thread, which reads itself ──1──▶ sink, in the caller's thread

Reading, stylising and writing overlap, and frames keep their order: each stage is one thread, and
each queue is first in, first out. The queues are bounded, so that a fast stage waits for a slow one
instead of filling the memory: at most ``2 * queue_size + 3`` frames are held at a time.

A live source (``rate is None``) is read by the stylizer's thread without any queue before it. A
camera keeps only its newest frame, and a queue of older ones would show the past: what is stylised
is always the newest frame there is, and only one finished frame waits for the sink.

The sink runs in the thread that called `run`, because windows and Ctrl-C belong to the main thread.

How a run ends, and in which state:

* The source has no more frames: every frame was written.
* The source or the stylizer fails at frame n: the frames before n are written still (they are work
  done), then the error is raised as it was, with the traceback of its own stage.
* The sink or ``on_progress`` fails, or Ctrl-C: everything stops at once; frames on their way are
  dropped. The error is raised as it was.
* The sink raises `EndOfStream`: everything stops at once, and `run` returns.

In every case the worker threads have ended before `run` returns or raises. They end when the call
that they are in does: a source must not block for ever, and a stylizer's step in progress is waited
for (a second Ctrl-C gives that up; the threads are daemons, so the process can end). Only one error
is raised; a stage that fails as well while the run is being stopped is logged.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from stylizer.errors import ConfigError, StylizerError
from stylizer.frame import Frame, check_image
from stylizer.protocols import EndOfStream, FrameSink, FrameSource, Stylizer
from stylizer.stages import Channel, Item, Items, Stage

__all__ = ["Progress", "run"]

_log = logging.getLogger(__name__)

_RECENT = 64
"""How many of the newest frames ``fps`` and ``latency`` are taken over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a run has come.

    Attributes:
      frames: frames written so far.
      total: frames that the source announced; None when it does not know.
      seconds: since the run began.
      fps: frames written a second, over the newest frames; 0 before the second one.
      latency: seconds from a frame's reading to the end of its writing, mean of the newest frames.
      latency_last: the same, of the last frame.
      latency_p95: the same, 95th percentile of the newest frames.
    """

    frames: int = 0
    total: int | None = None
    seconds: float = 0.0
    fps: float = 0.0
    latency: float = 0.0
    latency_last: float = 0.0
    latency_p95: float = 0.0


def run(
    source: FrameSource,
    stylizer: Stylizer,
    sink: FrameSink,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    queue_size: int = 4,
) -> Progress:
    """Carry every frame of ``source`` through ``stylizer`` into ``sink``.

    Opens, resets and closes nothing: that is the caller's, with ``with``.

    Args:
      source: an open source; its iteration runs in a thread of its own.
      stylizer: called in a thread of its own, with the frames in order.
      sink: an open sink; written to in the caller's thread.
      on_progress: called in the caller's thread after every frame written.
      queue_size: frames that may wait between two stages, 1 or more; a live source always has 1.

    Returns:
      The account of the whole run.

    Raises:
      ConfigError: ``queue_size`` is below 1.
      StylizerError: the stylizer returned something else than the frame given, restyled.
      Exception: whatever a stage raised, as it was.
    """
    if queue_size < 1:
        raise ConfigError(f"queue_size: expected 1 or more, got {queue_size}")
    live = source.rate is None
    read = Channel(queue_size)
    done = Channel(1 if live else queue_size)
    frames = _read(source) if live else read.drain()
    stages = [Stage("stylizer", _stylise(stylizer, frames), done)]
    if not live:
        stages.append(Stage("reader", _read(source), read))
    meter = _Meter(source.frame_count)
    try:
        for stage in stages:
            stage.start()
        with closing(done.drain()) as finished:
            for item in finished:
                sink.write(item.frame)
                meter.count(item.read_at)
                if on_progress is not None:
                    on_progress(meter.progress())
    except EndOfStream:
        _log.debug("the sink ended the stream after %d frames", meter.frames)
    finally:
        read.cancel()
        done.cancel()
        for stage in stages:
            stage.finish()
    return meter.progress()


def _read(source: FrameSource) -> Items:
    """Give the source's frames with the moment of their arrival; close its iterator at the end."""
    frames = iter(source)
    try:
        for frame in frames:
            yield Item(frame, time.perf_counter())
    finally:
        if isinstance(frames, Generator):
            frames.close()


def _stylise(stylizer: Stylizer, items: Items) -> Items:
    with closing(items):
        for item in items:
            result = _checked(stylizer(item.frame), item.frame, type(stylizer).__name__)
            yield Item(result, item.read_at)


def _checked(result: object, frame: Frame, name: str) -> Frame:
    """Hold a stylizer to its promise: same size, index and time."""
    if not isinstance(result, Frame):
        raise StylizerError(
            f"frame {frame.index}: expected a Frame from {name}, got {type(result).__name__}"
        )
    image = check_image(result.image, name=f"frame {frame.index}: image from {name}")
    for what in ("size", "index", "time"):
        expected, got = getattr(frame, what), getattr(result, what)
        if expected != got:
            raise StylizerError(
                f"frame {frame.index}: expected {what} {expected} from {name}, got {got}; "
                "a stylizer must keep a frame's size, index and time (use frame.with_image)"
            )
    return result if image is result.image else result.with_image(image)


class _Meter:
    """Counts frames and keeps the times of the newest."""

    def __init__(self, total: int | None) -> None:
        self.frames = 0
        self._total = total
        self._start = time.perf_counter()
        self._written: deque[float] = deque(maxlen=_RECENT)
        self._latencies: deque[float] = deque(maxlen=_RECENT)

    def count(self, read_at: float) -> None:
        now = time.perf_counter()
        self.frames += 1
        self._written.append(now)
        self._latencies.append(now - read_at)

    def progress(self) -> Progress:
        seconds = time.perf_counter() - self._start
        if not self.frames:
            return Progress(total=self._total, seconds=seconds)
        span = self._written[-1] - self._written[0]
        ordered = sorted(self._latencies)
        return Progress(
            frames=self.frames,
            total=self._total,
            seconds=seconds,
            fps=(len(self._written) - 1) / span if span > 0 else 0.0,
            latency=sum(ordered) / len(ordered),
            latency_last=self._latencies[-1],
            latency_p95=ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        )
