"""Start-up time and memory of the fast network, each measured in a process of its own.

That process is `stylizer.apps.bench.first_frame`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stylizer.errors import StylizerError
from stylizer.network.config import FastConfig

__all__ = ["Startup", "measure_startup"]

_MODULE = ["-m", "stylizer.apps.bench.first_frame"]
_LONGEST_S = 600


@dataclass(frozen=True, kw_only=True)
class Startup:
    """How long it takes from the start of the process to the first painted frame.

    Attributes:
      cold_s: seconds, with an empty cache folder.
      warm_s: seconds, with what the first run left in the cache.
      peak_memory_mib: the most that the second process held, with some more frames; None where
        that is not known.
    """

    cold_s: float
    warm_s: float
    peak_memory_mib: float | None


def measure_startup(styles: Sequence[str], size: tuple[int, int], config: FastConfig) -> Startup:
    """Start the network twice, each time in a new process.

    Args:
      styles: as a user writes them.
      size: of the frame, (width, height) in pixels.
      config: network, engine, threads and precision.

    Raises:
      StylizerError: the process failed; the message is its own.
    """
    job: dict[str, Any] = {"styles": list(styles), "size": list(size)}
    for name in ("network", "engine", "threads", "precision"):
        job[name] = getattr(config, name)
    with tempfile.TemporaryDirectory(prefix="stylizer-bench-") as folder:
        text = json.dumps(job | {"cache": folder})
        (cold, _), (warm, memory) = (_start(text) for _ in range(2))
    peak = None if memory is None else round(memory, 1)
    return Startup(cold_s=round(cold, 3), warm_s=round(warm, 3), peak_memory_mib=peak)


def _start(job: str) -> tuple[float, float | None]:
    """Return the seconds to the first frame, and the memory in MiB."""
    command = [sys.executable, *_MODULE, job]
    began = time.monotonic()
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            _read(process)
            seconds = time.monotonic() - began
            last = _read(process)
            process.communicate(timeout=_LONGEST_S)
        except BaseException:  # else leaving the block would wait for it
            process.kill()
            raise
        if process.returncode or last is None:
            errors.seek(0)
            said = errors.read().strip().splitlines() or [f"exit code {process.returncode}"]
            raise StylizerError(f"start-up could not be measured: {said[-1]}")
    return seconds, last["memory"]


def _read(process: subprocess.Popen[str]) -> dict[str, Any] | None:
    """Return the next thing that the process tells, None at its end."""
    for line in process.stdout or ():
        if line.startswith("{"):
            told: dict[str, Any] = json.loads(line)
            return told
    return None
