"""The queue of photos and videos: lanes that do not wait for each other, fair shares in each."""

from __future__ import annotations

import logging
import shutil
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from operator import attrgetter
from pathlib import Path
from typing import Any

from stylizer.errors import StylizerError
from stylizer.io.isolated import Stopped
from stylizer.web.config import WebConfig
from stylizer.web.errors import ApiError
from stylizer.web.events import log_event
from stylizer.web.job import Cancelled, Job, JobState, Lane
from stylizer.web.sessions import Session, Sessions

__all__ = ["JobQueue"]

_log = logging.getLogger(__name__)

_MOST_JOBS = 400
"""Jobs that are kept in all, with what was made: sessions are free, and the disk is not."""

_END_SECONDS = 20.0
"""How long the end of the server waits for a job to heed that it is to stop."""

_MADE_ROOM = "Others came who had nothing in the queue yet. Send it again later."


class JobQueue:
    """All jobs, and a thread for each lane that does them; may be used by several threads.

    In a lane it is the turn of the visitor who was served longest ago. Where the queue is full, a
    visitor who has less in it takes the place of the newest job of the one who has most.

    Attributes:
      on_change: called with a job that was taken in, has begun or has ended.
    """

    on_change: Callable[[Job], None]

    def __init__(
        self,
        config: WebConfig,
        sessions: Sessions,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without a job; a lane's thread starts with its first one.

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
        self._workers: dict[Lane, threading.Thread] = {}
        self._served: dict[tuple[Lane, str], int] = {}
        self._closing = False
        self.on_change = lambda job: None

    def __len__(self) -> int:
        """How many jobs there are, those that have ended too."""
        return len(self._jobs)

    def counts(self) -> dict[str, int]:
        """Return how many jobs come in, wait and run."""
        with self._change:
            running = sum(job.state == "running" for job in self._jobs.values())
            arriving = len(self._arriving)
            return {"arriving": arriving, "queued": len(self._waiting), "running": running}

    @contextmanager
    def receive(self, session: Session) -> Iterator[object]:
        """Keep a place in the queue while a visitor's upload is looked at.

        Yields:
          The place, for `submit`; without that it is free again at the end of the block.

        Raises:
          ApiError: the queue is full of others, or the visitor has as many jobs as one may.
        """
        place = object()
        with self._change:
            gone = self._make_room(session)
            self._arriving[place] = session
        try:
            if gone is not None:
                self._end(gone, "failed", _MADE_ROOM)
            yield place
        finally:
            with self._change:
                self._arriving.pop(place, None)

    def _make_room(self, session: Session) -> Job | None:
        """Find room for one more; return a waiting job that is to go for that."""
        config, arriving = self._config, list(self._arriving.values())
        if self._closing:
            raise ApiError(429, "queue_full", "the server is ending; try again later")
        mine = arriving.count(session) + sum(
            job.session is session and job.ended is None for job in self._jobs.values()
        )
        if mine >= config.max_jobs:
            raise ApiError(
                429,
                "too_many_jobs",
                f"jobs: expected at most {config.max_jobs} that are not done; wait, or cancel one",
            )
        if len(self._waiting) + len(arriving) < config.max_queue:
            return None
        waiting = Counter(job.session.id for job in self._waiting)
        greedy, most = waiting.most_common(1)[0] if waiting else ("", 0)
        if most < waiting[session.id] + arriving.count(session) + 2:
            raise ApiError(
                429, "queue_full", f"{config.max_queue} jobs wait already; try again later"
            )
        newest = next(job for job in reversed(self._waiting) if job.session.id == greedy)
        self._waiting.remove(newest)
        return newest

    def submit(self, job: Job, *, place: object) -> None:
        """Put a job into the queue; where there are too many, those go that `_superfluous` names.

        Args:
          job: a new one.
          place: that `receive` kept for it.

        Raises:
          ApiError: the server is ending.
        """
        with self._change:
            del self._arriving[place]
            if self._closing:
                raise ApiError(429, "queue_full", "the server is ending; try again later")
            self._add(job)
        for old in self._superfluous(job.session):
            log_event(_log, "job_removed", job=old.id)
            self.remove(old)
        self.on_change(job)
        log_event(_log, "job_queued", job=job.id, kind=job.kind)

    def restore(self, job: Job) -> None:
        """Take in a job of a server before: one that has ended as it is, else it waits again."""
        with self._change:
            self._add(job)

    def _add(self, job: Job) -> None:
        self._jobs[job.id] = job
        job.session.jobs += 1
        if job.ended is not None:
            return
        self._waiting.append(job)
        self._sessions.hold(job.session, 1)
        if job.lane not in self._workers:
            self._workers[job.lane] = threading.Thread(
                target=self._run, args=(job.lane,), name=f"stylizer-web-{job.lane}", daemon=True
            )
            self._workers[job.lane].start()
        self._change.notify_all()

    def _superfluous(self, session: Session) -> list[Job]:
        """Return jobs that are too many, of a visitor or of all: first those of least worth.

        Of these, the oldest; what was never downloaded only where there is no room for it.
        """
        with self._change:
            mine = [job for job in self._jobs.values() if job.session is session]
            ended = [job for job in mine if job.ended is not None]
            ended.sort(key=attrgetter("worth"))
            found: list[Job] = []
            for job in ended[: max(0, len(mine) - self._config.max_jobs)]:
                if job.worth == 2 and self._has_room(ended[len(found) :]):
                    break
                found.append(job)
            if len(self._jobs) - len(found) > _MOST_JOBS:
                others = [job for job in self._jobs.values() if job.ended is not None]
                others = [job for job in others if job not in found]
                of = Counter(job.session.id for job in others)
                others.sort(key=lambda job: (job.worth > 0, -of[job.session.id], job.worth))
                found += others[:1]
            return found

    def _has_room(self, jobs: list[Job]) -> bool:
        """Say whether the results of some jobs may all be kept."""
        most, size = self._config.result_bytes, 0
        try:
            for job in jobs:
                size += 0 if job.result is None else job.result.stat().st_size
            return size <= most <= shutil.disk_usage(jobs[0].folder).free
        except OSError:  # someone has cleared the cache
            return False

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
            order = self._order(job.lane) if job in self._waiting else []
            return job.as_json(order.index(job) + 1 if order else 0)

    def _order(self, lane: Lane) -> list[Job]:
        """Return a lane's waiting jobs in turn: who was served longest ago comes first."""
        served = {id: turn for (of, id), turn in self._served.items() if of == lane}
        left = [job for job in self._waiting if job.lane == lane]
        order: list[Job] = []
        turn = max(self._served.values(), default=0)
        while left:
            chosen = min(left, key=lambda job: served.get(job.session.id, -1))
            left.remove(chosen)
            order.append(chosen)
            turn += 1
            served[chosen.session.id] = turn
        return order

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
            if self._jobs.pop(job.id, None) is not None:
                job.session.jobs -= 1
            ended = job.ended is not None
        if ended:  # else the worker removes what it still writes to
            shutil.rmtree(job.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Forget jobs that ended long ago, and those of visitors who are forgotten."""
        oldest = self._clock() - self._config.keep_seconds
        known = {id(session) for session in self._sessions.all()}
        with self._change:
            old = [
                job
                for job in self._jobs.values()
                if job.ended is not None and (job.ended < oldest or id(job.session) not in known)
            ]
            waits = {job.session.id for job in self._waiting}
            self._served = {key: turn for key, turn in self._served.items() if key[1] in waits}
        for job in old:
            log_event(_log, "job_removed", job=job.id)
            self.remove(job)

    def close(self) -> None:
        """Take no more, and stop what runs; all is left as it is, for the next server."""
        with self._change:
            self._closing = True
            workers = list(self._workers.values())
            for job in self._jobs.values():
                if job.ended is None:
                    job.goes_on = True
                    job.stop.set()
            self._change.notify_all()
        end = time.monotonic() + _END_SECONDS
        for worker in workers:
            worker.join(max(0.0, end - time.monotonic()))

    def _run(self, lane: Lane) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._closing or self._order(lane))
                if self._closing:
                    return
                job = self._order(lane)[0]
                self._waiting.remove(job)
                job.state = "running"
                turn = max(self._served.values(), default=0) + 1
                self._served[lane, job.session.id] = turn
            self._do(job)

    def _do(self, job: Job) -> None:
        began = self._clock()
        state: JobState = "failed"
        message = ""
        try:
            job.check()
            job.result = _work(job)
            state, message = "done", job.message
            job.progress = 1.0
        except (Cancelled, Stopped):
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
        if job.goes_on and state != "done":
            job.state = "queued"
            log_event(_log, "job_kept", job=job.id, kind=job.kind)
            return
        self._end(job, state, message, seconds=round(self._clock() - began, 2))

    def _end(self, job: Job, state: JobState, message: str, *, seconds: float = 0.0) -> None:
        kept = set() if job.result is None else {job.result.name}
        with self._change:
            with suppress(OSError):  # someone clears the cache at the same time
                for path in job.folder.iterdir():
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    elif path.name not in kept:
                        path.unlink()
            job.message, job.seconds_left = message, None
            job.ended = self._clock()
            forgotten = job.id not in self._jobs
        if forgotten or not kept:
            shutil.rmtree(job.folder, ignore_errors=True)
        else:
            self.on_change(job)
        job.state = state
        self._sessions.hold(job.session, -1)
        log_event(_log, f"job_{state}", job=job.id, kind=job.kind, seconds=seconds)


def _work(job: Job) -> Path:
    """Do a job; what it had loaded is let go, whatever ends it.

    An exception that went from one thread to another is kept by what it went through, and keeps all
    of that: networks with threads and memory of their own, until Python looks for cycles.
    """
    try:
        return job.work(job)
    except Exception as error:
        failed: BaseException | None = error
        while failed is not None:
            traceback.clear_frames(failed.__traceback__)
            failed = failed.__cause__ or failed.__context__
        raise
