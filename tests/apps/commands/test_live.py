"""``stylizer live``: a stream painted for a window that nobody sees, and for a real one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as pillow

from stylizer.apps.commands import live
from stylizer.base import Managed
from stylizer.frame import Frame, Image
from stylizer.io.sinks.panel import Panel, by_code
from stylizer.live.controls import OfferedStyle
from stylizer.protocols import EndOfStream
from stylizer.styles.built_in import style_names
from tests.apps.conftest import Inverter, Run
from tests.screens import pixels, press, until, until_drawn, virtual_screen
from tests.streams import MjpegServer

PATIENCE = 60.0
COMMAND = "import sys; from stylizer.apps import cli; sys.exit(cli.main())"


class Screen(Managed):
    """A window that nobody sees, closed by its user after some frames."""

    shown: list[Frame]
    panel: Panel
    full = False
    most = 5

    def __init__(self, title: str, *, panel: Panel, **_: object) -> None:
        Screen.shown, Screen.panel, Screen.full = [], panel, False

    def fill_screen(self) -> None:
        Screen.full = True

    def write(self, frame: Frame) -> None:
        Screen.shown.append(frame)
        self.panel.shown(frame)
        if len(Screen.shown) == self.most:
            raise EndOfStream

    def press(self, key: str) -> None:
        by_code(self.panel.keys)[ord(key)].action()


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a `Screen` in the place of the window."""
    show(monkeypatch, Screen)


def show(monkeypatch: pytest.MonkeyPatch, screen: type[Screen]) -> None:
    monkeypatch.setattr(live, "check_screen", lambda: None)
    monkeypatch.setattr(live, "Window", screen)


@pytest.mark.usefixtures("unseen")
def test_paints_a_stream_until_the_window_is_closed(
    stylizer: Run, inverter: Inverter, style: Path, mjpeg: MjpegServer
) -> None:
    outcome = stylizer("live", "-s", style, "--camera", mjpeg.url, "--size", "24", "--full-screen")
    assert outcome.code == 0, outcome.err
    assert f"opening stream {mjpeg.url}, " in outcome.err
    assert "32x24 · live" in outcome.err
    assert [frame.size for frame in Screen.shown] == [(32, 24)] * 5
    corner = Screen.shown[0].image[2, 2].astype(int)
    assert abs(corner - (35, 235, 235)).max() < 30
    assert Screen.full


