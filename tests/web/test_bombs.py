"""Uploads that are made to do harm: refused soon, and nobody else notices."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image as pillow

from stylizer.frame import Frame
from stylizer.io.isolated import IsolatedReader, ProcessLimits, Stopped, isolated
from stylizer.io.media import mux
from stylizer.io.media.inputs import input_arguments, open_options, restrict_inputs
from stylizer.io.sinks.video_writer import VideoWriter
from tests.clips import ffmpeg, make_clip
from tests.processes import children
from tests.web.serving import FlatRuntime, Site, jpeg, live, picture_bytes, serve, settings

GOOD = '{"styles": [{"id": "the_scream"}]}'
PICTURE = picture_bytes(np.full((40, 60, 3), 90, np.uint8))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serve(tmp_path / "kept") as site:
        yield site


def gap_film(path: Path, *, gap: float, codec: str = "pcm_s16le", packets: int = 20) -> Path:
    """Write a short film whose sound packets stand so many seconds apart."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = out.add_stream(codec, rate=48000)
        audio.layout = "stereo"
        for index in range(15):
            picture = av.VideoFrame.from_ndarray(
                np.full((48, 64, 3), index * 10, np.uint8), format="rgb24"
            )
            picture.pts = index
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        for index in range(packets):
            sound = av.AudioFrame.from_ndarray(
                np.full((1, 1920), index, np.int16), format="s16", layout="stereo"
            )
            sound.sample_rate, sound.pts, sound.time_base = 48000, index * 960, Fraction(1, 48000)
            for packet in audio.encode(sound):
                packet.pts = packet.dts = round(index * gap * 1000)
                packet.time_base, packet.stream = Fraction(1, 1000), audio
                out.mux(packet)
    return path


def scan_bomb(size: int = 400, scans: int = 200) -> bytes:
    """Return a progressive JPEG whose last scan comes again and again."""
    buffer = BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    pillow.fromarray(noise).save(buffer, "JPEG", progressive=True, quality=5)
    data = buffer.getvalue()
    start = data.rindex(b"\xff\xda")
    return data[:-2] + data[start:-2] * scans + b"\xff\xd9"


def code_of(answer: Any) -> str:
    assert 400 <= answer.status_code < 500, answer.text
    return str(answer.json["error"]["code"])


@pytest.mark.parametrize("codec", ["pcm_s16le", "libopus"])
def test_sound_that_lies_far_apart_is_refused(site: Site, tmp_path: Path, codec: str) -> None:
    data = gap_film(tmp_path / "gap.mkv", gap=40_000, codec=codec).read_bytes()
    answer = site.post_file("/api/videos", "content", data, options=GOOD)
    assert code_of(answer) == "too_long"
    assert "sound" in answer.json["error"]["message"]


def test_sound_of_a_usual_length_is_not(site: Site, tmp_path: Path) -> None:
    data = gap_film(tmp_path / "gap.mkv", gap=0.5).read_bytes()
    answer = site.post_file("/api/videos", "content", data, options=GOOD)
    assert answer.status_code == 202, answer.text
    assert site.ended(answer.json["job"])["state"] == "done"


def test_holes_in_the_sound_do_not_become_hours_of_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mux, "_MORE_SOUND", 20)
    source, out = gap_film(tmp_path / "gap.mkv", gap=40_000, packets=2), tmp_path / "out.mp4"
    began = time.monotonic()
    with VideoWriter(out, size=(64, 48), rate=Fraction(30), source=source) as writer:
        for index in range(15):
            writer.write(Frame(np.zeros((48, 64, 3), np.uint8), index, index / 30))
    assert time.monotonic() - began < 120
    with av.open(str(out)) as made:
        assert made.duration is not None and made.duration < 60 * 1_000_000


def test_pixels_that_are_not_square_count_as_they_are_painted(tmp_path: Path) -> None:
    wide = tmp_path / "wide.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=red:size=100x100:d=0.2", "-vf", "setsar=8/1", wide)
    with serve(tmp_path / "kept", video_pixels=20_000) as site:
        answer = site.post_file("/api/videos", "content", wide.read_bytes(), options=GOOD)
        assert code_of(answer) == "too_large"
        assert "800x100" in answer.json["error"]["message"]


def test_more_pictures_than_a_file_says_are_counted(tmp_path: Path) -> None:
    many = make_clip(tmp_path / "many.mkv", seconds=3, rate="60")
    with serve(tmp_path / "kept", video_seconds=1.0) as site:
        answer = site.post_file("/api/videos", "content", many.read_bytes(), options=GOOD)
        assert code_of(answer) == "too_long"


