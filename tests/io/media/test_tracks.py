"""Tracks that go wrong, and what is kept beside the pictures; each source is made here."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import av
import pytest

from stylizer.frame import Frame
from stylizer.io.sinks.video_writer import VideoWriter, VideoWriterConfig
from stylizer.io.sources.video_reader import VideoReader
from tests.clips import count_frames, ffmpeg, make_clip

FAST = VideoWriterConfig(preset="ultrafast", crf=30)


def rewrite(source: Path, target: Path, *, metadata: bool = True) -> Path:
    """Write a source's own pictures and tracks to another file."""
    with (
        VideoReader(source) as reader,
        VideoWriter(
            target,
            size=reader.size,
            rate=reader.rate,
            source=source,
            config=FAST,
            metadata=metadata,
        ) as writer,
    ):
        for frame in reader:
            writer.write(Frame(frame.image, frame.index, frame.time))
    assert [path for path in target.parent.iterdir() if "partial" in path.name] == []
    assert count_frames(target) == reader.frame_count
    return target


def sound(path: Path) -> list[tuple[str, float]]:
    """Return codec and decoded seconds of every sound track; layouts are plain in what we write."""
    found = []
    with av.open(str(path)) as file:
        streams = list(file.streams.audio)
    for index, stream in enumerate(streams):
        with av.open(str(path)) as file:
            frames = list(file.decode(audio=index))
        seconds = sum(frame.samples / frame.sample_rate for frame in frames)
        found.append((stream.codec_context.codec.canonical_name, seconds))
    return found


def tones(count: int, seconds: float = 1, rate: int = 16000) -> list[object]:
    waves = "|".join(f"0.1*sin({1000 + 100 * n}*t)" for n in range(count))
    return ["-f", "lavfi", "-i", f"aevalsrc={waves}:d={seconds}:s={rate}"]


def label_channels(source: Path, target: Path, labels: list[int]) -> Path:
    """Give the PCM track of a QuickTime file (its index at the end) these labels of channels."""
    data = bytearray(source.read_bytes())
    place = data.rfind(b"chan") - 4
    body = bytes(4) + struct.pack(">III", 0, 0, len(labels))
    body += b"".join(struct.pack(">II3f", label, 0, 0, 0, 0) for label in labels)
    old = struct.unpack(">I", data[place : place + 4])[0]
    grown = len(body) + 8 - old

    def enlarge(start: int, end: int) -> None:
        while start + 8 <= end:
            size, kind = struct.unpack(">I4s", data[start : start + 8])
            if start < place < start + size:
                data[start : start + 4] = struct.pack(">I", size + grown)
                version = struct.unpack(">H", data[start + 16 : start + 18])[0]
                entry = 36 + {0: 0, 1: 16, 2: 36}.get(version, 0)
                head = {b"stsd": 16, b"sowt": entry, b"lpcm": entry}.get(kind, 8)
                enlarge(start + head, start + size)
                return
            start += max(size, 8)

    enlarge(0, len(data))
    data[place : place + old] = struct.pack(">I", len(body) + 8) + b"chan" + body
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [100, 0xFFFFFFFF, 3, 200]])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_channels_with_labels_of_their_own(tmp_path: Path, labels: list[int], suffix: str) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    plain = tmp_path / "plain.mov"
    four = ["-af", "aformat=channel_layouts=4.0", "-c:a", "pcm_s16le"]
    ffmpeg("-i", clip, *tones(4), "-c:v", "copy", *four, plain)
    source = label_channels(plain, tmp_path / "source.mov", labels)
    for n in range(5):  # a block that is freed twice does not end the process every time
        path = rewrite(source, tmp_path / f"out{n}{suffix}")
    ((_, seconds),) = sound(path)
    assert seconds == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("channels", [10, 16])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_more_channels_than_encoders_take(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, channels: int, suffix: str
) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    source = tmp_path / "source.mov"
    ffmpeg("-i", clip, *tones(channels), "-c:v", "copy", "-c:a", "pcm_s16le", source)
    ((_, seconds),) = sound(rewrite(source, tmp_path / f"out{suffix}"))
    assert seconds == pytest.approx(1, abs=0.1)
    assert "mixed down to two" in caplog.text


