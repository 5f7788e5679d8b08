"""What can be changed while a stream runs: told by keys, read by the painter at every frame."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_args

from stylizer.effects.faces import FaceMode
from stylizer.errors import ConfigError, StyleError
from stylizer.styles.built_in import load_named_style, style_names
from stylizer.styles.load import AnyStyle

__all__ = ["ControlSettings", "Controls", "OfferedStyle", "offer_styles"]


@dataclass(frozen=True, kw_only=True)
class ControlSettings:
    """The state of a stream at one moment.

    Attributes:
      style: which of the styles that are offered, 0 for the first.
      strength: of the painting, 0 (the source) to 1.
      coherence: how much of the last frame is kept, 0 to 1.
      keep_color: whether the painting has the source's colors.
      faces: what is done to faces.
      mirror: whether left and right are exchanged, as people know themselves from mirrors.
      overlay: whether rate and latency are written over the picture.
      help: whether the keys are.
      strip: whether the styles are.
    """

    style: int = 0
    strength: float = 1.0
    coherence: float = 0.8
    keep_color: bool = False
    faces: FaceMode = "paint"
    mirror: bool = False
    overlay: bool = True
    help: bool = False
    strip: bool = False

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        for name in ("strength", "coherence"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"{name}: expected 0..1, got {getattr(self, name)!r}")
        if self.faces not in get_args(FaceMode):
            raise ConfigError(
                f"faces: expected one of {', '.join(get_args(FaceMode))}, got {self.faces!r}"
            )
        if self.style < 0:
            raise ConfigError(f"style: expected 0 or more, got {self.style!r}")


@dataclass(frozen=True, kw_only=True)
class OfferedStyle:
    """A style, or a mixture, that can be gone to.

    Attributes:
      name: as it is shown.
      load: reads what to paint after, when it is first wanted; takes milliseconds.
    """

    name: str
    load: Callable[[], Sequence[AnyStyle]]


def offer_styles(given: Sequence[AnyStyle], *, built_in: bool = True) -> tuple[OfferedStyle, ...]:
    """Return the styles to go through: those given, mixed and each alone, then the built-in ones.

    Args:
      given: one or more, as they were loaded.
      built_in: whether the painter takes the built-in ones.

    Raises:
      StyleError: none is given.
    """
    if not given:
        raise StyleError("styles: expected at least one style, got none")
    names = [style.name for style in given]
    choices = [OfferedStyle(name=" + ".join(names), load=lambda: given)]
    if len(given) > 1:
        choices += [OfferedStyle(name=style.name, load=partial(_alone, style)) for style in given]
    if built_in:
        choices += [
            OfferedStyle(name=name, load=partial(_built_in, name))
            for name in style_names()
            if name not in names
        ]
    return tuple(choices)


def _alone(style: AnyStyle) -> Sequence[AnyStyle]:
    return (replace(style, weight=1.0),)


def _built_in(name: str) -> Sequence[AnyStyle]:
    return (load_named_style(name),)


class Controls:
    """Holds the settings; may be changed and read by any thread.

    Attributes:
      styles: what is offered, in order.
    """

    def __init__(
        self, styles: Sequence[OfferedStyle], *, settings: ControlSettings | None = None
    ) -> None:
        """Start with these settings; None for the defaults.

        Raises:
          StyleError: no style is offered.
          ConfigError: the settings name one that is not.
        """
        if not styles:
            raise StyleError("styles: expected at least one to be offered, got none")
        self.styles = tuple(styles)
        self._settings = settings or ControlSettings()
        self._check(self._settings)
        self._lock = threading.Lock()

    @property
    def settings(self) -> ControlSettings:
        """The settings at this moment."""
        return self._settings

    def change(self, **values: Any) -> ControlSettings:
        """Set some of the settings, by name, and return all.

        Raises:
          ConfigError: a value is out of its range; nothing is changed.
        """
        with self._lock:
            changed = replace(self._settings, **values)
            self._check(changed)
            self._settings = changed
            return changed

    def toggle(self, name: str) -> ControlSettings:
        """Turn a setting that is on or off."""
        with self._lock:
            value = not getattr(self._settings, name)
            self._settings = replace(self._settings, **{name: value})  # type: ignore[arg-type]
            return self._settings

    def step(self, name: str, step: float) -> ControlSettings:
        """Move a setting of 0 to 1 by a step, at most to the end of its range."""
        with self._lock:
            value = min(1.0, max(0.0, round(getattr(self._settings, name) + step, 3)))
            self._settings = replace(self._settings, **{name: value})
            return self._settings

    def step_faces(self) -> ControlSettings:
        """Go on to the next that can be done to faces; after the last comes the first."""
        with self._lock:
            modes = get_args(FaceMode)
            value = modes[(modes.index(self._settings.faces) + 1) % len(modes)]
            self._settings = replace(self._settings, faces=value)
            return self._settings

    def step_style(self, step: int) -> ControlSettings:
        """Go on to another style; after the last comes the first."""
        with self._lock:
            value = (self._settings.style + step) % len(self.styles)
            self._settings = replace(self._settings, style=value)
            return self._settings

    def choose_style(self, number: int) -> ControlSettings:
        """Go to a style by its number, 0 for the first; one that is not offered changes nothing."""
        with self._lock:
            if number < len(self.styles):
                self._settings = replace(self._settings, style=number)
            return self._settings

    def _check(self, settings: ControlSettings) -> None:
        if settings.style >= len(self.styles):
            raise ConfigError(f"style: expected 0..{len(self.styles) - 1}, got {settings.style}")
