"""Every picture of a folder, in every style of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pillow

from stylizer.apps.commands import image
from stylizer.frame import Frame
from stylizer.io.image import read_image, write_image
from tests.apps.conftest import Inverter, Run, names
from tests.clips import picture
from tests.io.test_metadata import PLACE, photograph, said


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, size in ((1, (64, 48)), (2, (40, 80)), (3, (33, 31))):
        write_image(folder / f"{number}.png", picture(number, size))
    return folder


@pytest.fixture
def looks(tmp_path: Path) -> Path:
    folder = tmp_path / "styles"
    folder.mkdir()
    for name, number in (("red", 5), ("blue", 9)):
        write_image(folder / f"{name}.png", picture(number))
    return folder


def test_every_picture_in_every_style(
    stylizer: Run, inverter: Inverter, photos: Path, looks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    outcome = stylizer("image", photos, out, "-s", looks)
    assert outcome.code == 0, outcome.err
    expected = [f"{photo}_{style}.png" for photo in (1, 2, 3) for style in ("blue", "red")]
    assert names(out) == expected
    assert f"{out}: 6 pictures" in outcome.err
    np.testing.assert_array_equal(read_image(out / "2_red.png"), 255 - read_image(photos / "2.png"))
    assert names(tmp_path) == ["out", "photos", "styles"]
    again = stylizer("image", photos, out, "-s", looks)
    assert "all 6 pictures are there already" in again.err
    assert len(inverter.calls) == 6


def test_other_settings_do_not_get_among_the_pictures_that_are_there(
    stylizer: Run, inverter: Inverter, photos: Path, looks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert stylizer("image", photos, out, "-s", looks).code == 0
    write_image(looks / "green.png", picture(11))
    assert stylizer("image", photos, out, "-s", looks).code == 0
    assert len(inverter.calls) == 9
    write_image(looks / "red.png", picture(13), overwrite=True)
    for changed in ((), ("--size", 24)):
        refused = stylizer("image", photos, out, "-s", looks, *changed)
        assert refused.code == 1
        assert ("is 24" if changed else "styles.1.sha256 was ") in refused.errors[0]
    assert len(inverter.calls) == 9 and names(tmp_path) == ["out", "photos", "styles"]
    assert stylizer("image", photos, out, "-s", looks, "-y").code == 0
    assert stylizer("image", photos, out, "-s", looks).code == 0
    assert len(inverter.calls) == 18
    assert stylizer("image", photos, out, "-s", looks, "--restart").code == 0
    assert len(inverter.calls) == 27


def test_one_style_keeps_the_names_and_a_size_is_heeded(
    stylizer: Run, inverter: Inverter, photos: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("image", photos / "*.png", out, "-s", style, "--size", 24)
    assert stylizer(*arguments).code == 0
    assert names(out) == ["1.png", "2.png", "3.png"]
    assert min(read_image(out / "2.png").shape[:2]) == 24


def test_a_batch_that_was_killed_is_gone_on_with(
    stylizer: Run,
    photos: Path,
    looks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    painted: list[int] = []

    class Dying(Inverter):
        def __call__(self, frame: Frame) -> Frame:
            if len(painted) == 4:
                raise SystemExit
            painted.append(1)
            return super().__call__(frame)

    out = tmp_path / "out"
    monkeypatch.setattr(image, "make_stylizer", lambda *_, **__: Dying())
    for overwrite in ((), ("--overwrite",)):
        painted.clear()
        arguments = ("image", photos, out, "-s", looks, *overwrite)
        with pytest.raises(SystemExit):
            stylizer(*arguments)
        refused = stylizer(*arguments, "--strength", 0.5)
        assert "strength was 1.0 and is 0.5" in refused.errors[0]
        painted.clear()
        outcome = stylizer(*arguments)
        assert outcome.code == 0, outcome.err
        assert "going on with 2 of 6 pictures" in outcome.err
        assert len(painted) == 2
        assert len(names(out)) == 6
        assert names(tmp_path) == ["out", "photos", "styles"]


@pytest.mark.usefixtures("inverter")
@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_a_picture_that_cannot_be_read_is_left_out_and_named(
    stylizer: Run, photos: Path, style: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    good = (photos / "2.png").read_bytes()
    (photos / "2.png").write_bytes(good[: len(good) // 2])
    out = tmp_path / "out"
    arguments = ("image", photos, out, "-s", style, *more)
    outcome = stylizer(*arguments)
    assert outcome.code == 1
    assert "2.png is left out: " in outcome.err and "damaged or truncated" in outcome.err
    assert f"{out}: 1 of 3 pictures are left out" in outcome.errors[-1]
    assert names(out) == ["1.png", "3.png"]
    (photos / "2.png").write_bytes(good)
    assert stylizer(*arguments).code == 0
    assert names(out) == ["1.png", "2.png", "3.png"]
    assert names(tmp_path) == ["out", "photos"]


@pytest.mark.usefixtures("inverter")
def test_pictures_of_kinds_that_are_only_read_become_jpegs(
    stylizer: Run, photos: Path, style: Path, tmp_path: Path
) -> None:
    pillow.fromarray(picture(4)).save(photos / "4.heic", format="HEIF")
    (photos / "5.avif").write_bytes(b"no picture")
    for command, more in (("image", ()), ("frames", ("--independent",))):
        out = tmp_path / command
        outcome = stylizer(command, photos, out, "-s", style, *more)
        assert outcome.code == 1
        assert "5." in outcome.err and "5.avif: not a picture" in outcome.err
        assert names(out) == ["1.png", "2.png", "3.png", "4.jpg"]


@pytest.mark.usefixtures("inverter")
def test_a_style_that_cannot_be_read_is_left_out_and_named(
    stylizer: Run, photos: Path, looks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (looks / "blue.png").write_bytes(b"no picture")
    write_image(looks / "tiny.png", picture(1, (8, 8)))
    outcome = stylizer("image", photos, out, "-s", looks)
    assert outcome.code == 1
    assert "blue.png is left out: " in outcome.err and "not a picture" in outcome.err
    assert "tiny.png is left out: " in outcome.err and "got 8x8" in outcome.err
    assert f"{out}: 2 styles are left out (blue.png, tiny.png)" in outcome.errors[-1]
    assert names(out) == ["1_red.png", "2_red.png", "3_red.png"]
    (looks / "red.png").unlink()
    refused = stylizer("image", photos, tmp_path / "other", "-s", looks)
    assert refused.code == 1 and f"{looks}: expected pictures" in refused.errors[-1]
    for style in ("blue.png", "tiny.png"):
        refused = stylizer("image", photos, tmp_path / "other", "-s", looks / style)
        assert refused.code == 1 and str(looks / style) in refused.errors[-1]
    assert names(tmp_path) == ["out", "photos", "styles"]


def test_the_optimization_paints_batches_too(
    stylizer: Run, photos: Path, looks: Path, tmp_path: Path
) -> None:
    gatys = ("--method", "gatys", "--iterations", 2, "--size", 24)
    out = tmp_path / "out"
    outcome = stylizer("image", photos / "1.png", out, "-s", looks, *gatys)
    assert outcome.code == 0, outcome.err
    assert names(out) == ["1_blue.png", "1_red.png"]
    alone = tmp_path / "alone.png"
    assert stylizer("image", photos / "1.png", alone, "-s", looks / "red.png", *gatys).code == 0
    np.testing.assert_array_equal(read_image(out / "1_red.png"), read_image(alone))


def test_what_one_picture_has_only_is_refused(
    stylizer: Run, photos: Path, style: Path, tmp_path: Path
) -> None:
    arguments = ("image", photos, tmp_path / "out", "-s", style, "--method", "gatys")
    outcome = stylizer(*arguments, "--losses", tmp_path / "l.csv")
    assert outcome.code == 1
    assert "--losses: expected one picture and one style" in outcome.errors[0]
    assert names(tmp_path) == ["photos"]


def test_what_photos_say_goes_along_unless_it_is_to_be_left_out(
    stylizer: Run, inverter: Inverter, tmp_path: Path, looks: Path
) -> None:
    (tmp_path / "photos").mkdir()
    photo, style = photograph(tmp_path / "photos" / "a.jpg"), looks / "red.png"
    for command in ("image", "frames"):
        out = tmp_path / command
        assert stylizer(command, photo.parent, out, "-s", style).code == 0
        assert said(out / "a.jpg")[2] == PLACE
        mixed = stylizer(command, photo.parent, out, "-s", style, "--no-metadata")
        assert mixed.code == 1
        assert "no-metadata was nothing and is True" in mixed.errors[0]
        assert stylizer(command, photo.parent, out, "-s", style, "--no-metadata", "-y").code == 0
        assert said(out / "a.jpg")[2] == {}
        assert read_image(out / "a.jpg").shape == (64, 48, 3)
    one = ("image", photo, tmp_path / "one.jpg", "-s", style)
    assert stylizer(*one).code == 0
    assert said(tmp_path / "one.jpg")[2] == PLACE
    assert stylizer(*one, "-y", "--no-metadata").code == 0
    assert said(tmp_path / "one.jpg") == ({}, {}, {})
