"""``stylizer report``: how well a painted video holds still."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from stylizer.errors import ConfigError, SinkError, SourceError
from stylizer.evaluation.stability import (
    SLIGHT_BOIL_UP_TO,
    STILL_UP_TO,
    ShotStability,
    StabilityMeter,
    gray_levels,
    judge,
    own_levels,
)
from stylizer.frame import Frame, Image
from stylizer.io.atomic import temporary_path
from stylizer.io.resize import resize_image
from stylizer.protocols import FrameSource
from stylizer.temporal.flow import Preset

from ..console.paths import claim_file, claim_picture, open_ended
from ..console.progress import Display
from ..console.terminal import say
from ..options.shared import SpeechOptions, option
from ..options.spread import spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["report"]

_REPORTS = "Reports"

_SAID = {"still": "holds still", "slight boil": "boils slightly", "flicker": "flickers"}


@spread
def report(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The painted video.")],
    speech: SpeechOptions,
    source: Annotated[
        Path, option("source", "The video it was painted from.", "Measurement", metavar="IN")
    ],
    flow: Annotated[
        Preset, option("flow", "Quality of the optical flow.", "Measurement")
    ] = "medium",
    worst: Annotated[int, option("worst", "How many of the worst frames to list.", _REPORTS)] = 5,
    json: Annotated[
        Path | None, option("json", "Write all numbers here.", _REPORTS, metavar="FILE")
    ] = None,
    plot: Annotated[
        Path | None, option("plot", "Draw the errors over time here.", _REPORTS, metavar="PNG")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", "-y", help="Replace what exists.")
    ] = False,
) -> None:
    """Measure how well a painted video holds still.

    The motion of the source says where each pixel of a painted frame stood one frame earlier. The
    warping error (Lai et al. 2018) is the mean squared difference of the two, colors in 0..1, where
    that motion can be relied on; beside it stands its root in gray levels. The source has an error
    of its own, of noise and light. Frames at cuts do not count.

    A sentence at the end judges it: whether the painting holds still, boils slightly or flickers,
    by what it changes beyond what its source does. The bounds lie between videos that were painted
    with and without coherence. A scene that rushes past counts as flicker, too.

    **Example**

    `stylizer report painted.mp4 --source in.mp4 --plot flicker.png`
    """
    if worst < 0:
        raise ConfigError(f"--worst: expected 0 or more, got {worst}")
    inputs = [output, source]
    json_replaced = json is not None and claim_file(json, overwrite=overwrite, inputs=inputs)
    plot_replaced = plot is not None and claim_picture(plot, overwrite=overwrite, inputs=inputs)
    meter = StabilityMeter(preset=flow)
    with open_ended(str(source)) as original, open_ended(str(output)) as painted:
        _check_rates(source, original, output, painted)
        counts = original.frame_count or 0, painted.frame_count or 0
        total = min(counts)
        with Display(total=total, quiet=speech.quiet) as display:
            for frame, made in _pairs(original, painted):
                meter(frame, made)
                display.update(len(meter.frames), "measuring")
    if len(meter.frames) < 2:
        raise SourceError(f"{output}: expected at least 2 frames to measure, got one")
    if abs(counts[0] - counts[1]) > 1 and not speech.quiet:
        say(f"{source} has {counts[0]} frames, {output} {counts[1]}: the first {total} count")
    console = Console()
    console.print(_shots_table(meter, title=output.name))
    if worst:
        console.print(_worst_table(meter, worst))
    cuts = ", ".join(map(str, meter.cuts)) or "none"
    console.print(f"Cuts before frame: {cuts}")
    console.print(_judgement(meter.whole(), output.name), soft_wrap=True, markup=False)
    if json is not None:
        _write_json(json, meter, worst=worst, overwrite=json_replaced)
    if plot is not None:
        _write_plot(plot, meter, overwrite=plot_replaced)


def _check_rates(source: Path, original: FrameSource, output: Path, painted: FrameSource) -> None:
    if original.rate != painted.rate:
        raise SourceError(
            f"{output}: expected the {original.rate} frames a second of {source}, "
            f"got {painted.rate}; give the video that it was painted from"
        )


def _pairs(original: FrameSource, painted: FrameSource) -> Iterator[tuple[Frame, Image]]:
    """Give the source's frames at the output's size, and the output's."""
    for frame, made in zip(original, painted, strict=False):
        yield frame.with_image(resize_image(frame.image, painted.size)), made.image


