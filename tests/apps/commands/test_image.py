"""With the real optimization, at tiny sizes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from stylizer.effects.underpainting import STILL_UNDERPAINTING
from stylizer.frame import Image
from stylizer.io.image import read_image, write_image
from tests.apps.conftest import Run, names
from tests.clips import picture
from tests.faces.pictures import astronaut

GATYS = ("--method", "gatys")


def test_paints_a_picture(stylizer: Run, photo: Path, style: Path, tmp_path: Path) -> None:
    out, table = tmp_path / "out.png", tmp_path / "losses.csv"
    args = ("image", photo, out, "-s", style, "--size", "32", *GATYS, "--iterations", 12)
    outcome = stylizer(*args, "--losses", table, "--tv-weight", "0")
    assert outcome.code == 0, outcome.err
    assert "· 43x32" in outcome.err
    assert "Losses" in outcome.out
    painted = read_image(out)
    assert painted.shape == (32, 43, 3)
    with table.open() as file:
        totals = [float(row["total"]) for row in csv.DictReader(file)]
    assert len(totals) == 12
    assert totals[-1] < totals[0]
    assert names(tmp_path) == ["losses.csv", "out.png"]


def test_the_seed_decides_the_noise(
    stylizer: Run, photo: Path, style: Path, tmp_path: Path
) -> None:
    def paint(name: str, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        out = tmp_path / name
        args = ("image", photo, out, "-s", style, "--size", "32x24", "--initial", "noise")
        assert stylizer(*args, *GATYS, "--iterations", 1, "--seed", seed, "-q").code == 0
        return read_image(out).astype(int)

    first, again, other = paint("a.png", 1), paint("b.png", 1), paint("c.png", 2)
    assert np.abs(first - again).max() <= 1
    assert np.abs(first - other).mean() > 10


def test_starts_from_a_picture_that_is_given(
    stylizer: Run, photo: Path, style: Path, tmp_path: Path
) -> None:
    start = tmp_path / "start.png"
    write_image(start, np.full((20, 30, 3), (250, 5, 5), np.uint8))
    out = tmp_path / "out.png"
    args = ("image", photo, out, "-s", style, "--initial-image", start, "--iterations", 1)
    assert stylizer(*args, *GATYS, "--learning-rate", 1).code == 0
    assert np.abs(read_image(out).astype(int) - (250, 5, 5)).max() <= 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--initial", "image"], "--initial-image"),
        (["--initial", "noise", "--initial-image", "PHOTO"], "--initial noise"),
        (["--initial-image", "none.png"], "none.png"),
        (["--weights", "none.h5"], "--weights: there is no file none.h5"),
        (["--style-layer", "block9_conv1"], "block9_conv1"),
        (["--network", "nonet"], "nonet"),
        (["--detail", "0.5"], "--detail: belongs to --method fast"),
        (["--underpainting", "0.5"], "--underpainting: belongs to --method fast"),
        (["--underdrawing", "0.5"], "--underdrawing: belongs to --method fast"),
    ],
)
def test_refuses_what_does_not_go_together(
    stylizer: Run, photo: Path, style: Path, tmp_path: Path, options: list[str], expected: str
) -> None:
    options = [str(photo) if option == "PHOTO" else option for option in options]
    outcome = stylizer("image", photo, tmp_path / "out.png", "-s", style, *GATYS, *options)
    assert outcome.code == 1
    assert expected in outcome.errors[0]
    assert names(tmp_path) == []


def test_stills_are_underpainted_by_default(
    stylizer: Run, photo: Path, style: Path, tmp_path: Path
) -> None:
    def paint(*options: object) -> Image:
        out = tmp_path / "out.png"
        assert stylizer("image", photo, out, "-s", style, "-q", "-y", *options).code == 0
        return read_image(out)

    usual = paint()
    np.testing.assert_array_equal(usual, paint("--underpainting", STILL_UNDERPAINTING))
    assert np.abs(usual.astype(int) - paint("--underpainting", 0)).mean() > 1
    outcome = stylizer("image", photo, tmp_path / "new.png", "-s", style, "--underpainting", 2)
    assert outcome.code == 1
    assert "--underpainting: expected 0 to 1, got 2.0" in outcome.errors[0]


@pytest.mark.slow
def test_two_styles_lie_between_the_single_ones(stylizer: Run, photo: Path, tmp_path: Path) -> None:
    """From white noise and with no content, the mean color follows the styles' weights."""
    red, blue = tmp_path / "red.png", tmp_path / "blue.png"
    write_image(red, picture(1) // 4 + np.array([190, 0, 0], np.uint8))
    write_image(blue, picture(1) // 4 + np.array([0, 0, 190], np.uint8))

    def redness(*styles: str) -> float:
        out = tmp_path / "out.png"
        given = [part for style in styles for part in ("-s", style)]
        args = ("image", photo, out, *given, *GATYS, "--content-weight", 0, "--tv-weight", 0)
        assert stylizer(*args, "--iterations", 100, "-q", "-y", "--size", 32).code == 0
        mean = read_image(out).astype(float).mean(axis=(0, 1))
        return float(mean[0] - mean[2])

    only_red, only_blue = redness(str(red)), redness(str(blue))
    both = redness(f"{red}:0.5", f"{blue}:0.5")
    assert only_blue < both < only_red


@pytest.mark.parametrize("level", [0, 255])
def test_a_picture_in_which_nothing_is_painted_is_told_of(
    stylizer: Run, photo: Path, tmp_path: Path, level: int
) -> None:
    mask, out = tmp_path / "mask.png", tmp_path / "out.png"
    write_image(mask, np.full((9, 9, 3), level, np.uint8))
    outcome = stylizer("image", photo, out, "-s", f"mask:{mask}=starry_night", "--faces", "paint")
    assert outcome.code == 0, outcome.err
    assert ("it stays as it is" in outcome.err) == (level == 0)
    assert np.array_equal(read_image(out), read_image(photo)) == (level == 0)


@pytest.mark.parametrize("method", [(), (*GATYS, "--iterations", 1, "--initial", "noise")])
def test_only_people_are_painted(stylizer: Run, tmp_path: Path, method: tuple[object, ...]) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    write_image(photo, np.ascontiguousarray(astronaut()[::2, ::2]))
    args = ("image", photo, out, "-s", "starry_night", "--faces", "paint", *method)
    outcome = stylizer(*args, "--region", "person")
    assert outcome.code == 0, outcome.err
    assert "it stays as it is" not in outcome.err
    painted, source = read_image(out).astype(int), read_image(photo)
    np.testing.assert_array_equal(painted[:60, :15], source[:60, :15])  # a flag
    assert np.abs(painted[170:220, 90:160] - source[170:220, 90:160]).mean() > 15  # the suit


def test_a_picture_with_nobody_in_it_is_told_of(stylizer: Run, tmp_path: Path) -> None:
    photo, out = tmp_path / "wall.png", tmp_path / "out.png"
    write_image(photo, np.full((48, 64, 3), 120, np.uint8))
    outcome = stylizer("image", photo, out, "-s", "starry_night", "--region", "person")
    assert outcome.code == 0, outcome.err
    assert f"{photo}: nobody was found in it: it stays as it is" in outcome.err
    assert np.array_equal(read_image(out), read_image(photo))
    outcome = stylizer("image", photo, out, "-y", "-s", "starry_night", "--faces", "only")
    assert f"{photo}: no face was found in it: it stays as it is" in outcome.err
    assert np.array_equal(read_image(out), read_image(photo))
