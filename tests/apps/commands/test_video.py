from __future__ import annotations

import re
import signal
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import ExifTags
from PIL import Image as pillow
from skimage import data

from stylizer.apps.commands import video
from stylizer.apps.console import paths
from stylizer.frame import Frame
from stylizer.io.media.probe import probe
from stylizer.io.sinks.video_writer import VideoWriter
from tests.apps.conftest import Inverter, Run, names
from tests.clips import count_frames, decode, duration, make_clip, picture, read_number
from tests.streams import MjpegServer


def test_paints_every_frame_and_keeps_rate_size_and_sound(
    stylizer: Run, inverter: Inverter, clip: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    outcome = stylizer("video", clip, out, "--style", style)
    assert outcome.code == 0, outcome.err
    assert "64x48 · 29.97 fps · 30 frames" in outcome.err
    assert f"{out}: 30 frames" in outcome.err
    assert count_frames(out) == count_frames(clip) == 30
    assert probe(out).rate == probe(clip).rate
    assert duration(out) == pytest.approx(duration(clip), abs=0.1)
    assert [read_number(255 - frame) for frame in decode(out, (64, 48))] == list(range(30))
    sound = decode_sound(out)
    assert len(sound) == pytest.approx(len(decode_sound(clip)), abs=3000)
    assert np.abs(sound).max() > 1000
    assert names(tmp_path) == ["out.mp4"]


def decode_sound(path: Path) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    from tests.clips import ffmpeg

    return np.frombuffer(ffmpeg("-i", path, "-f", "s16le", "-ac", 1, "-"), np.int16)


@pytest.mark.parametrize(
    ("asked", "expected"), [("24", "32x24"), ("40x20", "40x20"), (None, "64x48")]
)
def test_resizes(
    stylizer: Run,
    inverter: Inverter,
    clip: Path,
    style: Path,
    tmp_path: Path,
    asked: str | None,
    expected: str,
) -> None:
    out = tmp_path / "out.mp4"
    size = [] if asked is None else ["--size", asked]
    assert stylizer("video", clip, out, "-s", style, *size).code == 0
    assert "x".join(map(str, probe(out).size)) == expected


def test_a_recipe_brings_its_size_unless_one_is_asked_for(
    stylizer: Run, inverter: Inverter, clip: Path, style: Path, tmp_path: Path
) -> None:
    recipe = ("-s", style, "--method", "gatys", "--recipe", "dey2019")
    stylizer("video", clip, tmp_path / "a.mp4", *recipe)
    assert probe(tmp_path / "a.mp4").size == (224, 224)
    stylizer("video", clip, tmp_path / "b.mp4", *recipe, "--size", "24")
    assert probe(tmp_path / "b.mp4").size == (32, 24)


def test_quiet_says_nothing(
    stylizer: Run, inverter: Inverter, clip: Path, style: Path, tmp_path: Path
) -> None:
    outcome = stylizer("video", clip, tmp_path / "out.mp4", "-s", style, "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_what_exists_is_replaced_only_when_asked(
    stylizer: Run, inverter: Inverter, clip: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")
    outcome = stylizer("video", clip, out, "-s", style)
    assert outcome.code == 1
    assert "--overwrite" in outcome.errors[0]
    assert out.read_bytes() == b"precious"
    assert inverter.calls == []
    assert stylizer("video", clip, out, "-s", style, "--overwrite").code == 0
    assert count_frames(out) == 30


@pytest.mark.parametrize("answer", [True, False])
def test_at_a_terminal_it_asks(
    stylizer: Run,
    inverter: Inverter,
    clip: Path,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: bool,
) -> None:
    monkeypatch.setattr(paths, "can_ask", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: answer)
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")
    assert stylizer("video", clip, out, "-s", style).code == (0 if answer else 1)
    assert (out.read_bytes() == b"precious") is not answer


def test_losses_are_written_where_asked(stylizer: Run, style: Path, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", size=(48, 32), rate="10", seconds=0.3)
    outcome = stylizer(
        *("video", source, tmp_path / "out.mp4", "-s", style, "--method", "gatys"),
        *("--iterations", 3),
        *("--warm-iterations", 2, "--losses", tmp_path / "l.csv", "--plot", tmp_path / "l.png"),
    )
    assert outcome.code == 0, outcome.err
    rows = (tmp_path / "l.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["0", "0", "0", "1", "1", "2", "2"]
    assert (tmp_path / "l.png").read_bytes().startswith(b"\x89PNG")
    assert re.search("compact, (openvino|tensorflow) on", outcome.err)


def test_ctrl_c_finishes_the_file(
    stylizer: Run,
    clip: Path,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Interrupting(video.Display):
        def update(self, done: int, text: str = "") -> None:
            super().update(done, text)
            if done == 12:
                raise KeyboardInterrupt

    monkeypatch.setattr(video, "Display", Interrupting)
    monkeypatch.setattr(video, "make_stylizer", lambda *_, **__: Inverter())
    out = tmp_path / "out.mp4"
    outcome = stylizer("video", clip, out, "-s", style)
    assert outcome.code == 130
    assert f"interrupted; {out} holds the 12 frames" in outcome.err
    assert count_frames(out) == 12
    assert names(tmp_path) == ["out.mp4"]


@pytest.fixture
def two_shots(tmp_path: Path) -> Path:
    """A clip of 2 x 3 frames, 48x32, with a cut between."""
    path = tmp_path / "in.mp4"
    with VideoWriter(path, size=(48, 32), rate=Fraction(10)) as writer:
        for index in range(6):
            photo = (data.astronaut(), data.cat())[index // 3][:256:8, :384:8]
            writer.write(Frame(np.ascontiguousarray(photo), index, index / 10))
    return path


PASSES = ("--method", "gatys", "--iterations", 2, "--warm-iterations", 1, "--passes", 2)


@pytest.mark.parametrize(("cuts", "order"), [("on", "00122103345543"), ("off", "0012345543210")])
def test_passes_go_through_each_shot_to_and_fro(
    stylizer: Run, style: Path, tmp_path: Path, two_shots: Path, cuts: str, order: str
) -> None:
    outcome = stylizer(
        *("video", two_shots, tmp_path / "out.mp4", "-s", style, *PASSES),
        *("--cuts", cuts, "--keep-color", "match", "--losses", tmp_path / "l.csv"),
    )
    assert outcome.code == 0, outcome.err
    assert "2 passes a shot · 48x32" in outcome.err
    assert count_frames(tmp_path / "out.mp4") == 6
    rows = (tmp_path / "l.csv").read_text().splitlines()
    assert "".join(row.split(",")[0] for row in rows[1:]) == order


def test_what_passes_painted_has_its_look(
    stylizer: Run, style: Path, tmp_path: Path, two_shots: Path
) -> None:
    outs = tmp_path / "full.mp4", tmp_path / "none.mp4"
    for out, strength in zip(outs, (1, 0), strict=True):
        outcome = stylizer(
            *("video", two_shots, out, "-s", style, *PASSES, "--strength", strength),
        )
        assert outcome.code == 0, outcome.err
    source, full, none = (decode(path, (48, 32)) for path in (two_shots, *outs))
    gaps = [np.abs(np.asarray(clip, int) - np.asarray(source, int)).mean() for clip in (full, none)]
    assert gaps[1] < 3 < gaps[0], "no strength leaves the source, but for the encoder"


@pytest.mark.parametrize("command", ["frames", "image", "live"])
def test_passes_are_for_videos(
    stylizer: Run, inverter: Inverter, style: Path, shots: Path, tmp_path: Path, command: str
) -> None:
    paths = {"frames": (shots, tmp_path / "out"), "image": (shots / "1.png", tmp_path / "o.png")}
    outcome = stylizer(command, *paths.get(command, ()), "-s", style, *PASSES)
    assert outcome.code == 1
    assert "--passes: expected 1 here, got 2; only `stylizer video`" in outcome.errors[0]
    outcome = stylizer("video", shots / "1.png", tmp_path / "o.mp4", "-s", style, "--passes", 2)
    assert outcome.code == 1
    assert "--passes: belongs to the optimization" in outcome.errors[0]


def test_ctrl_c_while_a_shot_is_painted_keeps_the_shots_before(
    stylizer: Run, style: Path, tmp_path: Path, two_shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []

    class Interrupting(video.Display):
        def note(self, text: str) -> None:
            notes.append(text)
            if len(notes) == 7:  # in the second shot: wait until the first is written
                while self.done < 3:
                    time.sleep(0.01)
                signal.raise_signal(signal.SIGINT)
                time.sleep(1.0)

    monkeypatch.setattr(video, "Display", Interrupting)
    out = tmp_path / "out.mp4"
    outcome = stylizer("video", two_shots, out, "-s", style, *PASSES)
    assert outcome.code == 130, outcome.err
    assert f"interrupted; {out} holds the 3 frames" in outcome.err
    assert count_frames(out) == 3
    assert notes[-1] == "shot ahead: pass 1 of 2, 17%"
    assert len(notes) == 7


def test_pictures_become_a_video_and_a_video_pictures(
    stylizer: Run, inverter: Inverter, clip: Path, style: Path, tmp_path: Path
) -> None:
    painted = tmp_path / "painted"
    outcome = stylizer("video", clip, f"{painted}/", "-s", style)
    assert outcome.code == 0, outcome.err
    assert names(painted) == [f"{number:06}.png" for number in range(30)]
    back = tmp_path / "back.mp4"
    outcome = stylizer("video", painted / "%06d.png", back, "-s", style)
    assert outcome.code == 0, outcome.err
    assert "25 fps · 30 frames" in outcome.err
    assert [read_number(frame) for frame in decode(back, (64, 48))] == list(range(30))
    outcome = stylizer("video", painted, tmp_path / "n%02d.png", "-s", style, "--size", "24")
    assert outcome.code == 0, outcome.err
    assert len(list(tmp_path.glob("n*.png"))) == 30


def test_pictures_of_pictures_keep_what_these_say_or_leave_it_out(
    stylizer: Run, inverter: Inverter, style: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    exif = pillow.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    pillow.fromarray(picture(1)).save(tmp_path / "in" / "a.jpg", exif=exif)
    for name, more in (("kept", ()), ("left", ("--no-metadata",))):
        outcome = stylizer("video", tmp_path / "in", f"{tmp_path / name}/", "-s", style, *more)
        assert outcome.code == 0, outcome.err
        with pillow.open(tmp_path / name / "a.jpg") as opened:
            assert opened.getexif().get(ExifTags.Base.Make) == (None if more else "Maker")


def test_a_stream_has_no_end(
    stylizer: Run, inverter: Inverter, mjpeg: MjpegServer, style: Path, tmp_path: Path
) -> None:
    outcome = stylizer("video", mjpeg.url, tmp_path / "out.mp4", "-s", style)
    assert outcome.code == 1
    assert "which has no end" in outcome.errors[0]
    assert names(tmp_path) == []
