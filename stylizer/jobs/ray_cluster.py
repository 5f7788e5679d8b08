"""Workers on the machines of a Ray cluster: an actor each, which keeps what paints loaded.

An actor writes its segments into the job's folder where it sees that folder. Elsewhere it works in
a folder of its own, and what is finished of a stretch comes back through Ray's object store. The
source has to be at the same path on all machines, and stylizer be installed there.
"""

from __future__ import annotations

import hashlib
import os
import platform
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from stylizer.errors import ConfigError, StylizerError
from stylizer.io.atomic import temporary_path
from stylizer.jobs.crew import CrewConfig, Heard
from stylizer.jobs.messages import Message, pass_on
from stylizer.jobs.records import RECORD
from stylizer.jobs.stretches import Stretch
from stylizer.jobs.watchdog import watched
from stylizer.jobs.work import Work
from stylizer.notices import notice

__all__ = ["INSTALL_RAY", "RayCrew"]

INSTALL_RAY = "pip install 'stylizer[ray]'"

_MOMENT = 0.25
"""Seconds that are waited for a word."""

_QUESTIONS = 50.0
"""How many workers are asked in a second how far they are, at most."""

_FAREWELL = 2.0
"""Seconds that actors may take to tidy up."""

_PATIENCE = 10.0
"""Seconds until the head of a cluster must have answered."""

_Place = Literal["folder", "pictures"]
_Files = dict[tuple[_Place, str], bytes]
"""Finished files by where they belong, and their name."""


class RayCrew:
    """Actors; a `stylizer.jobs.workers.Crew`.

    Attributes:
      size: how many there are.
    """

    def __init__(self, work: Work, config: CrewConfig) -> None:
        """Join the cluster.

        Raises:
          ConfigError: Ray is not installed, there is no such cluster, or it has no room.
        """
        self._ray, self._joined = _join(config.ray or "auto")
        self._work, self._threads = work, config.threads
        room, gpus = _room(self._ray, config.threads)
        self.size = config.workers or room
        self._actor = self._ray.remote(_RayWorker).options(
            num_cpus=config.threads,
            num_gpus=int(1000 * min(1.0, gpus / self.size)) / 1000,
            max_concurrency=2,  # so that it answers while it paints
        )
        self._shared = self._ray.put(work)
        self._workers: dict[int, Any] = {}
        self._awaited: dict[Any, tuple[int, str]] = {}
        self._asked: dict[int, float] = {}

    def begin(self, worker: int) -> None:
        """Have an actor started where there is room, now or later."""
        self._forget(worker)
        self._workers[worker] = actor = self._actor.remote(
            self._shared, _mark(self._work.folder), os.getcwd(), self._threads
        )
        self._awaited[actor.load.remote()] = worker, "ready"

    def give(self, worker: int, stretch: Stretch) -> None:
        """Have a stretch painted."""
        self._awaited[self._workers[worker].paint.remote(stretch)] = worker, "done"
        self._ask(worker)

    def listen(self) -> Iterator[Heard]:
        """Hear what actors say, for a moment at most."""
        if not self._awaited:
            time.sleep(_MOMENT)
            return
        awaited = list(self._awaited)
        ready, _ = self._ray.wait(awaited, num_returns=1, timeout=_MOMENT)
        if ready:
            ready, _ = self._ray.wait(awaited, num_returns=len(awaited), timeout=0)
        for reference in ready:
            worker, what = self._awaited.pop(reference, (-1, ""))
            if worker >= 0:
                yield from self._heard(worker, what, reference)
        now = time.monotonic()
        for worker, asked in list(self._asked.items()):
            if now - asked >= max(1.0, self.size / _QUESTIONS):
                self._ask(worker)

    def end(self) -> None:
        """End all actors, and leave the cluster if it was joined for this."""
        leaving = [actor.leave.remote() for actor in self._workers.values()]
        if leaving:
            self._ray.wait(leaving, num_returns=len(leaving), timeout=_FAREWELL)
        for worker in list(self._workers):
            self._forget(worker)
        if self._joined:
            self._ray.shutdown()

    def _ask(self, worker: int) -> None:
        if (worker, "frames") not in self._awaited.values():
            self._asked[worker] = time.monotonic()
            self._awaited[self._workers[worker].tell.remote()] = worker, "frames"

    def _heard(self, worker: int, what: str, reference: Any) -> Iterator[Heard]:
        try:
            said, messages = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            yield Heard(worker=worker, what="failed", error=_cause(error))
            return
        except self._ray.exceptions.RayError as error:  # it is dead, or its machine is
            self._forget(worker)
            text = (str(error).strip().splitlines() or [type(error).__name__])[0]
            yield Heard(worker=worker, what="dead", error=StylizerError(text))
            return
        for message in messages:
            yield Heard(worker=worker, what="message", message=message)
        if what == "ready":
            yield Heard(worker=worker, what="ready", name=said)
        elif what == "frames":
            yield Heard(worker=worker, what="frames", frames=said[0], position=said[1])
        else:
            self._asked.pop(worker, None)
            frames, files = said
            _receive(files, self._work)
            yield Heard(worker=worker, what="done", frames=frames)

    def _forget(self, worker: int) -> None:
        """Let go of an actor, and of what it was to say."""
        self._awaited = {ref: told for ref, told in self._awaited.items() if told[0] != worker}
        self._asked.pop(worker, None)
        actor = self._workers.pop(worker, None)
        if actor is not None:
            with suppress(self._ray.exceptions.RayError, ValueError):
                self._ray.kill(actor)


