"""Films of strangers are read in a process of its own, so that a decoder's crash ends only that.

Decoders are written in C, and files that end the process are found again and again. What crosses
over from there is pickled: this guards against crashes, and not against who takes over a decoder.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, TypeVar

from stylizer.base import Managed
from stylizer.errors import SourceError, StylizerError
from stylizer.frame import Frame
from stylizer.io.media.probe import MediaInfo
from stylizer.io.sources.video_reader import VideoReader

__all__ = ["IsolatedReader", "isolated", "serve"]

Result = TypeVar("Result")
_Message = tuple[str, Any]
"""What is said by the process: (``value``, ``log`` or ``error``, what)."""

_PROGRAM = "from stylizer.io.isolated import serve; serve()"
_OURS = logging.getLogger("stylizer")


def isolated(function: Callable[..., Result], *arguments: object) -> Result:
    """Call a function in another process, and wait for it.

    Args:
      function: of a module, so that it can be pickled; what the library logs there, is logged here.
      arguments: for it.

    Returns:
      What it returned.

    Raises:
      SourceError: the process crashed.
      StylizerError: as the function raised it.
    """
    with _Child(_call, function, *arguments) as child:
        result: Result = child.receive()
        return result


class IsolatedReader(Managed):
    """A `stylizer.io.sources.video_reader.VideoReader` in another process.

    Attributes:
      info: what was found in the file.
      rate: frames per second, exact.
      frame_count: frames that will come, as far as is known beforehand.
    """

    info: MediaInfo
    rate: Fraction | None
    frame_count: int | None

    def __init__(self, path: Path | str) -> None:
        """Open a file.

        Raises:
          SourceError: as `VideoReader` says, or its process crashed.
        """
        self._child = _Child(_read, str(path))
        try:
            self.info, self.rate, self.frame_count = self._child.receive()
        except BaseException:
            self._child.close()
            raise

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, upright."""
        return self.info.size

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames in order, once.

        Raises:
          SourceError: the file cannot be read on, or the process that reads it crashed.
        """
        while (frame := self._child.receive()) is not None:
            yield frame

    def close(self) -> None:
        """End the process; closing twice does no harm."""
        self._child.close()


def _call(function: Callable[..., object], *arguments: object) -> Iterator[object]:
    yield function(*arguments)


def _read(path: str) -> Iterator[object]:
    with VideoReader(path) as reader:
        yield reader.info, reader.rate, reader.frame_count
        yield from reader
    yield None


class _Child(Managed):
    """A process that does one thing, and what it says of it."""

    def __init__(self, work: Callable[..., Iterator[object]], *arguments: object) -> None:
        self._process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, pickle.dumps((work, arguments)).hex()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for who started it
        )

    def receive(self) -> Any:
        """Return the next value; raise what the process raises, and log what it logs.

        Raises:
          SourceError: it crashed.
        """
        output = self._process.stdout
        while output is not None:
            try:
                kind, said = pickle.load(output)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
                raise self._crash() from error
            if kind == "value":
                return said
            if kind == "error":
                raise said
            logger = logging.getLogger(said.name)
            if logger.isEnabledFor(said.levelno):
                logger.handle(said)
        raise self._crash()

    def _crash(self) -> SourceError:
        code = self._process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return SourceError(f"reading the film ended its process ({how}); the file is damaged")

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class _Relay(logging.Handler):
    """Says what the library logs."""

    def __init__(self, say: Callable[[_Message], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args, record.exc_info = record.getMessage(), None, None
        self._say(("log", record))


def serve() -> None:
    """Do in this process what its argument says, and tell of it on the standard output."""
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # nobody else may write there
        say = _speaker(output)
        _OURS.addHandler(_Relay(say))
        _OURS.setLevel(logging.INFO)
        _OURS.propagate = False
        try:
            work, arguments = pickle.loads(bytes.fromhex(sys.argv[1]))
            _say_all(work(*arguments), say)
        except StylizerError as error:
            say(("error", error))
        except BrokenPipeError:
            return  # nobody listens any more
        except Exception as error:  # whatever it was, who waits must hear of it
            say(("error", SourceError(f"reading the film failed: {error!r}")))


def _say_all(values: Iterable[object], say: Callable[[_Message], None]) -> None:
    for value in values:
        say(("value", value))


def _speaker(output: IO[bytes]) -> Callable[[_Message], None]:
    def say(message: _Message) -> None:
        pickle.dump(message, output, protocol=pickle.HIGHEST_PROTOCOL)
        output.flush()

    return say
