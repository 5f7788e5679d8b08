"""Work that is done in threads, several pieces at once, and given in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from stylizer.frame import Frame
from stylizer.pipeline import run
from stylizer.protocols import Effect
from stylizer.stages import in_order
from tests.test_pipeline import PATIENCE, Sink, Source, fail_at, picture

Works = Iterator[tuple[int, Callable[[], int]]]


def test_several_are_worked_on_at_once_and_come_in_order() -> None:
    """The first of each pair waits for the second."""
    barriers = [threading.Barrier(2, timeout=PATIENCE) for _ in range(20)]

    def works() -> Works:
        for index in range(40):
            yield index, lambda index=index: barriers[index // 2].wait() * 0 + index  # type: ignore[misc]

    assert list(in_order(works(), 2)) == [(index, index) for index in range(40)]


def test_no_more_is_taken_than_is_worked_on_and_one() -> None:
    taken: list[int] = []

    def works() -> Works:
        for index in range(20):
            taken.append(index)
            yield index, lambda: 0

    results = in_order(works(), 2)
    for index in range(20):
        assert next(results)[0] == index
        assert len(taken) <= index + 3


@pytest.mark.parametrize("where", ["given", "done"])
def test_an_error_comes_after_the_results_before_it(where: str) -> None:
    error = RuntimeError("the seventh")

    def fail() -> int:
        raise error

    def works() -> Works:
        for index in range(20):
            if index == 7 and where == "given":
                raise error
            yield index, fail if index == 7 else lambda: 0

    seen = []
    with pytest.raises(RuntimeError) as caught:
        for index, _ in in_order(works(), 2):
            seen.append(index)
    assert seen == [*range(7)] and caught.value is error


def test_a_stopped_one_begins_no_more() -> None:
    begun: list[int] = []
    results = in_order(((index, lambda index=index: begun.append(index)) for index in range(99)), 2)  # type: ignore[misc]
    next(results)
    results.close()
    assert len(begun) <= 3
    assert not [one for one in threading.enumerate() if "painter" in one.name]


class Pairs:
    """Paints two frames at once: each pair meets, so that one after the other would hang."""

    at_once = 2
    effects: Sequence[Effect] = ()

    def __init__(self) -> None:
        self.begun: list[int] = []
        self._meet = threading.Barrier(2, timeout=PATIENCE)

    @property
    def painter(self) -> Pairs:
        return self

    def begins_shot(self, frame: Frame) -> bool:
        return False

    def reset(self) -> None:
        raise AssertionError("run must not reset")

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        self.begun.append(frame.index)
        return lambda: self(frame)

    def __call__(self, frame: Frame) -> Frame:
        self._meet.wait()
        return frame.with_image(255 - frame.image)


def test_a_painter_of_several_frames_is_told_of_them_in_order() -> None:
    sink, painter = Sink(), Pairs()
    run(Source(30), painter, sink)
    assert painter.begun == sink.indices == [*range(30)]
    assert all((one.image == 255 - picture(one.index).image).all() for one in sink.frames)


def test_frames_before_an_error_of_the_source_are_written() -> None:
    sink = Sink()
    with pytest.raises(OSError, match="the cable"):
        run(Source(50, before=fail_at(8, OSError("the cable"))), Pairs(), sink)
    assert sink.indices == [*range(8)]
