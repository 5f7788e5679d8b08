"""What a worker does with a stretch: in this process, in another one, or on another machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

import cv2

from stylizer.base import WrappedSource, find
from stylizer.frame import Frame
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.jobs.division import DivisionConfig
from stylizer.jobs.parts import Parts
from stylizer.jobs.records import Segment
from stylizer.jobs.segmented import SegmentedSink, SegmentKind
from stylizer.jobs.stretches import Stretch
from stylizer.pipeline import Progress, restore, run
from stylizer.protocols import FrameSource, Staged, Stylizer
from stylizer.temporal.follow_camera import FollowCamera

__all__ = ["FramesWork", "PaintStretch", "Reached", "Work"]

_HEARD = 0.25
"""Seconds between two reports, at least."""

Reached = Callable[[int, int], None]
"""Told now and then how many frames of a stretch are painted, and the index of the frame at hand.
"""

PaintStretch = Callable[[Stretch, Reached], int]
"""Paints what is missing of a stretch; returns how many frames that were."""


class Work(Protocol):
    """A job as its workers know it. It goes to other processes, so all of it can be pickled.

    Attributes:
      folder: the job's, which gets segments and the records of those that are finished.
      pictures: the folder that gets pictures; None for a job that makes a file.
    """

    @property
    def folder(self) -> Path: ...  # noqa: D102
    @property
    def pictures(self) -> Path | None: ...  # noqa: D102
    def load(self) -> PaintStretch:
        """Load what paints, which may take seconds."""
        ...

    def moved(self, folder: Path, pictures: Path | None) -> Self:
        """Return the same work, done in other folders, which are there."""
        ...


@dataclass(frozen=True, kw_only=True)
class FramesWork:
    """The frames of a source painted in order, each after the one before; a `Work`.

    Attributes:
      folder: the job's.
      pictures: the folder that gets pictures; None for a job that makes a file.
      open_source: opens the frames from one on, up to but without another one; None for the end.
      make_stylizer: makes what paints.
      make_kind: makes what segments become, in the job's folder and that of pictures.
      division: where segments end.
      threads: of the processor, for all but what paints; None for one a core.
    """

    folder: Path
    open_source: Callable[[int, int | None], FrameSource]
    make_stylizer: Callable[[], Stylizer]
    make_kind: Callable[[Parts, Path | None], SegmentKind]
    division: DivisionConfig
    pictures: Path | None = None
    threads: int | None = None

    def moved(self, folder: Path, pictures: Path | None) -> Self:
        """Return the same work, done in other folders."""
        return replace(self, folder=folder, pictures=pictures)

    def load(self) -> PaintStretch:
        """Make what paints.

        Raises:
          StylizerError: it cannot be made.
        """
        if self.threads is not None:
            cv2.setNumThreads(self.threads)
        stylizer = self.make_stylizer()
        return lambda stretch, reached: self._paint(stylizer, stretch, reached)

    def _paint(self, stylizer: Stylizer, stretch: Stretch, reached: Reached) -> int:
        parts = Parts(self.folder, first=stretch.first)
        parts.find_finished(end=stretch.end)
        if parts.whole or parts.next >= stretch.end:  # by a worker that died before it said so
            return 0
        first = parts.next
        checkpoint = stretch.checkpoint if first == stretch.first else parts.checkpoint
        stylizer.reset()
        if checkpoint is not None:
            restore(stylizer, checkpoint)
        opened = first if checkpoint is None else checkpoint.index
        staged = stylizer if isinstance(stylizer, Staged) else None
        begin = opened if staged is None else max(opened, first - stretch.lead_in)
        said = 0.0

        def report(progress: Progress) -> None:
            nonlocal said
            now = time.monotonic()
            if now - said >= _HEARD:
                said = now
                reached(max(0, progress.frames - (first - begin)), begin + progress.frames)

        kind = self.make_kind(parts, self.pictures)
        sink = SegmentedSink(
            parts, kind, self.division, last=stretch.last, end=None if stretch.last else stretch.end
        )
        with self.open_source(opened, stretch.end) as source, sink:
            frames = source if staged is None else _LookedAt(source, staged, until=begin)
            painted = run(frames, stylizer, sink, division=sink, on_progress=report).frames
            pictures = find(source, FolderReader)
        if pictures is not None and pictures.left_out and not painted:
            empty = Segment(first=first, frames=0, end=stretch.end, last=stretch.last)
            parts.commit(empty, None)
        return max(0, painted - (first - begin))


class _LookedAt(WrappedSource):
    """A source whose first frames a stylizer only looks at, before the first that it paints."""

    def __init__(self, source: FrameSource, stylizer: Staged, *, until: int) -> None:
        super().__init__(source)
        self._stylizer, self._until = stylizer, until

    def __iter__(self) -> Iterator[Frame]:
        camera = find(self._stylizer, FollowCamera)
        for frame in self._source:
            if frame.index >= self._until:
                yield frame
                continue
            if self._stylizer.begins_shot(frame):
                self._stylizer.painter.reset()
            if camera is not None:
                camera.follow(frame)
