"""``stylizer bench``: frames a second of the optimization."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from stylizer.errors import ConfigError
from stylizer.frame import Frame
from stylizer.gatys.config import GatysConfig, Start
from stylizer.size import Size
from stylizer.styles import Style, load_styles

from .measuring import describe_machine, peak_memory, read_frames, synthetic_frames, write_json
from .options import SpeechOptions, option
from .painting import check_weights, make_stylizer
from .paths import claim_file
from .progress import Display
from .scene import paint_style
from .spread import spread
from .terminal import say

__all__ = ["BenchOptions", "Measurement", "bench", "measure"]

_GRID, _CONTENT = "What to measure", "Content"
_DEFAULTS = GatysConfig()
_LEAST_FRAMES = 4
_WARM_UP = 3


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """The speed of one setting, warm.

    Attributes:
      network: the loss network.
      size: ``"320x180"``.
      iterations: of each frame.
      start: what a frame starts from.
      frames: how many were timed.
      fps: frames a second, from the median.
      median_ms: median time of a frame, in milliseconds.
      p95_ms: 95th percentile.
      first_frame_s: seconds until the first frame was there: loading, compiling, one frame.
      peak_memory_mib: the most that the process has held until then; None where unknown.
    """

    network: str
    size: str
    iterations: int
    start: str
    frames: int
    fps: float
    median_ms: float
    p95_ms: float
    first_frame_s: float
    peak_memory_mib: float | None


def measure(
    frames: Sequence[Frame], styles: Sequence[Style], config: GatysConfig, *, warm_up: int
) -> Measurement:
    """Time a stylizer frame by frame; reading and writing do not count.

    Args:
      frames: more than ``warm_up``.
      styles: one or more.
      config: its ``warm_iterations`` are what every timed frame gets.
      warm_up: frames that are not timed.
    """
    began = time.perf_counter()
    stylizer = make_stylizer("gatys", styles, config)
    stylizer(frames[0])
    first = time.perf_counter() - began
    for frame in frames[1:warm_up]:
        stylizer(frame)
    times = []
    for frame in frames[warm_up:]:
        began = time.perf_counter()
        stylizer(frame)
        times.append(time.perf_counter() - began)
    median = statistics.median(times)
    width, height = frames[0].size
    memory = peak_memory()
    return Measurement(
        network=config.network,
        size=f"{width}x{height}",
        iterations=config.warm_iterations,
        start=config.start,
        frames=len(times),
        fps=round(1 / median, 3),
        median_ms=round(median * 1000, 3),
        p95_ms=round(sorted(times)[int(0.95 * (len(times) - 1))] * 1000, 3),
        first_frame_s=round(first, 3),
        peak_memory_mib=None if memory is None else round(memory, 1),
    )


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """What to measure; every option that is repeated spans the grid."""

    network: Annotated[
        list[str] | None,
        option(
            "network",
            f"A loss network; repeatable. Default: {_DEFAULTS.network}.",
            _GRID,
            show_default=False,
        ),
    ] = None
    weights: Annotated[
        Path | None, option("weights", "A file of weights, with a single --network.", _GRID)
    ] = None
    size: Annotated[
        list[str] | None,
        option(
            "size",
            "Short side in pixels, or WIDTHxHEIGHT; repeatable. Default: 320x180.",
            _GRID,
            metavar="N|WxH",
        ),
    ] = None
    warm_iterations: Annotated[
        list[int] | None,
        option(
            "warm-iterations",
            f"Iterations of each frame; repeatable. Default: {_DEFAULTS.warm_iterations}.",
            _GRID,
            show_default=False,
        ),
    ] = None
    start: Annotated[
        Start | None,
        option(
            "start",
            f"What a frame starts from. Default: {_DEFAULTS.start}.",
            _GRID,
            show_default=False,
        ),
    ] = None
    style: Annotated[
        list[str] | None,
        typer.Option(
            "--style",
            "-s",
            metavar="PATH[:WEIGHT]",
            help="A style picture; repeatable. Default: one painted by the program.",
            rich_help_panel=_CONTENT,
        ),
    ] = None
    video: Annotated[
        Path | None,
        option("video", "Frames of this file in place of a moving painted picture.", _CONTENT),
    ] = None
    frames: Annotated[int, option("frames", "Frames to time, after 3 to warm up.", _CONTENT)] = 30
    seed: Annotated[int, option("seed", "Seed of the moving picture.", _CONTENT)] = 0

    def configs(self) -> list[GatysConfig]:
        """Return the settings to measure, for each size.

        Raises:
          ConfigError: a setting is out of its range, or weights are given for several networks.
        """
        networks = self.network or [_DEFAULTS.network]
        if self.weights is not None and len(networks) > 1:
            raise ConfigError(f"--weights: expected a single --network, got {', '.join(networks)}")
        return [
            GatysConfig(
                network=network,
                weights=self.weights,
                iterations=iterations,
                warm_iterations=iterations,
                start=self.start or _DEFAULTS.start,
            )
            for network, iterations in itertools.product(
                networks, self.warm_iterations or [_DEFAULTS.warm_iterations]
            )
        ]

    def load(self, size: Size) -> list[Frame]:
        """Return the frames to measure on."""
        count = self.frames + _WARM_UP
        if self.video is not None:
            frames = read_frames(self.video, size, count=count)
            if len(frames) <= _WARM_UP:
                raise ConfigError(
                    f"--video: expected more than the {_WARM_UP} frames to warm up, "
                    f"got {len(frames)} in {self.video}"
                )
            return frames
        return synthetic_frames(size.fit((1280, 720)), count=count, seed=self.seed)


@spread
def bench(
    options: BenchOptions,
    speech: SpeechOptions,
    json: Annotated[
        Path | None, option("json", "Write machine and results here.", "Reports", metavar="FILE")
    ] = None,
    overwrite: Annotated[bool, option("overwrite", "Replace what exists.", "Reports")] = False,
) -> None:
    """Measure frames a second, by network, size and iterations.

    Each is measured warm: loading, compiling and three frames come before. Reading and writing do
    not count. Memory is the most that the process has held so far.

    **Example**

    `stylizer bench --size 320x180 --size 640x360 --warm-iterations 4 --warm-iterations 8`
    """
    if options.frames < _LEAST_FRAMES:
        raise ConfigError(f"--frames: expected {_LEAST_FRAMES} or more, got {options.frames}")
    configs = options.configs()
    for config in configs:
        check_weights(config)
    sizes = [Size.parse(text) for text in options.size or ["320x180"]]
    replaced = False if json is None else claim_file(json, overwrite=overwrite)
    styles = load_styles(options.style) if options.style else [_painted()]
    if not speech.quiet:
        machine = describe_machine()
        say(f"{machine['cpu']} · {machine['device']}")
    results = []
    total = len(sizes) * len(configs)
    with Display(total=total, quiet=speech.quiet, unit="measurements") as display:
        for size in sizes:
            frames = options.load(size)
            for config in configs:
                results.append(measure(frames, styles, config, warm_up=_WARM_UP))
                display.update(len(results), f"{config.network}, {results[-1].fps:.1f} fps")
    Console().print(_table(results))
    if json is not None:
        write_json(json, [asdict(result) for result in results], overwrite=replaced)


def _painted() -> Style:
    return Style(name="painted", image=paint_style())


def _table(results: Sequence[Measurement]) -> Table:
    table = Table(title="Gatys, frames a second, warm")
    headings = (
        "network",
        "size",
        "iterations",
        "start",
        "fps",
        "median",
        "95 %",
        "first",
        "memory",
    )
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for result in results:
        memory = result.peak_memory_mib
        table.add_row(
            result.network,
            result.size,
            str(result.iterations),
            result.start,
            f"{result.fps:.1f}",
            f"{result.median_ms:.1f} ms",
            f"{result.p95_ms:.1f} ms",
            f"{result.first_frame_s:.1f} s",
            "" if memory is None else f"{memory:.0f} MiB",
        )
    return table
