"""The painter of a live stream, around methods whose results can be told beforehand."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from stylizer.base import WrappedStylizer
from stylizer.description import EffectsConfig
from stylizer.effects.color import keep_luminance
from stylizer.errors import StyleError
from stylizer.frame import Frame, Image
from stylizer.live.budget import Budget, BudgetConfig, Turns
from stylizer.live.controls import Controls, ControlSettings, OfferedStyle
from stylizer.live.levels import Level
from stylizer.live.painter import LivePainter
from stylizer.protocols import Stylizer
from stylizer.styles.load import AnyStyle, Style
from stylizer.temporal.cuts import CutConfig
from tests.clips import picture
from tests.stand_ins import Boiling
from tests.waiting import wait_until

PATIENCE = 60.0
SIZE, LARGE = (160, 96), (480, 320)
ONE = (Level(),)


def style(value: int) -> Style:
    return Style(name=str(value), image=np.full((20, 20, 3), value, np.uint8))


def choose(*values: int) -> tuple[OfferedStyle, ...]:
    return tuple(
        OfferedStyle(name=str(value), load=lambda value=value: (style(value),))  # type: ignore[misc]
        for value in values
    )


class Flat:
    """Paints everything in the gray of its style; may be held up."""

    description = "flat"

    def __init__(self, value: int = 10) -> None:
        self.value = value
        self.sizes: list[tuple[int, int]] = []
        self.prepared: list[tuple[int, int]] = []
        self.resets = 0
        self.go = threading.Event()
        self.go.set()
        self.warm_iterations = 99
        self.delay = 0.0

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        assert self.go.wait(PATIENCE)
        (chosen,) = styles
        assert isinstance(chosen, Style)
        if chosen.name == "13":
            raise StyleError("style 13 brings bad luck")
        self.value = int(chosen.image[0, 0, 0])

    def prepare(self, size: tuple[int, int]) -> None:
        assert self.go.wait(PATIENCE)
        self.prepared.append(size)

    def __call__(self, frame: Frame) -> Frame:
        self.sizes.append(frame.size)
        time.sleep(self.delay)
        return frame.with_image(np.full_like(frame.image, self.value))

    def reset(self) -> None:
        self.resets += 1


def frame(index: int, image: Image | None = None) -> Frame:
    return Frame(picture(40, SIZE) if image is None else image, index, index / 30)


def make(
    method: Stylizer,
    controls: Controls | None = None,
    *,
    levels: Sequence[Level] = ONE,
    fps: float = 1e-3,
    config: EffectsConfig | None = None,
) -> LivePainter:
    """Return a painter whose budget, unless told otherwise, is never short."""
    controls = controls or Controls(choose(10), settings=ControlSettings(coherence=0.0))
    return LivePainter(method, controls, Budget(levels, BudgetConfig(fps=fps)), config)


def test_strength_and_colors_follow_the_controls_at_once() -> None:
    controls = Controls(choose(10), settings=ControlSettings(coherence=0.0))
    painter, source = make(Flat(), controls), picture(40, SIZE)
    assert (painter(frame(0)).image == 10).all()
    controls.change(strength=0.5)
    mixed = painter(frame(1)).image.astype(float)
    assert np.abs(mixed - (source / 2 + 5)).max() <= 1
    controls.change(strength=0.0)
    result = painter(frame(2))
    np.testing.assert_array_equal(result.image, source)
    assert (result.index, result.time) == (2, 2 / 30)
    controls.change(strength=1.0, keep_color=True)
    expected = keep_luminance(np.full_like(source, 10), source)
    np.testing.assert_array_equal(painter(frame(3)).image, expected)


def test_at_strength_0_nothing_is_painted() -> None:
    method = Flat()
    painter = make(method, Controls(choose(10), settings=ControlSettings(strength=0.0)))
    given = frame(0)
    assert painter(given).image is not given.image
    assert method.sizes == []


def test_a_style_is_changed_beside_the_loop_and_the_latest_wish_wins() -> None:
    method, controls = (
        Flat(),
        Controls(choose(10, 20, 30, 40), settings=ControlSettings(coherence=0.0)),
    )
    painter = make(method, controls)
    method.go.clear()
    for index, number in enumerate((1, 2, 3)):
        controls.change(style=number)
        assert (painter(frame(index)).image == 10).all()  # the old one goes on, without a stall
        assert painter.state.style == 0
    method.go.set()
    wait_until(lambda: painter.state.style == 3)
    assert (painter(frame(4)).image == 40).all()


def test_a_style_that_fails_is_told_and_the_old_one_goes_on() -> None:
    method, controls = Flat(), Controls(choose(10, 13, 30), settings=ControlSettings(coherence=0.0))
    painter = make(method, controls)
    controls.change(style=1)

    def told() -> bool:
        assert (painter(frame(0)).image == 10).all()
        return painter.state.error is not None

    wait_until(told)
    assert painter.state.error == "style 13 brings bad luck"
    assert painter.state.style == 0
    controls.change(style=2)
    wait_until(lambda: (painter(frame(1)).image == 30).all())
    assert painter.state.error is None


def test_a_method_that_keeps_to_its_style_says_so() -> None:
    controls = Controls(choose(10, 20))
    painter = make(Boiling(), controls)
    controls.change(style=1)

    def told() -> bool:
        painter(frame(0))
        return "keeps to its style" in str(painter.state.error)

    wait_until(told)


class Slow(Flat):
    """Takes as long as its pixels say."""

    def __call__(self, frame: Frame) -> Frame:
        time.sleep(3e-7 * frame.size[0] * frame.size[1])
        return super().__call__(frame)


def test_what_is_too_slow_is_painted_smaller_and_comes_out_at_its_size() -> None:
    """A sleep of 46 ms at full size; 12 ms at half of the sides."""
    method = Slow()
    levels = (Level(work=1.0), Level(scale=0.5, iterations=2, work=0.25))
    painter = make(method, levels=levels, fps=24)
    for index in range(200):
        result = painter(frame(index, picture(40, LARGE)))
        assert result.size == LARGE
        if painter.state.working == (240, 160):
            break
        assert painter.state.working in (None, LARGE)
    assert method.sizes[-1] == method.prepared[-1] == (240, 160)
    assert method.warm_iterations == 2
    assert "of 42 ms" in str(painter.state.reason)


def test_a_size_is_prepared_while_frames_are_painted_at_the_old_one() -> None:
    method = Slow()
    levels = (Level(work=1.0), Level(scale=0.5, work=0.25))
    painter = make(method, levels=levels, fps=24)
    method.go.clear()
    for index in range(40):
        painter(frame(index, picture(40, LARGE)))
    assert method.prepared == []
    assert set(method.sizes) == {LARGE}
    method.go.set()
    wait_until(lambda: bool(method.prepared))
    for index in range(40, 60):
        painter(frame(index, picture(40, LARGE)))
    assert method.sizes[-1] == (240, 160)


class Alone(Slow):
    """Can paint a picture alone, so that it can be painted twice."""

    def repaint(self, painting: Frame) -> Image:
        return painting.image


def test_underpainting_is_the_first_to_give_way() -> None:
    """A sleep of 58 ms with it, 46 without."""
    method = Alone()
    levels = (Level(underpainting=True, work=1.3), Level(work=1.0))
    twice = EffectsConfig(underpainting=0.25)
    painter = make(method, levels=levels, fps=18, config=twice)
    painter(frame(0, picture(40, LARGE)))
    assert method.sizes == [(240, 160), LARGE]
    for index in range(1, 100):
        painter(frame(index, picture(40, LARGE)))
        if not painter.state.level.underpainting:
            break
    method.sizes.clear()
    painter(frame(100, picture(40, LARGE)))
    assert method.sizes == [LARGE]


def test_coherence_can_be_changed_and_keeps_its_memory() -> None:
    """By the share of the boil that is left on a picture that stands still but for its noise."""
    controls = Controls(choose(10), settings=ControlSettings(coherence=0.0))
    painter = make(Boiling(), controls)
    noise = np.random.default_rng(3)

    def unrest(count: int) -> float:
        shown = []
        for index in range(count):
            noisy = picture(40, SIZE).astype(int) + noise.integers(-1, 2, (96, 160, 3))
            image = np.clip(noisy, 0, 255).astype(np.uint8)
            shown.append(painter(frame(index, image)).image.astype(float))
        return float(np.mean([np.abs(b - a).mean() for a, b in pairwise(shown)]))

    loud = unrest(6)
    controls.change(coherence=1.0)
    unrest(6)
    quiet = unrest(6)
    assert quiet < 0.4 * loud
    controls.change(coherence=0.0)
    assert unrest(6) > 0.8 * loud


def test_mirroring_begins_anew() -> None:
    method, controls = Flat(), Controls(choose(10), settings=ControlSettings(coherence=0.0))
    painter = make(method, controls)
    painter(frame(0))
    controls.toggle("mirror")
    painter(frame(1))
    painter(frame(2))
    assert method.resets == 1


def test_a_cut_begins_anew_unless_it_is_not_wanted_or_an_optimization_goes_on() -> None:
    black, white = (np.full((96, 160, 3), value, np.uint8) for value in (20, 220))
    for cuts, iterates, expected in (
        (CutConfig(), False, 1),
        (None, False, 0),
        (CutConfig(), True, 0),
    ):
        method = Flat()
        if not iterates:
            del method.warm_iterations
        config = EffectsConfig(cuts=cuts)
        painter = LivePainter(method, Controls(choose(10)), Budget(ONE), config)
        for index in range(10):
            painter(frame(index, black if index < 5 else white))
        assert method.resets == expected


def test_something_can_stand_around_the_method() -> None:
    class Inverted(WrappedStylizer):
        def __call__(self, frame: Frame) -> Frame:
            painted = self._stylizer(frame)
            return painted.with_image(255 - painted.image)

    painter = make(Inverted(Flat()))
    assert (painter(frame(0)).image == 245).all()
    assert painter.description == "flat"


def test_other_settings_leave_coherence_its_memory() -> None:
    controls = Controls(choose(10), settings=ControlSettings(coherence=1.0))
    method = Flat()
    painter = make(method, controls)
    painter(frame(0))
    method.value = 30
    controls.change(coherence=0.5)
    kept = painter(frame(1)).image
    assert (kept < 29).any()  # something of the 10 before is left
    controls.change(coherence=0.0)
    assert (painter(frame(2)).image == 30).all()
    method.value = 50
    controls.change(coherence=1.0)
    assert (painter(frame(3)).image == 50).all()  # what was before is forgotten


def test_what_is_too_slow_is_replaced_and_comes_back_in_the_style_of_then() -> None:
    slow, quick, loads = Flat(), Flat(), []
    controls = Controls(choose(10, 20, 30), settings=ControlSettings(coherence=0.0))

    def load() -> Stylizer:
        loads.append(1)
        return quick

    def paint_until(replaced: bool) -> None:
        for index in range(10_000):
            painter(frame(index))
            if (painter.state.instead is not None) == replaced:
                return
        raise AssertionError

    budget = Budget(ONE, BudgetConfig(fps=50, few=1, enough=1, skipped=0))
    painter = LivePainter(slow, controls, budget, quicker=(load, Turns(slow=0.1, ease=0.1)))
    controls.change(style=1)
    painter(frame(0))
    wait_until(lambda: painter.state.style == 1)
    slow.delay = 0.05
    paint_until(replaced=True)
    assert quick.prepared == [SIZE]
    assert (painter(frame(0)).image == 20).all()
    controls.change(style=2)
    painter(frame(1))
    wait_until(lambda: painter.state.style == 2)
    count = len(slow.sizes)
    assert (painter(frame(2)).image == 30).all()
    assert len(slow.sizes) == count
    paint_until(replaced=False)
    assert (painter(frame(3)).image == 30).all()
    assert len(slow.sizes) > count
    paint_until(replaced=True)
    assert len(loads) == 1


def test_a_method_that_was_asked_for_stays() -> None:
    slow = Flat()
    slow.delay = 0.05
    budget = Budget(ONE, BudgetConfig(fps=50, few=1, enough=1, skipped=0))
    painter = LivePainter(slow, Controls(choose(10)), budget)
    for index in range(5):
        painter(frame(index))
    assert budget.short > 0.01
    assert painter.state.instead is None
