"""Writes a video file: pictures from the pipeline, sound and subtitles from the source."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame, Image, check_image
from stylizer.io.atomic import check_not_source, check_target
from stylizer.io.media.encoding import VideoWriterConfig, check_crf
from stylizer.io.media.formats import CONTAINERS, GIF_TOP_RATE, Container
from stylizer.io.media.tracks import plan_tracks
from stylizer.io.sinks.video_file import VideoFile, VideoPlan

__all__ = ["VideoWriter", "VideoWriterConfig"]

_log = logging.getLogger(__name__)


class VideoWriter:
    """A sink that writes ``.mp4``, ``.mov``, ``.mkv`` (H.264), ``.webm`` (VP9) or ``.gif``.

    The pictures are encoded, as they come, into a hidden file beside the target. When the block
    ends, they are joined with the source's sound and subtitles (copied where the new container
    allows it, else re-encoded; what cannot go along is named in a warning), title and chapters, and
    the whole takes the target's name.

    * H.264 needs an even width and height: an odd one is filled up with one more column at the
      right, or row at the bottom, that repeats the edge. Nothing is scaled or cut off.
    * Sound keeps its place against the pictures, and its length, even when it is longer than they
      are. When the pictures end early (Ctrl-C, a closed window), the rest is cut there.
    * Left by Ctrl-C, the file is finished under its name. Left by another error, it is finished as
      ``name.partial.mp4`` beside it, and the log says so; the target is not touched.
    * Frames are shown one after the other at ``rate``; their ``index`` and ``time`` are not used.
    """

    def __init__(  # noqa: PLR0913 - each is a fact of its own about the file to be
        self,
        path: Path,
        *,
        size: tuple[int, int],
        rate: Fraction,
        source: Path | None = None,
        config: VideoWriterConfig | None = None,
        overwrite: bool = False,
    ) -> None:
        """Check what can be checked before any work is done; nothing is written yet.

        Args:
          path: the file to be; its suffix chooses the kind.
          size: (width, height) of the frames, in pixels.
          rate: frames a second, exact.
          source: the video that sound, subtitles, title and chapters come from; None for neither.
          config: how to encode; None for the defaults.
          overwrite: whether an existing file may be replaced.

        Raises:
          SinkError: the path cannot be written, is the source, or has no known suffix; the source
            cannot be read.
          ConfigError: size, rate or crf is out of range.
        """
        self._path = Path(path)
        suffix = self._path.suffix.lower()
        if suffix not in CONTAINERS:
            raise SinkError(
                f"{self._path}: expected a file ending in {' '.join(CONTAINERS)}, "
                f"got {self._path.suffix or 'no ending'!r}"
            )
        if min(size) < 1 or rate <= 0:
            raise ConfigError(f"expected a size and a rate above 0, got {size} and {rate}")
        if source is not None:
            check_not_source(self._path, Path(source))
        check_target(self._path, overwrite=overwrite)
        container, config = CONTAINERS[suffix], config or VideoWriterConfig()
        check_crf(config, container)
        if container.video == "gif" and rate > GIF_TOP_RATE:
            _log.warning("a GIF has at most %s frames a second: some are left out", GIF_TOP_RATE)
        self._size = size
        self._plan = VideoPlan(
            path=self._path,
            container=container,
            size=_padded_size(size, container),
            rate=rate,
            tracks=None if source is None else plan_tracks(Path(source), container, suffix=suffix),
            config=config,
            overwrite=overwrite,
        )
        self._file: VideoFile | None = None

    def __enter__(self) -> Self:
        """Start the encoder.

        Raises:
          SinkError: the folder cannot be written, or ffmpeg is missing.
        """
        self._file = VideoFile(self._plan)
        return self

    def write(self, frame: Frame) -> None:
        """Append a frame.

        Raises:
          SinkError: the frame has another size, the writer is not open, or ffmpeg has died.
        """
        if self._file is None:
            raise SinkError(f"{self._path}: the writer is not open; use it in a with block")
        image = check_image(frame.image, name=f"frame {frame.index}")
        if frame.size != self._size:
            raise SinkError(
                f"frame {frame.index}: expected {_by(self._size)} pixels for {self._path.name}, "
                f"got {_by(frame.size)}; all frames of a video have one size"
            )
        self._file.write(self._pad(image))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file under its name (also after Ctrl-C), or as a partial one after an error.

        Raises:
          SinkError: ffmpeg failed, or no frame was written.
        """
        file, self._file = self._file, None
        if file is None:
            return
        try:
            if kind is None or issubclass(kind, KeyboardInterrupt):
                file.finish(interrupted=kind is not None)
            else:
                file.rescue()
        finally:
            file.discard()

    def _pad(self, image: Image) -> Image:
        if self._plan.size == self._size:
            return image
        right, bottom = self._plan.size[0] - self._size[0], self._plan.size[1] - self._size[1]
        return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def _padded_size(size: tuple[int, int], container: Container) -> tuple[int, int]:
    width, height = size
    if not container.needs_even_size or width % 2 == height % 2 == 0:
        return size
    padded = width + width % 2, height + height % 2
    _log.info("H.264 needs an even size: %s for %s", _by(padded), _by(size))
    return padded


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
