"""Running ffmpeg: never a hang, never a process left behind, and its own words when it fails."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av
import imageio_ffmpeg

from stylizer.errors import SinkError

__all__ = ["FfmpegProcess", "ffmpeg_executable", "file_url", "is_playable", "run_ffmpeg"]

_CONSEQUENCES = (
    "Conversion failed",
    "Error muxing a packet",
    "Error submitting a packet to the muxer",
    "Terminating thread with return code",
    "Task finished with error code",
    "Error while filtering",
    "Nothing was written into output file",
    "Exiting with exit code",
)
"""What ffmpeg says after the line that tells the reason."""


@cache
def ffmpeg_executable() -> str:
    """Return the path of ffmpeg (imageio-ffmpeg's own, or the one in IMAGEIO_FFMPEG_EXE)."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise SinkError(
            "no ffmpeg found; install it (pip install imageio-ffmpeg) or set IMAGEIO_FFMPEG_EXE"
        ) from error


def file_url(path: Path) -> str:
    """Return a path as ffmpeg takes it literally: not as an option, nor ``talk:1.mp4`` as a URL."""
    return f"file:{path}"


class FfmpegProcess:
    """One ffmpeg, fed through its standard input or with files only.

    It stands outside the terminal's process group, so that Ctrl-C reaches Python alone, which then
    ends it properly. What it says goes into a temporary file: a pipe that nobody reads would fill,
    and stop it. Should Python be killed, its input ends, and with that ffmpeg.
    """

    def __init__(self, arguments: Sequence[str], *, piped: bool = False) -> None:
        """Start ``ffmpeg -y <arguments>``, with an open standard input when ``piped``."""
        self._words: IO[bytes] = tempfile.TemporaryFile()
        command = [ffmpeg_executable(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y"]
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
                bufsize=0,
                **_own_group(),
            )
        except OSError as error:
            self._words.close()
            raise SinkError(f"ffmpeg cannot be started: {error}") from error

    def write(self, data: memoryview) -> None:
        """Feed bytes.

        Raises:
          SinkError: ffmpeg has died; with its last words.
        """
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            raise SinkError("ffmpeg takes no more frames: it was ended already")
        try:
            while data:
                data = data[pipe.write(data) or 0 :]
        except OSError as error:
            self._close_input()
            self._process.wait()
            raise self._failure() from error

    def finish(self) -> None:
        """End the input and wait for ffmpeg's end.

        Raises:
          SinkError: ffmpeg failed; with its last words.
        """
        self._close_input()
        if self._process.wait() != 0:
            raise self._failure()

    def kill(self) -> None:
        """End ffmpeg whatever it does, if it still runs; may be called again."""
        if self._process.poll() is None:
            self._process.kill()
        self._close_input()
        self._process.wait()
        self._words.close()

    def _close_input(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()  # unbuffered: nothing to flush, so it cannot fail

    def _failure(self) -> SinkError:
        code = self._process.returncode
        if not self._words.closed:
            self._words.seek(0)
            if reason := _last_words(self._words.read().decode("utf-8", "replace")):
                return SinkError(f"ffmpeg failed: {reason}")
        if code < 0:
            return SinkError(f"ffmpeg was killed by {signal.Signals(-code).name}")
        return SinkError(f"ffmpeg failed with exit code {code} and gave no reason")


def run_ffmpeg(arguments: Sequence[str]) -> None:
    """Run ``ffmpeg -y <arguments>`` to its end; an exception, such as Ctrl-C, ends it at once.

    Raises:
      SinkError: ffmpeg failed; with its last words.
    """
    process = FfmpegProcess(arguments)
    try:
        process.finish()
    finally:
        process.kill()


def is_playable(path: Path) -> bool:
    """Whether at least one picture of a video file can be decoded."""
    try:
        with av.open(file_url(path)) as file:
            return next(iter(file.decode(video=0)), None) is not None
    except (OSError, IndexError, av.error.FFmpegError):
        return False


def _last_words(text: str) -> str:
    """Return the last line that says why, without ffmpeg's ``[muxer @ 0x55d2]`` before it."""
    lines = [re.sub(r"^(\[[^\]]*\]\s*)+", "", line.strip()) for line in text.splitlines()]
    lines = [line for line in lines if line]
    reasons = [line for line in lines if not line.startswith(_CONSEQUENCES)]
    return (reasons or lines or [""])[-1]


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
