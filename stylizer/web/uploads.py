"""What may be painted as a video: looked at before ffmpeg does more than to open it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stylizer.errors import SourceError
from stylizer.io.media.container import open_video
from stylizer.io.media.probe import probe
from stylizer.web.refusal import Refusal

__all__ = ["VIDEO_FORMATS", "VideoLimits", "check_video"]

VIDEO_FORMATS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif")
"""What may be uploaded; the content decides, not the name."""

_ATOMS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
_MOST_RATE = 60
"""Frames a second: more of them count against the length of a video."""


@dataclass(frozen=True, kw_only=True)
class VideoLimits:
    """Of a video.

    Attributes:
      seconds: how long.
      pixels: of a frame.
    """

    seconds: float
    pixels: int

    @property
    def frames(self) -> int:
        """How many there may be."""
        return round(self.seconds * _MOST_RATE)


def check_video(path: Path, limits: VideoLimits) -> None:
    """Make sure that an upload is a video that may be painted.

    ffmpeg also reads playlists, which name other files and addresses for it to open. So the content
    must begin as that of a file does that holds its pictures itself.

    Raises:
      Refusal: no video that can be read, or too large or long.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if not _holds_pictures(head):
        raise _not_a_video()
    try:
        container, stream = open_video(path)
        with container:
            width, height = stream.codec_context.width, stream.codec_context.height
        if not 0 < width * height <= limits.pixels:
            raise Refusal(
                413,
                "too_large",
                f"the video has {width}x{height}: expected at most {limits.pixels:,} pixels",
            )
        info = probe(path)
    except SourceError:  # its message names the server's own path
        raise _not_a_video() from None
    if info.duration > limits.seconds or info.duration * info.rate > limits.frames:
        raise Refusal(
            413,
            "too_long",
            f"the video lasts {float(info.duration):.0f} s at {float(info.rate):.0f} frames a "
            f"second: expected at most {limits.seconds:g} s, and {limits.frames} frames",
        )


def _holds_pictures(head: bytes) -> bool:
    return (
        head[4:8] in _ATOMS
        or head.startswith((b"\x1a\x45\xdf\xa3", b"GIF8"))
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
    )


def _not_a_video() -> Refusal:
    known = " ".join(VIDEO_FORMATS)
    return Refusal(400, "bad_video", f"not a video that can be read, or damaged; expected {known}")
