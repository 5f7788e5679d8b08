"""A video file under way: pictures into a hidden file, then all tracks into the real one."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from stylizer.errors import SinkError
from stylizer.frame import Image
from stylizer.io.atomic import claim_temporary, publish
from stylizer.io.media.encoding import (
    VideoWriterConfig,
    encode_arguments,
    gif_arguments,
    mux_arguments,
)
from stylizer.io.media.ffmpeg import FfmpegProcess, is_playable, run_ffmpeg
from stylizer.io.media.formats import Container
from stylizer.io.media.tracks import SourceTracks

__all__ = ["VideoFile", "VideoPlan"]

_log = logging.getLogger(__name__)

_SAME_LENGTH = Fraction(1, 2)
"""Seconds (or two frames) that may lack at the end of pictures that count as all of the source."""


@dataclass(frozen=True, kw_only=True)
class VideoPlan:
    """What a video file is made of.

    Attributes:
      path: the file to be.
      container: its kind.
      size: (width, height) of the encoded pictures, in pixels.
      rate: frames a second, exact.
      tracks: what goes along from the source; None for pictures alone.
      config: how to encode.
      overwrite: whether an existing file may be replaced.
    """

    path: Path
    container: Container
    size: tuple[int, int]
    rate: Fraction
    tracks: SourceTracks | None
    config: VideoWriterConfig
    overwrite: bool


class VideoFile:
    """An encoder at work on a hidden file beside the target, and the ways in which that ends.

    Whoever makes one calls `discard` at the end, after `finish` or `rescue`.
    """

    def __init__(self, plan: VideoPlan) -> None:
        """Start the encoder.

        Raises:
          SinkError: the folder cannot be written, or ffmpeg is missing.
        """
        self._plan, self._path = plan, plan.path
        self._suffix = plan.path.suffix.lower()
        self._frames = 0
        self._temporary: list[Path] = []
        self._pictures = self._claim(".mp4")
        try:
            arguments = encode_arguments(
                self._pictures,
                size=plan.size,
                rate=plan.rate,
                container=plan.container,
                config=plan.config,
            )
            self._encoder = FfmpegProcess(arguments, piped=True)
        except BaseException:
            self._remove_temporary()
            raise

    def write(self, image: Image) -> None:
        """Append a picture, uint8 RGB (H, W, 3), C-contiguous, of the plan's size.

        Raises:
          SinkError: ffmpeg has died.
        """
        try:
            self._encoder.write(image.data.cast("B"))
        except SinkError as error:
            raise self._named(error) from error
        self._frames += 1

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
            self._encoder.finish()
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
            self._encoder.finish()
        try:
            whole = self._mux()
            partial = self._partial_path(self._suffix)
            publish(whole, partial, overwrite=False)
        except SinkError as error:
            _log.debug("the partial file cannot be finished: %s", error)
            self._keep_pictures()
        else:
            _log.warning("not finished; the frames so far are kept in %s", partial)

    def discard(self) -> None:
        """End the encoder and remove what is left of hidden files."""
        self._encoder.kill()
        self._remove_temporary()

    def _keep_pictures(self) -> None:
        """Keep the intermediate file as it is: it takes no space on a full disk, and no time."""
        self._encoder.kill()
        if not is_playable(self._pictures):
            _log.warning("not finished; no frame could be kept of %s", self._path)
            return
        partial = self._partial_path(".mp4")
        try:
            os.replace(self._pictures, partial)
        except OSError as error:
            _log.warning("not finished; %s cannot be written (%s)", partial, error.strerror)
        else:
            _log.warning("not finished; the frames so far, without sound, are in %s", partial)

    def _mux(self) -> Path:
        """Join pictures and tracks in a new temporary file, and return it."""
        whole = self._claim(self._suffix)
        _log.info("finishing %s after %d frames", self._path, self._frames)
        if self._plan.container.video == "gif":
            palette = self._claim(".png")
            for run in gif_arguments(self._pictures, palette, whole, rate=self._plan.rate):
                run_ffmpeg(run)
        else:
            run_ffmpeg(
                mux_arguments(
                    self._pictures,
                    whole,
                    container=self._plan.container,
                    tracks=self._plan.tracks,
                    end=self._cut(),
                )
            )
        return whole

    def _cut(self) -> Fraction | None:
        """Return where to cut the other tracks, in seconds of pictures; None to keep them whole."""
        end = self._frames / self._plan.rate
        full = None if self._plan.tracks is None else self._plan.tracks.video_duration
        slack = max(_SAME_LENGTH, 2 / self._plan.rate)
        return end if full is not None and end < full - slack else None

    def _claim(self, suffix: str) -> Path:
        path = claim_temporary(self._path.with_suffix(suffix))
        self._temporary.append(path)
        return path

    def _partial_path(self, suffix: str) -> Path:
        stem, number = f"{self._path.stem}.partial", 1
        path = self._path.with_name(stem + suffix)
        while os.path.lexists(path):
            number += 1
            path = self._path.with_name(f"{stem}-{number}{suffix}")
        return path

    def _named(self, error: SinkError) -> SinkError:
        text = str(error)
        return error if text.startswith(str(self._path)) else SinkError(f"{self._path}: {text}")

    def _remove_temporary(self) -> None:
        for path in self._temporary:
            with suppress(FileNotFoundError):
                path.unlink()
        self._temporary.clear()
