"""A worker that hangs is told from one that is slow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

import pytest

from stylizer.jobs import processes, watchdog
from stylizer.jobs.crew import CrewConfig, Heard
from stylizer.jobs.processes import ProcessCrew
from stylizer.jobs.stretches import Stretch
from stylizer.jobs.watchdog import Watchdog
from stylizer.jobs.work import PaintStretch, Reached


def hung(limit: float, work: Callable[[threading.Event], object]) -> bool:
    barked = threading.Event()
    with Watchdog(limit=limit, on_hung=barked.set).watch():
        work(barked)
    return barked.is_set()


WAITS = """
import threading

from stylizer.jobs.watchdog import Watchdog

with Watchdog(limit=1.0).watch():
    threading.Event().wait(20)
"""


def test_one_that_waits_for_ever_is_ended() -> None:
    # in a process of its own: what other tests left behind here may be at work
    done = subprocess.run([sys.executable, "-c", WAITS], timeout=120, check=False)
    assert done.returncode == watchdog.HUNG


def test_one_that_works_for_long_on_a_frame_is_left_alone() -> None:
    def work(barked: threading.Event) -> None:
        end = time.process_time() + 1.2
        while time.process_time() < end and not barked.is_set():
            pass

    assert not hung(1.0, work)


def test_one_that_waits_between_frames_is_left_alone() -> None:
    barked = threading.Event()
    dog = Watchdog(limit=1.0, on_hung=barked.set)
    with dog.watch():
        for _ in range(15):
            barked.wait(0.1)
            dog.move()
    assert not barked.is_set()


def test_nothing_is_left_of_it_afterwards() -> None:
    before = threading.active_count()
    assert not hung(600.0, lambda _: None)
    assert threading.active_count() == before


@dataclass(frozen=True)
class Hanging:
    """Work that never comes to an end: of its loading, or of the first frame."""

    loads: bool
    folder: Path = Path()
    pictures: Path | None = None

    def __reduce__(self) -> tuple[object, tuple[bool, ...]]:
        return hanging, (self.loads,)

    def load(self) -> PaintStretch:
        return self._paint if self.loads else self._hang()

    def moved(self, folder: Path, pictures: Path | None) -> Self:
        return self

    def _paint(self, stretch: Stretch, reached: Reached) -> int:
        return self._hang()

    def _hang(self) -> NoReturn:
        while True:
            threading.Event().wait()


def hanging(loads: bool) -> Hanging:
    """As the worker's process gets it."""
    watchdog._LIMIT = 2.0  # a look may take 0.14 ms: twenty of them were work, at a limit of 0.3
    return Hanging(loads)


@pytest.mark.parametrize("loads", [True, False])
def test_a_worker_that_hangs_is_dead_to_the_one_who_gave_it_work(loads: bool) -> None:
    crew = ProcessCrew(Hanging(loads), CrewConfig(workers=1))
    try:
        crew.begin(0)
        if loads:
            next_word(crew)
            crew.give(0, Stretch(first=0, end=9, last=True, checkpoint=None))
        heard = next_word(crew)
        assert heard.what == "dead" and "it hung" in str(heard.error)
    finally:
        crew.end()


@dataclass(frozen=True)
class Stopped(Hanging):
    """Work that stops its whole process, the watchdog with it."""

    def __reduce__(self) -> tuple[object, tuple[bool, ...]]:
        return stopped, ()

    def _hang(self) -> NoReturn:
        os.kill(os.getpid(), signal.SIGSTOP)
        raise AssertionError("it was gone on with")


def stopped() -> Stopped:
    """As the worker's process gets it."""
    processes._ALIVE = 0.05
    return Stopped(loads=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
def test_a_worker_that_is_stopped_is_dead_to_the_one_who_gave_it_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crew = ProcessCrew(Stopped(loads=True), CrewConfig(workers=1))
    try:
        crew.begin(0)
        assert next_word(crew).what == "ready"
        crew.give(0, Stretch(first=0, end=9, last=True, checkpoint=None))
        monkeypatch.setattr(processes, "_SILENT", 1.5)
        heard = next_word(crew)
        assert heard.what == "dead" and "it hung" in str(heard.error)
    finally:
        crew.end()


def next_word(crew: ProcessCrew) -> Heard:
    while True:
        for heard in crew.listen():
            return heard
