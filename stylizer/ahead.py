"""Painting ahead: the network paints the next frame while this one is still being held still.

::

    source ──▶ PaintedAhead, in the reader's thread ──queue──▶ Coherent(its painter) ──queue──▶ sink

What holds a video still needs one core, and about as long as reading and painting together. Done
one after the other in the stylizer's thread they leave cores idle.
"""

from __future__ import annotations

from collections.abc import Iterator

from stylizer.base import WrappedSource, WrappedStylizer
from stylizer.frame import Frame
from stylizer.protocols import FrameSource, Stylizer

__all__ = ["PaintedAhead"]


class PaintedAhead(WrappedSource):
    """A source whose frames are painted as they are read, for a stylizer that asks later."""

    def __init__(self, source: FrameSource) -> None:
        """Wrap ``source``; until `paint_by` is called, nothing is painted."""
        super().__init__(source)
        self._stylizer: Stylizer | None = None
        self._painted: dict[int, Frame] = {}

    def paint_by(self, stylizer: Stylizer) -> Stylizer:
        """Have frames painted by a stylizer without a memory, and return what takes its place.

        Args:
          stylizer: each frame is given to it once, in order, in the thread that reads.

        Returns:
          A stylizer that gives, for a frame of this source, what was painted; once each.
        """
        self._stylizer = stylizer
        return _Painted(stylizer, self._painted)

    def __iter__(self) -> Iterator[Frame]:
        """Give the wrapped source's frames."""
        for frame in self._source:
            if self._stylizer is not None:
                self._painted[frame.index] = self._stylizer(frame)
            yield frame


class _Painted(WrappedStylizer):
    def __init__(self, stylizer: Stylizer, painted: dict[int, Frame]) -> None:
        super().__init__(stylizer)
        self._painted = painted

    def __call__(self, frame: Frame) -> Frame:
        return self._painted.pop(frame.index)
