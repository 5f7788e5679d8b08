"""``stylizer styles``, and the look that every painting command has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stylizer.apps.commands import styles as app
from stylizer.apps.console import painting
from stylizer.apps.options.effects import CoherenceOptions
from stylizer.apps.options.look import FinerOptions, LookOptions
from stylizer.apps.options.method import describe
from stylizer.description import EffectsConfig
from stylizer.effects.overpainting import USUAL_OVERPAINTING
from stylizer.effects.underdrawing import USUAL_UNDERDRAWING
from stylizer.effects.underpainting import STILL_UNDERPAINTING, VIDEO_UNDERPAINTING
from stylizer.errors import ConfigError, StyleError
from stylizer.faces.models import are_faces_available
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.io.image import read_image
from stylizer.network.config import FastConfig
from stylizer.styles.built_in import load_named_style, style_names
from stylizer.styles.load import AnyStyle, NamedStyle, load_style
from stylizer.temporal.coherence import CoherenceConfig
from tests.apps.conftest import Inverter, Run, names


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

    monkeypatch.setattr(app, "make_painter", make)
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
    monkeypatch.setattr(painting, "load_painter", lambda _: Inverter())
    outcome = stylizer("styles", "--gallery", tmp_path / "a.png", "--photo", photo)
    assert outcome.code == 1
    assert "expected a method whose styles can be changed, got Inverter" in outcome.errors[0]


def test_the_look_is_described() -> None:
    styles, method = [load_style("tahiti")], FastConfig()
    plain = describe(styles, method, LookOptions(faces="paint"))
    still = CoherenceConfig(strength=0)
    assert plain.effects == EffectsConfig(
        coherence=still,
        cuts=None,
        stroke=1.0,
        underpainting=STILL_UNDERPAINTING,
        underdrawing=USUAL_UNDERDRAWING,
    )
    look = LookOptions(strength=0.4, keep_color="luminance", faces="paint")
    asked = describe(styles, method, look, CoherenceOptions())
    assert asked.effects == EffectsConfig(
        strength=0.4,
        keep_color=True,
        stroke=1.0,
        underpainting=VIDEO_UNDERPAINTING,
        overpainting=USUAL_OVERPAINTING,
        underdrawing=USUAL_UNDERDRAWING,
    )
    assert (asked.styles, asked.method) == (tuple(styles), method)


def test_networks_of_our_own_are_underpainted_and_drawn_for() -> None:
    styles, look, video = [load_style("tahiti")], LookOptions(), CoherenceOptions()
    over = CoherenceOptions(overpainting=0.1)
    for method in (FastConfig(network="magenta"), GatysConfig()):
        for described in (describe(styles, method, look), describe(styles, method, look, video)):
            assert (described.underpainting, described.underdrawing) == (0, 0)
            assert described.overpainting == 0
    light, asked = FastConfig(network="fast"), LookOptions(underpainting=0.0, underdrawing=0.2)
    described = describe(styles, light, look, over)
    assert described.underpainting == VIDEO_UNDERPAINTING
    assert described.overpainting == 0.1
    assert described.underdrawing == USUAL_UNDERDRAWING
    described = describe(styles, light, asked, video)
    assert (described.underpainting, described.underdrawing) == (0, 0.2)
    asked = LookOptions(underpainting=0.1)
    assert describe(styles, FastConfig(network="magenta"), asked).underpainting == 0.1


def test_finer_strokes_are_for_what_can_be_divided_by_them() -> None:
    look, fast = LookOptions(), FastConfig()
    styles, tiles = [load_style("tahiti")], [load_style("mosaic")]
    assert FinerOptions().part(styles, fast, look) is None
    assert FinerOptions(finer=True).part(styles, fast, look) == "all"
    assert FinerOptions(finer=True).part([*styles, *tiles], fast, look) == "people"
    for method, wrong in ((GatysConfig(), look), (fast, LookOptions(stroke="native"))):
        with pytest.raises(ConfigError, match="--finer: belongs to --method fast, with strokes"):
            FinerOptions(finer=True).part(styles, method, wrong)


def test_faces_are_kept_where_they_can_be_found() -> None:
    usual = describe([load_style("tahiti")], FastConfig(), LookOptions()).effects.faces
    assert (usual is not None) == are_faces_available()
    optimized = describe([load_style("tahiti")], GatysConfig(), LookOptions()).effects.faces
    assert optimized == (usual and replace(usual, strength=0.6))
    asked = describe([load_style("tahiti")], GatysConfig(), LookOptions(face_strength=0.9))
    assert asked.effects.faces == (usual and replace(usual, strength=0.9))
    for other in (GatysConfig(initial="content"), GatysConfig(portrait=True)):
        assert describe([load_style("tahiti")], other, LookOptions()).effects.faces is None


def test_the_look_is_checked_before_anything_is_loaded() -> None:
    named, fast = [load_style("tahiti")], FastConfig()
    with pytest.raises(ConfigError, match=r"^--strength: expected 0"):
        LookOptions(strength=1.5).check(named, fast)
    for wrong in ("broad", "0", "nan", "9", ""):
        with pytest.raises(ConfigError, match=r"^--stroke: expected a factor from 0.1 to 8, or"):
            LookOptions(stroke=wrong).check(named, fast)
    with pytest.raises(ConfigError, match="--stroke: belongs to --method fast; with gatys"):
        LookOptions(stroke="2").check(named, GatysConfig())
    with pytest.raises(StyleError, match="tahiti: matching colors needs a style picture"):
        LookOptions(keep_color="match").check(named, fast)
    LookOptions(keep_color="luminance", strength=0.0).check(named, fast)
    LookOptions().check(named, GatysConfig())
    widths = [LookOptions(stroke=text).breadth for text in ("2", "0.5", "native", None)]
    assert widths == [2.0, 0.5, None, 1.0]


def test_help_says_how_a_gallery_is_made(stylizer: Run) -> None:
    outcome = stylizer("styles", "--help")
    assert "Or show them on a photo: --gallery OUT --photo PHOTO." in " ".join(outcome.out.split())
