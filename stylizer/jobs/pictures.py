"""Pictures of which some are left out, because they are painted already."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from stylizer.base import WrappedSource, WrappedStaged, apply_effect, load_state, save_state
from stylizer.frame import Frame
from stylizer.protocols import Divided, FrameSource, State, Stylizer

__all__ = ["Missing", "ResetOnGap"]


class Missing(WrappedSource):
    """A source that leaves out the frames that are done already; the others keep their index."""

    def __init__(self, source: FrameSource, indices: Collection[int]) -> None:
        """Wrap a source; ``indices`` are those of the frames that are missing."""
        super().__init__(source)
        self._indices = frozenset(indices)

    @property
    def frame_count(self) -> int:
        """How many frames are missing."""
        return len(self._indices)

    def __iter__(self) -> Iterator[Frame]:
        """Give the missing frames in order."""
        return (frame for frame in self._source if frame.index in self._indices)


class ResetOnGap(WrappedStaged):
    """A stylizer around another: a shot begins where frames are left out too, or with each frame.

    Attributes:
      shots: what remembers the last frame, and what finds cuts.
    """

    def __init__(self, stylizer: Stylizer, *, always: bool = False) -> None:
        """Wrap a stylizer; with ``always``, each picture is one of its own."""
        super().__init__(stylizer)
        self.shots = _Gaps(stylizer.shots if isinstance(stylizer, Divided) else None)
        self._always = always

    def begins_shot(self, frame: Frame) -> bool:
        """Whether a cut comes before this frame, or one is left out."""
        gap = self.shots.precede(frame)
        cut = super().begins_shot(frame)
        return cut or gap or self._always

    def __call__(self, frame: Frame) -> Frame:
        """Return the stylized frame."""
        if self.begins_shot(frame):
            self.painter.reset()
            for effect in self.effects:
                effect.reset()
        painted = self.painter(frame)
        for effect in self.effects:
            painted = apply_effect(effect, frame, painted)
        return painted

    def reset(self) -> None:
        """Forget all earlier frames."""
        super().reset()
        self.shots.load_state({})


class _Gaps:
    """Finds frames that are left out; what finds cuts begins anew there."""

    def __init__(self, cuts: object) -> None:
        self._cuts = cuts
        self._next: int | None = None

    def precede(self, frame: Frame) -> bool:
        """Whether frames were left out before this one; to be asked once for every frame."""
        gap = self._next is not None and frame.index != self._next
        self._next = frame.index + 1
        if gap:
            load_state(self._cuts, {})
        return gap

    def save_state(self) -> State:
        following = {} if self._next is None else {"next": np.array(self._next)}
        return {**save_state(self._cuts), **following}

    def load_state(self, state: State) -> None:
        self._next = int(state["next"]) if "next" in state else None
        load_state(self._cuts, {name: value for name, value in state.items() if name != "next"})
