"""A stand-in for pyvirtualcam, whose devices no test machine has."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from stylizer.frame import Image

__all__ = ["PluggedIn", "plug_in"]


class PluggedIn:
    """What became of the virtual cameras.

    Attributes:
      opened: (width, height, frames a second, device) of each that was opened.
      closed: how many were closed.
      lost: set it, and sending fails.
    """

    def __init__(self) -> None:
        self.opened: list[tuple[int, int, float, str | None]] = []
        self.closed = 0
        self.lost = False


def plug_in(monkeypatch: pytest.MonkeyPatch, *, sent: list[Image]) -> PluggedIn:
    """Put a module in the place of pyvirtualcam whose camera keeps what is sent.

    It checks as strictly as the real one (0.15): dtype and shape of each frame.
    """
    state = PluggedIn()

    class Camera:
        device = "/dev/video9"

        def __init__(
            self, width: int, height: int, fps: float, *, device: str | None = None
        ) -> None:
            state.opened.append((width, height, fps, device))
            self._shape = height, width, 3

        def send(self, frame: Image) -> None:
            if frame.dtype != "uint8":
                raise TypeError(f"unexpected frame dtype: {frame.dtype} != uint8")
            if frame.shape != self._shape:
                raise ValueError(f"unexpected frame shape: {frame.shape} != {self._shape}")
            if state.lost:
                raise RuntimeError("device unplugged")
            sent.append(frame.copy())

        def close(self) -> None:
            state.closed += 1

    module = ModuleType("pyvirtualcam")
    module.__spec__ = ModuleSpec("pyvirtualcam", None)
    module.Camera = Camera  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    return state
