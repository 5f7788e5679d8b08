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

import json
import re
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from stylizer.base import Managed
from stylizer.errors import ConfigError, SinkError
from stylizer.jobs.facts import changes, file_digest
from stylizer.jobs.records import (
    RECORD,
    JobRecord,
    Segment,
    parts_folder,
    read_checkpoint,
    read_record,
    write_checkpoint,
    write_json,
    write_record,
)
from stylizer.pipeline import Checkpoint

__all__ = ["JobFolder", "is_busy", "remove_job"]

_LOCK = "lock"
_OURS = re.compile(r"\.?(\d{8,}|job)\..*|\..+\.tmp(\.[a-z0-9]+)*")
"""Names of what a job puts into its folder, beside the two above."""


class JobFolder(Managed):
    """An open job; the end of its ``with`` block lets go of it.

    Attributes:
      path: the folder.
      record: what the job is.
      checkpoint: where to go on; None for the beginning.
      segments: those that are finished, in order, up to there.
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
        self.path = parts_folder(output)
        self._lock: IO[bytes] | None = None
        self.record = record
        self.segments: list[Segment] = []
        self.checkpoint: Checkpoint | None = None
        try:
            self.path.mkdir(exist_ok=True)
            self._lock = _take(self.path)
            self._open(record, restart=restart)
        except OSError as error:
            self.close()
            raise SinkError(f"{self.path}: cannot be made ({error.strerror})") from error
        except BaseException:
            self.close()
            raise

    @property
    def done(self) -> int:
        """How many frames are finished."""
        return sum(segment.frames for segment in self.segments)

    @property
    def next(self) -> int:
        """The index of the first frame that is missing."""
        return self.segments[-1].end if self.segments else 0

    @property
    def whole(self) -> bool:
        """Whether all frames are finished."""
        return bool(self.segments) and self.segments[-1].last

    def file(self, first: int) -> Path:
        """Return the path of a segment's file."""
        return self.path / f"{first:08}.mp4"

    def commit(self, segment: Segment, checkpoint: Checkpoint | None) -> None:
        """Note that a segment is finished; its file has its place already.

        Args:
          segment: the one after the last.
          checkpoint: made before the next one; None after the last.

        Raises:
          SinkError: it cannot be written.
        """
        if checkpoint is not None:
            write_checkpoint(self._state(checkpoint.index), checkpoint)
        write_json(self.path / f"{segment.first:08}.json", asdict(segment))
        self.segments.append(segment)
        before, self.checkpoint = self.checkpoint, checkpoint
        if before is not None and not before.begins_shot:
            self._state(before.index).unlink(missing_ok=True)

    def update(self, **values: Any) -> None:
        """Change the record.

        Raises:
          SinkError: it cannot be written.
        """
        self.record = replace(self.record, **values)
        write_record(self.path, self.record)

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
        self._find_finished()

    def _find_finished(self) -> None:
        """Find the segments that can be gone on from, and remove what is beyond them."""
        found: list[Segment] = []
        while (segment := self._read_segment(found[-1].end if found else 0)) is not None:
            found.append(segment)
            if segment.last:
                break
        while found and not found[-1].last:
            self.checkpoint = read_checkpoint(self._state(found[-1].end))
            if self.checkpoint is not None:
                break
            found.pop()
        self.segments = found
        kept = {self._state(self.next)} if found else set()
        for segment in found:
            kept |= {self.path / f"{segment.first:08}.json", self.file(segment.first)}
            kept.add(self._state(segment.first))
        for path in _files(self.path):
            if path not in kept:
                path.unlink()

    def _read_segment(self, first: int) -> Segment | None:
        try:
            text = (self.path / f"{first:08}.json").read_text(encoding="utf-8")
            segment = Segment(**json.loads(text))
            whole = segment.sha256 is None or file_digest(self.file(first)) == segment.sha256
        except (OSError, ValueError, TypeError):
            return None
        return segment if whole and segment.first == first and segment.end > first else None

    def _state(self, index: int) -> Path:
        return self.path / f"{index:08}.npz"


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
    return False


def remove_job(folder: Path) -> None:
    """Remove the folder of a job with all that the job put into it.

    Raises:
      SinkError: a process works on the job, or the folder cannot be removed.
    """
    with _take(folder):
        try:
            _remove_files(folder)
        except OSError as error:
            raise SinkError(f"{folder}: cannot be removed ({error.strerror})") from error
    with suppress(OSError):  # someone else put something there
        folder.rmdir()


def _take(folder: Path) -> IO[bytes]:
    """Lock a job's folder; the lock goes with the process, however that ends."""
    lock = (folder / _LOCK).open("ab")
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise SinkError(
                f"{folder}: another process works on this job; wait for it, or end it"
            ) from error
    return lock


def _remove_files(folder: Path) -> None:
    """Remove what a job put into its folder: the record first, as without it there is no job."""
    for path in (folder / RECORD, *_files(folder), folder / _LOCK):
        path.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    """Return what a job put into its folder, but for record and lock."""
    kept = (RECORD, _LOCK)
    return [path for path in folder.iterdir() if _is_ours(path) and path.name not in kept]


def _is_ours(path: Path) -> bool:
    return path.name == _LOCK or (_OURS.fullmatch(path.name) is not None and path.is_file())
