"""Written videos, judged by ffmpeg's own account of them."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image as pillow

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame
from stylizer.io.media.ffmpeg import FfmpegProcess
from stylizer.io.sinks.video_writer import VideoWriter, VideoWriterConfig
from tests.clips import count_frames, decode, ffmpeg, make_clip, picture, read_number
from tests.processes import children

NTSC = Fraction(30000, 1001)
FAST = VideoWriterConfig(preset="ultrafast")
SIZE = (64, 48)
SUBTITLES = "1\n00:00:00,100 --> 00:00:00,600\nHello there\n"
SUFFIXES = [".mp4", ".mov", ".mkv", ".webm", ".gif"]


def write(
    path: Path,
    count: int = 20,
    *,
    size: tuple[int, int] = SIZE,
    rate: Fraction = NTSC,
    error: BaseException | None = None,
    **options: Any,
) -> Path:
    """Write pictures 0, 1, ... and leave the writer by ``error``, if there is one."""
    with VideoWriter(path, size=size, rate=rate, config=FAST, **options) as writer:
        for index in range(count):
            writer.write(Frame(picture(index, size), index, float(index / rate)))
        if error is not None:
            raise error
    return path


def streams(path: Path, kind: str | None = None) -> list[dict[str, Any]]:
    with av.open(str(path)) as file:
        return [
            {
                "kind": stream.type,
                "codec": stream.codec_context.codec.canonical_name,
                "start": float((stream.start_time or 0) * stream.time_base),
                "language": stream.metadata.get("language"),
            }
            for stream in file.streams
            if kind in (None, stream.type)
        ]


def end_of(path: Path, kind: str) -> float:
    """Return when the last packet of a kind of track ends, in seconds."""
    with av.open(str(path)) as file:
        stream = getattr(file.streams, kind)[0]
        packets = [p for p in file.demux(stream) if p.pts is not None]
        return float(max(p.pts + (p.duration or 0) for p in packets) * stream.time_base)


def sound_hash(path: Path) -> bytes:
    return ffmpeg("-i", path, "-map", "0:a", "-c", "copy", "-f", "md5", "-")


def numbers(path: Path, size: tuple[int, int] = SIZE) -> list[int]:
    return [read_number(image) for image in decode(path, size, "-fps_mode", "passthrough")]


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Any:
    """After every test: no child process, and no hidden temporary file."""
    before = children(os.getpid())
    yield
    assert children(os.getpid()) <= before
    assert [path for path in tmp_path.rglob(".*")] == []


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A clip of a second, with AAC sound and subtitles of text."""
    subtitles = tmp_path / "words.srt"
    subtitles.write_text(SUBTITLES)
    plain = make_clip(tmp_path / "plain.mp4", audio=True)
    path = tmp_path / "source.mkv"
    languages = ["-metadata:s:a:0", "language=spa", "-metadata:s:s:0", "language=fra"]
    ffmpeg("-i", plain, "-i", subtitles, "-c", "copy", "-c:s", "srt", *languages, path)
    return path


@pytest.mark.parametrize(
    ("suffix", "codec", "pixels", "rate"),
    [
        (".mp4", "h264", "yuv420p", NTSC),
        (".mov", "h264", "yuv420p", NTSC),
        (".mkv", "h264", "yuv420p", NTSC),
        (".webm", "vp9", "yuv420p", NTSC),
        (".gif", "gif", "bgra", None),
    ],
)
def test_codec_rate_and_frames(
    tmp_path: Path, suffix: str, codec: str, pixels: str, rate: Fraction | None
) -> None:
    path = write(tmp_path / f"out{suffix}", 30)
    with av.open(str(path)) as file:
        video = file.streams.video[0]
        assert video.codec_context.codec.canonical_name == codec
        assert video.codec_context.pix_fmt == pixels
        if rate is not None:
            assert video.average_rate == rate
    assert count_frames(path) == 30
    assert numbers(path) == list(range(30))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "rate", [Fraction(24000, 1001), Fraction(25), Fraction(60), Fraction(7, 2)]
)
def test_every_frame_stands_at_its_exact_time(tmp_path: Path, rate: Fraction) -> None:
    path = write(tmp_path / "out.mp4", 12, rate=rate)
    with av.open(str(path)) as file:
        times = sorted(
            packet.pts * packet.time_base
            for packet in file.demux(video=0)
            if packet.pts is not None
        )
    assert times == [index / rate for index in range(12)]


