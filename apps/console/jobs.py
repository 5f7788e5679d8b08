"""A job at a terminal: painted by this process or by workers, and put together at the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stylizer.base import Managed, find
from stylizer.errors import ConfigError, StylizerError
from stylizer.io.atomic import partial_path, publish
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.video_reader import VideoReader
from stylizer.jobs.crew import CrewConfig, WorkProgress
from stylizer.jobs.division import DivisionConfig
from stylizer.jobs.folder import JobFolder, remove_job
from stylizer.jobs.known import forget_job
from stylizer.jobs.records import (
    count_finished,
    parts_folder,
    read_record,
    stat_of,
    wrote,
)
from stylizer.jobs.segmented import (
    EncodedSegments,
    SegmentedSink,
    WrittenSegments,
)
from stylizer.jobs.stretches import Stretch
from stylizer.jobs.work import Work
from stylizer.jobs.workers import paint_stretches
from stylizer.pipeline import restore, run
from stylizer.protocols import FrameSource, Stylizer

from ..options.shared import JobOptions
from .painting import Outcome
from .progress import Display, frames_text
from .terminal import say

__all__ = ["Job", "Terms", "describe_workers", "settle_jobs"]

_log = logging.getLogger("stylizer.jobs")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a job is to be done.

    Attributes:
      options: what becomes of its folder.
      shared: whether by workers.
      lead_in: of their stretches, as the user asked for it; None for what suits the stylizer.
      metadata: whether the output says what its source says beside the pictures.
      lasting: whether it stays noted that all is finished, until others are (`settle_jobs`).
    """

    options: JobOptions
    shared: bool = False
    lead_in: int | None = None
    metadata: bool = True
    lasting: bool = False


