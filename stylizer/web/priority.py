"""Live pictures go first: jobs pause after each step while any are painted.

Both compute on the same cores, and a job that takes all it can get leaves a stream half of its
frames. A paused job still takes a step now and then, so that it ends beside a stream that does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from stylizer.web.job import Job

__all__ = ["LivePriority", "Steps"]

_RECENT = 2.0
"""Seconds after its last frame for which a stream counts as being painted."""
_LEAST = 0.5
"""Seconds of a pause at least."""
_TIMES = 3.0
"""A pause is so many times as long as the step before it: a job gets a quarter of the time."""


class LivePriority:
    """Knows whether live pictures are painted at present; may be used by several threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without any.

        Args:
          clock: seconds; another one for tests.
        """
        self.clock = clock
        self._until = -float("inf")

    @property
    def active(self) -> bool:
        """Whether live pictures are painted."""
        return self.clock() < self._until

    def note_frame(self) -> None:
        """Note that a live frame has come."""
        self._until = self.clock() + _RECENT


class Steps:
    """The steps of one job, such as frames or iterations."""

    def __init__(self, job: Job, priority: LivePriority) -> None:
        """Begin the first step.

        Args:
          job: is told when it gives way; its end ends a pause.
          priority: knows of the live pictures.
        """
        self._job, self._priority = job, priority
        self._began = priority.clock()

    def next(self) -> None:
        """End a step and begin the next one, after a pause while live pictures are painted."""
        job, priority = self._job, self._priority
        job.gives_way = priority.active
        if job.gives_way:
            job.stop.wait(max(_LEAST, _TIMES * (priority.clock() - self._began)))
        self._began = priority.clock()
