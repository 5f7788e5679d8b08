"""From pictures at any times to pictures at a constant rate, and the search for that rate.

Everything here is exact: times and rates are fractions.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from stylizer.errors import SourceError

__all__ = ["at_constant_rate", "find_rate", "fits_rate", "snap_rate"]

Item = TypeVar("Item")

MAX_GAP = 30 * 3600
"""Seconds for which one picture may stand: a longer gap is a broken time stamp, as for ffmpeg."""

_NTSC = tuple(Fraction(whole * 1000, 1001) for whole in (12, 15, 24, 30, 48, 60, 120, 240))
_HALF = Fraction(1, 2)


def at_constant_rate(
    pictures: Iterable[tuple[Item, Fraction, Fraction]],
    rate: Fraction,
    *,
    origin: Fraction | None = None,
    begin: int = 0,
) -> Iterator[Item]:
    """Give pictures at a constant rate, each as near to its time as can be.

    Frame n of the output stands at n / rate. A picture is shown from the frame nearest its time
    (as ffmpeg's filter ``fps`` does) until the next one's: it is repeated, or dropped when both
    are the same frame. At least one frame comes of at least one picture.

    Args:
      pictures: (picture, time, duration), seconds, in the order of time; only the last duration
        counts. A picture that stands before its forerunner replaces it.
      rate: frames per second.
      origin: the time that is zero for the output; None for the first picture's.
      begin: the first frame to give. Those before it are passed over, and the pictures before the
        one that stands there may be left out.

    Raises:
      SourceError: a gap of more than `MAX_GAP` seconds, which only broken time stamps have.
    """
    given = begin
    held: Item | None = None
    before: Fraction | None = None
    end = Fraction(0)
    for item, time, duration in pictures:
        origin = time if origin is None else origin
        moment = time - origin
        before = moment if before is None else before
        _check_gap(before, moment)
        before = max(before, moment)
        until = math.floor(moment * rate + _HALF)
        if held is not None:
            yield from (held for _ in range(given, until))
        given = max(given, until)
        held, end = item, max(end, moment + duration)
    if held is not None and before is not None:
        _check_gap(before, end)
        until = max(math.floor(end * rate + _HALF), 1)
        yield from (held for _ in range(given, until))


def _check_gap(before: Fraction, after: Fraction) -> None:
    if after - before > MAX_GAP:
        raise SourceError(
            f"the time stamps jump from {float(before):.3f} s to {float(after):.3f} s; they are "
            "broken: rewrite the file with another program first"
        )


def snap_rate(rate: Fraction | float, *, tolerance: float = 2e-4) -> Fraction:
    """Return the usual rate (a whole number, or 1000/1001 of one) nearest to ``rate``.

    Args:
      rate: frames per second, above 0.
      tolerance: how far off the usual rate may be, relative; 24 and 24000/1001 differ by 1e-3.

    Returns:
      The usual rate when it is that near, otherwise ``rate`` as a fraction below 1e6.
    """
    exact = Fraction(rate)
    return _usual_rate(exact, tolerance) or exact.limit_denominator(1_000_000)


def _usual_rate(rate: Fraction, tolerance: float) -> Fraction | None:
    usual = (*_NTSC, Fraction(max(1, round(rate))), Fraction(25, 2), Fraction(15, 2))
    nearest = min(usual, key=lambda candidate: abs(candidate - rate))
    return nearest if abs(nearest - rate) <= tolerance * rate else None


def fits_rate(times: Sequence[Fraction], rate: Fraction) -> bool:
    """Tell whether picture n stands at n / rate for every n, to within 0.4 of a frame.

    So much is allowed because containers round times (Matroska: to 1 ms) and cameras jitter; each
    picture then still has a frame of its own.
    """
    return all(
        abs((time - times[0]) * rate - index) <= Fraction(2, 5) for index, time in enumerate(times)
    )


def find_rate(
    times: Sequence[Fraction], stated: Sequence[Fraction], *, tick: Fraction = Fraction(0)
) -> tuple[Fraction, bool]:
    """Find the constant rate at which pictures are best shown.

    Args:
      times: of the pictures in seconds, ascending; as many as are known.
      stated: rates that the file states, the most trusted first.
      tick: the unit in which the file counts time, seconds.

    Returns:
      The rate, and whether the pictures come at a variable one. A stated rate (made exact by
      `snap_rate`) wins when the times fit it, then that of the most usual distance between
      pictures. Where neither fits, the rate is that of the fastest motion that lasts, so that
      slides with an animation among them move as they did. Rates of distances are the nearest
      usual ones within 1 %, or the next whole number up.
    """
    candidates = [snap_rate(rate) for rate in stated if 0 < rate <= 1000]
    steps = [after - before for before, after in pairwise(times)]
    steps = [step for step in steps if step > 0]
    if not steps:
        return (candidates[0] if candidates else Fraction(25)), False
    middle = statistics.median_low(steps)
    usual = _rate_of(middle, steps, tick)
    for candidate in (*candidates, usual):
        if fits_rate(times, candidate):
            return candidate, False
    fastest = _fastest(steps, tick)
    pace = fastest if fastest < _FASTER * middle else middle
    # Where a tick is a picture, as in AVI, two ticks are a picture that is missing.
    return _rate_of(pace, steps, tick if tick < pace else Fraction(0)), True


def _rate_of(distance: Fraction, steps: Sequence[Fraction], tick: Fraction) -> Fraction:
    """Return the rate of the steps that are about as long as ``distance``, a usual one if near."""
    near = [step for step in steps if abs(step - distance) <= distance / 10 + tick] or [distance]
    typical = min(len(near) / sum(near, Fraction(0)), Fraction(240))
    return _usual_rate(typical, 1e-2) or Fraction(math.ceil(typical))


_LASTING_STEPS, _LASTING_TIME = 12, Fraction(1, 5)
"""What a motion that lasts has, steps and seconds."""

_FASTER = Fraction(9, 10)
"""Share of the most usual distance below which motion counts as faster, and not as uneven."""


def _fastest(steps: Sequence[Fraction], tick: Fraction) -> Fraction:
    """Return the distance between pictures where they come fastest, for one step in fifty."""
    paces = sorted(_pace(run, tick) for run in _runs(steps))
    return paces[len(paces) // 50]


def _runs(steps: Sequence[Fraction]) -> list[Sequence[Fraction]]:
    """Return all runs of steps that are just long enough for a motion; if none is, all steps."""
    runs: list[Sequence[Fraction]] = []
    end, span = 0, Fraction(0)
    for begin, step in enumerate(steps):
        while end - begin < _LASTING_STEPS or span < _LASTING_TIME:
            if end == len(steps):
                return runs or [steps]
            span += steps[end]
            end += 1
        runs.append(steps[begin:end])
        span -= step
    return runs


def _pace(run: Sequence[Fraction], tick: Fraction) -> Fraction:
    """Return the distance between pictures that a run of steps is made of.

    That is their median if all are multiples of it, else at least their mean; and in any case one
    that fills a quarter of the time, which pictures at the heels of a late one do not.
    """
    middle = statistics.median_low(run)
    slack = middle / 10 + min(tick, middle / 10)
    whole = all(abs(step - round(step / middle) * middle) <= slack for step in run)
    total = sum(run, Fraction(0))
    pace = middle if whole else max(middle, total / len(run))
    if 4 * sum(step for step in run if step <= pace * 3 / 2) >= total:
        return pace
    passed = Fraction(0)
    for step in sorted(run):
        passed += step
        if 2 * passed >= total:
            return step  # it stands at half of the time
    return pace
