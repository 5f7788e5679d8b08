"""``stylizer video``: a video file, frame by frame, with its sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stylizer.base import describe_stylizer
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.io.sources.video_reader import VideoReader
from stylizer.io.sources.wrappers import Resized
from stylizer.protocols import FrameSource
from stylizer.styles.load import load_styles

from ..console.painting import announce, check_weights, make_stylizer, paint
from ..console.paths import claim_file, style_paths
from ..console.progress import Display
from ..console.reports import LossReports
from ..options.coherence import CoherenceOptions
from ..options.fast import FastOptions
from ..options.gatys import GatysOptions
from ..options.look import LookOptions
from ..options.method import choose_config, describe, refuse_losses
from ..options.shared import EncodingOptions, LossOptions, OutputOptions, SpeechOptions
from ..options.spread import spread

__all__ = ["video"]


@spread
def video(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The video to paint.")],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="The file to be: .mp4, .mkv, .webm, .mov or .gif.")
    ],
    fast: FastOptions,
    gatys: GatysOptions,
    look: LookOptions,
    coherence: CoherenceOptions,
    out: OutputOptions,
    encoding: EncodingOptions,
    reports: LossOptions,
    speech: SpeechOptions,
) -> None:
    """Paint a video: its sound and subtitles are kept.

    With --method gatys the first frame gets the full --iterations, and each later one starts from
    the last painted frame and needs only a few (--warm-iterations). With --passes 3 as well, each
    shot is gone through three times, forward and backward, before it is written. Ctrl-C finishes
    the file properly.

    **Examples**

    `stylizer video in.mp4 out.mp4 -s starry_night`

    `stylizer video in.mp4 out.gif -s starry_night:0.7 -s my.jpg:0.3 --keep-color luminance`

    `stylizer video in.mp4 out.mp4 -s my.jpg --size 360 --method gatys --warm-iterations 8`
    """
    config = choose_config(fast, gatys, passes=True)
    refuse_losses(config, reports)
    size = gatys.recipe_size(out.size)
    check_weights(config)
    styles = load_styles(gatys.style)
    look.check(styles)
    coherence.check()
    with VideoReader(source) as reader:
        inputs = [source, *style_paths(gatys.style)]
        overwrite = claim_file(output, overwrite=out.overwrite, inputs=inputs)
        losses = LossReports(reports, overwrite=out.overwrite, inputs=[*inputs, output])
        frames: FrameSource = reader if size is None else Resized(reader, size)
        with VideoWriter(
            output,
            size=frames.size,
            rate=reader.rate,
            source=source,
            config=encoding.config(),
            overwrite=overwrite,
        ) as writer:
            display = Display(total=reader.frame_count, quiet=speech.quiet)
            stylizer = make_stylizer(
                describe(styles, config, look, coherence),
                on_loss=losses.history if losses.wanted else None,
                on_pass=lambda progress: display.note(f"shot ahead: {progress}"),
            )
            if not speech.quiet:
                announce(describe_stylizer(stylizer), frames)
            outcome = paint(frames, stylizer, writer, display=display)
    losses.write()
    outcome.close(str(output), quiet=speech.quiet)