def test_ambisonic_sound_to_a_container_that_must_encode_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    source = tmp_path / "source.mkv"
    ambisonic = ["-af", "pan=ambisonic 1|c0=c0|c1=c0|c2=c0|c3=c0", "-mapping_family", "2"]
    ffmpeg("-i", clip, *tones(1), "-c:v", "copy", "-c:a", "libopus", *ambisonic, source)
    ((codec, seconds),) = sound(rewrite(source, tmp_path / "out.mov"))
    assert (codec, round(seconds)) == ("aac", 1)
    assert "ambisonic" in caplog.text


def transport_stream(path: Path) -> Path:
    """Make a transport stream of two seconds with sound of two kinds, AAC and AC-3."""
    clip = make_clip(path.with_name("clip.mp4"), seconds=2)
    two = [*tones(1, 2), *tones(1, 2), "-map", "0", "-map", "1", "-map", "2"]
    ffmpeg("-i", clip, *two, "-c:v", "copy", "-c:a:0", "aac", "-c:a:1", "ac3", path)
    return path


def packets(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return [data[place : place + 188] for place in range(0, len(data), 188)]


def identifier(packet: bytes) -> int:
    return (packet[1] & 31) << 8 | packet[2]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".mov"])
def test_sound_that_is_announced_and_never_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str
) -> None:
    whole = transport_stream(tmp_path / "whole.ts")
    source = tmp_path / "source.ts"
    source.write_bytes(b"".join(p for p in packets(whole) if identifier(p) != 0x102))
    ((_, seconds),) = sound(rewrite(source, tmp_path / f"out{suffix}"))
    assert seconds == pytest.approx(2, abs=0.2)
    assert "audio track 2 (ac3) is left out" in caplog.text


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("clean", [0, 60])
def test_damaged_sound_does_not_lose_the_film(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str, clean: int
) -> None:
    """The damage begins at once, or where only the finishing of the file meets it."""
    whole = transport_stream(tmp_path / "whole.ts")
    source, chance, parts = tmp_path / "source.ts", random.Random(1), []
    for number, packet in enumerate(packets(whole)):
        damaged = bytearray(packet)
        if number > clean and identifier(packet) == 0x101 and not packet[1] & 0x40:
            for _ in range(40):
                damaged[chance.randrange(20, 188)] = chance.randrange(256)
        parts.append(bytes(damaged))
    source.write_bytes(b"".join(parts))
    path = rewrite(source, tmp_path / f"out{suffix}")
    assert len(sound(path)) >= 1
    assert "audio track 1 (aac) is" in caplog.text
    assert "Last message" not in caplog.text


def test_what_a_track_is_for_stays(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", audio=True)
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,100 --> 00:00:00,900\nHello\n")
    source = tmp_path / "source.mkv"
    inputs = ["-i", clip, "-i", words, "-i", words, "-i", words, "-map", 0, "-map", 1, "-map", 2]
    uses = ["-disposition:s:0", 0, "-disposition:s:1", "forced", "-disposition:s:2", 0]
    facts = ["-metadata:s:v", "title=Camera A", "-metadata:s:v", "language=fra"]
    facts += ["-metadata:s:v", "stereo_mode=left_right"]
    ffmpeg(*inputs, "-map", 3, "-c", "copy", "-c:s", "srt", *uses, *facts, source)

    def account(path: Path) -> list[tuple[str, int]]:
        with av.open(str(path)) as file:
            return [(stream.type, int(stream.disposition)) for stream in file.streams]

    path = rewrite(source, tmp_path / "out.mkv")
    assert account(path) == account(source)
    with av.open(str(path)) as file:
        tags = file.streams.video[0].metadata
    assert (tags["title"], tags["language"]) == ("Camera A", "fra")
    assert tags["stereo_mode"] == "left_right"


def test_stereoscopy_is_named_where_it_cannot_be_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "source.mkv"
    clip = make_clip(tmp_path / "clip.mp4")
    ffmpeg("-i", clip, "-c", "copy", "-metadata:s:v", "stereo_mode=left_right", source)
    rewrite(source, tmp_path / "out.mp4")
    assert "stereoscopic (left_right)" in caplog.text


@pytest.mark.parametrize(
    ("suffix", "kept"), [(".mp4", True), (".mov", False), (".mkv", False), (".gif", False)]
)
def test_a_cover_is_kept_or_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str, kept: bool
) -> None:
    clip, cover = make_clip(tmp_path / "clip.mp4"), tmp_path / "cover.jpg"
    ffmpeg("-f", "lavfi", "-i", "color=c=orange:s=100x100", "-frames:v", 1, cover)
    source = tmp_path / "source.mp4"
    maps = ["-map", 0, "-map", 1, "-c", "copy", "-disposition:v:1", "attached_pic"]
    ffmpeg("-i", clip, "-i", cover, *maps, source)
    path = rewrite(source, tmp_path / f"out{suffix}")
    with av.open(str(path)) as file:
        assert len(file.streams.video) == 1 + kept
    assert ("cover track 1 (mjpeg) is left out" in caplog.text) is not kept


