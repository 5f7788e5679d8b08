"""Painting at a size of its own, and back to the frame's."""

import cv2
import numpy as np
import pytest

from stylizer.effects.scale import (
    PAINT_SIDE,
    STILL_DETAIL,
    Enlarge,
    PaintSmaller,
    check_detail,
    check_stroke,
    enlarge,
    paint_size,
    still_detail,
)
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.styles.load import Style, load_style
from tests.stand_ins import CountingIdentity


@pytest.mark.parametrize(
    ("size", "stroke", "expected"),
    [
        ((1280, 720), 1.0, (680, 384)),
        ((1080, 1920), 1.0, (384, 680)),
        ((1280, 720), 2.0, (344, 192)),
        ((640, 360), 1.0, (640, 360)),  # already as small
        ((720, 405), 1.0, (720, 405)),  # nearly
        ((640, 360), 0.5, (640, 360)),  # finer than there are pixels
        ((1280, 720), None, (1280, 720)),
        ((40000, 500), 1.0, (30720, 384)),
        ((7680, 4320), 8.0, (88, 48)),
    ],
)
def test_strokes_are_relative_to_the_frame(
    size: tuple[int, int], stroke: float | None, expected: tuple[int, int]
) -> None:
    assert paint_size(size, stroke) == expected


@pytest.mark.parametrize("stroke", [0.0, 0.09, 8.1, -1.0, float("nan"), float("inf")])
def test_other_breadths_are_refused(stroke: float) -> None:
    with pytest.raises(ConfigError, match=r"stroke: expected 0\.1 to 8, or native, got"):
        check_stroke(stroke)


def test_a_large_frame_is_painted_at_the_paint_size() -> None:
    class Sizes(CountingIdentity):
        seen: list[tuple[int, int]] = []  # noqa: RUF012

        def __call__(self, frame: Frame) -> Frame:
            self.seen.append(frame.size)
            return super().__call__(frame)

    painter = Sizes()
    smaller = PaintSmaller(painter, stroke=1.0)
    made = smaller(Frame(np.zeros((720, 1280, 3), np.uint8), 3, 0.1))
    assert painter.seen == [(680, PAINT_SIDE)] and made.size == (680, PAINT_SIDE)
    smaller.size = (320, 176)
    assert smaller(Frame(np.zeros((720, 1280, 3), np.uint8), 4, 0.2)).size == (320, 176)


def bars() -> Image:
    """Return a painting of hard edges in many directions, 2 x 2 as large as the one given on."""
    image = np.full((256, 320, 3), (40, 90, 160), np.uint8)
    for angle in range(0, 180, 15):
        across, down = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        ends = [(int(160 + s * 150 * across), int(128 + s * 120 * down)) for s in (-1, 1)]
        cv2.line(image, ends[0], ends[1], (230, 200, 60), 9)
    return image


def test_enlarged_strokes_are_nearer_to_the_truth_than_interpolated_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    truth = bars()
    small = np.asarray(cv2.resize(truth, (160, 128), interpolation=cv2.INTER_AREA), np.uint8)
    plain = cv2.resize(small, (320, 256), interpolation=cv2.INTER_CUBIC)
    smoothed = enlarge(small, (320, 256))
    monkeypatch.setattr("stylizer.effects.scale.smooth_strokes", lambda painting, _: painting)
    errors = [
        np.sqrt(np.mean((np.asarray(made, np.float64) - truth) ** 2))
        for made in (enlarge(small, (320, 256)), smoothed, plain)
    ]
    assert errors[0] < 0.95 * errors[2]
    assert errors[1] < 1.1 * errors[2]  # ends and corners of bars are what smoothing costs


def test_enlarging_leaves_no_halos_and_no_seams_between_bands() -> None:
    edge = np.full((100, 60, 3), 60, np.uint8)
    edge[:, 30:] = 190
    made = enlarge(edge, (170, 283))
    assert made.shape == (283, 170, 3) and made.flags.c_contiguous
    assert made.min() == 60 and made.max() == 190
    assert (np.ptp(made, axis=0) == 0).all()  # rows are all alike
    slightly = enlarge(edge, (61, 101))  # hardly smoothed
    assert slightly.min() == 60 and slightly.max() == 190
    same = enlarge(edge, (60, 100))
    assert same is edge


def test_faint_detail_stays_faint_and_strong_detail_is_sharpened() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (60, 160, 1)).astype(np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5), np.float32)[..., None]
    for deviation, least, most in ((2.0, 0.0, 1.5), (40.0, 2.0, 9.0)):
        gray = np.rint(128 + deviation * noise / noise.std())
        small = np.clip(np.repeat(gray, 3, 2), 0, 255).astype(np.uint8)
        soft = cv2.resize(small, (480, 180), interpolation=cv2.INTER_LINEAR)
        detail, before = (
            float(np.abs(np.diff(one[..., 0].astype(float), n=2)).mean())
            for one in (enlarge(small, (480, 180), moving=True), soft)
        )
        assert least < detail / before < most


