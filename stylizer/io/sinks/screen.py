"""Whether a window can be opened here: asked before OpenCV is, which would abort the process."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from pathlib import Path

import cv2

from stylizer.errors import SinkError

__all__ = ["check_screen"]

_ADVICE = (
    "run on a desktop, over 'ssh -X', or under 'xvfb-run'; or write to a file instead of a window"
)


def check_screen() -> None:
    """Say what is in the way of a window, if anything is.

    Raises:
      SinkError: OpenCV was built without windows, there is no screen, or it does not answer.
    """
    framework = _framework()
    if not framework:
        raise SinkError(
            "this OpenCV was built without windows; "
            "run: pip uninstall opencv-python-headless && pip install --force-reinstall "
            "opencv-python"
        )
    if not sys.platform.startswith("linux"):
        return
    if os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in {"offscreen", "minimal", "vnc"}:
        return  # the user asked Qt for a window without a screen
    display, wayland = os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY")
    if display and _x_server_answers(display):
        return
    if wayland and _speaks_wayland(framework) and _wayland_answers(wayland):
        return
    if display:
        raise SinkError(f"no window: the screen DISPLAY={display} does not answer; {_ADVICE}")
    if wayland:
        raise SinkError(
            f"no window: OpenCV's {framework} cannot open one on WAYLAND_DISPLAY={wayland}; "
            f"start XWayland (it sets DISPLAY), or {_ADVICE}"
        )
    raise SinkError(f"no window: there is no screen (DISPLAY is not set); {_ADVICE}")


def _framework() -> str:
    try:
        return str(cv2.currentUIFramework())
    except cv2.error:  # headless builds have the function, but it raises
        return ""


def _x_server_answers(display: str) -> bool:
    """Connect as a window would: with the user's authority, which a bare socket would not show."""
    xcb = _load("libxcb.so.1")
    for plugin in _plugins("libqxcb*"):
        _load(str(plugin))
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(display.encode(), None)
    try:
        return bool(xcb.xcb_connection_has_error(connection) == 0)
    finally:
        xcb.xcb_disconnect(connection)


def _load(library: str) -> ctypes.CDLL:
    """Load a library that a window needs; Qt aborts the process where one is missing."""
    try:
        return ctypes.CDLL(library)
    except OSError as error:
        raise SinkError(
            f"no window: a system library is missing ({error}); install it "
            "(Debian and Ubuntu: apt-get install libxcb1 libgl1 libxkbcommon-x11-0)"
        ) from error


def _plugins(pattern: str) -> list[Path]:
    """Return the platform plugins of that name that OpenCV's wheel brings along."""
    return sorted((Path(cv2.__file__).parent / "qt" / "plugins" / "platforms").glob(pattern))


def _speaks_wayland(framework: str) -> bool:
    return not framework.startswith("QT") or bool(_plugins("libqwayland*"))


def _wayland_answers(name: str) -> bool:
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/run")) / name  # an absolute name stays itself
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(path))
    except OSError:
        return False
    return True
