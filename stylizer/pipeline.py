"""The loop: the only place where source, stylizer and sink meet.

::

    a file      reader ──queue──▶ painter ──queue──▶ effect ──queue──▶ ... ──queue──▶ sink
    a camera    stylizer as a whole, which reads itself ──1──▶ sink

Each part but the sink works in a thread of its own, so that reading, painting, holding still and
writing overlap, and frames keep their order: each queue is first in, first out. A stylizer that is
`stylizer.protocols.Staged` is taken apart into its painter and its effects; any other one paints as
a whole. From the painter on, items carry a frame's source and its painting.

The queues are bounded, so that a fast part waits for a slow one instead of filling the memory: with
n parts between source and sink, at most ``(n + 1) * (queue_size + 1) + 1`` frames are held at a
time. (A `stylizer.protocols.ShotStylizer` holds those that it paints together besides. The painter
of a file may be a `stylizer.protocols.ParallelStylizer`: that paints ``at_once`` frames in as many
threads, and holds as many more.)

A live source (``rate is None``) is read by the stylizer's thread without any queue before it, and
the stylizer works as a whole. A camera keeps only its newest frame, and queues of older ones would
show the past: what is stylized is always the newest frame there is, and only one finished frame
waits for the sink.

The sink runs in the thread that called `run`, because windows and Ctrl-C belong to the main thread.

How a run ends, and in which state:

* The source has no more frames: every frame was written.
* Source, painter or effect fail at frame n: the frames before n are written still (they are work
  done), then the error is raised as it was, with the traceback of its own stage.
* The sink or ``on_progress`` fails, or Ctrl-C: everything stops at once; frames on their way are
  dropped. The error is raised as it was.
* The sink raises `EndOfStream`: everything stops at once, and `run` returns.

A run can be divided (`Division`): before a frame that is asked for, every part saves what it
remembers as that frame comes to it, and the whole is handed out before the frame is written. A run
of the frames from there on, whose stylizer is `restore`d, paints what this one would.

In every case the worker threads have ended before `run` returns or raises. They end when the call
that they are in does: a source must not block for ever, and a frame's painting is waited for (a
second Ctrl-C gives that up; the threads are daemons, so the process can end). Only one error
is raised; a stage that fails as well while the run is being stopped is logged.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from stylizer.base import apply_effect, begin_frame, frames_at_once, load_state, save_state
from stylizer.errors import ConfigError, StylizerError
from stylizer.frame import Frame, check_image
from stylizer.protocols import (
    Divided,
    Effect,
    EndOfStream,
    FrameSink,
    FrameSource,
    ShotStylizer,
    Staged,
    Stylizer,
)
from stylizer.stages import Channel, Checkpoint, Item, Items, Stage, in_order

__all__ = ["Checkpoint", "Division", "Progress", "restore", "run"]

_log = logging.getLogger(__name__)

_Work = Callable[[Items, Channel], Items]
"""What a stage does: items in, items out; it is told where they go."""

_RECENT = 64
"""How many of the newest frames ``fps`` and ``latency`` are taken over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a run has come.

    Attributes:
      frames: frames written so far.
      total: frames that the source announced; None when it does not know.
      seconds: since the run began.
      fps: frames written a second, over the newest frames; 0 before the second one.
      latency: seconds from a frame's reading to the end of its writing, mean of the newest frames.
      latency_last: the same, of the last frame.
      latency_p95: the same, 95th percentile of the newest frames.
    """

    frames: int = 0
    total: int | None = None
    seconds: float = 0.0
    fps: float = 0.0
    latency: float = 0.0
    latency_last: float = 0.0
    latency_p95: float = 0.0


class Division(Protocol):
    """Where a run is divided, and who is told of it."""

    def divides(self, frame: Frame, *, begins_shot: bool) -> bool:
        """Whether to divide before this frame; asked once for each, in order, by the painter."""
        ...

    def reach(self, checkpoint: Checkpoint) -> None:
        """Take what is remembered before the frame that is written next; in the caller's thread."""
        ...


