"""The measure of flicker, against its formula and against clips whose flicker is known."""

import numpy as np
import pytest
from skimage import data

from stylizer.errors import ConfigError
from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig
from stylizer.evaluation.metrics import end_point_error, warping_error
from stylizer.evaluation.stability import (
    ShotStability,
    StabilityMeter,
    gray_levels,
    judge,
    own_levels,
)
from stylizer.frame import Frame
from tests.stand_ins import Boiling

RANDOM = np.random.default_rng(11)


def test_the_warping_error_is_the_formula() -> None:
    before, image = RANDOM.integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)
    mask = RANDOM.random((12, 16)) < 0.6
    mask[:, -3:] = False
    flow = np.zeros((12, 16, 2), np.float32)
    flow[..., 0] = 3
    total = 0.0
    for y, x in zip(*np.nonzero(mask), strict=True):
        difference = (image[y, x].astype(float) - before[y, x + 3]) / 255
        total += float((difference**2).sum())
    got = warping_error(image, before, flow, mask)
    assert got == pytest.approx(total / mask.sum(), rel=1e-5)
    assert warping_error(image, before, flow, np.zeros_like(mask)) is None
    with pytest.raises(ConfigError, match="of one size"):
        warping_error(image, before[1:], flow, mask)


def test_gray_levels_are_the_root_mean_square() -> None:
    first = np.full((4, 4, 3), 100, np.uint8)
    flow, mask = np.zeros((4, 4, 2), np.float32), np.ones((4, 4), bool)
    error = warping_error(first + 7, first, flow, mask)
    assert error is not None
    assert gray_levels(error) == pytest.approx(7.0, rel=1e-5)


def test_the_end_point_error_is_the_mean_distance() -> None:
    flow, truth = RANDOM.normal(0, 3, (2, 5, 6, 2)).astype(np.float32)
    mask = np.zeros((5, 6), bool)
    mask[1, 2] = mask[3, 3] = True
    expected = (np.hypot(*(flow - truth)[1, 2]) + np.hypot(*(flow - truth)[3, 3])) / 2
    assert end_point_error(flow, truth, mask) == pytest.approx(float(expected), rel=1e-5)


def joined(count: int = 8) -> list[Frame]:
    """Two shots of ``count`` frames."""
    config = KnownMotionConfig(motion="pan", size=(128, 72), frame_count=count, noise=1.0)
    images = [
        frame.image
        for photo in (data.coffee(), data.astronaut())
        for frame in KnownMotion(photo, data.chelsea(), config)
    ]
    return [Frame(image, index, index / 25) for index, image in enumerate(images)]


def test_shots_and_worst_frames_are_found() -> None:
    frames = joined()
    meter = StabilityMeter(preset="fast")
    calm, boiling = Boiling(amount=2), Boiling(amount=25)
    for frame in frames:
        paints = boiling if frame.index >= 8 or frame.index == 5 else calm
        meter(frame, paints.paint(frame.image))
    assert meter.cuts == [8]
    first, second = meter.shots()
    assert (first.first, first.last, second.first, second.last) == (0, 7, 8, 15)
    assert first.error is not None
    assert second.error is not None
    assert second.error > 2 * first.error
    assert meter.frames[0].error is None
    assert meter.frames[8].error is None
    assert {frame.index for frame in meter.worst(20)} == set(range(1, 16)) - {8}
    within = [frame.error or 0.0 for frame in meter.frames[1:8]]
    assert set(np.argsort(within)[-2:] + 1) == {5, 6}
    errors = [frame.error for frame in meter.frames if frame.error is not None]
    assert meter.whole().error == pytest.approx(np.mean(errors))
    for measured in meter.frames:
        if measured.source_error is not None:
            assert gray_levels(measured.source_error) < 12
            assert measured.reliable > 0.5


def test_lines_that_stay_on_a_wall_are_not_charged_with_its_noise() -> None:
    random, meter = np.random.default_rng(3), StabilityMeter()
    wall = np.full((180, 320), 120.0)
    wall[20:80, 110:180] = 90 + 0.3 * data.camera()[100:160, 180:250]  # a picture
    wall[40:48, 200:] = wall[150:] = 60
    lines = np.full((180, 320, 3), 230, np.uint8)
    lines[:, ::9] = 20
    for index in range(5):
        image = np.repeat((wall + random.normal(0, 2, wall.shape))[..., None], 3, axis=2)
        image[60:120, 40 + 6 * index : 100 + 6 * index] = data.astronaut()[:60, 200:260]
        shown = np.asarray(np.clip(image, 0, 255), np.uint8)
        meter(Frame(shown, index, index / 25), lines)
    errors = [gray_levels(frame.error) for frame in meter.frames if frame.error is not None]
    assert len(errors) == 4
    assert max(errors) < 45  # by the flow alone: 77 and more, where it can be relied on
    assert min(frame.reliable for frame in meter.frames[1:]) > 0.9  # 0.27 to 0.43


@pytest.mark.parametrize(
    ("levels", "source", "own", "verdict"),
    [
        (5.5, 0.0, 5.5, "still"),
        (5.6, 0.0, 5.6, "slight boil"),
        (5.0, 3.0, 4.0, "still"),
        (10.1, 0.0, 10.1, "flicker"),
        (2.0, 3.0, 0.0, "still"),
    ],
)
def test_a_painting_is_judged_by_what_it_adds_to_its_source(
    levels: float, source: float, own: float, verdict: str
) -> None:
    error, source_error = (3 * (value / 255) ** 2 - 1e-12 for value in (levels, source))
    shot = ShotStability(first=0, last=9, error=error, source_error=source_error)
    assert own_levels(shot) == pytest.approx(own, abs=1e-3)
    assert judge(shot) == verdict


def test_what_was_not_measured_is_not_judged() -> None:
    shot = ShotStability(first=0, last=0, error=None, source_error=None)
    assert judge(shot) is None
    assert own_levels(shot) is None


def test_what_does_not_fit_is_refused() -> None:
    meter = StabilityMeter()
    with pytest.raises(ConfigError, match="one frame or more"):
        meter.whole()
    frame = joined(1)[0]
    with pytest.raises(ConfigError, match=r"frame 0: expected an output of shape \(72, 128, 3\)"):
        meter(frame, frame.image[1:])
    assert meter.shots() == []
