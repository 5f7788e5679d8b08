"""Records what is shown at the press of a key, one numbered file after the other."""

from __future__ import annotations

import logging
import os
import threading
from fractions import Fraction
from pathlib import Path

from stylizer.base import Managed
from stylizer.errors import SinkError
from stylizer.frame import Frame
from stylizer.io.media.encoding import VideoWriterConfig
from stylizer.io.sinks.recording import Recording
from stylizer.notices import notice

__all__ = ["Recorder"]

_log = logging.getLogger(__name__)


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
