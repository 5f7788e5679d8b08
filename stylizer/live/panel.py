"""What the window of a live stream shows over the picture, and its keys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Protocol

from stylizer.effects.faces import FaceMode
from stylizer.faces.models import are_faces_available
from stylizer.frame import Frame, Image
from stylizer.io.sinks.panel import Key, shown_path
from stylizer.live.controls import Controls
from stylizer.live.meter import Meter, Reading
from stylizer.live.overlay import Writing, draw_writing
from stylizer.live.painter import PainterState

__all__ = ["LivePanel", "Tape", "live_keys", "status_lines"]

_SHOWN = 2.5
"""Seconds for which a message stays."""

_HINT, _HINTED = "press h for the keys", 8.0
"""What is said at the start, and for how many seconds."""

_DIGITS = 9

_STEP = 0.1
"""By which a key moves strength or coherence."""


_FACES: Mapping[FaceMode, str] = {
    "keep": "kept",
    "paint": "painted as all else is",
    "only": "all that is painted",
}


class Tape(Protocol):
    """The part of `stylizer.io.sinks.recording.Recorder` that is used."""

    @property
    def active(self) -> bool: ...  # noqa: D102
    def start(self) -> Path | None: ...  # noqa: D102
    def stop(self) -> Path | None: ...  # noqa: D102
    def write(self, frame: Frame) -> None: ...  # noqa: D102


class LivePanel:
    """A `stylizer.io.sinks.panel.Panel`: keys change the controls, and it shows how all runs."""

    def __init__(
        self,
        controls: Controls,
        meter: Meter,
        *,
        state: Callable[[], PainterState],
        notice: Callable[[], str | None] = lambda: None,
        recorder: Tape | None = None,
    ) -> None:
        """Put the keys together.

        Args:
          controls: what the keys change.
          meter: told of every frame that is shown.
          state: the painter's, at this moment.
          notice: what the source wants to be told, None for nothing.
          recorder: records what is shown; None where nothing can be recorded.
        """
        self._controls, self._meter = controls, meter
        self._state, self._notice, self._recorder = state, notice, recorder
        record = None if recorder is None else partial(self._record, recorder)
        self._keys = live_keys(controls, say=self.say, record=record, faces=are_faces_available())
        self._lock = threading.Lock()
        self._message, self._until = "", 0.0
        self._hinted = False

    @property
    def keys(self) -> Sequence[Key]:
        """The keys that change the controls, and the one that records."""
        return self._keys

    def say(self, text: str, *, seconds: float = _SHOWN) -> None:
        """Show a message for a few seconds; any thread may."""
        with self._lock:
            self._message, self._until = text, perf_counter() + seconds

    def shown(self, frame: Frame) -> None:
        """Take note of a frame that is on the screen, and record it if that is wished for."""
        if not self._hinted:
            self._hinted = True
            self.say(_HINT, seconds=_HINTED)
        self._meter.show(frame)
        if self._recorder is not None:
            self._recorder.write(frame)

    def draw(self, image: Image, *, keys: Sequence[Key], paused: bool) -> Image:
        """Return the picture written over; the picture itself where there is nothing to say."""
        settings, state = self._controls.settings, self._state()
        lines: Sequence[str] = ()
        if settings.overlay:
            name = self._controls.styles[state.style].name
            wanted = self._controls.styles[settings.style].name
            lines = status_lines(state, self._meter.read(), name, wanted)
        writing = Writing(
            lines=lines,
            notices=self._notices(state.error, paused=paused),
            keys=[(key.label, key.text) for key in keys if key.text] if settings.help else (),
            recording=self._recorder is not None and self._recorder.active,
            strip=self._strip() if settings.strip and not settings.help else (),
            chosen=settings.style,
        )
        return image if writing == Writing() else draw_writing(image, writing)

    def _strip(self) -> tuple[str, ...]:
        """Return the styles' names, the first with the keys that they are chosen by."""
        names = [style.name for style in self._controls.styles]
        return tuple(
            f"{number} {name}" if number <= _DIGITS else name
            for number, name in enumerate(names, 1)
        )

    def _notices(self, error: str | None, *, paused: bool) -> tuple[str, ...]:
        with self._lock:
            message = self._message if perf_counter() < self._until else None
        told = (error, self._notice(), message, "paused" if paused else None)
        return tuple(text for text in told if text)

    def _record(self, recorder: Tape) -> None:
        if recorder.active:
            path = recorder.stop()
            self.say("recording ended" if path is None else f"recorded as {shown_path(path)}")
        else:
            path = recorder.start()
            self.say(
                "cannot record; see the terminal"
                if path is None
                else f"recording {shown_path(path)}"
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
    effort = f"flow {level.flow}" if level.iterations is None else f"{level.iterations} iterations"
    if level.keyframes > 1:
        effort += f", 1 of {level.keyframes} painted"
    if state.size is not None and state.working is not None:
        lines.append(f"{_sizes(state.size, state.working)}, {effort}")
    if state.reason is not None:
        lines.append(state.reason)
    if state.instead is not None:
        lines.append(f"quicker: {state.instead}")
    return tuple(lines)


def _sizes(size: tuple[int, int], working: tuple[int, int]) -> str:
    shown = f"{size[0]}x{size[1]}"
    return shown if working == size else f"{working[0]}x{working[1]} for {shown}"


def live_keys(
    controls: Controls,
    *,
    say: Callable[[str], None],
    record: Callable[[], None] | None = None,
    faces: bool = False,
) -> tuple[Key, ...]:
    """Return the keys.

    Args:
      controls: what the keys change.
      say: told what was changed, in a few words.
      record: starts and stops a recording; None for no such key.
      faces: whether there is a key for what is done to faces.
    """

    def step_style(step: int) -> None:
        tell_style(controls.step_style(step).style)

    def choose_style(number: int) -> None:
        tell_style(controls.choose_style(number).style)

    def tell_style(chosen: int) -> None:
        count = len(controls.styles)
        say(f"style {chosen + 1} of {count}: {controls.styles[chosen].name}")

    def step(name: str, by: float) -> None:
        say(f"{name} {getattr(controls.step(name, by), name):.1f}")

    def toggle(name: str, text: str) -> None:
        say(f"{text} {'on' if getattr(controls.toggle(name), name) else 'off'}")

    def step_faces() -> None:
        say(f"faces: {_FACES[controls.step_faces().faces]}")

    about_faces = [Key(label="k", text="faces: keep, paint, only", action=step_faces)]
    digits = [
        Key(
            label=str(number),
            text="first style; 2 to 9: the next ones" if number == 1 else "",
            action=partial(choose_style, number - 1),
        )
        for number in range(1, _DIGITS + 1)
    ]
    recording = [] if record is None else [Key(label="r", text="record, stop", action=record)]
    return (
        Key(label="n", text="next style", action=lambda: step_style(1)),
        Key(label="p", text="previous style", action=lambda: step_style(-1)),
        *digits,
        Key(label="g", text="all styles", action=lambda: _toggle(controls, "strip")),
        Key(label="+ =", text="stronger", action=lambda: step("strength", _STEP)),
        Key(label="-", text="weaker", action=lambda: step("strength", -_STEP)),
        Key(label="]", text="more coherence", action=lambda: step("coherence", _STEP)),
        Key(label="[", text="less coherence", action=lambda: step("coherence", -_STEP)),
        Key(
            label="c",
            text="keep the colors",
            action=lambda: toggle("keep_color", "colors of the source"),
        ),
        Key(label="m", text="mirror", action=lambda: toggle("mirror", "mirror")),
        *(about_faces if faces else []),
        *recording,
        Key(
            label="i", text="rate and latency on, off", action=lambda: _toggle(controls, "overlay")
        ),
        Key(label="h ?", text="this help", action=lambda: _toggle(controls, "help")),
    )


def _toggle(controls: Controls, name: str) -> None:
    controls.toggle(name)  # what it shows or hides says enough
