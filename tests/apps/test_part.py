"""``stylizer video --from --to``: a part of a video, or of pictures, as a film of its own."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stylizer.apps.options.shared import PartOptions
from stylizer.errors import ConfigError
from tests.apps.conftest import Inverter, Run, names
from tests.apps.test_pipes import stdin, stdout
from tests.apps.test_resume import die, short_segments  # noqa: F401
from tests.clips import decode, duration, ffmpeg, make_film, picture, read_number

SIZE = (64, 48)
LOOK = ("-s", "starry_night", "--threads", 1, "--faces", "paint")
pipes = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 frames with a cut before frame 60, and sound."""
    return make_film(tmp_path_factory.mktemp("film"), seconds=4, cut=60)


def sound(path: Path) -> bytes:
    return ffmpeg("-i", path, "-f", "s16le", "-ac", 1, "-")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("12.5", Fraction(25, 2)),
        ("2:03", 123),
        ("1:02:03.5", 3723 + Fraction(1, 2)),
        ("90:00", 5400),
        ("0:00:00.1", Fraction(1, 10)),
    ],
)
def test_times(text: str, seconds: Fraction) -> None:
    assert PartOptions(to="100:00:00").span() == (0, 360_000)
    assert PartOptions(from_=text).span() == (seconds, None)
    assert PartOptions().span() is None


@pytest.mark.parametrize(
    "text", ["", "-1", "x", "1:60", "1:60:00", "1:2:3:4", "1e3", "nan", "12,5", ":5", "5:", "٣"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ConfigError, match="--from: expected a time of 0 or more, as seconds"):
        PartOptions(from_=text).span()
    with pytest.raises(ConfigError, match="--to: expected a time of 0 or more, as seconds"):
        PartOptions(to=text).span()


def test_a_part_is_a_film_of_its_own(
    stylizer: Run, inverter: Inverter, film: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    outcome = stylizer("video", film, out, "-s", style, "--from", "0:00:00.41", "--to", 1.2)
    assert outcome.code == 0, outcome.err
    assert "64x48 · 25 fps · 19 frames" in outcome.err
    assert inverter.calls == list(range(11, 30))  # those of the film, which masks go by
    assert [read_number(255 - image) for image in decode(out, SIZE)] == list(range(11, 30))
    assert duration(out) == pytest.approx(0.76, abs=0.03)
    assert len(sound(out)) == pytest.approx(2 * 48000 * 0.76, abs=2)
    assert names(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "1:90"), "--from: expected a time of 0 or more"),
        (("--to", "-1"), "--to: expected a time of 0 or more"),
        (("--from", 2, "--to", "0:02"), "--to: expected a time after 2, where the part begins"),
        (("--to", 0), "--to: expected a time after 0"),
        (("--from", 1.001, "--to", 1.002), "expected a frame in it, got 1.001 to 1.002 seconds"),
        (("--from", 4), "expected a part (--from) that begins before 4.000 s, where the film ends"),
    ],
)
def test_a_part_that_holds_nothing_is_refused_before_anything_is_written(
    stylizer: Run,
    inverter: Inverter,
    film: Path,
    style: Path,
    tmp_path: Path,
    arguments: tuple[object, ...],
    words: str,
) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")
    outcome = stylizer("video", film, out, "-s", style, "--overwrite", *arguments)
    assert outcome.code == 1
    assert words in outcome.errors[0]
    assert out.read_bytes() == b"precious" and names(tmp_path) == ["out.mp4"]
    assert not inverter.calls


