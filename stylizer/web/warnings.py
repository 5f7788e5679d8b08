"""What the library warns of while a job is done, for the visitor whose job it is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from stylizer.web.job import Job

__all__ = ["hear_warnings"]

_FILES = logging.getLogger("stylizer.io")
"""Tells what of a file cannot be read, or is left out."""

_OTHERS = ("stylizer-web-", "WSGI")

_MOST = 20


@contextmanager
def hear_warnings(job: Job) -> Iterator[None]:
    """Keep for a job what is warned of in the block.

    What the threads of other lanes and of requests say is not of it; those that a run starts are.
    """
    ear = _Ear(job)
    _FILES.addHandler(ear)
    try:
        yield
    finally:
        _FILES.removeHandler(ear)


class _Ear(logging.Handler):
    def __init__(self, job: Job) -> None:
        super().__init__(logging.WARNING)
        self._job, self._thread = job, threading.current_thread().name

    def emit(self, record: logging.LogRecord) -> None:
        thread = record.threadName or ""
        if thread != self._thread and thread.startswith(_OTHERS):
            return
        if len(self._job.warnings) < _MOST:
            self._job.warnings.append(self._job.hide_paths(record.getMessage()))
