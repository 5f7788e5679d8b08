"""A virtual screen, and a user before it: what is on it, keys, a click on a window's X."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from stylizer.frame import Image
from tests.clips import ffmpeg

__all__ = [
    "close_window",
    "find_window",
    "pixels",
    "press",
    "until",
    "until_drawn",
    "virtual_screen",
]

_SIZE = 640, 480
_PATIENCE = 120.0
_DRAWN_SECONDS = 3.0


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Give the name of a screen of 640x480 for ``DISPLAY``; skip the test where there is none."""
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (apt-get install xvfb xdotool)")
    # -noreset: else it starts anew, and refuses a window, when the last one has gone.
    size = "x".join(map(str, _SIZE))
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{size}x24", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        try:
            yield f":{int(server.stdout.readline())}"
        finally:
            server.terminate()


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds."""
    assert _holds(condition, _PATIENCE), f"waited in vain: {what}"


def until_drawn(display: str, title: str) -> None:
    """Wait until a window shows something on the black screen.

    Where no window manager is, Qt now and then misses that its window has been mapped (with OpenCV
    alone, at one start in eight), and then never draws. So what stays black is mapped again.
    """
    until(lambda: _windows(display, title) != [], f"a window {title!r}")
    for _ in range(int(_PATIENCE / _DRAWN_SECONDS)):
        if _holds(lambda: bool(pixels(display).any()), _DRAWN_SECONDS):
            return
        window = str(find_window(display, title))
        _xdotool(display, "windowunmap", window, "windowmap", window)
    raise AssertionError(f"the window {title!r} stays black")


def _holds(condition: Callable[[], bool], seconds: float) -> bool:
    """Say whether a condition comes to hold within a time."""
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return held


def pixels(display: str) -> Image:
    """Return the screen as it is, (480, 640, 3)."""
    size = "x".join(map(str, _SIZE))
    grab = ["-f", "x11grab", "-draw_mouse", 0, "-video_size", size, "-i", display]
    data = ffmpeg(*grab, "-frames:v", 1, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(data, np.uint8).reshape(*_SIZE[::-1], 3)


def find_window(display: str, title: str) -> int:
    """Return the number of a window."""
    return _windows(display, title)[0]


def _windows(display: str, title: str) -> list[int]:
    return [int(number) for number in _xdotool(display, "search", "--name", title).split()]


def press(display: str, title: str, key: str) -> None:
    """Press a key, as xdotool names it, in a window."""
    window = str(find_window(display, title))
    _xdotool(display, "windowfocus", "--sync", window, "key", key)


def _xdotool(display: str, *arguments: str) -> str:
    environment = {**os.environ, "DISPLAY": display}
    done = subprocess.run(
        ["xdotool", *arguments], capture_output=True, text=True, check=False, env=environment
    )
    return done.stdout


def close_window(display: str, window: int) -> None:
    """Send what a window manager sends when the X is clicked (ICCCM 4.2.8.1)."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XInternAtom.restype = ctypes.c_ulong
    connection = ctypes.c_void_p(x.XOpenDisplay(display.encode()))

    class ClientMessage(ctypes.Structure):
        _fields_ = (
            ("type", ctypes.c_int),
            ("serial", ctypes.c_ulong),
            ("send_event", ctypes.c_int),
            ("display", ctypes.c_void_p),
            ("window", ctypes.c_ulong),
            ("message_type", ctypes.c_ulong),
            ("format", ctypes.c_int),
            ("data", ctypes.c_long * 5),
            ("padding", ctypes.c_long * 24),
        )

    protocols = x.XInternAtom(connection, b"WM_PROTOCOLS", 0)
    delete = x.XInternAtom(connection, b"WM_DELETE_WINDOW", 0)
    message = ClientMessage(33, 0, 1, connection, window, protocols, 32)
    message.data[0] = delete
    x.XSendEvent(connection, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x.XCloseDisplay(connection)
