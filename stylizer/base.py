"""What sources, sinks and stylizers share, so that each writes only what is its own.

Nothing needs these (see `stylizer.protocols`); they save writing the same methods again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from stylizer.frame import Frame
from stylizer.protocols import (
    CarryingEffect,
    Described,
    Dividing,
    Effect,
    FrameSource,
    Noticing,
    ParallelStylizer,
    Resumable,
    Staged,
    State,
    Stylizer,
)

__all__ = [
    "Applied",
    "LiveSource",
    "Managed",
    "Prepared",
    "WrappedSource",
    "WrappedStaged",
    "WrappedStylizer",
    "apply_effect",
    "begin_frame",
    "describe_stylizer",
    "divides",
    "find",
    "find_notice",
    "frames_at_once",
    "load_state",
    "load_states",
    "save_state",
    "save_states",
]

T = TypeVar("T")


class Managed:
    """A source or sink that is open from the start: the end of its ``with`` block closes it."""

    def close(self) -> None:
        """Let go of what is open, here nothing; closing twice does no harm."""

    def __enter__(self) -> Self:
        """Return the thing itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


class LiveSource(Managed):
    """A source whose frames come when they come; it sets ``_size`` when it knows it."""

    _size: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, as the device really gives them; it stays so."""
        return self._size

    @property
    def rate(self) -> None:
        """None: frames come when they come."""
        return None

    @property
    def frame_count(self) -> None:
        """None: nobody knows."""
        return None


class WrappedSource:
    """A source around a source: like it, and opened and closed with it."""

    def __init__(self, source: FrameSource) -> None:
        """Wrap ``source``."""
        self._source = source

    @property
    def wrapped(self) -> FrameSource:
        """What is wrapped; what it can do besides is found there by `find`."""
        return self._source

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, of the wrapped source."""
        return self._source.size

    @property
    def rate(self) -> Fraction | None:
        """Frames a second, of the wrapped source."""
        return self._source.rate

    @property
    def frame_count(self) -> int | None:
        """How many frames the wrapped source announces."""
        return self._source.frame_count

    def __enter__(self) -> Self:
        """Enter the wrapped source."""
        self._source.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the wrapped source."""
        self._source.__exit__(kind, error, trace)


class WrappedStylizer:
    """A stylizer around a stylizer: described like it, and reset with it."""

    def __init__(self, stylizer: Stylizer) -> None:
        """Wrap ``stylizer``."""
        self._stylizer = stylizer

    @property
    def wrapped(self) -> Stylizer:
        """What is wrapped; what it can do besides is found there by `find`."""
        return self._stylizer

    @property
    def description(self) -> str:
        """The wrapped stylizer's."""
        return describe_stylizer(self._stylizer)

    def reset(self) -> None:
        """Reset the wrapped stylizer."""
        self._stylizer.reset()

    def save_state(self) -> State:
        """Return what the wrapped stylizer remembers."""
        return save_state(self._stylizer)

    def load_state(self, state: State) -> None:
        """Have the wrapped stylizer remember."""
        load_state(self._stylizer, state)


class WrappedStaged(WrappedStylizer):
    """A stylizer around one that may be taken apart; a `stylizer.protocols.Staged` itself."""

    def __init__(self, stylizer: Stylizer) -> None:
        """Wrap ``stylizer``; one that cannot be taken apart is a painter without effects."""
        super().__init__(stylizer)
        self._staged = stylizer if isinstance(stylizer, Staged) else None

    @property
    def painter(self) -> Stylizer:
        """What paints."""
        return self._stylizer if self._staged is None else self._staged.painter

    @property
    def effects(self) -> Sequence[Effect]:
        """What is done to paintings, in order."""
        return () if self._staged is None else self._staged.effects

    def begins_shot(self, frame: Frame) -> bool:
        """Whether a cut comes before this frame."""
        return self._staged is not None and self._staged.begins_shot(frame)

    def __call__(self, frame: Frame) -> Frame:
        """Return the stylized frame."""
        return self._stylizer(frame)


