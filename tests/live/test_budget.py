"""The budget, against painters whose costs are known: noisy, too slow, disturbed by others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from stylizer.errors import ConfigError
from stylizer.live.budget import Budget, BudgetConfig, Turns
from stylizer.live.levels import (
    Level,
    choose_levels,
    fast_levels,
    gatys_levels,
    least_scale,
)
from stylizer.temporal.flow import Preset

Load = Callable[[float], float]


class Machine:
    """Paints frames one after the other at 30 a second at most; its clock is its own."""

    def __init__(self, budget: Budget, *, full: float, noise: float = 0.15) -> None:
        self.budget, self.full, self.noise = budget, full, noise
        self.now = 100.0
        self.random = np.random.default_rng(7)
        self.levels: list[tuple[float, Level]] = []
        self.changes = 0

    def cost(self, level: Level, load: float) -> float:
        """What a frame takes: in proportion to its pixels, with a part that is not."""
        whole = self.full * (0.05 + 0.95 * level.scale**2) * (level.iterations or 1) * load
        slip = 4.0 if self.random.random() < 0.03 else 1.0  # now and then another program comes by
        whole /= level.keyframes
        return float(whole * slip * self.random.lognormal(0, self.noise))

    def run(self, seconds: float, load: Load = lambda now: 1.0) -> list[float]:
        """Paint for some seconds, and return what each frame took."""
        costs, end = [], self.now + seconds
        while self.now < end:
            before = self.budget.level
            costs.append(self.cost(before, load(self.now)))
            self.now += max(costs[-1], 1 / 30)
            after = self.budget.spent(costs[-1], now=self.now)
            self.changes += after is not before
            self.levels.append((self.now, after))
        return costs


def test_what_is_quick_enough_stays_at_its_best() -> None:
    machine = Machine(Budget(fast_levels("fast")), full=0.02)
    machine.run(120)
    assert machine.changes == 0
    assert machine.budget.reason is None


@pytest.mark.parametrize("full", [0.05, 0.08, 0.15, 0.3])
def test_the_rate_holds_within_two_seconds_and_no_level_is_hunted(full: float) -> None:
    machine = Machine(Budget(fast_levels("fast")), full=full)
    machine.run(max(2.0, 30 * full))
    costs = machine.run(300)
    assert np.median(costs) < 1 / 24
    assert np.mean(np.asarray(costs) < 1 / 24) > 0.9
    assert machine.changes <= 12  # in five minutes: attempts to go up, ever rarer
    assert machine.budget.reason is not None


def test_no_more_is_given_away_than_is_needed() -> None:
    """The best level that a painter of 60 ms fits at is 0.75 of the sides (35 ms)."""
    machine = Machine(Budget(fast_levels("fast")), full=0.06, noise=0.02)
    machine.run(60)
    assert machine.budget.level.scale in (0.65, 0.75)


def test_a_load_that_comes_and_goes_is_given_way_to_and_forgotten() -> None:
    machine = Machine(Budget(fast_levels("fast")), full=0.02)
    machine.run(20)
    machine.run(20, lambda now: 3.0)
    assert machine.budget.level.scale < 1
    assert "of 42 ms" in str(machine.budget.reason)
    machine.run(90)
    assert machine.budget.level == fast_levels("fast")[0]
    assert machine.budget.reason is None


def test_after_a_short_load_the_best_level_is_back_in_one_step() -> None:
    levels = choose_levels(fast_levels("fast", most=4), least=0.4)
    machine = Machine(Budget(levels), full=0.02)
    machine.run(20, lambda now: 40.0)
    assert machine.budget.level == levels[-1]
    before = machine.changes
    machine.run(8)
    assert machine.budget.level == levels[0]
    assert machine.changes == before + 1


def test_attempts_that_fail_become_rarer() -> None:
    """A machine that is quicker than it looks at the cheap level, and so tempts to go up."""
    levels = (Level(scale=1.0, work=1.1), Level(scale=0.87, work=1.0))
    machine = Machine(Budget(levels), full=0.0)
    machine.cost = lambda level, load: 0.045 if level.scale == 1 else 0.02  # type: ignore[method-assign]
    machine.run(600)
    ups = [
        later[0]
        for earlier, later in zip(machine.levels, machine.levels[1:], strict=False)
        if later[1].scale > earlier[1].scale
    ]
    waits = np.diff(ups)
    assert len(ups) >= 4
    assert (np.diff(waits[:4]) > 0).all()
    assert len(ups) <= 10


def test_the_cheapest_level_that_is_too_slow_says_so() -> None:
    levels = fast_levels("fast")
    machine = Machine(Budget(levels), full=2.0)
    machine.run(60)
    assert machine.budget.level is levels[-1]
    assert "too slow for 24 fps" in str(machine.budget.reason)


def test_a_budget_tells_for_how_long_it_has_been_short_and_has_held() -> None:
    machine = Machine(Budget(fast_levels("fast")), full=0.5)
    machine.run(9)
    assert 0 < machine.budget.short < 9
    machine.run(20)
    assert machine.budget.short > 20
    assert machine.budget.held == 0
    machine.budget.renew()
    assert machine.budget.level == fast_levels("fast")[0]
    assert (machine.budget.short, machine.budget.reason) == (0, None)
    machine.full = 0.02
    machine.run(30)
    assert machine.budget.short == 0
    assert 25 < machine.budget.held < 30


def test_turns_change_when_one_is_short_and_the_other_has_held_each_time_later() -> None:
    turns, budget = Turns(slow=10, ease=60), Budget([Level()])
    machine = Machine(budget, full=0.5)
    for ease in (60, 120):
        machine.full = 0.5
        machine.run(8)
        assert not turns.ended(budget)
        machine.run(20)
        assert turns.ended(budget)
        turns.change()
        assert turns.quick
        budget.renew()
        machine.full = 0.02
        machine.run(ease - 20)
        assert not turns.ended(budget)
        machine.run(30)
        assert turns.ended(budget)
        turns.change()
        budget.renew()


def test_the_optimization_gives_iterations_away_before_its_size() -> None:
    machine = Machine(Budget(gatys_levels("fast", 8), BudgetConfig(fps=10)), full=0.03, noise=0.05)
    machine.run(30)
    assert machine.budget.level.scale == 1.0
    assert 2 <= (machine.budget.level.iterations or 0) < 8


def test_what_is_far_too_slow_is_not_watched_for_long() -> None:
    """Three frames of a second, after three that do not count."""
    machine = Machine(Budget(gatys_levels("fast", 4)), full=0.25)
    machine.run(60)
    best = machine.levels[0][1]
    assert [level is best for _, level in machine.levels[:7]] == [True] * 5 + [False] * 2
    assert np.median(machine.run(10)) < 1 / 24


def test_a_single_slow_frame_changes_nothing() -> None:
    levels = fast_levels("fast")
    budget = Budget(levels)
    for number in range(100):
        level = budget.spent(0.5 if number % 10 == 9 else 0.02, now=number / 24)
        assert level is levels[0]


@pytest.mark.parametrize("iterations", [1, 2, 4, 20])
def test_every_ladder_becomes_cheaper_step_by_step(iterations: int) -> None:
    for levels in (
        fast_levels("fast"),
        fast_levels("medium"),
        fast_levels("ultrafast"),
        gatys_levels("fast", iterations),
        gatys_levels("fast", iterations, most=4),
    ):
        works = [level.work for level in levels]
        assert works == sorted(set(works), reverse=True)
        assert levels[0].scale == 1.0
        assert works[-1] < 0.4 * works[0]
    assert gatys_levels("fast", iterations)[0].iterations == iterations


@pytest.mark.parametrize(
    ("scale", "size", "expected"),
    [
        (1.0, (641, 363), (641, 363)),
        (0.5, (640, 360), (320, 176)),
        (0.25, (640, 360), (288, 160)),
        (0.36, (200, 240), (160, 192)),
        (0.36, (160, 120), (160, 120)),
    ],
)
def test_working_sizes_are_multiples_of_8_but_the_whole(
    scale: float, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert Level(scale=scale).fit(size) == expected


def test_underpainting_is_for_the_best_level_alone() -> None:
    plain, twice = fast_levels("fast", most=4), fast_levels("fast", most=4, underpainting=True)
    assert twice[1:] == plain
    assert twice[0] == replace(plain[0], underpainting=True, work=twice[0].work)
    assert twice[0].work > plain[0].work
    assert not any(level.underpainting for level in plain)


def test_hands_give_way_before_the_size_does() -> None:
    plain, kept = fast_levels("fast", most=4), fast_levels("fast", most=4, hands=True)
    assert kept[0] == replace(plain[0], hands=True, work=kept[0].work)
    assert [level for level in kept if not level.hands] == list(plain)
    with_hands = [level for level in kept if level.hands]
    assert {level.scale for level in with_hands} == {1.0}
    assert {level.keyframes for level in with_hands} == {1, 2, 3, 4}
    assert all(level.hands == (level.scale == 1) for level in gatys_levels("fast", 4))


@pytest.mark.parametrize("make", [fast_levels, partial(gatys_levels, iterations=4)])
def test_no_smaller_than_a_painting(make: Callable[[Preset], tuple[Level, ...]]) -> None:
    """Where it can go no lower, it says so, and is back in as many steps as there are sizes."""
    size = (320, 240)
    budget = Budget(choose_levels(make("fast"), least=least_scale(size)))
    for step in range(100):
        budget.spent(2.0, now=float(step))
    assert min(budget.level.fit(size)) >= 160
    assert str(budget.reason).startswith("too slow")
    sizes = [budget.level.fit(size)]
    for step in range(100, 3000):
        if (now := budget.spent(0.001, now=float(step)).fit(size)) != sizes[-1]:
            sizes.append(now)
    assert sizes[-1] == size
    assert len(set(sizes)) == len(sizes)


@pytest.mark.parametrize(
    ("shown", "beside", "short"), [(0.02, 0.1, False), (0.02, 0.2, True), (0.1, 0.1, True)]
)
def test_keyframes_that_come_late_lower_the_level_and_do_not_make_the_cheapest_too_slow(
    shown: float, beside: float, short: bool
) -> None:
    budget = Budget(fast_levels("fast", most=4))
    for step in range(400):
        budget.spent(shown, now=step / 24, beside=beside)
    assert budget.level is budget.levels[-1]
    assert budget.level.keyframes == 4
    assert (budget.short > 10) is short
    assert budget.short == 0 or short
    begins = "too slow for 24 fps" if short else "painting took"
    assert str(budget.reason).startswith(begins)


def test_other_levels_begin_where_they_cost_as_much() -> None:
    levels = fast_levels("fast")
    budget = Budget(levels)
    for step in range(100):
        budget.spent(2.0, now=float(step))
    assert budget.level.scale == 0.25
    budget.choose_among(choose_levels(levels, least=0.5))
    assert budget.level.scale == 0.56
    budget.choose_among(choose_levels(levels, least=1.0))
    assert budget.level.scale == 1.0
    budget.choose_among(levels)
    assert budget.level.scale == 1.0
    with pytest.raises(ConfigError, match="one or more"):
        budget.choose_among(())


def test_frames_are_left_out_before_a_picture_is_halved_but_where_they_cannot_be_carried() -> None:
    levels = fast_levels("fast", most=4)
    works = [level.work for level in levels]
    assert works == sorted(set(works), reverse=True)
    carried, whole = (choose_levels(levels, least=0.4, carried=which) for which in (True, False))
    assert carried[0] == whole[0] == levels[0]
    assert {level.keyframes for level in whole} == {1}
    assert [level.keyframes for level in carried] == sorted(level.keyframes for level in carried)
    assert {level.keyframes for level in carried} == {1, 2, 3, 4}
    assert min(level.scale for level in carried if level.keyframes == 1) >= 0.7
    assert min(level.scale for level in carried) == min(level.scale for level in whole) == 0.42
    assert choose_levels(fast_levels("fast"), least=0.4) == whole


@pytest.mark.parametrize("keyframes", [2, 4])
def test_no_fewer_frames_are_left_out_than_was_asked_for(keyframes: int) -> None:
    levels = fast_levels("fast", keyframes=keyframes, most=4)
    for carried in (True, False):
        chosen = choose_levels(levels, carried=carried)
        assert chosen[0].keyframes == min(level.keyframes for level in chosen) == keyframes


def test_a_loaded_machine_leaves_frames_out_and_is_back_when_it_is_quiet() -> None:
    levels = choose_levels(fast_levels("fast", most=4), least=0.4)
    machine = Machine(Budget(levels), full=0.06)
    machine.run(20)
    assert (machine.budget.level.scale, machine.budget.level.keyframes) >= (0.65, 2)
    machine.full = 0.02
    machine.run(200)
    assert machine.budget.level == levels[0]


def test_settings_out_of_range_are_refused() -> None:
    for wrong in ({"fps": 0}, {"fps": float("nan")}, {"spare": 0.9}, {"enough": 0}):
        with pytest.raises(ConfigError):
            BudgetConfig(**wrong)
    with pytest.raises(ConfigError, match="decreasing"):
        Budget([Level(work=1.0), Level(work=1.0)])
    with pytest.raises(ConfigError, match="decreasing"):
        Budget([])
    for wrong in ({"scale": 0.0}, {"scale": 1.1}, {"iterations": 0}, {"work": 0.0}):
        with pytest.raises(ConfigError):
            Level(**wrong)