def test_strips_that_are_sharpened_one_by_one_have_no_seams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = enlarge(bars(), (960, 768))
    monkeypatch.setattr("stylizer.effects.scale._STRIP", 1)
    np.testing.assert_array_equal(enlarge(bars(), (960, 768)), whole)
    assert whole.flags.c_contiguous


@pytest.mark.parametrize("size", [(320, 256), (340, 272), (300, 240)])
def test_frames_of_a_video_are_smoothed_and_sharpened_at_any_size(size: tuple[int, int]) -> None:
    stripes = np.repeat(128 + 80 * np.sin(np.arange(256) / 2.5), 320).reshape(256, 320, 1)
    grain = np.random.default_rng(3).normal(0, 12, (256, 320, 3))
    dotted = np.clip(stripes + grain, 0, 255).astype(np.uint8)
    still, frame = (enlarge(dotted, size, moving=moving) for moving in (False, True))
    assert still.shape == frame.shape == (size[1], size[0], 3)
    along, across = (
        [float(np.abs(np.diff(made.astype(int), axis=axis)).mean()) for made in (frame, still)]
        for axis in (1, 0)
    )
    assert along[0] < 0.7 * along[1]
    assert across[0] > 0.9 * across[1]  # where there was grain besides
    within = Enlarge(moving=True)(
        Frame(np.zeros((size[1], size[0], 3), np.uint8), 0, 0.0), Frame(dotted, 0, 0.0)
    )
    np.testing.assert_array_equal(within.image, frame)


def still(painting: Image) -> Frame:
    return Frame(painting, 0, 0.0)


def test_strokes_get_fine_detail_of_the_second_painting_and_all_else_stays() -> None:
    painting = np.full((128, 160, 3), 130, np.uint8)
    painting[:, :80] = 70 + 120 * (np.arange(80) // 8 % 2)[:, None]  # strokes beside a plane
    size, seen = (400, 320), []
    checkered = np.indices((320, 400)).sum(0) % 2 * 2.0 - 1

    def repaint(large: Frame) -> Image:
        """Paint all of it in another color, with a fine pattern."""
        seen.append(large.image.shape[:2])
        return np.asarray(large.image // 2 + 40 + 20 * checkered[..., None], np.uint8)

    def added(made: Image, where: tuple[slice, slice]) -> float:
        """Return how strong the pattern is."""
        return float((made.mean(-1) * checkered)[where].mean())

    plain = enlarge(painting, size)
    np.testing.assert_array_equal(Enlarge(repaint=repaint).enlarge(still(painting), size), plain)
    assert seen == []
    whole = Enlarge(repaint=repaint, detail=1.0).enlarge(still(painting), size)
    half = Enlarge(repaint=repaint, detail=0.5).enlarge(still(painting), size)
    assert seen == [(320, 400)] * 2
    strokes, plane = np.s_[20:300, 20:180], np.s_[20:300, 240:380]
    assert abs(float(whole[strokes].mean()) - float(plain[strokes].mean())) < 1.0
    # of 20, less where strokes meet
    assert added(whole, strokes) == pytest.approx(17, abs=2)
    assert added(half, strokes) == pytest.approx(8.5, abs=1)
    np.testing.assert_array_equal(whole[plane], plain[plane])


def test_strokes_of_both_paintings_are_smoothed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[tuple[int, ...], float]] = []

    def note(painting: Image, share: float) -> Image:
        seen.append((painting.shape[1::-1], share))
        return painting

    monkeypatch.setattr("stylizer.effects.scale.smooth_strokes", note)
    twice = Enlarge(repaint=lambda large: large.image, detail=1.0)
    twice.enlarge(still(bars()[:128, :160]), (400, 320))
    assert seen == [((160, 128), 1.0), ((400, 320), 1.0)]


def test_a_very_large_picture_is_painted_again_in_steps_and_not_beyond_a_limit() -> None:
    sizes: list[tuple[int, int]] = []

    def repaint(large: Frame) -> Image:
        sizes.append(large.size)
        return large.image

    again, small = Enlarge(repaint=repaint, detail=0.7), still(np.zeros((64, 48, 3), np.uint8))
    made = again.enlarge(small, (480, 640))
    assert made.shape == (640, 480, 3)
    assert sizes == [(144, 192), (432, 576), (480, 640)]
    sizes.clear()
    wide = still(np.zeros((8, 2000, 3), np.uint8))
    assert again.enlarge(wide, (60_000, 240)).shape[0] == 240
    assert sizes == [(6000, 24), (18000, 72)]
    sizes.clear()
    again.enlarge(small, (48, 64))
    assert sizes == []


@pytest.mark.parametrize("detail", [-0.1, 1.1, float("nan")])
def test_other_amounts_of_detail_are_refused(detail: float) -> None:
    with pytest.raises(ConfigError, match=r"detail: expected 0 to 1, got"):
        check_detail(detail)


def test_tiles_are_not_divided() -> None:
    night, mosaic = load_style("starry_night"), load_style("mosaic:0.1")
    plain = Style(name="mine", image=np.zeros((20, 20, 3), np.uint8))
    assert still_detail([night, plain]) == STILL_DETAIL
    assert still_detail([mosaic]) == still_detail([plain, mosaic]) == 0
