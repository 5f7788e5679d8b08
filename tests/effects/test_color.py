"""Colors kept, against NumPy in floating point."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylizer.effects.color import (
    KeepColor,
    MatchColor,
    check_pictures,
    keep_luminance,
    match_color,
    matched_styles,
)
from stylizer.errors import ConfigError, StyleError
from stylizer.frame import Frame, Image
from stylizer.styles.load import AnyStyle, Style, load_style

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
YIQ = np.array([LUMA, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


def noise(seed: int, *, size: tuple[int, int] = (20, 30), low: int = 0, high: int = 256) -> Image:
    return np.random.default_rng(seed).integers(low, high, (*size, 3), dtype=np.uint8)


def pixels(image: Image) -> npt.NDArray[np.float64]:
    return image.reshape(-1, 3).astype(np.float64)


class Painter:
    """Paints every frame in the mean color of its style, and counts what it is asked."""

    description = "painter on canvas"

    def __init__(self) -> None:
        self.styles: list[Style] = []
        self.resets = 0

    def set_styles(self, styles: object) -> None:
        self.styles = list(styles)  # type: ignore[call-overload]

    def reset(self) -> None:
        self.resets += 1

    def __call__(self, frame: Frame) -> Frame:
        image = np.empty_like(frame.image)
        image[:] = self.styles[0].image.mean((0, 1)) if self.styles else 99
        return frame.with_image(image)


def test_the_luma_is_the_paintings_and_the_chroma_the_sources() -> None:
    painted = noise(1, low=100, high=156)
    source = noise(2, low=100, high=156)  # the two together stay within RGB
    result = pixels(keep_luminance(painted, source)) @ YIQ.T
    np.testing.assert_allclose(result[:, 0], pixels(painted) @ LUMA, atol=1.5)
    np.testing.assert_allclose(result[:, 1:], pixels(source) @ YIQ[1:].T, atol=1.5)


@given(seed=st.integers(0, 500))
def test_out_of_range_the_luma_is_kept_and_the_hue_and_less_chroma(seed: int) -> None:
    painted, source = noise(seed), noise(seed + 1000)
    result = pixels(keep_luminance(painted, source)) @ YIQ.T
    luma, wanted = pixels(painted) @ LUMA, pixels(source) @ YIQ[1:].T
    np.testing.assert_allclose(result[:, 0], luma, atol=2.5)
    got = result[:, 1:]
    across = got[:, 0] * wanted[:, 1] - got[:, 1] * wanted[:, 0]
    length = np.linalg.norm(wanted, axis=1)
    assert (np.abs(across) <= 3 * length + 1).all()  # beside the hue by less than 3 gray levels
    assert (np.linalg.norm(got, axis=1) <= length + 3).all()


def test_a_picture_painted_as_itself_stays_as_it_is() -> None:
    image = noise(3)
    assert np.abs(keep_luminance(image, image).astype(int) - image).max() <= 1


def test_brushwork_shows_on_saturated_colors() -> None:
    """Clipping would leave about half of the stroke's contrast."""
    source = np.zeros((8, 8, 3), np.uint8)
    source[..., 2] = 255
    painted = np.full((8, 8, 3), 10, np.uint8)
    painted[:, 4:] = 60
    luma = keep_luminance(painted, source) @ LUMA
    assert luma[0, 4] - luma[0, 3] == pytest.approx(50, abs=2)


def test_two_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected the size of the source, 30x20, got 20x30"):
        keep_luminance(noise(1, size=(30, 20)), noise(1))


def test_the_wrapper_keeps_the_colors_and_passes_on_the_rest() -> None:
    painter = Painter()
    stylizer = KeepColor(painter)
    frame = Frame(noise(4, low=80, high=180), 3, 0.1)
    result = stylizer(frame)
    assert (result.index, result.time) == (3, 0.1)
    np.testing.assert_allclose(pixels(result.image) @ LUMA, 99, atol=1.5)
    stylizer.reset()
    assert painter.resets == 1
    assert stylizer.description == "painter on canvas"
    with pytest.raises(ConfigError, match="expected luminance, got 'match'"):
        KeepColor(painter, mode="match")


