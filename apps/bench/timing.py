"""Times of single frames, of which every measurement of speed is made, and tables of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from stylizer.frame import Frame
from stylizer.protocols import Stylizer

from .measuring import peak_memory

__all__ = [
    "WARM_UP",
    "Timing",
    "make_table",
    "median_ms",
    "setting_cells",
    "time_frame",
    "time_frames",
]

WARM_UP = 3
"""Frames that come before those that are timed."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The speed of one setting, warm.

    Attributes:
      frames: how many were timed.
      fps: frames a second, from the median.
      median_ms: median time of a frame, in milliseconds.
      p95_ms: 95th percentile.
      first_frame_s: seconds until the first frame was there: loading, compiling, one frame.
      peak_memory_mib: the most that the process has held until then; None where unknown.
    """

    frames: int
    fps: float
    median_ms: float
    p95_ms: float
    first_frame_s: float
    peak_memory_mib: float | None


def time_frames(make: Callable[[], Stylizer], frames: Sequence[Frame]) -> tuple[Timing, Stylizer]:
    """Time a stylizer frame by frame; reading and writing do not count.

    Args:
      make: loads the stylizer.
      frames: more than `WARM_UP`.

    Returns:
      The times, and the stylizer, still loaded.
    """
    began = time.perf_counter()
    stylizer = make()
    stylizer(frames[0])
    first = time.perf_counter() - began
    for frame in frames[1:WARM_UP]:
        stylizer(frame)
    times = [time_frame(stylizer, frame) for frame in frames[WARM_UP:]]
    median, memory = statistics.median(times), peak_memory()
    return Timing(
        frames=len(times),
        fps=round(1 / median, 3),
        median_ms=median_ms(times),
        p95_ms=round(sorted(times)[int(0.95 * (len(times) - 1))] * 1000, 3),
        first_frame_s=round(first, 3),
        peak_memory_mib=None if memory is None else round(memory, 1),
    ), stylizer


def time_frame(paint: Callable[[Frame], object], frame: Frame) -> float:
    """Return how many seconds a frame takes."""
    began = time.perf_counter()
    paint(frame)
    return time.perf_counter() - began


def median_ms(seconds: Sequence[float]) -> float:
    """Return the median in milliseconds."""
    return round(statistics.median(seconds) * 1000, 3)


def make_table(title: str, headings: Sequence[str], *, ran: Sequence[str]) -> Table:
    """Return an empty table, with what ran below it: ``auto`` does not say."""
    table = Table(title=title, caption="\n".join(dict.fromkeys(ran)), caption_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "engine" else "right")
    return table


def setting_cells(engine: str, threads: int | None, size: str) -> tuple[str, str, str]:
    """Return the first cells of a row; ``threads`` None for one a core."""
    return engine, "" if threads is None else str(threads), size
