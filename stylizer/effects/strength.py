"""How much of the painting is shown over its source."""

from __future__ import annotations

import cv2
import numpy as np

from stylizer.base import WrappedStylizer
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image, check_same_size
from stylizer.protocols import Stylizer

__all__ = ["Strength", "blend", "check_strength"]


class Strength(WrappedStylizer):
    """Mixes a stylizer's paintings with their sources; a `stylizer.protocols.Stylizer`.

    At 0 the source is given untouched and nothing is painted, at 1 the painting is.
    """

    def __init__(self, stylizer: Stylizer, strength: float) -> None:
        """Wrap ``stylizer``.

        Args:
          stylizer: what paints.
          strength: share of the painting, 0 to 1.

        Raises:
          ConfigError: the strength is out of its range.
        """
        check_strength(strength)
        super().__init__(stylizer)
        self._strength = strength

    def __call__(self, frame: Frame) -> Frame:
        """Return the mixed frame.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        source = check_image(frame.image)
        if self._strength == 0:
            return frame.with_image(source.copy())
        painted = self._stylizer(frame)
        return painted.with_image(blend(painted.image, source, strength=self._strength))


def blend(painted: Image, source: Image, *, strength: float) -> Image:
    """Return ``strength * painted + (1 - strength) * source``, rounded.

    Args:
      painted: uint8 RGB, (H, W, 3).
      source: uint8 RGB, (H, W, 3).
      strength: 0 to 1; at 1 the painting itself is returned.

    Returns:
      uint8 RGB, (H, W, 3).

    Raises:
      ConfigError: the strength is out of its range, or not two uint8 RGB pictures of one size.
    """
    check_strength(strength)
    check_same_size(painted, source)
    if strength == 1:
        return painted
    return np.asarray(cv2.addWeighted(painted, strength, source, 1 - strength, 0), np.uint8)


def check_strength(strength: float) -> None:
    """Make sure that a strength is within 0 to 1.

    Raises:
      ConfigError: it is not.
    """
    if not 0 <= strength <= 1:
        raise ConfigError(
            f"strength: expected 0 (the source) to 1 (the painting), got {strength:g}"
        )
