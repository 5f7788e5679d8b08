"""What a path names: a file, or something that cannot be read as one."""

from __future__ import annotations

import os
from pathlib import Path

from stylizer.errors import SourceError

__all__ = ["is_special", "refuse_special", "shorten"]

_LONGEST_NAME = 255
"""Bytes of a file's name, on all usual file systems."""


def is_special(path: Path) -> bool:
    """Whether a path names what is there, but neither a file nor a folder: a pipe, a device."""
    try:
        return path.exists() and not path.is_file() and not path.is_dir()
    except OSError:
        return False


def refuse_special(path: Path) -> None:
    """Refuse what can be read only once, or never ends.

    Raises:
      SourceError: the path names a pipe, a device or a socket.
    """
    if is_special(path):
        kind = "a pipe" if path.is_fifo() else "a device or a socket"
        raise SourceError(f"{path}: expected a file, got {kind}; write what comes to a file first")


def shorten(stem: str, *, rest: int) -> str:
    """Cut the beginning of a name so that it fits, in bytes: a letter may have four of them.

    Args:
      stem: the beginning of a file's name.
      rest: bytes of what follows it.
    """
    room = max(_LONGEST_NAME - rest, 1)
    return os.fsencode(stem)[:room].decode(errors="ignore") or "_"
