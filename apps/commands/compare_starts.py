"""``stylizer compare-starts``: what the warm start is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig, Start
from stylizer.styles.load import AnyStyle, load_styles

from ..bench.measuring import LossMeter, describe_machine, read_frames, write_json
from ..console.painting import check_weights, make_painter
from ..console.paths import claim_file
from ..console.progress import Display
from ..console.terminal import say
from ..options.gatys import GatysAloneOptions
from ..options.shared import SizeOption, SpeechOptions, option
from ..options.spread import spread

__all__ = ["StartResult", "compare_starts", "measure_start"]


@dataclass(frozen=True, kw_only=True)
class StartResult:
    """One start, measured on the later frames of a clip (the first is everywhere the same).

    Attributes:
      start: ``"warped"``, ``"previous"`` or ``"cold"``.
      iterations: of each later frame.
      style: mean style loss of the frames painted, weighted.
      content: mean content loss, weighted.
      total: mean of what is minimized.
      flow_source: mean length of the source's optical flow, in pixels a frame.
      flow_output: the same of what was painted: far below, the picture stands still.
      end_point_error: mean distance between the two flows.
    """

    start: str
    iterations: int
    style: float
    content: float
    total: float
    flow_source: float
    flow_output: float
    end_point_error: float


def measure_start(
    frames: Sequence[Frame],
    styles: Sequence[AnyStyle],
    config: GatysConfig,
    *,
    losses: LossMeter,
    display: Display,
) -> StartResult:
    """Paint a clip and measure what came out.

    Losses are taken from the finished uint8 pictures, by the same objective for every start.

    Args:
      frames: two or more.
      styles: one or more.
      config: ``start`` and ``warm_iterations`` are what is measured.
      losses: the same for all starts that are to be compared.
      display: told of each frame.
    """
    from stylizer.evaluation.metrics import flow_agreement

    stylizer = make_painter(styles, config)
    painted: list[Image] = []
    for frame in frames:
        painted.append(stylizer(frame).image)
        display.update(display.done + 1, f"{config.start}, {config.warm_iterations} iterations")
    sources = [frame.image for frame in frames]
    pairs = zip(sources[1:], painted[1:], strict=True)
    found = [losses(source, made) for source, made in pairs]
    content, style, total = (
        np.mean([one[name] for one in found]) for name in ("content", "style", "total")
    )
    motion = flow_agreement(sources, painted)
    return StartResult(
        start=config.start,
        iterations=config.warm_iterations,
        content=float(content),
        style=float(style),
        total=float(total),
        flow_source=motion.mean_source,
        flow_output=motion.mean_output,
        end_point_error=motion.end_point_error,
    )


@spread
def compare_starts(
    source: Annotated[Path, typer.Argument(metavar="VIDEO", help="A clip that moves.")],
    gatys: GatysAloneOptions,
    speech: SpeechOptions,
    size: SizeOption = None,
    frames: Annotated[int, option("frames", "How many frames to paint.", "Measurement")] = 60,
    json: Annotated[
        Path | None, option("json", "Write machine and results here.", "Reports", metavar="FILE")
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", "-y", help="Replace what exists.", rich_help_panel="Reports"),
    ] = False,
) -> None:
    """Compare what frames start from: warped, previous, and cold with 1, 4 and 16 times the work.

    Low losses alone prove nothing, as a picture that stands still while the scene moves has them
    too: the table also shows the mean optical flow of source and result, in pixels a frame, and the
    distance between the two (end-point error). The first frame gets --iterations in each case and
    is left out of the losses.

    **Example**

    `stylizer compare-starts clip.mp4 -s starry_night --size 180 --warm-iterations 4`
    """
    if frames < 2:
        raise ConfigError(f"--frames: expected 2 or more, got {frames}")
    config = gatys.config()
    check_weights(config)
    styles = load_styles(gatys.style)
    replaced = json is not None and claim_file(json, overwrite=overwrite, inputs=[source])
    clip = read_frames(source, gatys.recipe_size(size), count=frames)
    few = config.warm_iterations
    cases: list[tuple[Start, int]] = [("warped", few), ("previous", few)]
    cases += [("cold", few), ("cold", 4 * few), ("cold", 16 * few)]
    if not speech.quiet:
        width, height = clip[0].size
        device = describe_machine()["device"]
        say(f"{config.network}, {device} · {width}x{height} · {len(clip)} frames")
    losses = LossMeter(styles, config)
    results = []
    with Display(total=len(cases) * len(clip), quiet=speech.quiet) as display:
        for start, iterations in cases:
            changed = replace(config, start=start, warm_iterations=iterations)
            results.append(measure_start(clip, styles, changed, losses=losses, display=display))
    Console().print(_table(results, clip=source.name))
    if json is not None:
        write_json(json, [asdict(result) for result in results], overwrite=replaced)


def _table(results: Sequence[StartResult], *, clip: str) -> Table:
    table = Table(title=f"Starts on {clip}")
    table.caption = "flow in pixels a frame, of source and result; EPE: mean end-point error"
    headings = ("start", "iterations", "style", "content", "total", "source", "result", "EPE")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "start" else "right")
    for result in results:
        losses = (result.style, result.content, result.total)
        motion = (result.flow_source, result.flow_output, result.end_point_error)
        table.add_row(
            result.start,
            str(result.iterations),
            *(f"{loss:.4g}" for loss in losses),
            *(f"{length:.2f}" for length in motion),
        )
    return table
