from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylizer.errors import ConfigError, StyleError
from stylizer.styles.load import MIN_SIDE, NamedStyle, Style, load_style, load_styles, style_names


def _write(path: Path, *, size: tuple[int, int] = (24, 20), color: int = 90) -> Path:
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 2] = color  # OpenCV writes BGR: red
    assert cv2.imwrite(str(path), picture)
    return path


def _load(text: str) -> Style:
    style = load_style(text)
    assert isinstance(style, Style)
    return style


def test_a_path_is_a_style_of_weight_1(tmp_path: Path) -> None:
    style = _load(str(_write(tmp_path / "starry night.png")))
    assert (style.name, style.weight, style.image.shape) == ("starry night", 1.0, (20, 24, 3))
    assert style.image[0, 0].tolist() == [90, 0, 0]


@pytest.mark.parametrize(
    ("tail", "weight"), [(":0.3", 0.3), (":2", 2.0), (":1e-3", 1e-3), (":.5", 0.5), (":+4.", 4.0)]
)
def test_a_weight_follows_a_colon(tmp_path: Path, tail: str, weight: float) -> None:
    assert load_style(f"{_write(tmp_path / 'a.png')}{tail}").weight == weight


def test_a_path_may_hold_colons(tmp_path: Path) -> None:
    path = _write(tmp_path / "12:30 at night.png")
    assert load_style(str(path)).weight == 1.0
    assert load_style(f"{path}:0.5").weight == 0.5
    assert load_style(f"{path}:0.5").name == "12:30 at night"


def test_a_file_of_the_whole_name_wins_over_a_weight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = _write(tmp_path / "a.png")
    both = plain.rename(tmp_path / "a.png:0.5")
    monkeypatch.chdir(tmp_path)
    style = load_style(both.name)
    assert (style.name, style.weight) == (both.stem, 1.0)


@pytest.mark.parametrize(
    ("text", "path", "weight"),
    [
        ("C:\\art\\x.jpg", "C:\\art\\x.jpg", 1.0),
        ("C:\\art\\x.jpg:0.25", "C:\\art\\x.jpg", 0.25),
        ("C:/art/x.jpg:3", "C:/art/x.jpg", 3.0),
        ("x.jpg:", "x.jpg:", 1.0),
        ("x.jpg:half", "x.jpg:half", 1.0),
    ],
)
def test_drive_letters_are_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, path: str, weight: float
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    _write(tmp_path / "plain.png", color=200).rename(path)
    style = _load(text)
    assert (style.weight, style.image[0, 0].tolist()) == (weight, [200, 0, 0])


@pytest.mark.parametrize("tail", [":0", ":-1", ":1e999"])
def test_a_weight_must_be_positive(tmp_path: Path, tail: str) -> None:
    with pytest.raises(StyleError, match="weight above 0"):
        load_style(f"{_write(tmp_path / 'a.png')}{tail}")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match=r"no file .*nowhere\.jpg"):
        load_style(str(tmp_path / "nowhere.jpg"))


