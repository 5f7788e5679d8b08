"""The levels at which a stream can be painted, from the best to the cheapest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from stylizer.errors import ConfigError
from stylizer.temporal.flow import Preset
from stylizer.temporal.keyframes import check_keyframes

__all__ = ["Level", "choose_levels", "fast_levels", "gatys_levels", "least_scale"]

_SCALES = (1.0, 0.87, 0.75, 0.65, 0.56, 0.48, 0.42, 0.36, 0.3, 0.25)
"""Of the sides: each has about three quarters of the pixels of the one before."""

_LEAST, _STRIDE = 160, 8
"""Pixels: no shorter side is made less than the first, at which a person before a camera can still
be told from what is behind, and strokes are strokes; sides are multiples of the second."""

_FIXED = 0.4
"""Work that does not depend on the size that is painted, in units of that which does at full size:
enlarging, holding still, laying faces in."""

_CARRYING = 0.15
"""Work of carrying a painting along, in the same units."""

_CARRIED = ((2, 1.0, 0.8), (3, 1.0, 0.8), (4, 1.0, 0.0))
"""Every how many frames one is painted, and the largest and least scale at which it is so. Painted
at 0.65 of the sides, every other frame costs as much as every fourth at all of them, and shows
neither hands nor what is written on a badge."""

_OPTIMIZED = ((2, 1.0, 0.6), (3, 0.8, 0.5), (4, 0.6, 0.0))
"""The same of the optimization, which goes on from the last painting: few iterations do not follow
what four frames have moved."""

_SINGLE = 0.56
"""The largest scale at which one iteration is enough."""

_WHOLE = 0.7
"""The least scale at which all frames are painted where paintings may be carried."""

_UNDERPAINTING = 0.3
"""Work of a first painting in broader strokes, and of holding it still, in the same units."""

_HANDS = 0.5
"""Work of finding and painting two hands by themselves, in the same units."""

_FLOWS = {"medium": 0.1, "fast": 0.02, "ultrafast": 0.0}
"""Work of the optical flow, in the same units."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """How much is given to a frame.

    Attributes:
      scale: of the sides of the picture that is painted, above 0, at most 1.
      flow: the preset of the optical flow.
      iterations: of the optimization; None where there is none.
      keyframes: every how many frames one is painted, 1 or more.
      underpainting: whether those are painted in broader strokes before, where that is wished for.
      hands: whether hands are kept, where that is wished for.
      work: what a frame costs in comparison with the other levels; only its ratios count.
    """

    scale: float = 1.0
    flow: Preset = "fast"
    iterations: int | None = None
    keyframes: int = 1
    underpainting: bool = False
    hands: bool = False
    work: float = 1.0

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if not 0.0 < self.scale <= 1.0:
            raise ConfigError(f"scale: expected above 0 and at most 1, got {self.scale!r}")
        if self.iterations is not None and self.iterations < 1:
            raise ConfigError(f"iterations: expected 1 or more, got {self.iterations!r}")
        check_keyframes(self.keyframes)
        if not self.work > 0.0:
            raise ConfigError(f"work: expected a number above 0, got {self.work!r}")

    def fit(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the (width, height) to paint a frame of ``size`` at.

        If that is less than the whole, sides are multiples of 8, which networks take as they are.
        """
        if self.scale == 1.0 or min(size) <= _LEAST:
            return size
        scale = max(self.scale, least_scale(size))
        return _STRIDE * round(scale * size[0] / _STRIDE), _STRIDE * round(
            scale * size[1] / _STRIDE
        )


def least_scale(size: tuple[int, int]) -> float:
    """Return the least share of the sides that pictures of (width, height) are painted at, 0..1."""
    return min(1.0, _LEAST / min(size))


