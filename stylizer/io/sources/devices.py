"""Cameras and streams: which there are, which one a user means, and opening it with OpenCV."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import cv2

from stylizer.errors import ConfigError, SourceError

__all__ = [
    "CameraName",
    "Capture",
    "explain_missing",
    "find_camera",
    "hide_secrets",
    "is_device",
    "is_stream",
    "list_cameras",
    "name_stream",
    "open_capture",
    "parse_device",
    "request_format",
]

_SCHEMES = ("http://", "https://", "rtsp://", "rtsps://", "rtmp://", "udp://", "tcp://", "srt://")


_KEYED = {"rtmp", "rtmps", "srt"}
"""Schemes whose paths are keys that let one send to a stream."""

_SECRETS = re.compile(r"[?#&;=]")


_DEVICE = re.compile(r"/dev/video(\d+)")


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used."""

    def isOpened(self) -> bool: ...  # noqa: D102
    def read(self) -> tuple[bool, cv2.typing.MatLike]: ...  # noqa: D102
    def set(self, propId: int, value: float, /) -> bool: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


def open_capture(device: int | str, *, timeout: float) -> Capture:
    """Open a camera (an index) or a stream (a URL) with OpenCV; ``timeout`` is in seconds."""
    # FFmpeg's own complaints go past Python to the terminal; the errors raised here say enough.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        if isinstance(device, int):
            return cv2.VideoCapture(device)
        wait = round(timeout * 1000)
        timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, wait, cv2.CAP_PROP_READ_TIMEOUT_MSEC, wait]
        return cv2.VideoCapture(device, cv2.CAP_FFMPEG, timeouts)
    finally:
        cv2.utils.logging.setLogLevel(level)


def request_format(
    capture: Capture, *, size: tuple[int, int] | None, rate: Fraction | None, mjpg: bool
) -> None:
    """Ask an open camera for a format, a size and a rate; it may give others.

    The order matters: Video4Linux chooses the format before the size, the size before the rate.
    """
    if mjpg:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    if rate is not None:
        capture.set(cv2.CAP_PROP_FPS, float(rate))
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)


def is_stream(text: str) -> bool:
    """Whether a text is the URL of a stream."""
    return text.lower().startswith(_SCHEMES)


def is_device(text: str) -> bool:
    """Whether a text is the system's name of a camera, as ``/dev/video0``."""
    return _DEVICE.fullmatch(_device(text)) is not None


def _device(text: str) -> str:
    """Return a device's name, also for a link to it as those in ``/dev/v4l/by-id``."""
    path = text.strip()
    return os.path.realpath(path) if path.startswith("/dev/") and os.path.islink(path) else path


def name_stream(url: str) -> str:
    """Name a stream by its URL, without the password that cameras' URLs often carry."""
    return f"stream {hide_secrets(url)}"


def hide_secrets(text: str) -> str:
    """Return an address as it may be shown: without user, password, queries, and keys of streams.

    A password may hold any sign unescaped, so that what may be one goes: all before the last
    ``@``, and all from the first sign of a query on. What is no address stays as it is.
    """
    scheme, mark, rest = text.partition("://")
    if not mark:
        before, sign, after = text.rpartition("@")
        return f"...@{_SECRETS.split(after)[0]}" if sign and ":" in before else text
    shown = _SECRETS.split(rest.rpartition("@")[2])[0]
    if len(shown) < len(rest) and "/" in shown and _SECRETS.search(rest.rpartition("@")[2]):
        shown = f"{shown.rpartition('/')[0]}/..."  # ``/user=...`` hides in the last part of a path
    if scheme.lower() in _KEYED:
        shown = shown.partition("/")[0]
    return f"{scheme}://{shown}"


def parse_device(device: int | str) -> int | str:
    """Return a camera's index, or a stream's URL.

    Raises:
      ConfigError: neither of the two.
    """
    if isinstance(device, str) and device.strip().isdecimal():
        return int(device)
    if isinstance(device, str) and not is_stream(device):
        raise ConfigError(
            f"camera: expected an index (0, 1, ...) or a stream's URL ({' '.join(_SCHEMES)}), "
            f"got {hide_secrets(device)!r}"
        )
    if isinstance(device, int) and device < 0:
        raise ConfigError(f"camera: expected an index of at least 0, got {device}")
    return device


