from __future__ import annotations

import logging
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stylizer.errors import ConfigError, SourceError
from stylizer.io.image import write_image
from stylizer.io.media.probe import probe
from stylizer.io.sources.video_reader import VideoReader
from tests.clips import (
    COLORS,
    corner_colors,
    count_frames,
    decode,
    duration,
    ffmpeg,
    make_clip,
    make_variable_clip,
    picture,
    read_number,
)

# Milliseconds: fast, slow, a long rest, and frames nearer to each other than the others.
UNEVEN = [0, 40, 80, 120, 160, 200, 240, 500, 540, 560, 580, 620, 1300, 1340, 1380, 1420]


def _read(path: Path, *, rate: Fraction | None = None) -> list[np.ndarray]:
    with VideoReader(path, rate=rate) as reader:
        return [frame.image for frame in reader]


@pytest.mark.parametrize(
    ("rate", "suffix"),
    [
        ("30000/1001", ".mp4"),
        ("24000/1001", ".mp4"),
        ("25", ".mp4"),
        ("60000/1001", ".mov"),
        ("30000/1001", ".mkv"),
        ("24000/1001", ".mkv"),
        ("30000/1001", ".ts"),
        ("24", ".avi"),
        ("10", ".gif"),
    ],
)
def test_exact_rates_and_every_frame(tmp_path: Path, rate: str, suffix: str) -> None:
    path = make_clip(tmp_path / f"a{suffix}", rate=rate, seconds=1.5)
    with VideoReader(path) as reader:
        assert reader.rate == Fraction(rate)
        assert not reader.info.variable_rate
        count = count_frames(path)
        assert reader.frame_count == reader.info.frame_count == count
        frames = list(reader)
    assert [read_number(frame.image) for frame in frames] == list(range(count))
    assert len(frames) / reader.rate == pytest.approx(1.5, abs=0.501 / float(reader.rate))
    assert reader.info.duration == pytest.approx(duration(path), abs=0.05)


