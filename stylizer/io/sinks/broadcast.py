"""Several sinks as one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame
from stylizer.protocols import EndOfStream, FrameSink

__all__ = ["Broadcast"]

_log = logging.getLogger(__name__)


class Broadcast:
    """A sink that gives each frame to several sinks, in their order and in the caller's thread.

    A sink that fails while it runs (a virtual camera that went away) is closed and told in the log,
    and the others go on; the last one's error is raised. When one ends the stream (a closed
    window), the others still get that frame.
    """

    def __init__(self, sinks: Sequence[FrameSink]) -> None:
        """Take the sinks, one or more, which are opened and closed with this one.

        Raises:
          ConfigError: there are none.
        """
        if not sinks:
            raise ConfigError("broadcast: expected one sink or more, got none")
        self._sinks = list(sinks)
        self._open: list[FrameSink] = []

    def __enter__(self) -> Self:
        """Open all sinks.

        Raises:
          SinkError: one cannot be opened; those before it are closed again.
        """
        try:
            for sink in self._sinks:
                self._open.append(sink.__enter__())
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def write(self, frame: Frame) -> None:
        """Give a frame to all sinks that still work.

        Raises:
          EndOfStream: one of them ends the stream.
          SinkError: the last one failed.
        """
        end: EndOfStream | None = None
        for sink in tuple(self._open):
            try:
                sink.write(frame)
            except EndOfStream as asked:
                end = end or asked
            except SinkError as error:
                if len(self._open) == 1:
                    raise
                self._open.remove(sink)
                _log.error("%s; going on without it", error)
                _close(sink, error)
        if end is not None:
            raise end

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all sinks, each as if it were alone: one that fails leaves the others' work whole.

        Raises:
          SinkError: one could not finish its work, and there is no other error; the first is
            raised, the others are logged.
        """
        sinks, self._open = self._open, []
        failures: list[SinkError] = []

        def close(sink: FrameSink) -> None:
            try:
                sink.__exit__(kind, error, trace)
            except SinkError as failure:
                failures.append(failure)

        with ExitStack() as stack:  # closes the others also when Ctrl-C ends the closing of one
            for sink in reversed(sinks):
                stack.callback(close, sink)
        first = failures.pop(0) if failures and kind is None else None
        for failure in failures:
            _log.error("%s", failure)
        if first is not None:
            raise first


def _close(sink: FrameSink, error: SinkError) -> None:
    try:
        sink.__exit__(type(error), error, error.__traceback__)
    except SinkError as further:
        _log.debug("it could not be closed either: %s", further)
