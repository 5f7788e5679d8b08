from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import cv2
import cv2_enumerate_cameras
import pytest
from cv2_enumerate_cameras import CameraInfo

from stylizer.errors import SourceError
from stylizer.io.sources.camera import Camera
from stylizer.io.sources.devices import find_camera, hide_secrets, list_cameras

Plug = dict[int, Sequence[tuple[int, str, str | None]]]


def plug_in(monkeypatch: pytest.MonkeyPatch, system: str, there: Plug) -> None:
    """Let the system have these cameras: (index, name, path) by backend."""

    def enumerate_cameras(backend: int) -> list[CameraInfo]:
        return [CameraInfo(*camera, None, None, backend) for camera in there[backend]]

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(cv2_enumerate_cameras, "supported_backends", tuple(there))
    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", enumerate_cameras)


LINUX: Plug = {
    cv2.CAP_GSTREAMER: [(0, "HD Webcam", "/dev/video0")],
    cv2.CAP_V4L2: [
        (2, "USB Capture", "/dev/video2"),
        (0, "HD Webcam", "/dev/video0"),
        (4, "HD Webcam Pro", "/dev/video4"),
    ],
}


def test_cameras_are_listed_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, "linux", LINUX)
    assert [str(camera) for camera in list_cameras()] == [
        "0: HD Webcam (V4L2, /dev/video0)",
        "2: USB Capture (V4L2, /dev/video2)",
        "4: HD Webcam Pro (V4L2, /dev/video4)",
    ]


def test_a_second_way_to_cameras_adds_what_only_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Media Foundation does not see every virtual camera; two webcams may have one name."""
    there: Plug = {
        cv2.CAP_MSMF: [(0, "Webcam", "a"), (1, "Webcam", "b")],
        cv2.CAP_DSHOW: [(0, "Webcam", "c"), (1, "OBS Virtual Camera", ""), (2, "Webcam", "d")],
    }
    plug_in(monkeypatch, "win32", there)
    cameras = list_cameras()
    assert [(camera.index, camera.name, camera.path) for camera in cameras] == [
        (0, "Webcam", "a"),
        (1, "Webcam", "b"),
        (cv2.CAP_DSHOW + 1, "OBS Virtual Camera", None),
    ]
    assert str(cameras[2]) == "701: OBS Virtual Camera (DSHOW)"


def test_a_camera_that_is_being_unplugged_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    nameless: Any = (0, None, "/dev/video0")
    plug_in(monkeypatch, "linux", {cv2.CAP_V4L2: [nameless, (1, "Webcam", "/dev/video1")]})
    assert find_camera("webcam") == 1


def test_a_system_without_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, "freebsd14", LINUX)
    assert list_cameras() == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0", 0),
        (" 7 ", 7),
        ("capture", 2),
        ("HD WEBCAM", 0),  # the whole name of one is a part of the other's
        ("pro", 4),
        ("/dev/video2", 2),
        ("/dev/video9", 9),  # another of a camera's names; opening tells whether it is there
        ("4: HD Webcam Pro (V4L2, /dev/video4)", 4),
        ("rtsp://a:b@192.168.0.7/stream", "rtsp://a:b@192.168.0.7/stream"),
        ("HTTP://host/video", "HTTP://host/video"),
    ],
)
def test_a_camera_is_found(monkeypatch: pytest.MonkeyPatch, text: str, found: int | str) -> None:
    plug_in(monkeypatch, "linux", LINUX)
    assert find_camera(text) == found


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://anna:pass@SECRET@host:9/x?password=SECRET", "rtsp://host:9/..."),
        ("rtsp://anna:SEC/RET@host/x", "rtsp://host/x"),
        ("rtsp://anna:SE?CRET@host/x", "rtsp://host/x"),
        ("rtsp://anna:SE#CRET@host/x/y", "rtsp://host/x/y"),
        ("rtsp://:SECRET@host", "rtsp://host"),
        ("http://host/cgi/user=admin&password=SECRET&channel=1", "http://host/cgi/..."),
        ("http://host/video?mail=a@b&token=SECRET", "http://b"),
        ("rtmp://host/app/SECRET", "rtmp://host"),
        ("anna:SECRET@host/x", "...@host/x"),
        ("http://host:8080/video.mjpg", "http://host:8080/video.mjpg"),
        ("photos/a@2x.png", "photos/a@2x.png"),
    ],
)
def test_secrets_are_never_shown(address: str, shown: str) -> None:
    assert hide_secrets(address) == shown


def test_a_name_that_several_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, "linux", LINUX)
    with pytest.raises(SourceError, match=r"numbers: 0: HD Webcam .*; 4: HD Webcam Pro .*/video4"):
        find_camera("webcam")


@pytest.mark.parametrize("text", ["nonsense", "", "  "])
def test_a_name_that_none_has(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    plug_in(monkeypatch, "linux", LINUX)
    with pytest.raises(SourceError, match=r"expected an index.*this machine has 0: HD Webcam"):
        find_camera(text)


def test_a_camera_that_is_not_there_says_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, "linux", LINUX)
    with pytest.raises(SourceError, match=r"camera 97: .*V4L2.*has 0: HD Webcam .*; 2: USB Captur"):
        Camera(97, timeout=1)
    plug_in(monkeypatch, "linux", {cv2.CAP_V4L2: []})
    with pytest.raises(SourceError, match="this machine has no camera"):
        Camera(97, timeout=1)
