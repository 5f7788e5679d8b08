from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from stylizer.apps.options import camera as camera_options
from stylizer.apps.options.camera import CameraOptions
from stylizer.apps.options.spread import spread
from stylizer.base import find_notice
from stylizer.errors import ConfigError, SourceError
from stylizer.io.image import write_image
from stylizer.io.sources.devices import CameraName
from tests.clips import make_clip, read_number
from tests.streams import MjpegServer

CAMERAS = [
    CameraName(index=0, name="HD Webcam", backend="V4L2", path="/dev/video0"),
    CameraName(index=2, name="USB Capture", backend="V4L2", path="/dev/video2"),
]


@pytest.fixture
def app() -> typer.Typer:
    def command(style: str, camera: CameraOptions) -> None:
        typer.echo(f"ran with {camera.camera}")

    app = typer.Typer()
    app.command()(spread(command))
    return app


def test_the_list_needs_nothing_else(app: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_options, "list_cameras", lambda: CAMERAS)
    done = CliRunner().invoke(app, ["--list-cameras"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "0: HD Webcam (V4L2, /dev/video0)",
        "2: USB Capture (V4L2, /dev/video2)",
    ]


def test_an_empty_list_is_told_beside_the_results(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(camera_options, "list_cameras", lambda: [])
    done = CliRunner().invoke(app, ["--list-cameras"])
    assert done.exit_code == 0
    assert "no camera is plugged in" not in done.stdout


def test_without_it_the_command_runs(app: typer.Typer) -> None:
    done = CliRunner().invoke(app, ["any", "--camera", "capture"])
    assert done.stdout == "ran with capture\n"


def test_it_opens_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, dict[str, Any]]] = []

    class Fake:
        size = (64, 48)

        def __init__(self, device: int | str, **settings: Any) -> None:
            asked.append((device, settings))

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("stylizer.io.open.Camera", Fake)
    monkeypatch.setattr("stylizer.io.sources.devices.list_cameras", lambda: CAMERAS)
    options = CameraOptions(
        camera="capture", camera_size="640x480", camera_rate="30000/1001", mjpg=False
    )
    options.check()
    with options.open() as source:
        assert source.size == (64, 48)
    assert asked == [(2, {"size": (640, 480), "rate": Fraction(30000, 1001), "mjpg": False})]


def test_a_password_is_not_told() -> None:
    assert str(CameraOptions()) == "camera 0"
    assert str(CameraOptions(camera="rtsp://anna:secret@host/a")) == "stream rtsp://host/a"


def test_a_stream_is_called_so(mjpeg: MjpegServer) -> None:
    with CameraOptions(camera=mjpeg.url).open() as source:
        assert source.size == mjpeg.size
        frames = iter(source)
        next(frames)
        mjpeg.dead.set()
        while find_notice(source) is None:
            next(frames)
        assert str(find_notice(source)).startswith("stream lost, waiting (")


@pytest.mark.parametrize("camera", ["97", "http://127.0.0.1:9/none.mjpg", "nonsense"])
def test_a_camera_that_is_not_there(camera: str) -> None:
    with pytest.raises(SourceError, match=camera):
        CameraOptions(camera=camera).open()


def test_a_film_plays_as_a_camera_again_and_again_and_a_folder_does_not(tmp_path: Path) -> None:
    film = CameraOptions(camera=str(make_clip(tmp_path / "a.mp4", rate="50", seconds=0.12)))
    assert not film.sees_its_user
    with film.open() as source:
        assert (source.size, source.rate) == ((64, 48), None)
        frames = list(itertools.islice(source, 14))
    assert [frame.index for frame in frames] == list(range(14))
    steps = np.diff([frame.time for frame in frames])
    assert 0 <= frames[0].time < 1  # as of all sources, from the start on
    assert (steps > 0).all() and frames[-1].time - frames[0].time > 0.2  # no faster than it is
    assert len({read_number(frame.image) for frame in frames}) <= 6
    write_picture = tmp_path / "pictures" / "1.png"
    write_picture.parent.mkdir()
    write_image(write_picture, frames[0].image)
    with pytest.raises(ConfigError, match="expected a camera, a stream or a video file"):
        CameraOptions(camera=str(write_picture.parent)).open()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"camera_size": "480"}, "--camera-size: expected WIDTHxHEIGHT"),
        ({"camera_rate": "fast"}, "--camera-rate: expected 30"),
        ({"camera_rate": "1/0"}, "--camera-rate: expected 30"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_opened(
    options: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        CameraOptions(**options).check()
