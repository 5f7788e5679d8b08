"""The cameras of this machine by name, and the one that a user means."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from stylizer.errors import SourceError
from stylizer.io.sources.capture import is_stream

__all__ = ["CameraName", "explain_missing", "find_camera", "list_cameras"]

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
      text: an index, a stream's URL, or a camera's name, or a part of it, in upper or lower case.

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
    exact = [camera for camera in cameras if camera.name.casefold() == wanted]
    partly = [camera for camera in cameras if wanted and wanted in camera.name.casefold()]
    fitting = exact or partly
    if len(fitting) == 1:
        return fitting[0].index
    if fitting:
        raise SourceError(
            f"camera {text!r}: several have that in their names; give one of these numbers: "
            f"{'; '.join(map(str, fitting))}"
        )
    raise SourceError(
        f"camera {text!r}: expected an index (0, 1, ...), a stream's URL (http://, rtsp://) or "
        f"a part of a camera's name; {_listed(cameras)}"
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
