from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylizer.errors import SourceError
from stylizer.io.media.retime import MAX_GAP, at_constant_rate, find_rate, fits_rate, snap_rate

USUAL = [Fraction(n) for n in (1, 5, 10, 12, 15, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240)]
USUAL += [Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)]

rates = st.sampled_from([*USUAL, Fraction(750000, 71393)])
gaps = st.lists(st.integers(1, 1500), min_size=1, max_size=15)  # milliseconds


def _at(times: list[Fraction], last: Fraction) -> list[tuple[int, Fraction, Fraction]]:
    ends = [*times[1:], times[-1] + last]
    return [(n, time, end - time) for n, (time, end) in enumerate(zip(times, ends, strict=True))]


def _times(gaps: list[int]) -> list[Fraction]:
    return [Fraction(sum(gaps[:n]), 1000) for n in range(len(gaps) + 1)]


@given(gaps=gaps, rate=rates, start=st.fractions(-5, 5))
def test_each_frame_shows_the_picture_nearest_its_time(
    gaps: list[int], rate: Fraction, start: Fraction
) -> None:
    times = _times(gaps)
    shown = list(at_constant_rate(_at([time + start for time in times], 1 / rate), rate))
    assert shown == sorted(shown)
    for index, number in enumerate(shown):
        # By its definition: the last picture that begins before the frame's own half.
        due = [n for n, time in enumerate(times) if time * rate < index + Fraction(1, 2)]
        assert number == due[-1]


@given(gaps=gaps, rate=rates, last=st.integers(0, 3000))
def test_the_whole_lasts_as_long_as_before(gaps: list[int], rate: Fraction, last: int) -> None:
    times = _times(gaps)
    end = times[-1] + Fraction(last, 1000)
    count = sum(1 for _ in at_constant_rate(_at(times, Fraction(last, 1000)), rate))
    assert abs(count / rate - end) <= 1 / rate / 2 or (count == 1 and end < 1 / rate)


@given(count=st.integers(1, 100), rate=rates)
def test_a_constant_rate_stays_as_it_is(count: int, rate: Fraction) -> None:
    times = [n / rate for n in range(count)]
    assert list(at_constant_rate(_at(times, 1 / rate), rate)) == list(range(count))


def test_half_and_double() -> None:
    times = [Fraction(n, 50) for n in range(10)]
    assert list(at_constant_rate(_at(times, Fraction(1, 50)), Fraction(25))) == [0, 2, 4, 6, 8]
    times = [Fraction(n, 25) for n in range(3)]
    shown = list(at_constant_rate(_at(times, Fraction(1, 25)), Fraction(50)))
    assert sorted(shown) == [0, 0, 1, 1, 2, 2]


def test_nothing_gives_nothing() -> None:
    assert list(at_constant_rate([], Fraction(25))) == []


def test_a_picture_out_of_order_replaces_its_forerunner() -> None:
    pictures = [(n, Fraction(t, 10), Fraction(1, 10)) for n, t in enumerate([0, 2, 1, 3])]
    assert list(at_constant_rate(pictures, Fraction(10))) == [0, 0, 2, 3]


def test_broken_time_stamps_end_in_an_error_and_not_in_a_million_frames() -> None:
    times = [Fraction(0), Fraction(MAX_GAP + 10)]
    with pytest.raises(SourceError, match="time stamps jump"):
        list(at_constant_rate(_at(times, Fraction(1)), Fraction(25)))


@given(rate=st.sampled_from(USUAL))
def test_a_float_becomes_the_exact_rate(rate: Fraction) -> None:
    assert snap_rate(float(rate)) == rate
    assert snap_rate(round(float(rate), 2)) == rate


def test_an_unusual_rate_is_kept() -> None:
    assert snap_rate(Fraction(750000, 71393)) == Fraction(750000, 71393)


@given(rate=st.sampled_from(USUAL), count=st.integers(2, 200))
def test_times_rounded_to_milliseconds_are_still_constant(rate: Fraction, count: int) -> None:
    times = [Fraction(round(n / rate * 1000), 1000) for n in range(count)]
    assert fits_rate(times, rate)
    assert find_rate(times, [rate], tick=Fraction(1, 1000)) == (rate, False)


@pytest.mark.parametrize("rate", [24, 25, 30, 50, 60])
def test_a_wrongly_stated_rate_is_not_believed(rate: int) -> None:
    times = [Fraction(round(n * 1000 / rate), 1000) for n in range(300)]
    stated = [Fraction(1000), Fraction(90000)]
    assert find_rate(times, stated, tick=Fraction(1, 1000)) == (Fraction(rate), False)


def test_a_variable_rate() -> None:
    # A screen recording: 60 a second while something moves, and long rests.
    times = [Fraction(n, 60) for n in range(50)] + [Fraction(n, 60) + 5 for n in range(50)]
    assert find_rate(times, [Fraction(100, 6)]) == (Fraction(60), True)
    # Between two usual rates: the next whole number up, so that hardly a picture is lost.
    times = [Fraction(n * 97 + n % 3, 1000) for n in range(100)]
    times = [time + (2 if n > 50 else 0) for n, time in enumerate(times)]
    assert find_rate(times, []) == (Fraction(11), True)


@pytest.mark.parametrize("rate", [24, 30, 60])
@pytest.mark.parametrize("every", [1, 2, 10])
def test_the_rate_follows_the_motion_among_slides(rate: int, every: int) -> None:
    slides = [Fraction(n * every) for n in range(120)]
    motion = [slides[-1] + 1 + Fraction(round(n * 1000 / rate), 1000) for n in range(2 * rate)]
    after = [motion[-1] + every * (n + 1) for n in range(20)]
    tick = Fraction(1, 1000)
    assert find_rate([*slides, *motion], [Fraction(3)], tick=tick) == (Fraction(rate), True)
    assert find_rate([*slides, *motion, *after], [], tick=tick) == (Fraction(rate), True)


@pytest.mark.parametrize("waiting", [5, 14])
def test_a_stalled_camera_does_not_raise_the_rate(waiting: int) -> None:
    times, time = [], Fraction(0)
    for n in range(600):
        times.append(time)
        # Every 100th picture comes late, with those that waited at its heels.
        late = n % 100
        heels = 50 < late <= 50 + waiting
        time += Fraction(1, 2) if late == 50 else Fraction(2 if heels else 33, 1000)
    rate, variable = find_rate(times, [], tick=Fraction(1, 1000))
    assert variable
    assert 30 <= rate <= 31


def test_uneven_pictures_have_their_usual_rate() -> None:
    chance = random.Random(1)
    steps = [Fraction(round(90000 / 30 + chance.uniform(-270, 270)), 90000) for _ in range(1500)]
    times = [sum(steps[:n], Fraction(0)) for n in range(0, 300)]
    assert find_rate(times, [], tick=Fraction(1, 90000))[0] == 30


def test_a_missing_picture_does_not_slow_down_what_counts_time_in_pictures() -> None:
    times = [Fraction(n, 25) for n in range(31) if n != 1]
    assert find_rate(times, [Fraction(25)], tick=Fraction(1, 25)) == (Fraction(25), True)


def test_one_picture_has_the_rate_that_is_stated() -> None:
    assert find_rate([Fraction(0)], [Fraction(30)]) == (Fraction(30), False)
    assert find_rate([], []) == (Fraction(25), False)
