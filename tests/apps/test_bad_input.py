"""What users get wrong: one clear line, exit code 1, nothing lost and nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pillow

from stylizer.io.image import write_image
from tests.apps.conftest import Inverter, Run, names
from tests.clips import count_frames, ffmpeg, make_clip, picture

Make = Callable[[Path], Path]


def _missing(folder: Path) -> Path:
    return folder / "none.mp4"


def _empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def _header_only(folder: Path) -> Path:
    whole = make_clip(folder / "whole.mp4")
    short = folder / "short.mp4"
    short.write_bytes(whole.read_bytes()[:200])
    whole.unlink()
    return short


def _no_frames(folder: Path) -> Path:
    source = make_clip(folder / "source.mp4", seconds=0.2)
    ffmpeg("-i", source, "-frames:v", 0, "-c", "copy", folder / "zero.mkv")
    source.unlink()
    return folder / "zero.mkv"


def _sound_only(folder: Path) -> Path:
    ffmpeg("-f", "lavfi", "-t", 0.3, "-i", "sine", folder / "sound.m4a")
    return folder / "sound.m4a"


def _text(folder: Path) -> Path:
    (folder / "notes.mp4").write_text("not a video at all\n" * 50)
    return folder / "notes.mp4"


def _picture(folder: Path) -> Path:
    write_image(folder / "picture.png", picture(3))
    return folder / "picture.png"


def _folder(folder: Path) -> Path:
    (folder / "clips").mkdir()
    return folder / "clips"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.ts")  # nobody writes to it: opening it would wait for ever
    return folder / "pipe.ts"


def _encrypted(folder: Path) -> Path:
    whole = make_clip(folder / "whole.mp4")
    keys = ["-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb"]
    keys += ["-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"]
    path = folder / "encrypted.mp4"
    ffmpeg("-i", whole, "-c", "copy", "-encryption_scheme", "cenc-aes-ctr", *keys, path)
    whole.unlink()
    return path


def _scrambled(folder: Path) -> Path:
    whole = make_clip(folder / "whole.ts")
    data = bytearray(whole.read_bytes())
    for place in range(0, len(data), 188):
        if (data[place + 1] & 31) << 8 | data[place + 2] == 0x100:
            data[place + 3] |= 0x80
            data[place + 20 : place + 188] = os.urandom(168)
    whole.unlink()
    (folder / "scrambled.ts").write_bytes(data)
    return folder / "scrambled.ts"


def _animated_webp(folder: Path) -> Path:
    frames = [pillow.fromarray(picture(number)) for number in range(3)]
    path = folder / "moving.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    return path


def _avif(folder: Path) -> Path:
    pillow.fromarray(picture(1)).save(folder / "still.avif")
    return folder / "still.avif"


def _broken_link(folder: Path) -> Path:
    (folder / "link.mp4").symlink_to("nowhere.mp4")
    return folder / "link.mp4"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_encrypted, "is encrypted"),
        (_scrambled, "is encrypted"),
        (_animated_webp, "an animated WebP"),
        (_avif, "a still picture"),
        (_broken_link, "a link to nowhere.mp4"),
    ],
)
def test_why_a_video_is_none(
    stylizer: Run, inverter: Inverter, style: Path, tmp_path: Path, make: Make, reason: str
) -> None:
    source = make(tmp_path)
    before = names(tmp_path)
    outcome = stylizer("video", source, tmp_path / "out.mp4", "-s", style)
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1, outcome.err
    assert reason in outcome.errors[0]
    assert names(tmp_path) == before
    assert inverter.calls == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            "nosuch",
            "no such folder; expected a folder, a glob or a %05d pattern of pictures; check",
        ),
        ("film.mp4", "of pictures, got a file; `stylizer video` paints videos"),
        ("one.png", "of pictures, got a picture; `stylizer image` paints it"),
        ("0", "got a camera or a stream; `stylizer live --camera 0` paints it"),
        ("rtsp://anna:SECRET@host/x", "got a camera or a stream; `stylizer live --camera rtsp://"),
        ("-", "got a pipe; `stylizer video` paints its film"),
    ],
)
def test_frames_says_what_it_expected(
    stylizer: Run, style: Path, tmp_path: Path, given: str, told: str
) -> None:
    write_image(tmp_path / "one.png", picture(1))
    (tmp_path / "film.mp4").write_bytes(b"a film")
    source = tmp_path / given if given[0] in "nfo" else given
    outcome = stylizer("frames", source, tmp_path / "out", "-s", style)
    assert (outcome.code, len(outcome.errors)) == (1, 1)
    assert told in outcome.errors[0]
    assert "SECRET" not in outcome.err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_named_like_a_camera(
    stylizer: Run,
    inverter: Inverter,
    style: Path,
    shots: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(shots.rename(shots.with_name("7")).parent)
    assert stylizer("frames", "7", "out", "-s", style).code == 0
    assert len(names(Path("out"))) == len(names(Path("7")))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("nosuch", "nosuch: no such file or folder; expected a video, or a folder or pattern of"),
        ("nosuch.mp4", "nosuch.mp4: no such file or folder; check the path"),
        ("7", "7: expected a video or pictures, got a camera or a stream, which has no"),
    ],
)
def test_video_speaks_of_no_camera_that_nobody_asked_for(
    stylizer: Run,
    style: Path,
    tmp_path: Path,
    given: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = stylizer("video", given, "out.mp4", "-s", style)
    assert (outcome.code, len(outcome.errors)) == (1, 1)
    assert told in outcome.errors[0]


def test_a_pipe_is_no_picture(stylizer: Run, style: Path, tmp_path: Path) -> None:
    outcome = stylizer("image", _pipe(tmp_path), tmp_path / "out.png", "-s", style)
    assert (outcome.code, len(outcome.errors)) == (1, 1)
    assert "got a pipe" in outcome.errors[0]


def test_what_can_be_done_with_a_url(stylizer: Run, style: Path, tmp_path: Path) -> None:
    for url in ("https://anna:SECRET@127.0.0.1:9/film.mp4", "ftp://anna:SE@CRET@host/film.mp4"):
        outcome = stylizer("video", url, tmp_path / "out.mp4", "-s", style)
        assert outcome.code == 1
        assert "download" in outcome.errors[0]
        assert "stylizer live" in outcome.errors[0]
        assert "CRET" not in outcome.err


@pytest.mark.parametrize(
    "address", ["rtsp://a:b@SECRET@127.0.0.1:9/x?password=SECRET", "a:SECRET@h"]
)
def test_a_password_is_not_printed(
    stylizer: Run, style: Path, tmp_path: Path, address: str
) -> None:
    out = ["--output", tmp_path / "out.mp4", "-s", style]
    outcome = stylizer("live", "--camera", address, *out)
    assert outcome.code == 1
    assert "SECRET" not in outcome.err + outcome.out


def test_nor_is_it_by_who_takes_an_address_for_a_path(
    stylizer: Run, style: Path, photo: Path, tmp_path: Path
) -> None:
    address, out = "http://a:b@SECRET@127.0.0.1:9/x.png?key=SECRET", tmp_path / "out.png"
    for words in (
        ("image", address, out, "-s", style),
        ("image", photo, address, "-s", style),
        ("image", photo, out, "-s", address),
        ("image", photo, out, "-s", style, "--method", "gatys", f"--initial-image={address}"),
        ("frames", address, out, "-s", style),
        ("live", "--output", "rtmp://host/app/SECRET", "-s", style),
        ("report", address, "--source", photo),
    ):
        outcome = stylizer(*words)
        assert outcome.code == 1
        assert "SECRET" not in outcome.err + outcome.out


@pytest.mark.parametrize("letter", ["🎬", "é", "語"])
def test_long_names_of_any_letters(
    stylizer: Run, inverter: Inverter, style: Path, tmp_path: Path, letter: str
) -> None:
    stem = letter * (246 // len(letter.encode()))
    (tmp_path / "in").mkdir()
    source = make_clip(tmp_path / "in" / "a.mp4", seconds=0.2, audio=True)
    source = source.rename(tmp_path / "in" / f"{stem}.mp4")
    out = tmp_path / f"{stem}.mp4"
    assert stylizer("video", source, out, "-s", style).code == 0
    assert count_frames(out) == 6
    picture_path = tmp_path / f"{stem}.png"
    assert stylizer("video", source, f"{tmp_path}/painted/", "-s", style).code == 0
    write_image(picture_path, picture(1))
    assert stylizer("image", picture_path, tmp_path / f"{stem}.jpg", "-s", style).code == 0


@pytest.mark.parametrize(
    "make", [_missing, _empty, _header_only, _no_frames, _sound_only, _text, _picture, _folder]
)
def test_a_video_that_is_none(
    stylizer: Run, inverter: Inverter, style: Path, tmp_path: Path, make: Make
) -> None:
    source = make(tmp_path)
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")
    before = names(tmp_path)
    outcome = stylizer("video", source, out, "-s", style, "--overwrite")
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1, outcome.err
    assert str(source) in outcome.errors[0]
    assert out.read_bytes() == b"precious"
    assert names(tmp_path) == before
    assert inverter.calls == []


def test_a_truncated_video_gives_what_it_has(
    stylizer: Run, inverter: Inverter, style: Path, tmp_path: Path
) -> None:
    whole = make_clip(tmp_path / "whole.mkv", seconds=2)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    outcome = stylizer("video", cut, tmp_path / "out.mp4", "-s", style)
    assert outcome.code == 0, outcome.err
    assert "cut off" in outcome.err
    assert 0 < count_frames(tmp_path / "out.mp4") < 60


def _nothing(path: Path) -> None:
    pass


def _words(path: Path) -> None:
    path.write_text("not a picture")


def _half(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    write_image(path, noise)
    path.write_bytes(path.read_bytes()[:5000])


def _pixel(path: Path) -> None:
    write_image(path, np.zeros((1, 1, 3), np.uint8))


def _giant(path: Path) -> None:
    write_image(path, np.zeros((2, 20000, 3), np.uint8))


@pytest.mark.parametrize("spoil", [_nothing, Path.touch, _words, _half, _pixel, _giant])
@pytest.mark.parametrize("command", ["video", "image", "frames"])
def test_a_style_that_cannot_be_used(
    stylizer: Run,
    inverter: Inverter,
    clip: Path,
    photo: Path,
    shots: Path,
    tmp_path: Path,
    spoil: Callable[[Path], object],
    command: str,
) -> None:
    style = tmp_path / "style.png"
    spoil(style)
    source = {"video": clip, "image": photo, "frames": shots}[command]
    out = tmp_path / {"video": "out.mp4", "image": "out.png", "frames": "out"}[command]
    outcome = stylizer(command, source, out, "-s", style)
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1, outcome.err
    assert "style" in outcome.errors[0]
    assert not out.exists()
    assert inverter.calls == []


@pytest.mark.parametrize("spoil", [_nothing, Path.touch, _words, _half, _giant])
def test_a_content_picture_that_cannot_be_used(
    stylizer: Run, style: Path, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    source = tmp_path / "content.png"
    spoil(source)
    before = names(tmp_path)
    outcome = stylizer("image", source, tmp_path / "out.png", "-s", style)
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1, outcome.err
    assert str(source) in outcome.errors[0]
    assert names(tmp_path) == before


def test_a_picture_of_one_pixel_is_painted(stylizer: Run, style: Path, tmp_path: Path) -> None:
    _pixel(tmp_path / "pixel.png")
    args = ("image", tmp_path / "pixel.png", tmp_path / "out.png", "-s", style)
    outcome = stylizer(*args, "--method", "gatys", "--iterations", 1)
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "out.png").is_file()


@pytest.mark.parametrize("kind", ["empty", "missing", "other"])
def test_a_folder_without_pictures(
    stylizer: Run, inverter: Inverter, style: Path, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "in"
    if kind != "missing":
        folder.mkdir()
    if kind == "other":
        (folder / "notes.txt").write_text("no picture")
    outcome = stylizer("frames", folder, tmp_path / "out", "-s", style)
    assert outcome.code == 1
    assert str(folder) in outcome.errors[0]
    assert not (tmp_path / "out").exists()


def test_a_damaged_picture_amid_a_folder_costs_only_itself(
    stylizer: Run, inverter: Inverter, shots: Path, style: Path, tmp_path: Path
) -> None:
    (shots / "5.png").write_bytes((shots / "5.png").read_bytes()[:60])
    outcome = stylizer("frames", shots, tmp_path / "out", "-s", style)
    assert outcome.code == 1
    assert "5.png" in outcome.errors[0]
    assert names(tmp_path / "out") == [name for name in names(shots) if name != "5.png"]


def test_the_folder_of_the_output_is_missing(
    stylizer: Run,
    inverter: Inverter,
    clip: Path,
    photo: Path,
    shots: Path,
    style: Path,
    tmp_path: Path,
) -> None:
    nowhere = tmp_path / "nowhere"
    for command, source, out in (
        ("video", clip, nowhere / "out.mp4"),
        ("image", photo, nowhere / "out.png"),
        ("frames", shots, nowhere / "out"),
        ("sweep", photo, nowhere / "out"),
    ):
        grid = ["--set", "seed=1,2"] if command == "sweep" else []
        outcome = stylizer(command, source, out, "-s", style, *grid)
        assert outcome.code == 1
        assert str(nowhere) in outcome.errors[0]
    assert not nowhere.exists()


@pytest.mark.parametrize("name", ["out.txt", "out", "out.avi"])
def test_an_output_of_unknown_kind(
    stylizer: Run,
    inverter: Inverter,
    clip: Path,
    photo: Path,
    style: Path,
    tmp_path: Path,
    name: str,
) -> None:
    for command, source in (("video", clip), ("image", photo)):
        outcome = stylizer(command, source, tmp_path / name, "-s", style)
        assert outcome.code == 1
        assert len(outcome.err.splitlines()) == 1, outcome.err
        assert name in outcome.errors[0]
    assert names(tmp_path) == []


@pytest.mark.parametrize("link", [False, True])
def test_an_input_is_never_replaced(
    stylizer: Run, inverter: Inverter, style: Path, tmp_path: Path, link: bool
) -> None:
    source = make_clip(tmp_path / "in.mp4", seconds=0.2)
    content = tmp_path / "content.png"
    write_image(content, picture(1))
    before = {path: path.read_bytes() for path in (source, content, style)}
    video_out, image_out = source, content
    if link:
        video_out, image_out = tmp_path / "link.mp4", tmp_path / "link.png"
        video_out.symlink_to(source)
        os.link(content, image_out)
    for arguments in (
        ("video", source, video_out, "-s", style),
        ("image", content, image_out, "-s", style),
        ("image", content, style, "-s", f"{style}:0.5"),
        (
            "image",
            content,
            tmp_path / "o.png",
            "-s",
            style,
            "--method",
            "gatys",
            "--losses",
            content,
        ),
    ):
        outcome = stylizer(*arguments, "--overwrite")
        assert outcome.code == 1
        assert "input" in outcome.errors[0], outcome.err
    assert {path: path.read_bytes() for path in before} == before


def test_reports_that_exist_are_told_before_the_work(
    stylizer: Run, inverter: Inverter, clip: Path, style: Path, tmp_path: Path
) -> None:
    table = tmp_path / "losses.csv"
    table.write_text("precious")
    args = ("video", clip, tmp_path / "out.mp4", "-s", style, "--method", "gatys")
    outcome = stylizer(*args, "--losses", table)
    assert outcome.code == 1
    assert inverter.calls == []
    assert table.read_text() == "precious"
    assert names(tmp_path) == ["losses.csv"]
