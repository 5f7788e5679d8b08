"""Where a job's segments end: what the frames alone decide, for whoever paints them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stylizer.errors import ConfigError

__all__ = ["Divider", "DivisionConfig"]

_REST = 8
"""A segment that ends at a cut has this share of what is left at the most, so that several workers
come to the end together."""


@dataclass(frozen=True, kw_only=True)
class DivisionConfig:
    """Where a job is divided: at the first cut after so many frames, or after so many more.

    Where it is known how many frames there are, all of a long shot are divided evenly, and near
    the end sooner at a cut. What is in the middle of a shot is begun with a lead-in, so that the
    shot's first segment is as much longer: they take the same time.

    Attributes:
      shortest: frames before a cut is taken.
      longest: frames of a segment without a cut in the right place, about.
      first: index of the first frame of all.
      end: index after the last frame of all; None if it is not known.
      lead_in: frames that are painted before a segment in the middle of a shot, about.
      step: what segments in the middle of a shot begin at multiples of, about where they would.
      after: how many frames after these.
    """

    shortest: int = 120
    longest: int = 360
    first: int = 0
    end: int | None = None
    lead_in: int = 0
    step: int = 1
    after: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 1 <= self.shortest <= self.longest:
            raise ConfigError(
                f"shortest: expected 1 to {self.longest} frames (longest), got {self.shortest}"
            )

    @property
    def even(self) -> int:
        """Frames of a segment in the middle of a shot: such that an even number makes a film.

        Not more than the longest and an eighth; a film of less than 2/3 of the longest stays whole.
        """
        if self.end is None:
            return self.longest
        frames = self.end - self.first
        pairs = math.ceil(frames / (2.25 * self.longest))
        segments = 1 if frames < self.longest * 2 / 3 else 2 * pairs
        return max(1, math.ceil((frames - self._extra) / segments))

    @property
    def _extra(self) -> int:
        """Frames that the first segment of a shot has more."""
        return min(self.lead_in, self.longest // 2)

    def most(self, *, begins_shot: bool) -> int:
        """Return how many frames a segment has, where no cut comes."""
        return self.even + (self._extra if begins_shot else 0)

    def may_begin(self, index: int) -> bool:
        """Whether a segment in the middle of a shot may begin at a frame."""
        return (index - self.after) % self.step == 0

    def least(self, first: int) -> int:
        """Return how many frames a segment has before a cut is taken.

        Args:
          first: index of its first frame.
        """
        if self.end is None:
            return self.shortest
        return max(self.shortest // 4, min(self.shortest, (self.end - first) // _REST))

    def nearly_over(self, index: int) -> bool:
        """Whether so few frames come from one on that they are no segment of their own."""
        return self.end is not None and abs(self.end - index) < self.even / 3


class Divider:
    """Told of every frame in order, says where segments end."""

    def __init__(self, config: DivisionConfig) -> None:
        """Begin before a segment's first frame."""
        self._config = config
        self._first = self._length = self._most = 0

    def __call__(self, index: int, *, begins_shot: bool) -> bool:
        """Whether a segment ends before this frame."""
        config, length = self._config, self._length
        cut = begins_shot and length >= config.least(self._first)
        full = length >= self._most - config.step // 2 and not config.nearly_over(index)
        full = full and config.may_begin(index)
        ends = length > 0 and (cut or full)
        if ends or not length:
            self._first, self._length = index, 0
            self._most = config.most(begins_shot=begins_shot or index == config.first)
        self._length += 1
        return ends
