"""Light and dark of people, given back to paint that has lost them."""

import numpy as np
import pytest

from stylizer.effects.form import give_form
from stylizer.frame import Image

EVERYWHERE = np.ones((90, 160), np.float32)


def legs(floor: int = 150) -> Image:
    """Return a dark bar before a floor, under a light wall."""
    image = np.full((360, 640, 3), floor, np.uint8)
    image[:120] = 230
    image[120:, 280:340] = 90
    return image


def test_a_plane_that_hides_a_person_gets_the_form_back() -> None:
    source, flat = legs(), legs()
    flat[120:] = 140  # legs and floor are one plane
    given = give_form(source, flat, EVERYWHERE).astype(float)
    inside, beside = given[200:300, 300:320].mean(), given[200:300, 220:250].mean()
    assert 10 < beside - inside < 70
    edge = given[200:300, 270:290].mean((0, 2))
    assert edge[-1] < edge[0] - 10  # as sharp as in the source
    np.testing.assert_array_equal(given[..., 0], given[..., 1])


def test_what_the_painting_shows_stays() -> None:
    source = legs()
    for painting in (source, np.asarray(np.clip(source * 1.2, 0, 255), np.uint8)):
        given = give_form(source, painting, EVERYWHERE).astype(float)
        assert np.abs(given - painting).mean() < 2


def test_strokes_stay() -> None:
    source, flat = legs(), legs()
    flat[120:] = 140
    strokes = np.random.default_rng(0).normal(0, 8, flat.shape[:2]).round()[..., None]
    painted = np.clip(flat + strokes, 0, 255).astype(np.uint8)
    given = give_form(source, painted, EVERYWHERE).astype(float)
    there = np.s_[200:300, 300:320]
    assert given[there].std() == pytest.approx(painted[there].astype(float).std(), rel=0.15)


def test_nothing_is_given_where_strokes_are_the_form() -> None:
    """Leads of stained glass, for one."""
    source, leads = legs(), legs()
    leads[120:] = 140
    leads[::12] = leads[:, ::12] = 0
    leads[1::12] = leads[:, 1::12] = 0
    given = give_form(source, leads, EVERYWHERE).astype(float)
    assert np.abs(given - leads)[200:300].mean() < 3


def test_it_is_given_where_that_is_asked_for() -> None:
    source, flat = legs(), legs()
    flat[120:] = 140
    where = EVERYWHERE.copy()
    where[:, :74] = 0
    given = give_form(source, flat, where)
    np.testing.assert_array_equal(given[:, :280], flat[:, :280])
    assert (given[200:300, 310:335] < 135).all()
    assert give_form(source, flat, 0 * EVERYWHERE) is flat


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (17, 5), (1100, 700)])
def test_any_size_will_do(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    given = give_form(noise[0], noise[1], EVERYWHERE)
    assert given.shape == (*size, 3) and given.dtype == np.uint8


def test_large_pictures_have_no_seams() -> None:
    source = np.asarray(np.linspace(20, 230, 1100).round()[:, None, None], np.uint8)
    source = np.ascontiguousarray(np.broadcast_to(source, (1100, 700, 3)))
    flat = np.full_like(source, 120)
    given = give_form(source, flat, EVERYWHERE)[:, 350, 0].astype(int)
    assert np.abs(np.diff(given)).max() <= 2
