"""Films that come by a pipe as a source: read once, as they come, from the first picture on."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from stat import S_ISFIFO, S_ISSOCK

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av
import av.error

from stylizer.base import Managed
from stylizer.errors import SourceError
from stylizer.frame import Frame, Image
from stylizer.io.files import is_stdin, refuse_special
from stylizer.io.media.container import (
    ENCRYPTED,
    PIPED,
    decode_pictures,
    find_encryption,
    open_incoming,
    picture_time,
)
from stylizer.io.media.formats import Container
from stylizer.io.media.pictures import PictureConverter, deinterlaced, has_alpha
from stylizer.io.media.probe import find_shape, find_stream_rate
from stylizer.io.media.retime import at_constant_rate
from stylizer.io.media.timestamps import TrackCopies, bridged_packets
from stylizer.io.media.tracks import SourceTracks, plan_tracks
from stylizer.notices import notice

__all__ = ["PipeReader"]

_log = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds until someone must have opened a named pipe to write into it."""

_LOOK = 0.05
"""Seconds between two looks whether someone did."""

_PIECE = 1 << 16
"""Bytes that a pipe holds, on Linux."""

_LOOKED_AT, _HELD = 48, 8_000_000
"""Pictures, and bytes of them at most, whose times are looked at for the rate."""

_CARRIED = {"audio", "subtitle"}


