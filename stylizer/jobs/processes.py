"""Workers that are processes of this machine."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from stylizer.errors import StylizerError
from stylizer.io.processes import die_with_parent
from stylizer.jobs.crew import CrewConfig, Heard
from stylizer.jobs.messages import Message, pass_on
from stylizer.jobs.stretches import Stretch
from stylizer.jobs.watchdog import HUNG, watched
from stylizer.jobs.work import Work

__all__ = ["ProcessCrew"]

_LAST = 5.0
"""Seconds that a process may take to end after its last word."""

_MOMENT = 0.25
"""Seconds that are waited for a word."""

_ALIVE = 30.0
"""Seconds between two words of a process that it is there, whatever it does."""

_SILENT = 600.0
"""Seconds of waiting for a word after which a process is taken to hang: it was stopped, or native
code does not let go. What it can find out by itself is `stylizer.jobs.watchdog`'s."""


@dataclass
class _Process:
    """A worker's process, our end of the pipe to it, and for how long it was waited for a word."""

    process: BaseProcess
    pipe: Connection
    silent: float = 0.0
    hung: bool = False


class ProcessCrew:
    """Processes; a `stylizer.jobs.workers.Crew`."""

    def __init__(self, work: Work, config: CrewConfig) -> None:
        """Take what is to be done, and how many processes share it; None started yet."""
        self._work = pickle.dumps(work)
        self.size = config.workers or 1
        self._processes: dict[int, _Process] = {}
        self._listened = time.monotonic()
        self._telling = ThreadPoolExecutor(self.size, thread_name_prefix="stylizer-crew")

    def begin(self, worker: int) -> None:
        """Start a process.

        Raises:
          StylizerError: it cannot be started.
        """
        if worker in self._processes:
            self._processes.pop(worker).pipe.close()
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(theirs,), name=f"stylizer-worker-{worker}", daemon=True
        )
        try:
            with _deaf_to_ctrl_c():
                process.start()
        except OSError as error:
            ours.close()
            raise StylizerError(
                f"a worker cannot be started ({error.strerror}); is there memory for all? Fewer "
                "workers need less"
            ) from error
        finally:
            theirs.close()
        self._processes[worker] = _Process(process, ours)
        # More than a pipe holds: it waits for the process to be there, and others begin meanwhile.
        self._telling.submit(_tell, ours, self._work)

    def give(self, worker: int, stretch: Stretch) -> None:
        """Send a stretch."""
        with suppress(OSError):  # it died: that is heard
            self._processes[worker].pipe.send(stretch)

    def listen(self) -> Iterator[Heard]:
        """Hear what processes say, for a moment at most."""
        ready = wait([one.pipe for one in self._processes.values()], timeout=_MOMENT)
        now = time.monotonic()
        waited, self._listened = min(now - self._listened, 4 * _MOMENT), now  # or it was stopped
        for worker, one in list(self._processes.items()):
            one.silent = 0.0 if one.pipe in ready else one.silent + waited
            if one.silent > _SILENT:
                one.hung = True
                one.process.kill()  # that is heard
            try:
                while one.pipe in ready and one.pipe.poll():
                    what, value = one.pipe.recv()
                    if what != "alive":
                        yield self._heard(worker, what, value)
            except (EOFError, OSError):
                one.process.join(_LAST)
                one.process.kill()  # one that does not come to its end
                one.process.join()
                error = StylizerError(_why(HUNG if one.hung else one.process.exitcode))
                yield Heard(worker=worker, what="dead", error=error)

    def end(self) -> None:
        """End all processes."""
        for one in self._processes.values():
            one.process.kill()
        self._telling.shutdown()
        for one in self._processes.values():
            one.process.join()
            one.pipe.close()

    def _heard(self, worker: int, what: str, value: object) -> Heard:
        if what == "frames" and isinstance(value, tuple):
            return Heard(worker=worker, what="frames", frames=value[0], position=value[1])
        if isinstance(value, Message):
            return Heard(worker=worker, what="message", message=value)
        if what == "done" and isinstance(value, int):
            return Heard(worker=worker, what="done", frames=value)
        if isinstance(value, Exception):
            return Heard(worker=worker, what="failed", error=value)
        return Heard(worker=worker, what="ready")


def _tell(pipe: Connection, work: bytes) -> None:
    with suppress(OSError):  # it died: that is heard
        pipe.send_bytes(work)


def _why(code: int | None) -> str:
    return "it hung: for minutes it did nothing" if code == HUNG else f"exit code {code}"


def _work(pipe: Connection) -> None:
    """Hear what is to be done, and paint stretches; runs in a process of its own."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
    lock = threading.Lock()

    def say(what: str, value: object) -> None:
        with lock:
            pipe.send((what, value))

    def log(message: Message) -> None:
        with suppress(OSError):  # nobody wants any more: that is found elsewhere
            say("message", message)

    def live() -> None:
        with suppress(OSError):
            while True:
                say("alive", None)
                time.sleep(_ALIVE)

    threading.Thread(target=live, name="stylizer-alive", daemon=True).start()
    pass_on(log)
    try:
        work: Work = pipe.recv()
        paint = watched(work.load)
        say("ready", None)
        while True:
            stretch: Stretch = pipe.recv()
            frames = paint(stretch, lambda *reached: say("frames", reached))
            say("done", frames)
    except (EOFError, BrokenPipeError):
        return  # nobody wants any more
    except Exception as error:
        with suppress(OSError):
            say("failed", _portable(error))


def _portable(error: Exception) -> Exception:
    """Return an error as it goes to another process: not all can be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return StylizerError(f"{type(error).__name__}: {error}")
    return error


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Have what is started meanwhile not hear Ctrl-C, which is this process's; it hears it later.

    The new process would print where it was when it came, while it is still being loaded.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
