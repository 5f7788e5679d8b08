"""What a path names: a file, or something that cannot be read as one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from stylizer.errors import SourceError

__all__ = [
    "is_pipe",
    "is_special",
    "is_stdin",
    "is_stdout",
    "reason",
    "refuse_special",
    "shorten",
    "stdin_file",
]

_LONGEST_NAME = 255
"""Bytes of a file's name, on all usual file systems."""


def is_special(path: Path) -> bool:
    """Whether a path names what is there, but neither a file nor a folder: a pipe, a device."""
    try:
        return path.exists() and not path.is_file() and not path.is_dir()
    except OSError:
        return False


def is_pipe(text: str) -> bool:
    """Whether a text names what comes or goes but once: standard input or output, a named pipe."""
    return text == "-" or (is_special(Path(text)) and Path(text).is_fifo())


def is_stdin(text: str) -> bool:
    """Whether a text names the standard input."""
    return text in {"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}


def is_stdout(text: str) -> bool:
    """Whether a text names the standard output."""
    return text in {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}


def stdin_file() -> Path | None:
    """Return the file that the standard input is (``< in.mp4``); None for a pipe and the like."""
    try:
        path = Path(os.path.realpath("/dev/stdin"))
        same = path.is_file() and os.path.samestat(path.stat(), os.fstat(0))
    except OSError:
        return None
    return path if same else None


def refuse_special(path: Path, *, pipes: bool = False) -> None:
    """Refuse what can be read only once, or never ends.

    Args:
      path: may name anything.
      pipes: whether pipes are welcome.

    Raises:
      SourceError: the path names a pipe, a device or a socket.
    """
    if is_special(path) and not (pipes and path.is_fifo()):
        kind = "a pipe" if path.is_fifo() else "a device or a socket"
        raise SourceError(f"{path}: expected a file, got {kind}; write what comes to a file first")


def reason(error: Exception | str) -> str:
    """Say why a file cannot be written, as an error or a program says; of a full disk, what to do.

    Args:
      error: the error, or the program's words.
    """
    text = str(getattr(error, "strerror", None) or error)
    full = any(os.strerror(code) in text for code in (errno.ENOSPC, errno.EDQUOT))
    return f"{text}; free some space there" if full else text


def shorten(stem: str, *, rest: int) -> str:
    """Cut the beginning of a name so that it fits, in bytes: a letter may have four of them.

    Args:
      stem: the beginning of a file's name.
      rest: bytes of what follows it.
    """
    room = max(_LONGEST_NAME - rest, 1)
    return os.fsencode(stem)[:room].decode(errors="ignore") or "_"
