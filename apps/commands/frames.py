"""``stylizer frames``: a folder of pictures, as a sequence or each on its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from stylizer.base import describe_stylizer
from stylizer.errors import ConfigError, SourceError
from stylizer.io.files import is_pipe, is_stdin
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.io.sources.devices import hide_secrets, is_device, is_stream
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.wrappers import Resized
from stylizer.jobs.facts import stylizer_facts
from stylizer.jobs.painted import Look, PaintedFolder
from stylizer.jobs.pictures import Missing, ResetOnGap
from stylizer.protocols import FrameSource
from stylizer.serialize import to_plain
from stylizer.size import Size
from stylizer.styles.load import load_styles

from ..console.jobs import Terms
from ..console.openings import open_pictures_job
from ..console.painting import announce, check_weights, make_stylizer
from ..console.paths import claim_folder, style_paths
from ..console.progress import Display
from ..console.reports import LossReports
from ..console.terminal import say
from ..console.tuning import tuned_styles
from ..console.unpainted import say_unpainted_film, watched
from ..console.workers import share_frames
from ..options.effects import CoherenceOptions, PeopleOptions
from ..options.fast import FastOptions
from ..options.gatys import GatysOptions
from ..options.look import FinerOptions, LookOptions
from ..options.method import choose_config, describe, describe_picture, refuse_losses
from ..options.shared import (
    JobOptions,
    LeadInOptions,
    LossOptions,
    MetadataOptions,
    OutputOptions,
    SpeechOptions,
    WorkerOptions,
    option,
)
from ..options.spread import spread

__all__ = ["frames"]

_WANTED = "expected a folder, a glob or a %05d pattern of pictures"

_NAMED = 10
"""Pictures that are named, at most, where some are left out."""


@spread
def frames(
    source: Annotated[
        str,
        typer.Argument(metavar="IN_FOLDER", help="A folder, a glob, or a pattern like f%05d.png."),
    ],
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="OUT_FOLDER", help="Gets the same file names (of .heic and .avif: .jpg)."
        ),
    ],
    fast: FastOptions,
    gatys: GatysOptions,
    look: LookOptions,
    finer: FinerOptions,
    people: PeopleOptions,
    coherence: CoherenceOptions,
    out: OutputOptions,
    beside: MetadataOptions,
    jobs: JobOptions,
    crew: WorkerOptions,
    lead: LeadInOptions,
    reports: LossOptions,
    speech: SpeechOptions,
    independent: Annotated[
        bool,
        option("independent", "Unrelated pictures: each on its own, of any size.", "Output"),
    ] = False,
) -> None:
    """Paint a folder of pictures, in natural order.

    They are taken for a sequence: with --method gatys each starts from the last painted one. What
    is in the output folder already is skipped (unless --overwrite or --restart), so that a batch
    can be run again; pictures there of another style or size are an error. A picture that cannot be
    read is named and left out; the exit code is then 1.

    **Examples**

    `stylizer frames shots/ painted/ -s starry_night --size 720`

    `stylizer frames holiday/ painted/ -s my.jpg --independent`
    """
    config = choose_config(fast, gatys, still=independent)
    refuse_losses(config, reports)
    if crew.wanted and (reports.losses or reports.plot):
        raise ConfigError("--losses and --plot: expected one process, got workers; leave them out")
    if lead.lead_in is not None and independent:
        raise ConfigError("--lead-in: belongs to a sequence, got --independent; leave it out")
    if coherence.keyframes != 1 and independent:
        raise ConfigError("--keyframes: belongs to a sequence, got --independent; leave it out")
    if finer.finer and independent:
        raise ConfigError("--finer: unrelated pictures are painted so anyway; leave it out")
    size = gatys.recipe_size(out.size)
    check_weights(config)
    styles = load_styles(gatys.style)
    look.check(styles, config)
    people.check_parts(styles)
    coherence.check(config)
    part = finer.part(styles, config, look)
    with _open(source, same_size=not independent) as reader:
        inputs = [*reader.paths, *style_paths(gatys.style)]
        claim_folder(folder, inputs=[path.parent for path in reader.paths])
        losses = LossReports(reports, overwrite=out.overwrite, inputs=inputs)
        anew = out.overwrite or jobs.restart
        originals = reader.paths if beside.wanted else ()
        writer = FolderWriter(folder, names=reader.names, originals=originals, overwrite=anew)
        missing = writer.missing()
        styles = tuned_styles(styles, fast.tune, config, quiet=speech.quiet)
        if independent:
            description = describe_picture(styles, config, look, people=people)
        else:
            described = describe(styles, config, look, coherence, people=people)
            description = replace(described, finer=part)
        facts = {"size": to_plain(size), "independent": independent, **beside.facts()}
        facts |= stylizer_facts(description)
        painted = PaintedFolder(
            folder, [Look(facts=facts, names=reader.names)], overwrite=writer.overwrite
        )
        with open_pictures_job(
            folder,
            _sized(reader, size),
            writer,
            config=description,
            terms=Terms(options=jobs, shared=crew.wanted, lead_in=lead.lead_in),
            missing=missing,
            painted=painted,
            independent=independent,
        ) as job:
            pending = job.pending(missing)
            if not pending or job.whole:
                outcome = job.finish()
                _refuse_gaps(writer, job.folder.record.total, outcome.frames)
                say(f"{folder}: all {len(reader.names)} pictures are there already")
                return
            job.announce(quiet=speech.quiet)
            total = job.folder.record.total
            display = Display(total=total, quiet=speech.quiet, begun=job.begun)
            if job.divided:
                outcome = share_frames(
                    job,
                    description,
                    crew.crew(config),
                    size=size,
                    display=display,
                    pending=pending,
                )
            else:
                frames = Missing(_sized(job.rest(), size), pending)
                inner = make_stylizer(
                    description, on_loss=losses.history if losses.wanted else None
                )
                if not speech.quiet:
                    announce(describe_stylizer(inner), frames)
                name = (lambda index: str(reader.paths[index])) if independent else None
                inner = watched(inner, description, name=name)
                stylizer = ResetOnGap(inner, always=independent)
                begun = job.begun
                outcome = job.paint(frames, stylizer, display=display)
                if not (begun or independent):
                    say_unpainted_film(stylizer, str(folder))
    losses.write()
    outcome.close(str(folder), quiet=speech.quiet)
    _refuse_gaps(writer, total, outcome.frames)
    painted.finish()


def _refuse_gaps(writer: FolderWriter, total: int | None, painted: int) -> None:
    """Make sure that all pictures were painted.

    Args:
      writer: it knows which are not there, unless all were to be written anew.
      total: how many were to be painted then.
      painted: how many of those were.

    Raises:
      SourceError: some were not; names the first few.
    """
    missing = [] if writer.overwrite else [writer.name(index) for index in writer.missing()]
    count = (total or 0) - painted if writer.overwrite else len(missing)
    if count > 0:
        told = ", ".join([*missing[:_NAMED], *(["..."] if len(missing) > _NAMED else [])])
        raise SourceError(
            f"{writer.folder}: {count} {'picture is' if count == 1 else 'pictures are'} left out"
            f"{f' ({told})' if told else ''}; mend them, and give the same command again"
        )


def _sized(source: FrameSource, size: Size | None) -> FrameSource:
    return source if size is None else Resized(source, size)


def _open(source: str, *, same_size: bool) -> FolderReader:
    if is_stdin(source) or is_pipe(source):
        raise SourceError(f"{source}: {_WANTED}, got a pipe; `stylizer video` paints its film")
    numbered = source.strip().isdecimal() and not Path(source).exists()
    if numbered or is_stream(source) or is_device(source):
        raise SourceError(
            f"{hide_secrets(source)}: {_WANTED}, got a camera or a stream; "
            f"`stylizer live --camera {hide_secrets(source)}` paints it"
        )
    return FolderReader(source, same_size=same_size, skip_unreadable=True)
