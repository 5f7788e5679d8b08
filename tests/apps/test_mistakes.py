"""What is said of words that a command cannot take: in one line, with what was expected and got."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as pillow

from stylizer.apps.console.mistakes import name_option
from stylizer.styles.load import load_styles
from tests.apps.conftest import Inverter, Run, names
from tests.clips import make_clip, picture

STYLED = ("-s", "starry_night")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["image", "a.jpg"], "OUT is missing: expected CONTENT OUT (see stylizer image --help)"),
        (["image", "a.jpg", "b.jpg"], "--style is missing: expected a built-in style"),
        (["image", "a.jpg", "b.jpg", "-s"], "-s: expected a value after it, got none"),
        (["image", "a.jpg", "b.jpg", "c", *STYLED], "c: expected CONTENT OUT, got more"),
        (["image", "a.jpg", "", *STYLED], "expected a path or a value, got an empty one"),
        (["image", "-", "b.jpg", *STYLED], "-: expected a picture's file, got a pipe"),
        (["jobs", "foo"], "expected list, resume or remove, got 'foo'"),
        (["web", "--keep", "-1"], "--keep: expected a number above 0, got -1"),
        (["web", "--port", "x"], "--port: expected a whole number, got 'x'"),
        (["live", *STYLED, "--fps", "x"], "--fps: expected a number, got 'x'"),
        (["tune"], "STYLE is missing: expected the style picture"),
        (["sweep", "a.jpg", "o", *STYLED, "--set", "foo"], "--set: expected setting=value"),
    ],
)
def test_one_line_says_what_was_expected(stylizer: Run, words: list[str], told: str) -> None:
    outcome = stylizer(*words)
    assert (outcome.code, len(outcome.err.splitlines())) == (1, 1)
    assert outcome.errors[0].startswith("stylizer: error: ")
    assert told in outcome.errors[0]
    assert not [word for word in ("Invalid", "Input should", "Value error") if word in outcome.err]


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--strength", "abc", "expected a number, got 'abc'"),
        ("--threads", "1.5", "expected a whole number, got '1.5'"),
        ("--workers", "0", "expected 1 or more, got '0'"),
        ("--method", "foo", "expected fast or gatys, got 'foo'"),
        ("--faces", "foo", "expected keep, paint or only, got 'foo'"),
        ("--style-scale", "nan", "expected 0.05..8, got nan"),
        ("--smooth", "-1", "expected 0..50, got -1.0"),
        ("--threads", "0", "expected 1 or more, got 0"),
        ("--overwrite=3", None, "expected no value, got one"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_option(
    stylizer: Run, photo: Path, tmp_path: Path, option: str, value: str | None, told: str
) -> None:
    given = [option] if value is None else [option, value]
    outcome = stylizer("image", photo, tmp_path / "out.png", *STYLED, *given)
    assert (outcome.code, len(outcome.err.splitlines())) == (1, 1)
    assert outcome.errors[0].startswith(f"stylizer: error: {option.partition('=')[0]}: {told}")
    assert names(tmp_path) == []


def test_a_setting_is_named_as_its_option() -> None:
    options = {"--style-scale", "--loss-network", "--set"}
    assert name_option("style_scale: expected 1", options) == "--style-scale: expected 1"
    assert name_option("network: got 2", options) == "--loss-network: got 2"
    assert name_option("a.png: no such picture", options) == "a.png: no such picture"
    assert name_option("other: expected 1", options) == "other: expected 1"


def test_animations_are_for_the_other_command(
    stylizer: Run, inverter: Inverter, style: Path, tmp_path: Path
) -> None:
    frames = [pillow.fromarray(picture(number)) for number in range(3)]
    for suffix in (".gif", ".png", ".webp"):
        path = tmp_path / f"moving{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
        outcome = stylizer("image", path, tmp_path / f"out{suffix}.png", "-s", style)
        assert outcome.code == (1 if suffix == ".gif" else 0)
        assert "`stylizer video` paints" in outcome.err
    film = make_clip(tmp_path / "film.mp4", seconds=0.2)
    assert "`stylizer video` paints" in stylizer("image", film, tmp_path / "o.png", *STYLED).err
    folder = stylizer("video", tmp_path / "none", tmp_path / "o.mp4", *STYLED)
    assert "no such file or folder" in folder.errors[0]
    (tmp_path / "films").mkdir()
    film.rename(tmp_path / "films" / film.name)
    folder = stylizer("video", tmp_path / "films", tmp_path / "o.mp4", *STYLED)
    assert "/*.mp4 -o FOLDER` paints videos" in folder.errors[0]


def test_a_style_that_is_tuned_already_is_told(
    stylizer: Run, inverter: Inverter, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    outcome = stylizer("image", photo, out, *STYLED, "--tune", "2")
    assert outcome.code == 0, outcome.err
    assert f"--tune: {load_styles(STYLED[1:])[0].name}: tuned already" in outcome.err
    assert "--tune" not in stylizer("image", photo, out, *STYLED, "--tune", "2", "-q", "-y").err
