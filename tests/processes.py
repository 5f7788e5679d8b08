"""The processes of this machine, by Linux's own account."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["children"]


def children(pid: int) -> set[int]:
    """Return the ids of a process's children, the dead that nobody waited for among them.

    Nothing where there is no ``/proc``. (``/proc/PID/task/TID/children`` is missing from many a
    Linux kernel, so that every process is asked for its parent.)
    """
    return {
        int(match[1])
        for entry in Path("/proc").glob("[0-9]*/stat")
        if (match := re.match(rf"(\d+) \(.*\) \S {pid} ", _text(entry)))
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # the process ended meanwhile
        return ""
