"""Frames painted in finer strokes as well, and held still by themselves."""

from __future__ import annotations

from collections.abc import Callable

from stylizer.base import find, load_states, save_states
from stylizer.effects.beyond import VIDEO_MARGIN, paint_beyond
from stylizer.effects.overpainting import OverpaintFrames
from stylizer.effects.scale import PaintSmaller, enlarge_frame
from stylizer.effects.underdrawing import underdraw
from stylizer.frame import Frame, Image
from stylizer.protocols import State, Stylizer
from stylizer.temporal.coherence import Coherence, CoherenceConfig
from stylizer.temporal.follow_camera import follow_camera

__all__ = ["PaintMoving", "paint_moving"]


def paint_moving(painter: Stylizer, config: CoherenceConfig, underdrawing: float) -> PaintMoving:
    """Return what paints frames in finer strokes, and holds them still.

    Args:
      painter: paints frames of any size, and remembers none.
      config: how they are held still.
      underdrawing: strength of `stylizer.effects.underdrawing.draw_contours`.
    """
    beyond = paint_beyond(underdraw(painter, underdrawing), margin=VIDEO_MARGIN)
    return PaintMoving(beyond, enlarge_frame, config)


class PaintMoving:
    """Paints frames at sizes that are asked for; paints for `stylizer.effects.finer.FinerStrokes`.

    It is a `stylizer.protocols.Resumable`. Frames come in their order, some may be left out.

    Attributes:
      enlarge: brings a painting to a size of (width, height).
    """

    def __init__(
        self,
        painter: Stylizer,
        enlarge: Callable[[Frame, tuple[int, int]], Image],
        config: CoherenceConfig,
    ) -> None:
        """Paint with ``painter``, which paints frames of any size and remembers none."""
        self.enlarge = enlarge
        self._smaller = PaintSmaller(painter)
        self._painter = follow_camera(self._smaller)
        self._coherence = Coherence()
        self.configure(config)

    def configure(self, config: CoherenceConfig, *, every: int = 1) -> None:
        """Hold it still so from the next frame on, as `Coherence.configure` says."""
        self._coherence.configure(config, every=every)
        over = find(self._painter, OverpaintFrames)
        if over is not None:
            over.configure(config, every=every)

    def __call__(self, frame: Frame, size: tuple[int, int]) -> Image:
        """Return a frame, painted at a size of (width, height), at its own size.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        self._smaller.size = size
        painted = self._coherence(frame, self._painter(frame))
        return self.enlarge(painted, frame.size)

    def reset(self) -> None:
        """Forget all earlier frames."""
        self._painter.reset()
        self._coherence.reset()

    def save_state(self) -> State:
        """Return what is remembered of earlier frames."""
        return save_states({"painter": self._painter, "coherence": self._coherence})

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        load_states({"painter": self._painter, "coherence": self._coherence}, state)