_BACKENDS = {
    "linux": {cv2.CAP_V4L2: "V4L2"},
    "win32": {cv2.CAP_MSMF: "MSMF", cv2.CAP_DSHOW: "DSHOW"},
    "darwin": {cv2.CAP_AVFOUNDATION: "AVFOUNDATION"},
}
"""Ways to cameras by ``sys.platform``, with names; OpenCV takes the first by itself. (GStreamer
lists the same cameras as Video4Linux, and OpenCV's wheels come without it.)"""


@dataclass(frozen=True, kw_only=True)
class CameraName:
    """A camera that is plugged in.

    Attributes:
      index: what `stylizer.io.sources.camera.Camera` takes to open it.
      name: as its maker or the system calls it.
      backend: OpenCV's name for the way to it, as ``V4L2``.
      path: the system's own name for the device, as ``/dev/video0``; None where it has none.
    """

    index: int
    name: str
    backend: str
    path: str | None = None

    @property
    def names(self) -> set[str]:
        """What it may be called, in lower case: its name, its path, and its line in a list."""
        return {name.casefold() for name in (self.name, self.path or self.name, str(self))}

    def __str__(self) -> str:
        """Return it in one line: ``0: HD Webcam (V4L2, /dev/video0)``."""
        where = self.backend if self.path is None else f"{self.backend}, {self.path}"
        return f"{self.index}: {self.name} ({where})"


def list_cameras() -> list[CameraName]:
    """Return the cameras of this machine by index, first those that OpenCV opens by default.

    A camera that is reached in two ways is listed once, by the better one.
    """
    from cv2_enumerate_cameras import enumerate_cameras, supported_backends

    cameras: list[CameraName] = []
    backends = _BACKENDS.get(sys.platform, {})
    for backend, backend_name in backends.items():
        if backend not in supported_backends:
            continue
        known = {camera.name for camera in cameras}
        # To name another backend than its first one, OpenCV adds the backend's number.
        offset = 0 if backend == next(iter(backends)) else backend
        cameras += sorted(
            (
                CameraName(
                    index=found.index + offset,
                    name=found.name or "camera without a name",  # as it is being unplugged
                    backend=backend_name,
                    path=found.path or None,
                )
                for found in enumerate_cameras(backend)
                if found.name not in known
            ),
            key=lambda camera: camera.index,
        )
    return cameras


def find_camera(text: str) -> int | str:
    """Return what `stylizer.io.sources.camera.Camera` opens for what a user wrote.

    Args:
      text: an index, a stream's URL, the system's name of a device (``/dev/video0``), or a
        camera's name, or a part of it, in upper or lower case.

    Returns:
      The index or the URL.

    Raises:
      SourceError: no camera has such a name, or several have it.
    """
    if text.strip().isdecimal():
        return int(text)
    if is_stream(text):
        return text
    cameras = list_cameras()
    wanted = text.strip().casefold()
    exact = [camera for camera in cameras if wanted in camera.names]
    partly = [camera for camera in cameras if wanted and wanted in camera.name.casefold()]
    fitting = exact or partly
    if len(fitting) == 1:
        return fitting[0].index
    if number := _DEVICE.fullmatch(_device(text)):
        return int(number[1])  # by another of its names; whether it is there, opening tells
    if fitting:
        raise SourceError(
            f"camera {text!r}: several have that in their names; give one of these numbers: "
            f"{'; '.join(map(str, fitting))}"
        )
    raise SourceError(
        f"camera {hide_secrets(text)!r}: expected an index (0, 1, ...), a stream's URL (http://, "
        f"rtsp://), a device as /dev/video0, or a part of a camera's name; {_listed(cameras)}"
    )


def explain_missing(name: str, device: int | str, *, timeout: float) -> str:
    """Say that a device cannot be opened, what was tried, what there is, and what to do.

    Args:
      name: how the device is called in messages.
      device: a camera's index or a stream's URL.
      timeout: seconds that opening may take.
    """
    if isinstance(device, str):
        return (
            f"{name}: cannot be opened (tried OpenCV's FFmpeg reader for {timeout:g} s); check the "
            "address, and that the stream is running"
        )
    registry = cv2.videoio_registry
    tried = ", ".join(registry.getBackendName(reader) for reader in registry.getCameraBackends())
    return (
        f"{name}: not there, in use by another program, or not allowed to you (tried OpenCV's "
        f"camera readers {tried}); {_listed(list_cameras())}; plug it in, try another index, or "
        "give a stream's URL"
    )


def _listed(cameras: Sequence[CameraName]) -> str:
    if not cameras:
        return "this machine has no camera that it knows of"
    return f"this machine has {'; '.join(map(str, cameras))}"
