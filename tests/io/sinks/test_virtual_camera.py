from __future__ import annotations

import logging
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame, Image
from stylizer.io.sinks.virtual_camera import VirtualCamera
from tests.clips import picture, read_number
from tests.virtual_cameras import plug_in

SIZE = (64, 48)


def test_other_programs_get_the_frames(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Image] = []
    state = plug_in(monkeypatch, sent=sent)
    camera = VirtualCamera(size=SIZE, rate=Fraction(30000, 1001), device="/dev/video9")
    devices = [camera.device]
    with caplog.at_level(logging.INFO, "stylizer"), camera:
        devices.append(camera.device)
        camera.write(Frame(picture(7, SIZE), 0, 0.0))
        camera.write(Frame(picture(8, (128, 96)), 1, 0.1))
    assert devices == [None, "/dev/video9"]
    assert state.opened == [(64, 48, 30000 / 1001, "/dev/video9")]
    assert state.closed == 1
    np.testing.assert_array_equal(sent[0], picture(7, SIZE))
    assert [read_number(image) for image in sent] == [7, 8]
    assert "/dev/video9" in caplog.text


def test_an_odd_size_loses_its_last_column_and_row(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Image] = []
    state = plug_in(monkeypatch, sent=sent)
    with VirtualCamera(size=(65, 49), rate=Fraction(24)) as camera:
        camera.write(Frame(picture(5, (65, 49)), 0, 0.0))
    assert state.opened[0][:2] == (64, 48)
    np.testing.assert_array_equal(sent[0], picture(5, (65, 49))[:48, :64])


def test_one_that_goes_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    state = plug_in(monkeypatch, sent=[])
    with pytest.raises(SinkError, match=r"/dev/video9 was lost: device unplugged"):
        with VirtualCamera(size=SIZE, rate=Fraction(24)) as camera:
            camera.write(Frame(picture(0), 0, 0.0))
            state.lost = True
            camera.write(Frame(picture(1), 1, 0.1))
    assert state.closed == 1


def test_one_that_is_not_open_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, sent=[])
    with pytest.raises(SinkError, match="not open"):
        VirtualCamera(size=SIZE, rate=Fraction(24)).write(Frame(picture(0), 0, 0.0))


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylizer.io.sinks.virtual_camera.find_spec", lambda name: None)
    with pytest.raises(SinkError, match=r"pip install 'stylizer\[virtual-camera\]'"):
        with VirtualCamera(size=SIZE, rate=Fraction(24)):
            pass


@pytest.mark.skipif(
    sys.platform != "linux" or any(Path("/dev").glob("video*")),
    reason="asks for the error of a Linux without a video device",
)
def test_the_real_package_without_a_device() -> None:
    pytest.importorskip("pyvirtualcam")
    with pytest.raises(SinkError, match=r"modprobe v4l2loopback devices=1.*No v4l2 loopback"):
        with VirtualCamera(size=SIZE, rate=Fraction(24)):
            pass


@pytest.mark.parametrize(
    ("system", "words"),
    [("linux", "v4l2loopback"), ("win32", "Unity Capture"), ("darwin", "macOS"), ("aix", "none")],
)
def test_every_system_has_its_own_words(
    monkeypatch: pytest.MonkeyPatch, system: str, words: str
) -> None:
    plug_in(monkeypatch, sent=[])

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("'obs' backend: not there\n'other' backend: neither")

    monkeypatch.setattr(sys.modules["pyvirtualcam"], "Camera", fail)
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(SinkError, match=rf"{words}.*\('obs' backend: not there 'other'"):
        with VirtualCamera(size=SIZE, rate=Fraction(24)):
            pass


@pytest.mark.parametrize(("size", "rate"), [((1, 48), 24), ((64, 48), 0)])
def test_arguments_out_of_range(size: tuple[int, int], rate: int) -> None:
    with pytest.raises(ConfigError, match="expected at least 2x2"):
        VirtualCamera(size=size, rate=Fraction(rate))
