"""Jobs begun, or gone on with where an interrupted run left them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stylizer.base import find
from stylizer.description import StylizerConfig
from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.io.sinks.stream_writer import StreamWriter
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.pipe_reader import PipeReader
from stylizer.io.sources.video_reader import VideoReader
from stylizer.jobs.division import DivisionConfig
from stylizer.jobs.facts import Facts, source_digest, stylizer_facts
from stylizer.jobs.folder import JobFolder
from stylizer.jobs.known import note_job
from stylizer.jobs.painted import PaintedFolder
from stylizer.jobs.records import JobRecord, count_finished
from stylizer.jobs.stretches import usual_lead_in, where_stretches_begin
from stylizer.protocols import FrameSink, FrameSource
from stylizer.serialize import to_plain

from .command_line import given_arguments
from .jobs import Job, Terms
from .painting import PlainJob

__all__ = ["as_runs", "begin_folder", "open_job", "open_pictures_job", "record_of"]

_USUAL = DivisionConfig()
"""Of the fast method, which paints so many frames in seconds."""

_SLOW = DivisionConfig(shortest=12, longest=48)
"""Of the optimization, which takes seconds a frame: no more than 48 of them are painted again."""

_SINGLE = DivisionConfig(shortest=8, longest=8)
"""Of pictures that have nothing to do with each other."""

_PASSES = DivisionConfig(shortest=1, longest=240)
"""Of several passes: the pieces that `stylizer.gatys.shots.ShotConfig` divides a video into."""


def open_job(
    output: str, source: FrameSource, target: FrameSink, *, config: StylizerConfig, terms: Terms
) -> Job | PlainJob:
    """Begin a job, or go on with the one that was interrupted.

    Args:
      output: what is made, as the user wrote it.
      source: the frames as they are painted, from the first on.
      target: writes the output; not open.
      config: what paints.
      terms: how it is to be done.

    Raises:
      ConfigError: a job is there that has other settings, or another input; workers cannot do it.
      SinkError: the job's folder cannot be used.
    """
    if find(source, PipeReader) is not None:
        if terms.shared:
            raise ConfigError("--workers: expected a file or a folder to read, got a pipe")
        return PlainJob(source, target, piped=True)
    if not isinstance(target, VideoWriter | FolderWriter):
        if terms.shared:
            raise ConfigError(f"--workers: expected a file or a folder to write, got {output}")
        return PlainJob(source, target, piped=isinstance(target, StreamWriter))
    encoding = to_plain(target.config) if isinstance(target, VideoWriter) else None
    facts = {**_source_facts(source), "encoding": encoding, **stylizer_facts(config)}
    if not terms.metadata:
        facts["no-metadata"] = True
    reader = _reader(source)
    first = 0 if reader is None else reader.first
    record = record_of(Path(output), facts, first=first, total=source.frame_count)
    folder = begin_folder(record, terms, config=config)
    end = None if record.total is None else first + record.total
    division = _division(config, first=first, end=end)
    return Job(folder, source, target, division=division, terms=terms)


def open_pictures_job(  # noqa: PLR0913 - the last three are of pictures alone
    output: Path,
    source: FrameSource,
    target: FolderWriter,
    *,
    config: StylizerConfig,
    terms: Terms,
    missing: Sequence[int],
    painted: PaintedFolder,
    independent: bool = False,
) -> Job:
    """Begin a job of pictures some of which may be there already; as `open_job`.

    Args:
      output: the folder that gets them.
      source: all pictures.
      target: writes them; not open.
      config: what paints.
      terms: how it is to be done.
      missing: indices of the pictures that are to be painted.
      painted: what is noted of the folder.
      independent: whether each is painted by itself.

    Raises:
      ConfigError, SinkError: as `open_job` says.
    """
    facts = {**_source_facts(source), "independent": independent, **stylizer_facts(config)}
    record = record_of(output, facts, total=len(missing), pending=as_runs(missing))
    folder = begin_folder(record, terms, config=None if independent else config, painted=painted)
    if independent and not target.overwrite:
        folder.reopen(missing)
    end = max((end for _, end in folder.record.pending or ()), default=None)
    division = _SINGLE if independent else _division(config, end=end)
    return Job(folder, source, target, division=division, terms=terms)


def begin_folder(
    record: JobRecord,
    terms: Terms,
    *,
    config: StylizerConfig | None,
    painted: PaintedFolder | None = None,
) -> JobFolder:
    """Open the folder of a job, note it, and settle who paints it.

    Args:
      record: what the job is.
      terms: how it is to be done.
      config: what paints frames that go on from each other; None for pictures that do not.
      painted: what is noted of the folder that gets pictures; None for a file.

    Raises:
      ConfigError: a job is there that has other facts, or pictures that were painted otherwise;
        stretches are to begin elsewhere than in the run that is gone on with, or where this
        stylizer's cannot.
      SinkError: the folder cannot be used.
    """
    folder = JobFolder(Path(record.output), record, restart=terms.options.restart)
    try:
        note_job(folder.path)
        if terms.shared or folder.record.divided:
            lead_in = None if config is None else _lead_in(config, terms.lead_in)
            before = folder.record.lead_in if folder.record.divided else None
            if (folder.record.divided or folder.segments) and lead_in != before:
                if terms.lead_in is not None:
                    raise ConfigError(
                        f"--lead-in: expected {before or 0} as in the run that is to be gone on "
                        f"with, got {terms.lead_in}; leave it out, or --restart"
                    )
                lead_in = before
            folder.update(divided=True, lead_in=lead_in)
        if painted is not None:
            painted.begin()
    except BaseException:
        folder.close() if count_finished(folder.path)[0] else folder.remove()
        raise
    return folder


def record_of(
    output: Path,
    facts: Facts,
    *,
    total: int | None,
    first: int = 0,
    pending: Sequence[Sequence[int]] | None = None,
) -> JobRecord:
    """Return what a job of this command is.

    Args:
      output: what it makes.
      facts: what must be the same when it is gone on with.
      total: how many frames are to be painted; None if that is not known.
      first: index of the first frame.
      pending: which ones, in runs; None for all.
    """
    return JobRecord(
        output=str(output.absolute()),
        facts=facts,
        first=first,
        total=total,
        pending=pending,
        arguments=_going_on(pictures=pending is not None),
        directory=os.getcwd(),
    )


def _going_on(*, pictures: bool) -> list[str]:
    """Return the arguments that go on with what this command began.

    A restart begins anew but once; of pictures, those from before it are still to be replaced.
    """
    given = given_arguments()
    if pictures:
        return ["--overwrite" if text == "--restart" else text for text in given]
    return [text for text in given if text != "--restart"]


def as_runs(indices: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending indices as runs: (first, the one after the last)."""
    runs: list[tuple[int, int]] = []
    for index in indices:
        first = runs.pop()[0] if runs and runs[-1][1] == index else index
        runs.append((first, index + 1))
    return runs


