"""Opening media files with PyAV: one place where every bad file gets its clear error.

Video files are decoded by PyAV and not by OpenCV's reader although both carry the same ffmpeg:
OpenCV says "no more frames" both at the end and at a damaged packet in the middle (after 97 of the
358 frames of a clip with 1,500 bad bytes), gives times as floats, knows neither how long the last
picture stands nor the tracks beside the video, and writes ffmpeg's complaints to the terminal.
"""

from __future__ import annotations

import errno
import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2

# isort: split
import av
import av.container
import av.error
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition

from stylizer.errors import SourceError
from stylizer.frame import Image
from stylizer.io.files import refuse_special
from stylizer.io.media.inputs import file_url, open_options
from stylizer.io.media.timestamps import bridged_packets

__all__ = [
    "ENCRYPTED",
    "PIPED",
    "Incoming",
    "Orientation",
    "decode_pictures",
    "find_encryption",
    "find_orientation",
    "is_scrambled",
    "open_incoming",
    "open_video",
    "picture_time",
    "seek_pictures",
    "stream_seconds",
]

PIPED = (
    "expected Y4M, Matroska or another format whose index does not stand at its end, as that of "
    "many MP4 files does"
)

_log = logging.getLogger(__name__)

ENCRYPTED = "the film is encrypted; expected one that is not: decrypt it first"

_PICTURES = ("image2", "_pipe")  # ffmpeg's names of readers of single pictures
_TILTED = 0.02
"""From about a degree on, a picture is turned by no multiple of 90."""

_INDEXED = {"mp4", "mov", "matroska", "webm"}  # formats whose index leads to a key picture
_TRANSPARENT_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_STILL_BRANDS = {"avif", "heic", "heix", "heim", "heis", "mif1", "miaf"}
_ENCRYPTED_TAGS = {"encv", "drmi"}
_RAW_JPEG = {".mjpeg", ".mjpg"}
_TEXT = ("tty", "txt", "srt", "ass", "webvtt")  # text that ffmpeg would paint as a video, or read


class Incoming(Protocol):
    """What comes as it comes, and is read once."""

    def read(self, size: int) -> bytes:
        """Return so many bytes at most, none at the end."""
        ...


def open_incoming(
    incoming: Incoming, name: str
) -> tuple[av.container.InputContainer, av.VideoStream]:
    """Open a film that comes by a pipe, as `open_video` does a file.

    Args:
      incoming: the pipe; the caller's.
      name: of it, for messages.

    Raises:
      SourceError: it is no film, or none that can be read in one go.
    """
    try:
        container = av.open(incoming, options=open_options(), metadata_errors="replace")
    except (OSError, MemoryError, ValueError, av.error.FFmpegError) as error:
        raise SourceError(
            f"{name}: not a film that can be read from a pipe ({_reason(error)}); {PIPED}"
        ) from error
    try:
        return container, _choose_stream(Path(name), container)
    except BaseException:
        container.close()
        raise


def open_video(path: Path) -> tuple[av.container.InputContainer, av.VideoStream]:
    """Open a media file and choose its video stream (not a cover picture).

    Returns:
      The container, which the caller closes, and the stream.

    Raises:
      SourceError: missing, empty, a folder, not a media file, a still picture, or without video.
    """
    try:
        refuse_special(path)  # opening a pipe would wait for its writer
        if path.is_file() and path.stat().st_size == 0:
            raise SourceError(f"{path}: the file is empty (0 bytes); expected a video")
        if path.is_dir():
            raise SourceError(f"{path}: expected a video file, got a folder")
        # Of one picture behind the other, ffmpeg would take the first for a still.
        raw = "mjpeg" if path.suffix.lower() in _RAW_JPEG else None
        container = av.open(
            file_url(path.absolute()),
            format=raw,
            options=open_options(),
            metadata_errors="replace",
        )
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such video; check the path") from error
    except PermissionError as error:
        raise SourceError(f"{path}: no permission to read it") from error
    except (OSError, MemoryError, av.error.FFmpegError) as error:  # a size gone wild: memory
        if path.is_file() and is_scrambled(path):
            raise SourceError(f"{path}: {ENCRYPTED}") from error
        raise SourceError(
            f"{path}: not a video that can be read, or cut off before its index "
            f"({_reason(error)}); expected mp4, mkv, webm, mov, avi, gif, ..."
        ) from error
    try:
        return container, _choose_stream(path, container)
    except BaseException:
        container.close()
        raise


