from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stylizer.frame import Frame
from stylizer.io.image import read_image, write_image
from stylizer.jobs.painted import NOTE
from stylizer.jobs.pictures import ResetOnGap
from stylizer.jobs.records import parts_folder, read_record
from tests.apps.conftest import Inverter, Run, names
from tests.clips import picture


def test_writes_the_same_names_in_natural_order(
    stylizer: Run, inverter: Inverter, shots: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    outcome = stylizer("frames", shots, out, "-s", style)
    assert outcome.code == 0, outcome.err
    assert names(out) == names(shots)
    for number in range(1, 13):
        np.testing.assert_array_equal(read_image(out / f"{number}.png"), 255 - picture(number))
    assert inverter.calls == list(range(12))
    assert inverter.resets == 0


def test_skips_what_is_there_and_starts_anew_after_a_gap(
    stylizer: Run, inverter: Inverter, shots: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for number in (1, 2, 6):
        (out / f"{number}.png").write_bytes(b"done before")
    outcome = stylizer("frames", shots, out, "-s", style)
    assert outcome.code == 0, outcome.err
    assert "9 frames" in outcome.err
    assert [(out / f"{number}.png").read_bytes() for number in (1, 2, 6)] == [b"done before"] * 3
    assert inverter.calls == [2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert inverter.resets == 1
    np.testing.assert_array_equal(read_image(out / "12.png"), 255 - picture(12))


def test_a_second_run_has_nothing_to_do(
    stylizer: Run, inverter: Inverter, shots: Path, style: Path, tmp_path: Path
) -> None:
    stylizer("frames", shots, tmp_path / "out", "-s", style)
    outcome = stylizer("frames", shots, tmp_path / "out", "-s", style)
    assert outcome.code == 0
    assert "all 12 pictures are there already" in outcome.err
    assert len(inverter.calls) == 12
    stylizer("frames", shots, tmp_path / "out", "-s", style, "--overwrite")
    assert len(inverter.calls) == 24


@pytest.mark.usefixtures("inverter")
@pytest.mark.parametrize("more", [(), ("--independent",)])
def test_other_settings_do_not_get_among_the_pictures_that_are_there(
    stylizer: Run, shots: Path, style: Path, tmp_path: Path, more: Sequence[str]
) -> None:
    out, other = tmp_path / "out", tmp_path / "other.png"
    write_image(other, picture(3))
    assert stylizer("frames", shots, out, "-s", style, *more).code == 0
    for changed in (("-s", other), ("-s", style, "--size", 24)):
        refused = stylizer("frames", shots, out, *changed, *more)
        assert refused.code == 1
        assert "(1.png and 11 more)" in refused.errors[0]
        told = "name was blocks and is other" if other in changed else "is 24"
        assert told in refused.errors[0] and "--overwrite" in refused.errors[0]
    (out / "5.png").unlink()
    assert stylizer("frames", shots, out, "-s", other, *more).code == 1
    assert "5.png" not in names(out) and "out.parts" not in names(tmp_path)
    write_image(shots / "0.png", picture(0))
    assert stylizer("frames", shots, out, "-s", style, *more).code == 0
    assert names(out) == names(shots)
    assert stylizer("frames", shots, out, "-s", other, *more, "--overwrite").code == 0
    assert "blocks" in stylizer("frames", shots, out, "-s", style, *more).errors[0]
    for path in out.glob("*.png"):
        path.unlink()
    assert stylizer("frames", shots, out, "-s", style, *more).code == 0


@pytest.mark.parametrize("more", [(), ("--independent",)])
def test_a_restart_paints_all_anew(
    stylizer: Run,
    inverter: Inverter,
    shots: Path,
    style: Path,
    tmp_path: Path,
    more: Sequence[str],
) -> None:
    out, other = tmp_path / "out", tmp_path / "other.png"
    write_image(other, picture(3))
    assert stylizer("frames", shots, out, "-s", style, *more).code == 0
    (out / "5.png").write_bytes(b"done before")
    for again in (style, other):
        arguments = ("frames", shots, out, "-s", again, *more, "--restart")
        assert stylizer(*arguments, "--keep-parts").code == 0
        record = read_record(parts_folder(out))
        assert record is not None and record.arguments[-2:] == ["--overwrite", "--keep-parts"]
    assert len(inverter.calls) == 36
    np.testing.assert_array_equal(read_image(out / "5.png"), 255 - picture(5))


def test_pictures_of_which_nothing_is_noted_stay(
    stylizer: Run, inverter: Inverter, shots: Path, style: Path, tmp_path: Path
) -> None:
    out, other = tmp_path / "out", tmp_path / "other.png"
    write_image(other, picture(3))
    stylizer("frames", shots, out, "-s", style)
    (out / NOTE).unlink()
    for _ in range(2):
        outcome = stylizer("frames", shots, out, "-s", other)
        assert outcome.code == 0 and "all 12 pictures are there already" in outcome.err
    (out / NOTE).write_text("{", encoding="utf-8")
    outcome = stylizer("frames", shots, out, "-s", other)
    assert outcome.code == 0 and "is passed over" in outcome.err
    assert len(inverter.calls) == 12


def test_independent_pictures_may_have_any_size(
    stylizer: Run, inverter: Inverter, shots: Path, style: Path, tmp_path: Path
) -> None:
    write_image(shots / "20.png", picture(20, (40, 80)))
    refused = stylizer("frames", shots, tmp_path / "out", "-s", style)
    assert refused.code == 1
    assert "40x80" in refused.errors[0]
    inverter.resets = 0
    args = ("frames", shots, tmp_path / "other", "-s", style, "--independent", "--size", 24)
    outcome = stylizer(*args)
    assert outcome.code == 0, outcome.err
    assert read_image(tmp_path / "other" / "20.png").shape == (48, 24, 3)
    assert read_image(tmp_path / "other" / "1.png").shape == (24, 32, 3)
    assert inverter.resets == 13


@pytest.mark.parametrize("more", [(), ("--independent",), ("--overwrite",)])
def test_a_picture_that_cannot_be_read_is_left_out_and_named(
    stylizer: Run, inverter: Inverter, shots: Path, style: Path, tmp_path: Path, more: Sequence[str]
) -> None:
    good = {name: (shots / name).read_bytes() for name in ("1.png", "5.png", "12.png")}
    for name, damaged in zip(good, (b"", good["5.png"][:90], b"no picture"), strict=True):
        (shots / name).write_bytes(damaged)
    out = tmp_path / "out"
    arguments = ("frames", shots, out, "-s", style, *more)
    outcome = stylizer(*arguments)
    assert outcome.code == 1
    for name, why in zip(good, ("empty", "damaged or truncated", "not a picture"), strict=True):
        assert any(
            f": {name} is left out: " in line and why in line for line in outcome.err.splitlines()
        )
    assert f"{out}: 3 pictures are left out" in outcome.errors[-1]
    assert names(out) == [name for name in names(shots) if name not in good]
    assert inverter.calls == [1, 2, 3, *range(5, 11)]
    for name, content in good.items():
        (shots / name).write_bytes(content)
    inverter.calls.clear()
    assert stylizer(*arguments).code == 0
    assert inverter.calls == ([0, 4, 11] if "--overwrite" not in more else list(range(12)))
    np.testing.assert_array_equal(read_image(out / "5.png"), 255 - picture(5))
    assert names(tmp_path) == ["out", "shots"]


def test_where_no_picture_can_be_read_it_is_said_at_once(
    stylizer: Run, shots: Path, style: Path, tmp_path: Path
) -> None:
    for path in shots.iterdir():
        path.write_bytes(b"no picture")
    outcome = stylizer("frames", shots, tmp_path / "out", "-s", style, "--independent")
    assert outcome.code == 1
    assert "1.png: not a picture" in outcome.errors[0]
    assert "out.parts" not in names(tmp_path)


@pytest.mark.slow
def test_independent_pictures_do_not_depend_on_their_order(
    stylizer: Run, style: Path, tmp_path: Path
) -> None:
    """With the real thing: a picture comes out the same whatever came before it."""
    for folder, order in (("one", (5, 9)), ("two", (9, 5))):
        (tmp_path / folder).mkdir()
        for name, number in zip("ab", order, strict=True):
            write_image(tmp_path / folder / f"{name}.png", picture(number, (48, 32)))
        args = ("frames", tmp_path / folder, tmp_path / f"{folder}-out", "-s", style)
        outcome = stylizer(*args, "--independent", "--method", "gatys", "--iterations", 3)
        assert outcome.code == 0, outcome.err
    first, second = (
        read_image(tmp_path / place).astype(int) for place in ("one-out/a.png", "two-out/b.png")
    )
    assert np.abs(first - second).max() <= 1
    assert np.abs(first - picture(5, (48, 32))).mean() > 1


def test_the_originals_are_never_replaced(
    stylizer: Run, inverter: Inverter, shots: Path, style: Path
) -> None:
    before = {name: (shots / name).read_bytes() for name in names(shots)}
    outcome = stylizer("frames", shots, shots, "-s", style, "--overwrite")
    assert outcome.code == 1
    assert "input" in outcome.errors[0]
    assert {name: (shots / name).read_bytes() for name in names(shots)} == before


@pytest.mark.parametrize(("indices", "resets"), [((0, 1, 2), 0), ((3, 4, 7, 8), 1), ((0, 2, 4), 2)])
def test_a_gap_makes_it_forget(indices: tuple[int, ...], resets: int) -> None:
    inner = Inverter()
    stylizer = ResetOnGap(inner)
    for index in indices:
        stylizer(Frame(picture(0), index, 0.0))
    assert inner.resets == resets
    stylizer.reset()
    stylizer(Frame(picture(0), 99, 0.0))
    assert inner.resets == resets + 1


@pytest.mark.parametrize("more", [(), ("--independent",), ("--independent", "--workers", 1)])
def test_pictures_with_nobody_in_them_are_told_of(
    stylizer: Run, tmp_path: Path, more: tuple[object, ...]
) -> None:
    walls, out = tmp_path / "walls", tmp_path / "out"
    walls.mkdir()
    for level in (80, 120):
        write_image(walls / f"{level}.png", np.full((48, 64, 3), level, np.uint8))
    outcome = stylizer("frames", walls, out, "-s", "starry_night", "--region", "person", *more)
    assert outcome.code == 0, outcome.err
    lines = [line for line in outcome.err.splitlines() if "nobody was found in" in line]
    if not more:
        assert lines == [
            f"stylizer: warning: {out}: nobody was found in any frame: they stay as they are"
        ]
    else:
        assert len(lines) == 2 and "80.png: nobody" in lines[0] and "120.png: nobody" in lines[1]
