"""A virtual camera: other programs (video calls, OBS, browsers) see the frames as a webcam's."""

from __future__ import annotations

import sys
from fractions import Fraction
from importlib.util import find_spec
from typing import Any, Self

from stylizer.base import Managed
from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame, check_image
from stylizer.io.resize import resize_image
from stylizer.notices import notice

__all__ = ["VirtualCamera", "check_virtual_camera"]

_NEEDS = {
    "linux": (
        "it needs the kernel module v4l2loopback (Debian and Ubuntu: apt-get install "
        "v4l2loopback-dkms), loaded by: sudo modprobe v4l2loopback devices=1 exclusive_caps=1 "
        "card_label=stylizer; and your user must be in the group video"
    ),
    "win32": (
        "it needs OBS Studio, version 26 or newer (obsproject.com), whose virtual camera is used "
        "while OBS itself does not use it; or Unity Capture (github.com/schellingb/UnityCapture)"
    ),
    "darwin": (
        "it needs OBS Studio (obsproject.com): on macOS 13 and newer OBS 30, whose virtual camera "
        "must be started and stopped once inside OBS, and allowed in the system's settings"
    ),
}
"""What stands behind a virtual camera, by ``sys.platform``."""


def check_virtual_camera() -> None:
    """Say early that the package for virtual cameras is not installed.

    Raises:
      SinkError: it is not.
    """
    if find_spec("pyvirtualcam") is None:
        raise SinkError(
            "a virtual camera needs the package pyvirtualcam; "
            "run: pip install 'stylizer[virtual-camera]'"
        )


class VirtualCamera(Managed):
    """A sink that other programs see as a webcam.

    They convert to formats that keep one color for 2 x 2 pixels, so of an odd width or height the
    last column or row is left out. A frame of another size is resized.
    """

    def __init__(self, *, size: tuple[int, int], rate: Fraction, device: str | None = None) -> None:
        """Take the camera's format; nothing is opened yet.

        Args:
          size: (width, height) of the frames, in pixels, at least 2.
          rate: frames a second, as a hint to the programs that read it.
          device: ``/dev/video2``, or a camera's name; None for the first there is.

        Raises:
          ConfigError: size or rate out of range.
        """
        if min(size) < 2 or rate <= 0:
            raise ConfigError(
                f"virtual camera: expected at least 2x2 pixels and a rate above 0, got {size}, "
                f"{rate}"
            )
        self._size = size[0] - size[0] % 2, size[1] - size[1] % 2
        self._frame_size = size
        self._rate, self._device = rate, device
        self._camera: Any = None

    @property
    def device(self) -> str | None:
        """The name under which other programs find it, while it is open."""
        return None if self._camera is None else str(self._camera.device)

    def __enter__(self) -> Self:
        """Open the virtual camera.

        Raises:
          SinkError: the package is not installed, or the system has no virtual camera.
        """
        check_virtual_camera()
        import pyvirtualcam

        width, height = self._size
        try:
            self._camera = pyvirtualcam.Camera(
                width, height, float(self._rate), device=self._device
            )
        except (RuntimeError, OSError, ValueError) as error:
            needs = _NEEDS.get(sys.platform, "this system has none that is supported")
            told = " ".join(str(error).split())
            raise SinkError(f"no virtual camera: {needs} ({told})") from error
        notice.info("virtual camera: choose %s in the other program", self.device)
        return self

    def write(self, frame: Frame) -> None:
        """Show a frame to the other programs.

        Raises:
          SinkError: it is not open, or the device went away.
        """
        image = check_image(frame.image, name=f"frame {frame.index}")
        if self._camera is None:
            raise SinkError("the virtual camera is not open; use it in a with block")
        width, height = self._size
        fitted = resize_image(image, self._frame_size)[:height, :width]
        try:
            self._camera.send(fitted)
        except (RuntimeError, OSError) as error:
            raise SinkError(f"the virtual camera {self.device} was lost: {error}") from error

    def close(self) -> None:
        """Let the device go."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()
