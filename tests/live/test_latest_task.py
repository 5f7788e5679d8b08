"""Work beside the loop: the latest wish wins, mistakes are told, and the end waits for a job."""

import subprocess
import sys
import threading

import pytest

from stylizer.errors import StyleError
from stylizer.live.latest_task import LatestTask

ENDS = """
import time
from stylizer.live.latest_task import LatestTask

def work():
    time.sleep(0.5)
    print("done", flush=True)

LatestTask("test").submit(work)
"""


def finish(task: LatestTask) -> None:
    while task.busy:
        threading.Event().wait(0.01)


def test_the_latest_wish_wins() -> None:
    task, begun, go, done = LatestTask("test"), threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        go.wait(10)
        done.append(0)

    task.submit(first)
    assert begun.wait(10)
    for number in (1, 2, 3):
        task.submit(lambda number=number: done.append(number))  # type: ignore[misc]
    assert task.busy
    go.set()
    finish(task)
    assert done == [0, 3]


def test_errors_are_kept_and_mistakes_are_raised() -> None:
    task = LatestTask("test")

    def fail(error: Exception) -> None:
        raise error

    task.submit(lambda: fail(StyleError("no such style")))
    finish(task)
    task.check()
    assert task.error() == "no such style"
    assert task.error() is None
    task.submit(lambda: fail(ValueError("a mistake")))
    finish(task)
    with pytest.raises(ValueError, match="a mistake"):
        task.check()
    task.check()


def test_the_end_of_the_program_waits_for_a_job() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