def _reason(error: Exception) -> str:
    code = getattr(error, "errno", None)
    if isinstance(error, OSError) and code in errno.errorcode:
        return error.strerror or str(error)
    return getattr(error, "strerror", None) or str(error)


def _choose_stream(path: Path, container: av.container.InputContainer) -> av.VideoStream:
    name = container.format.name
    if name == "webp_pipe" and _is_animated(path):
        raise SourceError(
            f"{path}: an animated WebP, which cannot be read here; convert it to a GIF or an MP4"
        )
    if name == _PICTURES[0] or name.endswith(_PICTURES[1]) or _is_still(container):
        raise SourceError(f"{path}: a still picture; expected a video (for a picture, use `image`)")
    if name in _TEXT:
        raise SourceError(f"{path}: a text file; expected a video")
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if streams:
        best = container.streams.best("video")
        chosen = best if best in streams else streams[0]
        if chosen.codec_context is None:
            raise SourceError(f"{path}: its video codec is not known here; convert it to H.264")
        return chosen
    if container.streams.audio:
        raise SourceError(f"{path}: only sound, no video track; expected a video")
    raise SourceError(f"{path}: no video track in this file; expected a video")


def _is_animated(path: Path) -> bool:
    if not path.is_file():  # what comes by a pipe
        return False
    with path.open("rb") as file:
        return b"ANIM" in file.read(64)  # a chunk that follows the header


def _is_still(container: av.container.InputContainer) -> bool:
    """Whether an ISO file is a picture (HEIC, AVIF) and no film; ``avis`` is one of pictures."""
    brand = container.metadata.get("major_brand", "").strip().lower()
    return brand in _STILL_BRANDS and all(stream.frames <= 1 for stream in container.streams.video)


def find_encryption(container: av.container.InputContainer, packet: av.Packet[Any]) -> bool:
    """Whether a file's pictures are encrypted, as far as it says so in a packet or its head."""
    stream = packet.stream
    tag = "" if stream.codec_context is None else stream.codec_context.codec_tag
    return (
        tag in _ENCRYPTED_TAGS
        or "enc_key_id" in stream.metadata
        or packet.has_sidedata("encryption_info")
    )


def is_scrambled(path: Path) -> bool:
    """Whether most packets of a transport stream say that they are encrypted (ISO 13818-1)."""
    with path.open("rb") as file:
        data = file.read(188 * 4096)
    heads = [data[place : place + 4] for place in range(0, len(data) - 187, 188)]
    if not heads or any(head[0] != 0x47 for head in heads):
        return False
    return sum(head[3] >> 6 > 1 for head in heads) * 2 > len(heads)


def decode_pictures(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    path: Path,
    *,
    packets: Iterator[av.Packet[av.VideoStream]] | None = None,
) -> Iterator[av.VideoFrame]:
    """Decode a stream from where it stands, passing over damaged data with a warning in the log.

    Args:
      container: it is open.
      stream: of it.
      path: for messages.
      packets: of the stream; None for those that come next.

    Raises:
      SourceError: the file can no longer be read (an error of the disk, not of the data).
    """
    stream.thread_type = "AUTO"
    decoder = _transparent_decoder(stream)
    damaged = 0
    packets = bridged_packets(container, stream) if packets is None else packets
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except av.error.InvalidDataError:
            damaged += 1
            break
        except (OSError, MemoryError, av.error.FFmpegError) as error:
            raise SourceError(f"{path}: reading failed: {_reason(error)}") from error
        try:
            yield from packet.decode() if decoder is None else decoder.decode(packet)
        except (av.error.FFmpegError, EOFError, MemoryError):
            damaged += 1
    if damaged:
        _log.warning("%s: passed over %d damaged parts of the video", path, damaged)


def _transparent_decoder(stream: av.VideoStream) -> av.VideoCodecContext | None:
    """Return the decoder of a WebM film with transparency, which ffmpeg's own ones leave out."""
    decoder = _TRANSPARENT_DECODERS.get(stream.codec_context.codec.canonical_name)
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    if decoder is None or tags.get("alpha_mode") != "1":
        return None
    try:
        context = av.CodecContext.create(decoder, "r")
    except av.codec.codec.UnknownCodecError:
        _log.warning("its transparency cannot be read: this PyAV has no %s", decoder)
        return None
    context.thread_type = "AUTO"
    return context


