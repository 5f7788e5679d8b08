"""What ``stylizer bench --method gatys`` measures: the optimization."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, cast, get_args

from rich.table import Table

from stylizer.base import describe_stylizer
from stylizer.errors import ConfigError
from stylizer.frame import Frame
from stylizer.gatys.config import GatysConfig, GatysEngine, Start
from stylizer.styles.load import AnyStyle

from ..console.painting import make_painter
from ..options.shared import option
from .timing import Timing, time_frames

__all__ = ["GatysGrid", "GatysResult", "gatys_table", "measure_gatys"]

_GRID = "Gatys: what to measure"
_DEFAULTS = GatysConfig()


@dataclass(frozen=True, kw_only=True)
class GatysResult(Timing):
    """The speed of one setting of the optimization.

    Attributes:
      network: the loss network.
      engine: as asked for.
      size: ``"320x180"``.
      iterations: of each frame.
      start: what a frame starts from.
      runs: what the stylizer says of network, engine, device and precision.
    """

    network: str
    engine: str
    size: str
    iterations: int
    start: str
    runs: str


@dataclass(frozen=True, kw_only=True)
class GatysGrid:
    """Settings of the optimization; every option that is repeated spans the grid."""

    loss_network: Annotated[
        list[str] | None,
        option(
            "loss-network",
            f"A loss network; repeatable. Default: {_DEFAULTS.network}.",
            _GRID,
            show_default=False,
        ),
    ] = None
    weights: Annotated[
        Path | None, option("weights", "A file of weights, with a single --loss-network.", _GRID)
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

    gatys_engine: Annotated[
        list[str] | None,
        option(
            "gatys-engine",
            f"What computes the gradients; repeatable. Default: {_DEFAULTS.engine}.",
            _GRID,
            metavar="|".join(get_args(GatysEngine)),
            show_default=False,
        ),
    ] = None

    def configs(self, networks: Sequence[str] | None = None) -> list[GatysConfig]:
        """Return the settings to measure, for each size.

        Args:
          networks: as given by ``--network``, which once meant ``--loss-network``.

        Raises:
          ConfigError: a setting is out of its range, or weights are given for several networks.
        """
        names = [*(self.loss_network or []), *(networks or [])] or [_DEFAULTS.network]
        if self.weights is not None and len(names) > 1:
            raise ConfigError(
                f"--weights: expected a single --loss-network, got {', '.join(names)}"
            )
        return [
            GatysConfig(
                network=network,
                weights=self.weights,
                iterations=iterations,
                warm_iterations=iterations,
                start=self.start or _DEFAULTS.start,
                engine=cast(GatysEngine, engine),
            )
            for network, engine, iterations in itertools.product(
                names,
                self.gatys_engine or [_DEFAULTS.engine],
                self.warm_iterations or [_DEFAULTS.warm_iterations],
            )
        ]


def measure_gatys(
    frames: Sequence[Frame], styles: Sequence[AnyStyle], config: GatysConfig
) -> GatysResult:
    """Time the optimization.

    Args:
      frames: more than those to warm up.
      styles: one or more.
      config: its ``warm_iterations`` are what every timed frame gets.
    """
    timing, stylizer = time_frames(lambda: make_painter(styles, config), frames)
    width, height = frames[0].size
    return GatysResult(
        network=config.network,
        engine=config.engine,
        runs=describe_stylizer(stylizer),
        size=f"{width}x{height}",
        iterations=config.warm_iterations,
        start=config.start,
        **asdict(timing),
    )


def gatys_table(results: Sequence[GatysResult]) -> Table:
    """Return the results for people."""
    table = Table(title="Gatys, frames a second, warm", caption_justify="left")
    table.caption = "\n".join(dict.fromkeys(result.runs for result in results))
    headings = ("network", "engine", "size", "iterations", "start", "fps", "median", "95 %")
    for heading in (*headings, "first", "memory"):
        table.add_column(heading, justify="left" if heading in headings[:2] else "right")
    for result in results:
        memory = result.peak_memory_mib
        table.add_row(
            result.network,
            result.engine,
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
