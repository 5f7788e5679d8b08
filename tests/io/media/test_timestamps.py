"""Recordings put one behind the other, whose time jumps or begins again, against their makers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stylizer.io.media.probe import probe
from stylizer.io.sinks.video_writer import VideoWriter, VideoWriterConfig
from stylizer.io.sources.video_reader import VideoReader
from tests.clips import ffmpeg, make_variable_clip

FORMATS = {
    ".ts": ["-c:v", "libx264", "-bf", "2", "-pix_fmt", "yuv420p", "-c:a", "aac"],
    ".vob": ["-c:v", "mpeg2video", "-bf", "2", "-q:v", "4", "-c:a", "ac3", "-f", "vob"],
}


def join(path: Path, offsets: Sequence[float]) -> Path:
    """Join parts of 2 s, each black, but white and loud from 1.0 to 1.2 s, at 25 a second."""
    parts = []
    for number, offset in enumerate(offsets):
        part = path.with_name(f"part{number}{path.suffix}")
        flash = "drawbox=c=white:t=fill:enable='between(t,0.99,1.19)'"
        picture = ["-f", "lavfi", "-i", f"color=black:s=64x48:r=25:d=2,{flash}"]
        beep = "aevalsrc='if(between(t,1,1.2),sin(5000*t),0)':d=2.03:s=48000"
        sound = ["-f", "lavfi", "-i", beep]
        ffmpeg(*picture, *sound, *FORMATS[path.suffix], "-output_ts_offset", offset, part)
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))
    return path


def rewrite(source: Path, target: Path) -> Path:
    config = VideoWriterConfig(preset="ultrafast")
    with (
        VideoReader(source) as reader,
        VideoWriter(
            target, size=reader.size, rate=reader.rate, source=source, config=config
        ) as writer,
    ):
        for frame in reader:
            writer.write(frame)
    return target


def flashes(path: Path) -> list[float]:
    """Return when the picture turns white, in seconds."""
    found, before = [], False
    with av.open(str(path)) as file:
        for picture in file.decode(video=0):
            white = bool(picture.to_ndarray(format="gray").mean() > 128)
            if white and not before:
                found.append(float(picture.pts * picture.time_base))
            before = white
    return found


def beeps(path: Path) -> list[float]:
    """Return when it becomes loud, in seconds."""
    found, heard = [], -1.0
    with av.open(str(path)) as file:
        for frame in file.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.5)
            if len(loud):
                moment = float(frame.pts * frame.time_base) + int(loud[0]) / frame.sample_rate
                if moment - heard > 0.5:
                    found.append(moment)
                heard = moment
    return found


@pytest.mark.parametrize("suffix", list(FORMATS))
@pytest.mark.parametrize(
    "offsets", [[0, 0], [0, 60], [100, 0, 1], [0, 7200, 3, 3, 90000, 0]], ids=str
)
def test_nothing_is_lost_and_nothing_stands_still(
    tmp_path: Path, suffix: str, offsets: list[float]
) -> None:
    source = join(tmp_path / f"source{suffix}", offsets)
    path = rewrite(source, tmp_path / "out.mp4")
    seen, heard = flashes(path), beeps(path)
    assert len(seen) == len(heard) == len(offsets)
    # A seam may cost or add a frame or two; joined sound is a little longer than the pictures.
    assert np.diff(seen) == pytest.approx(2, abs=0.13)
    assert np.array(seen) == pytest.approx(np.array(heard), abs=0.06)
    with av.open(str(path)) as file:
        count = sum(1 for _ in file.decode(video=0))
    assert count == pytest.approx(50 * len(offsets), abs=2 * len(offsets))


def test_what_is_found_in_a_joined_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = join(tmp_path / "source.ts", [0, 60])
    info = probe(source)
    assert (info.rate, info.variable_rate) == (Fraction(25), False)
    assert float(info.duration) == pytest.approx(4, abs=0.1)
    with VideoReader(source) as reader:
        assert reader.frame_count == sum(1 for _ in reader) == 100
    assert "cut off" not in caplog.text


def test_a_span_of_a_joined_file_is_that_of_the_whole(tmp_path: Path) -> None:
    source = join(tmp_path / "source.ts", [0, 60, 0])
    with VideoReader(source) as reader:
        whole = [frame.image for frame in reader]
    with VideoReader(source, span=(3, None)) as reader:
        for frame in reader:
            np.testing.assert_array_equal(frame.image, whole[frame.index])
    assert frame.index == len(whole) - 1


def test_a_still_amid_sound_is_no_seam(tmp_path: Path) -> None:
    source = tmp_path / "source.ts"
    still = "select='lt(t,1)+gte(t,30)'"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=31", "-vf", still, "-fps_mode", "vfr"]
    sound = ["-f", "lavfi", "-i", "sine=d=31", "-c:v", "libx264", "-bf", 0, "-c:a", "aac"]
    ffmpeg(*picture[:4], *sound[:4], *picture[4:], *sound[4:], source)
    info = probe(source)
    assert float(info.duration) == pytest.approx(31, abs=0.2)
    path = rewrite(source, tmp_path / "out.mp4")
    with av.open(str(path)) as file:
        audio = [frame for frame in file.decode(audio=0)]
    seconds = sum(frame.samples / frame.sample_rate for frame in audio)
    assert seconds == pytest.approx(31, abs=0.2)


def test_a_still_of_many_minutes_is_legal(tmp_path: Path) -> None:
    source = make_variable_clip(tmp_path / "source.mp4", [0, 1000, 2000, 690_000, 691_000])
    with VideoReader(source) as reader:
        assert reader.rate == 1
        assert sum(1 for _ in reader) == pytest.approx(692, abs=1)
