"""What strangers send is read in a process of its own, so that what goes wrong ends only that.

Decoders are written in C, and files that end the process are found again and again, or that take
hours or all of the memory. What crosses over from there is pickled: this guards against crashes and
bombs, and not against who takes over a decoder.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from stylizer.base import Managed
from stylizer.errors import SourceError, StylizerError
from stylizer.frame import Frame
from stylizer.io.processes import ONE_GROUP, die_with_parent

if TYPE_CHECKING:
    from stylizer.io.media.probe import MediaInfo

__all__ = ["IsolatedReader", "ProcessLimits", "Stopped", "isolated", "serve"]

Result = TypeVar("Result")
_Message = tuple[str, Any]
"""What is said by the process: (``value``, ``log`` or ``error``, what)."""

_PROGRAM = "from stylizer.io.isolated import serve; serve()"
_OURS = logging.getLogger("stylizer")
_LOOK = 0.1
"""Seconds between two looks at whether the process is still wanted."""


@dataclass(frozen=True, kw_only=True)
class ProcessLimits:
    """What a process may take; what takes more is ended, with all that it started.

    Attributes:
      seconds: without a word from it; None for no limit.
      memory: bytes of its address space (Linux); None for no limit.
      formats: ffmpeg's names of the formats that may be read; none for all.
      stop: set by who does not want it any more; None for nobody.
    """

    seconds: float | None = None
    memory: int | None = None
    formats: Sequence[str] = ()
    stop: threading.Event | None = None


class Stopped(StylizerError):
    """A process was ended because it was not wanted any more."""


def isolated(
    function: Callable[..., Result], *arguments: object, limits: ProcessLimits | None = None
) -> Result:
    """Call a function in another process, and wait for it.

    Args:
      function: of a module, so that it can be pickled; what the library logs there, is logged here.
      arguments: for it.
      limits: of the process; None for none.

    Returns:
      What it returned.

    Raises:
      SourceError: the process crashed, or took more than it may.
      Stopped: ``limits.stop`` was set.
      StylizerError: as the function raised it.
    """
    with _Child(limits or ProcessLimits(), _call, function, *arguments) as child:
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

    def __init__(
        self, path: Path | str, *, first: int = 0, limits: ProcessLimits | None = None
    ) -> None:
        """Open a file.

        Args:
          path: the file.
          first: index of the first frame to give.
          limits: of the process; None for none.

        Raises:
          SourceError: as `VideoReader` says, or its process crashed.
        """
        self._child = _Child(limits or ProcessLimits(), _read, str(path), first)
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


def _read(path: str, first: int) -> Iterator[object]:
    from stylizer.io.sources.video_reader import VideoReader  # pictures do without ffmpeg

    with VideoReader(path) as whole:
        reader = whole.rest(first) if first else whole
        with reader:
            yield whole.info, reader.rate, reader.frame_count
            yield from reader
    yield None


class _Child(Managed):
    """A process that does one thing, and what it says of it."""

    def __init__(
        self, limits: ProcessLimits, work: Callable[..., Iterator[object]], *arguments: object
    ) -> None:
        given = pickle.dumps((work, arguments, limits.memory, tuple(limits.formats)))
        self._process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, given.hex()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for who started it
            env={**os.environ, ONE_GROUP: "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        self._limits = limits
        self._reason: StylizerError | None = None
        self._closed = threading.Event()
        self._waiting_since: float | None = None
        if limits.seconds is not None or limits.stop is not None:
            threading.Thread(target=self._watch, name="stylizer-isolated", daemon=True).start()

    def receive(self) -> Any:
        """Return the next value; raise what the process raises, and log what it logs.

        Raises:
          SourceError: it crashed, or took more than it may.
          Stopped: it is not wanted any more.
        """
        output = self._process.stdout
        self._waiting_since = time.monotonic()
        while output is not None:
            try:
                kind, said = pickle.load(output)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
                raise self._crash() from error
            if kind == "value":
                self._waiting_since = None
                return said
            if kind == "error":
                raise said
            said.threadName = threading.current_thread().name  # for who listens to this thread
            logger = logging.getLogger(said.name)
            if logger.isEnabledFor(said.levelno):
                logger.handle(said)
        raise self._crash()

    def _watch(self) -> None:
        limits = self._limits
        while not self._closed.wait(_LOOK):
            since, longest = self._waiting_since, limits.seconds
            if limits.stop is not None and limits.stop.is_set():
                self._reason = Stopped("ended, as it was not wanted any more")
            elif longest is not None and since is not None and time.monotonic() - since > longest:
                self._reason = SourceError(
                    f"reading took longer than {longest:g} s; the file is damaged, or made to do so"
                )
            if self._reason is not None:
                self._kill()
                return

    def _crash(self) -> StylizerError:
        code = self._process.wait()
        if self._reason is not None:
            return self._reason
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return SourceError(f"reading ended its process ({how}); the file is damaged")

    def _kill(self) -> None:
        """End the process and all that it started, which is in its group."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._kill()
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
    die_with_parent()
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # nobody else may write there
        say = _speaker(output)
        _OURS.addHandler(_Relay(say))
        _OURS.setLevel(logging.INFO)
        _OURS.propagate = False
        try:
            work, arguments, memory, formats = pickle.loads(bytes.fromhex(sys.argv[1]))
            _limit(memory, formats)
            _say_all(work(*arguments), say)
        except StylizerError as error:
            say(("error", error))
        except BrokenPipeError:
            return  # nobody listens any more
        except MemoryError:
            say(("error", SourceError("reading takes too much memory; the file is too large")))
        except Exception as error:  # whatever it was, who waits must hear of it
            say(("error", SourceError(f"reading failed: {error!r}")))


def _limit(memory: int | None, formats: Sequence[str]) -> None:
    if memory is not None and sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if formats:
        from stylizer.io.media.inputs import restrict_inputs

        restrict_inputs(formats)


def _say_all(values: Iterable[object], say: Callable[[_Message], None]) -> None:
    for value in values:
        say(("value", value))


def _speaker(output: IO[bytes]) -> Callable[[_Message], None]:
    def say(message: _Message) -> None:
        pickle.dump(message, output, protocol=pickle.HIGHEST_PROTOCOL)
        output.flush()

    return say
