"""Frames painted over the painting of a key frame."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data

from stylizer.base import begin_frame, find, frames_at_once
from stylizer.compose import Composed
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.overpainting import (
    OverpaintFrames,
    check_overpainting,
    overpaint,
)
from stylizer.effects.underpainting import Underpaint
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.temporal.coherence import AFRESH, SETTLED, CoherenceConfig, key_cycle
from tests.stand_ins import CountingIdentity

LARGE = np.asarray(cv2.resize(data.coffee()[:360, :], (320, 192)), np.uint8)
CYCLE = key_cycle(1)


class Canvas:
    """Paints a picture in one gray: what ``color`` says of the frame; two frames at once."""

    at_once = 2

    def __init__(self, color: Callable[[Frame], int] = lambda frame: 250) -> None:
        self._color = color
        self.seen: dict[int, Image] = {}

    def __call__(self, frame: Frame) -> Frame:
        return self.begin(frame)()

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        self.seen[frame.index] = frame.image
        painted = np.full_like(frame.image, self._color(frame))
        return lambda: frame.with_image(painted)

    def repaint(self, painting: Frame) -> Image:
        return self(painting).image

    def reset(self) -> None:
        pass


def still(index: int, image: Image = LARGE) -> Frame:
    return Frame(image, index, index / 30)


def led_by(canvas: Canvas, index: int, image: Image = LARGE, *, share: float = 0.5) -> float:
    """Return the gray that a frame was mixed with, in the middle of it."""
    inner = np.s_[40:150, 40:280]
    given = canvas.seen[index][inner].astype(float).mean()
    return float((given - (1 - share) * image[inner].astype(float).mean()) / share)


def test_it_is_only_for_who_paints_a_picture_alone() -> None:
    canvas, counting = Canvas(), CountingIdentity()
    assert overpaint(canvas, 0.0) is canvas and overpaint(counting, 0.5) is counting
    assert isinstance(overpaint(canvas, 0.5), OverpaintFrames)
    assert frames_at_once(overpaint(canvas, 0.5)) == 2
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ConfigError, match="overpainting: expected 0 to 1, got"):
            check_overpainting(share)
        with pytest.raises(ConfigError, match="overpainting: expected 0 to 1, got"):
            EffectsConfig(overpainting=share)
    config = StylizerConfig(styles=["tahiti"], overpainting=0.3)
    assert StylizerConfig.from_json(config.to_json()) == config
    assert config.effects.overpainting == 0.3


@pytest.mark.parametrize("at_once", [False, True])
def test_frames_are_painted_over_the_last_key_frame(at_once: bool) -> None:
    canvas = Canvas(lambda frame: 250 - frame.index)
    painter = OverpaintFrames(canvas, 0.5)
    for index in range(2 * CYCLE + 3):
        frame = still(index)
        painted = begin_frame(painter, frame)() if at_once else painter(frame)
        assert (painted.image == 250 - index).all() and painted.index == index
    np.testing.assert_array_equal(canvas.seen[0], LARGE)
    for index in range(1, 2 * CYCLE + 3):
        key = (index - 1) // CYCLE * CYCLE  # a key frame is painted over the one before
        assert led_by(canvas, index) == pytest.approx(250 - key, abs=1.5)


def test_one_in_many_key_frames_is_painted_by_itself() -> None:
    """So that whoever begins elsewhere comes to the same."""
    one, other = (OverpaintFrames(Canvas(lambda frame: int(frame.image.mean())), 0.5) for _ in "ab")
    for index in range(AFRESH + SETTLED + 3):
        left = one(still(index)).image
        right = other(still(index)).image if index > 60 else None
        if right is not None and index >= AFRESH:
            np.testing.assert_array_equal(left, right)
    canvas = Canvas()
    painter = OverpaintFrames(canvas, 0.5)
    for index in (AFRESH - 1, AFRESH, AFRESH + 1):
        painter(still(index))
    np.testing.assert_array_equal(canvas.seen[AFRESH], LARGE)
    assert led_by(canvas, AFRESH + 1) == pytest.approx(250, abs=1.5)


def test_only_what_shows_the_same_is_led_and_paint_moves_with_it() -> None:
    canvas = Canvas(lambda frame: 0)
    painter = OverpaintFrames(canvas, 1.0)
    painter(still(0))
    changed = LARGE.copy()
    changed[60:130, 100:200] = 255 - changed[60:130, 100:200]
    painter(still(1, changed))
    given = canvas.seen[1]
    np.testing.assert_array_equal(given[80:110, 120:180], changed[80:110, 120:180])
    assert given[:, 250:].max() <= 2

    class Halves(Canvas):
        def begin(self, frame: Frame) -> Callable[[], Frame]:
            self.seen[frame.index] = frame.image
            painted = np.zeros_like(frame.image)
            painted[:, 160:] = 250
            return lambda: frame.with_image(painted)

    halves = Halves()
    painter = OverpaintFrames(halves, 1.0)
    for index in range(5):
        painter(still(index, np.ascontiguousarray(np.roll(LARGE, 3 * index, axis=1))))
    columns = halves.seen[4][40:150, 100:250, 0].mean(0)
    assert abs(100 + int(np.argmax(columns > 125)) - (160 + 12)) <= 3


def test_what_paints_before_is_told_in_order_and_paintings_come_out_the_same() -> None:
    """Frames of which several are painted at once, by threads."""

    def composed() -> Composed:
        return Composed(Canvas(lambda frame: int(frame.image.mean())), EFFECTS)

    frames = [still(index, np.roll(LARGE, index, axis=0)) for index in range(2 * CYCLE + 4)]
    one, other = composed(), composed()
    wanted = [one.painter(frame).image for frame in frames]
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(begin_frame(other.painter, frame)) for frame in frames]
        for made, image in zip(begun, wanted, strict=True):
            np.testing.assert_array_equal(made.result().image, image)
    assert find(one.painter, Underpaint) is not None


EFFECTS = EffectsConfig(underpainting=0.25, overpainting=0.4, cuts=None)


def test_who_waits_for_a_painting_hears_of_its_error() -> None:
    def fail(frame: Frame) -> int:
        raise ValueError(f"frame {frame.index}")

    class Failing(Canvas):
        def begin(self, frame: Frame) -> Callable[[], Frame]:
            return lambda: frame.with_image(np.full_like(frame.image, fail(frame)))

    painter = OverpaintFrames(Failing(), 0.5)
    first, second = (begin_frame(painter, still(index)) for index in range(2))
    for work in (first, second):
        with pytest.raises(ValueError, match="frame 0"):
            work()


def test_a_saved_state_goes_on_the_same() -> None:
    frames = [still(index, np.roll(LARGE, index, axis=0)) for index in range(CYCLE + 6)]
    one, two = (Composed(Canvas(lambda frame: int(frame.image.mean())), EFFECTS) for _ in "ab")
    for frame in frames[: CYCLE + 2]:
        one(frame)
    two.load_state({name: value.copy() for name, value in one.save_state().items()})
    for frame in frames[CYCLE + 2 :]:
        np.testing.assert_array_equal(one(frame).image, two(frame).image)


def test_nothing_is_led_after_a_cut_at_another_size_or_where_nothing_is_held() -> None:
    canvas = Canvas()
    painter = OverpaintFrames(canvas, 0.5)
    painter(still(0))
    painter.reset()
    painter(still(1))
    np.testing.assert_array_equal(canvas.seen[1], LARGE)
    small = np.ascontiguousarray(LARGE[:96])
    painter(still(2, small))
    np.testing.assert_array_equal(canvas.seen[2], small)
    painter.configure(CoherenceConfig(strength=0.0))
    painter(still(3, small))
    np.testing.assert_array_equal(canvas.seen[3], small)
    painter.configure(CoherenceConfig())
    painter(still(4, small))
    np.testing.assert_array_equal(canvas.seen[4], small)


def test_stills_are_painted_once() -> None:
    canvas = Canvas()
    alone = replace(EFFECTS, coherence=CoherenceConfig(strength=0.0), underpainting=0.0)
    composed = Composed(canvas, alone)
    for index in range(2):
        composed(still(index))
        np.testing.assert_array_equal(canvas.seen[index], LARGE)
    with pytest.raises(ConfigError, match="expected those that it was made with"):
        composed.configure(replace(alone, overpainting=0.2))
