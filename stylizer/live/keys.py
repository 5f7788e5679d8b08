"""The keys that change how a stream is painted, beside the window's own."""

from __future__ import annotations

from collections.abc import Callable

from stylizer.io.sinks.keys import Key
from stylizer.live.controls import Controls

__all__ = ["live_keys"]

_STEP = 0.1


def live_keys(
    controls: Controls,
    *,
    say: Callable[[str], None],
    record: Callable[[], None] | None = None,
) -> tuple[Key, ...]:
    """Return the keys.

    Args:
      controls: what the keys change.
      say: told what was changed, in a few words.
      record: starts and stops a recording; None for no such key.
    """

    def step_style(step: int) -> None:
        chosen = controls.step_style(step).style
        count = len(controls.styles)
        say(f"style {chosen + 1} of {count}: {controls.styles[chosen].name}")

    def step(name: str, by: float) -> None:
        say(f"{name} {getattr(controls.step(name, by), name):.1f}")

    def toggle(name: str, text: str) -> None:
        say(f"{text} {'on' if getattr(controls.toggle(name), name) else 'off'}")

    recording = [] if record is None else [Key(label="r", text="record, stop", action=record)]
    return (
        Key(label="n", text="next style", action=lambda: step_style(1)),
        Key(label="p", text="previous style", action=lambda: step_style(-1)),
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
        *recording,
        Key(
            label="i", text="rate and latency on, off", action=lambda: _toggle(controls, "overlay")
        ),
        Key(label="h ?", text="this help", action=lambda: _toggle(controls, "help")),
    )


def _toggle(controls: Controls, name: str) -> None:
    controls.toggle(name)  # what it shows or hides says enough
