"""How far a run has come: a bar at a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from fractions import Fraction
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from stylizer.pipeline import Progress

from .terminal import console, say

__all__ = ["PLAIN_INTERVAL", "Display", "frames_text", "rate_text"]

PLAIN_INTERVAL = 5.0
"""Seconds between two lines where there is no terminal."""


class Display:
    """Shows progress while it is open; `show` fits `stylizer.pipeline.run`'s ``on_progress``.

    Attributes:
      done: how much has been done so far.
    """

    def __init__(
        self,
        *,
        total: int | None,
        quiet: bool,
        live: bool = False,
        unit: str = "frames",
        begun: int = 0,
    ) -> None:
        """Get ready.

        Args:
          total: how much there is to do, None if that is not known.
          quiet: show nothing, only count.
          live: show latency in place of the time left.
          unit: what is counted.
          begun: how much of it was done before.
        """
        self.done = self._begun = begun
        self._total, self._quiet, self._live, self._unit = total, quiet, live, unit
        self._bar: Bar | None = None
        self._said = time.monotonic()
        self._first: tuple[float, int] | None = None

    def show(self, progress: Progress) -> None:
        """Take a pipeline's account."""
        parts = [f"{progress.fps:.1f} fps"] if progress.fps > 0 else []
        if self._live:
            parts.append(f"{progress.latency * 1000:.0f} ms behind")
        self.update(self._begun + progress.frames, ", ".join(parts))

    def update(self, done: int, text: str = "") -> None:
        """Say how much is done, and a few words more."""
        self.done = done
        if self._first is None and done > self._begun:
            self._first = time.monotonic(), done
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, text=text)
        elif time.monotonic() - self._said >= PLAIN_INTERVAL:
            self._said = time.monotonic()
            say(", ".join(part for part in (self._counted(), text, self._left()) if part))

    def note(self, text: str) -> None:
        """Say what is being done while nothing new is finished; from any thread."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], text=text)
        elif time.monotonic() - self._said >= PLAIN_INTERVAL:
            self._said = time.monotonic()
            say(f"{self._counted()}, {text}")

    def __enter__(self) -> Self:
        """Start the clock, and the bar if there is a terminal."""
        self._said = time.monotonic()
        if console.is_terminal and not self._quiet:
            known = [MofNCompleteColumn()] if self._total else [TextColumn("{task.completed}")]
            left = [] if self._live else [TextColumn("left"), TimeRemainingColumn()]
            columns = [
                BarColumn(),
                *known,
                TextColumn(self._unit),
                TextColumn("{task.fields[text]}"),
            ]
            self._bar = Bar(*columns, *left, console=console)
            self._bar.add_task("", total=self._total, completed=self.done, text="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _counted(self) -> str:
        of = f" of {self._total}" if self._total else ""
        return f"{self.done}{of} {self._unit}"

    def _left(self) -> str:
        # from the first on: before it networks are loaded, which takes as long as many
        began, first = self._first or (0.0, self.done)
        done = self.done - first
        if not self._total or not done or self._live:
            return ""
        passed = time.monotonic() - began
        return f"{passed / done * max(0, self._total - self.done):.0f} s left"


def rate_text(rate: Fraction | None) -> str:
    """Write a rate for people: ``29.97 fps``."""
    return "live" if rate is None else f"{float(rate):.6g} fps"


def frames_text(count: int | None) -> str:
    """Write a number of frames for people: ``360 frames``."""
    if count is None:
        return "number of frames unknown"
    return f"{count} frame" if count == 1 else f"{count} frames"
