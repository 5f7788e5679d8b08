"""A video that several processes paint."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from stylizer.backend.cores import usable_cores
from stylizer.base import find
from stylizer.compose import build
from stylizer.description import StylizerConfig
from stylizer.errors import ConfigError, StylizerError
from stylizer.gatys.config import GatysConfig
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.video_reader import VideoReader
from stylizer.io.sources.wrappers import Resized
from stylizer.jobs.stretches import find_stretches
from stylizer.jobs.workers import WorkConfig, WorkerProgress, work_in_processes
from stylizer.protocols import FrameSource
from stylizer.size import Size

from .jobs import Job
from .painting import Outcome
from .progress import Display

__all__ = ["paint_in_processes"]


def paint_in_processes(
    job: Job, config: StylizerConfig, *, size: Size | None, workers: int, display: Display
) -> Outcome:
    """Paint what is missing of a video in several processes, and put it together.

    Each gets its share of the processor for all but the network: with another number of threads,
    that adds its numbers in another order, and the painting would be another one in its last bits.

    Args:
      job: it is open.
      config: what paints.
      size: of the frames; None for the source's.
      workers: how many processes; they share the processor.
      display: shows the progress.

    Raises:
      ConfigError: the output is no video file.
      KeyboardInterrupt: Ctrl-C came before there was a frame.
      StylizerError: painting failed; what is finished is kept, and told.
    """
    rate = job.source.rate
    if not isinstance(job.target, VideoWriter) or rate is None:
        raise ConfigError("--workers: expected a video file to write; leave it out")
    threads = max(1, usable_cores() // workers)
    work = WorkConfig(
        folder=job.folder.path,
        open_source=partial(_open, _place(job.source), size),
        make_stylizer=partial(build, config),
        make_writer=partial(
            VideoWriter,
            Path(job.folder.record.output),
            size=job.source.size,
            rate=rate,
            config=job.target.config,
            overwrite=True,
            transparent=job.target.transparent,
        ),
        division=job.division,
        threads=threads,
    )
    begun, interrupted = job.begun, False

    def show(progress: WorkerProgress) -> None:
        at = ", ".join(f"{number + 1} at {frame}" for number, frame in progress.positions.items())
        display.update(begun + progress.frames, f"workers: {at}" if at else "")

    with work.open_source(0, None) as scanned:
        stretches = find_stretches(
            scanned,
            config.cuts,
            job.division,
            looks_ahead=isinstance(config.method, GatysConfig) and config.method.passes > 1,
        )
        try:
            with display:
                work_in_processes(work, stretches, workers=workers, on_progress=show)
        except KeyboardInterrupt:
            interrupted = True
        except StylizerError:
            job.folder.find_finished()
            job.keep(None)
            raise
    job.folder.find_finished()
    return job.finish(interrupted=interrupted)


_Place = tuple[str, bool | None]
"""A source as another process opens it: its path, and whether a video is deinterlaced."""


def _place(source: FrameSource) -> _Place:
    video, pictures = find(source, VideoReader), find(source, FolderReader)
    if video is not None:
        return str(video.path), video.deinterlace
    if pictures is None:
        raise ConfigError("--workers: expected a video or pictures to paint; leave it out")
    return pictures.where, None


def _open(place: _Place, size: Size | None, first: int, end: int | None) -> FrameSource:
    """Open a source from a frame on, up to but without another one; None for the end."""
    path, deinterlace = place
    whole: VideoReader | FolderReader
    whole = (
        FolderReader(path) if deinterlace is None else VideoReader(path, deinterlace=deinterlace)
    )
    with whole:
        part = whole.rest(first, end=end)
    return part if size is None else Resized(part, size)
