"""Where parts of a picture are that have styles of their own, found before it is painted.

So it is found once, in the picture itself, for all that paints it: in broad strokes first, beyond
its borders, and in finer strokes.
"""

from __future__ import annotations

from dataclasses import replace

from stylizer.base import Prepared, find
from stylizer.frame import Frame
from stylizer.protocols import PartsFinder, Stylizer

__all__ = ["FindParts", "find_parts_before"]


def find_parts_before(painter: Stylizer) -> Stylizer:
    """Return a painter whose frames are told where their parts are; itself if it has none."""
    finder = find(painter, PartsFinder)
    return painter if finder is None or not finder.divides else FindParts(painter, finder)


class FindParts(Prepared):
    """Has frames painted that say where their parts are."""

    def __init__(self, stylizer: Stylizer, finder: PartsFinder) -> None:
        """Wrap ``stylizer``, which remembers what the finder does."""
        super().__init__(stylizer)
        self._finder = finder

    def change(self, frame: Frame) -> Frame:
        """Return the frame, told where its parts are."""
        if frame.parts is not None:
            return frame
        return replace(frame, parts=self._finder.find_parts(frame))
