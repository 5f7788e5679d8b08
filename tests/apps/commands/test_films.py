"""Several videos in one command."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylizer.apps.console.films import plan_films
from stylizer.errors import ConfigError
from stylizer.jobs.records import stat_of
from tests.apps.conftest import Inverter, Run, names
from tests.clips import count_frames, decode, make_clip, read_number


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    (tmp_path / "in").mkdir()
    return [
        make_clip(tmp_path / "in" / name, seconds=seconds)
        for name, seconds in (("a.mp4", 0.2), ("b.mkv", 0.3), ("c.avi", 0.4))
    ]


def test_videos_are_painted_one_after_the_other_into_a_folder(
    stylizer: Run, inverter: Inverter, films: list[Path], style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    outcome = stylizer("video", *films, "-o", out, "-s", style)
    assert outcome.code == 0, outcome.err
    assert names(out) == ["a.mp4", "b.mkv", "c.mp4"]
    for film, painted in zip(films, sorted(out.iterdir()), strict=True):
        count = count_frames(film)
        assert [read_number(255 - frame) for frame in decode(painted, (64, 48))] == [*range(count)]
    lines = outcome.err.splitlines()
    assert [line for line in lines if " of 3: " in line] == [
        f"{number} of 3: {film}" for number, film in enumerate(films, start=1)
    ]
    assert lines[-1].startswith("3 of 3 videos painted in ")
    assert names(tmp_path) == ["in", "out"]


def test_what_is_there_stays_and_what_fails_is_named(
    stylizer: Run, inverter: Inverter, films: list[Path], style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.mp4").write_bytes(b"precious")
    films[1].write_bytes(b"no video")
    outcome = stylizer("video", *films, "--output-folder", out, "-s", style)
    assert outcome.code == 1
    assert f"{out / 'a.mp4'}: exists already, and is left as it is" in outcome.err
    assert len(outcome.errors) == 2
    assert outcome.errors[0].startswith(f"stylizer: error: {films[1]}: not a video")
    assert "1 of 3 videos painted" in outcome.errors[1]
    assert outcome.errors[1].endswith(f"1 there already; 1 not: {films[1]}")
    assert (out / "a.mp4").read_bytes() == b"precious"
    assert names(out) == ["a.mp4", "c.mp4"]
    assert stylizer("video", films[0], "-o", out, "-s", style, "-y").code == 0
    assert count_frames(out / "a.mp4") == count_frames(films[0])


def test_ctrl_c_ends_all_and_the_same_command_goes_on(
    stylizer: Run,
    inverter: Inverter,
    films: list[Path],
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, command = tmp_path / "out", ("video", *films, "-o", tmp_path / "out", "-s", style)
    paint, calls = Inverter.__call__, 0

    def interrupt(self: Inverter, frame):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        if calls == count_frames(films[0]) + 5:
            raise KeyboardInterrupt
        return paint(self, frame)

    monkeypatch.setattr(Inverter, "__call__", interrupt)
    outcome = stylizer(*command)
    assert outcome.code == 130
    assert "c.avi" not in outcome.err
    monkeypatch.setattr(Inverter, "__call__", paint)
    (out / "b.mkv").unlink(missing_ok=True)  # what there was of it
    again = stylizer(*command)
    assert again.code == 0, again.err
    assert "2 of 3 videos painted" in again.err
    assert "1 there already" in again.err


def test_overwrite_goes_on_too_and_paints_nothing_again(
    stylizer: Run,
    inverter: Inverter,
    films: list[Path],
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    command = ("video", *films, "-o", out, "-s", style, "--overwrite")
    assert stylizer(*command).code == 0
    assert names(out) == ["a.mp4", "b.mkv", "c.mp4"]
    first, before = count_frames(films[0]), stat_of(out / "a.mp4")
    paint, fails_at = Inverter.__call__, first + 5

    def interrupt(self: Inverter, frame):  # type: ignore[no-untyped-def]
        if len(self.calls) == fails_at:
            raise KeyboardInterrupt
        return paint(self, frame)

    monkeypatch.setattr(Inverter, "__call__", interrupt)
    for _ in range(2):  # what is finished stays noted when it is interrupted once more
        inverter.calls.clear()
        assert stylizer(*command).code == 130
        assert "a.mp4.parts" in names(out)
        assert names(out / "a.mp4.parts") == ["job.json", "lock"]
        assert "painted" in stylizer("jobs").out
        painted, fails_at = stat_of(out / "a.mp4"), 5
    assert painted != before
    monkeypatch.setattr(Inverter, "__call__", paint)
    inverter.calls.clear()
    again = stylizer(*command)
    assert again.code == 0, again.err
    assert f"a.mp4: all {first} frames are painted already" in again.err
    assert len(inverter.calls) == sum(map(count_frames, films[1:]))
    assert stat_of(out / "a.mp4") == painted
    assert names(out) == ["a.mp4", "b.mkv", "c.mp4"]
    inverter.calls.clear()
    assert stylizer(*command).code == 0  # and once all is done, it paints all anew
    assert len(inverter.calls) == sum(map(count_frames, films))


def test_another_look_does_not_go_on_with_what_overwrite_had_painted(
    stylizer: Run,
    inverter: Inverter,
    films: list[Path],
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, paint = tmp_path / "out", Inverter.__call__
    first = count_frames(films[0])

    def interrupt(self: Inverter, frame):  # type: ignore[no-untyped-def]
        if len(self.calls) == first:
            raise KeyboardInterrupt
        return paint(self, frame)

    monkeypatch.setattr(Inverter, "__call__", interrupt)
    assert stylizer("video", *films, "-o", out, "-s", style, "-y").code == 130
    monkeypatch.setattr(Inverter, "__call__", paint)
    other = ("video", *films, "-o", out, "-s", style, "-y", "--strength", "0.5")
    refused = stylizer(*other)
    assert refused.code == 1
    assert "strength was 1.0 and is 0.5" in refused.errors[0]
    inverter.calls.clear()
    assert stylizer(*other, "--restart").code == 0
    assert len(inverter.calls) >= first
    assert names(out) == ["a.mp4", "b.mkv", "c.mp4"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["a.mp4"], "got IN alone"),
        (["a.mp4", "b.mp4", "c.mp4"], "-o FOLDER"),
        (["a.mp4", "-o", "o", "--losses", "l.csv", "--method", "gatys"], "expected one video"),
        (["a.mp4", "-", "-o", "out"], "got a folder, a pattern or a pipe"),
        (["x/a.mp4", "y/a.mp4", "-o", "out"], "would both become out"),
    ],
)
def test_what_does_not_go_together_is_told(
    stylizer: Run, style: Path, words: list[str], reason: str
) -> None:
    outcome = stylizer("video", *words, "-s", style)
    assert (outcome.code, len(outcome.err.splitlines())) == (1, 1)
    assert reason in outcome.errors[0]


def test_names_of_paintings(tmp_path: Path) -> None:
    planned = plan_films(["x/a.avi", "a.mp4", "b.TS", "c.MKV"], tmp_path)
    assert [path.name for path in planned.values()] == ["a.avi.mp4", "a.mp4", "b.mp4", "c.MKV"]
    (tmp_path / "a.mp4").touch()
    with pytest.raises(ConfigError, match="is also an input"):
        plan_films([str(tmp_path / "a.mp4")], tmp_path)