def test_a_folder_is_no_style(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="no file"):
        load_style(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(StyleError, match=r"a\.png"):
        load_style(str(path))


@pytest.mark.parametrize("size", [(1, 1), (MIN_SIDE - 1, 400), (400, MIN_SIDE - 1)])
def test_a_tiny_picture_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(StyleError, match=f"got {size[0]}x{size[1]}"):
        load_style(str(_write(tmp_path / "a.png", size=size)))


def test_the_smallest_picture_is_taken(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.png", size=(MIN_SIDE, MIN_SIDE))
    assert _load(str(path)).image.shape == (MIN_SIDE, MIN_SIDE, 3)


def test_weights_of_several_sum_to_1(tmp_path: Path) -> None:
    texts = [f"{_write(tmp_path / 'a.png')}:1", f"{_write(tmp_path / 'b.png')}:3"]
    loaded = load_styles(texts)
    assert [(style.name, style.weight) for style in loaded] == [("a", 0.25), ("b", 0.75)]


@pytest.mark.parametrize("texts", [[], ()])
def test_no_style_at_all_is_refused(texts: list[str]) -> None:
    with pytest.raises(StyleError, match="at least one"):
        load_styles(texts)


def test_a_text_is_not_taken_for_a_list_of_letters() -> None:
    with pytest.raises(StyleError, match="list of styles"):
        load_styles("a.png")


def test_a_style_checks_its_picture() -> None:
    with pytest.raises(ConfigError, match="style x: expected uint8"):
        Style(name="x", image=np.zeros((32, 32, 3)))  # type: ignore[arg-type]


@given(weights=st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=6))
def test_normalized_weights_keep_their_order(
    weights: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "shared.png"
    if not path.exists():
        _write(path)
    smallest = max(weights) * 1e-12
    weights = [max(weight, smallest) for weight in weights]
    shares = [style.weight for style in load_styles([f"{path}:{weight!r}" for weight in weights])]
    assert math.isclose(math.fsum(shares), 1.0, rel_tol=1e-9)
    assert np.argmax(shares) == np.argmax(weights)


def test_a_name_is_a_built_in_style() -> None:
    style = load_style("starry_night")
    assert isinstance(style, NamedStyle)
    assert (style.title, style.artist) == ("The Starry Night", "Vincent van Gogh")
    assert style.weight == 1.0
    assert load_style("starry_night:0.7").weight == 0.7


def test_every_name_can_be_loaded() -> None:
    assert [load_style(name).name for name in style_names()] == list(style_names())


@pytest.mark.parametrize("text", ["starry_night", "starry_night:0.5"])
def test_a_file_wins_over_a_built_in_style(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    _write(tmp_path / "a.png").rename(tmp_path / "starry_night")
    monkeypatch.chdir(tmp_path)
    assert _load(text).image[0, 0].tolist() == [90, 0, 0]


def test_names_and_pictures_are_weighted_together(tmp_path: Path) -> None:
    loaded = load_styles(["the_scream:3", str(_write(tmp_path / "a.png"))])
    assert [(style.name, style.weight) for style in loaded] == [("the_scream", 0.75), ("a", 0.25)]
    assert load_style("the_scream").weight == 1.0


@pytest.mark.parametrize("text", ["Starry Night", "starry-night", "STARRY  night", "starry_Night"])
def test_case_spaces_and_hyphens_of_names_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    style = load_style(f"person={text}:2")
    assert (style.name, style.weight, style.region) == ("starry_night", 2, "person")
    _write(tmp_path / "a.png").rename(tmp_path / text)
    monkeypatch.chdir(tmp_path)
    assert isinstance(load_style(text), Style)


@pytest.mark.parametrize("weight", ["abc", "", "nan", "0,5"])
def test_a_weight_that_is_no_number_is_refused(weight: str) -> None:
    with pytest.raises(
        StyleError, match=r"expected a weight above 0 .*starry_night:0\.5, got "
    ) as told:
        load_style(f"starry_night:{weight}")
    assert "did you mean" not in str(told.value) and repr(weight) in str(told.value)


@pytest.mark.parametrize("style", ["starry_night", "Starry Night:0.5"])
def test_a_part_that_there_is_not_is_answered_with_those_that_are(style: str) -> None:
    with pytest.raises(StyleError, match=r"expected one of person, background, .*, got 'nose'"):
        load_style(f"nose={style}")


@pytest.mark.parametrize("tail", [":0", ":-2"])
def test_the_weight_of_a_name_must_be_positive(tail: str) -> None:
    with pytest.raises(StyleError, match="the_scream: expected a weight above 0"):
        load_style(f"the_scream{tail}")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("starynight", "starry_night"),
        ("Starry Nigh:0.5", "starry_night"),
        ("the-scream.jpg", "the_scream"),
        ("great wav", "great_wave"),
    ],
)
def test_a_name_that_is_nearly_right_is_answered(text: str, meant: str) -> None:
    with pytest.raises(StyleError, match=rf"did you mean {meant}\?"):
        load_style(text)


def test_a_file_that_is_nearly_right_is_answered(tmp_path: Path) -> None:
    right = _write(tmp_path / "my painting.png")
    with pytest.raises(StyleError, match="did you mean") as told:
        load_style(f"{tmp_path / 'my paintin.png'}:0.5")
    assert str(right) in str(told.value)


def test_what_is_like_nothing_is_told_all_names() -> None:
    with pytest.raises(StyleError) as told:
        load_style("zzzz")
    assert all(name in str(told.value) for name in style_names())