@pytest.mark.parametrize("tag", [0, 90, 180, 270])
def test_rotation_tags(tmp_path: Path, tag: int) -> None:
    path = make_clip(tmp_path / "a.mp4", seconds=0.2, rotation=tag)
    with VideoReader(path) as reader:
        assert reader.size == ((48, 64) if tag % 180 else (64, 48))
        assert reader.info.rotation == -tag % 360  # ffmpeg's tag counts counterclockwise
        image = next(iter(reader)).image
    expected = np.rot90(COLORS, tag // 90)
    assert np.abs(corner_colors(image) - expected).max() < 30
    np.testing.assert_array_equal(image, decode(path, reader.size)[0])


@pytest.mark.parametrize("flip", ["hflip", "vflip"])
@pytest.mark.parametrize("tag", [0, 90])
def test_mirrored_tags_as_ffmpeg_shows_them(tmp_path: Path, tag: int, flip: str) -> None:
    plain = make_clip(tmp_path / "plain.mp4", seconds=0.1)
    path = tmp_path / "a.mp4"
    options = ["-display_rotation:v:0", tag, f"-display_{flip}:v:0"]
    ffmpeg(*options, "-i", plain, "-c", "copy", path)
    with VideoReader(path) as reader:
        image = next(iter(reader)).image
    np.testing.assert_array_equal(image, decode(path, reader.size)[0])


def test_a_turn_by_no_multiple_of_90_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for tag, told in ((45.0, True), (90.0, False), (90.3, False)):
        path = make_clip(tmp_path / f"{tag}.mp4", seconds=0.1)
        turned = path.with_suffix(".mov")
        ffmpeg("-display_rotation:v:0", tag, "-i", path, "-c", "copy", turned)
        caplog.clear()
        VideoReader(turned).close()
        assert ("no multiple of 90 degrees" in caplog.text) == told


@pytest.mark.parametrize("size", [(65, 49), (33, 48), (64, 31), (16, 2), (1, 1)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    path = make_clip(tmp_path / "a.mkv", size=size, seconds=0.2, extra=["-c:v", "ffv1"])
    with VideoReader(path) as reader:
        assert reader.size == size
        for frame, expected in zip(reader, decode(path, size), strict=True):
            np.testing.assert_array_equal(frame.image, expected)


def test_oblong_pixels_become_square(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", seconds=0.1, extra=["-vf", "setsar=4/3"])
    with VideoReader(path) as reader:
        assert reader.info.pixel_aspect == Fraction(4, 3)
        assert reader.size == (85, 48)  # 64 * 4/3
        image = next(iter(reader)).image
    assert np.abs(corner_colors(image) - COLORS).max() < 30
    assert image.shape == (48, 85, 3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("rate", [None, Fraction(10), Fraction(30000, 1001), Fraction(60)])
def test_a_variable_rate_comes_out_constant(
    tmp_path: Path, suffix: str, rate: Fraction | None
) -> None:
    path = make_variable_clip(tmp_path / f"a{suffix}", UNEVEN, audio=True)
    with VideoReader(path, rate=rate) as reader:
        assert reader.info.variable_rate
        assert reader.info.rate == 25  # the usual distance is 40 ms
        frames = list(reader)
        assert reader.rate == (rate or 25)
        assert len(frames) == reader.frame_count
    for frame in frames:
        shown = UNEVEN[read_number(frame.image)] / 1000
        # The picture that stands there, or begins within half a frame.
        due = [time for time in UNEVEN if time / 1000 < frame.time + 0.5 / reader.rate - 1e-9]
        assert shown == pytest.approx(due[-1] / 1000)
    # An account of its own: ffmpeg's filter, which rounds to the nearest frame as well.
    other = decode(path, reader.size, "-vf", f"fps={reader.rate}:round=near")
    assert abs(len(other) - len(frames)) <= 1  # they differ in how long the last picture stands
    for frame, expected in zip(frames, other, strict=False):
        np.testing.assert_array_equal(frame.image, expected)


def test_the_last_picture_stands_as_long_as_the_file_says(tmp_path: Path) -> None:
    path = make_variable_clip(tmp_path / "a.mkv", UNEVEN)
    slow = tmp_path / "a.mp4"
    ffmpeg("-i", path, "-c", "copy", "-bsf:v", "setts=duration=800", slow)
    with VideoReader(slow) as reader:
        count = sum(1 for _ in reader)
    assert count / reader.rate == pytest.approx(duration(slow), abs=0.501 / float(reader.rate))


@given(steps=st.lists(st.integers(5, 400), min_size=3, max_size=12))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_times(tmp_path: Path, steps: list[int]) -> None:
    times = [sum(steps[:n]) for n in range(len(steps) + 1)]
    path = make_variable_clip(tmp_path / "a.mkv", times)
    with VideoReader(path, rate=Fraction(30)) as reader:
        shown = [read_number(frame.image) for frame in reader]
    for index in range(round(times[-1] / 1000 * 30)):
        due = [n for n, time in enumerate(times) if time * 30 < (index + 0.5) * 1000]
        assert shown[index] == due[-1]


def test_tracks_and_offset(tmp_path: Path, clip: Path) -> None:
    text = tmp_path / "a.srt"
    text.write_text("1\n00:00:00,000 --> 00:00:00,500\nhello\n")
    path = tmp_path / "a.mkv"
    mapped = ["-map", "0:v", "-map", "1:a", "-map", "2:s", "-map", "1:a"]
    ffmpeg("-itsoffset", 0.5, "-i", clip, "-i", clip, "-i", text, *mapped, "-c", "copy", path)
    info = probe(path)
    assert info.audio == ("aac", "aac")
    assert info.subtitles == ("srt",)
    assert info.start_offset == pytest.approx(0.5, abs=0.03)  # AAC begins a little before zero
    assert probe(clip).start_offset == pytest.approx(0, abs=0.03)
    assert info.duration == pytest.approx(1.0, abs=0.01)
    assert info.frame_count == 30


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
@pytest.mark.parametrize("value_range", ["pc", "tv"])
def test_colors_of_every_matrix_and_range(tmp_path: Path, matrix: str, value_range: str) -> None:
    convert = f"scale=out_color_matrix={matrix}:out_range={value_range},format=yuv444p"
    tags = ["-colorspace", matrix, "-color_range", value_range]
    path = make_clip(
        tmp_path / "a.mkv", seconds=0.1, extra=["-vf", convert, *tags, "-pix_fmt", "yuv444p"]
    )
    np.testing.assert_allclose(_read(path)[0], picture(0), atol=8)


def test_ten_bits(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", seconds=0.1, extra=["-pix_fmt", "yuv420p10le"])
    assert np.abs(corner_colors(_read(path)[0]) - COLORS).max() < 8


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.h264", ["-c:v", "libx264", "-bf", 2, "-f", "h264"]),
        ("a.hevc", ["-c:v", "libx265", "-x265-params", "log-level=none", "-f", "hevc"]),
        ("a.m2v", ["-c:v", "mpeg2video", "-f", "mpeg2video"]),
    ],
)
@pytest.mark.parametrize("rate", ["50", "60", "24000/1001"])
def test_a_raw_stream_has_the_rate_that_it_says(
    tmp_path: Path, name: str, options: list[object], rate: str
) -> None:
    path = make_clip(tmp_path / name, rate=rate, seconds=2, extra=options)
    with VideoReader(path) as reader:
        assert reader.rate == Fraction(rate)
        assert reader.frame_count == round(2 * Fraction(rate))
        assert sum(1 for _ in reader) == reader.frame_count


@pytest.mark.parametrize("parts", [1, 3])
def test_stamps_on_some_pictures_only(tmp_path: Path, parts: int) -> None:
    vob = ["-c:v", "libx264", "-bf", 2, "-f", "vob"]
    one = make_clip(tmp_path / "one.vob", rate="25", seconds=2, audio=True, extra=vob)
    path = tmp_path / "a.vob"
    path.write_bytes(one.read_bytes() * parts)
    with VideoReader(path) as reader:
        assert reader.rate == 25
        shown = [read_number(frame.image) for frame in reader]
    assert shown == list(range(50)) * parts


def test_raw_jpegs_are_a_film(tmp_path: Path) -> None:
    path = make_clip(
        tmp_path / "a.mjpeg", rate="25", seconds=1, extra=["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"]
    )
    with VideoReader(path) as reader:
        assert reader.rate == 25
        assert [read_number(frame.image) for frame in reader] == list(range(25))


def test_a_repeated_picture_is_a_copy(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", rate="5", seconds=0.4)
    with VideoReader(path, rate=Fraction(25)) as reader:
        frames = list(reader)
    frames[0].image[:] = 0
    assert frames[1].image.max() > 0


def test_bad_files(tmp_path: Path, clip: Path) -> None:
    def say(name: str, data: bytes) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    write_image(tmp_path / "still.png", picture(1))
    write_image(tmp_path / "still.jpg", picture(1))
    ffmpeg("-f", "lavfi", "-t", 1, "-i", "sine", tmp_path / "sound.m4a")
    cover = ["-map", 0, "-map", 1, "-disposition:v", "attached_pic", "-c:v", "copy"]
    ffmpeg("-i", tmp_path / "sound.m4a", "-i", tmp_path / "still.jpg", *cover, tmp_path / "c.m4a")
    ffmpeg("-i", clip, "-c", "copy", "-movflags", "frag_keyframe+empty_moov", tmp_path / "f.mp4")
    fragments = (tmp_path / "f.mp4").read_bytes()
    bad = {
        tmp_path / "missing.mp4": "no such video",
        tmp_path: "got a folder",
        say("empty.mp4", b""): "empty",
        say("text.mp4", b"hello, world\n" * 99): "not a video",
        say("text.nfo", b"hello, world\n" * 99): "text",
        say("noise.mkv", random.Random(0).randbytes(5000)): "not a video",
        say("no-index.mp4", clip.read_bytes()[:3000]): "cut off before its index",
        tmp_path / "still.png": "still picture",
        tmp_path / "still.jpg": "still picture",
        tmp_path / "sound.m4a": "only sound",
        tmp_path / "c.m4a": "only sound",
        say("head-only.mp4", fragments[: fragments.index(b"moof") - 4]): "no frame",
    }
    for path, message in bad.items():
        with pytest.raises(SourceError, match=message):
            VideoReader(path)


def test_a_file_cut_off_gives_what_is_there_and_a_warning(
    tmp_path: Path, clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = tmp_path / "whole.mp4"
    ffmpeg("-stream_loop", 2, "-i", clip, "-c", "copy", "-movflags", "+faststart", whole)
    path = tmp_path / "half.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    with caplog.at_level(logging.WARNING):
        frames = _read(path)
    assert 0 < len(frames) < count_frames(whole)
    # Pictures lost between others, at the ragged end, are replaced by the ones before.
    assert count_frames(path) <= len(frames) <= count_frames(path) + 4
    assert "cut off" in caplog.text


def test_damage_in_the_middle_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    # Every packet is a picture of its own, so that the rest is not touched.
    path = make_clip(tmp_path / "a.mp4", seconds=2, extra=["-g", 1, "-movflags", "+faststart"])
    data = bytearray(path.read_bytes())
    middle = len(data) * 2 // 3
    data[middle : middle + 1500] = random.Random(0).randbytes(1500)
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        numbers = [read_number(image) for image in _read(path)]
    assert len(numbers) == 60  # a lost picture is replaced by the one before, in its time
    assert numbers[:30] == list(range(30))
    assert numbers[-10:] == list(range(50, 60))
    assert "damaged" in caplog.text
    assert capfd.readouterr().err == ""  # ffmpeg itself keeps quiet


def test_names_that_ffmpeg_would_take_for_something_else(tmp_path: Path, clip: Path) -> None:
    for name in ("a:b.mp4", "100%d.mp4", "concat:a|b.mp4", "ünï cödé.mp4", "-i.mp4"):
        path = tmp_path / name
        path.write_bytes(clip.read_bytes())
        assert VideoReader(path).size == (64, 48)


@pytest.mark.parametrize("rate", [Fraction(0), Fraction(-25), Fraction(1001)])
def test_rates_out_of_range(clip: Path, rate: Fraction) -> None:
    with pytest.raises(ConfigError, match="rate: expected"):
        VideoReader(clip, rate=rate)


@pytest.mark.skipif(sys.platform != "linux", reason="what was tried is Linux")
def test_opencv_and_pyav_live_in_one_process(tmp_path: Path, clip: Path) -> None:
    # Both carry an ffmpeg of their own; decode with one inside the other.
    code = (
        "import sys, cv2, av\n"
        "cap = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)\n"
        "with av.open(sys.argv[1]) as c:\n"
        "    n = sum(cap.read()[0] for _ in c.decode(video=0))\n"
        "print(n, cap.read()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(clip)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "30 False\n", "")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_random_damage_gives_frames_or_one_clear_error(tmp_path: Path, suffix: str) -> None:
    data = make_clip(tmp_path / f"whole{suffix}", audio=True, seconds=0.5).read_bytes()
    path = tmp_path / f"damaged{suffix}"
    outcomes = set()
    for seed in range(20):
        chance = random.Random(seed)
        damaged = bytearray(data[: chance.randrange(1, len(data))] if seed % 2 else data)
        for _ in range(chance.randrange(30)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            outcomes.add(bool(_read(path)))
        except SourceError as error:
            assert str(path) in str(error)
            outcomes.add(False)
    assert outcomes == {True, False}  # both were met
