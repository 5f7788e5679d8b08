"""Videos and folders that are killed and begun again: gone on with, and the same in the end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from stylizer.apps.commands import frames, video
from stylizer.apps.console import openings
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.errors import WeightsError
from stylizer.frame import Frame
from stylizer.io.image import read_image, write_image
from stylizer.jobs import folder as folder_module
from stylizer.jobs.division import DivisionConfig
from tests.apps.conftest import Run, names
from tests.clips import count_frames, decode, duration, ffmpeg, make_clip, picture
from tests.stand_ins import Boiling

SIZE = (64, 48)
FRAMES = 120

PROGRAM = """
import sys, time
from stylizer.apps import cli
from stylizer.apps.commands import frames, video
from stylizer.apps.console import openings
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.jobs import folder as folder_module
from stylizer.jobs.division import DivisionConfig
from tests.stand_ins import Boiling

class Slow(Boiling):
    def __call__(self, frame):
        time.sleep(0.01)
        return super().__call__(frame)

for command in (frames, video):
    command.make_stylizer = lambda *_, **__: Composed(Slow(), EffectsConfig())
openings._SINGLE = DivisionConfig(shortest=5, longest=12)
openings._division = lambda *_, **__: openings._SINGLE
sys.exit(cli.main(sys.argv[1:]))
"""


def start(*arguments: object, folder: Path | None = None) -> subprocess.Popen[str]:
    """Start a command, in a folder; None for the one that the tests run in."""
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    paths = {**os.environ, "PYTHONPATH": os.getcwd()}  # for the tests' own modules
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder, env=paths)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve shots of 10 frames, each beginning with a picture of another kind, with sound."""
    source = make_clip(tmp_path_factory.mktemp("film") / "in.mp4", rate="25", seconds=4.8)
    path = source.with_name("film.mp4")
    looks = "+".join(f"between(n\\,{20 * i}\\,{20 * i + 9})" for i in range(6))
    sound = ["-f", "lavfi", "-t", 4.8, "-i", "sine=440:sample_rate=48000"]
    look = ["-vf", f"negate=enable='{looks}'", "-c:v", "libx264", "-qp", 8]
    ffmpeg("-i", source, *sound, *look, "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (frames, video):
        monkeypatch.setattr(
            command, "make_stylizer", lambda *_, **__: Composed(Boiling(), EffectsConfig())
        )
    division = DivisionConfig(shortest=5, longest=12)
    monkeypatch.setattr(openings, "_division", lambda *_, **__: division)
    monkeypatch.setattr(openings, "_SINGLE", DivisionConfig(shortest=12, longest=12))


class Dying(Boiling):
    """Paints so many frames, and then dies; in the place of a process that is killed."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def __call__(self, frame: Frame) -> Frame:
        self._left -= 1
        if self._left < 0:
            raise SystemExit
        return super().__call__(frame)


def die(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the next command die after so many frames."""
    for command in (frames, video):
        monkeypatch.setattr(
            command, "make_stylizer", lambda *_, **__: Composed(Dying(after), EffectsConfig())
        )


def finished(parts: Path) -> list[Path]:
    """Return the records of the segments that a job has finished."""
    return list(parts.glob("[0-9]*.json"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_at_random_moments_the_same_command_makes_the_same_video(
    stylizer: Run, short_segments: None, film: Path, style: Path, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    parts = tmp_path / "out.mp4.parts"
    assert stylizer("video", film, whole, "-s", style).code == 0
    moments, told, kills = random.Random(3), [], 0
    while True:
        wanted = len(finished(parts)) + moments.randint(1, 4)
        with start("video", film, out, "-s", style) as process:
            while process.poll() is None and len(finished(parts)) < wanted:
                time.sleep(0.01)
            try:
                told.append(process.communicate(timeout=moments.uniform(0, 0.2))[1])
                break
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
        if out.exists() and not parts.exists():
            break  # it was killed when all was done
    if told:
        assert process.returncode == 0, told
        assert "going on after" in told[0] or "painted already" in told[0]
    assert kills >= 1
    np.testing.assert_array_equal(decode(out, SIZE), decode(whole, SIZE))
    assert count_frames(out) == FRAMES
    assert duration(out) == pytest.approx(duration(whole), abs=0.02)
    assert names(tmp_path) == ["out.mp4", "whole.mp4"]
    left = (
        ffmpeg("-i", out, "-f", "s16le", "-ac", 1, "-"),
        ffmpeg("-i", whole, "-f", "s16le", "-ac", 1, "-"),
    )
    assert left[0] == left[1]


@pytest.fixture
def unfinished(
    stylizer: Run,
    short_segments: None,
    film: Path,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A video of which 3 segments are finished: the frames before 32."""
    out = tmp_path / "out.mp4"
    with monkeypatch.context() as patch:
        die(35, patch)
        with pytest.raises(SystemExit):
            stylizer("video", film, out, "-s", style)
    return out


def test_another_setting_or_input_is_refused_in_words(
    stylizer: Run, unfinished: Path, film: Path, style: Path, tmp_path: Path
) -> None:
    kept = names(tmp_path / "out.mp4.parts")
    assert "00000032.npz" in kept and "00000032.json" not in kept
    other = tmp_path / "other.mp4"
    other.write_bytes(film.read_bytes() + b"\0" * 8)
    changed = tmp_path / "style.png"
    write_image(changed, picture(9))
    for arguments, words in (
        ((film, unfinished, "-s", style, "--strength", 0.5), "strength was 1.0 and is 0.5"),
        ((film, unfinished, "-s", style, "--crf", 30), "encoding.crf was nothing and is 30"),
        ((film, unfinished, "-s", style, "--size", 24), "size was 64x48 and is 32x24"),
        ((film, unfinished, "-s", changed), "styles.1.name was blocks and is style. Give"),
        ((other, unfinished, "-s", style), "input was "),
    ):
        outcome = stylizer("video", *arguments)
        assert outcome.code == 1
        assert words in outcome.errors[0]
        assert "--restart to begin anew" in outcome.errors[0]
    assert names(tmp_path / "out.mp4.parts") == kept
    assert not unfinished.exists()


def test_restart_begins_anew_and_keep_parts_keeps(
    stylizer: Run, unfinished: Path, film: Path, style: Path, tmp_path: Path
) -> None:
    arguments = ("video", film, unfinished, "-s", style, "--strength", 0.5)
    outcome = stylizer(*arguments, "--restart", "--keep-parts")
    assert outcome.code == 0, outcome.err
    assert "going on" not in outcome.err
    assert count_frames(unfinished) == FRAMES
    parts = tmp_path / "out.mp4.parts"
    assert sum(count_frames(path) for path in parts.glob("*.mp4")) == FRAMES
    before = unfinished.read_bytes()
    again = stylizer(*arguments)
    assert again.code == 0, again.err
    assert "all 120 frames are painted already" in again.err
    assert unfinished.read_bytes() == before
    assert not parts.exists()


def test_a_killed_video_keeps_or_leaves_out_what_the_film_says_as_it_was_begun(
    stylizer: Run,
    short_segments: None,
    film: Path,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named, whole, out = (tmp_path / name for name in ("named.mp4", "whole.mp4", "out.mp4"))
    ffmpeg("-i", film, "-c", "copy", "-metadata", "title=The sea", named)
    command = ("video", named, out, "-s", style)
    assert stylizer("video", named, whole, "-s", style, "--no-metadata").code == 0
    with monkeypatch.context() as patch:
        die(40, patch)
        with pytest.raises(SystemExit):
            stylizer(*command, "--no-metadata")
    refused = stylizer(*command)
    assert refused.code == 1
    assert "no-metadata was True and is nothing" in refused.errors[0]
    again = stylizer(*command, "--no-metadata")
    assert again.code == 0, again.err
    assert "going on after" in again.err
    assert b"The sea" not in out.read_bytes()
    np.testing.assert_array_equal(decode(out, SIZE), decode(whole, SIZE))
    assert stylizer(*command, "-y").code == 0
    assert b"The sea" in out.read_bytes()


def test_killed_while_it_tidies_up_nothing_is_painted_again(
    stylizer: Run,
    short_segments: None,
    film: Path,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out.mp4"

    def die_tidying(folder: Path) -> None:
        (folder / "00000000.mp4").unlink()
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(folder_module, "_remove_files", die_tidying)
        with pytest.raises(SystemExit):
            stylizer("video", film, out, "-s", style)
    before = out.read_bytes()
    outcome = stylizer("video", film, out, "-s", style)
    assert outcome.code == 0, outcome.err
    assert "all 120 frames are painted already" in outcome.err
    assert out.read_bytes() == before
    assert names(tmp_path) == ["out.mp4"]


def test_jobs_lists_resumes_and_removes(
    stylizer: Run, unfinished: Path, film: Path, style: Path, tmp_path: Path
) -> None:
    listed = stylizer("jobs")
    assert listed.code == 0
    rows = [line for line in listed.out.splitlines() if str(unfinished) in line]
    assert len(rows) == 1
    assert "32 of 120" in rows[0] and "unfinished" in rows[0]
    number = rows[0].split()[0]
    wrong = stylizer("jobs", "remove", tmp_path / "none.mp4")
    assert wrong.code == 1 and "no unfinished job" in wrong.errors[0]
    assert stylizer("jobs", "remove").code == 1
    outcome = stylizer("jobs", "remove", number)
    assert outcome.code == 0, outcome.err
    assert not (tmp_path / "out.mp4.parts").exists()
    assert str(unfinished) not in stylizer("jobs").out


def test_jobs_gives_the_command_again(film: Path, tmp_path: Path, style: Path) -> None:
    """In another folder than the job was begun in, whose names are relative to that."""
    begun, elsewhere = tmp_path / "begun", tmp_path / "elsewhere"
    begun.mkdir()
    elsewhere.mkdir()
    (begun / "in.mp4").write_bytes(film.read_bytes())
    parts = begun / "out.mp4.parts"
    arguments = ["video", "in.mp4", "out.mp4", "-s", style, "--coherence", "0.5"]
    with start(*arguments, folder=begun) as process:
        while process.poll() is None and not finished(parts):
            time.sleep(0.01)
        process.kill()
    with start("jobs", "resume", begun / "out.mp4", folder=elsewhere) as process:
        _, told = process.communicate()
    assert process.returncode == 0, told
    assert f"stylizer video in.mp4 out.mp4 -s {style}" in told
    assert count_frames(begun / "out.mp4") == FRAMES
    assert names(begun) == ["in.mp4", "out.mp4"] and names(elsewhere) == []


def test_two_do_not_work_on_one_job(
    stylizer: Run, short_segments: None, film: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    with start("video", film, out, "-s", style) as process:
        while process.poll() is None and not (tmp_path / "out.mp4.parts" / "job.json").exists():
            time.sleep(0.01)
        outcome = stylizer("video", film, out, "-s", style)
        assert outcome.code == 1
        assert "another process works on this job" in outcome.errors[0]
        refused = stylizer("jobs", "remove", out)
        assert "another process works on this job" in refused.errors[0]
        process.communicate()
    assert count_frames(out) == FRAMES


def test_after_ctrl_c_the_file_is_whole_and_the_same_command_goes_on(
    stylizer: Run,
    short_segments: None,
    film: Path,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, out = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    assert stylizer("video", film, whole, "-s", style).code == 0

    class Interrupting(video.Display):
        def update(self, done: int, text: str = "") -> None:
            super().update(done, text)
            if done == 33:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(video, "Display", Interrupting)
        outcome = stylizer("video", film, out, "-s", style)
    assert outcome.code == 130
    assert f"{out} holds the 33 frames" in outcome.err
    assert "the same command goes on after frame 32" in outcome.err
    assert count_frames(out) == 33
    assert names(tmp_path) == ["out.mp4", "out.mp4.parts", "whole.mp4"]
    outcome = stylizer("video", film, out, "-s", style)
    assert outcome.code == 0, outcome.err
    assert "going on after frame 32 of 120" in outcome.err
    np.testing.assert_array_equal(decode(out, SIZE), decode(whole, SIZE))
    assert names(tmp_path) == ["out.mp4", "whole.mp4"]


def test_what_took_the_outputs_place_meanwhile_is_not_replaced(
    stylizer: Run, unfinished: Path, film: Path, style: Path
) -> None:
    unfinished.write_bytes(b"precious")
    outcome = stylizer("video", film, unfinished, "-s", style)
    assert outcome.code == 1
    assert "exists already" in outcome.errors[0]
    assert unfinished.read_bytes() == b"precious"


def test_a_folder_that_is_no_jobs_is_left_alone(
    stylizer: Run, short_segments: None, film: Path, style: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out.mp4.parts"
    folder.mkdir()
    (folder / "letter.txt").write_text("precious")
    for more in ((), ("--restart",)):
        outcome = stylizer("video", film, tmp_path / "out.mp4", "-s", style, *more)
        assert outcome.code == 1
        assert "no folder of a job (letter.txt is in it)" in outcome.errors[0]
    assert names(folder) == ["letter.txt"] or names(folder) == ["letter.txt", "lock"]


def test_an_input_that_vanishes_costs_nothing_that_is_finished(
    stylizer: Run, unfinished: Path, film: Path, style: Path, tmp_path: Path
) -> None:
    outcome = stylizer("video", tmp_path / "gone.mp4", unfinished, "-s", style)
    assert outcome.code == 1
    assert "gone.mp4: no such file" in outcome.errors[0]
    assert stylizer("video", film, unfinished, "-s", style).code == 0
    assert count_frames(unfinished) == FRAMES


def test_what_fails_before_anything_is_finished_leaves_nothing(
    stylizer: Run, film: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise WeightsError("the weights are missing")

    monkeypatch.setattr(video, "make_stylizer", fail)
    outcome = stylizer("video", film, tmp_path / "out.mp4", "-s", style)
    assert outcome.code == 1
    assert "the weights are missing" in outcome.errors[0]
    assert names(tmp_path) == []


@pytest.mark.parametrize("more", [(), ("--independent",), ("--overwrite",)])
def test_a_folder_of_frames_is_gone_on_with(
    stylizer: Run,
    short_segments: None,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: tuple[str, ...],
) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    for number in range(30):
        write_image(shots / f"{number}.png", picture(number))
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert stylizer("frames", shots, whole, "-s", style, *more).code == 0
    with monkeypatch.context() as patch:
        die(20, patch)
        with pytest.raises(SystemExit):
            stylizer("frames", shots, out, "-s", style, *more)
    assert 10 < len(names(out)) < 30
    refused = stylizer("frames", shots, out, "-s", style, *more, "--strength", 0.5)
    assert "strength was 1.0 and is 0.5" in refused.errors[0]
    outcome = stylizer("frames", shots, out, "-s", style, *more)
    assert outcome.code == 0, outcome.err
    assert "out: going on after frame 12 of 30" in outcome.err
    assert names(out) == names(whole) == names(shots)
    for name in names(shots):
        np.testing.assert_array_equal(read_image(out / name), read_image(whole / name))
    assert names(tmp_path) == ["out", "shots", "whole"]
