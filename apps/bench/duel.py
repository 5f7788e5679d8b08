"""The fast network against Magenta's: ``stylizer bench --against``."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from stylizer.base import describe_stylizer
from stylizer.frame import Frame
from stylizer.network.config import Engine, FastConfig
from stylizer.styles.load import AnyStyle, Style

from ..console.painting import make_painter
from ..console.terminal import silenced
from ..scene import paint_style
from .timing import WARM_UP, make_table, setting_cells, time_frame

__all__ = ["Duel", "duel", "duel_table"]

_ROUND = 5


@dataclass(frozen=True, kw_only=True)
class Duel:
    """The network and Magenta's TFLite files, in turns on the same frames in one process.

    Attributes:
      network: as asked for.
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

    network: str
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
    from stylizer.backend.cores import usable_cores
    from stylizer.network.magenta.lite import MagentaLite

    with silenced():
        peer = MagentaLite(folder, threads=config.threads or usable_cores())
    first = styles[0]
    code = peer.encode(first.image if isinstance(first, Style) else paint_style())
    stylizer = make_painter(styles, config)
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
    ours, theirs = (statistics.median(own) for own in times)
    width, height = frames[0].size
    return Duel(
        network=config.network,
        engine=config.engine,
        threads=config.threads,
        size=f"{width}x{height}",
        runs=describe_stylizer(stylizer),
        peer=peer.description,
        frames=len(rest),
        median_ms=round(1000 * ours, 3),
        peer_median_ms=round(1000 * theirs, 3),
        fps=round(1 / ours, 3),
        peer_fps=round(1 / theirs, 3),
        ratio=round(theirs / ours, 3),
    )


def duel_table(results: Sequence[Duel]) -> Table:
    """Return the races for people."""
    headings = ("engine", "threads", "size", "fps", "magenta's", "ratio")
    ran = [runs for result in results for runs in (result.runs, result.peer)]
    table = make_table("In turns on the same frames, in one process", headings, ran=ran)
    for result in results:
        table.add_row(
            *setting_cells(result.engine, result.threads, result.size),
            f"{result.fps:.1f}",
            f"{result.peer_fps:.1f}",
            f"{result.ratio:.1f}",
        )
    return table
