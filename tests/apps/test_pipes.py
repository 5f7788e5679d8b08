"""``stylizer video`` between pipes: ``-`` for the standard input and output, and named ones."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from stylizer.apps.commands import video
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from tests.apps.conftest import Run, names
from tests.clips import count_frames, decode, duration, ffmpeg, make_clip, read_number
from tests.stand_ins import Boiling

SIZE = (64, 48)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        video, "make_stylizer", lambda *_, **__: Composed(Boiling(), EffectsConfig())
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    return make_clip(
        folder / "in.mkv", seconds=1, audio=True, extra=["-metadata:s:a:0", "language=fra"]
    )


@contextmanager
def stdin(data: bytes) -> Iterator[None]:
    """Have the standard input be a pipe with these bytes."""
    reading, writing = os.pipe()
    kept = os.dup(0)
    os.dup2(reading, 0)
    os.close(reading)

    def write() -> None:
        with os.fdopen(writing, "wb") as file:
            file.write(data)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        thread.join()


@contextmanager
def stdout(path: Path) -> Iterator[None]:
    """Have the standard output be a file."""
    kept = os.dup(1)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def test_what_comes_by_a_pipe_becomes_the_same_file(
    stylizer: Run, clip: Path, style: Path, tmp_path: Path
) -> None:
    plain, piped = tmp_path / "plain.mp4", tmp_path / "piped.mp4"
    assert stylizer("video", clip, plain, "-s", style).code == 0
    with stdin(clip.read_bytes()):
        outcome = stylizer("video", "-", piped, "-s", style)
    assert outcome.code == 0, outcome.err
    assert "it begins anew, and does not go on" in outcome.err
    np.testing.assert_array_equal(decode(piped, SIZE), decode(plain, SIZE))
    assert duration(piped) == pytest.approx(duration(plain), abs=0.03)
    assert b"fra" in ffmpeg("-i", piped, "-f", "ffmetadata", "-map_metadata", "0:s:a:0", "-")
    assert names(tmp_path) == ["piped.mp4", "plain.mp4"]


@pytest.mark.parametrize("kind", ["mkv", "y4m"])
def test_what_goes_to_a_pipe_is_the_same_film(
    stylizer: Run,
    clip: Path,
    style: Path,
    tmp_path: Path,
    kind: str,
) -> None:
    out = tmp_path / f"out.{kind}"
    with stdin(ffmpeg("-i", clip, "-f", "yuv4mpegpipe", "-")), stdout(out):
        outcome = stylizer("video", "-", "-", "-s", style, "--format", kind)
    assert outcome.code == 0, outcome.err
    assert count_frames(out) == 30
    shown = [read_number(255 - image) for image in decode(out, SIZE)]  # the stand-in inverts
    assert shown == list(range(30))


def test_a_film_goes_to_a_pipe_with_its_sound(
    stylizer: Run, clip: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mkv"
    with stdout(out):
        outcome = stylizer("video", clip, "-", "-s", style)
    assert outcome.code == 0, outcome.err
    assert count_frames(out) == 30
    assert len(ffmpeg("-i", out, "-f", "s16le", "-ac", 1, "-")) == pytest.approx(96000, rel=0.05)


def test_what_a_pipe_cannot_is_refused(
    stylizer: Run, clip: Path, style: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "out.mp4")
    outcome = stylizer("video", clip, tmp_path / "out.mp4", "-s", style)
    assert outcome.errors == [
        f"stylizer: error: {tmp_path / 'out.mp4'}: expected a pipe named .mkv or .y4m, got '.mp4'"
    ]
    outcome = stylizer("video", clip, "-", "-s", style, "--workers", 2)
    assert "--workers: expected a file or a folder to write, got -" in outcome.errors[0]
    with stdin(clip.read_bytes()):
        outcome = stylizer("video", "-", tmp_path / "o.mp4", "-s", style, "--workers", 2)
    assert "--workers: expected a file or a folder to read, got a pipe" in outcome.errors[0]