class Prepared(WrappedStylizer):
    """A stylizer of frames that are changed before; itself a `stylizer.protocols.ParallelStylizer`.

    Of painted frames, what was told of cameras is as it was given.
    """

    def change(self, frame: Frame) -> Frame:
        """Return what is painted instead of a frame; called for each, in order."""
        raise NotImplementedError

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        return self._stylizer(self.change(frame)).with_cameras(frame.cameras)

    @property
    def at_once(self) -> int:
        """How many frames the wrapped stylizer paints at once."""
        return frames_at_once(self._stylizer)

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        """Take the next frame, and return what paints it.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        paint = begin_frame(self._stylizer, self.change(frame))
        return lambda: paint().with_cameras(frame.cameras)


class Applied(WrappedStylizer):
    """A stylizer and one effect on what it paints; itself a `stylizer.protocols.Stylizer`."""

    def __init__(self, stylizer: Stylizer, effect: Effect) -> None:
        """Wrap ``stylizer``."""
        super().__init__(stylizer)
        self._effect = effect

    def reset(self) -> None:
        """Forget all earlier frames; the stylizer's too."""
        super().reset()
        self._effect.reset()

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame, changed by the effect."""
        return self._effect(frame, self._stylizer(frame))


def describe_stylizer(stylizer: Stylizer) -> str:
    """Return what a stylizer says of its network and device, else its name."""
    return stylizer.description if isinstance(stylizer, Described) else type(stylizer).__name__


def apply_effect(effect: Effect, source: Frame, painted: Frame) -> Frame:
    """Return a painting as an effect changes it; a frame that has none waits for one to carry."""
    takes_all = isinstance(effect, CarryingEffect) and effect.carries
    return effect(source, painted) if takes_all or painted.flow is None else painted


def frames_at_once(stylizer: Stylizer) -> int:
    """Return how many frames a stylizer paints at once; 1 for one that cannot."""
    return stylizer.at_once if isinstance(stylizer, ParallelStylizer) else 1


def begin_frame(stylizer: Stylizer, frame: Frame) -> Callable[[], Frame]:
    """Return what paints the next frame; to be called in order for a stylizer that must be."""
    if isinstance(stylizer, ParallelStylizer):
        return stylizer.begin(frame)
    return partial(stylizer, frame)


def divides(stylizer: Stylizer) -> bool:
    """Whether a stylizer has, or may be given, styles for parts of the picture."""
    dividing = find(stylizer, Dividing)
    return dividing is not None and dividing.divides


def find(part: object, ability: type[T]) -> T | None:
    """Return who has an ability: a part, or what it wraps; None if nobody does.

    Args:
      part: a source or stylizer.
      ability: one of the protocols in `stylizer.protocols`.
    """
    return next((layer for layer in _layers(part) if isinstance(layer, ability)), None)


def find_notice(*parts: object) -> str | None:
    """Return the first thing that parts, or what they wrap, want the user to be told, if any."""
    layers = (layer for part in parts for layer in _layers(part))
    notices = (layer.notice for layer in layers if isinstance(layer, Noticing))
    return next((notice for notice in notices if notice), None)


def save_state(part: object) -> State:
    """Return what a part remembers of earlier frames; nothing of one that has no memory."""
    return part.save_state() if isinstance(part, Resumable) else {}


def load_state(part: object, state: State) -> None:
    """Bring back what `save_state` gave; a part that has no memory is left as it is."""
    if isinstance(part, Resumable):
        part.load_state(state)


def save_states(parts: Mapping[str, object]) -> State:
    """Return what several parts remember as one state: ``name/entry``."""
    return {
        f"{name}/{entry}": value
        for name, part in parts.items()
        for entry, value in save_state(part).items()
    }


def load_states(parts: Mapping[str, object], state: State) -> None:
    """Bring back what `save_states` gave."""
    for name, part in parts.items():
        own = {
            entry.removeprefix(f"{name}/"): value
            for entry, value in state.items()
            if entry.startswith(f"{name}/")
        }
        load_state(part, own)


def _layers(part: object) -> Iterator[object]:
    """Give a part, what it wraps, what that wraps, ..."""
    layer: object | None = part
    while layer is not None:
        yield layer
        layer = layer.wrapped if isinstance(layer, WrappedStylizer | WrappedSource) else None
