"""Writes a video file: pictures from the pipeline, sound and subtitles from the source.

The pictures go into a hidden file; at the end, they and the other tracks go into the real one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame
from stylizer.io.atomic import (
    check_not_source,
    check_target,
    claim_temporary,
    partial_path,
    publish,
)
from stylizer.io.media.encoders import choose_encoder
from stylizer.io.media.encoding import VideoWriterConfig, gif_arguments, is_playable, run_ffmpeg
from stylizer.io.media.formats import CONTAINERS, GIF_TOP_RATE, Container
from stylizer.io.media.mux import longest_sound, mux
from stylizer.io.media.segments import PictureEncoder, count_pictures, join_pictures
from stylizer.io.media.tracks import SourceTracks, plan_tracks

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
        source: Path | SourceTracks | None = None,
        config: VideoWriterConfig | None = None,
        overwrite: bool = False,
        transparent: bool = False,
    ) -> None:
        """Check what can be checked before any work is done; nothing is written yet.

        Args:
          path: the file to be; its suffix chooses the kind.
          size: (width, height) of the frames, in pixels.
          rate: frames a second, exact.
          source: the video that sound, subtitles, title and chapters come from, or what was planned
            of it; None for neither.
          config: how to encode; None for the defaults.
          overwrite: whether an existing file may be replaced.
          transparent: write how opaque frames are, in files that can hold it: WebM as VP9, MOV as
            ProRes 4444. Elsewhere a transparent frame is laid on white, which the log tells.

        Raises:
          SinkError: the path cannot be written, is the source, or has no known suffix; the source
            cannot be read; the encoder does not work here.
          ConfigError: size, rate or crf is out of range, or the encoder is of another codec.
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
            original = source.path if isinstance(source, SourceTracks) else Path(source)
            check_not_source(self._path, original)
        check_target(self._path, overwrite=overwrite)
        container, config = CONTAINERS[suffix], config or VideoWriterConfig()
        transparent = transparent and container.transparent != ""
        config = choose_encoder(config, size, container, transparent=transparent)
        if container.video == "gif" and rate > GIF_TOP_RATE:
            _log.warning("a GIF has at most %s frames a second: some are left out", GIF_TOP_RATE)
        self._plan = _VideoPlan(
            path=self._path,
            container=container,
            size=size,
            rate=rate,
            tracks=(
                source
                if source is None or isinstance(source, SourceTracks)
                else plan_tracks(Path(source), container, suffix=suffix)
            ),
            config=config,
            overwrite=overwrite,
            transparent=transparent,
        )
        self.config, self.overwrite, self.transparent = config, overwrite, transparent
        self._file: _VideoFile | None = None

    def __enter__(self) -> Self:
        """Start the encoder.

        Raises:
          SinkError: the folder cannot be written, or ffmpeg is missing.
        """
        self._file = _VideoFile(self._plan)
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
        with closing(_VideoFile(self._plan, parts=parts)) as file:
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


_SAME_LENGTH = Fraction(1, 2)
"""Seconds (or two frames) that may lack at the end of pictures that count as all of the source."""


@dataclass(frozen=True, kw_only=True)
class _VideoPlan:
    """What a video file is made of.

    Attributes:
      path: the file to be.
      container: its kind.
      tracks: what goes along from the source; None for pictures alone.
      transparent: whether pictures are RGBA.
    """

    path: Path
    container: Container
    size: tuple[int, int]
    rate: Fraction
    tracks: SourceTracks | None
    config: VideoWriterConfig
    overwrite: bool
    transparent: bool

    def encoder(self, path: Path) -> PictureEncoder:
        return PictureEncoder(
            path,
            size=self.size,
            rate=self.rate,
            container=self.container,
            config=self.config,
            transparent=self.transparent,
        )


