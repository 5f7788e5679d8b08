"""What ``stylizer bench`` measures of the fast network: speed, start-up, memory, and a peer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, cast, get_args

from rich.table import Table

from stylizer.frame import Frame
from stylizer.network.config import Engine, FastConfig
from stylizer.styles import AnyStyle, Style
from stylizer.wrapper import describe_stylizer

from .options import option
from .painting import make_stylizer
from .scene import paint_style
from .startup import Startup
from .terminal import silenced
from .timing import WARM_UP, Timing, median_ms, time_frame, time_frames

__all__ = ["Duel", "FastGrid", "FastResult", "duel", "duel_table", "fast_table", "measure_fast"]

_GRID = "Fast network: what to measure"
_ROUND = 5


@dataclass(frozen=True, kw_only=True)
class FastResult(Timing):
    """The speed of one setting of the network.

    Attributes:
      engine: as asked for.
      threads: as asked for; None for one a core.
      size: ``"640x360"``.
      runs: what the network says of engine, device, threads and precision.
      startup: in a new process; None if it was not measured.
    """

    engine: Engine
    threads: int | None
    size: str
    runs: str
    startup: Startup | None


@dataclass(frozen=True, kw_only=True)
class Duel:
    """The network and Magenta's TFLite files, in turns on the same frames in one process.

    Attributes:
      engine: as asked for.
      threads: of both; None for one a core.
      size: ``"384x384"``.
      runs: what the network says of itself.
      peer: what the other says of itself.
      frames: how many each of them painted.
      median_ms: of the network, from uint8 to uint8.
      peer_median_ms: of the other, from uint8 to uint8.
      fps: of the network, from the median.
      peer_fps: of the other, from the median.
      ratio: how many times as fast the network is.
    """

    engine: Engine
    threads: int | None
    size: str
    runs: str
    peer: str
    frames: int
    median_ms: float
    peer_median_ms: float
    fps: float
    peer_fps: float
    ratio: float


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

    def configs(self) -> list[FastConfig]:
        """Return the settings to measure, for each size.

        Raises:
          ConfigError: a setting is out of its range.
        """
        threads: Sequence[int | None] = self.threads or [None]
        return [
            FastConfig(engine=cast(Engine, engine), threads=count)
            for engine, count in itertools.product(self.engine or [FastConfig().engine], threads)
        ]


def measure_fast(
    frames: Sequence[Frame],
    styles: Sequence[AnyStyle],
    config: FastConfig,
    *,
    startup: Startup | None,
) -> FastResult:
    """Time the network.

    Args:
      frames: more than those to warm up.
      styles: one or more.
      config: engine and threads.
      startup: what is known of this setting in a new process.
    """
    timing, stylizer = time_frames(lambda: make_stylizer(styles, config), frames)
    width, height = frames[0].size
    return FastResult(
        engine=config.engine,
        threads=config.threads,
        size=f"{width}x{height}",
        runs=describe_stylizer(stylizer),
        startup=startup,
        **asdict(timing),
    )


def duel(
    frames: Sequence[Frame], styles: Sequence[AnyStyle], config: FastConfig, *, folder: Path
) -> Duel:
    """Time the network and Magenta's in turns of a few frames each, in this process.

    Args:
      frames: 384x384, more than those to warm up.
      styles: one or more. Magenta is given the first; a painted picture, if that has none.
      config: engine, and the threads of both.
      folder: Magenta's two files.

    Raises:
      BackendError: ai-edge-litert is not installed.
      WeightsError: the files are missing.
    """
    from stylizer.cores import usable_cores
    from stylizer.network.magenta_lite import MagentaLite

    with silenced():
        peer = MagentaLite(folder, threads=config.threads or usable_cores())
    first = styles[0]
    code = peer.encode(first.image if isinstance(first, Style) else paint_style())
    stylizer = make_stylizer(styles, config)
    paints: tuple[Callable[[Frame], object], ...] = (
        stylizer,
        lambda frame: peer.paint(frame.image, code),
    )
    for paint, frame in itertools.product(paints, frames[:WARM_UP]):
        paint(frame)
    times: tuple[list[float], list[float]] = ([], [])
    rest = frames[WARM_UP:]
    for start in range(0, len(rest), _ROUND):
        for paint, own in zip(paints, times, strict=True):
            for frame in rest[start : start + _ROUND]:
                own.append(time_frame(paint, frame))
    ours, theirs = (median_ms(own) for own in times)
    width, height = frames[0].size
    return Duel(
        engine=config.engine,
        threads=config.threads,
        size=f"{width}x{height}",
        runs=describe_stylizer(stylizer),
        peer=peer.description,
        frames=len(rest),
        median_ms=ours,
        peer_median_ms=theirs,
        fps=round(1000 / ours, 3),
        peer_fps=round(1000 / theirs, 3),
        ratio=round(theirs / ours, 3),
    )


def fast_table(results: Sequence[FastResult]) -> Table:
    """Return the results for people."""
    table = _make_table(
        "Fast network, frames a second, warm; start-up and memory in a new process",
        ("engine", "threads", "size", "fps", "ms", "95 %", "cold s", "warm s", "MiB"),
        results,
    )
    for result in results:
        startup = result.startup
        memory = None if startup is None else startup.peak_memory_mib
        table.add_row(
            *_setting(result),
            f"{result.fps:.1f}",
            f"{result.median_ms:.1f}",
            f"{result.p95_ms:.1f}",
            "" if startup is None else f"{startup.cold_s:.1f}",
            "" if startup is None else f"{startup.warm_s:.1f}",
            "" if memory is None else f"{memory:.0f}",
        )
    return table


def duel_table(results: Sequence[Duel]) -> Table:
    """Return the races for people."""
    headings = ("engine", "threads", "size", "fps", "magenta's", "ratio")
    table = _make_table("In turns on the same frames, in one process", headings, results)
    for result in results:
        table.add_row(
            *_setting(result),
            f"{result.fps:.1f}",
            f"{result.peer_fps:.1f}",
            f"{result.ratio:.1f}",
        )
    return table


def _make_table(
    title: str, headings: Sequence[str], results: Sequence[FastResult] | Sequence[Duel]
) -> Table:
    """Return an empty table, with what ran below it: ``auto`` does not say."""
    ran = [result.runs for result in results]
    ran += [result.peer for result in results if isinstance(result, Duel)]
    table = Table(title=title, caption="\n".join(dict.fromkeys(ran)), caption_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "engine" else "right")
    return table


def _setting(result: FastResult | Duel) -> tuple[str, str, str]:
    threads = "" if result.threads is None else str(result.threads)
    return result.engine, threads, result.size