@pytest.mark.parametrize(("suffix", "kept"), [(".mp4", True), (".mkv", True), (".gif", False)])
def test_chapters_are_kept_or_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str, kept: bool
) -> None:
    clip, facts = make_clip(tmp_path / "clip.mp4"), tmp_path / "facts.txt"
    parts = [f"[CHAPTER]\nTIMEBASE=1/10\nSTART={5 * n}\nEND={5 * n + 5}\n" for n in range(2)]
    facts.write_text(";FFMETADATA1\n" + "".join(f"{part}title=Part\n" for part in parts))
    source = tmp_path / "source.mp4"  # where chapters are a track of text as well
    ffmpeg("-i", clip, "-i", facts, "-map_metadata", 1, "-map_chapters", 1, "-c", "copy", source)
    path = rewrite(source, tmp_path / f"out{suffix}")
    with av.open(str(path)) as file:
        assert len(file.chapters()) == 2 * kept
    assert ("left out" in caplog.text) is not kept


def test_what_is_not_painted_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    source = tmp_path / "source.mkv"
    ffmpeg("-i", clip, "-i", clip, "-map", 0, "-map", 1, "-c", "copy", source)
    rewrite(source, tmp_path / "out.mkv")
    assert "video track 1 (h264) is left out: one is painted" in caplog.text


@pytest.mark.parametrize(("suffix", "kept"), [(".mov", True), (".mp4", True), (".gif", False)])
def test_a_timecode_is_kept_or_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str, kept: bool
) -> None:
    clip, source = make_clip(tmp_path / "clip.mp4", rate="25"), tmp_path / "source.mov"
    ffmpeg("-i", clip, "-c", "copy", "-timecode", "01:02:03:04", source)
    path = rewrite(source, tmp_path / f"out{suffix}")
    with av.open(str(path)) as file:
        codes = [stream.metadata.get("timecode") for stream in file.streams]
    assert ("01:02:03:04" in codes) is kept
    assert ("timecode (01:02:03:04) is left out" in caplog.text) is not kept


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
def test_apples_own_tags_are_kept(tmp_path: Path, suffix: str) -> None:
    tags = {
        "com.apple.quicktime.location.ISO6709": "+00.00+000.00/",
        "com.apple.quicktime.creationdate": "2023-01-01T10:00:00+0100",
    }
    clip, source = make_clip(tmp_path / "clip.mp4"), tmp_path / "source.mov"
    options = [part for key, value in tags.items() for part in ("-metadata", f"{key}={value}")]
    ffmpeg("-i", clip, "-c", "copy", "-movflags", "use_metadata_tags", *options, source)
    with av.open(str(rewrite(source, tmp_path / f"out{suffix}"))) as file:
        assert tags.items() <= file.metadata.items()


def recording(path: Path, *options: object) -> Path:
    """Write a film as a phone does, with all that it says of itself and of its sound."""
    clip = make_clip(path.with_name("clip.mp4"), audio=True)
    tags = {
        "title": "The sea",
        "artist": "Anna",
        "comment": "at noon",
        "creation_time": "2024-05-06T07:08:09.000000Z",
        "location": "+48.5004-004.4895/",
    }
    words = [part for key, value in tags.items() for part in ("-metadata", f"{key}={value}")]
    sound_tags = ("-metadata:s:a", "language=fra", "-metadata:s:a", "title=With Anna")
    ffmpeg("-i", clip, "-c", "copy", *words, *sound_tags, *options, path)
    return path


