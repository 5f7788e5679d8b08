"""What ``stylizer bench`` measures of the fast network: speed, start-up and memory."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, cast, get_args

from rich.table import Table

from stylizer.backend.precision import NetworkPrecision
from stylizer.base import describe_stylizer
from stylizer.frame import Frame
from stylizer.network.config import Engine, FastConfig
from stylizer.protocols import Stylizer
from stylizer.styles.load import AnyStyle

from ..console.painting import make_painter
from ..options.shared import option
from .startup import Startup
from .timing import Timing, make_table, setting_cells, time_frames

__all__ = ["FastGrid", "FastResult", "fast_table", "measure_fast"]

_GRID = "Fast network: what to measure"


@dataclass(frozen=True, kw_only=True)
class FastResult(Timing):
    """The speed of one setting of the network.

    Attributes:
      network: as asked for.
      engine: as asked for.
      threads: as asked for; None for one a core.
      precision: as asked for.
      size: ``"640x360"``.
      runs: what the network says of engine, device, threads and precision.
      startup: in a new process; None if it was not measured.
    """

    network: str
    engine: Engine
    threads: int | None
    precision: NetworkPrecision
    size: str
    runs: str
    startup: Startup | None


@dataclass(frozen=True, kw_only=True)
class FastGrid:
    """Settings of the network; every option that is repeated spans the grid."""

    engine: Annotated[
        list[str] | None,
        option(
            "engine",
            f"What runs the network; repeatable. Default: {FastConfig().engine}.",
            _GRID,
            metavar="|".join(get_args(Engine)),
            show_default=False,
        ),
    ] = None
    threads: Annotated[
        list[int] | None,
        option("threads", "Threads of the CPU; repeatable. Default: one a core.", _GRID),
    ] = None
    precision: Annotated[
        list[str] | None,
        option(
            "precision",
            f"Arithmetic of the network; repeatable. Default: {FastConfig().precision}.",
            _GRID,
            metavar="|".join(get_args(NetworkPrecision)),
            show_default=False,
        ),
    ] = None
    startup: Annotated[
        bool | None,
        option(
            "startup/--no-startup",
            "Measure start-up time and memory too, in new processes. Default: yes.",
            _GRID,
            show_default=False,
        ),
    ] = None
    against: Annotated[
        Path | None,
        option(
            "against",
            "Race Magenta's two TFLite files of this folder at 384x384 (extra peers).",
            _GRID,
            metavar="FOLDER",
        ),
    ] = None

    def configs(self, networks: Sequence[str] | None = None) -> list[FastConfig]:
        """Return the settings to measure, for each size.

        Args:
          networks: their names; None for the default.

        Raises:
          ConfigError: a setting is out of its range.
        """
        threads: Sequence[int | None] = self.threads or [None]
        usual = FastConfig()
        grid = itertools.product(
            networks or [usual.network],
            self.engine or [usual.engine],
            threads,
            self.precision or [usual.precision],
        )
        return [
            FastConfig(
                network=network,
                engine=cast(Engine, engine),
                threads=count,
                precision=cast(NetworkPrecision, precision),
            )
            for network, engine, count, precision in grid
        ]


def measure_fast(
    frames: Sequence[Frame],
    styles: Sequence[AnyStyle],
    config: FastConfig,
    *,
    startup: Startup | None,
) -> tuple[FastResult, Stylizer]:
    """Time the network.

    Args:
      frames: more than those to warm up.
      styles: one or more.
      config: network, engine, threads and precision.
      startup: what is known of this setting in a new process.

    Returns:
      The times, and the network, still loaded.
    """
    timing, stylizer = time_frames(lambda: make_painter(styles, config), frames)
    width, height = frames[0].size
    return FastResult(
        network=config.network,
        engine=config.engine,
        threads=config.threads,
        precision=config.precision,
        size=f"{width}x{height}",
        runs=describe_stylizer(stylizer),
        startup=startup,
        **asdict(timing),
    ), stylizer


def fast_table(results: Sequence[FastResult]) -> Table:
    """Return the results of a network for people."""
    table = make_table(
        f"{results[0].network}, frames a second, warm; start-up and memory in a new process",
        ("engine", "threads", "size", "precision", "fps", "ms", "95 %", "cold s", "warm s", "MiB"),
        ran=[result.runs for result in results],
    )
    for result in results:
        startup = result.startup
        memory = None if startup is None else startup.peak_memory_mib
        table.add_row(
            *setting_cells(result.engine, result.threads, result.size),
            result.precision,
            f"{result.fps:.1f}",
            f"{result.median_ms:.1f}",
            f"{result.p95_ms:.1f}",
            "" if startup is None else f"{startup.cold_s:.1f}",
            "" if startup is None else f"{startup.warm_s:.1f}",
            "" if memory is None else f"{memory:.0f}",
        )
    return table
