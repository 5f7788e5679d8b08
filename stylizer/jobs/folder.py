"""A job's folder, beside its output: all that is kept of a job while it is unfinished.

::

    out.mp4.parts/
      job.json        what the job is: `JobRecord`
      00000240.mp4    the frames from 240 on, if the job encodes them,
      00000240.json   and this, which is written last and says that they are whole: `Segment`
      00000480.npz    what the stylizer remembered before frame 480
      lock            held by the process that works on the job

Each file appears whole. What the stylizer remembered is kept for the newest segment, and where a
shot begins, as little is to be remembered there: so the folder grows by little more than the
encoded frames.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from stylizer.base import Managed
from stylizer.errors import ConfigError, SinkError
from stylizer.io.files import reason
from stylizer.jobs.facts import changes
from stylizer.jobs.parts import Parts
from stylizer.jobs.records import (
    RECORD,
    JobRecord,
    parts_folder,
    read_record,
    write_record,
)

__all__ = ["JobFolder", "is_busy", "remove_job"]

_LOCK = "lock"
_OURS = re.compile(r"\.?(\d{8,}|job)\..*|\..+\.tmp(\.[a-z0-9]+)*")
"""Names of what a job puts into its folder, beside the two above."""


class JobFolder(Parts, Managed):
    """An open job; the end of its ``with`` block lets go of it.

    Attributes:
      record: what the job is.
    """

    def __init__(self, output: Path, record: JobRecord, *, restart: bool = False) -> None:
        """Go on with the job that there is, or begin one.

        Args:
          output: what it makes.
          record: what it is; a job that is there already keeps its own.
          restart: begin anew, whatever there is.

        Raises:
          ConfigError: the job that is there has other facts.
          SinkError: someone works on it, or the folder cannot be made, or is no job's.
        """
        super().__init__(parts_folder(output), first=record.first)
        self._lock: IO[bytes] | None = None
        self.record = record
        try:
            self.path.mkdir(exist_ok=True)
            self._lock = _take(self.path)
            self._open(record, restart=restart)
        except OSError as error:
            self.close()
            raise SinkError(f"{self.path}: cannot be made ({reason(error)})") from error
        except BaseException:
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether it was neither closed nor removed."""
        return self._lock is not None

    def update(self, **values: Any) -> None:
        """Change the record.

        Raises:
          SinkError: it cannot be written.
        """
        self.record = replace(self.record, **values)
        write_record(self.path, self.record)

    def reopen(self, missing: Collection[int]) -> None:
        """Take segments for unfinished of which a frame is missing all the same.

        Args:
          missing: indices of pictures that were removed after they had been painted, among others.
        """
        for path in self.path.glob("[0-9]*.json"):
            segment = self.read_segment(int(path.stem))
            if segment is not None and any(segment.first <= one < segment.end for one in missing):
                path.unlink()
        self.find_finished(restored=not self.record.divided)

    def empty(self) -> None:
        """Remove what was kept of the frames; the record stays."""
        for path in _files(self.path):
            path.unlink(missing_ok=True)
        self.find_finished()

    def remove(self) -> None:
        """Remove the folder with all that the job put into it, and let go of it."""
        _remove_files(self.path)
        self.close()
        with suppress(OSError):  # someone else put something there
            self.path.rmdir()

    def close(self) -> None:
        """Let go of the job; closing twice does no harm."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _open(self, record: JobRecord, *, restart: bool) -> None:
        there = _read(self.path, restart=restart)
        strange = [path for path in self.path.iterdir() if not _is_ours(path)]
        if strange and there is None:
            raise SinkError(
                f"{self.path}: exists, and is no folder of a job ({strange[0].name} is in it); "
                "move it away, or choose another output"
            )
        if there is None or restart:
            for path in _files(self.path):
                path.unlink()
            self.update()
            return
        different = changes(there.facts, record.facts)
        if different:
            raise ConfigError(
                f"{self.path} holds an unfinished job: {'; '.join(different)}. Give the same "
                "again to go on, or --restart to begin anew"
            )
        self.record = replace(there, arguments=record.arguments, directory=record.directory)
        self.find_finished(restored=not self.record.divided)
        self._clean()

    def _clean(self) -> None:
        """Remove what is of no use."""
        kept = {RECORD, _LOCK}
        for path in self.path.glob("[0-9]*.json"):
            segment = self.read_segment(int(path.stem))
            if segment is None:
                continue
            kept |= {path.name, self.file(segment.first).name}
            kept |= {self.state(segment.first).name, self.state(segment.end).name}
        for path in _files(self.path):
            if path.name not in kept:
                path.unlink()


def _read(folder: Path, *, restart: bool) -> JobRecord | None:
    try:
        return read_record(folder)
    except SinkError:
        if not restart:
            raise
        return None


def is_busy(folder: Path) -> bool:
    """Whether a process works on the job in a folder."""
    try:
        _take(folder).close()
    except SinkError:
        return True
    except OSError:  # a folder that cannot be written: nobody can work on it
        return False
    return False


def remove_job(folder: Path) -> None:
    """Remove the folder of a job with all that the job put into it.

    Raises:
      SinkError: a process works on the job, or the folder cannot be removed.
    """
    try:
        with _take(folder):
            _remove_files(folder)
    except OSError as error:
        raise SinkError(f"{folder}: cannot be removed ({error.strerror})") from error
    with suppress(OSError):  # someone else put something there
        folder.rmdir()


def _take(folder: Path) -> IO[bytes]:
    """Lock a job's folder; the lock goes with the process, however that ends.

    Raises:
      SinkError: another process has it.
      OSError: it cannot be locked.
    """
    lock = (folder / _LOCK).open("ab")
    if sys.platform == "win32":
        return lock
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have removed the folder's files meanwhile, and someone else begun.
        held = os.path.samestat(os.fstat(lock.fileno()), (folder / _LOCK).stat())
    except (BlockingIOError, FileNotFoundError):
        held = False
    except BaseException:
        lock.close()
        raise
    if not held:
        lock.close()
        raise SinkError(f"{folder}: another process works on this job; wait for it, or end it")
    return lock


def _remove_files(folder: Path) -> None:
    """Remove what a job put into its folder; the record after the files that it tells of."""
    for path in (*_files(folder), folder / RECORD, folder / _LOCK):
        path.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    """Return what a job put into its folder, but for record and lock."""
    kept = (RECORD, _LOCK)
    return [path for path in folder.iterdir() if _is_ours(path) and path.name not in kept]


def _is_ours(path: Path) -> bool:
    return path.name == _LOCK or (_OURS.fullmatch(path.name) is not None and path.is_file())
