"""Painting beyond the borders of a picture, so that these look like the rest of it.

Networks extend what they have computed beyond the border, layer by layer, and draw ticks and rings
along it, as strokes that meet their mirror image do. What lies there is cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import cv2
import numpy as np

from stylizer.base import Prepared, divides, find
from stylizer.frame import Camera, Cameras, Frame, Image, check_image
from stylizer.protocols import Masks, PartsFinder, PreparingStylizer, Stylizer

__all__ = ["STILL_MARGIN", "VIDEO_MARGIN", "PaintBeyond", "paint_beyond"]

STILL_MARGIN, VIDEO_MARGIN = 16, 8
"""Pixels that are painted beyond each border; multiples of 8, as networks take sizes."""


def paint_beyond(painter: Stylizer, *, margin: int) -> Stylizer:
    """Have frames painted with so many pixels beyond each border.

    What finds parts of the picture as it paints them paints as it did: they are of the picture
    alone. Others are told of them (`stylizer.effects.parts`).
    """
    told = find(painter, PartsFinder) is not None
    return PaintBeyond(painter, margin=margin) if told or not divides(painter) else painter


class PaintBeyond(Prepared):
    """Has pictures painted with their mirror image around them, and cuts that off.

    What paints takes frames of any size.
    """

    def __init__(self, stylizer: Stylizer, *, margin: int) -> None:
        """Wrap ``stylizer``, and paint so many pixels beyond each border, or all there are."""
        super().__init__(stylizer)
        self._most = margin

    def prepare(self, size: tuple[int, int]) -> None:
        """Get ready for frames of (width, height), where what is wrapped can."""
        preparing = find(self._stylizer, PreparingStylizer)
        if preparing is not None:
            margin = self._margin(size)
            preparing.prepare((size[0] + 2 * margin, size[1] + 2 * margin))

    def _margin(self, size: tuple[int, int]) -> int:
        return min(self._most, min(size) - 1)  # a mirror image has no more

    def change(self, frame: Frame) -> Frame:
        """Return the frame with its mirror image around it."""
        image, margin = check_image(frame.image), self._margin(frame.size)
        larger = replace(
            frame,
            image=np.asarray(_extend(image, margin), np.uint8),
            parts=None if frame.parts is None else _extend_parts(frame.parts, frame.size, margin),
        )
        return larger.with_cameras(_of_width(frame.cameras, frame.size[0] / larger.size[0]))

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame, of its size.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        return _cut(super().__call__(frame), self._margin(frame.size), frame)

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        """Take the next frame, and return what paints it.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        paint = super().begin(frame)
        return lambda: _cut(paint(), self._margin(frame.size), frame)


def _of_width(cameras: Cameras | None, share: float) -> Cameras | None:
    """Return cameras for pictures of which the width of these is a share."""
    if cameras is None:
        return None
    return tuple((part, Camera(one.gain, share * one.shift)) for part, one in cameras)


def _extend(picture: Image | Masks, margin: int) -> Image | Masks:
    """Return a picture or a mask with its mirror image around it."""
    mirror = cv2.BORDER_REFLECT_101
    return cast(
        "Image | Masks", cv2.copyMakeBorder(picture, margin, margin, margin, margin, mirror)
    )


def _extend_parts(parts: Masks, size: tuple[int, int], margin: int) -> Masks:
    """Return where parts are, (N, h, w), in a frame of (width, height) that is extended."""
    whole = [_extend(np.asarray(cv2.resize(part, size), np.float32), margin) for part in parts]
    return np.asarray(whole, np.float32)


def _cut(painted: Frame, margin: int, frame: Frame) -> Frame:
    """Return the painting of a frame without what lies beyond its borders."""
    height, width, _ = painted.image.shape
    inner = painted.image[margin : height - margin, margin : width - margin]
    return replace(painted, image=np.ascontiguousarray(inner), parts=frame.parts)
