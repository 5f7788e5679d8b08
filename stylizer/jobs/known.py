"""Which jobs are unfinished on this machine: a list of their folders, in the user's state folder.

The list is a convenience: a job needs nothing but its own folder. Each job is a file of its own, so
that processes do not get in each other's way.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from pathlib import Path

import platformdirs

from stylizer.jobs.records import RECORD

__all__ = ["forget_job", "known_jobs", "note_job"]

_log = logging.getLogger(__name__)


def note_job(folder: Path) -> None:
    """Note that there is a job in a folder; where that cannot be written, the log says so."""
    try:
        _list().mkdir(parents=True, exist_ok=True)
        _entry(folder).write_text(str(folder.absolute()), encoding="utf-8")
    except OSError as error:
        _log.debug("the job is not listed: %s", error)


def forget_job(folder: Path) -> None:
    """Take a folder off the list."""
    with suppress(OSError):
        _entry(folder).unlink()


def known_jobs() -> list[Path]:
    """Return the folders of unfinished jobs, by name; those that are gone are taken off the list.

    One whose disk is not there now stays on the list.
    """
    found = []
    with suppress(OSError):
        for entry in _list().iterdir():
            with suppress(OSError, ValueError):
                folder = Path(entry.read_text(encoding="utf-8"))
                if (folder / RECORD).is_file():
                    found.append(folder)
                elif folder.parent.is_dir():
                    entry.unlink()
    return sorted(found)


def _list() -> Path:
    return platformdirs.user_state_path("stylizer", appauthor=False) / "jobs"


def _entry(folder: Path) -> Path:
    return _list() / hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:24]
