"""What visitors hand in: a form's file, and whether it is a picture or a video that may be painted.

Nothing is decoded before its size is known and allowed, and that in a process of its own, which may
take so much time and memory. Inside, a picture is uint8 RGB, (H, W, 3).
"""

from __future__ import annotations

import re
import threading
from pathlib import Path, PurePosixPath

from flask import request
from PIL import Image as pillow
from werkzeug.datastructures import FileStorage

from stylizer.errors import SourceError, StyleError
from stylizer.frame import Image
from stylizer.io.image import read_image
from stylizer.io.isolated import ProcessLimits, isolated
from stylizer.io.media.container import open_video
from stylizer.io.media.lengths import measure_tracks
from stylizer.io.media.probe import probe
from stylizer.size import MAX_SIDE
from stylizer.styles.tuning import read_tuning
from stylizer.web.config import WebConfig
from stylizer.web.errors import ApiError
from stylizer.web.jpeg import BOMBS, DAMAGED, count_scans, too_large

__all__ = [
    "VIDEO_FORMATS",
    "body_limit",
    "check_video",
    "display_name",
    "file_words",
    "film_limits",
    "load_picture",
    "load_tuned",
    "look_at_video",
    "most_frames",
    "read_picture",
    "read_tuned",
    "uploaded_file",
]

VIDEO_FORMATS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif")
"""What may be uploaded; the content decides, not the name."""

_ATOMS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
_MOST_RATE = 60
"""Frames a second: more of them count against the length of a video."""

_ZIP = b"PK\x03\x04"
"""What the file of a tuned style begins with."""
_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF", "HEIF")

_PICTURE_SECONDS = 20.0
_PICTURE_MEMORY = 3 * 1024**3
_FILM_SECONDS = 30.0
"""Without a frame, or another word."""
_FILM_MEMORY = 5 * 1024**3
_FILM_FORMATS = ("mov", "matroska", "avi", "gif", "nut")
"""ffmpeg's names; NUT is what the library puts tracks into meanwhile."""
_MORE_SOUND = 60
"""Seconds that sound may outlast what a video may."""
_MOST_SCANS = 64
"""Of a progressive JPEG: usual ones have 10, and each costs as much as a whole picture."""

_LONGEST_NAME = 60
_ROOM_FOR_FORM = 64 * 1024
"""Bytes of a form beside its file: names, options, and what separates them."""


def body_limit(path: str, config: WebConfig) -> int:
    """Return how many bytes a request to an address may bring along."""
    most = {
        "/api/photos": config.upload_bytes,
        "/api/videos": config.upload_bytes,
        "/api/styles": config.style_bytes,
    }
    return most.get(path, 0) + _ROOM_FOR_FORM


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
    return file_words(PurePosixPath((given or "").replace("\\", "/")).stem) or otherwise


def file_words(text: str) -> str:
    """Return what of a text may be part of a file's name."""
    return re.sub(r"[^\w.,()+-]+", " ", text).strip(" .")[:_LONGEST_NAME].strip(" .")


def read_picture(path: Path, *, most_pixels: int, stop: threading.Event | None = None) -> Image:
    """Read an uploaded picture, upright, in a process of its own.

    Args:
      path: the file; its content tells the format.
      most_pixels: looked up before anything is decoded.
      stop: set by who does not want it any more.

    Raises:
      ApiError: not a picture that can be read, damaged, cut off, or too large.
      Stopped: it is not wanted any more.
    """
    limits = ProcessLimits(seconds=_PICTURE_SECONDS, memory=_PICTURE_MEMORY, stop=stop)
    try:
        found = isolated(load_picture, path, most_pixels, limits=limits)
    except SourceError:  # its message names the server's own path
        raise _not_a_picture() from None
    if isinstance(found, str):
        raise too_large(found, f"{most_pixels:,} pixels")
    return found


def load_picture(path: Path, most_pixels: int) -> Image | str:
    """Read a picture; of one that is too large, say what it is.

    Args:
      path: the file; its content tells the format.
      most_pixels: looked up before anything is decoded.

    Raises:
      SourceError: not a picture that can be read, damaged, cut off, or made to take long.
    """
    try:
        with pillow.open(path, formats=_PICTURE_FORMATS) as opened:
            width, height = opened.size
            form = opened.format
    except BOMBS:
        return "the picture"
    except DAMAGED as error:
        raise SourceError("not a picture that can be read") from error
    if width * height > most_pixels or max(width, height) > MAX_SIDE:
        return f"the picture has {width}x{height}"
    if form == "JPEG" and count_scans(path.read_bytes()) > _MOST_SCANS:
        raise SourceError("a JPEG of so many scans that reading it takes long")
    return read_image(path)


