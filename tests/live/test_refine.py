"""Refinement, by a network and an optimizer whose work can be told apart."""

import threading
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from stylizer.errors import ConfigError, StyleError, WeightsError
from stylizer.frame import Frame, Image
from stylizer.live.refine import RefineConfig, Refined
from stylizer.live.refinement import Pace, Refiner, load_gatys
from stylizer.live.stillness import Stillness, StillnessConfig
from stylizer.protocols import StyledStylizer
from stylizer.styles.load import AnyStyle, Style, load_style
from tests.clips import picture
from tests.waiting import wait_until

STILL = StillnessConfig(frames=4)
CONFIG = RefineConfig(max_side=32, fade=3, stillness=STILL, seconds=60.0)


def style(level: int) -> Style:
    return Style(name=f"gray {level}", image=np.full((16, 16, 3), level, np.uint8))


class Halving:
    """Paints half of the source's brightness plus a tenth of its style's, and counts."""

    def __init__(self) -> None:
        self.calls = self.resets = 0
        self.level = 100.0

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        self.level = _level(styles)

    def __call__(self, frame: Frame) -> Frame:
        self.calls += 1
        return frame.with_image(np.asarray(frame.image // 2 + int(self.level / 10), np.uint8))

    def reset(self) -> None:
        self.resets += 1


class Brightening:
    """Adds a gray level an iteration, and keeps what it was asked to do."""

    def __init__(self, styles: Sequence[AnyStyle]) -> None:
        self.level = _level(styles)
        self.iterations: list[int] = []

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        self.level = _level(styles)

    def forget(self) -> None:
        self.iterations.clear()

    def __call__(
        self, canvas: npt.NDArray[np.float32], content: Image, iterations: int
    ) -> npt.NDArray[np.float32]:
        assert canvas.shape == content.shape
        self.iterations.append(iterations)
        return canvas + np.float32(iterations)


def _level(styles: Sequence[AnyStyle]) -> float:
    (only,) = styles
    if not isinstance(only, Style):
        raise StyleError("expected a picture")
    return float(only.image.mean())


def frame(index: int, *, moved: bool = False) -> Frame:
    image = picture(3).copy()
    if moved:
        image[10:30, 10:30] = 255 - image[10:30, 10:30]
    return Frame(image, index, index / 25)


def made_ready(refined: Refined) -> None:
    """Have what refines loaded for frames of the test's size, and nothing seen yet."""
    for i in range(STILL.frames):
        refined(frame(i))
    wait_until(lambda: refined.notice is None)  # it is loaded, or cannot be
    refined.reset()


@pytest.fixture
def refiners() -> list[Brightening]:
    return []


@pytest.fixture
def network() -> Halving:
    return Halving()


@pytest.fixture
def refined(network: Halving, refiners: list[Brightening]) -> Refined:
    def make(styles: Sequence[AnyStyle]) -> Refiner:
        refiners.append(Brightening(styles))
        return refiners[-1]

    made = Refined(network, [style(100)], make, CONFIG)
    made_ready(made)
    return made


def test_a_still_picture_is_refined_a_step_a_frame_and_the_network_rests(
    network: Halving, refined: Refined
) -> None:
    plain = Halving()(frame(0)).image.astype(int)
    added = [int(np.median(refined(frame(i)).image - plain)) for i in range(10)]
    assert added == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]
    assert network.calls == 4 + 4  # when made ready, and until refining began


def test_camera_noise_is_not_motion(network: Halving, refined: Refined) -> None:
    random = np.random.default_rng(0)
    image = np.asarray(cv2.resize(frame(0).image, (320, 240)), np.float32)
    for i in range(6):
        noisy = np.clip(image + random.normal(0, 5, image.shape), 0, 255)
        refined(Frame(noisy.astype(np.uint8), i, i / 25))
    assert network.calls == 4 + 4


def test_at_motion_the_network_is_back_at_once_there_and_softly_elsewhere(
    refined: Refined,
) -> None:
    for i in range(24):
        before = refined(frame(i)).image.astype(int)
    plain = Halving()(frame(0, moved=True)).image.astype(int)
    left = []
    for i in range(24, 27):
        result = refined(frame(i, moved=True)).image.astype(int)
        np.testing.assert_array_equal(result[16:24, 16:24], plain[16:24, 16:24])
        left.append(int(np.median((result - plain)[36:, 40:])))
    full = int(np.median(before - Halving()(frame(0)).image.astype(int)))
    assert full == 21
    np.testing.assert_allclose(left, [full * 3 / 4, full * 2 / 4, full * 1 / 4], atol=1)
    after = refined(frame(27, moved=True)).image  # still again: refining begins anew
    assert np.median(after - plain) == 1


def test_the_steps_wait_until_their_cost_is_saved_up() -> None:
    pace = Pace(0.01)
    done = []
    for _ in range(9):
        done.append(pace.may())
        if done[-1]:
            pace.spent(0.03)
    assert done == [True, False, False, False, False, True, False, False, True]


def test_a_change_of_styles_reaches_both_and_starts_anew(
    refined: Refined, refiners: list[Brightening]
) -> None:
    assert isinstance(refined, StyledStylizer)
    for i in range(8):
        refined(frame(i))
    refined.set_styles([style(200)])
    assert refiners[0].level == 200
    first = refined(frame(8)).image
    wanted = Halving()
    wanted.set_styles([style(200)])
    assert np.median(first.astype(int) - wanted(frame(8)).image) == 1


def test_styles_that_one_refuses_change_neither(
    network: Halving, refined: Refined, refiners: list[Brightening]
) -> None:
    with pytest.raises(StyleError, match="expected a picture"):
        refined.set_styles([load_style("starry_night")])
    assert refiners[0].level == 100
    assert network.level == 100


def test_styles_set_while_loading_are_the_ones_refined_after() -> None:
    may, made = threading.Event(), []

    def make(styles: Sequence[AnyStyle]) -> Refiner:
        assert may.wait(60)
        made.append(Brightening(styles))
        return made[-1]

    refined = Refined(Halving(), [style(100)], make, CONFIG)
    plain = Halving()
    for i in range(8):  # the picture is not held up
        np.testing.assert_array_equal(refined(frame(i)).image, plain(frame(i)).image)
    assert refined.notice == "loading the refinement"
    refined.set_styles([style(150)])
    may.set()
    wait_until(lambda: refined.notice is None)
    assert made[0].level == 150


def test_another_working_size_is_gone_over_to_softly(refined: Refined) -> None:
    ramp = np.repeat(np.linspace(60, 180, 128)[None, :, None], 96, 0).repeat(3, 2)
    larger = ramp.astype(np.uint8)
    smaller = np.asarray(cv2.resize(larger, (64, 48), interpolation=cv2.INTER_AREA), np.uint8)
    for i in range(24):
        refined(Frame(smaller, i, i / 25))
    network, left = Halving(), []
    for i in range(24, 28):
        result = refined(Frame(larger, i, i / 25)).image.astype(int)
        left.append(int(np.median(result - network(Frame(larger, i, 0.0)).image)))
    np.testing.assert_allclose(left, [21 * 3 / 4, 21 * 2 / 4, 21 * 1 / 4, 1], atol=1)


def test_nothing_is_left_of_a_picture_of_another_shape(refined: Refined) -> None:
    for size in ((64, 48), (128, 96), (48, 64), (20, 200)):
        image = np.asarray(cv2.resize(frame(0).image, size), np.uint8)
        first = refined(Frame(image, 0, 0.0)).image
        if size != (128, 96):
            np.testing.assert_array_equal(first, Halving()(Frame(image, 0, 0.0)).image)
        for i in range(1, 8):
            refined(Frame(image, i, i / 25))


def test_nothing_is_loaded_before_the_picture_is_still() -> None:
    made: list[Brightening] = []

    def make(styles: Sequence[AnyStyle]) -> Refiner:
        made.append(Brightening(styles))
        return made[-1]

    refined = Refined(Halving(), [style(100)], make, CONFIG)
    for i in range(12):
        refined(frame(i, moved=i % 2 == 1))
    assert refined.notice is None and not made, "nothing is being loaded"


def test_reset_forgets_the_canvas(refined: Refined) -> None:
    for i in range(10):
        refined(frame(i))
    refined.reset()
    plain = Halving()(frame(0)).image
    np.testing.assert_array_equal(refined(frame(0)).image, plain)


def test_what_cannot_be_loaded_is_told_and_the_network_goes_on() -> None:
    def make(styles: Sequence[AnyStyle]) -> Refiner:
        raise WeightsError("weights: damaged")

    refined = Refined(Halving(), [style(100)], make, CONFIG)
    for i in range(4):
        refined(frame(i))
    wait_until(lambda: refined.notice is None)  # it is loaded, or cannot be
    for i in range(8):
        np.testing.assert_array_equal(refined(frame(i)).image, Halving()(frame(i)).image)
    assert refined.notice == "no refinement: weights: damaged"


def test_stillness_has_hysteresis() -> None:
    stillness = Stillness(StillnessConfig(frames=2, still=4.0, moved=10.0))
    gray = np.full((48, 64, 3), 100, np.uint8)
    shades = [gray, gray, gray + 7, gray + 9, gray + 12, gray + 19, gray + 20]
    assert [stillness(shade) for shade in shades] == [False, True, True, True, False, False, True]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps: expected 1 or more"),
        ({"max_side": 8}, "max_side: expected 32"),
        ({"seconds": 0.0}, "seconds: expected a number above 0"),
        ({"fade": -1}, "fade: expected 0 or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RefineConfig(**settings)  # type: ignore[arg-type]


@pytest.mark.slow
def test_gatys_lowers_the_loss_of_what_it_is_given_a_step_at_a_time() -> None:
    engine = load_gatys([load_style("starry_night")])
    content = picture(5)
    canvas = content.astype(np.float32)
    totals: list[float] = []
    for _ in range(12):
        canvas = engine(canvas, content, 1, on_losses=lambda losses: totals.append(losses["total"]))
    assert totals[-1] < 0.8 * totals[0]
