"""``stylizer styles``, and the look that every painting command has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stylizer.apps.commands import styles as app
from stylizer.apps.options.look import LookOptions
from stylizer.effects.color import keep_luminance, match_color
from stylizer.errors import ConfigError, StyleError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.io.image import read_image
from stylizer.network.config import FastConfig
from stylizer.styles.built_in import load_named_style, style_names
from stylizer.styles.load import AnyStyle, NamedStyle, Style, load_style
from tests.apps.conftest import Inverter, Run, names
from tests.clips import picture


class Painter(Inverter):
    """Inverts, and for a picture mixes with its mean color; its styles can be changed."""

    description = "painter on canvas"

    def __init__(self) -> None:
        super().__init__()
        self.painted_after: list[str] = []
        self._color: float | None = None
        self._name = ""

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        self._name = styles[0].name
        first = styles[0]
        self._color = None if isinstance(first, NamedStyle) else float(first.image.mean())

    def __call__(self, frame: Frame) -> Frame:
        self.painted_after.append(self._name)
        if self._color is None:
            return super().__call__(frame)
        return frame.with_image(np.full_like(frame.image, round(self._color)))


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Painter:
    painter = Painter()
    configs: list[object] = []

    def make(_: Sequence[AnyStyle], config: object) -> Painter:
        configs.append(config)
        return painter

    monkeypatch.setattr(app, "make_stylizer", make)
    monkeypatch.setattr(painter, "configs", configs, raising=False)
    return painter


def noise(seed: int) -> Image:
    return np.random.default_rng(seed).integers(60, 200, (24, 32, 3), dtype=np.uint8)


def test_lists_names_titles_painters_and_years(stylizer: Run) -> None:
    outcome = stylizer("styles")
    assert outcome.code == 0, outcome.err
    for name in style_names():
        style = load_named_style(name)
        row = next(line for line in outcome.out.splitlines() if line.startswith(f"{name} "))
        assert all(part in row for part in (style.title, style.artist, str(style.year)))


def test_a_gallery_shows_every_style_on_a_photo(
    stylizer: Run, photo: Path, painter: Painter, tmp_path: Path
) -> None:
    out = tmp_path / "gallery.png"
    outcome = stylizer("styles", "--gallery", out, "--photo", photo, "--size", "160x120")
    assert outcome.code == 0, outcome.err
    assert "painter on canvas · 160x120" in outcome.err
    assert painter.painted_after == list(style_names())
    assert painter.resets == len(style_names())
    sheet = read_image(out).astype(int)
    assert names(tmp_path) == ["gallery.png"]
    cells = sheet[8:128, 8:168], sheet[8:128, 176:336]  # the photo, and the first style
    assert np.abs(cells[0] + cells[1] - 255).max() == 0
    again = stylizer("styles", "--gallery", out, "--photo", photo)
    assert again.code == 1
    assert "--overwrite" in again.errors[0]


@pytest.mark.parametrize(("method", "kind"), [("fast", FastConfig), ("gatys", GatysConfig)])
def test_the_method_is_chosen(
    stylizer: Run, photo: Path, painter: Painter, tmp_path: Path, method: str, kind: type
) -> None:
    args = ("--gallery", tmp_path / "a.png", "--photo", photo, "-q", "--method", method)
    outcome = stylizer("styles", *args)
    assert (outcome.code, outcome.err) == (0, "")
    assert [type(config) for config in painter.configs] == [kind]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--gallery", "OUT"], "--gallery and --photo: expected both"),
        (["--photo", "PHOTO"], "--gallery and --photo: expected both"),
        (["--gallery", "OUT", "--photo", "none.png"], "none.png: no such picture"),
        (["--gallery", "a.txt", "--photo", "PHOTO"], "a.txt: expected a file ending in"),
        (["--gallery", "PHOTO", "--photo", "PHOTO"], "is also the input"),
        (["--gallery", "OUT", "--photo", "PHOTO", "--size", "big"], "size: expected"),
    ],
)
def test_a_slip_is_told_before_anything_is_painted(
    stylizer: Run,
    photo: Path,
    painter: Painter,
    tmp_path: Path,
    arguments: list[str],
    expected: str,
) -> None:
    known = {"OUT": str(tmp_path / "out.png"), "PHOTO": str(photo)}
    outcome = stylizer("styles", *[known.get(part, part) for part in arguments])
    assert outcome.code == 1
    assert expected in outcome.errors[0]
    assert painter.calls == []
    assert names(tmp_path) == []


def test_a_method_whose_styles_are_fixed_is_refused(
    stylizer: Run, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "make_stylizer", lambda *_: Inverter())
    outcome = stylizer("styles", "--gallery", tmp_path / "a.png", "--photo", photo)
    assert outcome.code == 1
    assert "expected a method whose styles can be changed, got Inverter" in outcome.errors[0]


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("keep", [None, "luminance"])
def test_the_look_of_a_stream_and_of_one_picture_are_the_same(
    strength: float, keep: str | None
) -> None:
    look = LookOptions(strength=strength, keep_color=keep)
    source = noise(1)
    styles = [load_style("tahiti")]
    streamed = look.wrap(look.match(Painter(), styles))(Frame(source, 0, 0.0)).image
    assert list(look.prepare(styles, source)) == styles
    finished = look.finish(255 - source, source)
    np.testing.assert_array_equal(streamed, finished)
    painted = keep_luminance(255 - source, source) if keep else 255 - source
    expected = strength * painted.astype(float) + (1 - strength) * source
    assert np.abs(finished - expected).max() <= 0.5001


def test_matching_colors_changes_the_styles_before_painting() -> None:
    look = LookOptions(keep_color="match")
    style = Style(name="a", image=noise(2))
    source = picture(3)
    (prepared,) = look.prepare([style], source)
    assert isinstance(prepared, Style)
    np.testing.assert_array_equal(prepared.image, match_color(style.image, source))
    streamed = look.match(Painter(), [style])(Frame(source, 0, 0.0)).image
    assert streamed.mean() == round(match_color(style.image, source).mean())
    np.testing.assert_array_equal(look.finish(noise(3), noise(4)), noise(3))


def test_the_look_is_checked_before_anything_is_loaded() -> None:
    named = [load_style("tahiti")]
    with pytest.raises(ConfigError, match=r"^--strength: expected 0"):
        LookOptions(strength=1.5).check(named)
    with pytest.raises(StyleError, match="tahiti: matching colors needs a style picture"):
        LookOptions(keep_color="match").check(named)
    LookOptions(keep_color="luminance", strength=0.0).check(named)