def run(  # noqa: PLR0913 - the last three are options of their own
    source: FrameSource,
    stylizer: Stylizer,
    sink: FrameSink,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    division: Division | None = None,
    queue_size: int = 4,
) -> Progress:
    """Carry every frame of ``source`` through ``stylizer`` into ``sink``.

    Opens, resets and closes nothing: that is the caller's, with ``with``.

    Args:
      source: an open source; its iteration runs in a thread of its own.
      stylizer: called in threads of its own, with the frames in order.
      sink: an open sink; written to in the caller's thread.
      on_progress: called in the caller's thread after every frame written.
      division: where the run is divided; None for nowhere.
      queue_size: frames that may wait between two stages, 1 or more; a live source always has 1.

    Returns:
      The account of the whole run.

    Raises:
      ConfigError: ``queue_size`` is below 1, or the stylizer looks ahead and the source is live.
      StylizerError: the stylizer returned something else than the frame given, restyled.
      Exception: whatever a stage raised, as it was.
    """
    if queue_size < 1:
        raise ConfigError(f"queue_size: expected 1 or more, got {queue_size}")
    stages = _stages(source, stylizer, queue_size, division)
    meter = _Meter(source.frame_count)
    try:
        for stage in stages:
            stage.start()
        with closing(stages[-1].output.drain()) as finished:
            for item in finished:
                if division is not None and item.checkpoint is not None:
                    division.reach(item.checkpoint)
                sink.write(item.painted)
                meter.count(item.read_at)
                if on_progress is not None:
                    on_progress(meter.progress())
    except EndOfStream:
        _log.debug("the sink ended the stream after %d frames", meter.frames)
    finally:
        for stage in stages:
            stage.output.cancel()
        for stage in stages:
            stage.finish()
    return meter.progress()


def restore(stylizer: Stylizer, checkpoint: Checkpoint) -> None:
    """Have a stylizer go on from a checkpoint, with the frame of its index.

    Args:
      stylizer: one of the same settings as the one that the checkpoint was made of, or that one.
      checkpoint: as `Division.reach` was told it.

    Raises:
      ConfigError: a part that the checkpoint tells of is not there.
    """
    parts = dict(_memories(stylizer))
    for name in checkpoint.states:
        if name not in parts:
            raise ConfigError(f"checkpoint: expected a stylizer with a {name} to go on")
    for name, part in parts.items():
        load_state(part, checkpoint.states.get(name, {}))


def _memories(stylizer: Stylizer) -> list[tuple[str, object]]:
    """Return the parts that may remember, each with its name in a checkpoint."""
    if not isinstance(stylizer, Staged):
        return [("stylizer", stylizer)]
    effects = [(type(effect).__name__, effect) for effect in stylizer.effects]
    return [("shots", _shots(stylizer)), ("painter", stylizer.painter), *effects]


def _shots(stylizer: Staged) -> object:
    """Return who remembers earlier frames for ``begins_shot``."""
    return stylizer.shots if isinstance(stylizer, Divided) else None


def _stages(
    source: FrameSource, stylizer: Stylizer, queue_size: int, division: Division | None
) -> list[Stage]:
    """Return the threads of a run, in the order of the frames."""
    stages: list[Stage] = []
    items = _read(source)
    parts: list[tuple[str, _Work]] = [("stylizer", partial(_paint, stylizer, division))]
    capacity = 1
    if source.rate is None:
        if isinstance(stylizer, Staged) and isinstance(stylizer.painter, ShotStylizer):
            raise ConfigError("passes: expected a source that ends, got a live one")
    else:
        parts, capacity = _parts(stylizer, division), queue_size
        stages.append(Stage("reader", items, Channel(capacity)))
        items = stages[-1].output.drain()
    for number, (name, work) in enumerate(parts, start=1):
        output = Channel(capacity)
        items = work(items, output)
        if number == len(parts):
            items = _finish(items, type(stylizer).__name__)
        stages.append(Stage(name, items, output))
        items = output.drain()
    return stages


def _parts(stylizer: Stylizer, division: Division | None) -> list[tuple[str, _Work]]:
    """Take a stylizer apart, as far as it may be: names, and what each part does."""
    if not isinstance(stylizer, Staged):
        return [("stylizer", partial(_paint, stylizer, division))]
    paint = _paint_shots if isinstance(stylizer.painter, ShotStylizer) else _paint_staged
    effects = [(type(effect).__name__, partial(_apply, effect)) for effect in stylizer.effects]
    return [("painter", partial(paint, stylizer, division)), *effects]


def _read(source: FrameSource) -> Items:
    """Give the source's frames with the moment of their arrival; close its iterator at the end."""
    frames = iter(source)
    try:
        for frame in frames:
            yield Item(frame, frame, time.perf_counter())
    finally:
        if isinstance(frames, Generator):
            frames.close()


def _paint(stylizer: Stylizer, division: Division | None, items: Items, _: Channel) -> Items:
    name = type(stylizer).__name__
    with closing(items):
        for item in items:
            made = _divide(division, item.source, begins_shot=False)
            if made is not None:
                made.states["stylizer"] = save_state(stylizer)
            painted = _checked(stylizer(item.source), item.source, name)
            yield replace(item, painted=painted, checkpoint=made)


