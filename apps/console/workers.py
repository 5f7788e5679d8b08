"""Frames that workers paint: what goes to their processes, or to other machines."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from stylizer.base import find
from stylizer.compose import build
from stylizer.description import StylizerConfig
from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.io.media.encoding import VideoWriterConfig
from stylizer.io.media.timeline import Timeline
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.video_reader import VideoReader
from stylizer.io.sources.wrappers import Resized
from stylizer.jobs.crew import CrewConfig
from stylizer.jobs.division import DivisionConfig
from stylizer.jobs.parts import Parts
from stylizer.jobs.pictures import Missing, ResetOnGap
from stylizer.jobs.segmented import EncodedSegments, SegmentKind, WrittenSegments
from stylizer.jobs.stretches import find_runs, find_stretches, why_whole
from stylizer.jobs.work import FramesWork
from stylizer.methods import MethodConfig
from stylizer.network.config import FastConfig
from stylizer.notices import notice
from stylizer.protocols import FrameSource, Stylizer
from stylizer.size import Size

from .jobs import Job
from .painting import Outcome
from .progress import Display
from .unpainted import watched

__all__ = ["pinned", "share_frames"]

_RUNS = 100
"""Runs, at the least, that pictures which have nothing to do with each other are divided into."""


def share_frames(  # noqa: PLR0913 - the last three are options of their own
    job: Job,
    config: StylizerConfig,
    crew: CrewConfig,
    *,
    size: Size | None,
    display: Display,
    pending: Sequence[int] | None = None,
) -> Outcome:
    """Have workers paint what is missing of a video or a folder.

    Each has its share of the processor for all but what paints: with another number of threads,
    that adds its numbers in another order, and the painting would be another one in its last bits.

    Args:
      job: it is open.
      config: what paints.
      crew: who.
      size: of the frames; None for the source's.
      display: shows the progress.
      pending: indices of the pictures to be painted; None for all.

    Raises:
      KeyboardInterrupt: Ctrl-C came before there was a frame.
      StylizerError: painting failed; what is finished is kept, and told.
    """
    record, target = job.folder.record, job.target
    config = replace(config, method=pinned(config.method, crew))
    independent = bool(record.facts.get("independent"))
    frames = _frames(job.source, size=size, pending=pending, same_size=not independent)
    work = FramesWork(
        folder=job.folder.path,
        pictures=target.folder if isinstance(target, FolderWriter) else None,
        open_source=frames,
        make_stylizer=partial(
            _make, config, gaps=pending is not None, pictures=target if independent else None
        ),
        make_kind=_make_kind(job, frames.rate),
        division=job.division,
        threads=crew.threads if crew.workers or crew.ray else None,
    )
    if isinstance(target, FolderWriter):
        target.__enter__()
    if independent:
        total = job.source.frame_count or 0
        runs = find_runs(record.pending or (), _run_length(total, job.division), total=total)
        return job.share(work, runs, crew, display=display)
    why = why_whole(config)
    if record.lead_in is None and why is not None:
        notice.info("shots are painted whole, as %s: workers share shots, no long take", why)
    with frames(record.first, None) as scanned:
        stretches = find_stretches(
            scanned,
            config.cuts,
            job.division,
            looks_ahead=isinstance(config.method, GatysConfig) and config.method.passes > 1,
            lead_in=record.lead_in,
        )
        return job.share(work, stretches, crew, display=display)


def _run_length(total: int, division: DivisionConfig) -> int:
    """Return how many pictures a worker gets at once: few, so that all are done at about one time.

    Each run finds the folder's pictures anew, so that of very many there are more in one.
    """
    return max(1, min(division.shortest, total // _RUNS))


def pinned(method: MethodConfig, crew: CrewConfig) -> MethodConfig:
    """Return a method that machines of any number of cores paint alike by."""
    if crew.ray is None or not isinstance(method, FastConfig):
        return method
    return replace(method, threads=crew.threads)


def _make(
    config: StylizerConfig, *, gaps: bool, pictures: FolderWriter | VideoWriter | None
) -> Stylizer:
    """Make what paints in a worker; of pictures that stand alone, what writes them is given."""
    name = pictures.name if isinstance(pictures, FolderWriter) else None
    stylizer = watched(build(config), config, name=name)
    return ResetOnGap(stylizer, always=pictures is not None) if gaps else stylizer


def _make_kind(job: Job, rate: Fraction) -> Callable[[Parts, Path | None], SegmentKind]:
    target = job.target
    if isinstance(target, FolderWriter):
        return partial(_make_pictures, target)
    return _Film(
        suffix=Path(job.folder.record.output).suffix,
        size=job.source.size,
        rate=rate,
        config=target.config,
        transparent=target.transparent,
    )


def _make_pictures(writer: FolderWriter, _: Parts, folder: Path | None) -> SegmentKind:
    return WrittenSegments(writer if folder is None else writer.moved(folder))


@dataclass(frozen=True, kw_only=True)
class _Film:
    """Makes segments of a video file to be."""

    suffix: str
    size: tuple[int, int]
    rate: Fraction
    config: VideoWriterConfig
    transparent: bool

    def __call__(self, parts: Parts, _: Path | None) -> SegmentKind:
        writer = VideoWriter(
            parts.path / f"film{self.suffix}",
            size=self.size,
            rate=self.rate,
            config=self.config,
            overwrite=True,
            transparent=self.transparent,
        )
        return EncodedSegments(parts, writer)


@dataclass(frozen=True, kw_only=True)
class _Frames:
    """Opens a source from a frame on, up to but without another one; None for the end.

    Attributes:
      where: path of a video, or of pictures.
      rate: frames a second.
      times: when a video's frames stand; None for the constant rate.
      deinterlace: of a video; None for pictures.
      same_size: of pictures.
      skip_unreadable: likewise.
      size: of the frames; None for the source's.
      end: index of the first that is not wanted any more; None for the source's end.
      pending: indices of those that are wanted; None for all.
    """

    where: str
    rate: Fraction
    times: Timeline | None
    deinterlace: bool | None
    same_size: bool
    skip_unreadable: bool
    size: Size | None
    end: int | None
    pending: Sequence[int] | None

    def __call__(self, first: int, end: int | None) -> FrameSource:
        end = self.end if end is None else end
        if self.pending is not None:
            first = next((index for index in self.pending if index >= first), first)
        source: FrameSource
        if self.deinterlace is None:
            source = FolderReader(
                self.where,
                rate=self.rate,
                same_size=self.same_size,
                skip_unreadable=self.skip_unreadable,
                first=first,
                end=end,
            )
        else:
            whole_film = first == 0 and end is None
            span = self._time(first), None if end is None else self._time(end)
            source = VideoReader(
                self.where,
                rate=self.rate,
                times=self.times,
                span=None if whole_film else span,
                deinterlace=self.deinterlace,
            )
        source = source if self.size is None else Resized(source, self.size)
        return source if self.pending is None else Missing(source, self.pending)

    def _time(self, index: int) -> Fraction:
        return index / self.rate if self.times is None else self.times.time(index)


def _frames(
    source: FrameSource, *, size: Size | None, pending: Sequence[int] | None, same_size: bool
) -> _Frames:
    video = find(source, VideoReader)
    reader = video or find(source, FolderReader)
    if reader is None or source.rate is None:
        raise ConfigError("--workers: expected a video or pictures to paint; leave it out")
    return _Frames(
        where=os.path.abspath(reader.path if isinstance(reader, VideoReader) else reader.where),
        rate=source.rate,
        times=None if video is None else video.times,
        deinterlace=None if video is None else video.deinterlace,
        same_size=same_size,
        skip_unreadable=pending is not None,
        size=size,
        end=reader.end,
        pending=pending,
    )
