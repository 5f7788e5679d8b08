"""Stages and the channels between them: the threads that `stylizer.pipeline` is made of."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from stylizer.frame import Frame
from stylizer.protocols import State

__all__ = ["Channel", "Checkpoint", "Item", "Items", "Stage", "in_order"]

T = TypeVar("T")
U = TypeVar("U")

_log = logging.getLogger(__name__)

_WAKE = 0.5
"""Seconds after which a waiting thread looks up: Ctrl-C cannot wake a lock on Windows."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What all parts remember just before a frame, so that a run can be gone on with from there.

    Attributes:
      index: of the frame.
      begins_shot: whether painter and effects forget earlier frames there.
      states: by a part's name; each part adds its own as the frame comes to it.
    """

    index: int
    begins_shot: bool
    states: dict[str, State] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """A frame on its way.

    Attributes:
      source: as it was read.
      painted: as it is by now; the source itself until it is painted.
      read_at: when it was read (`time.perf_counter`).
      begins_shot: whether effects forget earlier frames before this one.
      checkpoint: that is made before this frame, if one is.
    """

    source: Frame
    painted: Frame
    read_at: float
    begins_shot: bool = False
    checkpoint: Checkpoint | None = None


Items = Generator[Item, None, None]


def in_order(works: Iterator[tuple[T, Callable[[], U]]], at_once: int) -> Generator[tuple[T, U]]:
    """Call functions in threads, several at once, and give each one's key and result in order.

    An error, of what gives them or of a function, comes after the results before it.

    Args:
      works: pairs of a key and a function; no more are taken than are worked on, and one.
      at_once: how many threads, 1 or more.
    """
    waiting: deque[tuple[T, Future[U]]] = deque()
    with ThreadPoolExecutor(at_once, thread_name_prefix="stylizer-painter") as pool:
        try:
            ended: Exception | None = None
            while ended is None:
                try:
                    key, work = next(works)
                except Exception as error:
                    ended = error
                else:
                    waiting.append((key, pool.submit(work)))
                while waiting and (ended is not None or len(waiting) > at_once):
                    key, result = waiting.popleft()
                    yield key, result.result()
            if not isinstance(ended, StopIteration):
                raise ended
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # of a run that is stopped


class Channel:
    """A bounded queue between two threads that either side can end at once.

    Unlike `queue.Queue` (before Python 3.13 it cannot be shut down), ending it wakes whoever waits
    in it, so that no thread has to look again and again whether the run is over.
    """

    def __init__(self, capacity: int) -> None:
        """Make an empty channel that holds ``capacity`` items, 1 or more."""
        self._capacity = capacity
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._finished = False
        self._canceled = False
        self._error: BaseException | None = None

    def put(self, item: Item) -> bool:
        """Wait for room and add an item; False when nobody wants it any more."""
        with self._changed:
            while len(self._items) >= self._capacity and not self._canceled:
                self._changed.wait(_WAKE)
            if not self._canceled:
                self._items.append(item)
                self._changed.notify_all()
            return not self._canceled

    def finish(self, *, error: BaseException | None = None) -> bool:
        """Say that no item will follow; False when an error comes too late to be delivered."""
        with self._changed:
            self._finished, self._error = True, error
            self._changed.notify_all()
            return not self._canceled

    def cancel(self) -> None:
        """Drop what waits here and stop both sides."""
        with self._changed:
            self._canceled = True
            self._items.clear()
            self._changed.notify_all()

    @property
    def wanted(self) -> bool:
        """Whether someone may still take what is put in."""
        return not self._canceled

    def drain(self) -> Items:
        """Give the items as they come, then raise the error that ended them, if one did."""
        try:
            while (item := self._get()) is not None:
                yield item
        finally:
            self.cancel()

    def _get(self) -> Item | None:
        with self._changed:
            while not (self._items or self._finished or self._canceled):
                self._changed.wait(_WAKE)
            if self._items:
                self._changed.notify_all()
                return self._items.popleft()
            if self._error is not None and not self._canceled:
                raise self._error
            return None


class Stage:
    """A thread that moves items into a channel, and its error with them.

    Attributes:
      output: the channel.
    """

    def __init__(self, name: str, items: Items, output: Channel) -> None:
        """Prepare a thread called ``name`` that gives ``items`` to ``output``."""
        self._name, self._items, self.output = name, items, output
        self._thread = threading.Thread(target=self._work, name=f"stylizer-{name}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def finish(self) -> None:
        """Wait for the thread's end; a stage that was never started has nothing to end."""
        with suppress(RuntimeError):
            self._thread.join()

    def _work(self) -> None:
        try:
            with closing(self._items):
                for item in self._items:
                    if not self.output.put(item):
                        break
        except BaseException as error:  # also SystemExit: a thread would swallow it
            if not self.output.finish(error=error):
                _log.warning("the %s failed while the run was stopped: %s", self._name, error)
        else:
            self.output.finish()