def test_mp4_starts_with_its_index_and_names_its_colors(tmp_path: Path) -> None:
    path = write(tmp_path / "out.mp4")
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(path)) as file:
        context = file.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert context.color_range == 1  # limited ("tv")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_colors_survive(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    colors = np.array([(220, 30, 40), (20, 180, 60), (30, 60, 200), (128, 128, 128)], np.uint8)
    image = np.repeat(np.repeat(colors[None], 32, axis=0), 16, axis=1)
    config = VideoWriterConfig(preset="ultrafast", crf=5)
    with VideoWriter(path, size=(64, 32), rate=NTSC, config=config) as writer:
        for index in range(3):
            writer.write(Frame(image, index, 0.0))
    got = decode(path, (64, 32))[1][16, 8::16].astype(int)
    assert np.abs(got - colors.astype(int)).max() <= 5


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48), (1, 1), (3, 50)])
@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_odd_sizes_are_neither_sheared_nor_scaled(
    tmp_path: Path, suffix: str, size: tuple[int, int]
) -> None:
    """H.264 repeats the last column and row; the others keep the size."""
    width, height = size
    stored = (width + width % 2, height + height % 2) if suffix == ".mp4" else size
    generator = np.random.default_rng(0)
    small = generator.integers(0, 256, (height // 8 + 1, width // 8 + 1, 1), np.uint8)
    image = np.ascontiguousarray(
        np.repeat(small.repeat(8, axis=0).repeat(8, axis=1)[:height, :width], 3, axis=2)
    )
    path = tmp_path / f"out{suffix}"
    config = VideoWriterConfig(preset="ultrafast", crf=3)
    with VideoWriter(path, size=size, rate=NTSC, config=config) as writer:
        for index in range(2):
            writer.write(Frame(image, index, 0.0))
    with av.open(str(path)) as file:
        video = file.streams.video[0]
        assert (video.width, video.height) == stored
    expected = np.pad(image, ((0, stored[1] - height), (0, stored[0] - width), (0, 0)), mode="edge")
    got = decode(path, stored)[0]
    assert np.abs(got.astype(int) - expected).mean() < 4


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_that_fits_is_copied_bit_by_bit(tmp_path: Path, source: Path, suffix: str) -> None:
    path = write(tmp_path / f"out{suffix}", 30, source=source)
    assert sound_hash(path) == sound_hash(source)
    assert streams(path, "audio")[0]["language"] == "spa"
    assert end_of(path, "audio") == pytest.approx(end_of(source, "audio"), abs=0.03)


@pytest.mark.parametrize(
    ("codec", "suffix", "expected"),
    [
        ("pcm_s16le", ".mp4", "aac"),
        ("pcm_s16le", ".mov", "pcm_s16le"),
        ("libvorbis", ".mp4", "aac"),
        ("libvorbis", ".webm", "vorbis"),
        ("aac", ".webm", "opus"),
        ("pcm_mulaw", ".mkv", "flac"),
    ],
)
def test_sound_that_does_not_fit_is_encoded_anew(
    tmp_path: Path, codec: str, suffix: str, expected: str
) -> None:
    source = make_clip(tmp_path / "in.mkv", audio=True, extra=["-c:a", codec])
    path = write(tmp_path / f"out{suffix}", 30, source=source)
    assert [track["codec"] for track in streams(path, "audio")] == [expected]
    assert end_of(path, "audio") == pytest.approx(end_of(source, "audio"), abs=0.1)


def test_sound_of_six_channels_becomes_opus(tmp_path: Path) -> None:
    """libopus refuses the layout 5.1(side), which AC-3 has, unless it is renamed."""
    extra = ["-c:a", "ac3", "-af", "aformat=channel_layouts=5.1(side)"]
    source = make_clip(tmp_path / "in.mkv", audio=True, extra=extra)
    path = write(tmp_path / "out.webm", 30, source=source)
    with av.open(str(path)) as file:
        assert file.streams.audio[0].layout.nb_channels == 6


def test_all_sound_tracks_come_along_in_order(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4", audio=True)
    source = tmp_path / "source.mkv"
    mapping = ["-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", "-c:a:1", "pcm_s16le"]
    ffmpeg("-i", plain, *mapping, "-metadata:s:a:1", "language=spa", source)
    path = write(tmp_path / "out.mp4", 30, source=source)
    assert [t["codec"] for t in streams(path)] == ["h264", "aac", "aac"]
    assert streams(path, "audio")[1]["language"] == "spa"


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [(".mp4", "mov_text"), (".mov", "mov_text"), (".mkv", "subrip"), (".webm", "webvtt")],
)
def test_subtitles_keep_their_words_and_times(
    tmp_path: Path, source: Path, suffix: str, expected: str
) -> None:
    path = write(tmp_path / f"out{suffix}", 30, source=source)
    track = streams(path, "subtitle")[0]
    assert (track["codec"], track["language"]) == (expected, "fra")
    words = ffmpeg("-i", path, "-map", "0:s", "-f", "srt", "-").decode()
    assert "00:00:00,100 --> 00:00:00,600" in words
    assert "Hello there" in words


def picture_subtitles(path: Path) -> Path:
    """Write a PGS stream: one composition without objects, which is enough to be a track."""

    def segment(time: float, kind: int, body: bytes) -> bytes:
        head = b"PG" + int(time * 90000).to_bytes(4, "big") + bytes(4)
        return head + bytes([kind]) + len(body).to_bytes(2, "big") + body

    composition = bytes([0, 64, 0, 48, 0x10, 0, 0, 0x80, 0, 0, 0])
    path.write_bytes(
        b"".join(segment(t, 0x16, composition) + segment(t, 0x80, b"") for t in (0.1, 0.5))
    )
    return path


def test_a_track_that_cannot_come_along_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = make_clip(tmp_path / "plain.mp4", audio=True)
    pictures = picture_subtitles(tmp_path / "words.sup")
    source = tmp_path / "source.mkv"
    copy = ["-map", "0", "-map", "1", "-c", "copy", "-metadata:s:s:0", "language=fra"]
    ffmpeg("-i", plain, "-i", pictures, *copy, source)
    assert streams(source, "subtitle")[0]["codec"] == "hdmv_pgs_subtitle"

    path = write(tmp_path / "out.mp4", 30, source=source)
    assert [track["kind"] for track in streams(path)] == ["video", "audio"]
    assert "subtitle track 2 (hdmv_pgs_subtitle, fra) is left out" in caplog.text
    caplog.clear()

    path = write(tmp_path / "out.mkv", 30, source=source)
    assert [track["kind"] for track in streams(path)] == ["video", "audio", "subtitle"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_gif_says_that_it_has_no_sound(
    tmp_path: Path, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "out.gif", source=source)
    assert [track["kind"] for track in streams(path)] == ["video"]
    assert "audio track 1 (aac, spa) is left out" in caplog.text
    assert "subtitle track 2" in caplog.text


@pytest.mark.parametrize("plays", [0, 1, 2, 5])
@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_a_gif_plays_as_often_as_its_source(tmp_path: Path, plays: int, kind: str) -> None:
    frames = [pillow.fromarray(picture(number, SIZE)) for number in range(4)]
    # A GIF counts repetitions, and says nothing when there are none; an APNG counts plays.
    loop = {0: 0, 1: None}.get(plays, plays - 1) if kind == "GIF" else plays
    options = {} if loop is None else {"loop": loop}
    source = tmp_path / f"source.{'gif' if kind == 'GIF' else 'apng'}"
    frames[0].save(source, kind, save_all=True, append_images=frames[1:], duration=100, **options)
    path = write(tmp_path / "out.gif", 4, rate=Fraction(10), source=source)
    with pillow.open(path) as painted:
        told = painted.info.get("loop")
    assert (1 if told is None else told and told + 1) == plays


def test_a_gif_faster_than_players_can_show_is_thinned_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "out.gif", 60, rate=Fraction(100))
    assert count_frames(path) == 30
    assert "at most 50 frames a second" in caplog.text


@pytest.mark.parametrize("offset", [-0.4, 0.4])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_sound_keeps_its_place(tmp_path: Path, offset: float, suffix: str) -> None:
    """Sound that begins before, or after, the pictures does so in the result."""
    plain = make_clip(tmp_path / "plain.mp4", audio=True)
    source = tmp_path / "source.mkv"
    shift = ["-itsoffset", max(0.0, -offset), "-i", plain, "-itsoffset", max(0.0, offset)]
    ffmpeg(*shift, "-i", plain, "-map", "0:v", "-map", "1:a", "-c", "copy", source)
    path = write(tmp_path / f"out{suffix}", 30, source=source)
    starts = {track["kind"]: track["start"] for track in streams(path)}
    assert starts["audio"] - starts["video"] == pytest.approx(offset, abs=0.04)
    assert end_of(path, "audio") - starts["video"] == pytest.approx(1 + offset, abs=0.08)
    assert count_frames(path) == 30


def test_sound_longer_than_the_pictures_is_kept(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4")
    source = tmp_path / "source.mp4"
    ffmpeg("-i", plain, "-f", "lavfi", "-i", "sine=440:duration=3", "-c:v", "copy", source)
    path = write(tmp_path / "out.mp4", 30, source=source)
    assert sound_hash(path) == sound_hash(source)
    assert end_of(path, "audio") == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize("kind", [".mp4", ".mkv"])
def test_sound_is_cut_where_the_pictures_end_early(tmp_path: Path, kind: str) -> None:
    source = make_clip(tmp_path / f"source{kind}", audio=True, seconds=3)
    path = write(tmp_path / "out.mp4", 30, source=source)
    assert end_of(path, "audio") == pytest.approx(1, abs=0.06)


def test_a_source_whose_length_is_garbled_is_measured(tmp_path: Path) -> None:
    """Matroska tells a track's length by a tag, which may hold anything."""
    source = make_clip(tmp_path / "in.mkv", seconds=2, audio=True)
    garbled, count = re.subn(rb"00:00:0(\d\.\d+)", rb"xx:00:0\1", source.read_bytes())
    assert count == 2
    source.write_bytes(garbled)
    whole = write(tmp_path / "whole.mp4", 60, source=source)
    assert end_of(whole, "audio") == pytest.approx(2, abs=0.1)
    short = write(tmp_path / "short.mp4", 20, source=source)
    assert end_of(short, "audio") == pytest.approx(float(20 / NTSC), abs=0.1)


def test_title_and_chapters_come_along_and_rotation_does_not(tmp_path: Path) -> None:
    rotated = make_clip(tmp_path / "rotated.mp4", audio=True, rotation=90)
    notes = tmp_path / "notes.txt"
    notes.write_text(
        ";FFMETADATA1\ntitle=The sea\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Calm\n"
    )
    source = tmp_path / "source.mp4"
    date = "2020-02-03T04:05:06.000000Z"
    ffmpeg(
        *("-i", rotated, "-i", notes, "-map", "0", "-map_metadata", "1", "-map_chapters", "1"),
        *("-metadata", f"creation_time={date}", "-c", "copy", source),
    )
    with av.open(str(source)) as file:
        assert next(file.decode(video=0)).rotation != 0
    path = write(tmp_path / "out.mp4", 30, source=source)
    with av.open(str(path)) as file:
        assert file.metadata["title"] == "The sea"
        assert file.metadata["creation_time"] == date
        assert [chapter["metadata"]["title"] for chapter in file.chapters()] == ["Calm"]
        assert next(file.decode(video=0)).rotation == 0
    assert numbers(path) == list(range(30))


def test_ctrl_c_finishes_the_file_under_its_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_clip(tmp_path / "source.mp4", audio=True, seconds=3)
    path = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        write(path, 15, source=source, error=KeyboardInterrupt())
    assert numbers(path) == list(range(15))
    assert end_of(path, "audio") == pytest.approx(0.5, abs=0.06)
    assert "holds the 15 frames so far" in caplog.text
    assert sorted(tmp_path.iterdir()) == sorted([source, path])


def test_ctrl_c_amid_a_frame_costs_that_frame_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.mp4"
    whole = FfmpegProcess.write

    def torn(process: FfmpegProcess, data: memoryview) -> None:
        whole(process, data[:5000])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        with VideoWriter(path, size=SIZE, rate=NTSC, config=FAST) as writer:
            for index in range(9):
                writer.write(Frame(picture(index), index, 0.0))
            monkeypatch.setattr(FfmpegProcess, "write", torn)
            writer.write(Frame(picture(9), 9, 0.0))
    assert numbers(path) == list(range(9))


def test_ctrl_c_before_the_first_frame_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out.mp4", 0, error=KeyboardInterrupt())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_error_leaves_a_partial_file_that_plays(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    error = ValueError("crash at frame 9,000")
    for name in ("out.partial", "out.partial-2"):
        with pytest.raises(ValueError) as caught:
            write(tmp_path / f"out{suffix}", 9, error=error)
        assert caught.value is error
        partial = tmp_path / f"{name}{suffix}"
        assert numbers(partial) == list(range(9))
        assert str(partial) in caplog.text
    assert not (tmp_path / f"out{suffix}").exists()


def test_an_error_leaves_what_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"precious")
    with pytest.raises(ValueError):
        write(path, 5, error=ValueError(), overwrite=True)
    assert path.read_bytes() == b"precious"
    assert count_frames(tmp_path / "out.partial.mp4") == 5
    write(path, 5, overwrite=True)
    assert count_frames(path) == 5


def test_a_file_made_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with pytest.raises(SinkError, match="meanwhile"):
        with VideoWriter(path, size=SIZE, rate=NTSC, config=FAST) as writer:
            writer.write(Frame(picture(0), 0, 0.0))
            path.write_bytes(b"precious")
    assert path.read_bytes() == b"precious"
    assert count_frames(tmp_path / "out.partial.mp4") == 1


def test_no_frame_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="not one frame"):
        write(tmp_path / "out.mp4", 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="ffmpeg is found by /proc")
def test_the_death_of_ffmpeg_is_told(tmp_path: Path) -> None:
    others = children(os.getpid())
    with pytest.raises(SinkError, match=r"out\.mp4: ffmpeg was killed by SIG"):
        with VideoWriter(tmp_path / "out.mp4", size=SIZE, rate=NTSC, config=FAST) as writer:
            (encoder,) = children(os.getpid()) - others
            os.kill(encoder, signal.SIGKILL)
            for index in range(1000):
                writer.write(Frame(picture(index % 256), index, 0.0))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_names_are_taken_literally(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """Neither as an option, nor as a protocol, nor as a numbered pattern."""
    monkeypatch.chdir(tmp_path)
    plain = make_clip(tmp_path / "plain.mp4", audio=True)
    source = plain.rename(tmp_path / "-in: 50%03d 'a'.mp4")
    path = write(Path(f"-out: 50%03d 'ä'{suffix}"), 5, source=Path(source.name))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, path.name])
    assert count_frames(path.resolve()) == 5


