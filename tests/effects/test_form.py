"""Light and dark given back to paint that has lost the form of things."""

from collections.abc import Callable

import numpy as np
import pytest

from stylizer.base import begin_frame, frames_at_once
from stylizer.effects.beyond import PaintBeyond
from stylizer.effects.form import GiveForm, give_form
from stylizer.effects.scale import PaintSmaller
from stylizer.effects.underdrawing import underdraw
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.protocols import Stylizer
from tests.stand_ins import CountingIdentity


def legs(floor: int = 150) -> Image:
    """Return a dark bar before a floor, under a light wall."""
    image = np.full((360, 640, 3), floor, np.uint8)
    image[:120] = 230
    image[120:, 280:340] = 90
    return image


def test_a_plane_that_hides_a_person_gets_the_form_back() -> None:
    source, flat = legs(), legs()
    flat[120:] = 140  # legs and floor are one plane
    given = give_form(source, flat, 1.0).astype(float)
    inside, beside = given[200:300, 300:320].mean(), given[200:300, 220:250].mean()
    assert 10 < beside - inside < 70
    edge = given[200:300, 270:290].mean((0, 2))
    assert edge[-1] < edge[0] - 10  # as sharp as in the source
    np.testing.assert_array_equal(given[..., 0], given[..., 1])


def test_what_the_painting_shows_stays() -> None:
    source = legs()
    for painting in (source, np.asarray(np.clip(source * 1.2, 0, 255), np.uint8)):
        given = give_form(source, painting, 1.0).astype(float)
        assert np.abs(given - painting).mean() < 2


def test_strokes_stay() -> None:
    source, flat = legs(), legs()
    flat[120:] = 140
    strokes = np.random.default_rng(0).normal(0, 8, flat.shape[:2]).round()[..., None]
    painted = np.clip(flat + strokes, 0, 255).astype(np.uint8)
    given = give_form(source, painted, 1.0).astype(float)
    there = np.s_[200:300, 300:320]
    assert given[there].std() == pytest.approx(painted[there].astype(float).std(), rel=0.15)


def test_nothing_is_given_where_strokes_are_the_form() -> None:
    """Leads of stained glass, for one."""
    source, leads = legs(), legs()
    leads[120:] = 140
    leads[::12] = leads[:, ::12] = 0
    leads[1::12] = leads[:, 1::12] = 0
    given = give_form(source, leads, 1.0).astype(float)
    assert np.abs(given - leads)[200:300].mean() < 3


def test_as_much_is_given_as_is_asked_for() -> None:
    source, flat = legs(), legs()
    flat[120:] = 140
    whole, half, none = (
        give_form(source, flat, share).astype(float) - flat for share in (1, 0.5, 0)
    )
    assert np.abs(whole - 2 * half).max() <= 2
    assert np.abs(whole).max() > 10
    assert np.abs(none).max() == 0


def test_what_is_given_has_the_palette_s_colors() -> None:
    """Where a painting's darks are blue and its lights yellow, what gets darker gets bluer."""
    share = np.linspace(0, 1, 640, dtype=np.float32)[None, :, None]
    painting = (1 - share) * np.array([20, 30, 110]) + share * np.array([250, 220, 120])
    painting = np.broadcast_to(painting, (360, 640, 3)).round().astype(np.uint8).copy()
    painting[120:] = painting[0, 400]
    given = give_form(legs(), painting, 1.0).astype(float) - painting
    red, green, blue = given[200:300, 300:320].mean((0, 1))
    assert red < green < blue < 0
    assert blue > 0.5 * red


def test_what_hardly_lacks_stays_a_plane() -> None:
    source, flat = legs(), legs()
    source[120:, 280:340] = 143  # the floor is at 150
    flat[120:] = 150
    np.testing.assert_array_equal(give_form(source, flat, 1.0), flat)


class Flat:
    """Paints all below the wall as one plane; two frames at once."""

    at_once = 2

    def __call__(self, frame: Frame) -> Frame:
        return self.begin(frame)()

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        painted = frame.image.copy()
        painted[120:] = 140
        return lambda: frame.with_image(painted)

    def reset(self) -> None:
        pass


def test_a_painter_s_frames_get_it_one_by_one_or_several_at_once() -> None:
    painter = GiveForm(Flat(), strength=1.0)
    frames = [Frame(legs(floor), number, number / 30) for number, floor in enumerate((150, 190))]
    expected = [give_form(one.image, Flat()(one).image, 1.0) for one in frames]
    assert frames_at_once(painter) == 2
    assert frames_at_once(GiveForm(CountingIdentity(), strength=1.0)) == 1
    begun = [begin_frame(painter, one) for one in frames]
    for paint, one, wanted in zip(begun[::-1], frames[::-1], expected[::-1], strict=True):
        np.testing.assert_array_equal(paint().image, wanted)
        np.testing.assert_array_equal(painter(one).image, wanted)


class Told(CountingIdentity):
    """Says which way frames were painted: alone, or beside others, on a share of the cores."""

    at_once = 2

    def __init__(self) -> None:
        super().__init__()
        self.ways: list[str] = []

    def __call__(self, frame: Frame) -> Frame:
        self.ways.append("alone")
        return super().__call__(frame)

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        self.ways.append("beside")
        return lambda: frame


@pytest.mark.parametrize(
    "wrap",
    [
        lambda told: GiveForm(told, strength=1.0),
        lambda told: PaintBeyond(told, margin=8),
        lambda told: PaintSmaller(told, stroke=1.0),
        lambda told: underdraw(told, 0.5),
    ],
)
def test_a_frame_that_is_painted_alone_has_all_cores(wrap: Callable[[Told], Stylizer]) -> None:
    told = Told()
    painter = wrap(told)
    painter(Frame(legs(), 0, 0.0))
    assert told.ways == ["alone"]
    begin_frame(painter, Frame(legs(), 1, 0.1))()
    assert told.ways == ["alone", "beside"]


def test_a_strength_out_of_range_is_an_error() -> None:
    with pytest.raises(ConfigError, match="form: expected 0 to 1"):
        GiveForm(CountingIdentity(), strength=1.5)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (17, 5), (1100, 700)])
def test_any_size_will_do(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    given = give_form(noise[0], noise[1], 1.0)
    assert given.shape == (*size, 3) and given.dtype == np.uint8


def test_large_pictures_have_no_seams() -> None:
    source = np.asarray(np.linspace(20, 230, 1100).round()[:, None, None], np.uint8)
    source = np.ascontiguousarray(np.broadcast_to(source, (1100, 700, 3)))
    flat = np.full_like(source, 120)
    given = give_form(source, flat, 1.0)[:, 350, 0].astype(int)
    assert np.abs(np.diff(given)).max() <= 2