@pytest.mark.parametrize(("path", "field"), [("styles", "file"), ("photos", "content")])
def test_a_jpeg_of_many_scans_is_refused_and_a_usual_one_is_not(
    site: Site, path: str, field: str
) -> None:
    bad = site.post_file(f"/api/{path}", field, scan_bomb(), options=GOOD)
    assert code_of(bad) == "bad_picture"
    good = site.post_file(f"/api/{path}", field, scan_bomb(scans=0), options=GOOD)
    assert good.status_code in (201, 202), good.text


def test_a_live_frame_of_many_scans_is_refused(site: Site) -> None:
    with live(site) as client:
        client.recv(timeout=60)
        client.send(settings("the_scream"))
        client.send(scan_bomb(size=100, scans=30))
        assert json.loads(client.recv(timeout=60))["code"] == "bad_frame"
        client.send(jpeg())
        assert isinstance(client.recv(timeout=60), bytes)


def test_a_picture_that_takes_long_ends_and_holds_up_no_other(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylizer.web import uploads

    monkeypatch.setattr(uploads, "load_picture", sleep_for_a_picture)
    monkeypatch.setattr(uploads, "_PICTURE_SECONDS", 3.0)
    told: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: told.append(
                code_of(
                    site.http.application.test_client().post(
                        "/api/styles", data={"file": (BytesIO(PICTURE), "a.png")}
                    )
                )
            )
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert site.http.get("/api/info").status_code == 200
    assert time.monotonic() - began < 2
    for thread in threads:
        thread.join(30)
    assert told == ["bad_picture"] * 4


def sleep_for_a_picture(path: Path, most_pixels: int) -> None:
    time.sleep(60)


def take_memory(count: int) -> int:
    return len(bytearray(count))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="limits and processes as Linux has them")
def test_a_process_of_its_own_has_limits(clip: Path) -> None:
    before = children(os.getpid())
    with pytest.raises(Exception, match=r"longer than 0\.5 s"):
        isolated(time.sleep, 60, limits=ProcessLimits(seconds=0.5))
    with pytest.raises(Exception, match="memory"):
        isolated(take_memory, 2 << 30, limits=ProcessLimits(memory=1 << 30))
    assert isolated(take_memory, 2 << 20, limits=ProcessLimits(memory=1 << 30)) == 2 << 20
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(Stopped):
        isolated(time.sleep, 60, limits=ProcessLimits(stop=stop))
    assert children(os.getpid()) <= before


def start_ffmpeg_for_long() -> None:
    from stylizer.io.media.ffmpeg import run_ffmpeg

    run_ffmpeg(["-re", "-f", "lavfi", "-i", "anullsrc", "-t", "333", "-f", "null", "-"])


def running_ffmpeg(mark: bytes) -> list[Path]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in path.read_bytes():
                found.append(path)
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found by /proc")
def test_what_a_process_of_its_own_started_ends_with_it() -> None:
    with pytest.raises(Exception, match="longer"):
        isolated(start_ffmpeg_for_long, limits=ProcessLimits(seconds=3.0))
    end = time.monotonic() + 5
    while running_ffmpeg(b"anullsrc\0-t\x00333"):
        assert time.monotonic() < end, "ffmpeg lives on"
        time.sleep(0.1)


def test_formats_are_restricted_in_a_process(clip: Path, tmp_path: Path) -> None:
    transport = tmp_path / "clip.ts"
    ffmpeg("-i", clip, "-c", "copy", transport)
    films = ProcessLimits(formats=("mov", "matroska"))
    with IsolatedReader(clip, limits=films) as reader:
        assert reader.size == (64, 48)
    with pytest.raises(Exception, match="not a video that can be read"):
        IsolatedReader(transport, limits=films)
    assert open_options() == {}, "this process is not restricted"
    try:
        restrict_inputs(["mov"])
        assert input_arguments(clip)[:4] == [
            *("-format_whitelist", "mov"),
            *("-protocol_whitelist", "file"),
        ]
    finally:
        restrict_inputs([])


def test_cancelling_ends_what_is_being_joined(tmp_path: Path, clip: Path) -> None:
    """The end of a job runs in a process that heeds the wish to stop."""
    from stylizer.web import work

    runtime = FlatRuntime()
    with serve(tmp_path / "kept", runtime=runtime) as site:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(work, "_assemble", sleep_for_a_film)
            answer = site.post_file("/api/videos", "content", clip.read_bytes(), options=GOOD)
            job = answer.json["job"]
            end = time.monotonic() + 30
            while site.http.get(f"/api/jobs/{job}").json["progress"] < 1:
                assert time.monotonic() < end
                time.sleep(0.05)
            began = time.monotonic()
            site.http.post(f"/api/jobs/{job}/cancel")
            assert site.ended(job)["state"] == "cancelled"
            assert time.monotonic() - began < 5


def sleep_for_a_film(*arguments: object) -> None:
    time.sleep(60)
