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

from stylizer.base import Prepared
from stylizer.errors import ConfigError
from stylizer.frame import Frame, check_image
from stylizer.protocols import Stylizer

__all__ = ["STILL_UNDERPAINTING", "Underpaint", "check_underpainting"]

STILL_UNDERPAINTING = 0.35
"""The share that stills get where nobody asks for another one; chosen by eye."""

_BROADER = 2
"""How many times as broad its strokes are."""

_STRIDE = 8


def check_underpainting(share: float) -> None:
    """Make sure that a share is within 0 to 1.

    Raises:
      ConfigError: it is not.
    """
    if not 0.0 <= share <= 1.0:  # false for NaN too
        raise ConfigError(f"underpainting: expected 0 to 1, got {share!r}")


class Underpaint(Prepared):
    """Has frames painted that are mixed with a painting of theirs in broader strokes.

    It flickers more than one painting does, since what the first one changes the second changes on.
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

    def _change(self, frame: Frame) -> Frame:
        image = check_image(frame.image)
        width, height = (_STRIDE * math.ceil(side / _BROADER / _STRIDE) for side in frame.size)
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        first = self._painter(frame.with_image(np.asarray(small, np.uint8))).image
        broad = cv2.resize(first, frame.size, interpolation=cv2.INTER_CUBIC)
        mixed = cv2.addWeighted(image, 1.0 - self._share, broad, self._share, 0.0)
        return frame.with_image(np.asarray(mixed, np.uint8))
