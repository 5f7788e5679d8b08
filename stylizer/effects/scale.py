"""Painting at a smaller size: strokes grow, and time is saved; an effect brings back the size."""

from __future__ import annotations

from stylizer.base import WrappedStylizer
from stylizer.frame import Frame, check_image
from stylizer.io.resize import resize_image
from stylizer.protocols import Stylizer

__all__ = ["Enlarge", "PaintSmaller"]


class PaintSmaller(WrappedStylizer):
    """Has frames painted at another size; what it gives has that size, until `Enlarge` comes.

    Attributes:
      size: (width, height) in pixels; None for each frame's own. May be changed between frames.
    """

    def __init__(self, stylizer: Stylizer, *, size: tuple[int, int] | None = None) -> None:
        """Wrap ``stylizer``."""
        super().__init__(stylizer)
        self.size = size

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame, of the size set.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        image = check_image(frame.image)
        return self._stylizer(frame.with_image(resize_image(image, self.size or frame.size)))


class Enlarge:
    """Brings paintings to the size of their sources; a `stylizer.protocols.Effect`."""

    def reset(self) -> None:
        """Forget earlier frames: there is nothing to forget."""

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting at the source's size."""
        return painted.with_image(resize_image(painted.image, source.size))
