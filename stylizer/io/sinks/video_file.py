"""A video file in the making: encoded pictures in a hidden file, and how that may end."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from stylizer.errors import SinkError
from stylizer.frame import Frame
from stylizer.io.atomic import claim_temporary, partial_path, publish
from stylizer.io.media.encoding import VideoWriterConfig, gif_arguments
from stylizer.io.media.ffmpeg import is_playable, run_ffmpeg
from stylizer.io.media.formats import Container
from stylizer.io.media.mux import longest_sound, mux
from stylizer.io.media.segments import PictureEncoder, count_pictures, join_pictures
from stylizer.io.media.timeline import Timeline
from stylizer.io.media.tracks import SourceTracks

__all__ = ["LateTracks", "VideoFile", "VideoPlan"]

_log = logging.getLogger(__name__)

LateTracks = Callable[[Container, str], SourceTracks | None]
"""Says what goes along when all pictures are written, by the kind of the file and its suffix."""

_SAME_LENGTH = Fraction(1, 2)
"""Seconds (or two frames) that may lack at the end of pictures that count as all of the source."""


@dataclass(frozen=True, kw_only=True)
class VideoPlan:
    """What a video file is made of.

    Attributes:
      path: the file to be.
      container: its kind.
      tracks: what goes along from the source, or who says so at the end; None for pictures alone.
      transparent: whether pictures are RGBA.
      times: of the pictures; None for the constant rate.
    """

    path: Path
    container: Container
    size: tuple[int, int]
    rate: Fraction
    tracks: SourceTracks | LateTracks | None
    config: VideoWriterConfig
    overwrite: bool
    transparent: bool
    times: Timeline | None = None

    def encoder(self, path: Path) -> PictureEncoder:
        """Start an encoder of pictures."""
        return PictureEncoder(
            path,
            size=self.size,
            rate=self.rate,
            container=self.container,
            config=self.config,
            transparent=self.transparent,
        )


class VideoFile:
    """An encoder at work on a hidden file beside the target, and the ways in which that ends.

    Whoever makes one calls `close` at the end, after `finish` or `rescue`.
    """

    def __init__(self, plan: VideoPlan, *, parts: Sequence[Path] = ()) -> None:
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
            if len(self._parts) == 1 and self._plan.times is None:
                self._frames = count_pictures(self._pictures)
            else:
                self._join(self._parts)
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

    def _join(self, parts: Sequence[Path]) -> None:
        """Join encoded pictures to those of the whole, each at its time."""
        plan, self._pictures = self._plan, self._claim_pictures()
        self._frames = join_pictures(parts, self._pictures, rate=plan.rate, times=plan.times)

    def _mux(self) -> Path:
        """Join pictures and tracks in a new temporary file, and return it."""
        if self._plan.times is not None and not self._parts:
            self._join([self._pictures])
        plan, whole, tracks = self._plan, self._claim(self._suffix), self._tracks
        _log.info("finishing %s after %d frames", self._path, self._frames)
        if plan.container.video == "gif":
            palette, plays = self._claim(".png"), 0 if tracks is None else tracks.plays
            for run in gif_arguments(self._pictures, palette, whole, rate=plan.rate, plays=plays):
                run_ffmpeg(run)
        else:
            end = self._cut()
            mux(self._pictures, whole, container=plan.container, tracks=tracks, end=end)
        return whole

    @cached_property
    def _tracks(self) -> SourceTracks | None:
        plan = self._plan
        if not callable(plan.tracks):
            return plan.tracks
        try:
            return plan.tracks(plan.container, self._suffix)
        except SinkError as error:
            _log.warning("sound and subtitles are left out: %s", error)
            return None

    def _cut(self) -> Fraction | None:
        """Return where to cut the other tracks, in seconds of pictures; None without any."""
        tracks, times = self._tracks, self._plan.times
        end = self._frames / self._plan.rate if times is None else times.time(self._frames)
        if tracks is None:
            return None
        full, slack = tracks.video_duration, max(_SAME_LENGTH, 2 / self._plan.rate)
        begin, until = tracks.span or (Fraction(0), None)
        early = until is not None or (full is not None and end < full - begin - slack)
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