def _lead_in(config: StylizerConfig, asked: int | None) -> int | None:
    usual = usual_lead_in(config)
    if asked is None or usual == 0:
        return usual
    several = isinstance(config.method, GatysConfig) and config.method.passes > 1
    if asked and (several or config.keep_color == "match"):
        raise ConfigError(
            "--lead-in: expected 0 with --keep-color match and --passes, which need whole shots, "
            f"got {asked}; leave it out"
        )
    return asked or None


def _reader(source: FrameSource) -> VideoReader | FolderReader | None:
    return find(source, VideoReader) or find(source, FolderReader)


def _source_facts(source: FrameSource) -> Facts:
    video, reader = find(source, VideoReader), _reader(source)
    times = {} if video is None or video.times is None else {"vfr": True}
    begin, end = (reader and reader.span) or (None, None)
    return {
        **times,
        "from": None if begin is None else float(begin),
        "to": None if end is None else float(end),
        "input": source_digest(source),
        "size": "{}x{}".format(*source.size),
        "rate": str(source.rate),
        "deinterlace": None if video is None else video.deinterlace,
    }


def _division(config: StylizerConfig, *, end: int | None, first: int = 0) -> DivisionConfig:
    """Return where segments end, however many paint them.

    Args:
      config: what paints.
      end: index after the last frame of all; None if it is not known.
      first: index of the first frame of all.
    """
    if not isinstance(config.method, GatysConfig):
        step, after = where_stretches_begin(config)
        lead_in = usual_lead_in(config) or 0
        return replace(_USUAL, first=first, end=end, lead_in=lead_in, step=step, after=after)
    return replace(_SLOW if config.method.passes == 1 else _PASSES, first=first)