INTERRUPTED = """
import sys, time
from fractions import Fraction
from pathlib import Path
from stylizer.frame import Frame
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.pipeline import run
from tests.clips import picture

class Source:
    size, rate, frame_count = (64, 48), Fraction(30000, 1001), None
    def __iter__(self):
        for index in range(10**9):
            yield Frame(picture(index % 256), index, index / 30)

class Step:
    def __call__(self, frame):
        return frame

def tell(progress):
    if progress.frames == 20:
        print("ready", flush=True)
    time.sleep(0.01)

source = Source()
with VideoWriter(Path(sys.argv[1]), size=source.size, rate=source.rate) as writer:
    run(source, Step(), writer, on_progress=tell)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no process groups of this kind")
def test_ctrl_c_in_a_terminal_finishes_the_file(tmp_path: Path) -> None:
    """A terminal sends SIGINT to the whole group: ffmpeg must not end before Python ends it."""
    path = tmp_path / "out.mp4"
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors.splitlines()[-1]
    assert list(tmp_path.iterdir()) == [path]
    got = numbers(path)
    assert len(got) >= 20
    assert got == [index % 256 for index in range(len(got))]


FULL_DISK = """
import logging, sys
from fractions import Fraction
import numpy as np
from stylizer.errors import SinkError
from stylizer.frame import Frame
from stylizer.io.sinks.video_writer import VideoWriter, VideoWriterConfig
logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
generator = np.random.default_rng(0)
config = VideoWriterConfig(preset="ultrafast", crf=1)
try:
    with VideoWriter(sys.argv[1], size=(320, 240), rate=Fraction(30), config=config) as writer:
        for index in range(2000):
            image = generator.integers(0, 256, (240, 320, 3), np.uint8)
            writer.write(Frame(image, index, index / 30))
