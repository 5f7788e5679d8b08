"""The sink of a job: it divides the frames into segments, and notes each that is finished."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from stylizer.errors import SinkError
from stylizer.frame import Frame
from stylizer.io.atomic import publish
from stylizer.io.media.segments import PictureEncoder, count_pictures
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.jobs.division import Divider, DivisionConfig
from stylizer.jobs.facts import file_digest
from stylizer.jobs.parts import Parts
from stylizer.jobs.records import Segment
from stylizer.pipeline import Checkpoint
from stylizer.protocols import FrameSink

__all__ = [
    "EncodedSegments",
    "SegmentKind",
    "SegmentedSink",
    "WrittenSegments",
]


class SegmentKind(Protocol):
    """What a segment's frames become."""

    def begin(self, first: int) -> None:
        """Begin with frame ``first``."""
        ...

    def write(self, frame: Frame) -> None:
        """Take a frame."""
        ...

    def end(self) -> Callable[[], str | None]:
        """End the segment: return what finishes it, in another thread, and gives its sha256."""
        ...

    def rescue(self) -> Path | None:
        """End a segment that is not to be finished; return its file, if it has one."""
        ...


class EncodedSegments:
    """Segments that are encoded, each in a file of its own; a `SegmentKind`."""

    def __init__(self, job: Parts, writer: VideoWriter) -> None:
        """Encode as ``writer`` does, into the job's folder."""
        self._job, self._writer = job, writer
        self._encoder: PictureEncoder | None = None
        self._first = 0

    def begin(self, first: int) -> None:
        """Start an encoder."""
        self._first = first
        path = self._job.file(first)
        own = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._encoder = self._writer.encoder(own)

    def write(self, frame: Frame) -> None:
        """Encode a frame.

        Raises:
          SinkError: it has another size, or the encoder has died.
        """
        if self._encoder is None:
            raise SinkError("no segment was begun")
        self._encoder.write(frame)

    def end(self) -> Callable[[], str | None]:
        """Return what waits for the encoder and counts what it wrote."""
        encoder, path = self._encoder, self._job.file(self._first)
        self._encoder = None

        def finish() -> str | None:
            if encoder is None:
                return None
            try:
                encoder.finish()
            finally:
                encoder.kill()
            counted = count_pictures(encoder.path)
            if counted != encoder.frames:
                raise SinkError(
                    f"{encoder.path}: expected {encoder.frames} encoded frames, got {counted}"
                )
            digest = file_digest(encoder.path)
            publish(encoder.path, path, overwrite=True)
            return digest

        return finish

    def rescue(self) -> Path | None:
        """Finish the file if it holds a frame."""
        encoder, self._encoder = self._encoder, None
        if encoder is None:
            return None
        try:
            encoder.finish()
        except SinkError:
            return None
        finally:
            encoder.kill()
        return encoder.path if encoder.frames else None


class WrittenSegments:
    """Segments whose frames are pictures, each in its place as it is written; a `SegmentKind`."""

    def __init__(self, sink: FrameSink) -> None:
        """Write into ``sink``, which is open."""
        self._sink = sink

    def begin(self, first: int) -> None:
        """Nothing is to be begun."""

    def write(self, frame: Frame) -> None:
        """Write a picture."""
        self._sink.write(frame)

    def end(self) -> Callable[[], str | None]:
        """Return nothing to do."""
        return lambda: None

    def rescue(self) -> Path | None:
        """Nothing is half written."""
        return None


class SegmentedSink:
    """A sink, and the `stylizer.pipeline.Division` of the run that feeds it.

    Frames before the one that the job is to be gone on with are a lead-in: they are thrown away.
    A segment is finished by a thread of its own while the next one is filled, one at a time. Left
    without an error, the last segment is finished as the job's last. Left by one, those before the
    segment at hand are kept, and what there is of that one is told by `tail`.

    Attributes:
      tail: the file of the frames after the last finished segment, once the block was left by an
        error; None where there is none.
    """

    def __init__(
        self,
        job: Parts,
        kind: SegmentKind,
        config: DivisionConfig,
        *,
        last: bool = True,
        end: int | None = None,
    ) -> None:
        """Begin where the job is to be gone on with.

        Args:
          job: takes note of what is finished.
          kind: what segments become.
          config: where they end.
          last: whether the job ends where the frames do.
          end: index of the frame that follows on the last one, where some are left out between
            them; None for the next.
        """
        self._job, self._kind, self._last = job, kind, last
        self._divider = Divider(config)
        self._first, self._until = job.next, end
        self._start, self._begun = job.next, False  # of the segment that is being written
        self._frames = self._end = 0
        self._since = time.monotonic()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stylizer-segments")
        self._finishing: Future[None] | None = None
        self.tail: Path | None = None

    def divides(self, frame: Frame, *, begins_shot: bool) -> bool:
        """Whether a segment ends before this frame."""
        return frame.index >= self._first and self._divider(frame.index, begins_shot=begins_shot)

    def reach(self, checkpoint: Checkpoint) -> None:
        """End the segment at hand, and have it finished.

        Raises:
          SinkError: the one before could not be.
        """
        self._end_segment(checkpoint)

    def __enter__(self) -> Self:
        """Return the sink."""
        return self

    def write(self, frame: Frame) -> None:
        """Take a frame.

        Raises:
          SinkError: it cannot be written, or the segment before could not be finished.
        """
        if frame.index < self._first:
            return
        if not self._begun:
            self._kind.begin(self._start)
            self._begun, self._frames = True, 0
        self._kind.write(frame)
        self._frames, self._end = self._frames + 1, frame.index + 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the last segment, or what can be of it.

        Raises:
          SinkError: a segment could not be finished.
        """
        try:
            if kind is None and self._begun:
                self._end_segment(None)
                self._wait()
            elif kind is not None:
                self.tail = self._kind.rescue()
                self._wait()
        except SinkError:
            self.tail = None  # nothing stands before it
            if kind is None:
                raise
        finally:
            self._kind.rescue()
            self._thread.shutdown()

    def _end_segment(self, checkpoint: Checkpoint | None) -> None:
        self._wait()
        first, frames, self._begun = self._start, self._frames, False
        end = (self._until or self._end) if checkpoint is None else checkpoint.index
        finish, self._start = self._kind.end(), end
        now = time.monotonic()
        seconds, self._since = now - self._since, now

        def work() -> None:
            segment = Segment(
                first=first,
                frames=frames,
                end=end,
                last=checkpoint is None and self._last,
                sha256=finish(),
                seconds=seconds,
            )
            self._job.commit(segment, checkpoint)

        self._finishing = self._thread.submit(work)

    def _wait(self) -> None:
        finishing, self._finishing = self._finishing, None
        if finishing is not None:
            finishing.result()
