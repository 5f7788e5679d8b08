"""Encoders of graphics hardware: tried really, and done without where they do not work."""

from __future__ import annotations

import logging
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame
from stylizer.io.media import encoders
from stylizer.io.media.encoders import try_encoder
from stylizer.io.media.encoding import VideoWriterConfig, encode_arguments
from stylizer.io.media.ffmpeg import is_playable
from stylizer.io.media.formats import CONTAINERS
from stylizer.io.media.hardware import HARDWARE
from stylizer.io.sinks.video_writer import VideoWriter

SIZE = (320, 180)


def write(path: Path, encoder: str) -> VideoWriter:
    config = VideoWriterConfig(encoder=encoder)
    with VideoWriter(path, size=SIZE, rate=Fraction(25), config=config) as writer:
        for index in range(4):
            image = np.full((SIZE[1], SIZE[0], 3), 40 * index, np.uint8)
            writer.write(Frame(image, index, index / 25))
    return writer


def test_auto_writes_a_video_whatever_is_here_and_says_with_what(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    writer = write(tmp_path / "a.mp4", "auto")
    assert writer.config.encoder in ("x264", *HARDWARE)
    assert is_playable(tmp_path / "a.mp4")
    assert f"encoder: {writer.config.encoder}" in caplog.text


@pytest.mark.parametrize("name", HARDWARE)
def test_an_encoder_works_or_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.mkv"
    reason = try_encoder(name, SIZE)
    if reason is None:
        assert write(path, name).config.encoder == name
        assert is_playable(path)
        return
    with pytest.raises(SinkError) as caught:
        write(path, name)
    for part in (name, "does not work here", reason, "choose x264"):
        assert part in str(caught.value)
    assert not path.exists()


def test_auto_takes_the_first_that_works_at_this_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asked = []

    def tried(name: str, size: tuple[int, int]) -> str | None:
        asked.append((name, size))
        return "no device" if name == "h264_nvenc" else None

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(encoders, "try_encoder", tried)
    config = VideoWriterConfig(encoder="auto")
    writer = VideoWriter(tmp_path / "a.mp4", size=(319, 179), rate=Fraction(25), config=config)
    assert writer.config == VideoWriterConfig(encoder="h264_qsv")
    assert asked == [("h264_nvenc", (320, 180)), ("h264_qsv", (320, 180))]
    monkeypatch.setattr(encoders, "try_encoder", lambda name, size: "no device")
    writer = VideoWriter(tmp_path / "a.mp4", size=SIZE, rate=Fraction(25), config=config)
    assert writer.config == VideoWriterConfig()
    assert "encoder: x264, as no graphics hardware encodes here (h264_nvenc: no" in caplog.text


def test_x264_is_the_default_and_nothing_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "try_encoder", lambda *_: pytest.fail("tried"))
    assert VideoWriter(tmp_path / "a.mp4", size=SIZE, rate=Fraction(25)).config.encoder == "x264"
    config = VideoWriterConfig(encoder="auto")
    VideoWriter(tmp_path / "a.webm", size=SIZE, rate=Fraction(25), config=config)
    with pytest.raises(ConfigError, match="and this file holds none"):
        config = VideoWriterConfig(encoder="h264_qsv")
        VideoWriter(tmp_path / "a.webm", size=SIZE, rate=Fraction(25), config=config)
    with pytest.raises(ConfigError, match="encoder: expected one of x264, auto, h264_v"):
        VideoWriterConfig(encoder="nvenc")


@pytest.mark.parametrize("name", HARDWARE)
def test_pictures_of_hardware_are_tagged_as_x264_s_are(name: str) -> None:
    arguments = encode_arguments(
        Path("a.mp4"),
        size=SIZE,
        rate=Fraction(25),
        container=CONTAINERS[".mp4"],
        config=VideoWriterConfig(encoder=name, crf=23),
    )
    assert name in arguments
    graph = arguments[arguments.index("-vf") + 1]
    assert "out_color_matrix=bt709" in graph
    assert "format=nv12" in graph
    assert graph.endswith("hwupload") == (name == "h264_vaapi")
