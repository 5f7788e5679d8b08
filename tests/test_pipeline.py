"""The loop, held to its promises by events and barriers, never by the clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from stylizer.base import Managed
from stylizer.errors import ConfigError, StylizerError
from stylizer.frame import Frame, Image
from stylizer.pipeline import Progress, run
from stylizer.protocols import EndOfStream

PATIENCE = 60.0
"""Seconds after which a wait in a test counts as a hang; no test comes near."""


def picture(index: int) -> Frame:
    return Frame(np.full((4, 6, 3), index % 256, np.uint8), index, index / 30)


class Source(Managed):
    rate: Fraction | None = Fraction(30)
    size = (6, 4)

    def __init__(self, count: int, *, before: Callable[[int], None] = lambda index: None) -> None:
        self.frame_count: int | None = count
        self.closed = False
        self._count = count
        self._before = before

    def __iter__(self) -> Iterator[Frame]:
        try:
            for index in range(self._count):
                self._before(index)
                yield picture(index)
        finally:
            self.closed = True


class LiveSource(Source):
    rate = None


class Step:
    """A stylizer that inverts the picture, after ``before``."""

    def __init__(self, before: Callable[[Frame], None] = lambda frame: None) -> None:
        self._before = before

    def __call__(self, frame: Frame) -> Frame:
        self._before(frame)
        return frame.with_image(255 - frame.image)

    def reset(self) -> None:
        raise AssertionError("run must not reset")


class Sink(Managed):
    def __init__(self, before: Callable[[Frame], None] = lambda frame: None) -> None:
        self.frames: list[Frame] = []
        self.thread: threading.Thread | None = None
        self._before = before

    def write(self, frame: Frame) -> None:
        self._before(frame)
        self.thread = threading.current_thread()
        self.frames.append(frame)

    @property
    def indices(self) -> list[int]:
        return [frame.index for frame in self.frames]


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def fail_at(index: int, error: BaseException) -> Callable[[int], None]:
    def check(number: int) -> None:
        if number == index:
            raise error

    return check


def fail_at_frame(index: int, error: BaseException) -> Callable[[Frame], None]:
    return lambda frame: fail_at(index, error)(frame.index)


def wait(event: threading.Event) -> None:
    assert event.wait(PATIENCE), "nobody came: the stages do not overlap"


@pytest.mark.parametrize("kind", [Source, LiveSource])
@pytest.mark.parametrize("queue_size", [1, 4])
def test_every_frame_arrives_in_order_and_stylized(kind: type[Source], queue_size: int) -> None:
    sink = Sink()
    source = kind(50)
    progress = run(source, Step(), sink, queue_size=queue_size)
    assert sink.indices == list(range(50))
    for frame in sink.frames:
        np.testing.assert_array_equal(frame.image, 255 - picture(frame.index).image)
        assert frame.time == frame.index / 30
    assert (progress.frames, progress.total) == (50, 50)
    assert source.closed


def test_the_sink_runs_in_the_callers_thread_and_the_others_do_not() -> None:
    seen: dict[str, threading.Thread] = {}
    sink = Sink()

    def note(name: str) -> None:
        seen[name] = threading.current_thread()

    run(Source(3, before=lambda _: note("source")), Step(lambda _: note("step")), sink)
    assert sink.thread is threading.current_thread()
    assert len({*seen.values(), sink.thread}) == 3


def test_reading_stylizing_and_writing_overlap() -> None:
    """All three stages meet at one barrier: possible only if each works on a frame of its own."""
    barrier = threading.Barrier(3, timeout=PATIENCE)

    def meet_at(index: int) -> Callable[[int], None]:
        def meet(number: int) -> None:
            if number == index:
                barrier.wait()

        return meet

    sink = Sink(lambda frame: meet_at(0)(frame.index))
    step = Step(lambda frame: meet_at(1)(frame.index))
    source = Source(3, before=meet_at(2))
    run(source, step, sink, queue_size=1)
    assert sink.indices == [0, 1, 2]


@pytest.mark.parametrize("queue_size", [1, 3])
def test_the_frames_held_at_a_time_are_bounded(queue_size: int) -> None:
    """With the sink stuck, the source may be asked for so many frames, and no more."""
    asked: list[int] = []
    stuck, go_on = threading.Event(), threading.Event()
    bound = 2 * queue_size + 3

    def read(index: int) -> None:
        asked.append(index)
        if index == bound - 1:
            stuck.set()
        if index >= bound:
            assert go_on.is_set(), f"frame {index} was read while {bound} others were held"

    def write(frame: Frame) -> None:
        if frame.index == 0:
            wait(stuck)
            go_on.set()

    sink = Sink(write)
    run(Source(40, before=read), Step(), sink, queue_size=queue_size)
    assert sink.indices == list(range(40))


def test_written_frames_are_let_go() -> None:
    """At once, by their reference count: the one being written and the one before it may live."""
    alive: list[weakref.ref[Image]] = []
    most = 0

    class Forgetful(Sink):
        def write(self, frame: Frame) -> None:
            nonlocal most
            alive.append(weakref.ref(frame.image))
            most = max(most, sum(reference() is not None for reference in alive))

    run(Source(60), Step(), Forgetful(), queue_size=2)
    assert most <= 2


def test_an_error_of_the_source_comes_after_the_frames_before_it() -> None:
    sink, error = Sink(), OSError("the cable")
    with pytest.raises(OSError, match="the cable") as caught:
        run(Source(50, before=fail_at(7, error)), Step(), sink)
    assert caught.value is error
    assert sink.indices == list(range(7))
    assert "fail_at" in "".join(traceback.format_tb(caught.value.__traceback__))


def test_an_error_of_the_stylizer_stops_the_reading_too() -> None:
    sink, error = Sink(), ZeroDivisionError("step")
    source = Source(10**9)
    with pytest.raises(ZeroDivisionError) as caught:
        run(source, Step(fail_at_frame(7, error)), sink)
    assert caught.value is error
    assert sink.indices == list(range(7))
    assert source.closed


@pytest.mark.parametrize("kind", [Source, LiveSource])
def test_an_error_of_the_sink_ends_the_stages_that_wait_in_full_queues(kind: type[Source]) -> None:
    error = RuntimeError("disk full")
    full = threading.Event()

    def step(frame: Frame) -> None:
        if frame.index == 2:
            full.set()  # frame 1 waits in the queue of one, so that frame 2 cannot be put

    def write(frame: Frame) -> None:
        wait(full)
        raise error

    source = kind(10**9)
    with pytest.raises(RuntimeError) as caught:
        run(source, Step(step), Sink(write), queue_size=1)
    assert caught.value is error
    assert source.closed


def test_an_error_of_the_callback_stops_all() -> None:
    sink, error = Sink(), KeyError("bar")

    def callback(progress: Progress) -> None:
        if progress.frames == 3:
            raise error

    with pytest.raises(KeyError) as caught:
        run(Source(10**9), Step(), sink, on_progress=callback)
    assert caught.value is error
    assert sink.indices == [0, 1, 2]


def test_only_the_first_error_surfaces() -> None:
    """The sink fails while the source waits to fail as well."""
    failing = threading.Event()
    first, second = RuntimeError("first"), OSError("second")

    def read(index: int) -> None:
        if index == 3:
            wait(failing)
            raise second

    def write(frame: Frame) -> None:
        failing.set()
        raise first

    with pytest.raises(RuntimeError) as caught:
        run(Source(9, before=read), Step(), Sink(write))
    assert caught.value is first
    assert caught.value.__cause__ is None


def test_system_exit_in_a_stage_is_not_swallowed() -> None:
    with pytest.raises(SystemExit):
        run(Source(9), Step(fail_at_frame(2, SystemExit(3))), Sink())


@pytest.mark.parametrize("kind", [Source, LiveSource])
def test_the_sink_may_end_the_stream(kind: type[Source]) -> None:
    source = kind(10**9)
    sink = Sink(fail_at_frame(5, EndOfStream()))
    progress = run(source, Step(), sink)
    assert progress.frames == 5
    assert sink.indices == [0, 1, 2, 3, 4]
    assert source.closed


def test_a_source_without_frames_is_no_error() -> None:
    progress = run(Source(0), Step(), Sink())
    assert (progress.frames, progress.total, progress.fps, progress.latency) == (0, 0, 0, 0)


def test_a_live_source_is_read_only_when_its_frame_is_wanted() -> None:
    """While a frame is stylized no newer one is taken, so none can grow old in a queue."""
    reads: list[int] = []

    def step(frame: Frame) -> None:
        assert reads == list(range(frame.index + 1))

    sink = Sink()
    run(LiveSource(30, before=reads.append), Step(step), sink, queue_size=16)
    assert sink.indices == list(range(30))


def test_a_live_source_runs_ahead_of_a_stuck_sink_by_one_frame_in_the_queue() -> None:
    """Held at most: one in the sink, one in the queue, one stylized that waits; never more."""
    third, go_on = threading.Event(), threading.Event()

    def read(index: int) -> None:
        if index == 2:
            third.set()
        assert index < 3 or go_on.is_set()

    def write(frame: Frame) -> None:
        if frame.index == 0:
            wait(third)
            go_on.set()

    sink = Sink(write)
    run(LiveSource(20, before=read), Step(), sink, queue_size=16)
    assert sink.indices == list(range(20))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: Frame(f.image[:2].copy(), f.index, f.time), r"size \(6, 4\).*got \(6, 2\)"),
        (lambda f: Frame(f.image, f.index + 1, f.time), "index 0 .*got 1"),
        (lambda f: Frame(f.image, f.index, f.time + 1), "time 0.0 .*got 1.0"),
        (lambda f: f.with_image(f.image.astype(np.float32)), "uint8.*float32"),
        (lambda f: f.image, "expected a Frame from Odd, got ndarray"),
        (lambda f: None, "expected a Frame from Odd, got NoneType"),
    ],
)
def test_a_stylizer_that_breaks_its_promise_is_named(
    change: Callable[[Frame], Frame], message: str
) -> None:
    class Odd(Step):
        def __call__(self, frame: Frame) -> Frame:
            return change(frame)

    with pytest.raises(StylizerError, match=message):
        run(Source(3), Odd(), Sink())


def test_a_stylizers_image_that_is_not_contiguous_is_made_so() -> None:
    class Mirror(Step):
        def __call__(self, frame: Frame) -> Frame:
            return frame.with_image(frame.image[:, ::-1])

    sink = Sink()
    run(Source(2), Mirror(), sink)
    assert all(frame.image.flags.c_contiguous for frame in sink.frames)


def test_queue_size_is_checked() -> None:
    with pytest.raises(ConfigError, match="queue_size"):
        run(Source(1), Step(), Sink(), queue_size=0)


def test_progress_counts_every_frame_and_its_numbers_fit_together() -> None:
    seen: list[Progress] = []
    last = run(Source(70), Step(), Sink(), on_progress=seen.append)
    assert [progress.frames for progress in seen] == list(range(1, 71))
    assert {progress.total for progress in seen} == {70}
    assert all(a.seconds <= b.seconds for a, b in pairwise(seen))
    assert last.fps > 0
    assert 0 < last.latency <= last.seconds
    assert 0 < last.latency_last <= last.seconds
    assert 0 < last.latency_p95 <= last.seconds


def test_latency_is_counted_from_the_reading_of_the_frame() -> None:
    """A frame that waits for the sink is older: the clock is the test's own."""
    release = threading.Event()
    ages: list[float] = []

    def write(frame: Frame) -> None:
        if frame.index == 0:
            release.wait(0.05)

    run(Source(2), Step(), Sink(write), on_progress=lambda p: ages.append(p.latency_last))
    assert ages[0] >= 0.05
    assert len(ages) == 2


INTERRUPTED = """
import sys, threading
sys.path.insert(0, {root!r})
from tests.test_pipeline import Sink, {kind}, Step
from stylizer.pipeline import run

class Loud(Sink):
    def write(self, frame):
        super().write(frame)
        if frame.index == 3:
            print("ready", flush=True)
    def __exit__(self, kind, error, trace):
        workers = [t for t in threading.enumerate() if t.name.startswith("stylizer-")]
        print(kind.__name__, len(workers), self.indices == list(range(len(self.frames))))

try:
    with Loud() as sink:
        run({kind}(10**9), Step(), sink)
except KeyboardInterrupt:
    print("raised")
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process")
@pytest.mark.parametrize("kind", ["Source", "LiveSource"])
def test_ctrl_c_stops_all_stages_before_the_sink_is_left(kind: str) -> None:
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED.format(root=root, kind=kind)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)
    assert (out.splitlines(), process.returncode) == (["KeyboardInterrupt 0 True", "raised"], 130)
    assert errors == ""
