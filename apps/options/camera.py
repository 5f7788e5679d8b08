"""The options that choose a camera or a stream, and ask it for what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from stylizer.errors import ConfigError
from stylizer.io.open import open_source
from stylizer.io.sources.devices import hide_secrets, is_stream, list_cameras, name_stream
from stylizer.io.sources.playback import Playback
from stylizer.protocols import FrameSource

from .shared import option, read_size

__all__ = ["CameraOptions"]

_PANEL = "Camera"


def _list(asked: bool) -> None:
    """Print the cameras, one a line, and end the command."""
    if not asked:
        return
    cameras = list_cameras()
    for camera in cameras:
        typer.echo(str(camera))
    if not cameras:
        none = "no camera is plugged in that this system tells of"
        typer.echo(f"{none}; --camera also takes a stream's URL", err=True)
    raise typer.Exit


@dataclass(frozen=True, kw_only=True)
class CameraOptions:
    """Which camera, and what it is asked for; what is not given is None."""

    camera: Annotated[
        str,
        option(
            "camera",
            "Its number, a part of its name, /dev/video0, or the URL of a stream (http, rtsp); "
            "or a video file, for trying, which plays again and again.",
            _PANEL,
            metavar="N|NAME|URL|FILE",
        ),
    ] = "0"
    list_cameras: Annotated[
        bool,
        option(
            "list-cameras",
            "List the cameras of this machine, and do nothing else.",
            _PANEL,
            is_eager=True,
            callback=_list,
        ),
    ] = False
    camera_size: Annotated[
        str | None,
        option("camera-size", "What to ask the camera for.", _PANEL, metavar="WxH"),
    ] = None
    camera_rate: Annotated[
        str | None,
        option("camera-rate", "Frames a second to ask for, as 30 or 30000/1001.", _PANEL),
    ] = None
    mjpg: Annotated[
        bool,
        option("mjpg/--no-mjpg", "Ask for MJPG, with which most give their full rate.", _PANEL),
    ] = True

    def __str__(self) -> str:
        """Return how the camera is called: ``camera 0``, or a stream's URL without its password."""
        if is_stream(self.camera):
            return name_stream(self.camera)
        return f"camera {hide_secrets(self.camera)}"

    def check(self) -> None:
        """Say before anything is opened what cannot be.

        Raises:
          ConfigError: ``--camera-size`` or ``--camera-rate`` is out of its range.
        """
        self._size()
        self._rate()

    def open(self) -> FrameSource:
        """Open the camera; when it is lost, what is returned waits for it to come back.

        Raises:
          ConfigError: an option is out of its range, or ``--camera`` is a folder.
          SourceError: the camera is not there.
        """
        if self.is_file:
            return Playback(lambda: open_source(self.camera))
        source = open_source(self.camera, size=self._size(), rate=self._rate(), mjpg=self.mjpg)
        if source.rate is not None:
            source.__exit__(None, None, None)
            raise ConfigError(
                f"--camera: expected a camera, a stream or a video file, got {self.camera}; "
                "`stylizer frames` paints a folder"
            )
        return source

    @property
    def is_file(self) -> bool:
        """Whether a video file stands for the camera."""
        return Path(self.camera).is_file()

    @property
    def sees_its_user(self) -> bool:
        """Whether it is a camera of this machine, before which the user most likely sits."""
        return not self.is_file and not is_stream(self.camera)

    def _size(self) -> tuple[int, int] | None:
        size = (
            None
            if self.camera_size is None
            else read_size(self.camera_size, name="camera-size").exact
        )
        if self.camera_size is not None and size is None:
            raise ConfigError(f"--camera-size: expected WIDTHxHEIGHT, got {self.camera_size!r}")
        return size

    def _rate(self) -> Fraction | None:
        try:
            return None if self.camera_rate is None else Fraction(self.camera_rate)
        except (ValueError, ZeroDivisionError):
            raise ConfigError(
                f"--camera-rate: expected 30 or 30000/1001, got {self.camera_rate!r}"
            ) from None
