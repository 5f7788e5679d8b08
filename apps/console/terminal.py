"""What is said to the user: lines on stderr, so that stdout carries results alone."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import cv2
from rich.console import Console

from stylizer.io.sources.devices import hide_secrets
from stylizer.notices import notice

__all__ = [
    "INTERRUPTED",
    "Interrupted",
    "can_ask",
    "console",
    "interruptible",
    "keep_secret",
    "say",
    "say_error",
    "set_up",
    "silenced",
    "without_secrets",
]

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it."""

console = Console(stderr=True, highlight=False)
"""Where progress, log messages and errors go. Lines printed here come out above a progress bar."""

_heard = [console]
"""The last is where lines go; while stderr is silenced, that is a way past it."""

_secrets: dict[str, str] = {}
"""Addresses that a user gave, and how they are shown."""

_LONGEST = 600
"""Characters of an error that are shown: backends put whole tensors into theirs."""

_OURS = logging.getLogger("stylizer")


class Interrupted(Exception):
    """Ctrl-C ended a command that has something to show; the message says what and where."""


class _ConsoleHandler(logging.Handler):
    """Shows the library's log messages, one line each."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            say(f"stylizer: {record.levelname.lower()}: {record.getMessage()}")
        except Exception:  # as logging asks: a message that cannot be shown must not end the run
            self.handleError(record)


def set_up(*, quiet: bool, debug: bool) -> None:
    """Decide what is heard: the library's warnings and notices, or with ``debug`` everything.

    Must come before the backend is imported: TensorFlow reads its level when it is loaded.

    Args:
      quiet: only errors.
      debug: all messages, those of the backends too.
    """
    level = logging.DEBUG if debug else logging.ERROR if quiet else logging.WARNING
    _OURS.handlers[:] = [_ConsoleHandler()]
    _OURS.setLevel(level)
    _OURS.propagate = False
    # Who presses a window's key waits for its answer: where a snapshot or a recording went.
    # Who starts for the first time waits for the network to be converted.
    notice.setLevel(logging.NOTSET if quiet or debug else logging.INFO)
    if debug:
        return
    # OpenCV's threads write to the terminal by themselves; what matters is raised as an error.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in ("tensorflow", "absl", "jax"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


@contextmanager
def silenced() -> Iterator[None]:
    """Keep away what native code writes to stderr meanwhile, unless all messages are wanted.

    Our own lines are shown all the same. TensorFlow (tried: 2.21) no longer heeds
    TF_CPP_MIN_LOG_LEVEL for what it says while it loads.
    """
    if _OURS.isEnabledFor(logging.DEBUG) or len(_heard) > 1:
        yield
        return
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace") as kept:
        _heard.append(Console(file=kept, highlight=False))
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            _heard.pop()
            os.dup2(kept.fileno(), 2)
            os.close(nowhere)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end the block as a KeyboardInterrupt, whatever becomes of it inside.

    A big import may swallow it, or fail by it in another way (seen: an AttributeError of a module
    that was left half imported).
    """
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not ours or threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        heard = True
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    except Exception as error:
        if heard:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if heard:
        raise KeyboardInterrupt


def keep_secret(arguments: Sequence[str]) -> None:
    """Show addresses among a command's arguments without their passwords, whoever names them."""
    _secrets.clear()
    for word in arguments:
        value = word.partition("=")[2] if word.startswith("--") and "=" in word else word
        if "://" not in value:
            continue
        path = Path(value)  # as which it has one stroke less, a name and a suffix
        _secrets.update({form: hide_secrets(value) for form in (value, str(path))})
        parts = (path.name, path.suffix)
        _secrets.update({part: "..." for part in parts if set(part) & set("?#&;=@")})


def without_secrets(text: str) -> str:
    """Return a text as it may be shown; see `keep_secret`."""
    for secret, shown in _secrets.items():
        text = text.replace(secret, shown)
    return text


def say(text: str) -> None:
    """Print a line on stderr, as it is but for passwords in addresses."""
    _heard[-1].print(without_secrets(text), markup=False, soft_wrap=True)


def say_error(text: str) -> None:
    """Print an error in one line, however many its message has, and however long they are."""
    line = " ".join(without_secrets(text).split())
    if len(line) > _LONGEST:
        line = f"{line[:_LONGEST]}... (--debug shows all)"
    say(f"stylizer: error: {line}")


def can_ask() -> bool:
    """Say whether someone sits at the terminal who could answer a question."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
