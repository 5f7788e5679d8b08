"""Finer strokes in videos."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data

from stylizer.compose import Composed
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.finer_moving import PaintMoving
from stylizer.effects.scale import enlarge_frame
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.temporal.coherence import CoherenceConfig
from tests.stand_ins import Boiling, CountingIdentity

MOVING = EffectsConfig(cuts=None, stroke=1.0, underdrawing=0.5, finer="all")
LARGE = np.asarray(cv2.resize(data.coffee()[:360, :], (1280, 768)), np.uint8)


def pan(count: int) -> list[Frame]:
    shifts = (np.roll(LARGE, 3 * index, axis=1) for index in range(count))
    return [Frame(np.ascontiguousarray(image), i, i / 30) for i, image in enumerate(shifts)]


class Sizes(CountingIdentity):
    """Takes note of the sizes of frames."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, frame: Frame) -> Frame:
        self.sizes.append(frame.size)
        return super().__call__(frame)


def test_frames_are_painted_again_in_strokes_half_as_broad_where_that_is_asked_for() -> None:
    painter = Sizes()
    Composed(painter, MOVING)(pan(1)[0])
    assert painter.sizes == [(640 + 16, 384 + 16), (1160 + 16, 696 + 16)]
    wall = Frame(np.full_like(LARGE, 120), 0, 0.0)
    for other, frame, calls in (
        (replace(MOVING, finer=None), pan(1)[0], 1),
        (replace(MOVING, stroke=None), pan(1)[0], 1),
        (replace(MOVING, finer="people"), wall, 1),
        (replace(MOVING, finer="people"), pan(1)[0], 2),  # it is of a cup
    ):
        painter = Sizes()
        Composed(painter, other)(frame)
        assert len(painter.sizes) == calls


def test_finer_strokes_are_held_still_too() -> None:
    """A painter that boils does so four times as much without it."""

    def change(strength: float) -> float:
        held = CoherenceConfig(strength=strength)
        moving = PaintMoving(Boiling(), enlarge_frame, held)
        made = [moving(frame, (1152, 688)) for frame in [pan(1)[0], *noisy(3)]]
        return float(np.abs(np.diff([one.astype(float) for one in made], axis=0)).mean())

    assert change(0.8) < 0.5 * change(0.0)


def noisy(count: int) -> list[Frame]:
    random = np.random.default_rng(0)
    noises = (random.normal(0, 1, LARGE.shape) for _ in range(count))
    images = (np.asarray(np.clip(LARGE + noise, 0, 255), np.uint8) for noise in noises)
    return [Frame(image, 1 + i, (1 + i) / 30) for i, image in enumerate(images)]


def test_a_saved_state_goes_on_the_same() -> None:
    frames = pan(6)
    one, two = Composed(Boiling(), MOVING), Composed(Boiling(), MOVING)
    for frame in frames[:3]:
        one(frame)
    two.load_state({name: value.copy() for name, value in one.save_state().items()})
    for frame in frames[3:]:
        np.testing.assert_array_equal(one(frame).image, two(frame).image)


def test_a_new_shot_begins_without_a_memory() -> None:
    def paint(before: list[Frame]) -> Image:
        composed = Composed(Boiling(), MOVING)
        for frame in before:
            composed(frame)
        composed.begin_shot()
        return composed(pan(1)[0]).image

    np.testing.assert_array_equal(paint([]), paint(pan(3)))


def test_it_is_described_and_checked() -> None:
    config = StylizerConfig(styles=["tahiti"], finer="people")
    assert StylizerConfig.from_json(config.to_json()) == config
    assert config.effects.finer == "people"
    with pytest.raises(ConfigError, match="finer: expected None, people or all, got 'faces'"):
        StylizerConfig(styles=["tahiti"], finer="faces")  # type: ignore[arg-type]
