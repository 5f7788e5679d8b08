"""Writes a video file: pictures from the pipeline, sound and subtitles from the source.

The pictures go into a hidden file; at the end, they and the other tracks go into the real one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame
from stylizer.io.atomic import (
    check_not_source,
    check_target,
)
from stylizer.io.media.encoders import choose_encoder
from stylizer.io.media.encoding import VideoWriterConfig
from stylizer.io.media.formats import CONTAINERS, GIF_TOP_RATE, Container
from stylizer.io.media.part import plan_part
from stylizer.io.media.segments import PictureEncoder
from stylizer.io.media.timeline import Timeline
from stylizer.io.media.tracks import SourceTracks
from stylizer.io.sinks.video_file import LateTracks, VideoFile, VideoPlan

__all__ = ["TIMED", "VideoWriter", "VideoWriterConfig"]

TIMED = "expected .mp4, .mkv, .webm or .mov to keep a variable rate (--vfr), got another kind"

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
      are. When the pictures end early (Ctrl-C, a closed window), the rest is cut there. That of a
      part is cut to it, and encoded anew for that.
    * Left by Ctrl-C, the file is finished under its name. Left by another error, it is finished as
      ``name.partial.mp4`` beside it, and the log says so; the target is not touched.
    * Frames are shown one after the other at ``rate``, or at the times that are given; their own
      ``index`` and ``time`` are not used.

    Attributes:
      config: how the pictures are encoded, with the encoder that is really used.
      overwrite: whether an existing file may be replaced.
      transparent: whether it says how opaque frames are.
    """

    def __init__(  # noqa: PLR0913 - each is a fact of its own about the file to be
        self,
        path: Path,
        *,
        size: tuple[int, int],
        rate: Fraction,
        source: Path | SourceTracks | LateTracks | None = None,
        span: tuple[Fraction, Fraction | None] | None = None,
        config: VideoWriterConfig | None = None,
        overwrite: bool = False,
        transparent: bool = False,
        times: Timeline | None = None,
        metadata: bool = True,
    ) -> None:
        """Check what can be checked before any work is done; nothing is written yet.

        Args:
          path: the file to be; its suffix chooses the kind.
          size: (width, height) of the frames, in pixels.
          rate: frames a second, exact.
          source: the video that sound, subtitles, title and chapters come from, or what was planned
            of it, now or when all pictures are written; None for neither.
          span: of a video, if a part is written; see `stylizer.io.media.part.plan_part`.
          config: how to encode; None for the defaults.
          overwrite: whether an existing file may be replaced.
          transparent: write how opaque frames are, in files that can hold it: WebM as VP9, MOV as
            ProRes 4444. Elsewhere a transparent frame is laid on white, which the log tells.
          times: when frames stand, as those of a source with a variable rate; None for ``rate``.
          metadata: whether the file says what the source says of title, date, place and device, of
            its tracks' names, timecode and cover; languages and chapters are kept in any case.

        Raises:
          SinkError: the path cannot be written, is the source, or has no known suffix; the source
            cannot be read; the encoder does not work here.
          ConfigError: size, rate or crf is out of range, the encoder is of another codec, or a GIF
            is to have times of its own.
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
        if isinstance(source, str | Path):
            check_not_source(self._path, Path(source))
        elif isinstance(source, SourceTracks):
            check_not_source(self._path, source.path)
        check_target(self._path, overwrite=overwrite)
        container, config = CONTAINERS[suffix], config or VideoWriterConfig()
        config = config if times is None else replace(config, b_frames=False)
        transparent = transparent and container.transparent != ""
        config = choose_encoder(config, size, container, transparent=transparent)
        if container.video == "gif" and times is not None:
            raise ConfigError(f"{self._path}: {TIMED}")
        if container.video == "gif" and rate > GIF_TOP_RATE:
            _log.warning("a GIF has at most %s frames a second: some are left out", GIF_TOP_RATE)
        tracks = (
            plan_part(Path(source), container, suffix=suffix, span=span)
            if isinstance(source, str | Path)
            else source
        )
        self._plan = VideoPlan(
            path=self._path,
            container=container,
            size=size,
            rate=rate,
            tracks=tracks if metadata else _bare(tracks),
            config=config,
            overwrite=overwrite,
            transparent=transparent,
            times=times,
        )
        self.config, self.overwrite, self.transparent = config, overwrite, transparent
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
        self._file.write(frame)

    def encoder(self, path: Path) -> PictureEncoder:
        """Start an encoder of some of the pictures, for `assemble`: a run of frames in a file.

        Args:
          path: the file to write; the caller's.

        Raises:
          SinkError: ffmpeg is missing.
        """
        return self._plan.encoder(path)

    def assemble(self, parts: Sequence[Path], *, rename: Callable[[Path], object]) -> int:
        """Make the file of pictures that are encoded already, in place of opening the writer.

        Args:
          parts: what encoders wrote, in order; they stay as they are. Temporary files are made
            beside them, so that must be on the disk of the writer's path.
          rename: gives the finished file, which is told, the writer's path.

        Returns:
          How many frames it has.

        Raises:
          SinkError: ffmpeg failed, or the parts cannot be joined; the target is not touched.
        """
        with closing(VideoFile(self._plan, parts=parts)) as file:
            return file.assemble(rename)

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
        with closing(file):
            if kind is None or issubclass(kind, KeyboardInterrupt):
                file.finish(interrupted=kind is not None)
            else:
                file.rescue()


def _bare(tracks: SourceTracks | LateTracks | None) -> SourceTracks | LateTracks | None:
    """Return tracks without metadata, also those that are planned when all pictures are written."""
    if not callable(tracks):
        return None if tracks is None else tracks.bare()

    def late(container: Container, suffix: str) -> SourceTracks | None:
        found = tracks(container, suffix)
        return None if found is None else found.bare()

    return late
