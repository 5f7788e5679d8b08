"""The cores of the CPU, and what they can do."""

from __future__ import annotations

from pathlib import Path

__all__ = ["cpu_facts", "usable_cores"]


def usable_cores() -> int:
    """Return how many cores of the CPU this process may use, 1 or more.

    That is the least of the machine's, of those the process is bound to, and of a container's
    quota, rounded up.
    """
    import loky  # takes 70 ms, and not every command counts cores

    return int(loky.cpu_count())


def cpu_facts() -> dict[str, str]:
    """Return what Linux says of the first core in ``/proc/cpuinfo``; nothing on other systems.

    Its ``flags`` (on ARM ``Features``) name what it can do, as ``amx_bf16``, with blanks between.
    """
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    parts = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in parts}
