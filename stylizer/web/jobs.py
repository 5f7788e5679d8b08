"""Photos and videos that are painted one after the other, in a thread of their own."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stylizer.errors import StylizerError
from stylizer.web.config import WebConfig
from stylizer.web.errors import ApiError
from stylizer.web.events import log_event
from stylizer.web.sessions import Session, Sessions

__all__ = ["UPLOAD", "Cancelled", "Job", "JobQueue", "JobState", "Work"]

_log = logging.getLogger(__name__)

_MOST_JOBS = 64
"""Jobs that are kept in all, with what was made: sessions are free, and the disk is not."""

_END_SECONDS = 20.0
"""How long the end of the server waits for a job to heed that it is cancelled."""

UPLOAD = "content"
"""The upload's name in a job's folder; it never has the name that its sender gave it."""

JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class Cancelled(Exception):
    """The job at hand is to stop."""


@dataclass(kw_only=True, eq=False)
class Job:
    """One photo or video. The worker's thread writes to it, others read.

    Attributes:
      kind: of what is painted.
      name: for people, and for the download.
      session: whose it is.
      folder: holds the upload, and then the result; removed with the job.
      work: paints, and returns the result's path; it calls `check` often, and reports here.
      id: random.
      state: queued, running, or how it ended.
      progress: 0 to 1.
      seconds_left: as well as is known; None if it is not.
      losses: iteration and total loss, of an optimized photo.
      message: for people.
      warnings: what is not as in the upload, a line each.
      preview: a small JPEG of the result, or of how far it is.
      result: path of the result, once it is done.
      ended: when, by the queue's clock.
    """

    kind: Literal["photo", "video"]
    name: str
    session: Session
    folder: Path
    work: Work
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    state: JobState = "queued"
    progress: float = 0.0
    seconds_left: float | None = None
    losses: list[tuple[int, float]] = field(default_factory=list)
    message: str = ""
    warnings: list[str] = field(default_factory=list)
    preview: bytes | None = None
    result: Path | None = None
    ended: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def hide_paths(self, text: str) -> str:
        """Return a message without the server's own paths: the upload has its sender's name."""
        text = text.replace(str(self.folder / UPLOAD), self.name)
        return text.replace(f"{self.folder}{os.sep}", "")

    def check(self) -> None:
        """Go on only if the job is still wanted.

        Raises:
          Cancelled: it is not.
        """
        if self.stop.is_set():
            raise Cancelled

    def as_json(self, place: int) -> dict[str, Any]:
        """Describe the job.

        Args:
          place: in the queue, from 1; 0 for a job that does not wait.
        """
        address = f"/api/jobs/{self.id}"
        return {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            "place": place,
            "progress": round(self.progress, 4),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left, 1),
            "losses": list(self.losses),
            "message": self.message,
            "warnings": list(self.warnings),
            "result": f"{address}/result" if self.result is not None else None,
            "preview": f"{address}/preview" if self.preview is not None else None,
        }


Work = Callable[[Job], Path]


class JobQueue:
    """All jobs, and the thread that does them; may be used by several threads."""

    def __init__(
        self,
        config: WebConfig,
        sessions: Sessions,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without a job; the thread starts with the first one.

        Args:
          config: says how many jobs may wait, how many a visitor may have, and for how long.
          sessions: the visitors.
          clock: seconds; another one for tests.
        """
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
          ApiError: the queue is full, or the visitor has as many jobs as one may.
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
        if self._closing or len(self._waiting) + len(arriving) >= config.max_queue:
            raise ApiError(
                429, "queue_full", f"{config.max_queue} others wait already; try again later"
            )
        if len(self._jobs) + len(arriving) >= _MOST_JOBS:
            raise ApiError(429, "queue_full", "there is no room for more results; try again later")
        if len(self.of(session)) + arriving.count(session) >= config.max_jobs:
            raise ApiError(
                429,
                "too_many_jobs",
                f"jobs: expected at most {config.max_jobs}; remove one first",
            )

    def submit(self, job: Job, *, place: object) -> None:
        """Put a job at the end of the queue.

        Args:
          job: a new one.
          place: that `receive` kept for it.

        Raises:
          ApiError: the server is ending.
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
          ApiError: there is no such job, or it is another's.
        """
        job = self._jobs.get(id)
        if job is None or job.session is not session:
            raise ApiError(404, "no_job", "there is no such job; it may have been removed by now")
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
        except ApiError as error:
            message = error.message
        except StylizerError as error:
            if job.stop.is_set():
                state = "cancelled"
            message = job.hide_paths(str(error))
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
