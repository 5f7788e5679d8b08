from __future__ import annotations

from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from stylizer.apps import live
from stylizer.frame import Frame
from stylizer.protocols import EndOfStream
from tests.apps.conftest import Inverter, Run
from tests.streams import MjpegServer


class Screen:
    """A window that nobody sees, closed by its user after some frames."""

    shown: list[Frame]

    def __init__(self, title: str, **_: object) -> None:
        Screen.shown = []

    def write(self, frame: Frame) -> None:
        Screen.shown.append(frame)
        if len(Screen.shown) == 5:
            raise EndOfStream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


def test_paints_a_stream_until_the_window_is_closed(
    stylizer: Run,
    inverter: Inverter,
    style: Path,
    mjpeg: MjpegServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "Window", Screen)
    outcome = stylizer("live", "-s", style, "--camera", mjpeg.url, "--size", "24")
    assert outcome.code == 0, outcome.err
    assert "32x24 · live" in outcome.err
    assert [frame.size for frame in Screen.shown] == [(32, 24)] * 5
    corner = Screen.shown[0].image[2, 2].astype(int)
    assert abs(corner - (35, 235, 235)).max() < 30


def test_a_stream_that_dies_is_told(
    stylizer: Run,
    inverter: Inverter,
    style: Path,
    mjpeg: MjpegServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Fatal(Screen):
        def write(self, frame: Frame) -> None:
            mjpeg.dead.set()

    monkeypatch.setattr(live, "Window", Fatal)
    outcome = stylizer("live", "-s", style, "--camera", mjpeg.url)
    assert outcome.code == 1
    assert mjpeg.url in outcome.errors[0]


def test_a_stream_that_falls_silent_is_told_in_one_line(
    stylizer: Run,
    inverter: Inverter,
    style: Path,
    mjpeg: MjpegServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """OpenCV would say so itself too, from a thread of its own."""

    class Silencing(Screen):
        def write(self, frame: Frame) -> None:
            mjpeg.silent.set()

    monkeypatch.setattr(live, "Window", Silencing)
    monkeypatch.setattr(live, "Camera", partial(live.Camera, timeout=1))
    outcome = stylizer("live", "-s", style, "--camera", mjpeg.url, "--quiet")
    assert outcome.code == 1
    assert outcome.err.splitlines() == outcome.errors
    assert len(outcome.errors) == 1


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
    assert inverter.calls == []


@pytest.mark.parametrize("camera", ["97", "http://127.0.0.1:9/none.mjpg", "nonsense"])
def test_a_camera_that_is_not_there(
    stylizer: Run, inverter: Inverter, style: Path, camera: str
) -> None:
    outcome = stylizer("live", "-s", style, "--camera", camera)
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1
    assert camera in outcome.errors[0]
