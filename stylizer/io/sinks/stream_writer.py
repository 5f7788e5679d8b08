"""Writes a film into a pipe, as it comes: to the standard output for another program, or a FIFO."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from stylizer.errors import SinkError
from stylizer.frame import Frame
from stylizer.io.files import is_stdout
from stylizer.io.media.encoders import choose_encoder
from stylizer.io.media.encoding import VideoWriterConfig, stream_arguments
from stylizer.io.media.formats import CONTAINERS
from stylizer.io.media.mux import picture_arguments, track_arguments
from stylizer.io.media.part import plan_part
from stylizer.io.media.segments import PictureEncoder, padded_size
from stylizer.io.media.tracks import SourceTracks
from stylizer.protocols import EndOfStream

__all__ = ["StreamFormat", "StreamWriter"]

StreamFormat = Literal["mkv", "y4m"]
"""Matroska with H.264, and the sound of a source that is a file; or Y4M, pictures as they are."""

_GONE = "Broken pipe"


class StreamWriter:
    """A sink that writes a film into a pipe.

    Whatever else this process prints to its standard output goes to standard error meanwhile. When
    nobody reads any more, the stream ends in good order.
    """

    def __init__(  # noqa: PLR0913 - each is a fact of its own about the film to be
        self,
        text: str,
        *,
        size: tuple[int, int],
        rate: Fraction,
        kind: StreamFormat = "mkv",
        source: Path | None = None,
        span: tuple[Fraction, Fraction | None] | None = None,
        config: VideoWriterConfig | None = None,
        metadata: bool = True,
    ) -> None:
        """Check what can be checked before any work is done; nothing is written yet.

        Args:
          text: ``-`` for the standard output, or the path of a named pipe.
          size: (width, height) of the frames, in pixels.
          rate: frames a second, exact.
          kind: the format.
          source: the film that sound and subtitles come from; None for neither.
          span: of the film, if a part is written; see `stylizer.io.media.part.plan_part`.
          config: how to encode; None for the defaults.
          metadata: see `stylizer.io.sinks.video_writer.VideoWriter`.

        Raises:
          SinkError: the standard output is a terminal; the source cannot be read; the encoder does
            not work here.
          ConfigError: crf is out of its range.
        """
        if is_stdout(text) and sys.stdout is not None and os.isatty(1):
            raise SinkError(
                f"{text}: expected a pipe, got the terminal; for instance "
                "`stylizer video in.mp4 - -s starry_night | ffplay -`"
            )
        self._text, self._size, self._rate, self._kind = text, size, rate, kind
        container = CONTAINERS[".mkv"]
        self._config = choose_encoder(
            config or VideoWriterConfig(), size, container, transparent=False
        )
        self._tracks: SourceTracks | None = None
        if source is not None and kind == "mkv":
            tracks = plan_part(source, container, suffix=".mkv", span=span)
            self._tracks = tracks if metadata else tracks.bare()
        self._encoder: PictureEncoder | None = None
        self._stdout: int | None = None

    def __enter__(self) -> Self:
        """Start the encoder; that of a named pipe waits until someone reads.

        Raises:
          SinkError: ffmpeg is missing, or the pipe cannot be opened.
        """
        ours = is_stdout(self._text)
        handle = _take_stdout() if ours else _open_to_write(self._text)
        begin, end = (self._tracks and self._tracks.span) or (Fraction(0), None)
        inputs, mapping = track_arguments(self._tracks, end=None if end is None else end - begin)
        container = CONTAINERS[".mkv" if self._kind == "mkv" else ".webm"]  # any size is welcome
        arguments = stream_arguments(
            self._kind,
            size=padded_size(self._size, container),
            rate=self._rate,
            config=self._config,
            delay=picture_arguments(self._tracks),
            inputs=inputs,
            mapping=mapping,
        )
        try:
            self._encoder = PictureEncoder(
                Path(self._text),
                size=self._size,
                rate=self._rate,
                container=container,
                config=self._config,
                arguments=arguments,
                output=handle,
            )
        except BaseException:
            _give_stdout(handle) if ours else os.close(handle)
            raise
        if ours:
            self._stdout = handle
        else:
            os.close(handle)
        return self

    def write(self, frame: Frame) -> None:
        """Write a frame.

        Raises:
          EndOfStream: nobody reads any more.
          SinkError: it has another size, the writer is not open, or ffmpeg has died.
        """
        if self._encoder is None:
            raise SinkError(f"{self._text}: the writer is not open; use it in a with block")
        try:
            self._encoder.write(frame)
        except SinkError as error:
            if _GONE in str(error):
                raise EndOfStream from error
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the stream, whatever happened.

        Raises:
          SinkError: ffmpeg failed.
        """
        encoder, self._encoder = self._encoder, None
        if encoder is None:
            return
        try:
            encoder.finish()
        except SinkError as failure:
            if kind is None and _GONE not in str(failure):
                raise
        finally:
            encoder.kill()
            stdout, self._stdout = self._stdout, None
            if stdout is not None:
                _give_stdout(stdout)


def _take_stdout() -> int:
    """Return the standard output for the film alone; what is printed goes to standard error."""
    sys.stdout.flush()
    handle = os.dup(1)
    os.dup2(2, 1)
    return handle


def _give_stdout(handle: int) -> None:
    """Undo `_take_stdout`."""
    sys.stdout.flush()
    os.dup2(handle, 1)
    os.close(handle)


def _open_to_write(text: str) -> int:
    try:
        return os.open(text, os.O_WRONLY)
    except OSError as error:
        raise SinkError(f"{text}: cannot be written ({error.strerror})") from error
