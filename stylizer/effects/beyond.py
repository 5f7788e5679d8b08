"""Painting beyond the borders of a picture, so that these look like the rest of it.

Networks extend what they have computed beyond the border, layer by layer, and draw ticks and rings
along it, as strokes that meet their mirror image do. What lies there is cut off.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from stylizer.base import Prepared
from stylizer.frame import Frame, check_image

__all__ = ["MARGIN", "PaintBeyond"]

MARGIN = 16
"""Pixels that are painted beyond each border; a multiple of 8, as networks take sizes."""


class PaintBeyond(Prepared):
    """Has pictures painted with their mirror image around them, and cuts that off.

    What paints takes frames of any size, and tells of no parts of them.
    """

    def _change(self, frame: Frame) -> Frame:
        image, margin = check_image(frame.image), _margin(frame)
        mirror = cv2.BORDER_REFLECT_101
        large = cv2.copyMakeBorder(image, margin, margin, margin, margin, mirror)
        return frame.with_image(np.asarray(large, np.uint8))

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame, of its size.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        return _cut(super().__call__(frame), _margin(frame))

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        """Take the next frame, and return what paints it.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        paint = super().begin(frame)
        return lambda: _cut(paint(), _margin(frame))


def _margin(frame: Frame) -> int:
    """Return how many pixels are painted beyond each border: a mirror image has no more."""
    return min(MARGIN, min(frame.size) - 1)


def _cut(painted: Frame, margin: int) -> Frame:
    """Return a painting without what lies beyond its borders."""
    height, width, _ = painted.image.shape
    inner = painted.image[margin : height - margin, margin : width - margin]
    return painted.with_image(np.ascontiguousarray(inner))
