"""A first painting in broad strokes under the one that is seen, as painters begin.

A network's strokes are so many pixels long, so that nothing in a painting is much larger than they
are. Painted small first, a picture has strokes twice as broad and lines twice as long; mixed with
the picture, that leads the strokes of the painting that is seen. It is what going from coarse to
fine is in the optimization (Gatys et al. 2017, section 6), in two passes of a network.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from stylizer.base import Prepared, find, load_states, save_states
from stylizer.effects.strength import check_share
from stylizer.frame import Frame, check_image
from stylizer.protocols import PreparingStylizer, Repainter, State, Stylizer
from stylizer.temporal.coherence import Coherence, CoherenceConfig

__all__ = [
    "STILL_UNDERPAINTING",
    "VIDEO_UNDERPAINTING",
    "Underpaint",
    "check_underpainting",
    "underpaint",
]

STILL_UNDERPAINTING = 0.35
"""The share that stills get where nobody asks for another one; chosen by eye."""

VIDEO_UNDERPAINTING = 0.25
"""The share that frames of videos get: most of what is seen of it, for little more flicker."""

_BROADER = 2
"""How many times as broad its strokes are."""

_STRIDE = 8


def check_underpainting(share: float) -> None:
    """Make sure that a share is within 0 to 1.

    Raises:
      ConfigError: it is not.
    """
    check_share(share, name="underpainting")


def underpaint(painter: Stylizer, share: float) -> Stylizer:
    """Return a painter that paints frames twice; itself where the share is 0, or it cannot.

    Args:
      painter: only one that can paint a picture alone, a `stylizer.protocols.Repainter`, does.
      share: of the first painting, 0 to 1.

    Raises:
      ConfigError: the share is out of its range.
    """
    check_underpainting(share)
    alone = find(painter, Repainter)
    if share == 0 or alone is None:
        return painter
    return Underpaint(painter, painter=alone, share=share)


class Underpaint(Prepared):
    """Has frames painted that are mixed with a painting of theirs in broader strokes.

    What the first painting changes the second one changes on. So the first is held still as the
    second one is, by a `stylizer.temporal.coherence.Coherence` of its own.

    Attributes:
      on: whether it does; may be changed between frames.
    """

    def __init__(self, stylizer: Stylizer, *, painter: Stylizer, share: float) -> None:
        """Wrap ``stylizer``.

        Args:
          stylizer: what paints.
          painter: paints the first time; it remembers no frames.
          share: of the first painting, 0 to 1.

        Raises:
          ConfigError: the share is out of its range.
        """
        super().__init__(stylizer)
        check_underpainting(share)
        self._painter, self._share = painter, share
        self._coherence = Coherence(CoherenceConfig(strength=0.0))
        self.on = True

    def configure(self, coherence: CoherenceConfig, *, every: int = 1) -> None:
        """Hold the first painting so from the next frame on, as `Coherence.configure` says."""
        self._coherence.configure(coherence, every=every)

    def prepare(self, size: tuple[int, int]) -> None:
        """Get ready for frames of (width, height), where what is wrapped can."""
        preparing = find(self._stylizer, PreparingStylizer)
        if preparing is not None:
            preparing.prepare(size)
            if self.on:
                preparing.prepare(_small(size))

    def reset(self) -> None:
        """Reset the wrapped stylizer, and forget earlier frames."""
        super().reset()
        self._coherence.reset()

    def save_state(self) -> State:
        """Return what is remembered of first paintings, and by the wrapped stylizer."""
        return save_states({"coherence": self._coherence, "wrapped": self._stylizer})

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        load_states({"coherence": self._coherence, "wrapped": self._stylizer}, state)

    def change(self, frame: Frame) -> Frame:
        """Return the frame mixed with its first painting."""
        image = check_image(frame.image)
        if not self.on:
            self._coherence.reset()  # by the time it is wanted again all is of long ago
            return frame
        small = cv2.resize(image, _small(frame.size), interpolation=cv2.INTER_AREA)
        seen = frame.with_image(np.asarray(small, np.uint8))
        first = self._coherence(seen, self._painter(seen)).image
        broad = cv2.resize(first, frame.size, interpolation=cv2.INTER_CUBIC)
        mixed = cv2.addWeighted(image, 1.0 - self._share, broad, self._share, 0.0)
        return frame.with_image(np.asarray(mixed, np.uint8))


def _small(size: tuple[int, int]) -> tuple[int, int]:
    """Return the (width, height) of the first painting of a frame of ``size``."""
    width, height = (_STRIDE * math.ceil(side / _BROADER / _STRIDE) for side in size)
    return width, height
