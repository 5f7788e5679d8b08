"""A live stream in video files: encoded by a thread of its own, so that nobody waits for it."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from stylizer.base import Managed
from stylizer.errors import SinkError
from stylizer.frame import Frame, check_image
from stylizer.io.media.encoding import VideoWriterConfig
from stylizer.io.media.retime import at_constant_rate
from stylizer.io.resize import resize_image
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.notices import notice

__all__ = ["LIVE_ENCODING", "Recorder", "Recording"]

_log = logging.getLogger(__name__)

LIVE_ENCODING = VideoWriterConfig(preset="superfast")
"""A live stream leaves the encoder little time. Measured at 640x360: 0.6 of the processor's time of
the usual ``veryfast`` for files 1.4 times as large (``ultrafast``: 0.37 and 2.6 times)."""

_ROOM = 32
"""Frames that may wait for the encoder: about a second, as it takes to start."""

_LONGEST_STILL = Fraction(10)
"""Seconds for which one picture stands at most; of a longer pause the rest is left out."""


class Recording:
    """A sink that writes a live stream to a video file, and never makes it wait.

    * Frames come at uneven times, the file has a constant rate: frame n of the file is what was
      shown at n / rate, by ``Frame.time``. So pictures are repeated, or left out.
    * Where the encoder cannot keep up, frames are left out of the file, whose pace stays right. The
      first one is logged, and their number at the end.
    * A frame of another size is resized to the recording's.
    * A frame's picture is not copied: do not draw on it afterwards.

    How the file ends up is `VideoWriter`'s affair: it appears whole under its name, also after
    Ctrl-C, and after another error as ``name.partial.mp4``. A process that is killed leaves the
    hidden file beside it, which can be played.
    """

    def __init__(
        self,
        path: Path,
        *,
        size: tuple[int, int],
        rate: Fraction,
        config: VideoWriterConfig | None = None,
        overwrite: bool = False,
    ) -> None:
        """Check what can be checked before any work is done; nothing is written yet.

        Args:
          path: the file to be; its suffix chooses the kind.
          size: (width, height) of the file's pictures, in pixels.
          rate: the file's frames a second.
          config: how to encode; None for `LIVE_ENCODING`.
          overwrite: whether an existing file may be replaced.

        Raises:
          SinkError: the path cannot be written, or has no known suffix.
          ConfigError: size, rate or crf is out of range.
        """
        self._writer = VideoWriter(
            path, size=size, rate=rate, config=config or LIVE_ENCODING, overwrite=overwrite
        )
        self._path, self._size, self._rate = Path(path), size, rate
        self._waiting: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._finished = False
        self._end: type[BaseException] | None = None
        self._error: Exception | None = None
        self._dropped = 0

    @property
    def path(self) -> Path:
        """The file to be."""
        return self._path

    @property
    def dropped(self) -> int:
        """How many frames the encoder had no time for."""
        return self._dropped

    def __enter__(self) -> Self:
        """Start the encoder's thread; what it cannot do is told by the next `write`."""
        name = f"recording {self._path.name}"
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()
        return self

    def write(self, frame: Frame) -> None:
        """Hand a frame to the encoder, or leave it out when too many wait already.

        Raises:
          SinkError: the recording is not open, or the encoder has failed.
        """
        image = check_image(frame.image, name=f"frame {frame.index}")
        with self._changed:
            if self._thread is None or self._finished:
                raise SinkError(f"{self._path}: the recording is not open; use it in a with block")
            if self._error is not None:
                raise self._error
            if len(self._waiting) < _ROOM:
                self._waiting.append(frame.with_image(image))
                self._changed.notify_all()
                return
            self._dropped += 1
        if self._dropped == 1:
            _log.warning("%s: the encoder cannot keep up; frames are left out", self._path)

    def finish(self) -> None:
        """Say that no frame will follow, and wait for nothing; closing waits for the file."""
        self._finish(None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait until the file is finished, see `VideoWriter`.

        Raises:
          SinkError: the encoder failed, or no frame was written.
        """
        if self._thread is None:
            return
        self._finish(kind)
        self._thread.join()
        if self._dropped:
            _log.warning("%s: %d frames were left out", self._path, self._dropped)
        if self._error is not None and kind is None:
            raise self._error
        if self._error is not None and error is not self._error:
            _log.error("%s", self._error)

    def _finish(self, kind: type[BaseException] | None) -> None:
        with self._changed:
            if not self._finished and kind is not None:
                interrupted = issubclass(kind, KeyboardInterrupt)
                self._end = KeyboardInterrupt if interrupted else _Ended
            self._finished = True
            self._changed.notify_all()

    def _work(self) -> None:
        """Encode, alone with the writer, until the frames end or the writer fails."""
        try:
            with self._writer as writer:
                for frame in at_constant_rate(self._timed(), self._rate):
                    writer.write(frame)
                if self._end is not None:
                    raise self._end
        except (_Ended, KeyboardInterrupt):
            pass
        except Exception as error:  # whatever it was, the stream must hear of it
            told = error if isinstance(error, SinkError) else SinkError(f"{self._path}: {error!r}")
            told.__cause__ = None if told is error else error
            with self._changed:
                self._error = told
                self._waiting.clear()

    def _timed(self) -> Iterator[tuple[Frame, Fraction, Fraction]]:
        """Give the frames as `at_constant_rate` wants them, long pauses made short."""
        skipped, before = Fraction(0), None
        while (frame := self._next()) is not None:
            time = Fraction(frame.time) - skipped
            if before is not None and time - before > _LONGEST_STILL:
                skipped += time - before - _LONGEST_STILL
                time = before + _LONGEST_STILL
            before = time
            fitted = frame.with_image(resize_image(frame.image, self._size))
            yield fitted, time, 1 / self._rate

    def _next(self) -> Frame | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finished)
            return self._waiting.popleft() if self._waiting else None


class _Ended(Exception):
    """Leaves the writer's block as after an error."""


class Recorder(Managed):
    """Recordings that start and stop while a stream runs, which none of it holds up.

    ``recording-0001.mp4`` and so on; nothing is ever replaced. A recording that cannot be written
    (a full disk) is told in the log, and ends; the stream goes on. Leaving the block finishes all.
    """

    def __init__(
        self,
        folder: Path,
        *,
        size: tuple[int, int],
        rate: Fraction,
        config: VideoWriterConfig | None = None,
    ) -> None:
        """Get ready; nothing is written yet.

        Args:
          folder: where the files go.
          size: (width, height) of the files' pictures, in pixels; other frames are resized to it.
          rate: the files' frames a second.
          config: how to encode; None for `stylizer.io.sinks.recording.LIVE_ENCODING`.
        """
        self._folder, self._size, self._rate = Path(folder), size, rate
        self._config = config
        self._number = 0
        self._current: Recording | None = None
        self._closing: list[threading.Thread] = []

    @property
    def active(self) -> bool:
        """Whether frames are being recorded."""
        return self._current is not None

    def start(self) -> Path | None:
        """Start a recording, if none is under way.

        Returns:
          The file to be; None when it cannot be written, which the log tells.
        """
        if self._current is None:
            try:
                self._current = Recording(
                    self._new_path(), size=self._size, rate=self._rate, config=self._config
                )
            except SinkError as error:
                _log.error("no recording: %s", error)
                return None
            self._current.__enter__()
            notice.info("recording %s", self._current.path)
        return self._current.path

    def write(self, frame: Frame) -> None:
        """Record a frame, if a recording is under way; return at once in any case."""
        if self._current is None:
            return
        try:
            self._current.write(frame)
        except SinkError:
            self.stop()

    def stop(self) -> Path | None:
        """End the recording, if one is under way; the file is finished beside the stream.

        Returns:
          The file to be, which appears within a moment (the log tells); None without a recording.
        """
        recording, self._current = self._current, None
        if recording is None:
            return None
        recording.finish()
        thread = threading.Thread(target=_close, args=(recording,), daemon=True)
        thread.start()
        self._closing.append(thread)
        return recording.path

    def close(self) -> None:
        """End the recording, if one is under way, and wait until all files are finished."""
        self.stop()
        for thread in self._closing:
            thread.join()
        self._closing.clear()

    def _new_path(self) -> Path:
        """Return the next free name; one that is still being finished is not on the disk yet."""
        while True:
            self._number += 1
            path = self._folder / f"recording-{self._number:04}.mp4"
            if not os.path.lexists(path):
                return path


def _close(recording: Recording) -> None:
    try:
        recording.__exit__(None, None, None)
    except Exception as error:  # in a thread of its own: nobody else would tell
        _log.error("the recording ended: %s", error)
    else:
        notice.info("recording saved as %s", recording.path)
