"""Workers that are processes of this machine."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
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


class ProcessCrew:
    """Processes; a `stylizer.jobs.workers.Crew`."""

    def __init__(self, work: Work, config: CrewConfig) -> None:
        """Take what is to be done, and how many processes share it; None started yet."""
        self._work = pickle.dumps(work)
        self.size = config.workers or 1
        self._processes: dict[int, tuple[BaseProcess, Connection]] = {}
        self._telling = ThreadPoolExecutor(self.size, thread_name_prefix="stylizer-crew")

    def begin(self, worker: int) -> None:
        """Start a process.

        Raises:
          StylizerError: it cannot be started.
        """
        if worker in self._processes:
            self._processes.pop(worker)[1].close()
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
        self._processes[worker] = process, ours
        # More than a pipe holds: it waits for the process to be there, and others begin meanwhile.
        self._telling.submit(_tell, ours, self._work)

    def give(self, worker: int, stretch: Stretch) -> None:
        """Send a stretch."""
        with suppress(OSError):  # it died: that is heard
            self._processes[worker][1].send(stretch)

    def listen(self) -> Iterator[Heard]:
        """Hear what processes say, for a moment at most."""
        ready = wait([pipe for _, pipe in self._processes.values()], timeout=_MOMENT)
        for worker, (process, pipe) in list(self._processes.items()):
            try:
                while pipe in ready and pipe.poll():
                    yield self._heard(worker, *pipe.recv())
            except (EOFError, OSError):
                process.join(_LAST)
                process.kill()  # one that does not come to its end
                process.join()
                error = StylizerError(_why(process.exitcode))
                yield Heard(worker=worker, what="dead", error=error)

    def end(self) -> None:
        """End all processes."""
        for process, _ in self._processes.values():
            process.kill()
        self._telling.shutdown()
        for process, pipe in self._processes.values():
            process.join()
            pipe.close()

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
