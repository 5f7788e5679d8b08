"""ffmpeg as a process, which never hangs nor stays behind, and what it says when it fails."""

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
from stylizer.io.files import reason
from stylizer.io.media.inputs import file_url
from stylizer.io.processes import dying_with_parent, stays_in_group

__all__ = ["FfmpegProcess", "ffmpeg_executable", "is_playable", "read_ffmpeg", "run_ffmpeg"]

_LONGEST_LOOK = 20.0
"""Seconds that looking at the beginning of a track may take."""

_CONSEQUENCES = (
    "Conversion failed",
    "Error muxing a packet",
    "Error sending frames to consumers",
    "Error submitting a packet to the muxer",
    "Error submitting packet to decoder",
    "Terminating thread with return code",
    "Task finished with error code",
    "Error while filtering",
    "Nothing was written into output file",
    "Exiting with exit code",
    "Last message repeated",
)
"""What ffmpeg says after the line that tells the reason."""


_IN_PASSING = re.compile(
    r"\[(?:aac|ac3|mp3float|h264|hevc|mpeg2video|mpeg4|vp9) @ (?!.*Unsupported)"
)
"""Complaints of decoders, which go on after them."""


@cache
def ffmpeg_executable() -> str:
    """Return the path of ffmpeg (imageio-ffmpeg's own, or the one in IMAGEIO_FFMPEG_EXE)."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise SinkError(
            "no ffmpeg found; install it (pip install imageio-ffmpeg) or set IMAGEIO_FFMPEG_EXE"
        ) from error


class FfmpegProcess:
    """One ffmpeg, fed through its standard input or with files only.

    It stands outside the terminal's process group, so that Ctrl-C reaches Python alone, which then
    ends it properly. What it says goes into a temporary file: a pipe that nobody reads would fill,
    and stop it. Should Python be killed, its input ends, and with that ffmpeg; one without an input
    is killed with it (on Linux).
    """

    def __init__(
        self, arguments: Sequence[str], *, piped: bool = False, output: int | None = None
    ) -> None:
        """Start ``ffmpeg -y <arguments>``.

        Args:
          arguments: for ffmpeg.
          piped: whether its standard input is open.
          output: the handle of its standard output; the caller's. None for nowhere.

        Raises:
          SinkError: it cannot be started.
        """
        self._words: IO[bytes] = tempfile.TemporaryFile()
        options = ["-hide_banner", "-nostdin", "-loglevel", "error", "-y"]
        command = [ffmpeg_executable(), *options, *arguments]
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                command if piped else dying_with_parent(command),
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if output is None else output,
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

    def finish(self, *, longest: float | None = None) -> None:
        """End the input and wait for ffmpeg's end, or so many seconds.

        Raises:
          SinkError: ffmpeg failed; with its reason.
        """
        self._close_input()
        try:
            failed = self._process.wait(longest) != 0
        except subprocess.TimeoutExpired:
            return
        if failed:
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
            if words := _first_reason(self._words.read().decode("utf-8", "replace")):
                return SinkError(f"ffmpeg failed: {reason(words)}")
        if code < 0:
            return SinkError(f"ffmpeg was killed by {signal.Signals(-code).name}")
        return SinkError(f"ffmpeg failed with exit code {code} and gave no reason")


def run_ffmpeg(arguments: Sequence[str], *, longest: float | None = None) -> None:
    """Run ``ffmpeg -y <arguments>`` to its end; an exception, such as Ctrl-C, ends it at once.

    Args:
      arguments: for ffmpeg.
      longest: seconds after which it is ended, and all is well so far; None to wait for its end.

    Raises:
      SinkError: ffmpeg failed; with its reason.
    """
    process = FfmpegProcess(arguments)
    try:
        process.finish(longest=longest)
    finally:
        process.kill()


def read_ffmpeg(arguments: Sequence[str]) -> bytes:
    """Return what ffmpeg writes to its standard output; what it complains of is passed over."""
    command = [ffmpeg_executable(), "-hide_banner", "-nostdin", "-loglevel", "quiet", *arguments]
    try:
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            dying_with_parent(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
            timeout=_LONGEST_LOOK,
            **_own_group(),
        )
        return done.stdout
    except subprocess.TimeoutExpired:
        return b""
    except OSError as error:
        raise SinkError(f"ffmpeg cannot be started: {error}") from error


def is_playable(path: Path) -> bool:
    """Whether at least one picture of a video file can be decoded."""
    try:
        with av.open(file_url(path)) as file:
            return next(iter(file.decode(video=0)), None) is not None
    except (OSError, IndexError, av.error.FFmpegError):
        return False


def _first_reason(text: str) -> str:
    """Return the first line that says why, without ffmpeg's ``[muxer @ 0x55d2]`` before it.

    What a decoder or a parser complains of is passed over where something else follows: damaged
    data alone ends nothing.
    """
    matches = [re.match(r"((?:\[[^\]]*\]\s*)*)(.*)", line.strip()) for line in text.splitlines()]
    lines = [(match[1], match[2]) for match in matches if match is not None and match[2]]
    reasons = [line for line in lines if not line[1].startswith(_CONSEQUENCES)]
    hard = [line for line in reasons if not _IN_PASSING.match("".join(line))]
    return (hard or reasons or lines or [("", "")])[0][1]


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    # Where the whole group is ended with its leader, ffmpeg must not leave it.
    return {} if stays_in_group() else {"start_new_session": True}
