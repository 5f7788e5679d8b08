"""Processes that this one starts, and how they end with it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence

__all__ = ["ONE_GROUP", "die_with_parent", "dying_with_parent", "stays_in_group"]

ONE_GROUP = "STYLIZER_ONE_GROUP"
"""A variable that is set where what a process starts is to stay in its group, and end with it."""


def die_with_parent() -> None:
    """Have Linux end this process with the thread that started it, also when that is killed."""
    if _PRCTL is not None:
        _PRCTL(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def dying_with_parent(command: Sequence[str]) -> list[str]:
    """Return a command that ends, on Linux, with the thread that starts it; elsewhere as it is.

    Python asks for that and then becomes the command. Between fork and exec (``preexec_fn``) it
    could not: after a fork, Python lets go of what other threads keep for themselves, and such
    things of OpenVINO wait for threads that the new process does not have, for ever.

    Args:
      command: a program's path and its arguments.
    """
    if _PRCTL is None or not sys.executable:
        return [*command]
    return [sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid()), *command]


def stays_in_group() -> bool:
    """Whether what this process starts stays in its process group."""
    return ONE_GROUP in os.environ


def _find_prctl() -> Callable[[int, int], int] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    try:
        call: Callable[[int, int], int] = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    return call


_PRCTL = _find_prctl()

_BECOME = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):  # it may be gone by now
    os.execv(sys.argv[2], sys.argv[2:])
"""
