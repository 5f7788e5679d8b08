"""What the window of a live stream shows over the picture, and its keys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Protocol

from stylizer.frame import Frame, Image
from stylizer.io.sinks.keys import Key
from stylizer.live.controls import Controls
from stylizer.live.keys import live_keys
from stylizer.live.meter import Meter, Reading
from stylizer.live.overlay import Writing, draw_writing
from stylizer.live.painter import PainterState

__all__ = ["LivePanel", "PanelParts", "Tape", "status_lines"]

_SHOWN = 2.5
"""Seconds for which a message stays."""


class Tape(Protocol):
    """The part of `stylizer.io.sinks.recorder.Recorder` that is used."""

    @property
    def active(self) -> bool: ...  # noqa: D102
    def start(self) -> Path | None: ...  # noqa: D102
    def stop(self) -> Path | None: ...  # noqa: D102
    def write(self, frame: Frame) -> None: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class PanelParts:
    """Where a panel has its knowledge from.

    Attributes:
      state: the painter's, at this moment.
      notice: what the source wants to be told, None for nothing.
      recorder: records what is shown; None where nothing can be recorded.
    """

    state: Callable[[], PainterState]
    notice: Callable[[], str | None] = lambda: None
    recorder: Tape | None = None


class LivePanel:
    """A `stylizer.io.sinks.panel.Panel`: keys change the controls, and it shows how all runs."""

    def __init__(self, controls: Controls, meter: Meter, parts: PanelParts) -> None:
        """Put the keys together.

        Args:
          controls: what the keys change.
          meter: told of every frame that is shown.
          parts: what is shown beside.
        """
        self._controls, self._meter, self._parts = controls, meter, parts
        record = None if parts.recorder is None else self._record
        self._keys = live_keys(controls, say=self.say, record=record)
        self._lock = threading.Lock()
        self._message, self._until = "", 0.0

    @property
    def keys(self) -> Sequence[Key]:
        """The keys that change the controls, and the one that records."""
        return self._keys

    def say(self, text: str) -> None:
        """Show a message for a few seconds; any thread may."""
        with self._lock:
            self._message, self._until = text, perf_counter() + _SHOWN

    def shown(self, frame: Frame) -> None:
        """Take note of a frame that is on the screen, and record it if that is wished for."""
        self._meter.show(frame)
        if self._parts.recorder is not None:
            self._parts.recorder.write(frame)

    def draw(self, image: Image, *, keys: Sequence[Key], paused: bool) -> Image:
        """Return the picture written over; the picture itself where there is nothing to say."""
        settings, state = self._controls.settings, self._parts.state()
        lines: Sequence[str] = ()
        if settings.overlay:
            name = self._controls.styles[state.style].name
            wanted = self._controls.styles[settings.style].name
            lines = status_lines(state, self._meter.read(), name, wanted)
        recorder = self._parts.recorder
        writing = Writing(
            lines=lines,
            notices=self._notices(state.trouble, paused=paused),
            keys=[(key.label, key.text) for key in keys] if settings.help else (),
            recording=recorder is not None and recorder.active,
        )
        return image if writing == Writing() else draw_writing(image, writing)

    def _notices(self, trouble: str | None, *, paused: bool) -> tuple[str, ...]:
        with self._lock:
            message = self._message if perf_counter() < self._until else None
        told = (trouble, self._parts.notice(), message, "paused" if paused else None)
        return tuple(text for text in told if text)

    def _record(self) -> None:
        recorder = self._parts.recorder
        if recorder is None:
            return
        if recorder.active:
            path = recorder.stop()
            self.say("recording ended" if path is None else f"recorded as {path.name}")
        else:
            path = recorder.start()
            self.say(
                "cannot record; see the terminal" if path is None else f"recording {path.name}"
            )


def status_lines(state: PainterState, reading: Reading, style: str, wanted: str) -> tuple[str, ...]:
    """Say in a few lines how a stream runs.

    Args:
      state: of the painter.
      reading: of rate and latency.
      style: the name of the style that is painted after.
      wanted: the name of the style that was asked for.
    """
    lines = [style if wanted == style else f"{style} (next: {wanted})"]
    lines.append(
        f"{reading.fps:.1f} fps, {1000 * reading.latency:.0f} ms behind "
        f"(p95 {1000 * reading.latency_p95:.0f})"
    )
    level = state.level
    pains = f"flow {level.flow}" if level.iterations is None else f"{level.iterations} iterations"
    if state.size is not None and state.working is not None:
        lines.append(f"{_sizes(state.size, state.working)}, {pains}")
    if state.reason is not None:
        lines.append(state.reason)
    return tuple(lines)


def _sizes(size: tuple[int, int], working: tuple[int, int]) -> str:
    shown = f"{size[0]}x{size[1]}"
    return shown if working == size else f"{working[0]}x{working[1]} for {shown}"
