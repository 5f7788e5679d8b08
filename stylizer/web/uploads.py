"""What visitors hand in: a form's file, and whether it is a picture or a video that may be painted.

Nothing is decoded before its size is known and allowed. Inside, a picture is uint8 RGB, (H, W, 3).
"""

from __future__ import annotations

import re
import threading
from pathlib import Path, PurePosixPath

from flask import request
from PIL import Image as pillow
from werkzeug.datastructures import FileStorage

from stylizer.errors import SourceError
from stylizer.frame import Image
from stylizer.io.image import read_image
from stylizer.io.isolated import isolated
from stylizer.io.media.container import open_video
from stylizer.io.media.probe import MediaInfo, probe
from stylizer.size import MAX_SIDE
from stylizer.web.errors import ApiError
from stylizer.web.jpeg import BOMBS, DAMAGED, too_large

__all__ = [
    "VIDEO_FORMATS",
    "check_video",
    "display_name",
    "most_frames",
    "read_picture",
    "uploaded_file",
]

VIDEO_FORMATS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif")
"""What may be uploaded; the content decides, not the name."""

_ATOMS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
_MOST_RATE = 60
"""Frames a second: more of them count against the length of a video."""

_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")

_DECODING = threading.Lock()
"""One picture at a time: each may take hundreds of megabytes for a moment."""

_LONGEST_NAME = 60
_ROOM_FOR_FORM = 64 * 1024
"""Bytes of a form beside its file: names, options, and what separates them."""


def uploaded_file(field: str, *, most_bytes: int) -> FileStorage:
    """Return a file of the request's form.

    Args:
      field: its name.
      most_bytes: of the file.

    Raises:
      ApiError: there is not just one, or it is too large.
    """
    request.max_content_length = most_bytes + _ROOM_FOR_FORM
    if request.mimetype != "multipart/form-data":
        raise ApiError(415, "bad_form", "expected a form, multipart/form-data")
    files = request.files.getlist(field)
    if len(files) != 1:
        raise ApiError(400, "bad_form", f"{field}: expected one file, got {len(files)}")
    return files[0]


def display_name(given: str | None, *, otherwise: str) -> str:
    """Return the words of a file's name, for people to read; never to be used as a path."""
    stem = PurePosixPath((given or "").replace("\\", "/")).stem
    words = re.sub(r"[^\w .,()+-]+", " ", stem).strip(" .")[:_LONGEST_NAME].strip(" .")
    return words or otherwise


def read_picture(path: Path, *, most_pixels: int) -> Image:
    """Read an uploaded picture, upright.

    Args:
      path: the file; its content tells the format.
      most_pixels: looked up before anything is decoded.

    Raises:
      ApiError: not a picture that can be read, damaged, cut off, or too large.
    """
    try:
        with pillow.open(path, formats=_PICTURE_FORMATS) as opened:
            width, height = opened.size
    except BOMBS:
        raise too_large("the picture", f"{most_pixels:,} pixels") from None
    except DAMAGED:
        raise _not_a_picture() from None
    if width * height > most_pixels or max(width, height) > MAX_SIDE:
        raise too_large(f"the picture has {width}x{height}", f"{most_pixels:,} pixels")
    try:
        with _DECODING:
            return read_image(path)
    except SourceError:  # its message names the server's own path
        raise _not_a_picture() from None


def most_frames(seconds: float) -> int:
    """Return how many frames a video of so many seconds may have."""
    return round(seconds * _MOST_RATE)


def check_video(path: Path, *, seconds: float, pixels: int) -> None:
    """Make sure that an upload is a video that may be painted.

    ffmpeg also reads playlists, which name other files and addresses for it to open. So the content
    must begin as that of a file does that holds its pictures itself.

    Args:
      path: the file; its content tells the format.
      seconds: that it may last.
      pixels: of a frame.

    Raises:
      ApiError: no video that can be read, or too large or long.
    """
    frames = most_frames(seconds)
    with path.open("rb") as file:
        head = file.read(16)
    if not _holds_pictures(head):
        raise _not_a_video()
    try:
        (width, height), info = isolated(_look, path, pixels)
    except SourceError:  # its message names the server's own path
        raise _not_a_video() from None
    if info is None:
        raise ApiError(
            413,
            "too_large",
            f"the video has {width}x{height}: expected at most {pixels:,} pixels",
        )
    if info.duration > seconds or info.duration * info.rate > frames:
        raise ApiError(
            413,
            "too_long",
            f"the video lasts {float(info.duration):.0f} s at {float(info.rate):.0f} frames a "
            f"second: expected at most {seconds:g} s, and {frames} frames",
        )


def _look(path: Path, pixels: int) -> tuple[tuple[int, int], MediaInfo | None]:
    """Return a film's size, and what else is found in it unless that is too large to decode."""
    container, stream = open_video(path)
    with container:
        size = stream.codec_context.width, stream.codec_context.height
    return size, probe(path) if 0 < size[0] * size[1] <= pixels else None


def _holds_pictures(head: bytes) -> bool:
    return (
        head[4:8] in _ATOMS
        or head.startswith((b"\x1a\x45\xdf\xa3", b"GIF8"))
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
    )


def _not_a_picture() -> ApiError:
    return ApiError(
        400,
        "bad_picture",
        "not a picture that can be read, or damaged; expected png, jpg, webp, bmp or tiff",
    )


def _not_a_video() -> ApiError:
    known = " ".join(VIDEO_FORMATS)
    return ApiError(400, "bad_video", f"not a video that can be read, or damaged; expected {known}")