class _VideoFile:
    """An encoder at work on a hidden file beside the target, and the ways in which that ends.

    Whoever makes one calls `close` at the end, after `finish` or `rescue`.
    """

    def __init__(self, plan: _VideoPlan, *, parts: Sequence[Path] = ()) -> None:
        """Start the encoder, unless the pictures are encoded already.

        Raises:
          SinkError: the folder cannot be written, or ffmpeg is missing.
        """
        self._plan, self._path = plan, plan.path
        self._suffix = plan.path.suffix.lower()
        self._frames = 0
        self._temporary: list[Path] = []
        self._parts = tuple(parts)
        self._encoder: PictureEncoder | None = None
        if self._parts:
            self._pictures = self._parts[0]
            return
        self._pictures = self._claim_pictures()
        try:
            self._encoder = plan.encoder(self._pictures)
        except BaseException:
            self._remove_temporary()
            raise

    def write(self, frame: Frame) -> None:
        """Append a frame.

        Raises:
          SinkError: it has another size, or ffmpeg has died.
        """
        if self._encoder is None:
            return
        try:
            self._encoder.write(frame)
        except SinkError as error:
            raise self._named(error) from error
        self._frames += 1

    def assemble(self, rename: Callable[[Path], object]) -> int:
        """Join the parts, and them with the other tracks; return how many frames there are.

        Raises:
          SinkError: ffmpeg failed, or a part cannot be read.
        """
        try:
            if len(self._parts) == 1:
                self._frames = count_pictures(self._pictures)
            else:
                self._pictures = self._claim_pictures()
                self._frames = join_pictures(self._parts, self._pictures, rate=self._plan.rate)
            rename(self._mux())
        except SinkError as error:
            raise self._named(error) from error
        return self._frames

    def finish(self, *, interrupted: bool) -> None:
        """Join the pictures with the other tracks under the plan's name.

        Args:
          interrupted: whether Ctrl-C ended the work: then there may be no frame, and the log says
            how many there are.

        Raises:
          SinkError: ffmpeg failed, or no frame was written.
        """
        if not self._frames:
            if interrupted:
                return
            raise SinkError(f"{self._path}: not one frame was written, so there is no file")
        try:
            self._finish_encoder()
            whole = self._mux()
            publish(whole, self._path, overwrite=self._plan.overwrite)
        except SinkError as error:
            self.rescue()
            raise self._named(error) from error
        except KeyboardInterrupt:  # the second: there is no time for sound any more
            self._keep_pictures()
            raise
        if interrupted:
            _log.warning("interrupted: %s holds the %d frames so far", self._path, self._frames)

    def rescue(self) -> None:
        """Keep what there is as ``name.partial.*``; an error here must not hide the first one."""
        if not self._frames:
            return
        with suppress(SinkError):
            self._finish_encoder()
        try:
            whole = self._mux()
            partial = partial_path(self._path.with_suffix(self._suffix))
            publish(whole, partial, overwrite=False)
        except SinkError as error:
            _log.debug("the partial file cannot be finished: %s", error)
            self._keep_pictures()
        else:
            _log.warning("not finished; the frames so far are kept in %s", partial)

    def close(self) -> None:
        """End the encoder and remove what is left of hidden files."""
        self._kill_encoder()
        self._remove_temporary()

    def _finish_encoder(self) -> None:
        if self._encoder is not None:
            self._encoder.finish()

    def _kill_encoder(self) -> None:
        if self._encoder is not None:
            self._encoder.kill()

    def _keep_pictures(self) -> None:
        """Keep the intermediate file as it is: it takes no space on a full disk, and no time."""
        self._kill_encoder()
        if not is_playable(self._pictures):
            _log.warning("not finished; no frame could be kept of %s", self._path)
            return
        partial = partial_path(self._path.with_suffix(self._pictures.suffix))
        try:
            os.replace(self._pictures, partial)
        except OSError as error:
            _log.warning("not finished; %s cannot be written (%s)", partial, error.strerror)
        else:
            _log.warning("not finished; the frames so far, without sound, are in %s", partial)

    def _mux(self) -> Path:
        """Join pictures and tracks in a new temporary file, and return it."""
        plan, whole = self._plan, self._claim(self._suffix)
        _log.info("finishing %s after %d frames", self._path, self._frames)
        if plan.container.video == "gif":
            palette, plays = self._claim(".png"), 0 if plan.tracks is None else plan.tracks.plays
            for run in gif_arguments(self._pictures, palette, whole, rate=plan.rate, plays=plays):
                run_ffmpeg(run)
        else:
            end = self._cut()
            mux(self._pictures, whole, container=plan.container, tracks=plan.tracks, end=end)
        return whole

    def _cut(self) -> Fraction | None:
        """Return where to cut the other tracks, in seconds of pictures; None without any."""
        tracks, end = self._plan.tracks, self._frames / self._plan.rate
        if tracks is None:
            return None
        full, slack = tracks.video_duration, max(_SAME_LENGTH, 2 / self._plan.rate)
        early = full is not None and end < full - slack
        return end if early else longest_sound(tracks.path, pictures=end)

    def _claim_pictures(self) -> Path:
        return self._claim(self._suffix if self._plan.transparent else ".mp4")

    def _claim(self, suffix: str) -> Path:
        beside = self._parts[0] if self._parts else self._path
        path = claim_temporary(beside.with_name(self._path.name).with_suffix(suffix))
        self._temporary.append(path)
        return path

    def _named(self, error: SinkError) -> SinkError:
        text = str(error)
        return error if text.startswith(str(self._path)) else SinkError(f"{self._path}: {text}")

    def _remove_temporary(self) -> None:
        for path in self._temporary:
            with suppress(FileNotFoundError):
                path.unlink()
        self._temporary.clear()