class _RayWorker:
    """A worker in a process of its own, on any machine."""

    def __init__(self, work: Work, mark: str, directory: str, threads: int) -> None:
        with suppress(OSError):  # for paths that are relative
            os.chdir(directory)
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
        self._reached = 0, 0
        self._messages: list[Message] = []
        pass_on(self._messages.append)
        self._own: tempfile.TemporaryDirectory[str] | None = None
        if _mark(work.folder) != mark:
            self._own = tempfile.TemporaryDirectory(prefix="stylizer-", ignore_cleanup_errors=True)
            folder, pictures = (Path(self._own.name) / name for name in ("folder", "pictures"))
            folder.mkdir()
            pictures.mkdir()
            work = work.moved(folder, None if work.pictures is None else pictures)
        self._work = work

    def load(self) -> tuple[str, list[Message]]:
        """Load what paints; return the worker's name, and what was logged."""
        self._paint = watched(self._work.load)
        return f"{platform.node()}/{os.getpid()}", self._logged()

    def paint(self, stretch: Stretch) -> tuple[tuple[int, _Files], list[Message]]:
        """Paint a stretch; return how many frames that were, the files of a folder of its own, ...

        Raises:
          StylizerError: it cannot be painted.
        """
        self._reached = 0, stretch.first
        try:
            frames = self._paint(stretch, self._reach)
        except StylizerError as error:
            raise type(error)(f"{error} (on {platform.node()})") from error
        files = {} if self._own is None else _collect(Path(self._own.name))
        return (frames, files), self._logged()

    def tell(self) -> tuple[tuple[int, int], list[Message]]:
        """Return how many frames of the stretch at hand are painted, the frame's index, ..."""
        return self._reached, self._logged()

    def _logged(self) -> list[Message]:
        """Return what was logged since it was asked last."""
        count = len(self._messages)
        logged, self._messages[:count] = self._messages[:count], []
        return logged

    def leave(self) -> None:
        """Remove the folder of its own, even while something is painted: nobody wants it."""
        if self._own is not None:
            self._own.cleanup()

    def _reach(self, frames: int, position: int) -> None:
        self._reached = frames, position


def _mark(folder: Path) -> str:
    """Return what tells whether two machines see the same folder."""
    try:
        return hashlib.sha256((folder / RECORD).read_bytes()).hexdigest()
    except OSError:
        return ""


def _collect(root: Path) -> _Files:
    """Take what is finished out of a worker's own folders."""
    places: tuple[_Place, ...] = ("folder", "pictures")
    found: _Files = {}
    for place in places:
        for path in sorted((root / place).iterdir()):
            if not path.name.startswith(".") and path.suffix != ".npz":
                found[place, path.name] = path.read_bytes()
            path.unlink()
    return found


def _receive(files: _Files, work: Work) -> None:
    """Write what came back to where it belongs; last what says that the rest is whole."""
    for (place, name), content in sorted(
        files.items(), key=lambda item: item[0][0] == "folder" and item[0][1].endswith(".json")
    ):
        folder = work.folder if place == "folder" else work.pictures
        if folder is not None:
            with temporary_path(folder / name, overwrite=True) as temporary:
                temporary.write_bytes(content)


def _join(address: str) -> tuple[Any, bool]:
    """Return Ray, and whether the cluster was joined just now."""
    try:
        import ray
    except ImportError as error:
        raise ConfigError(f"--ray: expected Ray to be installed; {INSTALL_RAY}") from error
    if ray.is_initialized():
        return ray, False
    host, _, port = address.rpartition("://")[2].rpartition(":")
    try:
        if host:  # Ray would try for minutes
            socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
        context = ray.init(
            address=address, log_to_driver=False, logging_level="ERROR", configure_logging=False
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"--ray {address}: there is no such cluster ({error}); `ray start --head` begins one "
            "on this machine"
        ) from error
    if context.dashboard_url:
        notice.info("Ray's dashboard is at http://%s", context.dashboard_url)
    return ray, True


def _room(ray: Any, threads: int) -> tuple[int, float]:
    """Return for how many workers there is room, and how many GPUs there are."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(int(machine.get("CPU", 0)) // threads for machine in machines)
    if room == 0:
        most = max((int(machine.get("CPU", 0)) for machine in machines), default=0)
        raise ConfigError(
            f"--ray: expected a machine with {threads} cores, as a worker takes up, got {most} at "
            f"most; --threads {max(1, most)} takes up less"
        )
    return room, sum(machine.get("GPU", 0.0) for machine in machines)


def _cause(error: Any) -> Exception:
    cause = error.cause
    return cause if isinstance(cause, Exception) else StylizerError(str(error))