except SinkError as error:
    print("SinkError", error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small tmpfs, or sets ulimit")
@pytest.mark.parametrize("kind", ["disk", "limit"])
def test_a_full_disk_is_an_error_with_its_reason(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    prefix = ["prlimit", "--fsize=4000000"]
    reason = "killed by SIGXFSZ|File too large"
    if kind == "disk":
        mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("mounting a tmpfs is not permitted here")
        prefix, reason = [], "No space left on device; free some space there"
    try:
        done = subprocess.run(
            [*prefix, sys.executable, "-c", FULL_DISK, str(folder / "out.mp4")],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert re.search(rf"SinkError {folder}/out\.mp4: ffmpeg .*({reason})", done.stdout)
        partial = folder / "out.partial.mp4"
        assert list(folder.iterdir()) == [partial]
        assert count_frames(partial) > 5
        assert str(partial) in done.stdout
    finally:
        if kind == "disk":
            subprocess.run(["umount", str(folder)], check=True)


def test_what_cannot_work_is_told_before_any_work(tmp_path: Path, source: Path) -> None:
    def make(path: Path, **options: Any) -> VideoWriter:
        return VideoWriter(path, **{"size": SIZE, "rate": NTSC, **options})

    there = tmp_path / "there.mp4"
    there.write_bytes(b"x")
    link = tmp_path / "link.mkv"
    link.symlink_to(source)
    with pytest.raises(SinkError, match=r"\.mp4 \.mov \.mkv \.webm \.gif, got '\.avi'"):
        make(tmp_path / "out.avi")
    with pytest.raises(SinkError, match="no ending"):
        make(tmp_path / "out")
    with pytest.raises(SinkError, match="exists already"):
        make(there)
    with pytest.raises(SinkError, match="does not exist"):
        make(tmp_path / "nowhere" / "out.mp4")
    for same in (source, link):
        with pytest.raises(SinkError, match="is the source itself"):
            make(same, source=source, overwrite=True)
    with pytest.raises(SinkError, match="cannot be read for its sound"):
        make(tmp_path / "out.mp4", source=there)
    with pytest.raises(ConfigError, match="above 0"):
        make(tmp_path / "out.mp4", rate=Fraction(0))
    with pytest.raises(ConfigError, match=r"0\.\.51"):
        make(tmp_path / "out.mp4", config=VideoWriterConfig(crf=60))


def test_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"expected 64x48 .*got 48x64"):
        with VideoWriter(tmp_path / "out.mp4", size=SIZE, rate=NTSC) as writer:
            writer.write(Frame(picture(0, (48, 64)), 0, 0.0))


def test_a_writer_that_is_not_open_says_so(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="not open"):
        VideoWriter(tmp_path / "out.mp4", size=SIZE, rate=NTSC).write(Frame(picture(0), 0, 0.0))


@pytest.mark.parametrize("options", [{"crf": -1}, {"crf": 64}, {"preset": "warp"}])
def test_config_is_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        VideoWriterConfig(**options)


def test_crf_changes_the_size(tmp_path: Path) -> None:
    sizes = []
    for crf in (10, 40):
        path = tmp_path / f"{crf}.mp4"
        with VideoWriter(path, size=SIZE, rate=NTSC, config=VideoWriterConfig(crf=crf)) as writer:
            for index in range(10):
                writer.write(Frame(picture(index), index, 0.0))
        sizes.append(path.stat().st_size)
    assert sizes[0] > sizes[1]
