"""Only the person painted, or only what is behind: a mask chooses between painting and source.

Masks are float32 (h, w), 0..1, 1 where there is a person; they cover the frame and may be smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.base import WrappedStylizer
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.protocols import Stylizer

__all__ = ["Mask", "Part", "PersonFinder", "Region", "RegionConfig"]

Mask = npt.NDArray[np.float32]
Part = Literal["person", "background"]


class PersonFinder(Protocol):
    """Says where there is a person."""

    @property
    def notice(self) -> str | None:
        """What the user must be told, or asked to do; None for nothing."""
        ...

    def __call__(self, frame: Frame) -> Mask:
        """Return the mask of a frame."""
        ...

    def reset(self) -> None:
        """Forget all earlier frames."""
        ...


@dataclass(frozen=True, kw_only=True)
class RegionConfig:
    """What is painted, and how its edge looks.

    Attributes:
      part: the person, or the background.
      memory: share of the last mask in each new one, 0..1: a calm edge, which follows later.
      feather: width of the soft edge, as a share of the frame's shorter side; 0 for a hard one.
    """

    part: Part = "person"
    memory: float = 0.4
    feather: float = 0.01

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if self.part not in get_args(Part):
            raise ConfigError(
                f"part: expected one of {', '.join(get_args(Part))}, got {self.part!r}"
            )
        if not 0.0 <= self.memory < 1.0:
            raise ConfigError(f"memory: expected 0 or more and less than 1, got {self.memory!r}")
        if not (math.isfinite(self.feather) and 0.0 <= self.feather <= 0.5):
            raise ConfigError(f"feather: expected 0..0.5, got {self.feather!r}")


class Region(WrappedStylizer):
    """Wraps a stylizer; itself one. Where there is nothing to paint, nothing is painted."""

    def __init__(
        self, stylizer: Stylizer, finder: PersonFinder, config: RegionConfig | None = None
    ) -> None:
        """Wrap ``stylizer``.

        Args:
          stylizer: what paints.
          finder: finds the person.
          config: None for the defaults.
        """
        super().__init__(stylizer)
        self._finder, self._config = finder, config or RegionConfig()
        self._mask: Mask | None = None

    @property
    def notice(self) -> str | None:
        """What the user must be told, or asked to do; None for nothing."""
        return self._finder.notice

    def reset(self) -> None:
        """Forget all earlier frames; the stylizer's and the finder's too."""
        super().reset()
        self._finder.reset()
        self._mask = None

    def __call__(self, frame: Frame) -> Frame:
        """Return the frame, painted in part: same size, index and time.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        source = check_image(frame.image)
        share = self._share(frame)
        if not share.any():
            return frame.with_image(source.copy())
        painted = self._stylizer(frame)
        return painted.with_image(_mix(painted.image, source, share))

    def _share(self, frame: Frame) -> Mask:
        """Return which share of each pixel is paint, float32 (H, W)."""
        mask, config = self._finder(frame), self._config
        if self._mask is not None and self._mask.shape == mask.shape:
            mask = (1 - config.memory) * mask + config.memory * self._mask
            mask[mask < 1 / 255] = 0.0
        self._mask = mask
        full = np.asarray(cv2.resize(mask, frame.size), np.float32).reshape(frame.size[::-1])
        side = round(config.feather * min(frame.size))
        if side > 0:
            full = np.asarray(cv2.blur(full, (side, side)), np.float32).reshape(full.shape)
        return full if config.part == "person" else 1 - full


def _mix(painted: Image, source: Image, share: Mask) -> Image:
    mixed = cv2.blendLinear(painted, source, share, 1 - share)
    return np.asarray(mixed, np.uint8).reshape(source.shape)
