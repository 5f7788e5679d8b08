"""Several processes that work on one job, each with its share of the processor.

The one that is asked finds the stretches, hands them out, and hears how far they are. A worker that
dies costs what it had not finished of its segment: its stretch is given to a new one. If all is
killed, finished segments stay, and the same job goes on with the rest.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import cv2

from stylizer.errors import StylizerError
from stylizer.io.processes import die_with_parent
from stylizer.jobs.parts import Parts
from stylizer.jobs.records import write_checkpoint
from stylizer.jobs.segmented import DivisionConfig, EncodedSegments, SegmentedSink
from stylizer.jobs.stretches import Stretch
from stylizer.pipeline import Progress, restore, run
from stylizer.protocols import FrameSource, Stylizer

__all__ = ["WorkConfig", "WorkerProgress", "work_in_processes"]

_MOST_DEATHS = 3
"""Workers that may die over one stretch: after that it is the stretch."""

_HEARD = 0.25
"""Seconds between two reports of a worker, at least."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


@dataclass(frozen=True, kw_only=True)
class WorkConfig:
    """What a worker needs to know; it goes to another process, so all of it can be pickled.

    Attributes:
      folder: the job's.
      open_source: opens the frames from one on, up to but without another one; None for the end.
      make_stylizer: makes what paints.
      make_writer: makes the writer of the video file to be, which tells how to encode.
      division: where segments end.
      threads: of the processor, for each worker.
    """

    folder: Path
    open_source: Callable[[int, int | None], FrameSource]
    make_stylizer: Callable[[], Stylizer]
    make_writer: Callable[[], Any]
    division: DivisionConfig
    threads: int


@dataclass(frozen=True, kw_only=True)
class WorkerProgress:
    """How far all workers have come.

    Attributes:
      frames: painted by all of them, in this run.
      positions: by a worker's number, the index of the frame that it is at.
    """

    frames: int
    positions: dict[int, int]


def work_in_processes(
    config: WorkConfig,
    stretches: Iterable[Stretch],
    *,
    workers: int,
    on_progress: Callable[[WorkerProgress], None],
) -> None:
    """Paint all stretches, those that are finished already excepted.

    Args:
      config: what is to be done.
      stretches: taken in a thread of their own, while the first are worked on.
      workers: how many processes.
      on_progress: called now and then, in the caller's thread.

    Raises:
      StylizerError: a stretch cannot be painted, or its workers die.
      Exception: whatever finding the stretches raised.
    """
    crew = _Crew(config, workers)
    found = _Found(stretches, config)
    try:
        while True:
            for worker in crew.idle():
                stretch = crew.again.popleft() if crew.again else found.get()
                if stretch is not None:
                    worker.give(stretch)
            if found.finished and not crew.busy and not crew.again:
                return
            crew.listen()
            on_progress(crew.progress())
    finally:
        found.stop()
        crew.end()


class _Found:
    """Stretches that are found in a thread; what they begin with is written down."""

    def __init__(self, stretches: Iterable[Stretch], config: WorkConfig) -> None:
        self._queue: queue.Queue[Stretch] = queue.Queue()
        self._stretches, self._config = stretches, config
        self._error: BaseException | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._find, name="stylizer-stretches", daemon=True)
        self._thread.start()

    @property
    def finished(self) -> bool:
        return not self._thread.is_alive() and self._queue.empty()

    def get(self) -> Stretch | None:
        if self._error is not None:
            raise self._error
        with suppress(queue.Empty):
            return self._queue.get_nowait()
        return None

    def stop(self) -> None:
        self._stopped = True
        self._thread.join()

    def _find(self) -> None:
        parts = Parts(self._config.folder)
        try:
            for stretch in self._stretches:
                if self._stopped:
                    return
                if stretch.checkpoint is not None:
                    write_checkpoint(parts.state(stretch.first), stretch.checkpoint)
                self._queue.put(stretch)
        except BaseException as error:
            self._error = error


@dataclass
class _Worker:
    """A process, and what it does."""

    number: int
    process: BaseProcess
    pipe: Connection
    stretch: Stretch | None = None
    position: int = 0
    frames: int = 0

    def give(self, stretch: Stretch) -> None:
        self.stretch, self.position = stretch, stretch.first
        with suppress(OSError):  # it died: that is heard
            self.pipe.send((stretch.first, stretch.end, stretch.last))