@given(seed=st.integers(0, 500))
def test_matched_colors_have_the_mean_and_covariance_of_the_content(seed: int) -> None:
    random = np.random.default_rng(seed)
    style = correlated(random, (37, 23))
    content = correlated(random, (19, 41))
    matched = match_color(style, content)
    assert matched.shape == style.shape
    got, wanted = pixels(matched), pixels(content)
    np.testing.assert_allclose(got.mean(0), wanted.mean(0), atol=0.5)
    np.testing.assert_allclose(np.cov(got.T), np.cov(wanted.T), rtol=0.05, atol=5)


def correlated(random: np.random.Generator, size: tuple[int, int]) -> Image:
    """Return colors that vary together, well within 0..255."""
    mix = np.eye(3) * 14 + random.uniform(-3, 3, (3, 3))
    values = np.clip(random.normal(size=(*size, 3)), -2, 2) @ mix + random.uniform(90, 160, 3)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def test_a_picture_matched_to_itself_stays_as_it_is() -> None:
    image = noise(5)
    np.testing.assert_array_equal(match_color(image, image), image)


def test_pictures_of_few_colors_are_matched_too() -> None:
    flat = np.full((9, 9, 3), (10, 200, 30), np.uint8)
    content = noise(6)
    only = match_color(flat, content)
    assert np.ptp(only.reshape(-1, 3), axis=0).max() == 0
    np.testing.assert_allclose(only[0, 0], pixels(content).mean(0), atol=0.6)
    gray = np.repeat(noise(7)[..., :1], 3, axis=2)
    assert np.ptp(match_color(content, gray).astype(int), axis=2).max() < 12


def test_matched_styles_keep_names_and_weights_and_leave_the_originals() -> None:
    style = Style(name="a", image=noise(8), weight=0.25)
    before = style.image.copy()
    content = noise(9, low=0, high=60)
    (matched,) = matched_styles([style], content)
    assert (matched.name, matched.weight) == ("a", 0.25)
    np.testing.assert_array_equal(matched.image, match_color(style.image, content))
    np.testing.assert_array_equal(style.image, before)


@pytest.mark.parametrize("check", ["function", "wrapper", "styles"])
def test_built_in_styles_cannot_be_matched(check: str) -> None:
    styles: list[AnyStyle] = [Style(name="a", image=noise(1)), load_style("the_scream")]
    with pytest.raises(StyleError, match="the_scream: matching colors needs a style picture"):
        if check == "function":
            check_pictures(styles)
        elif check == "wrapper":
            MatchColor(Painter(), styles)
        else:
            matched_styles(styles, noise(2))


def test_every_shot_gets_the_colors_of_its_first_frame() -> None:
    painter = Painter()
    stylizer = MatchColor(painter, [Style(name="a", image=noise(10))])
    dark, bright = (noise(11, low=low, high=low + 60) for low in (0, 180))

    def color(image: Image) -> float:
        return float(stylizer(Frame(image, 0, 0.0)).image.mean())

    first = color(dark)
    assert first == pytest.approx(dark.mean(), abs=2)
    assert color(bright) == first  # the same shot
    stylizer.reset()
    assert painter.resets == 1
    assert color(bright) == pytest.approx(bright.mean(), abs=2)
    small = np.ascontiguousarray(dark[:8])
    assert color(small) == pytest.approx(small.mean(), abs=2)
    assert stylizer.description == "painter on canvas"


def test_a_shot_that_begins_in_the_dark_gets_its_colors_when_something_shows() -> None:
    painter = Painter()
    stylizer = MatchColor(painter, [Style(name="a", image=noise(12))])
    black, lit = np.zeros((20, 30, 3), np.uint8), noise(13, low=100, high=200)
    later = noise(14, low=30, high=90)

    def color(image: Image) -> float:
        return float(stylizer(Frame(image, 0, 0.0)).image.mean())

    assert [color(black), color(black)] == pytest.approx([0, 0], abs=2)
    assert color(lit) == pytest.approx(lit.mean(), abs=2)
    assert color(later) == color(lit)
    assert color(black) == color(lit)
