"""What is written in a job's folder: the job, its finished segments, and what was remembered."""

from __future__ import annotations

import hashlib
import json
import os
import time
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from stylizer.errors import SinkError
from stylizer.io.atomic import temporary_path
from stylizer.io.files import reason, shorten
from stylizer.jobs.facts import Facts
from stylizer.pipeline import Checkpoint

__all__ = [
    "RECORD",
    "JobRecord",
    "Segment",
    "count_finished",
    "parts_folder",
    "read_checkpoint",
    "read_record",
    "stat_of",
    "write_checkpoint",
    "write_json",
    "write_record",
    "wrote",
]

RECORD = "job.json"
"""The name of the file that says what job a folder is of."""

_FORMAT = 3


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """What a job is.

    Attributes:
      output: the absolute path of what it makes.
      facts: what must be the same when it is gone on with.
      first: index of the first frame, of a part of a source.
      total: frames that the source announces; None when it does not know.
      pending: runs of frames that are to be painted, as (first, end); None for all.
      arguments: of the command, without the program's name.
      directory: that the command was given in.
      divided: whether it is painted in stretches, and not from beginning to end.
      lead_in: of stretches; see `stylizer.jobs.stretches.find_stretches`.
      began: seconds since 1970.
      finished: how many frames the output has, once it has all; the folder goes then.
      written: bytes and time (ns) of the output that it has written; None for none.
    """

    output: str
    facts: Facts
    first: int = 0
    total: int | None = None
    pending: Sequence[Sequence[int]] | None = None
    arguments: Sequence[str] = ()
    directory: str = ""
    divided: bool = False
    lead_in: int | None = None
    began: float = field(default_factory=time.time)
    finished: int | None = None
    written: Sequence[int] | None = None


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A run of frames that are finished.

    Attributes:
      first: the index of the first frame.
      frames: how many there are.
      end: the index of the frame that comes next.
      last: whether the source ends with it.
      sha256: of its file; None if it has none.
      seconds: that it took.
    """

    first: int
    frames: int
    end: int
    last: bool = False
    sha256: str | None = None
    seconds: float = 0.0


def parts_folder(output: Path) -> Path:
    """Return where the folder of a job with this output is: ``out.mp4.parts``."""
    output = output.absolute()
    short = shorten(output.name, rest=len(".parts"))
    if short != output.name:  # so that two long names do not become one
        mark = hashlib.sha256(os.fsencode(output.name)).hexdigest()[:8]
        short = f"{shorten(output.name, rest=len(f'-{mark}.parts'))}-{mark}"
    return output.with_name(f"{short}.parts")


def read_record(folder: Path) -> JobRecord | None:
    """Return what job a folder is of; None if it is no job's.

    Raises:
      SinkError: it cannot be read.
    """
    path = folder / RECORD
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise SinkError(f"{path}: cannot be read ({error}); --restart begins anew") from error
    known = {field.name for field in fields(JobRecord)}
    if not isinstance(values, dict) or values.pop("format", None) != _FORMAT:
        raise SinkError(f"{path}: written by another version; --restart begins anew")
    try:
        return JobRecord(**{key: value for key, value in values.items() if key in known})
    except TypeError as error:
        raise SinkError(f"{path}: is not whole ({error}); --restart begins anew") from error


def count_finished(folder: Path) -> tuple[int, float]:
    """Return how many frames of the job in a folder are finished, and the seconds they took.

    By its own account: whether the files are still whole is found when it is gone on with.
    """
    frames, seconds = 0, 0.0
    for path in folder.glob("[0-9]*.json"):
        with suppress(OSError, ValueError, TypeError):
            segment = Segment(**json.loads(path.read_text(encoding="utf-8")))
            frames, seconds = frames + segment.frames, seconds + segment.seconds
    return frames, seconds


def stat_of(path: Path) -> tuple[int, int] | None:
    """Return bytes and time of change (ns) of a file; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def wrote(output: Path) -> bool:
    """Whether the file at ``output`` is what an unfinished job has written there."""
    try:
        record = read_record(parts_folder(output))
    except SinkError:
        return False
    written = None if record is None else record.written
    return written is not None and tuple(written) == stat_of(output)


def write_record(folder: Path, record: JobRecord) -> None:
    """Write what job a folder is of.

    Raises:
      SinkError: it cannot be written.
    """
    write_json(folder / RECORD, {"format": _FORMAT, **asdict(record)})


def write_json(path: Path, values: Any) -> None:
    """Write plain values as JSON; the file appears whole.

    Raises:
      SinkError: it cannot be written.
    """
    with temporary_path(path, overwrite=True) as temporary:
        _write(temporary, json.dumps(values, indent=1, ensure_ascii=False).encode())


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({reason(error)})") from error


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write what all parts of a stylizer remember; the file appears whole.

    Raises:
      SinkError: it cannot be written.
    """
    arrays: dict[str, Any] = {
        f"{part}/{name}": value
        for part, state in checkpoint.states.items()
        for name, value in state.items()
    }
    begins = np.array(checkpoint.begins_shot)
    with temporary_path(path, overwrite=True) as temporary:
        try:
            with temporary.open("wb") as file:
                np.savez(file, index=np.array(checkpoint.index), begins_shot=begins, **arrays)
        except OSError as error:
            raise SinkError(f"{path}: cannot be written ({reason(error)})") from error


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return what `write_checkpoint` wrote; None if it is missing or damaged."""
    states: dict[str, dict[str, Any]] = {}
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        index, begins = int(arrays.pop("index")), bool(arrays.pop("begins_shot"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    for name, value in arrays.items():
        part, _, entry = name.partition("/")
        states.setdefault(part, {})[entry] = value
    return Checkpoint(index, begins, dict(states))