def test_keys_change_what_is_painted(
    stylizer: Run,
    inverter: Inverter,
    style: Path,
    mjpeg: MjpegServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Strength down to nothing: then what is shown is the source, whose corner is known."""

    class Pressing(Screen):
        most = 20

        def write(self, frame: Frame) -> None:
            if len(Screen.shown) == 2:
                for _ in range(10):
                    self.press("-")
            super().write(frame)

    show(monkeypatch, Pressing)
    outcome = stylizer("live", "-s", style, "--camera", mjpeg.url)
    assert outcome.code == 0, outcome.err
    corners = [frame.image[2, 2].astype(int) for frame in Screen.shown]
    assert abs(corners[0] - (35, 235, 235)).max() < 30
    assert abs(corners[-1] - (220, 20, 20)).max() < 30


def test_r_records_a_file_that_can_be_played(
    stylizer: Run,
    inverter: Inverter,
    style: Path,
    mjpeg: MjpegServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    class Recording(Screen):
        most = 30

        def write(self, frame: Frame) -> None:
            if len(Screen.shown) in (5, 25):
                self.press("r")
            super().write(frame)

    show(monkeypatch, Recording)
    outcome = stylizer("live", "-s", style, "--camera", mjpeg.url, "--snapshots", tmp_path)
    assert outcome.code == 0, outcome.err
    from stylizer.io.sources.video_reader import VideoReader

    with VideoReader(tmp_path / "recording-0001.mp4") as reader:
        assert reader.size == (640, 480)
        assert reader.rate == 24
        assert len(list(reader)) >= 2


@pytest.mark.parametrize("how", ["dead", "silent"])
def test_a_lost_stream_is_waited_for_and_told_in_the_picture(
    stylizer: Run,
    inverter: Inverter,
    style: Path,
    mjpeg: MjpegServer,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    class Watching(Screen):
        def write(self, frame: Frame) -> None:
            getattr(mjpeg, how).set()
            Screen.shown.append(frame)
            notice = live.find_notice(*sources)
            if notice is not None:
                assert "lost, waiting" in notice
                raise EndOfStream
            assert time.monotonic() < end

    sources: list[Any] = []
    opened = live.CameraOptions.open

    def open_camera(options: live.CameraOptions) -> Any:
        sources.append(opened(options))
        return sources[0]

    end = time.monotonic() + PATIENCE
    monkeypatch.setattr(live.CameraOptions, "open", open_camera)
    show(monkeypatch, Watching)
    outcome = stylizer("live", "-s", style, "--camera", mjpeg.url, "--quiet")
    assert outcome.code == 0, outcome.err
    assert outcome.errors == []


def test_without_a_screen_it_says_what_to_do(
    stylizer: Run,
    inverter: Inverter,
    style: Path,
    mjpeg: MjpegServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    outcome = stylizer("live", "-s", style, "--camera", mjpeg.url)
    assert outcome.code == 1
    assert "screen" in outcome.errors[0] or "display" in outcome.errors[0].lower()
    assert outcome.err.splitlines() == outcome.errors
    assert mjpeg.sent == 0


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize("camera", ["97", "http://127.0.0.1:9/none.mjpg", "nonsense"])
def test_a_camera_that_is_not_there(
    stylizer: Run, inverter: Inverter, style: Path, camera: str
) -> None:
    outcome = stylizer("live", "-s", style, "--camera", camera, "--quiet")
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1
    assert camera in outcome.errors[0]


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize("fps", ["0", "-3", "nan", "1e9"])
def test_a_rate_that_cannot_be_held_is_refused(
    stylizer: Run, inverter: Inverter, style: Path, fps: str
) -> None:
    outcome = stylizer("live", "-s", style, "--fps", fps)
    assert outcome.code == 1
    assert "--fps" in outcome.errors[0]


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize("option", ["--underpainting", "--underdrawing"])
def test_what_is_refined_is_painted_from_the_source_itself(
    stylizer: Run, style: Path, option: str
) -> None:
    outcome = stylizer("live", "-s", style, "--refine", option, "0.3")
    assert outcome.code == 1
    assert f"{option}: expected 0 with --refine" in outcome.errors[0]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], ["blocks", style_names()[0]]),
        (["--keep-color", "match"], ["blocks"]),
        (["--network", "magenta"], ["blocks"]),
        (["--method", "gatys"], ["blocks", style_names()[0]]),
        (["--method", "gatys", "--network", "vgg19"], ["blocks"]),
        (["--method", "gatys", "--loss-network", "vgg19"], ["blocks"]),
    ],
)
def test_only_styles_that_the_method_takes_are_offered(
    stylizer: Run,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    names: list[str],
) -> None:
    offered: list[str] = []

    def controls(styles: Sequence[OfferedStyle], **_: Any) -> Any:
        offered.extend(choice.name for choice in styles)
        raise KeyboardInterrupt  # that is all that is asked here

    monkeypatch.setattr(live, "Controls", controls)
    outcome = stylizer("live", "-s", style, "--output", tmp_path / "out.mp4", *arguments)
    assert outcome.code == 130, outcome.errors
    assert offered[:2] == names


def test_the_way_to_the_network_imports_no_tensorflow() -> None:
    """All that the command imports; what the network does then is tested with the network."""
    program = (
        "import sys, stylizer.apps.commands.live, stylizer.apps.cli\n"
        "import stylizer.network.embedded.openvino_runtime\n"
        "print({'tensorflow', 'keras', 'torch', 'jax', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "set()"


def stands_still(display: str) -> bool:
    """Say whether the screen stays as it is, for longer than a frame takes."""
    before = pixels(display)
    time.sleep(0.5)
    return bool((pixels(display) == before).all())


def differs(display: str, before: Image) -> bool:
    """Say whether the screen shows something other than before, over much of it."""
    return bool(np.abs(pixels(display).astype(int) - before).max(axis=-1).mean() > 5)


@pytest.mark.slow
def test_a_real_window_obeys_its_keys(
    style: Path, mjpeg: MjpegServer, model_cache: Path, tmp_path: Path
) -> None:
    """The whole command, with the network, on a virtual screen."""
    arguments = ["-s", style, "--camera", mjpeg.url, "--size", "240", "--snapshots", tmp_path]
    command = [sys.executable, "-c", COMMAND, "live", *map(str, arguments)]
    with (
        virtual_screen() as display,
        subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "DISPLAY": display, "XDG_CACHE_HOME": str(model_cache)},
        ) as process,
    ):
        try:
            until_drawn(display, "stylizer")
            before = pixels(display)
            press(display, "stylizer", "space")
            until(lambda: stands_still(display), "a pause")
            bare = pixels(display)
            press(display, "stylizer", "h")
            until(lambda: differs(display, bare), "the help")
            until(lambda: stands_still(display), "the whole help")
            helped = pixels(display)
            press(display, "stylizer", "h")
            # Not as before: messages that pass (how to get the help) may be over by now.
            until(lambda: differs(display, helped), "no help")
            press(display, "stylizer", "space")
            press(display, "stylizer", "s")
            until((tmp_path / "snapshot-0001.png").exists, "a snapshot")
            press(display, "stylizer", "r")
            until(lambda: list(tmp_path.glob("*recording-0001*")) != [], "the recording's begin")
            press(display, "stylizer", "n")
            press(display, "stylizer", "space")
            until(lambda: stands_still(display), "another pause")
            press(display, "stylizer", "space")
            until(lambda: not stands_still(display), "the end of the pause")
            press(display, "stylizer", "r")
            until((tmp_path / "recording-0001.mp4").exists, "a recording")
            press(display, "stylizer", "q")
            _, errors = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    assert "snapshot saved" in errors
    assert before[240:].any(axis=-1).mean() > 0.9  # so small a picture is enlarged, to 640x480
    with pillow.open(tmp_path / "snapshot-0001.png") as opened:
        assert opened.size == (320, 240)
