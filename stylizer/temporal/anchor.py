"""A guard against drift: over a long shot, colors keep to what they were at its start."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.errors import ConfigError
from stylizer.frame import Image
from stylizer.protocols import State

__all__ = ["ColorAnchor"]

Picture = npt.NDArray[np.float32]
_SMALLEST = 1.0
"""Gray levels: a channel that is flatter than this is not stretched."""


@dataclass(frozen=True, slots=True)
class _Statistics:
    """Mean and standard deviation of each channel, (3,), of colors as they are coded (sRGB)."""

    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]

    @classmethod
    def of(cls, picture: Image | Picture) -> _Statistics:
        mean, deviation = cv2.meanStdDev(picture)
        return cls(np.asarray(mean[:, 0], np.float64), np.asarray(deviation[:, 0], np.float64))

    def distance(self, other: _Statistics) -> float:
        gaps = np.abs(self.mean - other.mean), np.abs(self.deviation - other.deviation)
        return float(max(gap.max() for gap in gaps))


class ColorAnchor:
    """Holds mean and deviation of each channel (RGB as coded, 0..255) near those of a shot's start.

    A stylizer that goes on from its last frame may darken or gain contrast a little with each. Each
    frame the colors are brought back by a small share of what they have strayed. Once the source's
    own colors have moved, what was painted may move too: the anchor is set anew.
    """

    def __init__(self, *, rate: float = 0.1, holds: float = 6.0) -> None:
        """Set the strength.

        Args:
          rate: share of the way back that is taken a frame, 0..1; 0 for no correction.
          holds: gray levels by which a mean or deviation of the source may move before the anchor
            is set anew.

        Raises:
          ConfigError: one is out of its range.
        """
        if not 0.0 <= rate <= 1.0:
            raise ConfigError(f"rate: expected 0..1, got {rate!r}")
        if not (math.isfinite(holds) and holds > 0):
            raise ConfigError(f"holds: expected a number above 0, got {holds!r}")
        self._rate, self._holds = rate, holds
        self._anchor: tuple[_Statistics, _Statistics] | None = None

    def reset(self) -> None:
        """Forget the anchor: the next frame sets it."""
        self._anchor = None

    def save_state(self) -> State:
        """Return what it remembers, for a `stylizer.protocols.Resumable`."""
        if self._anchor is None:
            return {}
        return {"anchor": np.array([[part.mean, part.deviation] for part in self._anchor])}

    def load_state(self, state: State) -> None:
        """Remember what another one did; nothing of an empty state."""
        self._anchor = None
        if state:
            here, seen = (_Statistics(*part) for part in state["anchor"])
            self._anchor = here, seen

    def __call__(self, painted: Picture, source: Image) -> Picture:
        """Return the picture with its colors brought back.

        Args:
          painted: float32, (H, W, 3), 0..255.
          source: what it was painted from, uint8 RGB, (H, W, 3).

        Returns:
          float32, (H, W, 3), 0..255.
        """
        if self._rate == 0.0:
            return painted
        here, seen = _Statistics.of(painted), _Statistics.of(source)
        if self._anchor is None or self._anchor[1].distance(seen) > self._holds:
            self._anchor = here, seen
            return painted
        there = self._anchor[0]
        stretch = (there.deviation + _SMALLEST) / (here.deviation + _SMALLEST)
        gain = 1.0 + self._rate * (stretch - 1.0)
        mean = here.mean + self._rate * (there.mean - here.mean)
        affine = np.column_stack([np.diag(gain), mean - gain * here.mean])
        corrected = np.asarray(cv2.transform(painted, affine), np.float32)
        return np.clip(corrected, 0.0, 255.0, out=corrected)