def read_tuned(path: Path, *, most_pixels: int) -> tuple[str, str, Image] | None:
    """Read an uploaded file of a tuned style, in a process of its own.

    Args:
      path: the file.
      most_pixels: of its picture, looked up before it is decoded.

    Returns:
      The style's name, the network that it was tuned for, and its picture; None where the file is
      none, by its first bytes: a picture, most likely.

    Raises:
      ApiError: it is damaged, too large, or holds no picture.
    """
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            return None
    limits = ProcessLimits(seconds=_PICTURE_SECONDS, memory=_PICTURE_MEMORY)
    try:
        return isolated(load_tuned, path, most_pixels, limits=limits)
    except (SourceError, StyleError):  # their messages name the server's own path
        raise ApiError(
            400,
            "bad_style",
            "not a style that stylizer tune wrote, or damaged, or without its picture",
        ) from None


def load_tuned(path: Path, most_pixels: int) -> tuple[str, str, Image]:
    """Read name, network and picture of a tuned style; see `read_tuned`.

    Raises:
      SourceError, StyleError: it cannot be read, or is too large.
    """
    tuning, name, picture = read_tuning(path, most_pixels=most_pixels)
    if picture is None:
        raise StyleError("expected a picture in the style, got none")
    return name, tuning.network, picture


def most_frames(seconds: float) -> int:
    """Return how many frames a video of so many seconds may have."""
    return round(seconds * _MOST_RATE)


def check_video(path: Path, *, seconds: float, pixels: int) -> None:
    """Make sure that an upload is a video that may be painted, in a process of its own.

    ffmpeg also reads playlists, which name other files and addresses for it to open. So the content
    must begin as that of a file does that holds its pictures itself, and be of such a format.

    Args:
      path: the file; its content tells the format.
      seconds: that it may last, with its sound and all other tracks.
      pixels: of a frame, as it is stored and as it is painted.

    Raises:
      ApiError: no video that can be read, or too large or long.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if not _holds_pictures(head):
        raise _not_a_video()
    try:
        refusal = isolated(look_at_video, path, seconds, pixels, limits=film_limits())
    except SourceError:  # its message names the server's own path
        raise _not_a_video() from None
    if refusal is not None:
        raise ApiError(413, *refusal)


def film_limits(*, stop: threading.Event | None = None) -> ProcessLimits:
    """Return what a process may take that reads a visitor's film.

    Args:
      stop: set by who does not want it any more.
    """
    return ProcessLimits(
        seconds=_FILM_SECONDS, memory=_FILM_MEMORY, formats=_FILM_FORMATS, stop=stop
    )


def look_at_video(path: Path, seconds: float, pixels: int) -> tuple[str, str] | None:
    """Return why a film is refused, as code and words; None if it may be painted.

    Args:
      path: the file.
      seconds: that it may last, with its sound and all other tracks.
      pixels: of a frame, as it is stored and as it is painted.

    Raises:
      SourceError: it cannot be read.
    """
    container, stream = open_video(path)
    with container:
        context = stream.codec_context
        if not 0 < context.width * context.height <= pixels:
            return _too_many_pixels((context.width, context.height), pixels)
    info = probe(path)
    if info.width * info.height > pixels:  # pixels that are not square are made so
        return _too_many_pixels(info.size, pixels)
    lengths = measure_tracks(path)
    most = most_frames(seconds)
    if info.duration > seconds or lengths.pictures > most or info.duration * info.rate > most:
        return (
            "too_long",
            f"the video lasts {float(info.duration):.0f} s at {float(info.rate):.0f} frames a "
            f"second: expected at most {seconds:g} s, and {most} frames",
        )
    if lengths.seconds > seconds + _MORE_SOUND:
        return (
            "too_long",
            f"with its sound and all else the video lasts {lengths.seconds:,.0f} s: expected at "
            f"most {seconds:g} s",
        )
    return None


def _too_many_pixels(size: tuple[int, int], pixels: int) -> tuple[str, str]:
    return (
        "too_large",
        f"the video has {size[0]}x{size[1]}: expected at most {pixels:,} pixels",
    )


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
        "not a picture that can be read, or damaged; expected jpg, png, webp, heic, avif or tiff",
    )


def _not_a_video() -> ApiError:
    known = " ".join(VIDEO_FORMATS)
    return ApiError(400, "bad_video", f"not a video that can be read, or damaged; expected {known}")
