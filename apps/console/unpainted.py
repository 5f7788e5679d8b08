"""What is said of pictures in which nothing is painted, because nobody is in them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from stylizer.base import WrappedStaged, find
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.frame import LEAST_SHARE, Frame
from stylizer.protocols import Divided, Effect, Stylizer
from stylizer.styles.load import AnyStyle

__all__ = ["Watched", "say_unpainted", "say_unpainted_film", "watched", "what_is_missing"]

_log = logging.getLogger("stylizer.jobs")

_MISSING: Mapping[tuple[str, ...], str] = {
    ("person",): "nobody was found",
    ("face",): "no face was found",
}


def what_is_missing(styles: Sequence[AnyStyle], effects: EffectsConfig) -> str | None:
    """Say what is not there where nothing of a picture is painted.

    Args:
      styles: that it is painted in.
      effects: what is done to the painting.

    Returns:
      A text such as "nobody was found"; None where all of a picture is painted.
    """
    if effects.faces is not None and effects.faces.mode == "only":
        return "no face was found"
    found = {style.region for style in styles}
    parts = [] if None in found else [part for part in found if part is not None]
    parts += [] if effects.region is None else [effects.region.part]
    named = tuple(sorted(set(parts)))
    return _MISSING.get(named, f"nothing of {', '.join(named)} was found") if named else None


def say_unpainted(source: Frame, painted: Frame, missing: str | None, name: str) -> bool:
    """Say that a picture stays as it is, if it does.

    Args:
      source: the picture.
      painted: what came of it.
      missing: see `what_is_missing`; None looks at nothing.
      name: of the picture.

    Returns:
      Whether it does.
    """
    empty = painted.parts is not None and painted.parts.max() < LEAST_SHARE
    if missing is None or not (empty or np.array_equal(painted.image, source.image)):
        return False
    if name:
        _log.warning(f"{name}: {missing} in it: it stays as it is")  # each is told
    return True


def say_unpainted_film(stylizer: Stylizer, name: str) -> None:
    """Say that a film stays as it is, if none of its frames was painted.

    Args:
      stylizer: what painted it, from its first frame on; if it is `watched`.
      name: of the film.
    """
    watch = find(stylizer, Watched)
    if watch is not None and watch.unpainted:
        _log.warning("%s: %s in any frame: they stay as they are", name, watch.missing)


def watched(
    stylizer: Stylizer, config: StylizerConfig, *, name: Callable[[int], str] | None = None
) -> Stylizer:
    """Return a stylizer whose paintings are looked at, where a part of the picture is painted.

    Args:
      stylizer: what paints.
      config: what it was made of.
      name: names the pictures of unpainted frames by their index, which are told of at once; None
        for those of a film.
    """
    missing = what_is_missing(config.load_styles(), config.effects)
    return stylizer if missing is None else Watched(stylizer, missing, name=name)


class Watched(WrappedStaged):
    """A stylizer around another, which looks whether anything is painted; a `Divided` one.

    Attributes:
      missing: see `what_is_missing`.
    """

    def __init__(
        self, stylizer: Stylizer, missing: str, *, name: Callable[[int], str] | None
    ) -> None:
        """Wrap a stylizer; see `watched`."""
        super().__init__(stylizer)
        self.shots = stylizer.shots if isinstance(stylizer, Divided) else None
        self._watch = _Watch(missing, name)
        self.missing = missing

    @property
    def effects(self) -> Sequence[Effect]:
        """What is done to paintings, in order; the last one looks."""
        return (*super().effects, self._watch)

    @property
    def unpainted(self) -> bool:
        """Whether there were frames, and none was painted."""
        return self._watch.frames > 0 and not self._watch.painted

    def __call__(self, frame: Frame) -> Frame:
        """Return the stylized frame."""
        return self._watch(frame, self._stylizer(frame))


class _Watch:
    """An effect that changes nothing."""

    def __init__(self, missing: str, name: Callable[[int], str] | None) -> None:
        self._missing, self._name = missing, name
        self.frames, self.painted = 0, False

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        self.frames += 1
        if self._name is not None or not self.painted:
            name = "" if self._name is None else self._name(source.index)
            self.painted |= not say_unpainted(source, painted, self._missing, name)
        return painted

    def reset(self) -> None:
        pass
