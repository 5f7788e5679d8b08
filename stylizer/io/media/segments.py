"""Files of encoded pictures alone, from which a video file is made; and several joined to one.

`stylizer.io.media.encoding.encode_arguments` has them made: pictures at a constant rate, each file
beginning with one that needs no other. Files that were encoded with the same settings differ in
their pictures only, so that joining copies and does not encode.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2

# isort: split
import av
import av.error
import numpy as np

from stylizer.errors import SinkError
from stylizer.frame import Frame, Image, check_image
from stylizer.io.files import reason
from stylizer.io.media.encoding import VideoWriterConfig, encode_arguments
from stylizer.io.media.ffmpeg import FfmpegProcess
from stylizer.io.media.formats import Container
from stylizer.io.media.inputs import file_url
from stylizer.io.media.timeline import Timeline
from stylizer.notices import notice

__all__ = ["PictureEncoder", "count_pictures", "join_pictures", "padded_size", "tell_padding"]


_log = logging.getLogger(__name__)


class PictureEncoder:
    """An encoder at work on a file of pictures. Whoever makes one calls `kill` at the end.

    Attributes:
      path: the file.
      frames: how many were written.
    """

    def __init__(  # noqa: PLR0913 - each is a fact of its own about the file to be
        self,
        path: Path,
        *,
        size: tuple[int, int],
        rate: Fraction,
        container: Container,
        config: VideoWriterConfig,
        transparent: bool = False,
        arguments: Sequence[str] | None = None,
        output: int | None = None,
    ) -> None:
        """Start the encoder.

        Args:
          path: the file to write; its kind does not follow from its name.
          size: (width, height) of the frames, in pixels; see `padded_size`.
          rate: frames a second, exact.
          container: the kind of the video file to be, which chooses the codec.
          config: how to encode.
          transparent: write how opaque frames are; else a transparent one is laid on white, which
            the log tells.
          arguments: for ffmpeg, from frames of the size that they are filled up to; None for those
            of a file.
          output: where what ffmpeg writes to its standard output goes; the caller's.

        Raises:
          SinkError: ffmpeg is missing.
        """
        self.path, self.frames = path, 0
        self._size, self._transparent = size, transparent
        self._padded = size if transparent else padded_size(size, container)
        self._laid_on_white = False
        arguments = arguments or encode_arguments(
            path,
            size=self._padded,
            rate=rate,
            container=container,
            config=config,
            transparent=transparent,
        )
        self._process = FfmpegProcess(arguments, piped=True, output=output)

    def write(self, frame: Frame) -> None:
        """Append a frame.

        Raises:
          SinkError: the frame has another size, or ffmpeg has died.
        """
        image = check_image(frame.image, name=f"frame {frame.index}")
        if frame.size != self._size:
            raise SinkError(
                f"frame {frame.index}: expected {_by(self._size)} pixels, got {_by(frame.size)}; "
                "all frames of a video have one size"
            )
        self._process.write(self._pixels(image, frame.alpha).data.cast("B"))
        self.frames += 1

    def finish(self) -> None:
        """Write what is still on its way, and wait for the encoder's end.

        Raises:
          SinkError: ffmpeg failed.
        """
        self._process.finish()

    def kill(self) -> None:
        """End the encoder whatever it does, if it still runs; may be called again."""
        self._process.kill()

    def _pixels(self, image: Image, alpha: Image | None) -> Image:
        """Return what goes to the encoder: RGB, or RGBA, of its size."""
        if self._transparent:
            full = np.full(image.shape[:2], 255, np.uint8) if alpha is None else alpha
            return np.dstack([image, full])
        if alpha is not None and not self._laid_on_white:
            self._laid_on_white = True
            advice = "choose .webm, .mov, or .png pictures to keep it"
            _log.warning("the source is transparent in places, painted on white; %s", advice)
        if self._padded == self._size:
            return image
        right, bottom = self._padded[0] - self._size[0], self._padded[1] - self._size[1]
        return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def padded_size(size: tuple[int, int], container: Container) -> tuple[int, int]:
    """Return the (width, height) that frames of a size are filled up to, as the codec needs it."""
    width, height = size
    if not container.needs_even_size:
        return size
    return width + width % 2, height + height % 2


def tell_padding(size: tuple[int, int], container: Container) -> None:
    """Say it to the user where frames of a size are filled up."""
    padded = padded_size(size, container)
    if padded != size:
        notice.info(
            "%dx%d becomes %dx%d, with its last column or row twice: H.264 needs even numbers; "
            ".webm and pictures keep the size",
            *(*size, *padded),
        )


def count_pictures(path: Path) -> int:
    """Return how many pictures a file of encoded pictures holds; nothing is decoded.

    Raises:
      SinkError: it cannot be read.
    """
    return sum(1 for _ in _packets(path))


def join_pictures(
    parts: Sequence[Path], output: Path, *, rate: Fraction, times: Timeline | None = None
) -> int:
    """Join files of encoded pictures, one after the other, without encoding them again.

    Picture n of the whole is shown at n / rate, or at its own time.

    Args:
      parts: files of the same settings, one or more.
      output: the file of pictures to write; WebM or MOV by its suffix, else MP4.
      rate: their frames a second, exact.
      times: of the whole's pictures; None for a constant rate.

    Returns:
      How many pictures the whole holds.

    Raises:
      SinkError: a part cannot be read, or was encoded with other settings than the first; the
        output cannot be written.
    """
    try:
        muxer = _MUXERS.get(output.suffix, "mp4")
        with av.open(file_url(output), "w", format=muxer) as whole:
            with _open(parts[0]) as first:
                settings = _settings(first)
                stream = whole.add_stream_from_template(first.streams.video[0])
                if muxer == "mov":  # it tells the kinds of ProRes apart
                    stream.codec_context.codec_tag = first.streams.video[0].codec_context.codec_tag
            unit = 1 / rate if times is None else times.tick
            stamp = int if times is None else times.stamp
            stream.time_base = unit
            delay = max(_delay(part, rate) for part in parts)
            count = 0
            for part in parts:
                begins = count
                with _open(part) as file:
                    if _settings(file) != settings:
                        raise SinkError(
                            f"{part}: was encoded with other settings than {parts[0].name}; the "
                            "two cannot be joined: begin anew"
                        )
                for packet in _packets(part):
                    place = begins + _place(packet, rate)
                    packet.pts, packet.dts = stamp(place), stamp(count - delay)
                    packet.duration, packet.time_base = stamp(place + 1) - stamp(place), unit
                    packet.stream = stream
                    whole.mux(packet)
                    count += 1
    except (OSError, av.error.FFmpegError) as error:
        raise SinkError(f"{output}: the parts cannot be joined ({reason(error)})") from error
    return count


_MUXERS = {".webm": "webm", ".mov": "mov"}


def _delay(part: Path, rate: Fraction) -> int:
    """Return by how many pictures decoding must be ahead of showing."""
    return max(number - _place(packet, rate) for number, packet in enumerate(_packets(part)))


def _place(packet: av.Packet, rate: Fraction) -> int:
    """Return the number of a packet's picture among those of its file."""
    place: int = round(packet.pts * packet.time_base * rate)
    return place


def _packets(path: Path) -> Iterator[av.Packet]:
    try:
        with _open(path) as file:
            yield from (packet for packet in file.demux(video=0) if packet.size)
    except (OSError, IndexError, av.error.FFmpegError) as error:
        raise SinkError(f"{path}: cannot be read ({error})") from error


def _open(path: Path) -> av.container.InputContainer:
    return av.open(file_url(path))


def _settings(file: av.container.InputContainer) -> tuple[object, ...]:
    context = file.streams.video[0].codec_context
    return context.name, context.width, context.height, context.pix_fmt, context.extradata


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
