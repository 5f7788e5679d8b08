"""Keyframes painted beside the loop, held up by events and never by the clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from skimage import data

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig
from stylizer.frame import Frame, Image
from stylizer.live.budget import Budget, BudgetConfig
from stylizer.live.controls import Controls, ControlSettings, OfferedStyle
from stylizer.live.keyframes import Carrying, PaintBeside
from stylizer.live.levels import Level, fast_levels, gatys_levels
from stylizer.live.painter import LivePainter
from stylizer.temporal.coherence import CoherenceConfig
from tests.stand_ins import CountingIdentity
from tests.waiting import wait_until

PATIENCE = 60.0
CONFIG = EffectsConfig(coherence=CoherenceConfig(strength=0.0), keyframes=2)


class HeldUp(CountingIdentity):
    """Gives each frame back, once it may; or fails."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()
        self.fails = False

    def __call__(self, frame: Frame) -> Frame:
        painted = super().__call__(frame)
        assert self.go.wait(PATIENCE)
        if self.fails:
            raise RuntimeError("out of paint")
        return painted

    def set_styles(self, styles: object) -> None:
        pass


@pytest.fixture
def pan() -> list[Frame]:
    config = KnownMotionConfig(size=(320, 180), speed=0.4, frame_count=12, foreground=False)
    return list(KnownMotion(data.coffee(), data.astronaut(), config))


@pytest.fixture
def painter() -> Iterator[HeldUp]:
    held = HeldUp()
    yield held
    held.go.set()


def gap(one: Image, other: Image) -> float:
    inside = np.s_[12:-12, 12:-12]
    return float(np.abs(one[inside].astype(float) - other[inside]).mean())


def test_frames_are_shown_while_one_is_painted_each_where_things_are(
    painter: HeldUp, pan: list[Frame]
) -> None:
    beside = PaintBeside(Composed(painter, CONFIG))
    np.testing.assert_array_equal(beside(pan[0]).image, pan[0].image)
    painter.go.clear()  # what follows could not be painted
    for frame in pan[1:6]:
        made = beside(frame)
        assert (made.index, made.time, made.flow) == (frame.index, frame.time, None)
        assert gap(made.image, frame.image) < 0.5 * gap(pan[0].image, frame.image)
    wait_until(lambda: painter.calls == [0, 2])
    painter.go.set()
    beside.wait()
    painter.go.clear()
    assert gap(beside(pan[6]).image, pan[6].image) < gap(pan[2].image, pan[6].image)
    wait_until(lambda: painter.calls == [0, 2, 6])
    assert beside.seconds > 0