@dataclass
class _Crew:
    """The processes, and the stretches whose workers died."""

    config: WorkConfig
    count: int
    again: deque[Stretch] = field(default_factory=deque)
    _workers: list[_Worker] = field(default_factory=list)
    _deaths: dict[int, int] = field(default_factory=dict)
    _frames: int = 0

    def __post_init__(self) -> None:
        self._workers = [self._start(number) for number in range(self.count)]

    @property
    def busy(self) -> bool:
        return any(worker.stretch is not None for worker in self._workers)

    def idle(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.stretch is None]

    def progress(self) -> WorkerProgress:
        return WorkerProgress(
            frames=self._frames + sum(worker.frames for worker in self._workers),
            positions={one.number: one.position for one in self._workers if one.stretch},
        )

    def listen(self) -> None:
        """Hear what workers say, for a moment at most; put another in the place of a dead one."""
        ready = wait([worker.pipe for worker in self._workers], timeout=_HEARD)
        for worker in [one for one in self._workers if one.pipe in ready]:
            try:
                while worker.pipe.poll():
                    self._hear(worker, worker.pipe.recv())
            except (EOFError, OSError):
                self._replace(worker)

    def end(self) -> None:
        for worker in self._workers:
            worker.process.kill() if worker.stretch is not None else worker.pipe.close()
        for worker in self._workers:
            worker.process.join()

    def _hear(self, worker: _Worker, said: tuple[str, Any]) -> None:
        kind, value = said
        if kind == "frames":
            worker.frames, worker.position = value
        elif kind == "done":
            self._frames, worker.frames, worker.stretch = self._frames + value, 0, None
        elif isinstance(value, Exception):
            raise value

    def _replace(self, worker: _Worker) -> None:
        worker.process.join()
        stretch = worker.stretch
        if stretch is not None:
            deaths = self._deaths[stretch.first] = self._deaths.get(stretch.first, 0) + 1
            if deaths >= _MOST_DEATHS:
                raise StylizerError(
                    f"{deaths} workers died over the frames {stretch.first} to {stretch.end} "
                    f"(exit code {worker.process.exitcode}); is there memory for all? Fewer "
                    "workers need less"
                )
            self.again.append(stretch)
        self._frames += worker.frames
        self._workers[self._workers.index(worker)] = self._start(worker.number)

    def _start(self, number: int) -> _Worker:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(theirs, self.config), name=f"stylizer-worker-{number}", daemon=True
        )
        with _environment(dict.fromkeys(_THREADS, str(self.config.threads))):
            process.start()
        theirs.close()
        return _Worker(number, process, ours)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Have new processes start with these variables, but for those that the user has set."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@dataclass(frozen=True, kw_only=True)
class _Task:
    """A stretch that a worker was given."""

    config: WorkConfig
    writer: Any
    first: int
    end: int
    last: bool


def _work(pipe: Connection, config: WorkConfig) -> None:
    """Paint stretches until there are no more; runs in a process of its own."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
    cv2.setNumThreads(config.threads)
    try:
        stylizer, writer = config.make_stylizer(), config.make_writer()
        while True:
            first, end, last = pipe.recv()
            task = _Task(config=config, writer=writer, first=first, end=end, last=last)
            frames = _paint(stylizer, task, pipe)
            pipe.send(("done", frames))
    except (EOFError, BrokenPipeError):
        return  # nobody wants any more
    except Exception as error:
        pipe.send(("error", error))


def _paint(stylizer: Stylizer, task: _Task, pipe: Connection) -> int:
    """Paint what is missing of a stretch; return how many frames that were."""
    config = task.config
    parts = Parts(config.folder, first=task.first)
    parts.find_finished(end=task.end)
    if parts.whole or parts.next == task.end:
        return 0
    stylizer.reset()
    if parts.checkpoint is not None:
        restore(stylizer, parts.checkpoint)
    begun, said = parts.next, 0.0

    def report(progress: Progress) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= _HEARD:
            said = now
            pipe.send(("frames", (progress.frames, begun + progress.frames)))

    sink = SegmentedSink(
        parts, EncodedSegments(parts, task.writer), config.division, last=task.last
    )
    with config.open_source(begun, task.end) as source, sink:
        run(source, stylizer, sink, division=sink, on_progress=report)
    return task.end - begun