def seek_pictures(
    container: av.container.InputContainer, stream: av.VideoStream, path: Path, *, time: Fraction
) -> Iterator[av.VideoFrame] | None:
    """Decode a stream that was just opened from its last key picture at or before a time.

    Pictures that are stored after a key picture but shown before it (an open group of pictures)
    may need what was left out, and do not come.

    Args:
      container: just opened.
      stream: of it.
      path: for messages.
      time: seconds of the file's own time.

    Returns:
      The pictures, the key picture first, which may stand after ``time``: files keep times of
      decoding in their index. None where no key picture is found by a time: in formats without an
      index, or whose times are not exact.
    """
    if not set(container.format.name.split(",")) & _INDEXED or not stream.time_base:
        return None
    try:
        container.seek(int(time // stream.time_base), stream=stream)
    except (OSError, av.error.FFmpegError):
        return None
    pictures = decode_pictures(container, stream, path)
    key = next((picture for picture in pictures if picture.key_frame), None)
    return None if key is None else chain([key], pictures)


def picture_time(
    stamped: av.Packet | av.VideoFrame, container: av.container.InputContainer
) -> Fraction | None:
    """Return when a packet or a decoded picture is to be shown, in seconds, if the file says so.

    AVI knows only the order of decoding, and what ffmpeg makes up of it for pictures that are
    stored out of order does not ascend; the times of decoding do, at the same distances.
    """
    undecoded = container.format.name == "avi" and stamped.dts is not None
    stamp = stamped.dts if undecoded else stamped.pts
    if stamp is None or not stamped.time_base:
        return None
    return Fraction(stamp * stamped.time_base)


def find_orientation(picture: av.VideoFrame) -> Orientation:
    """Read the display matrix that comes with a decoded picture (the rotation tag)."""
    for side_data in picture.side_data.keys():  # iterating the mapping itself gives values
        if side_data.type == SideDataType.DISPLAYMATRIX:
            return Orientation.from_matrix(bytes(side_data))
    return Orientation()


def stream_seconds(stream: av.VideoStream) -> Fraction | None:
    """Return the duration that the file states for a stream, in seconds, if it does."""
    if stream.duration and stream.time_base:
        return Fraction(stream.duration * stream.time_base)
    # Matroska keeps a track's end as a tag: 00:00:02.966000000
    parts = stream.metadata.get("DURATION", "").split(":")
    if len(parts) != 3:
        return None
    try:
        end = sum((Fraction(part) * 60 ** (2 - n) for n, part in enumerate(parts)), Fraction(0))
    except (ValueError, ZeroDivisionError):
        return None
    return end - Fraction((stream.start_time or 0) * (stream.time_base or 0))


@dataclass(frozen=True, kw_only=True)
class Orientation:
    """Transpose first, then flip.

    Attributes:
      transpose: exchange rows and columns.
      flip_x: then mirror left and right.
      flip_y: then mirror top and bottom.
      tilted: whether more than that was asked for, which is not done.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False
    tilted: bool = False

    @classmethod
    def from_matrix(cls, matrix: bytes) -> Orientation:
        """Read a display matrix (ISO 14496-12: nine 32-bit integers in the machine's order).

        A point (x, y) of the stored picture is shown at (a x + c y, b x + d y), the matrix's first
        two rows being (a, b, u) and (c, d, v). A turn by something else than a multiple of 90
        degrees is taken to the nearest one.
        """
        a, b, _, c, d = struct.unpack("=9i", matrix[:36])[:5]
        straight, across = abs(a) + abs(d), abs(b) + abs(c)
        tilted = min(straight, across) > _TILTED * max(straight, across)
        if straight >= across:
            return cls(flip_x=a < 0, flip_y=d < 0, tilted=tilted)
        return cls(transpose=True, flip_x=c < 0, flip_y=b < 0, tilted=tilted)

    @property
    def rotation(self) -> int:
        """Degrees clockwise (0, 90, 180, 270) by which the stored picture is turned."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    def turn_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the upright (width, height) of a stored (width, height)."""
        return (size[1], size[0]) if self.transpose else size

    def turn(self, image: Image) -> Image:
        """Return the upright picture, uint8 (H, W, 3), C-contiguous."""
        turned: cv2.typing.MatLike = cv2.transpose(image) if self.transpose else image
        if self.flip_x or self.flip_y:
            turned = cv2.flip(turned, -1 if self.flip_x and self.flip_y else int(self.flip_x))
        return np.ascontiguousarray(turned, dtype=np.uint8)
