"""Photos and videos that are painted one after the other, in a thread of their own."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from stylizer.errors import StylizerError
from stylizer.web.events import log_event
from stylizer.web.job import UPLOAD, Cancelled, Job, JobState
from stylizer.web.refusal import Refusal
from stylizer.web.sessions import Session, Sessions

__all__ = ["JobQueue", "JobQueueConfig"]

_log = logging.getLogger(__name__)

_END_SECONDS = 20.0
"""How long the end of the server waits for a job to heed that it is cancelled."""


@dataclass(frozen=True, kw_only=True)
class JobQueueConfig:
    """How many jobs may wait and be kept in all, how many a visitor may have, and for how long."""

    most_waiting: int
    most_in_all: int
    most_a_session: int
    keep_seconds: float


class JobQueue:
    """All jobs, and the thread that does them; may be used by several threads."""

    def __init__(
        self,
        config: JobQueueConfig,
        sessions: Sessions,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without a job; the thread starts with the first one."""
        self._config, self._sessions, self._clock = config, sessions, clock
        self._change = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._waiting: list[Job] = []
        self._arriving: dict[object, Session] = {}
        self._worker: threading.Thread | None = None
        self._closing = False

    def counts(self) -> dict[str, int]:
        """Return how many jobs come in, wait and run."""
        with self._change:
            running = sum(job.state == "running" for job in self._jobs.values())
            arriving = len(self._arriving)
            return {"arriving": arriving, "queued": len(self._waiting), "running": running}

    @contextmanager
    def receive(self, session: Session) -> Iterator[object]:
        """Keep a place in the queue while a visitor's upload comes in.

        Yields:
          The place, for `submit`; without that it is free again at the end of the block.

        Raises:
          Refusal: the queue is full, or the visitor has as many jobs as one may.
        """
        place = object()
        with self._change:
            self._check_room(session)
            self._arriving[place] = session
        try:
            yield place
        finally:
            with self._change:
                self._arriving.pop(place, None)

    def _check_room(self, session: Session) -> None:
        config, arriving = self._config, list(self._arriving.values())
        if self._closing or len(self._waiting) + len(arriving) >= config.most_waiting:
            raise Refusal(
                429, "queue_full", f"{config.most_waiting} others wait already; try again later"
            )
        if len(self._jobs) + len(arriving) >= config.most_in_all:
            raise Refusal(429, "queue_full", "there is no room for more results; try again later")
        if len(self.of(session)) + arriving.count(session) >= config.most_a_session:
            raise Refusal(
                429,
                "too_many_jobs",
                f"jobs: expected at most {config.most_a_session}; remove one first",
            )

    def submit(self, job: Job, *, place: object) -> None:
        """Put a job at the end of the queue.

        Args:
          job: a new one.
          place: that `receive` kept for it.

        Raises:
          Refusal: the server is ending.
        """
        with self._change:
            del self._arriving[place]  # so there is room, unless the server is ending
            self._check_room(job.session)
            self._jobs[job.id] = job
            self._waiting.append(job)
            self._sessions.hold(job.session, 1)
            if self._worker is None:
                self._worker = threading.Thread(
                    target=self._run, name="stylizer-web-jobs", daemon=True
                )
                self._worker.start()
            self._change.notify_all()
        log_event(_log, "job_queued", job=job.id, kind=job.kind)

    def of(self, session: Session | None) -> list[Job]:
        """Return a visitor's jobs, oldest first."""
        with self._change:
            return [job for job in self._jobs.values() if job.session is session]

    def find(self, session: Session | None, id: str) -> Job:
        """Return a visitor's job.

        Raises:
          Refusal: there is no such job, or it is another's.
        """
        job = self._jobs.get(id)
        if job is None or job.session is not session:
            raise Refusal(404, "no_job", "there is no such job; it may have been removed by now")
        return job

    def describe(self, job: Job) -> dict[str, Any]:
        """Describe a job, with its place in the queue."""
        with self._change:
            place = self._waiting.index(job) + 1 if job in self._waiting else 0
            return job.as_json(place)

    def cancel(self, job: Job) -> None:
        """Stop a job, at once if it waits, else soon; one that has ended stays as it is."""
        job.stop.set()
        with self._change:
            if job not in self._waiting:
                return
            self._waiting.remove(job)
        self._end(job, "cancelled", "")

    def remove(self, job: Job) -> None:
        """Cancel a job if it has not ended, and forget it with all its files."""
        self.cancel(job)
        with self._change:
            self._jobs.pop(job.id, None)
            ended = job.ended is not None
        if ended:  # else the worker removes what it still writes to
            shutil.rmtree(job.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Forget jobs that ended long ago."""
        oldest = self._clock() - self._config.keep_seconds
        with self._change:
            old = [job for job in self._jobs.values() if (job.ended or oldest) < oldest]
        for job in old:
            log_event(_log, "job_removed", job=job.id)
            self.remove(job)

    def close(self) -> None:
        """Cancel all jobs, take no more, and wait for the one that runs."""
        with self._change:
            self._closing = True
            jobs, worker = list(self._jobs.values()), self._worker
            self._change.notify_all()
        for job in jobs:
            self.cancel(job)
        if worker is not None:
            worker.join(_END_SECONDS)

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._closing)
                if self._closing:
                    return
                job = self._waiting.pop(0)
                job.state = "running"
            self._do(job)

    def _do(self, job: Job) -> None:
        began = self._clock()
        state: JobState = "failed"
        message = ""
        try:
            job.check()
            job.result = job.work(job)
            state, message = "done", job.message
            job.progress = 1.0
        except Cancelled:
            state = "cancelled"
        except Refusal as refusal:
            message = refusal.message
        except StylizerError as error:
            if job.stop.is_set():
                state = "cancelled"
            message = str(error).replace(str(job.folder / UPLOAD), job.name)
            message = message.replace(f"{job.folder}{os.sep}", "")
        except Exception:
            _log.exception("job failed")
            message = "the server made a mistake; its log says which"
        self._end(job, state, message, seconds=round(self._clock() - began, 2))

    def _end(self, job: Job, state: JobState, message: str, *, seconds: float = 0.0) -> None:
        kept = None if job.result is None else job.result.name
        with self._change:
            with suppress(OSError):  # someone clears the cache at the same time
                for path in job.folder.iterdir():
                    if path.name != kept:
                        path.unlink()
            job.message, job.seconds_left = message, None
            job.state, job.ended = state, self._clock()
            forgotten = job.id not in self._jobs
        self._sessions.hold(job.session, -1)
        log_event(_log, f"job_{state}", job=job.id, kind=job.kind, seconds=seconds)
        if forgotten or kept is None:
            shutil.rmtree(job.folder, ignore_errors=True)
