"""A rate instead of settings: what gives way when painting takes too long, and comes back.

The costs of frames are noisy, and other programs come and go. So the controller looks at medians;
goes down at once, and as far as is needed; goes up after a wait, as far as there is room for; and
after each time that this was a mistake, one level at a time, and waits twice as long.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from stylizer.errors import ConfigError
from stylizer.live.levels import Level

__all__ = ["Budget", "BudgetConfig", "Turns"]


@dataclass(frozen=True, kw_only=True)
class BudgetConfig:
    """When to change the level.

    Attributes:
      fps: frames a second that are to be held, above 0.
      full: share of a frame's time that painting may take. The rest is for whoever else uses the
        cores, and keeps the latency low: a painter that is always busy paints frames that waited.
      aimed: share of it that a cheaper level is chosen for.
      spare: share of it that a better level may be expected to take.
      frames: number of newest frames that medians are taken over.
      enough: number of them that is enough for a judgement.
      few: number that is enough where each took more than twice a frame's time.
      skipped: number of frames after a change that do not count: caches are cold.
      patience: seconds for which there must be room before a better level is tried.
      longest: seconds; the most that the wait grows to.
      probation: seconds within which a better level that does not hold counts as a mistake.
      late: seconds that the painting of a keyframe may take at the cheapest level, while frames are
        shown in time all the same.
    """

    fps: float = 24.0
    full: float = 0.85
    aimed: float = 0.75
    spare: float = 0.65
    frames: int = 24
    enough: int = 8
    few: int = 3
    skipped: int = 3
    patience: float = 4.0
    longest: float = 120.0
    probation: float = 10.0
    late: float = 0.5

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if not (math.isfinite(self.fps) and 0 < self.fps <= 1000):
            raise ConfigError(f"fps: expected above 0 and at most 1000, got {self.fps!r}")
        if not 0 < self.spare <= self.aimed <= self.full <= 1:
            raise ConfigError(
                "budget: expected 0 < spare <= aimed <= full <= 1, "
                f"got {self.spare!r}, {self.aimed!r}, {self.full!r}"
            )
        if not 1 <= self.few <= self.enough <= self.frames:
            raise ConfigError(
                "budget: expected 1 <= few <= enough <= frames, "
                f"got {self.few!r}, {self.enough!r}, {self.frames!r}"
            )
        for name in ("skipped", "patience", "longest", "probation", "late"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}: expected 0 or more, got {getattr(self, name)!r}")


class Budget:
    """Told what each frame cost, says at which level to paint the next one."""

    def __init__(self, levels: Sequence[Level], config: BudgetConfig | None = None) -> None:
        """Begin at the best level.

        Args:
          levels: from the best to the cheapest, their work decreasing.
          config: None for the defaults.

        Raises:
          ConfigError: no level, or one that is not cheaper than the one before.
        """
        _check(levels)
        self._levels = tuple(levels)
        self._config = config or BudgetConfig()
        self._at = 0
        self._times: deque[float] = deque(maxlen=self._config.frames)
        self._shown: deque[float] = deque(maxlen=self._config.frames)
        self._skip = self._config.skipped
        self._wait = self._config.patience
        self._room_since: float | None = None
        self._raised: float | None = None
        self._reason: str | None = None
        self._now = 0.0
        self._short_since: float | None = None
        self._held_since: float | None = None

    @property
    def levels(self) -> tuple[Level, ...]:
        """Those that are chosen among."""
        return self._levels

    @property
    def level(self) -> Level:
        """The level to paint at."""
        return self._levels[self._at]

    @property
    def reason(self) -> str | None:
        """Why the level is not the best, or that even the cheapest is too slow; else None."""
        return self._reason

    @property
    def short(self) -> float:
        """Seconds for which even the cheapest level has been too slow; 0 where one is not."""
        return 0.0 if self._short_since is None else self._now - self._short_since

    @property
    def held(self) -> float:
        """Seconds for which the best level has held the rate; 0 where it does not."""
        return 0.0 if self._held_since is None else self._now - self._held_since

    def renew(self) -> None:
        """Begin at the best level again, as another painter paints."""
        self._raised, self._wait, self._reason = None, self._config.patience, None
        self._go_to(0)

    def choose_among(self, levels: Sequence[Level]) -> None:
        """Go on with other levels, where they cost as much as now or a little less.

        Args and errors are as at the beginning.
        """
        if tuple(levels) == self._levels:
            return
        _check(levels)
        before, self._levels = self.level, tuple(levels)
        cheaper = (n for n, level in enumerate(levels) if level.work <= before.work)
        self._at = next(cheaper, len(levels) - 1)
        if self.level is not before:
            self._go_to(self._at)

    def spent(self, seconds: float, *, now: float, beside: float = 0.0) -> Level:
        """Take what a frame cost at the present level, and return the level for the next.

        Args:
          seconds: that painting it took, or carrying a painting to it.
          now: seconds on any clock that does not go back.
          beside: a frame's share of the seconds that painting keyframes takes beside the loop.
        """
        if self._skip:
            self._skip -= 1
            return self.level
        self._now = now
        self._times.append(max(seconds, beside))
        self._shown.append(seconds)
        usual, whole = median(self._times), 1 / self._config.fps
        needed = self._config.few if min(self._times) > 2 * whole else self._config.enough
        if len(self._times) < needed:
            return self.level
        if self._raised is not None and now - self._raised > self._config.probation:
            self._raised, self._wait = None, self._config.patience
        if usual > self._config.full * whole:
            self._lower(usual, whole, now)
        else:
            self._consider_raising(usual, whole, now)
        return self.level

    def _lower(self, usual: float, whole: float, now: float) -> None:
        self._room_since = self._held_since = None
        last = len(self._levels) - 1
        share = f"{1000 * usual:.0f} of {1000 * whole:.0f} ms a frame"
        if self._at == last:
            self._consider_shown(usual, share, whole, now)
            return
        wanted = self.level.work * self._config.aimed * whole / usual
        cheaper = range(self._at + 1, last)
        chosen = next((n for n in cheaper if self._levels[n].work <= wanted), last)
        if self._raised is not None:
            self._wait = min(2 * self._wait, self._config.longest)
        self._raised = None
        self._go_to(chosen)
        self._reason = f"painting took {share}"

    def _consider_shown(self, usual: float, share: str, whole: float, now: float) -> None:
        """Say whether the cheapest level is too slow; not where only keyframes come late."""
        in_time = median(self._shown) <= self._config.full * whole
        if in_time and usual * self.level.keyframes <= self._config.late:
            self._short_since, self._reason = None, f"painting took {share}"
            return
        self._reason = f"too slow for {self._config.fps:g} fps: {share}"
        self._short_since = now if self._short_since is None else self._short_since

    def _consider_raising(self, usual: float, whole: float, now: float) -> None:
        self._short_since = None
        if self._at == 0:
            self._reason = None
            self._held_since = now if self._held_since is None else self._held_since
            return
        better = self._best_for(self._config.spare * whole / usual * self.level.work)
        if better == self._at:
            self._room_since = None
        elif self._room_since is None:
            self._room_since = now
        elif now - self._room_since >= self._wait:
            self._raised = now
            self._go_to(better)
            if self._at == 0:
                self._reason = None

    def _best_for(self, work: float) -> int:
        """Return the best level of so much work; but the next one after a mistake, or none."""
        first = 0 if self._wait <= self._config.patience else self._at - 1
        levels = range(first, self._at)
        return next((n for n in levels if self._levels[n].work <= work), self._at)

    def _go_to(self, number: int) -> None:
        self._at = number
        self._short_since = self._held_since = None
        self._times.clear()
        self._shown.clear()
        self._skip = self._config.skipped
        self._room_since = None


def _check(levels: Sequence[Level]) -> None:
    works = [level.work for level in levels]
    if not works or any(b >= a for a, b in pairwise(works)):
        raise ConfigError(f"levels: expected one or more, their work decreasing, got {works}")


class Turns:
    """Whose turn it is: a method's, or that of a quicker one, which looks different.

    Attributes:
      quick: whether it is that of the quicker one.
      slow: seconds for which even the cheapest level must be too slow before it is.
      ease: seconds for which the quicker one must be at its best before it is the method's again;
        twice as many each time.
    """

    def __init__(self, *, slow: float = 10.0, ease: float = 60.0) -> None:
        """Begin with the method."""
        self.quick, self.slow, self.ease = False, slow, ease

    def ended(self, budget: Budget) -> bool:
        """Say whether the other one is to be next, by the budget of this one."""
        if self.quick:
            return budget.held >= self.ease
        return 0 < self.slow <= budget.short

    def change(self) -> None:
        """Go on to the other one."""
        if self.quick:
            self.ease *= 2
        self.quick = not self.quick
