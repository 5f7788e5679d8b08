"""The finished segments of a job, or of a stretch of one, in its folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from stylizer.jobs.facts import file_digest
from stylizer.jobs.records import Segment, read_checkpoint, write_checkpoint, write_json
from stylizer.pipeline import Checkpoint

__all__ = ["Parts"]


class Parts:
    """Segments that follow on each other.

    Attributes:
      path: the job's folder.
      segments: those that are finished, in order.
      checkpoint: where to go on after them; None where nothing is remembered.
    """

    def __init__(self, path: Path, *, first: int = 0) -> None:
        """Begin with frame ``first``, and no segment; see `find_finished`."""
        self.path = path
        self.segments: list[Segment] = []
        self.checkpoint: Checkpoint | None = None
        self._first = first

    @property
    def done(self) -> int:
        """How many frames are finished."""
        return sum(segment.frames for segment in self.segments)

    @property
    def next(self) -> int:
        """The index of the first frame that is missing."""
        return self.segments[-1].end if self.segments else self._first

    @property
    def passed(self) -> int:
        """How many frames come before the first one that is missing."""
        return self.next - self._first

    @property
    def whole(self) -> bool:
        """Whether the last frame is finished."""
        return bool(self.segments) and self.segments[-1].last

    def file(self, first: int) -> Path:
        """Return the path of a segment's file."""
        return self.path / f"{first:08}.mp4"

    def state(self, index: int) -> Path:
        """Return the path of what is remembered before a frame."""
        return self.path / f"{index:08}.npz"

    def commit(self, segment: Segment, checkpoint: Checkpoint | None) -> None:
        """Note that a segment is finished; its file has its place already.

        Args:
          segment: the one after the last.
          checkpoint: made before the next one; None after the last.

        Raises:
          SinkError: it cannot be written.
        """
        if checkpoint is not None:
            write_checkpoint(self.state(checkpoint.index), checkpoint)
        write_json(self.path / f"{segment.first:08}.json", asdict(segment))
        self.segments.append(segment)
        before, self.checkpoint = self.checkpoint, checkpoint
        if before is not None and not before.begins_shot:
            self.state(before.index).unlink(missing_ok=True)

    def find_finished(self, *, end: int | None = None, restored: bool = True) -> None:
        """Find the segments that can be gone on from.

        Args:
          end: index of the frame to stop before; None for the job's end.
          restored: whether only those count after which it is known what was remembered.
        """
        found: list[Segment] = []
        while True:
            segment = self.read_segment(found[-1].end if found else self._first)
            if segment is None:
                break
            found.append(segment)
            if segment.last or segment.end == end:
                break
        while True:
            self.segments = found
            if self.whole or self.next == end:
                self.checkpoint = None
                return
            self.checkpoint = read_checkpoint(self.state(self.next))
            if self.checkpoint is not None or not (found and restored):
                return
            found.pop()

    def read_segment(self, first: int) -> Segment | None:
        """Return the finished segment that begins with a frame; None if none that is whole does."""
        try:
            text = (self.path / f"{first:08}.json").read_text(encoding="utf-8")
            segment = Segment(**json.loads(text))
            whole = segment.sha256 is None or file_digest(self.file(first)) == segment.sha256
        except (OSError, ValueError, TypeError):
            return None
        return segment if whole and segment.first == first and segment.end > first else None