@pytest.mark.parametrize("cuts", [True, False])
def test_what_shows_something_new_waits_for_its_own_painting(
    painter: HeldUp, pan: list[Frame], cuts: bool
) -> None:
    config = CONFIG if cuts else EffectsConfig(coherence=CONFIG.coherence, keyframes=2, cuts=None)
    beside = PaintBeside(Composed(painter, config))
    for frame in pan[:6]:
        beside(frame)
    other = np.ascontiguousarray(pan[0].image[::-1, ::-1] // 2 + 100)
    made = beside(Frame(other, 6, 0.2))
    np.testing.assert_array_equal(made.image, other)
    assert painter.calls[-1] == 6
    assert bool(painter.resets) == cuts


def test_a_place_that_shows_something_new_holds_nothing_up(
    painter: HeldUp, pan: list[Frame]
) -> None:
    beside = PaintBeside(Composed(painter, CONFIG))
    beside(pan[0])
    painter.go.clear()
    shown = pan[1].image.copy()
    shown[60:110, 100:150] = data.astronaut()[60:110, 200:250]
    made = beside(Frame(shown, 1, 1 / 30)).image
    there = np.zeros(made.shape[:2], bool)
    there[50:120, 90:160] = True
    assert gap(np.where(there[..., None], shown, made), shown) < 0.5 * gap(pan[0].image, shown)


def test_an_error_of_the_painter_is_raised_as_it_was(painter: HeldUp, pan: list[Frame]) -> None:
    beside = PaintBeside(Composed(painter, CONFIG))
    beside(pan[0])
    painter.fails = True
    with pytest.raises(RuntimeError, match="out of paint"):
        for frame in pan[1:]:
            beside(frame)
            wait_until(lambda: beside._work is None or beside._work.done())


def make(painter: HeldUp, **settings: object) -> tuple[LivePainter, Controls]:
    offered = OfferedStyle(name="one", load=lambda: ())
    changed = ControlSettings(**{"coherence": 0.0, **settings})  # type: ignore[arg-type]
    controls = Controls((offered,), settings=changed)
    budget = Budget((Level(keyframes=2),), BudgetConfig(fps=1e-3))
    return LivePainter(painter, controls, budget), controls


def test_a_live_stream_paints_at_its_level_and_all_for_strength_and_pauses(
    painter: HeldUp, pan: list[Frame]
) -> None:
    live, controls = make(painter)
    assert gap(live(pan[0]).image, pan[0].image) == 0
    for frame in pan[1:4]:
        live(frame)
        live._beside.wait()
    assert painter.calls == [0, 2]
    controls.change(strength=0.0)
    np.testing.assert_array_equal(live(pan[4]).image, pan[4].image)
    controls.change(strength=1.0, mirror=True)  # nothing is carried from before
    mirrored = np.ascontiguousarray(pan[5].image[:, ::-1])
    np.testing.assert_array_equal(live(Frame(mirrored, 5, 0.2)).image, mirrored)
    assert painter.calls == [0, 2, 5]
    assert live.state.level.keyframes == 2


def test_all_levels_have_the_keyframes_that_are_asked_for() -> None:
    for every in (1, 3):
        for levels in (
            fast_levels("fast", keyframes=every),
            gatys_levels("fast", 4, keyframes=every),
        ):
            assert {level.keyframes for level in levels} == {every}
            works = [level.work for level in levels]
            assert works == sorted(works, reverse=True)


def test_one_painting_is_in_work_at_a_time(painter: HeldUp, pan: list[Frame]) -> None:
    beside = PaintBeside(Composed(painter, CONFIG))
    beside(pan[0])
    painter.go.clear()
    with ThreadPoolExecutor(1) as pool:
        for frame in pan[1:]:
            pool.submit(beside, frame).result(PATIENCE)
    wait_until(lambda: painter.calls == [0, 2])


def test_carrying_is_left_where_most_is_new_and_tried_again_ever_later() -> None:
    carrying, waits = Carrying(wait=10, longest=25), []
    now = 100.0
    for _ in range(4):
        for _ in range(100):
            if not carrying.serves(now=now):
                break
            carrying.saw(0.5, now=now)
        left = now
        while not carrying.serves(now=now):
            now += 0.5
        waits.append(now - left)
    assert waits == [10, 20, 25, 25]
    for _ in range(100):  # people before a camera
        now += 0.5
        carrying.saw(0.16, now=now)
    assert carrying.serves(now=now)
    for _ in range(100):
        carrying.saw(0.5, now=now)
        if not carrying.serves(now=now):
            break
    assert carrying.serves(now=now + 10)


def test_a_live_stream_leaves_frames_out_only_where_they_can_be_carried(
    painter: HeldUp, pan: list[Frame]
) -> None:
    offered = OfferedStyle(name="one", load=lambda: ())
    controls = Controls((offered,), settings=ControlSettings(coherence=0.0))
    levels = Level(work=2.0), Level(keyframes=2, work=1.0)
    tiny = 1e-6  # no frame is quick enough
    rate = BudgetConfig(full=tiny, aimed=tiny, spare=tiny, few=1, enough=1, skipped=0)
    budget = Budget(levels, rate)
    live = LivePainter(painter, controls, budget, EffectsConfig(cuts=None))
    for frame in pan:
        live(frame)
    assert live.state.level.keyframes == 2
    others = [pan[0].image, np.ascontiguousarray(pan[0].image[::-1, ::-1])]
    for number in range(40):
        live(Frame(others[number % 2], 12 + number, (12 + number) / 30))
    assert live.state.level.keyframes == 1


def test_a_level_is_not_judged_by_its_first_keyframes_which_are_cold(
    painter: HeldUp, pan: list[Frame]
) -> None:
    controls = Controls(
        (OfferedStyle(name="one", load=lambda: ()),), settings=ControlSettings(coherence=0.0)
    )
    levels = Level(keyframes=2, work=2.0), Level(keyframes=3, work=1.0)
    tiny = 1e-6  # no frame is quick enough
    rate = BudgetConfig(full=tiny, aimed=tiny, spare=tiny, few=1, enough=1, skipped=0)
    live = LivePainter(painter, controls, Budget(levels, rate), EffectsConfig(cuts=None))
    counts = {2: 0, 3: 0}
    for frame in pan:
        at, before = live.state.level.keyframes, len(painter.calls)
        live(frame)
        live._beside.wait()
        counts[at] += len(painter.calls) - before
    assert counts[2] >= 2
    assert live.state.level.keyframes == 3
