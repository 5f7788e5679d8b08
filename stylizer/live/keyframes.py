"""Keyframes painted beside the loop: what is shown is never later than carrying takes."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from time import perf_counter

from stylizer.compose import Composed
from stylizer.frame import Frame, check_image
from stylizer.temporal.flow import Flow, Preset
from stylizer.temporal.key_picture import KeyPicture, Reduced
from stylizer.temporal.keyframes import KeySearch

__all__ = ["Carrying", "PaintBeside"]

_MOST_NEW = 0.25
"""Share of the frames that is new, on average, with which carrying them serves no more: it is below
0.2 where people move before a camera, and 0.4 where a camera flies over traffic."""

_FRAMES = 24
"""Over which it is averaged."""

_COLD = 2
"""Keyframes after a change that do not tell how long one takes: one had begun, one is the first of
its size."""


class Carrying:
    """Says whether paintings are worth carrying: not while too much of what is seen is new.

    It is tried again after some seconds, twice as many each time that it fails soon.
    """

    def __init__(self, *, wait: float = 10.0, longest: float = 120.0) -> None:
        """Begin by trying; all arguments are in seconds."""
        self._shortest, self._wait, self._longest = wait, wait, longest
        self._new = 0.0
        self._again = -math.inf

    def saw(self, new: float, *, now: float) -> None:
        """Take how much of a frame was new, 0..1, at a time in seconds that does not go back."""
        if now - self._again > self._shortest:
            self._wait = self._shortest
        self._new += (new - self._new) / _FRAMES
        if self._new > _MOST_NEW:
            self._new, self._again = 0.0, now + self._wait
            self._wait = min(2 * self._wait, self._longest)

    def serves(self, *, now: float) -> bool:
        """Say whether it is to be tried at such a time."""
        return now >= self._again


class PaintBeside:
    """Paints keyframes in a thread of its own, and carries the last one to every frame.

    A frame that shows something else altogether waits for its own painting, as all do where every
    frame is painted. One that is partly new does not: it would hold up all that moves.
    """

    def __init__(self, composed: Composed) -> None:
        """Paint by ``composed``, whose effects have keyframes (`EffectsConfig`)."""
        self._composed = composed
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="stylizer-keyframes")
        self._preset: Preset | None = None
        self._work: Future[tuple[Frame, float]] | None = None
        self._begun: KeyPicture | None = None
        self._key: KeyPicture | None = None
        self._index = 0
        self._seconds = self._new = 0.0
        self._cold = _COLD

    @property
    def warm(self) -> bool:
        """Whether `seconds` is what painting a keyframe takes as it is painted now."""
        return self._cold <= 0

    def cool(self) -> None:
        """Take note that keyframes are painted in another way from now on."""
        self._cold = _COLD

    @property
    def seconds(self) -> float:
        """What the last painting took, of as many frames as it is for."""
        return self._seconds / self._composed.config.keyframes

    @property
    def new(self) -> float:
        """Share of the last frame that the last painting does not show, 0..1."""
        return self._new

    def wait(self) -> None:
        """Wait for what is being painted, so that settings may be changed; raise its error."""
        work, self._work = self._work, None
        if work is not None:
            painted, self._seconds = work.result()
            self._cold -= 1
            self._key = self._begun
            self._composed.carry_from(painted)

    def reset(self) -> None:
        """Forget all earlier frames."""
        self.wait()
        self._key = None

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame: same size, index and time.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        image, composed = check_image(frame.image), self._composed
        if composed.begins_shot(frame):
            self.reset()
            composed.begin_shot()
        if not composed.covers(frame):
            return frame.with_image(image.copy())
        search = self._make_search()
        seen = search.reduce(image)
        if self._work is not None and self._work.done():
            self.wait()
        flow = self._carry(search, seen)
        if flow is None:
            self.wait()  # what is being painted is of a later frame than what was
            flow = self._carry(search, seen)
        if flow is None:
            self._begin(frame, seen)
            self.wait()
            flow = KeyPicture(seen).flow
        elif self._work is None and self._is_due(frame):
            self._begin(frame, seen)
        return composed.finish(frame, replace(frame, flow=flow))

    def _make_search(self) -> KeySearch:
        preset = self._composed.config.coherence.preset
        if preset != self._preset:
            self._preset, self._search = preset, KeySearch(preset, hurried=True)
        return self._search

    def _carry(self, search: KeySearch, seen: Reduced) -> Flow | None:
        if self._key is None:
            return None
        flow = search(seen, self._key)
        self._new = search.new
        return flow

    def _is_due(self, frame: Frame) -> bool:
        """Say whether a frame is to be painted; indices begin anew where a camera was lost."""
        return not 0 <= frame.index - self._index < self._composed.config.keyframes

    def _begin(self, frame: Frame, seen: Reduced) -> None:
        """Begin to paint a frame; of a camera's, the next may be written over it."""
        source = frame.with_image(frame.image.copy())
        self._begun, self._index = KeyPicture.after(self._key, seen), frame.index
        self._work = self._threads.submit(self._paint, source)

    def _paint(self, source: Frame) -> tuple[Frame, float]:
        began = perf_counter()
        painted = self._composed.paint(source)
        return painted, perf_counter() - began
