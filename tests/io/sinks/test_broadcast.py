from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

import pytest

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame
from stylizer.io.sinks.broadcast import Broadcast
from stylizer.protocols import EndOfStream
from tests.clips import picture


class Sink:
    """Keeps what it is given; fails or ends the stream at a frame, fails at opening or closing."""

    def __init__(
        self,
        *,
        fails_at: int | None = None,
        ends_at: int | None = None,
        at_opening: BaseException | None = None,
        at_closing: BaseException | None = None,
    ) -> None:
        self.fails_at, self.ends_at = fails_at, ends_at
        self.at_opening, self.at_closing = at_opening, at_closing
        self.taken: list[int] = []
        self.closed: list[type[BaseException] | None] = []

    def __enter__(self) -> Self:
        if self.at_opening is not None:
            raise self.at_opening
        return self

    def write(self, frame: Frame) -> None:
        if frame.index == self.fails_at:
            raise SinkError("unplugged")
        self.taken.append(frame.index)
        if frame.index == self.ends_at:
            raise EndOfStream

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed.append(kind)
        if self.at_closing is not None:
            raise self.at_closing


def fill(broadcast: Broadcast, count: int) -> None:
    for index in range(count):
        broadcast.write(Frame(picture(index), index, index / 30))


def test_a_sink_that_fails_is_told_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    good, bad, other = Sink(), Sink(fails_at=2, at_closing=SinkError("still")), Sink()
    with Broadcast([good, bad, other]) as broadcast:
        fill(broadcast, 5)
        assert bad.closed == [SinkError]  # at once, not at the end
    assert good.taken == other.taken == [0, 1, 2, 3, 4]
    assert bad.taken == [0, 1]
    assert bad.closed == [SinkError]
    assert good.closed == other.closed == [None]
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == ["unplugged; going on without it"]


def test_the_last_one_that_fails_ends_the_stream() -> None:
    first, last = Sink(fails_at=1), Sink(fails_at=3)
    with pytest.raises(SinkError, match="unplugged"), Broadcast([first, last]) as broadcast:
        fill(broadcast, 5)
    assert last.taken == [0, 1, 2]
    assert first.closed == last.closed == [SinkError]


def test_any_may_end_the_stream_and_the_others_get_that_frame() -> None:
    window, file = Sink(ends_at=2), Sink()
    with Broadcast([window, file]) as broadcast, pytest.raises(EndOfStream):
        fill(broadcast, 5)
    assert window.taken == file.taken == [0, 1, 2]


def test_an_error_that_is_no_sinks_own_passes() -> None:
    with pytest.raises(ConfigError, match="uint8"):
        with Broadcast([Checking(), Sink()]) as broadcast:
            broadcast.write(Frame(picture(0).astype("float32"), 0, 0.0))


class Checking(Sink):
    def write(self, frame: Frame) -> None:
        raise ConfigError("expected uint8")


def test_one_that_cannot_be_opened_closes_those_before_it() -> None:
    first, second, third = Sink(), Sink(at_opening=SinkError("no screen")), Sink()
    with pytest.raises(SinkError, match="no screen"), Broadcast([first, second, third]):
        pass
    assert first.closed == [SinkError]
    assert second.closed == third.closed == []


def test_one_that_cannot_be_finished_leaves_the_others_whole() -> None:
    first, second, third = Sink(at_closing=SinkError("full")), Sink(), Sink()
    with pytest.raises(SinkError, match="full"), Broadcast([first, second, third]) as broadcast:
        fill(broadcast, 1)
    assert second.closed == third.closed == [None]


def test_ctrl_c_while_one_is_finished_closes_the_others() -> None:
    first, second = Sink(at_closing=KeyboardInterrupt()), Sink()
    with pytest.raises(KeyboardInterrupt), Broadcast([first, second]) as broadcast:
        fill(broadcast, 1)
    assert second.closed == [None]


def test_an_error_is_not_hidden_by_one_at_closing(caplog: pytest.LogCaptureFixture) -> None:
    sinks = [Sink(at_closing=SinkError("full")), Sink()]
    with pytest.raises(ValueError, match="first"), Broadcast(sinks):
        raise ValueError("first")
    assert sinks[1].closed == [ValueError]
    assert "full" in caplog.text


def test_without_a_sink_there_is_nothing_to_do() -> None:
    with pytest.raises(ConfigError, match="one sink or more"):
        Broadcast([])
