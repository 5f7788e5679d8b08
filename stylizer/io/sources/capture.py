"""Opening cameras and streams with OpenCV, and asking them for what is wanted."""

from __future__ import annotations

import os
import re
from fractions import Fraction
from typing import Protocol

import cv2

from stylizer.errors import ConfigError

__all__ = ["Capture", "is_stream", "name_stream", "open_capture", "parse_device", "request_format"]

_SCHEMES = ("http://", "https://", "rtsp://", "rtsps://", "rtmp://", "udp://", "tcp://", "srt://")


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


def name_stream(url: str) -> str:
    """Name a stream by its URL, without the password that cameras' URLs often carry."""
    return f"stream {re.sub(r'//[^/@]*@', '//', url)}"


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
            f"got {device!r}"
        )
    if isinstance(device, int) and device < 0:
        raise ConfigError(f"camera: expected an index of at least 0, got {device}")
    return device
