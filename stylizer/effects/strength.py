"""How much of the painting is shown over its source."""

from __future__ import annotations

import cv2
import numpy as np

from stylizer.base import Applied
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image, check_same_size
from stylizer.protocols import Stylizer

__all__ = ["Blend", "Strength", "blend", "check_share", "check_strength"]


class Blend:
    """Mixes paintings with their sources; a `stylizer.protocols.Effect`."""

    def __init__(self, strength: float) -> None:
        """Set the share of the painting.

        Args:
          strength: 0 (the source) to 1 (the painting).

        Raises:
          ConfigError: the strength is out of its range.
        """
        check_strength(strength)
        self._strength = strength

    def reset(self) -> None:
        """Forget earlier frames: there is nothing to forget."""

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the mixture.

        Raises:
          ConfigError: one is no uint8 RGB picture, or they differ in size.
        """
        mixed = blend(painted.image, source.image, strength=self._strength)
        return painted.with_image(mixed)


class Strength(Applied):
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
        super().__init__(stylizer, Blend(strength))
        self._paints = strength > 0

    def __call__(self, frame: Frame) -> Frame:
        """Return the mixed frame.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        source = check_image(frame.image)
        return super().__call__(frame) if self._paints else frame.with_image(source.copy())


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


def check_share(share: float, *, name: str) -> None:
    """Make sure that a share is within 0 to 1.

    Args:
      share: the value.
      name: of the setting, for the error.

    Raises:
      ConfigError: it is not.
    """
    if not 0.0 <= share <= 1.0:  # false for NaN too
        raise ConfigError(f"{name}: expected 0 to 1, got {share!r}")


def check_strength(strength: float) -> None:
    """Make sure that a strength is within 0 to 1.

    Raises:
      ConfigError: it is not.
    """
    if not 0 <= strength <= 1:
        raise ConfigError(
            f"strength: expected 0 (the source) to 1 (the painting), got {strength:g}"
        )
