"""``stylizer video``: a video, frame by frame, with its sound; pictures become one, or it them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from stylizer.base import describe_stylizer
from stylizer.description import StylizerConfig
from stylizer.errors import ConfigError
from stylizer.io.open import open_sink
from stylizer.io.sources.wrappers import Resized
from stylizer.protocols import FrameSource
from stylizer.size import Size
from stylizer.styles.load import load_styles

from ..console.films import paint_films, plan_films, single_output
from ..console.jobs import Job, Terms
from ..console.openings import open_job
from ..console.painting import announce, check_weights, make_stylizer
from ..console.paths import claim_output, input_paths, open_ended, style_paths
from ..console.progress import Display
from ..console.reports import LossReports
from ..console.tuning import tuned_styles
from ..console.unpainted import say_unpainted_film, watched
from ..console.workers import share_frames
from ..options.effects import CoherenceOptions, PeopleOptions
from ..options.fast import FastOptions
from ..options.gatys import GatysOptions
from ..options.look import FinerOptions, LookOptions
from ..options.method import choose_config, describe, refuse_losses
from ..options.shared import (
    EncodingOptions,
    JobOptions,
    LeadInOptions,
    LossOptions,
    MetadataOptions,
    OutputOptions,
    PartOptions,
    ReadingOptions,
    SpeechOptions,
    WorkerOptions,
)
from ..options.spread import spread

__all__ = ["video"]


@spread
def video(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="The video to paint; or a folder, a glob or f%05d.png of pictures; - for a pipe.",
        ),
    ],
    fast: FastOptions,
    gatys: GatysOptions,
    look: LookOptions,
    finer: FinerOptions,
    coherence: CoherenceOptions,
    people: PeopleOptions,
    out: OutputOptions,
    reading: ReadingOptions,
    part: PartOptions,
    encoding: EncodingOptions,
    beside: MetadataOptions,
    jobs: JobOptions,
    crew: WorkerOptions,
    lead: LeadInOptions,
    reports: LossOptions,
    speech: SpeechOptions,
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="OUT",
            help="The file to be: .mp4, .mkv, .webm, .mov or .gif; or folder/ or f%05d.png; - for "
            "a pipe. With -o: more videos.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--output-folder",
            "-o",
            metavar="FOLDER",
            help="Paint all videos that are given, one after the other, into this folder, under "
            "their own names.",
            rich_help_panel="Output",
        ),
    ] = None,
) -> None:
    """Paint a video: its sound and subtitles are kept. Pictures count as 25 frames a second.

    With --method gatys the first frame gets the full --iterations, and each later one starts from
    the last painted frame and needs only a few (--warm-iterations). With --passes 3 as well, each
    shot is gone through three times, forward and backward, before it is written. Ctrl-C finishes
    the file properly.

    With --from and --to a part alone is painted, as a film that begins at 0: its sound, encoded
    anew to begin with the first picture, its subtitles and chapters. Pictures keep their numbers.

    What the video says of its title, date, place and device is kept, as far as the new file can
    hold it; --no-metadata leaves it out, with the tracks' names, the timecode and the cover.
    Languages and chapters stay.

    What is finished is kept in the folder OUT.parts while the work goes on: after a crash or a full
    disk, the same command goes on where it ended, and makes the same video. See `stylizer jobs`.

    Several videos go into a folder, with -o. What is there already is left as it is, one that
    cannot be painted is named, and the others are painted; the exit code is then 1. --overwrite
    paints anew what is there; interrupted, the same command with --overwrite goes on, too, and
    paints nothing again that it had finished. --restart begins with all of it anew.

    **Examples**

    `stylizer video in.mp4 out.mp4 -s starry_night`

    `stylizer video in.mp4 out.mp4 -s my.jpg --tune 3`

    `stylizer video in.mp4 out.mp4 -s starry_night --from 1:20 --to 1:25`

    `stylizer video a.mp4 b.mp4 c.mkv -o painted/ -s starry_night`

    `stylizer video in.mp4 out.gif -s starry_night:0.7 -s my.jpg:0.3 --keep-color luminance`

    `stylizer video in.mp4 out.mp4 -s face=starry_night -s mask:masks.mp4=my.jpg -s great_wave`

    `stylizer video frames/%05d.png out.mp4 -s starry_night`

    `ffmpeg -i in.mp4 -f matroska - | stylizer video - - -s my.jpg | ffplay -`

    `stylizer video in.mp4 out.mp4 -s my.jpg --size 360 --method gatys --warm-iterations 8`
    """
    if folder is None:
        single_output(more or ())
    span = part.span()
    config = choose_config(fast, gatys, passes=True)
    refuse_losses(config, reports)
    if crew.wanted and (reports.losses or reports.plot):
        raise ConfigError("--losses and --plot: expected one process, got workers; leave them out")
    size = gatys.recipe_size(out.size)
    check_weights(config)
    styles = load_styles(gatys.style)
    look.check(styles, config)
    people.check_parts(styles)
    coherence.check(config)
    finer_part = finer.part(styles, config, look)
    whole_pictures = reading.wants_whole_pictures
    encoder = encoding.config()
    # Else --overwrite would paint anew what it had painted itself before it was interrupted.
    lasting = folder is not None and out.overwrite and not jobs.keep_parts

    @cache
    def description() -> StylizerConfig:
        tuned = tuned_styles(styles, fast.tune, config, quiet=speech.quiet)
        described = describe(tuned, config, look, coherence, people=people)
        return replace(described, finer=finer_part)

    def paint(source: str, output: str) -> None:
        with open_ended(source, deinterlace=whole_pictures, vfr=reading.vfr, span=span) as reader:
            inputs = [*input_paths(source), *style_paths(gatys.style)]
            overwrite = claim_output(output, overwrite=out.overwrite, inputs=inputs)
            losses = LossReports(reports, overwrite=out.overwrite, inputs=[*inputs, Path(output)])
            whole = _sized(reader, size)
            sink = open_sink(
                output,
                whole,
                config=encoder,
                overwrite=overwrite,
                stream=encoding.format,
                metadata=beside.wanted,
            )
            terms = Terms(
                options=jobs,
                shared=crew.wanted,
                lead_in=lead.lead_in,
                metadata=beside.wanted,
                lasting=lasting,
            )
            wanted = description()
            with open_job(output, whole, sink, config=wanted, terms=terms) as job:
                job.announce(quiet=speech.quiet)
                display = Display(total=reader.frame_count, quiet=speech.quiet, begun=job.begun)
                if job.whole:
                    outcome = job.finish()
                elif isinstance(job, Job) and job.divided:
                    outcome = share_frames(
                        job, wanted, crew.crew(config), size=size, display=display
                    )
                else:
                    with job.rest() as rest:
                        frames = _sized(rest, size)
                        stylizer = make_stylizer(
                            wanted,
                            on_loss=losses.history if losses.wanted else None,
                            on_pass=lambda progress: display.note(f"shot ahead: {progress}"),
                        )
                        if not speech.quiet:
                            announce(describe_stylizer(stylizer), frames)
                        begun, stylizer = job.begun, watched(stylizer, wanted)
                        outcome = job.paint(frames, stylizer, display=display)
                        if not begun:
                            say_unpainted_film(stylizer, output)
        losses.write()
        outcome.close(output, quiet=speech.quiet)

    if folder is None:
        paint(source, single_output(more or ()))
        return
    if reports.losses or reports.plot:
        raise ConfigError("--losses and --plot: expected one video and OUT, got -o; leave them out")
    films = plan_films([source, *(more or ())], folder)
    paint_films(films, paint, overwrite=out.overwrite, lasting=lasting, quiet=speech.quiet)


def _sized(source: FrameSource, size: Size | None) -> FrameSource:
    return source if size is None else Resized(source, size)