class PipeReader(Managed):
    """Reads a film from the standard input or a named pipe, once.

    Its format must be one that can be read in one go: Y4M, Matroska, WebM, MPEG-TS, NUT, ...; also
    MP4 whose index stands at its beginning. Pictures come at a constant rate, as those of
    `stylizer.io.sources.video_reader.VideoReader`; that of a variable film is chosen by its first
    pictures. Sound and subtitles are copied aside meanwhile, as nothing can be read again.

    Attributes:
      name: of the pipe, for messages.
      size: (width, height) in pixels, upright.
      rate: frames per second, exact.
      transparent: whether pictures say how opaque they are.
    """

    def __init__(
        self, text: str, *, rate: Fraction | None = None, deinterlace: bool = True
    ) -> None:
        """Wait for the first pictures.

        Args:
          text: ``-`` for the standard input, or a path.
          rate: frames per second to give; None for the film's own.
          deinterlace: make whole pictures of interlaced ones.

        Raises:
          SourceError: nobody writes into the pipe, or what comes is no film that can be read so.
        """
        self.name = text
        self._pipe = _Pipe(text)
        self._closed = self._begun = False
        self._given = 0
        self._lock = threading.Lock()  # closing while another thread decodes would crash
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._copies: TrackCopies | None = None
        try:
            self._open(rate, deinterlace=deinterlace)
        except BaseException:
            self.close()
            raise

    @property
    def frame_count(self) -> None:
        """None: what will come is not known."""
        return None

    def plan_tracks(self, container: Container, suffix: str) -> SourceTracks | None:
        """Say how sound and subtitles so far get into a file; None without any.

        No more is copied after that.

        Args:
          container: the kind of the file.
          suffix: its usual ending.

        Raises:
          SinkError: the copy cannot be read.
        """
        copies, self._copies = self._copies, None
        if copies is None or self._folder is None:
            return None
        copies.close()
        tracks = plan_tracks(Path(self._folder.name) / _COPIES, container, suffix=suffix)
        return replace(
            tracks,
            video_start=copies.straightened.video_start,
            video_duration=self._given / self.rate,
            seams=False,
        )

    def drop_tracks(self) -> None:
        """Copy no sound nor subtitles: they cannot go where the pictures go."""
        if self._copies is not None:
            notice.info("the sound of what comes by a pipe is left out here; a video file keeps it")
        self._drop_copies()

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames as they come.

        Raises:
          SourceError: the reader is closed, was iterated before, or the pipe cannot be read on.
        """
        if self._closed or self._begun:
            raise SourceError(f"{self.name}: what comes by a pipe can be read once only")
        self._begun = True
        return self._frames()

    def close(self) -> None:
        """Close the pipe; closing twice does no harm."""
        self._pipe.close()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._drop_copies()
            container = getattr(self, "_container", None)
            if container is not None:
                container.close()
            if self._folder is not None:
                self._folder.cleanup()

    def _open(self, rate: Fraction | None, *, deinterlace: bool) -> None:
        self._container, self._stream = open_incoming(self._pipe, self.name)
        self._copy_tracks()
        packets = bridged_packets(self._container, self._stream, beside=self._take)
        head, times = self._look(packets)
        pictures = decode_pictures(
            self._container, self._stream, Path(self.name), packets=chain(head, packets)
        )
        first = next(pictures, None)
        if first is None:
            raise SourceError(f"{self.name}: no frame can be decoded of what came; {PIPED}")
        found, _ = find_stream_rate(self._stream, times, stamped=bool(times))
        shape = find_shape(self._stream, first, self.name)
        self.size = shape.width, shape.height
        self._step = 1 / found
        self.rate: Fraction = found if rate is None else Fraction(rate)
        self.transparent = has_alpha(first)
        self._convert = PictureConverter(
            self.size, orientation=shape.orientation, aspect=float(shape.pixel_aspect)
        )
        whole = chain([first], pictures)
        self._pictures = deinterlaced(whole, name=self.name) if deinterlace else whole

    def _look(
        self, packets: Iterator[av.Packet[av.VideoStream]]
    ) -> tuple[list[av.Packet[av.VideoStream]], list[Fraction]]:
        """Return the first packets, and when their pictures stand, ascending."""
        head, held = [], 0
        with suppress(OSError, av.error.FFmpegError):  # cut off, or no film: so few are there
            for packet in packets:
                if find_encryption(self._container, packet):
                    raise SourceError(f"{self.name}: {ENCRYPTED}")
                head.append(packet)
                held += packet.size
                if len(head) >= _LOOKED_AT or held >= _HELD:
                    break
        stamps = (picture_time(packet, self._container) for packet in head if packet.size)
        times = sorted(stamp for stamp in stamps if stamp is not None)
        # The last ones may lack others before them that come later.
        return head, times[: -len(times) // 3] if held < _HELD and len(times) > 24 else times

    def _copy_tracks(self) -> None:
        """Begin to copy sound and subtitles aside."""
        indices = [
            stream.index
            for stream in self._container.streams
            if stream.type in _CARRIED and _is_known(stream)
        ]
        if indices:
            self._folder = tempfile.TemporaryDirectory(prefix="stylizer-")
            target = Path(self._folder.name) / _COPIES
            self._copies = TrackCopies(self._container, target, indices=indices)

    def _take(self, packet: av.Packet[av.stream.Stream]) -> None:
        copies = self._copies
        if copies is None:
            return
        try:
            copies.take(packet)
        except (OSError, ValueError, av.error.FFmpegError) as error:
            _log.warning("%s: sound and subtitles are left out (%s)", self.name, error)
            self._drop_copies()

    def _drop_copies(self) -> None:
        copies, self._copies = self._copies, None
        if copies is not None:
            with suppress(OSError, ValueError, av.error.FFmpegError):  # they are not wanted
                copies.close()

    def _frames(self) -> Iterator[Frame]:
        picture: av.VideoFrame | None = None
        image: Image | None = None
        alpha: Image | None = None
        for index, shown in enumerate(at_constant_rate(self._timed(), self.rate)):
            if image is None or shown is not picture:
                picture, (image, alpha) = shown, self._convert(shown)
            else:
                image = image.copy()  # whoever got the last frame may have painted on it
            self._given = index + 1
            yield Frame(image, index, float(index / self.rate), alpha)

    def _timed(self) -> Iterator[tuple[av.VideoFrame, Fraction, Fraction]]:
        """Give decoded pictures with their time, and how long each stands if it is the last."""
        moment = -self._step
        while True:
            with self._lock:
                if self._closed:
                    raise SourceError(f"{self.name}: the pipe was closed while it was being read")
                picture = next(self._pictures, None)
            if picture is None:
                return
            stamp = picture_time(picture, self._container)
            moment = moment + self._step if stamp is None else stamp
            yield picture, moment, self._step


_COPIES = "tracks.nut"


def _is_known(stream: av.stream.Stream) -> bool:
    """Whether a track can be copied: of one that is announced and does not come, too little is."""
    context = stream.codec_context
    return context is not None and (stream.type != "audio" or context.sample_rate > 0)


class _Pipe:
    """An open pipe, as `stylizer.io.media.container.Incoming`."""

    def __init__(self, text: str) -> None:
        """Open it, and wait until someone writes into it.

        Raises:
          SourceError: it is no pipe, or nobody does.
        """
        self._ahead = b""
        self._closed = False
        self._handle = _open(text)
        try:
            if not is_stdin(text):
                self._wait(text)
                os.set_blocking(self._handle, True)
            self._ahead = self._ahead or os.read(self._handle, _PIECE)
            if not self._ahead:
                raise SourceError(f"{text}: nothing came by the pipe; expected a film")
        except OSError as error:
            self.close()
            raise SourceError(f"{text}: cannot be read ({error.strerror})") from error
        except BaseException:
            self.close()
            raise

    def read(self, size: int) -> bytes:
        """Return so many bytes at most; none at the end."""
        if self._closed:
            return b""
        if not self._ahead:
            return os.read(self._handle, size)
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    def close(self) -> None:
        """Close it; closing twice does no harm."""
        if not self._closed:
            self._closed = True
            os.close(self._handle)

    def _wait(self, text: str) -> None:
        """Wait until someone has opened a named pipe to write: before that, it seems to end."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                self._ahead = os.read(self._handle, _PIECE)
            except BlockingIOError:
                return
            if self._ahead:
                return
            time.sleep(_LOOK)
        raise SourceError(
            f"{text}: nobody wrote into this pipe within {_PATIENCE:.0f} s; start what writes first"
        )


def _open(text: str) -> int:
    try:
        if is_stdin(text):
            _check_stdin(text)
            return os.dup(0)
        refuse_special(Path(text), pipes=True)
        return os.open(text, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise SourceError(f"{text}: cannot be read ({error.strerror})") from error


def _check_stdin(text: str) -> None:
    if os.isatty(0):
        raise SourceError(
            f"{text}: expected a film by a pipe, got the terminal; for instance "
            "`ffmpeg -i in.mp4 -f matroska - | stylizer video - out.mp4`"
        )
    mode = os.fstat(0).st_mode
    if not (S_ISFIFO(mode) or S_ISSOCK(mode)):
        raise SourceError(f"{text}: expected a film by a pipe, got a device")
