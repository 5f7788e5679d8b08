"""Processes that this one starts, and how they end with it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

__all__ = ["ONE_GROUP", "die_with_parent", "stays_in_group"]

ONE_GROUP = "STYLIZER_ONE_GROUP"
"""A variable that is set where what a process starts is to stay in its group, and end with it."""


def die_with_parent() -> None:
    """Have Linux end this process with the thread that started it, also when that is killed."""
    if _PRCTL is not None:
        _PRCTL(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def stays_in_group() -> bool:
    """Whether what this process starts stays in its process group."""
    return ONE_GROUP in os.environ


def _find_prctl() -> Callable[[int, int], int] | None:
    """Look it up beforehand: between fork and exec there must be no more than the call."""
    if sys.platform != "linux":
        return None
    import ctypes

    try:
        call: Callable[[int, int], int] = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    return call


_PRCTL = _find_prctl()