class Job(Managed):
    """A job that is open; the end of its ``with`` block lets go of it.

    Attributes:
      folder: what is kept of it.
      source: the frames from the first on.
      target: writes the output; not open.
      division: where segments end.
    """

    def __init__(
        self,
        folder: JobFolder,
        source: FrameSource,
        target: VideoWriter | FolderWriter,
        *,
        division: DivisionConfig,
        terms: Terms,
    ) -> None:
        """Take over what is open.

        Args:
          folder: of the job.
          source: the frames from the first on.
          target: writes the output; not open.
          division: where segments end.
          terms: how it is to be done.
        """
        self.folder = folder
        self.source, self.target = source, target
        self.division, self._terms = division, terms
        self._began = time.monotonic()

    @property
    def begun(self) -> int:
        """How many frames were finished before."""
        return count_finished(self.folder.path)[0]

    @property
    def whole(self) -> bool:
        """Whether all frames are finished, so that nothing is to be painted."""
        return self.folder.whole or self._is_published

    @property
    def _is_published(self) -> bool:
        """Whether all was done, and the run was killed while it tidied up."""
        record = self.folder.record
        return record.finished is not None and wrote(Path(record.output))

    @property
    def divided(self) -> bool:
        """Whether it is painted in stretches."""
        return self.folder.record.divided

    def announce(self, *, quiet: bool) -> None:
        """Say where an interrupted job is gone on with, if it is one."""
        name, total = Path(self.folder.record.output).name, self.folder.record.total
        if quiet or not (self.begun or self.whole):
            return
        of = "" if total is None else f" of {total}"
        if self.whole:
            done = self.folder.record.finished or self.begun
            say(f"{name}: all {frames_text(done)} are painted already")
        elif self.divided:
            say(f"{name}: going on, with {self.begun}{of} frames painted already")
        else:
            say(f"{name}: going on after frame {self.folder.passed}{of}, where it ended")

    def pending(self, missing: Sequence[int]) -> list[int]:
        """Return the indices of the frames that are still to be painted.

        Those of a sequence are painted from where the job is to be gone on with, even if a picture
        is there already, as each goes on from the one before.

        Args:
          missing: indices of the pictures that are not there, or are to be written anew.
        """
        record = self.folder.record
        if record.facts.get("independent") and not self.target.overwrite:
            return list(missing)
        begin = 0 if self.divided else self.folder.next
        runs = record.pending or ()
        return [index for first, end in runs for index in range(max(first, begin), end)]

    def rest(self) -> FrameSource:
        """Return the source from where the job is to be gone on with, before it is resized."""
        reader = find(self.source, VideoReader) or find(self.source, FolderReader)
        if reader is None:
            raise ConfigError("expected a video or pictures to go on from")
        return reader.rest(self.folder.next) if self.folder.segments else reader

    def paint(self, source: FrameSource, stylizer: Stylizer, *, display: Display) -> Outcome:
        """Paint what is missing, and put the output together.

        Args:
          source: begins where the job is to be gone on with.
          stylizer: made for the job's facts.
          display: shows the progress.

        Raises:
          KeyboardInterrupt: Ctrl-C came before there was a frame.
          StylizerError: painting failed; what is finished is kept, and told.
        """
        if self.folder.checkpoint is not None:
            restore(stylizer, self.folder.checkpoint)
        target, interrupted = self.target, False
        if isinstance(target, FolderWriter):
            target.__enter__()
            sink = SegmentedSink(self.folder, WrittenSegments(target), self.division)
        else:
            sink = SegmentedSink(self.folder, EncodedSegments(self.folder, target), self.division)
        self._began = time.monotonic()
        try:
            with display, sink:
                run(source, stylizer, sink, on_progress=display.show, division=sink)
        except KeyboardInterrupt:
            interrupted = True
        except StylizerError:
            self.keep(sink.tail)
            raise
        return self.finish(tail=sink.tail, frames=display.done, interrupted=interrupted)

    def share(
        self, work: Work, stretches: Iterable[Stretch], crew: CrewConfig, *, display: Display
    ) -> Outcome:
        """Have workers paint what is missing, and put the output together.

        Args:
          work: what they do.
          stretches: all of the job's.
          crew: who they are.
          display: shows the progress.

        Raises:
          KeyboardInterrupt: Ctrl-C came before there was a frame.
          StylizerError: painting failed; what is finished is kept, and told.
        """
        self._began = time.monotonic()
        begun, interrupted = self.begun, False

        def show(progress: WorkProgress) -> None:
            first = self.folder.record.first
            display.update(begun + progress.frames, describe_workers(progress, first=first))

        try:
            with display:
                paint_stretches(work, stretches, crew, on_progress=show)
        except KeyboardInterrupt:
            interrupted = True
        except StylizerError:
            self.folder.find_finished(restored=False)
            self.keep(None)
            raise
        self.folder.find_finished(restored=False)
        if not (interrupted or self.folder.whole):
            self.keep(None)
            raise StylizerError(
                f"{self.folder.path}: what workers finished after frame {self.folder.passed} is "
                "missing or damaged; give the same command again to paint that anew"
            )
        return self.finish(interrupted=interrupted)

    def finish(
        self, *, tail: Path | None = None, frames: int | None = None, interrupted: bool = False
    ) -> Outcome:
        """Put the output together of what is finished.

        Args:
          tail: a file of the frames after that, of a job that was interrupted.
          frames: how many pictures there are; None for those that are finished.
          interrupted: whether it was.

        Raises:
          KeyboardInterrupt: it was, before there was a frame.
          SinkError: the file cannot be written; what is finished is kept, and told.
        """
        frames = self.folder.done if frames is None else frames
        if self._is_published:
            frames = self.folder.record.finished or 0
        elif isinstance(self.target, VideoWriter):
            frames = self._assemble(self.target, tail, interrupted=interrupted)
        goes_on = interrupted and count_finished(self.folder.path)[0] > 0
        after = self.folder.passed
        if not (goes_on or self._terms.options.keep_parts):
            self._settle() if self._terms.lasting and self._is_published else self._remove()
        if interrupted and not frames:
            raise KeyboardInterrupt
        return Outcome(
            frames=frames,
            seconds=time.monotonic() - self._began,
            interrupted=interrupted,
            hint=f"; the same command goes on after frame {after}" if goes_on else "",
        )

    def close(self) -> None:
        """Let go of the folder; what is finished stays in it, and if nothing is, it goes."""
        if self.folder.is_open and not self.begun:
            self._remove()
        self.folder.close()

    def _assemble(self, writer: VideoWriter, tail: Path | None, *, interrupted: bool) -> int:
        files = [self.folder.file(segment.first) for segment in self.folder.segments]
        files += [] if tail is None else [tail]
        if not files and interrupted:
            return 0
        try:
            return writer.assemble(files, rename=self._publish)
        except StylizerError:
            self.keep(tail)
            raise

    def keep(self, tail: Path | None) -> None:
        """After an error: keep what is finished, or if nothing is, what there is.

        Args:
          tail: a file of the frames after that; None for none.
        """
        if self.begun:
            if tail is not None:
                tail.unlink(missing_ok=True)  # the disk may be full
            _log.warning(
                "not finished; %s are kept in %s, and the same command goes on from there",
                frames_text(self.begun),
                self.folder.path,
            )
            return
        if isinstance(self.target, VideoWriter) and tail is not None:
            partial = partial_path(Path(self.folder.record.output))
            try:
                self.target.assemble(
                    [tail], rename=lambda whole: publish(whole, partial, overwrite=False)
                )
            except StylizerError as error:
                _log.debug("the partial file cannot be finished: %s", error)
            else:
                _log.warning("not finished; the frames so far are kept in %s", partial)
        self._remove()

    def _remove(self) -> None:
        self.folder.remove()
        forget_job(self.folder.path)

    def _settle(self) -> None:
        """Keep nothing but the note of what is finished, and published."""
        self.folder.empty()
        self.folder.close()

    def _publish(self, whole: Path) -> None:
        """Give the finished file its name; note before that it is ours, should we be killed."""
        output = Path(self.folder.record.output)
        finished = self.folder.done if self.folder.whole else None
        self.folder.update(written=stat_of(whole), finished=finished)
        publish(whole, output, overwrite=self.target.overwrite)


def settle_jobs(outputs: Iterable[Path]) -> None:
    """Remove the notes of what is finished, unless one of several jobs is to be gone on with.

    Args:
      outputs: of all jobs of a command, which has ended.

    Raises:
      SinkError: a note cannot be read or removed.
    """
    found = {folder: read_record(folder) for folder in map(parts_folder, outputs)}
    there = {folder: record for folder, record in found.items() if record is not None}
    if all(record.finished is not None for record in there.values()):
        for folder in there:
            remove_job(folder)
            forget_job(folder)


def describe_workers(progress: WorkProgress, *, first: int = 0) -> str:
    """Say what each worker does, by frames from one on: ``workers: 1 at 240, 2 at 600``."""
    positions = progress.positions.items()
    told = [f"{name} at {max(0, position - first)}" for name, position in positions if name]
    told += [f"{progress.waiting} to come"] if progress.waiting else []
    return f"workers: {', '.join(told)}" if told else ""
