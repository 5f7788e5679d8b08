"""Ends a worker that hangs, so that another one takes over what it was to paint.

How long a frame may take is not known: some take hours. But a slow worker works, and one that hangs
does not: for minutes it reaches no frame, and takes up nothing of the processor.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stylizer.jobs.stretches import Stretch
from stylizer.jobs.work import PaintStretch, Reached

__all__ = ["HUNG", "Watchdog", "watched"]

HUNG = 75
"""Exit code of a process that hung."""

_LIMIT = 600.0
"""Seconds without a frame and without work after which a process is taken to hang."""

_BUSY = 0.005
"""Share of one core that tells work from waking up now and then to look whether there is any."""

_LOOKS = 20
"""Looks within the limit. They are counted, and not the time: it goes on for a stopped process."""


def _end() -> None:
    os._exit(HUNG)


class Watchdog:
    """Watches this process while it loads what paints, or paints."""

    def __init__(self, *, limit: float | None = None, on_hung: Callable[[], None] = _end) -> None:
        """Prepare to watch.

        Args:
          limit: seconds; None for ten minutes.
          on_hung: called in a thread of its own, once.
        """
        self._limit = _LIMIT if limit is None else limit
        self._on_hung = on_hung
        self._moved = False

    def move(self) -> None:
        """Take note that a frame was reached; any thread may."""
        self._moved = True

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch until the end of the block."""
        over = threading.Event()
        thread = threading.Thread(
            target=self._look, args=(over,), name="stylizer-watchdog", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _look(self, over: threading.Event) -> None:
        idle, begun = 0, time.process_time()
        while not over.wait(self._limit / _LOOKS):
            worked = time.process_time() - begun
            if self._moved or worked > _BUSY * self._limit:
                self._moved, idle, begun = False, 0, time.process_time()
                continue
            idle += 1
            if idle >= _LOOKS:
                self._on_hung()
                return


def watched(load: Callable[[], PaintStretch]) -> PaintStretch:
    """Load what paints stretches, and return it, with a watchdog beside both."""
    with Watchdog().watch():
        paint = load()

    def painted(stretch: Stretch, reached: Reached) -> int:
        watchdog = Watchdog()

        def reach(frames: int, position: int) -> None:
            watchdog.move()
            reached(frames, position)

        with watchdog.watch():
            return paint(stretch, reach)

    return painted