def _paint_staged(stylizer: Staged, division: Division | None, items: Items, _: Channel) -> Items:
    painter, name = stylizer.painter, type(stylizer.painter).__name__
    at_once = frames_at_once(painter)
    begin = partial(begin_frame, painter) if at_once > 1 else lambda frame: partial(painter, frame)
    with closing(items):
        begun = _begin_frames(stylizer, begin, division, items)
        pairs = in_order(begun, at_once) if at_once > 1 else ((one, work()) for one, work in begun)
        with closing(pairs):
            for item, result in pairs:
                yield replace(item, painted=_checked(result, item.source, name))


def _begin_frames(
    stylizer: Staged,
    begin: Callable[[Frame], Callable[[], Frame]],
    division: Division | None,
    items: Items,
) -> Iterator[tuple[Item, Callable[[], Frame]]]:
    """Give frames with what paints each; what the painter remembers of them is told in order."""
    painter = stylizer.painter
    for item in items:
        shots = {} if division is None else save_state(_shots(stylizer))
        begins = stylizer.begins_shot(item.source)
        made = _divide(division, item.source, begins_shot=begins)
        if made is not None:
            made.states["shots"] = shots
        if begins:
            painter.reset()
        elif made is not None:
            made.states["painter"] = save_state(painter)
        yield replace(item, begins_shot=begins, checkpoint=made), begin(item.source)


def _paint_shots(
    stylizer: Staged, division: Division | None, items: Items, output: Channel
) -> Items:
    painter, name = stylizer.painter, type(stylizer.painter).__name__
    if not isinstance(painter, ShotStylizer):
        raise TypeError(f"expected a ShotStylizer, got {name}")
    arrivals: deque[float] = deque()

    def sources() -> Iterator[Frame]:
        for item in items:
            arrivals.append(item.read_at)
            yield item.source

    with closing(items):
        for source, result in painter.paint_stream(sources(), wanted=lambda: output.wanted):
            painted = _checked(result, source, name)
            shots = {} if division is None else save_state(_shots(stylizer))
            begins = stylizer.begins_shot(source)
            made = _divide(division, source, begins_shot=begins)
            if made is not None:
                made.states.update(shots=shots, painter=save_state(painter))
            yield Item(source, painted, arrivals.popleft(), begins, made)


def _divide(division: Division | None, frame: Frame, *, begins_shot: bool) -> Checkpoint | None:
    """Return an empty checkpoint where a run is divided."""
    if division is None or not division.divides(frame, begins_shot=begins_shot):
        return None
    return Checkpoint(frame.index, begins_shot)


def _apply(effect: Effect, items: Items, _: Channel) -> Items:
    name = type(effect).__name__
    with closing(items):
        for item in items:
            if item.begins_shot:
                effect.reset()
            elif item.checkpoint is not None:
                item.checkpoint.states[name] = save_state(effect)
            painted = _checked(apply_effect(effect, item.source, item.painted), item.source, name)
            yield replace(item, painted=painted)


def _finish(items: Items, name: str) -> Items:
    """Hold what goes to the sink to the last promise, its size, and let go of the source."""
    with closing(items):
        for item in items:
            _check_same("size", item.painted, item.source, name)
            yield replace(item, source=item.painted)


def _checked(result: object, frame: Frame, name: str) -> Frame:
    """Hold a part to its promise: a picture, with the index and time of its source."""
    if not isinstance(result, Frame):
        raise StylizerError(
            f"frame {frame.index}: expected a Frame from {name}, got {type(result).__name__}"
        )
    image = check_image(result.image, name=f"frame {frame.index}: image from {name}")
    for what in ("index", "time"):
        _check_same(what, result, frame, name)
    return result if image is result.image else result.with_image(image)


def _check_same(what: str, result: Frame, frame: Frame, name: str) -> None:
    expected, got = getattr(frame, what), getattr(result, what)
    if expected != got:
        raise StylizerError(
            f"frame {frame.index}: expected {what} {expected} from {name}, got {got}; "
            "a stylizer must keep a frame's size, index and time (use frame.with_image)"
        )


class _Meter:
    """Counts frames and keeps the times of the newest."""

    def __init__(self, total: int | None) -> None:
        self.frames = 0
        self._total = total
        self._start = time.perf_counter()
        self._written: deque[float] = deque(maxlen=_RECENT)
        self._latencies: deque[float] = deque(maxlen=_RECENT)

    def count(self, read_at: float) -> None:
        now = time.perf_counter()
        self.frames += 1
        self._written.append(now)
        self._latencies.append(now - read_at)

    def progress(self) -> Progress:
        seconds = time.perf_counter() - self._start
        if not self.frames:
            return Progress(total=self._total, seconds=seconds)
        span = self._written[-1] - self._written[0]
        ordered = sorted(self._latencies)
        return Progress(
            frames=self.frames,
            total=self._total,
            seconds=seconds,
            fps=(len(self._written) - 1) / span if span > 0 else 0.0,
            latency=sum(ordered) / len(ordered),
            latency_last=self._latencies[-1],
            latency_p95=ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        )
