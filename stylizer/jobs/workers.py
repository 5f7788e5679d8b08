"""Several workers on one job: who paints a stretch is chosen here, and nowhere else.

The one that is asked finds the stretches, hands them out, and hears how far they are. A worker that
dies costs what it had not finished of its segment: its stretch is given to another one. If all is
killed, finished segments stay, and the same job goes on with the rest.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from stylizer.errors import StylizerError
from stylizer.jobs.crew import Crew, CrewConfig, Heard, WorkProgress
from stylizer.jobs.messages import log_once, repeat
from stylizer.jobs.parts import Parts
from stylizer.jobs.stretches import Stretch
from stylizer.jobs.work import Work

__all__ = ["paint_stretches"]

_AHEAD = 256
"""Stretches that may wait for a worker: each carries what cuts are found by."""

_LOOK = 0.25
"""Seconds between two looks whether stretches are still wanted, when so many wait."""

_LAST_OF_EACH = 4
"""Of the last stretches, so many for each worker, the longest is handed out first, so that all come
to the end together. Before, the first is: what is painted of a film is to be its beginning."""

_MOST_DEATHS = 3
"""Workers that may die over one stretch, or one after the other before they have begun: after that
it is not the worker."""


def paint_stretches(
    work: Work,
    stretches: Iterable[Stretch],
    crew: CrewConfig,
    *,
    on_progress: Callable[[WorkProgress], None],
) -> None:
    """Paint all stretches, those that are finished already excepted.

    Args:
      work: what is to be done.
      stretches: taken in a thread of their own while the first are worked on, if there are workers.
      crew: who paints.
      on_progress: called now and then, in the caller's thread.

    Raises:
      ConfigError: there is no such cluster, or it has no room for a worker.
      StylizerError: a stretch cannot be painted, or its workers die.
      Exception: whatever finding the stretches raised.
    """
    missing = (stretch for stretch in stretches if not _is_finished(stretch, work.folder))
    if crew.ray is not None:
        from stylizer.jobs.ray_cluster import RayCrew

        with log_once():
            _Foreman(RayCrew(work, crew), on_progress).paint(missing)
    elif crew.workers is not None:
        from stylizer.jobs.processes import ProcessCrew

        with log_once():
            _Foreman(ProcessCrew(work, crew), on_progress).paint(missing)
    else:
        _paint_here(work, missing, on_progress)


def _is_finished(stretch: Stretch, folder: Path) -> bool:
    parts = Parts(folder, first=stretch.first)
    parts.find_finished(end=stretch.end)
    return parts.whole or parts.next >= stretch.end


def _paint_here(
    work: Work, stretches: Iterable[Stretch], on_progress: Callable[[WorkProgress], None]
) -> None:
    done, paint = 0, work.load()

    def reached(frames: int, position: int) -> None:
        on_progress(WorkProgress(frames=done + frames, positions={"": position}))

    for stretch in stretches:
        done += paint(stretch, reached)
        reached(0, stretch.end - 1)


@dataclass
class _Worker:
    """What is known of a worker."""

    name: str
    ready: bool = False
    stretch: Stretch | None = None
    position: int = 0
    frames: int = 0


@dataclass
class _Foreman:
    """Hands out stretches, and those of dead workers again."""

    crew: Crew
    on_progress: Callable[[WorkProgress], None]
    _workers: list[_Worker] = field(default_factory=list)
    _again: deque[Stretch] = field(default_factory=deque)
    _deaths: dict[int, int] = field(default_factory=dict)
    _frames: int = 0
    _stillborn: int = 0

    def paint(self, stretches: Iterable[Stretch]) -> None:
        found = _Found(stretches)
        try:
            for number in range(self.crew.size):
                self._workers.append(_Worker(str(number + 1)))
                self.crew.begin(number)
            while self._hand_out(found):
                for heard in self.crew.listen():
                    self._hear(heard, self._workers[heard.worker])
                self.on_progress(self._progress())
        finally:
            found.stop()
            self.crew.end()

    def _hand_out(self, found: _Found) -> bool:
        """Give work to the idle; return whether anything is to be waited for."""
        for number, worker in enumerate(self._workers):
            if worker.ready and worker.stretch is None:
                last = _LAST_OF_EACH * self.crew.size if self.crew.size > 1 else 0
                stretch = self._again.popleft() if self._again else found.get(last=last)
                if stretch is not None:
                    worker.stretch, worker.position = stretch, stretch.first
                    self.crew.give(number, stretch)
        busy = any(worker.stretch is not None for worker in self._workers)
        return busy or bool(self._again) or not found.finished

    def _hear(self, heard: Heard, worker: _Worker) -> None:
        if heard.what == "ready":
            worker.ready, self._stillborn = True, 0
            worker.name = heard.name or worker.name
        elif heard.what == "frames" and worker.stretch is not None:
            worker.frames, worker.position = heard.frames, heard.position
        elif heard.what == "done":
            self._frames, worker.frames, worker.stretch = self._frames + heard.frames, 0, None
        elif heard.what == "failed":
            raise heard.error or StylizerError("a worker failed")
        elif heard.what == "dead":
            self._replace(heard, worker)
        elif heard.message is not None:
            repeat(heard.message)

    def _replace(self, heard: Heard, worker: _Worker) -> None:
        stretch, worker.stretch = worker.stretch, None
        worker.ready, worker.frames = False, 0
        if stretch is None:
            self._stillborn += 1
            if self._stillborn >= _MOST_DEATHS:
                raise StylizerError(
                    f"{self._stillborn} workers died before they began ({heard.error}); is there "
                    "memory for all? Fewer workers need less"
                )
        else:
            deaths = self._deaths[stretch.first] = self._deaths.get(stretch.first, 0) + 1
            if deaths >= _MOST_DEATHS:
                raise StylizerError(
                    f"{deaths} workers died over the frames {stretch.first} to {stretch.end} "
                    f"({heard.error}); is there memory for all? Fewer workers need less"
                )
            self._again.append(stretch)
        self.crew.begin(heard.worker)

    def _progress(self) -> WorkProgress:
        workers = self._workers
        return WorkProgress(
            frames=self._frames + sum(worker.frames for worker in workers),
            positions={one.name: one.position for one in workers if one.stretch is not None},
            waiting=sum(not worker.ready for worker in workers),
        )


class _Found:
    """Stretches that are found in a thread."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        self._queue: queue.Queue[Stretch] = queue.Queue(_AHEAD)
        self._last: list[Stretch] = []
        self._stretches = stretches
        self._error: BaseException | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._find, name="stylizer-stretches", daemon=True)
        self._thread.start()

    @property
    def finished(self) -> bool:
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive() and self._queue.empty() and not self._last

    def get(self, *, last: int) -> Stretch | None:
        """Return the next one or, of the ``last``, the longest; None for none by now."""
        if not self._thread.is_alive() and self._queue.qsize() <= last:
            while not self._queue.empty():
                self._last.append(self._queue.get_nowait())
        if self._last:
            longest = max(self._last, key=lambda one: one.end - one.first)
            self._last.remove(longest)
            return longest
        with suppress(queue.Empty):
            return self._queue.get_nowait()
        return None

    def stop(self) -> None:
        """Ask the thread to end; one that reads on is ended by closing what it reads."""
        self._stopped = True
        self._thread.join(timeout=1.0)

    def _find(self) -> None:
        try:
            for stretch in self._stretches:
                if self._stopped:
                    return
                while not self._stopped:
                    with suppress(queue.Full):
                        self._queue.put(stretch, timeout=_LOOK)
                        break
        except BaseException as error:
            self._error = error
