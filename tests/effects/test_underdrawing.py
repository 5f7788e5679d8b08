"""Contours drawn into frames before they are painted."""

from dataclasses import replace

import numpy as np
import pytest

from stylizer.base import find
from stylizer.compose import Composed
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.contrast import raise_contrast
from stylizer.effects.form import give_form
from stylizer.effects.scale import PaintSmaller
from stylizer.effects.underdrawing import (
    Underdraw,
    check_underdrawing,
    draw_contours,
    underdraw,
)
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.temporal.coherence import CoherenceConfig
from tests.stand_ins import CountingIdentity

STILL = EffectsConfig(coherence=CoherenceConfig(strength=0.0), cuts=None)


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> Image:
    """Return a picture of two colors that meet in its middle, 160x120."""
    picture = np.empty((120, 160, 3), np.uint8)
    picture[:, :80], picture[:, 80:] = left, right
    return picture


def change(picture: Image, strength: float = 1.0) -> np.ndarray:
    """Return by how much a row in the middle is changed, in gray levels."""
    drawn = draw_contours(picture, strength)
    assert drawn.shape == picture.shape and drawn.dtype == np.uint8
    return np.asarray(drawn[60].astype(int).mean(-1) - picture[60].astype(int).mean(-1))


def test_a_line_is_drawn_where_two_colors_meet_and_nowhere_else() -> None:
    light = change(halves((200, 190, 180), (170, 160, 150)))
    assert light[76:84].min() < -40
    assert np.abs(light[:70]).max() == np.abs(light[90:]).max() == 0
    same_brightness = change(halves((190, 120, 120), (110, 150, 140)))
    assert same_brightness[76:84].min() < -40


def test_lines_are_weaker_where_a_contour_is_plain_to_see() -> None:
    plain, faint = (
        change(halves((at, at, at), (at - by, at - by, at - by)))
        for at, by in ((250, 150), (230, 40))
    )
    assert plain[79:81].min() > 0.5 * faint[79:81].max()
    assert plain[79:81].max() < -10


def test_lines_are_light_where_it_is_dark() -> None:
    dark = change(halves((40, 35, 30), (15, 15, 20)))
    assert dark[76:84].max() > 40 and dark.min() >= -1


def test_lines_are_as_strong_as_is_asked_for() -> None:
    picture = halves((200, 190, 180), (170, 160, 150))
    half, whole = change(picture, 0.25), change(picture, 0.5)
    np.testing.assert_allclose(whole, 2 * half, atol=1)
    np.testing.assert_array_equal(draw_contours(picture, 0.0), picture)


def test_neither_texture_nor_grain_gets_lines() -> None:
    random = np.random.default_rng(0)
    grain = np.clip(random.normal(150, 3, (120, 160, 3)), 0, 255).astype(np.uint8)
    texture = np.kron(random.integers(60, 200, (30, 40, 1)), np.ones((4, 4, 3))).astype(np.uint8)
    plain = halves((200, 190, 180), (170, 160, 150))
    line = np.abs(change(plain)).max()
    for picture in (grain, texture):
        changed = draw_contours(picture, 1.0).astype(int) - picture
        assert np.abs(changed).mean() < 0.1 * line


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 5)])
def test_any_size(size: tuple[int, int]) -> None:
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    np.testing.assert_array_equal(draw_contours(picture, 1.0), picture)


def test_it_is_done_at_the_size_that_frames_are_painted_at() -> None:
    composed = Composed(CountingIdentity(), replace(STILL, stroke=1.0, underdrawing=0.5))
    smaller, drawing = find(composed, PaintSmaller), find(composed, Underdraw)
    assert smaller is not None and drawing is not None and find(drawing, PaintSmaller) is None
    assert find(Composed(CountingIdentity(), STILL), Underdraw) is None
    painter = CountingIdentity()
    assert underdraw(painter, 0.0) is painter
    picture = halves((200, 190, 180), (170, 160, 150))
    painted = underdraw(painter, 0.5)(Frame(picture, 3, 0.1))
    drawn = draw_contours(picture, 0.5)
    np.testing.assert_array_equal(painted.image, give_form(picture, drawn, 0.7))
    raised = draw_contours(raise_contrast(picture, 1.0), 0.5)
    plainer = underdraw(painter, 0.5, plainer=True)(Frame(picture, 3, 0.1))
    np.testing.assert_array_equal(plainer.image, give_form(picture, raised, 0.7))
    assert (painted.index, painted.time) == (3, 0.1)


def test_the_optimization_is_given_the_source_itself() -> None:
    config = StylizerConfig(styles=["tahiti"], underdrawing=0.5)
    assert config.effects.underdrawing == 0.5
    assert replace(config, method=GatysConfig()).effects.underdrawing == 0


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_other_strengths_are_refused(strength: float) -> None:
    with pytest.raises(ConfigError, match="underdrawing: expected 0 to 1, got"):
        check_underdrawing(strength)
    with pytest.raises(ConfigError, match="underdrawing: expected 0 to 1, got"):
        EffectsConfig(underdrawing=strength)
    with pytest.raises(ConfigError, match="underdrawing: expected 0 to 1, got"):
        StylizerConfig(styles=["tahiti"], underdrawing=strength)
