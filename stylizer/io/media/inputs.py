"""How files are given to ffmpeg, by PyAV or as a command: those of strangers in few formats.

ffmpeg knows some 300 formats, among them playlists that name other files and addresses, and tries
each on what it is given. A process that reads what strangers sent says once which it may take.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["file_url", "input_arguments", "open_options", "restrict_inputs"]

_restricted: dict[str, str] = {}


def restrict_inputs(formats: Sequence[str]) -> None:
    """From now on, read these formats alone in this process, and local files alone.

    Args:
      formats: names of ffmpeg's demuxers; none lifts the restriction.
    """
    _restricted.clear()
    if formats:
        _restricted["format_whitelist"] = ",".join(formats)
        _restricted["protocol_whitelist"] = "file"


def file_url(path: Path) -> str:
    """Return a path as ffmpeg takes it literally: not as an option, nor ``talk:1.mp4`` as a URL."""
    return f"file:{path}"


def open_options() -> dict[str, str]:
    """Return the options that `av.open` is to be given."""
    return dict(_restricted)


def input_arguments(path: Path) -> list[str]:
    """Return ffmpeg's arguments that name an input."""
    limits = [word for name, value in _restricted.items() for word in (f"-{name}", value)]
    return [*limits, "-i", file_url(path)]