def _judgement(whole: ShotStability, name: str) -> str:
    verdict, own = judge(whole), own_levels(whole)
    if verdict is None or own is None:
        return f"{name} cannot be judged: between no two frames could motion be relied on."
    bounds = f"up to {STILL_UP_TO:g} is still, up to {SLIGHT_BOIL_UP_TO:g} a slight boil"
    told = f"it changes by {own:.1f} gray levels beyond what its source does"
    return f"{name} {_SAID[verdict]}: {told} ({bounds}, more flickers)."


def _shots_table(meter: StabilityMeter, *, title: str) -> Table:
    table = Table(title=f"Warping error of {title}")
    table.caption = "levels: root mean square difference from the frame before, of 0..255"
    for heading in ("shot", "frames", "error", "levels", "source's", "levels"):
        table.add_column(heading, justify="left" if heading == "shot" else "right")
    shots = meter.shots()
    for number, shot in enumerate(shots, start=1):
        table.add_row(str(number), *_cells(shot))
    if len(shots) > 1:
        table.add_section()
        table.add_row("all", *_cells(meter.whole()))
    return table


def _cells(shot: ShotStability) -> list[str]:
    return [f"{shot.first}-{shot.last}", *_error(shot.error), *_error(shot.source_error)]


def _error(error: float | None) -> tuple[str, str]:
    return ("", "") if error is None else (f"{error:.5f}", f"{gray_levels(error):.2f}")


def _worst_table(meter: StabilityMeter, count: int) -> Table:
    table = Table(title="Worst frames")
    for heading in ("frame", "time", "error", "levels", "source's", "levels", "reliable"):
        table.add_column(heading, justify="right")
    for frame in meter.worst(count):
        table.add_row(
            str(frame.index),
            f"{frame.time:.2f} s",
            *_error(frame.error),
            *_error(frame.source_error),
            f"{frame.reliable:.0%}",
        )
    return table


def _write_json(path: Path, meter: StabilityMeter, *, worst: int, overwrite: bool) -> None:
    results = {
        "whole": asdict(meter.whole()),
        "judgement": judge(meter.whole()),
        "own_levels": own_levels(meter.whole()),
        "shots": [asdict(shot) for shot in meter.shots()],
        "cuts": meter.cuts,
        "worst": [frame.index for frame in meter.worst(worst)],
        "frames": [asdict(frame) for frame in meter.frames],
    }
    with temporary_path(path, overwrite=overwrite) as temporary:
        try:
            temporary.write_text(json_format.dumps(results, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise SinkError(f"{path}: cannot be written ({error.strerror})") from error


def _write_plot(path: Path, meter: StabilityMeter, *, overwrite: bool) -> None:
    figure = _draw(meter)
    with temporary_path(path, overwrite=overwrite) as temporary:
        try:
            figure.savefig(temporary, format="png", dpi=120)
        except OSError as error:
            raise SinkError(f"{path}: cannot be written ({error.strerror})") from error


def _draw(meter: StabilityMeter) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    frames = meter.frames
    for label, values in (
        ("painted", [frame.error for frame in frames]),
        ("source", [frame.source_error for frame in frames]),
    ):
        levels = [float("nan") if value is None else gray_levels(value) for value in values]
        axes.plot([frame.time for frame in frames], levels, label=label, marker=".")
    for frame in frames:
        if frame.cut:
            axes.axvline(frame.time, color="gray", linestyle=":", linewidth=1)
    axes.set_xlabel("time in seconds; dotted: cuts")
    axes.set_ylabel("warping error, gray levels (RMS)")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.25)
    axes.legend()
    return figure
