"""``stylizer jobs``: what is unfinished, and how to go on with it or be rid of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stylizer.errors import ConfigError, SinkError, StylizerError
from stylizer.jobs.folder import is_busy, remove_job
from stylizer.jobs.known import forget_job, known_jobs
from stylizer.jobs.records import (
    RECORD,
    JobRecord,
    count_finished,
    parts_folder,
    read_record,
    wrote,
)

from ..console.terminal import INTERRUPTED, say, say_error
from ..options.shared import SpeechOptions
from ..options.spread import spread

__all__ = ["jobs"]

_WIDE = 10_000
"""Columns of the list: a path in two lines, or with an ellipsis, could not be copied."""

_PROGRAM = "import sys; from stylizer.apps.cli import run; run()"


@spread
def jobs(
    speech: SpeechOptions,
    action: Annotated[
        Literal["list", "resume", "remove"],
        typer.Argument(metavar="[list|resume|remove]", help="What to do."),
    ] = "list",
    which: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WHICH]...",
            help="Outputs, or numbers of the list. resume: all if none is given.",
        ),
    ] = None,
) -> None:
    """List unfinished videos and folders, go on with them, or remove what is kept of them.

    A video that is listed as painted is one of several that --overwrite paints, and waits for them.

    **Examples**

    `stylizer jobs`

    `stylizer jobs resume out.mp4`

    `stylizer jobs remove 2`
    """
    known = known_jobs()
    if action == "list":
        Console(width=_WIDE).print(_table(known) if known else "nothing is unfinished")
        return
    if action == "remove" and not which:
        raise ConfigError("remove: expected an output or a number of the list; `stylizer jobs`")
    chosen = [_find(text, known) for text in which] if which else known
    if not chosen:
        say("nothing is unfinished")
    if action == "resume":
        _resume_all(chosen, quiet=speech.quiet)
        return
    for folder in chosen:
        remove_job(folder)
        forget_job(folder)
        say(f"{folder}: removed")


def _find(text: str, known: Sequence[Path]) -> Path:
    """Return the job's folder that a user means.

    Raises:
      ConfigError: there is none.
    """
    if text.isdecimal() and 1 <= int(text) <= len(known):
        return known[int(text) - 1]
    path = Path(text).absolute()
    for folder in (path, parts_folder(path)):
        if (folder / RECORD).is_file():
            return folder
    raise ConfigError(f"{text}: no unfinished job; `stylizer jobs` lists those that there are")


def _read(folder: Path) -> JobRecord:
    record = read_record(folder)
    if record is None:
        raise SinkError(f"{folder}: no unfinished job is there any more")
    return record


def _resume_all(folders: Sequence[Path], *, quiet: bool) -> None:
    """Go on with jobs, one after the other; those after one that fails are gone on with, too.

    Raises:
      StylizerError: several were to be gone on with, and not all are finished; names those.
      ConfigError, SinkError: as `_resume` says, where it is the only one.
      typer.Exit: the only one's command failed, or Ctrl-C ended one.
    """
    failed: list[Path] = []
    for number, folder in enumerate(folders):
        if number and not (folder / RECORD).exists():
            continue  # finished by the command of one before: videos that go into one folder
        try:
            code = _resume(folder, quiet=quiet)
        except StylizerError as error:
            if len(folders) == 1:
                raise
            say_error(str(error))
            code = 1
        if code == INTERRUPTED or (code and len(folders) == 1):
            raise typer.Exit(code)
        if code:
            failed.append(folder)
    if failed:
        outputs = ", ".join(map(_output, failed))
        raise StylizerError(f"{len(failed)} of {len(folders)} jobs are not finished: {outputs}")


def _resume(folder: Path, *, quiet: bool) -> int:
    """Give the job's command again, in its own folder, and return its exit code.

    Raises:
      ConfigError: it is not known, or the folder that it was given in is gone.
      SinkError: another process works on it.
    """
    record = _read(folder)
    if is_busy(folder):
        raise SinkError(f"{folder}: another process works on this job; wait for it, or end it")
    if not record.arguments:
        raise ConfigError(f"{folder}: was not begun by a command; begin it again as it was")
    if not Path(record.directory).is_dir():
        raise ConfigError(
            f"{folder}: {record.directory}, where it was begun, is not there any more"
        )
    if not quiet:
        say(f"stylizer {' '.join(record.arguments)}")
    command = [sys.executable, "-c", _PROGRAM, *record.arguments]
    with subprocess.Popen(command, cwd=record.directory) as process:
        while process.returncode is None:
            try:
                process.wait()
            except KeyboardInterrupt:  # it heard it too, and ends in good order
                continue
    return process.returncode


def _output(folder: Path) -> str:
    """Return what a job makes, by its folder's name: its record may not be readable."""
    return str(folder).removesuffix(".parts")


def _table(folders: Sequence[Path]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("", "frames", "worked", "left", "disk", "output", "state"):
        table.add_column(name)
    for number, folder in enumerate(folders, start=1):
        try:
            record = _read(folder)
        except SinkError as error:
            told = str(error).partition(": ")[2]
            table.add_row(str(number), "", "", "", "", escape(_output(folder)), escape(told))
            continue
        frames, seconds = count_finished(folder)
        left = None
        done = record.finished is not None and wrote(Path(record.output))
        frames = record.finished or 0 if done else frames
        if record.total and frames and not done:
            left = seconds / frames * max(0, record.total - frames)
        size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
        table.add_row(
            str(number),
            f"{frames} of {record.total or 'unknown'}",
            _duration(seconds),
            "" if left is None else f"about {_duration(left)}",
            f"{size / 1e6:.1f} MB",
            escape(record.output),
            "running" if is_busy(folder) else "painted" if done else "unfinished",
        )
    return table


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
