"""Work that would stall the picture, done in a thread beside the loop; the latest wish wins."""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from collections.abc import Callable

from stylizer.errors import StylizerError

__all__ = ["LatestTask"]

_log = logging.getLogger(__name__)

_PATIENCE = 5.0
"""Seconds for which the end of the program waits for a job."""

_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@atexit.register
def _finish() -> None:
    """Wait for jobs: a network that is compiled while the interpreter goes aborts the process."""
    for thread in list(_threads):
        thread.join(_PATIENCE)


class LatestTask:
    """Runs one job at a time; of those that come meanwhile, only the last is kept."""

    def __init__(self, name: str) -> None:
        """Name the thread; it is started when there is something to do, and ends after that."""
        self._name = name
        self._lock = threading.Lock()
        self._next: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None
        self._error: str | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is running or waiting."""
        return self._thread is not None

    def submit(self, job: Callable[[], None]) -> None:
        """Have a job done soon, in place of any that has not yet begun.

        A `StylizerError` of the job is kept for `error`, any other exception for `check`.
        """
        with self._lock:
            self._next = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                _threads.add(self._thread)
                self._thread.start()

    def error(self) -> str | None:
        """Return once why a job could not be done; None when all went well."""
        with self._lock:
            told, self._error = self._error, None
        return told

    def check(self) -> None:
        """Raise what a job raised by mistake, so that it does not end in silence."""
        with self._lock:
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _work(self) -> None:
        while True:
            with self._lock:
                job, self._next = self._next, None
                if job is None:
                    self._thread = None
                    return
            try:
                job()
            except StylizerError as error:
                _log.warning("%s", error)
                with self._lock:
                    self._error = str(error)
            except Exception as error:
                with self._lock:
                    self._failure = error