def fast_levels(
    flow: Preset,
    *,
    keyframes: int = 1,
    most: int = 1,
    underpainting: bool = False,
    hands: bool = False,
) -> tuple[Level, ...]:
    """Return all levels of the fast network; `choose_levels` says which of them serve at a time.

    Underpainting and the flow's quality give way first, then hands, size and frames that are
    painted. Hands are kept at full size alone: in a smaller painting fingers are lost again.

    Args:
      flow: the best preset.
      keyframes: every how many frames one is painted, at best.
      most: the same at worst; what is less than ``keyframes`` counts for as much.
      underpainting: whether frames are painted in broader strokes before, at best.
      hands: whether hands are kept, at best.
    """
    presets: tuple[Preset, ...] = get_args(Preset)[::-1]
    presets = presets[presets.index(flow) :]
    steps = [(1.0, preset, keyframes) for preset in presets]
    steps += [(scale, presets[-1], every) for scale, every in _sizes(_CARRIED, keyframes, most)]
    levels = [
        Level(
            scale=scale,
            flow=preset,
            keyframes=every,
            work=_share(_FIXED + scale * scale + _FLOWS[preset], every),
        )
        for scale, preset, every in steps
    ]
    if underpainting:
        work = _share(_FIXED + 1.0 + _FLOWS[flow] + _UNDERPAINTING, keyframes)
        levels.append(replace(levels[0], underpainting=True, work=work))
    if hands:
        levels += [
            replace(level, hands=True, work=level.work + _HANDS / level.keyframes)
            for level in levels
            if level.scale == 1.0
        ]
    return _sort(levels)


def choose_levels(
    levels: Sequence[Level], *, least: float = 0.0, carried: bool = True
) -> tuple[Level, ...]:
    """Return the levels that serve, one or more, from the best to the cheapest.

    Args:
      levels: all of them.
      least: share of the sides; the smallest that a picture is to be painted at (`least_scale`).
      carried: whether paintings can be carried from one frame to others.
    """
    every = min(level.keyframes for level in levels)
    several = carried and any(level.keyframes > every for level in levels)

    def serves(level: Level) -> bool:
        if level.scale < least:
            return False
        if level.keyframes > every:
            return carried
        return not several or level.scale >= _WHOLE

    return tuple(level for level in levels if serves(level)) or tuple(levels[:1])


def gatys_levels(
    flow: Preset, iterations: int, *, keyframes: int = 1, most: int = 1
) -> tuple[Level, ...]:
    """Return all levels of the optimization, as `fast_levels` does of the fast network.

    Iterations give way first, down to two: two iterations of a smaller picture show more paint than
    one of a larger. Only at about half of the sides, the second one goes too.

    Args:
      flow: the preset, which stays: beside the iterations it costs nothing.
      iterations: the most a frame.
      keyframes: every how many frames one is painted, at best.
      most: the same at worst; what is less than ``keyframes`` counts for as much.
    """
    few = min(2, iterations)
    steps = [(1.0, count, keyframes) for count in range(few, iterations + 1)]
    for scale, every in _sizes(_OPTIMIZED, keyframes, most):
        counts = {few} if scale > _SINGLE else {few, 1} if scale == _SINGLE else {1}
        steps += [(scale, count, every) for count in counts]
    return _sort(
        Level(
            scale=scale,
            flow=flow,
            iterations=count,
            keyframes=every,
            hands=scale == 1.0,  # which takes little beside an optimization
            work=_share(_FIXED + count * scale * scale, every),
        )
        for scale, count, every in steps
    )


def _sizes(
    carried: Sequence[tuple[int, float, float]], keyframes: int, most: int
) -> list[tuple[float, int]]:
    """Return scales, with every how many frames one is painted at them."""
    sizes = [(scale, keyframes) for scale in _SCALES]
    for every, largest, least in carried:
        if keyframes < every <= most:
            sizes += [(scale, every) for scale in _SCALES if least <= scale <= largest]
    return sizes


def _share(work: float, every: int) -> float:
    """Return a frame's share of the work of painting one in ``every``."""
    return work / every + _CARRYING if every > 1 else work


def _sort(levels: Iterable[Level]) -> tuple[Level, ...]:
    return tuple(sorted(set(levels), key=lambda level: level.work, reverse=True))