def test_pictures_keep_their_names(
    stylizer: Run, inverter: Inverter, shots: Path, film: Path, style: Path, tmp_path: Path
) -> None:
    arguments = ("-s", style, "--from", 0.2, "--to", 0.36)
    outcome = stylizer("video", shots, f"{tmp_path}/out/", *arguments)
    assert outcome.code == 0, outcome.err
    assert names(tmp_path / "out") == ["6.png", "7.png", "8.png", "9.png"]
    outcome = stylizer("video", f"{shots}/%d.png", tmp_path / "out.mp4", *arguments)
    assert outcome.code == 0, outcome.err
    shown = [read_number(255 - image) for image in decode(tmp_path / "out.mp4", SIZE)]
    assert shown == [6, 7, 8, 9]
    # Another part of a video goes to where the first one is, and beside it.
    for begin, end in ((0.2, 0.28), (0.28, 0.36)):
        arguments = ("-s", style, "--from", begin, "--to", end)
        assert stylizer("video", film, f"{tmp_path}/film/", *arguments).code == 0
    assert names(tmp_path / "film") == [f"{number:06}.png" for number in range(5, 9)]


def test_a_part_that_died_is_gone_on_with_and_another_one_is_not(
    stylizer: Run,
    short_segments: None,  # noqa: F811
    film: Path,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, whole = tmp_path / "out.mp4", tmp_path / "whole.mp4"
    arguments = ("-s", style, "--from", 1, "--to", 3)
    assert stylizer("video", film, whole, *arguments).code == 0
    with monkeypatch.context() as patch:
        die(30, patch)
        with pytest.raises(SystemExit):
            stylizer("video", film, out, *arguments)
    assert "00000032.mp4" in names(tmp_path / "out.mp4.parts")
    for other, words in (
        ((), "from was 1.0 and is nothing; to was 3.0 and is nothing"),
        (("--from", 1, "--to", 2.96), "to was 3.0 and is 2.96"),
        (("--from", 1.04, "--to", 3), "from was 1.0 and is 1.04"),
    ):
        refused = stylizer("video", film, out, "-s", style, *other)
        assert refused.code == 1
        assert words in refused.errors[0]
    outcome = stylizer("video", film, out, "-s", style, "--from", "0:01", "--to", "0:02.99")
    assert outcome.code == 0, outcome.err
    assert "out.mp4: going on after frame 19 of 50, where it ended" in outcome.err
    assert out.read_bytes() == whole.read_bytes()
    assert names(tmp_path) == ["out.mp4", "whole.mp4"]


@pytest.mark.slow
def test_workers_share_a_part(
    stylizer: Run, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylizer.apps.console import openings
    from stylizer.jobs.division import DivisionConfig

    monkeypatch.setattr(openings, "_USUAL", DivisionConfig(shortest=5, longest=12))
    arguments = ("--from", 1, "--to", 3.4)
    one, two = tmp_path / "one.mp4", tmp_path / "two.mp4"
    assert stylizer("video", film, one, *LOOK, *arguments).code == 0
    outcome = stylizer("video", film, two, *LOOK, *arguments, "--workers", 2, "--lead-in", 0)
    assert outcome.code == 0, outcome.err
    assert "two.mp4: 60 frames" in outcome.err
    np.testing.assert_array_equal(decode(two, SIZE), decode(one, SIZE))
    assert sound(two) == sound(one)
    divided = tmp_path / "divided.mp4"
    outcome = stylizer("video", film, divided, *LOOK, *arguments, "--workers", 2)
    assert outcome.code == 0, outcome.err
    assert len(decode(divided, SIZE)) == 60


@pipes
def test_a_part_goes_to_a_pipe_and_cannot_come_by_one(
    stylizer: Run, inverter: Inverter, film: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mkv"
    with stdout(out):
        outcome = stylizer("video", film, "-", "-s", style, "--from", 1, "--to", 2)
    assert outcome.code == 0, outcome.err
    assert [read_number(255 - image) for image in decode(out, SIZE)] == list(range(25, 50))
    assert len(sound(out)) == pytest.approx(2 * 48000, abs=100)
    with stdin(picture(3).tobytes()):
        outcome = stylizer("video", "-", tmp_path / "o.mp4", "-s", style, "--from", 1)
    assert "a part (--from, --to): expected a file or pictures, got a pipe" in outcome.errors[0]
    assert "`ffmpeg -ss 1:20 -t 5 -i in.mp4 -f matroska -`" in outcome.errors[0]
    assert names(tmp_path) == ["out.mkv"]
