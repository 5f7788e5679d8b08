"""Videos, folders and stills that workers paint: the same as without them, however many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylizer.apps.console import openings
from stylizer.io.image import read_image, write_image
from stylizer.jobs.division import DivisionConfig
from tests.apps.conftest import Run, names
from tests.clips import decode, duration, make_film, picture

SIZE = (64, 48)
LOOK = ("-s", "starry_night", "--threads", 1, "--faces", "paint", "--overpainting", 0)

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "_USUAL", DivisionConfig(shortest=5, longest=12))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shot of 20 frames and one of 60, with sound."""
    return make_film(tmp_path_factory.mktemp("film"), seconds=3.2, cut=20)


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """Pictures of a pan, with a cut in the middle."""
    folder = tmp_path / "sequence"
    folder.mkdir()
    wall, other = picture(3, (160, 48)), 255 - picture(5, (160, 48))
    for number in range(24):
        place = wall if number < 11 else other
        write_image(folder / f"{number}.png", place[:, 2 * number : 2 * number + 64].copy())
    return folder


def same_pictures(one: Path, two: Path) -> None:
    assert names(one) == names(two)
    for name in names(one):
        np.testing.assert_array_equal(read_image(one / name), read_image(two / name))


def test_whole_shots_make_the_same_video_to_the_last_bit(
    stylizer: Run, tmp_path: Path, film: Path
) -> None:
    one, two = tmp_path / "one.mp4", tmp_path / "two.mp4"
    assert stylizer("video", film, one, *LOOK).code == 0
    outcome = stylizer("video", film, two, *LOOK, "--workers", 2, "--lead-in", 0)
    assert outcome.code == 0, outcome.err
    np.testing.assert_array_equal(decode(two, SIZE), decode(one, SIZE))
    assert duration(two) == duration(one)
    assert names(tmp_path) == ["one.mp4", "two.mp4"]


def test_a_long_shot_is_divided_and_hardly_differs_however_many_work(
    stylizer: Run, tmp_path: Path, film: Path
) -> None:
    files = [tmp_path / f"{name}.mp4" for name in ("plain", "one", "two")]
    assert stylizer("video", film, files[0], *LOOK).code == 0
    for path, workers in zip(files[1:], (1, 2), strict=True):
        outcome = stylizer("video", film, path, *LOOK, "--workers", workers)
        assert outcome.code == 0, outcome.err
    plain, one, two = (decode(path, SIZE).astype(int) for path in files)
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - plain).mean() < 0.1


def test_a_job_that_workers_began_keeps_its_lead_in(
    stylizer: Run, tmp_path: Path, film: Path
) -> None:
    out, whole = tmp_path / "out.mp4", tmp_path / "whole.mp4"
    assert stylizer("video", film, whole, *LOOK, "--workers", 1).code == 0
    assert stylizer("video", film, out, *LOOK, "--workers", 1, "--keep-parts").code == 0
    out.unlink()
    parts = tmp_path / "out.mp4.parts"
    for name in ("00000019", "00000051"):
        (parts / f"{name}.json").unlink()
    refused = stylizer("video", film, out, *LOOK, "--workers", 1, "--lead-in", 7)
    assert "--lead-in: expected 48 as in the run" in refused.errors[0]
    outcome = stylizer("video", film, out, *LOOK)  # this process does the rest alone
    assert outcome.code == 0, outcome.err
    assert "out.mp4: going on, with 54 of 80 frames painted already" in outcome.err
    np.testing.assert_array_equal(decode(out, SIZE), decode(whole, SIZE))
    assert names(tmp_path) == ["out.mp4", "whole.mp4"]


def test_a_video_becomes_pictures(stylizer: Run, tmp_path: Path, film: Path) -> None:
    for folder, more in (("one", ()), ("two", ("--workers", 2, "--lead-in", 0))):
        outcome = stylizer("video", film, f"{tmp_path / folder}/", *LOOK, *more)
        assert outcome.code == 0, outcome.err
    same_pictures(tmp_path / "one", tmp_path / "two")
    assert names(tmp_path) == ["one", "two"]


@pytest.mark.parametrize("more", [(), ("--independent",)])
def test_folders_are_shared_and_what_is_there_is_left(
    stylizer: Run, tmp_path: Path, sequence: Path, more: tuple[str, ...]
) -> None:
    for folder, workers in (("one", ()), ("two", ("--workers", 2))):
        out = tmp_path / folder
        out.mkdir()
        for number in (0, 7, 8, 9):
            write_image(out / f"{number}.png", picture(number))
        outcome = stylizer("frames", sequence, out, *LOOK, *more, *workers)
        assert outcome.code == 0, outcome.err
        assert "20 frames" in outcome.err
        again = stylizer("frames", sequence, out, *LOOK, *more, *workers)
        assert "all 24 pictures are there already" in again.err
    same_pictures(tmp_path / "one", tmp_path / "two")
    np.testing.assert_array_equal(read_image(tmp_path / "two" / "7.png"), picture(7))


def test_what_was_removed_from_a_folder_is_painted_again(
    stylizer: Run, tmp_path: Path, sequence: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("frames", sequence, out, *LOOK, "--independent", "--workers", 1)
    assert stylizer(*arguments, "--keep-parts").code == 0
    before = read_image(out / "3.png")
    (out / "3.png").unlink()
    outcome = stylizer(*arguments)
    assert outcome.code == 0, outcome.err
    np.testing.assert_array_equal(read_image(out / "3.png"), before)


@pytest.mark.parametrize("method", [(), ("--method", "gatys", "--iterations", 3)])
def test_stills_in_styles_are_shared(
    stylizer: Run, tmp_path: Path, method: tuple[object, ...]
) -> None:
    photos, looks = tmp_path / "photos", tmp_path / "styles"
    for folder, count in ((photos, 3), (looks, 2)):
        folder.mkdir()
        for number in range(count):
            write_image(folder / f"{number}.png", picture(number, (64, 48 + number)))
    for name, workers in (("one", ()), ("two", ("--workers", 2))):
        outcome = stylizer("image", photos, tmp_path / name, "-s", looks, *method, *workers)
        assert outcome.code == 0, outcome.err
        assert f"{name}: 6 pictures" in outcome.err
    assert len(names(tmp_path / "one")) == 6
    same_pictures(tmp_path / "one", tmp_path / "two")
    assert names(tmp_path) == ["one", "photos", "styles", "two"]


def test_what_workers_cannot_do_is_refused(
    stylizer: Run, tmp_path: Path, film: Path, sequence: Path, style: Path
) -> None:
    for arguments, words in (
        (
            (
                "video",
                film,
                tmp_path / "o.mp4",
                "--method",
                "gatys",
                "--losses",
                tmp_path / "l.csv",
            ),
            "--losses and --plot: expected one process",
        ),
        (("video", film, "virtual-camera"), "--workers: expected a file or a folder"),
        (("image", sequence / "1.png", tmp_path / "o.png"), "--workers: expected a folder"),
        (("frames", sequence, tmp_path / "o", "--independent", "--lead-in", 3), "--lead-in: "),
        (
            ("video", film, tmp_path / "o.mp4", "--keep-color", "match", "--lead-in", 3),
            "--lead-in: expected 0 with --keep-color match",
        ),
    ):
        outcome = stylizer(*arguments, "-s", style, "--workers", 2)
        assert outcome.code == 1
        assert words in outcome.errors[0]
    assert [name for name in names(tmp_path) if name.startswith(("o", "l"))] == []