def told(path: Path) -> str:
    """Return all that a file and its tracks say."""
    with av.open(str(path)) as file:
        found = [dict(record.metadata) for record in (file, *file.streams)]
        return str([*found, file.chapters()])


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("source", [".mp4", ".mov", ".mkv"])
def test_date_and_place_are_kept_or_left_out(tmp_path: Path, source: str, suffix: str) -> None:
    film = recording(tmp_path / f"film{source}", "-timecode", "10:11:12:13")
    kept = told(rewrite(film, tmp_path / f"kept{suffix}"))
    for word in ("The sea", "Anna", "at noon", "2024-05-06T07:08:09", "+48.5004-004.4895/", "fra"):
        assert word in kept
    bare = rewrite(film, tmp_path / f"bare{suffix}", metadata=False)
    left = told(bare)
    for word in ("sea", "Anna", "noon", "2024", "48.5", "With", "10:11", "creation"):
        assert word not in left
    assert "fra" in left
    content = bare.read_bytes()
    assert not any(word in content for word in (b"The sea", b"Anna", b"at noon", b"+48.5004"))
    assert sound(bare)[0][1] == pytest.approx(1, abs=0.1)


def test_of_apples_tags_nothing_is_left_without_metadata(tmp_path: Path) -> None:
    place = ("-metadata", "com.apple.quicktime.location.ISO6709=+12.34+056.78/")
    film = recording(tmp_path / "film.mov", "-movflags", "use_metadata_tags", *place)
    assert "+12.34" in told(rewrite(film, tmp_path / "kept.mp4"))
    bare = rewrite(film, tmp_path / "bare.mp4", metadata=False)
    assert b"apple.quicktime" not in bare.read_bytes()
    assert b"+12.34" not in bare.read_bytes()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_date_stays_when_a_painting_is_painted(tmp_path: Path, suffix: str) -> None:
    # MP4 with Apple's tags says it twice, which ffmpeg reads as "a;a"
    place = ("-metadata", "com.apple.quicktime.location.ISO6709=+12.34+056.78/")
    film = recording(tmp_path / "film.mov", "-movflags", "use_metadata_tags", *place)
    first = rewrite(film, tmp_path / "first.mp4")
    second = rewrite(first, tmp_path / f"second{suffix}")
    with av.open(str(second)) as file:
        assert file.metadata["creation_time"].startswith("2024-05-06T07:08:09")
        assert ";" not in file.metadata["creation_time"]


def test_chapters_and_fonts_stay_without_metadata_and_covers_go(tmp_path: Path) -> None:
    font, notes = tmp_path / "plain.ttf", tmp_path / "notes.txt"
    font.write_bytes(b"a font")
    notes.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Calm\n")
    film = recording(
        tmp_path / "film.mkv",
        "-attach",
        font,
        "-metadata:s:t",
        "mimetype=application/x-truetype-font",
    )
    ffmpeg(
        "-i", film, "-i", notes, "-map", "0", "-map_chapters", "1", "-c", "copy", tmp_path / "c.mkv"
    )
    bare = rewrite(tmp_path / "c.mkv", tmp_path / "bare.mkv", metadata=False)
    assert "plain.ttf" in told(bare)
    assert "Calm" in told(bare)
    cover = tmp_path / "cover.mp4"
    ffmpeg(
        *("-i", recording(tmp_path / "film.mp4"), "-f", "lavfi", "-i", "testsrc=s=32x32:d=1"),
        *("-map", "0", "-map", "1", "-c", "copy", "-c:v:1", "mjpeg", "-frames:v:1", 1),
        *("-disposition:v:1", "attached_pic", cover),
    )
    with av.open(str(rewrite(cover, tmp_path / "kept.mp4"))) as file:
        assert len(file.streams.video) == 2
    with av.open(str(rewrite(cover, tmp_path / "left.mp4", metadata=False))) as file:
        assert len(file.streams.video) == 1
