"""The cores of the CPU."""

from __future__ import annotations

__all__ = ["usable_cores"]


def usable_cores() -> int:
    """Return how many cores of the CPU this process may use, 1 or more.

    That is the least of the machine's, of those the process is bound to, and of a container's
    quota, rounded up.
    """
    import loky  # takes 70 ms, and not every command counts cores

    return int(loky.cpu_count())
