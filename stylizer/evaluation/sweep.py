"""A grid of settings tried on one picture."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stylizer.evaluation.grid import Grid, Settings
from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.io.table import write_table
from stylizer.styles.load import AnyStyle

if TYPE_CHECKING:
    from stylizer.gatys.initial import QuickPainter
    from stylizer.gatys.stylizer import LossRecord

__all__ = ["SweepCell", "run_sweep", "write_csv"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SweepCell:
    """One combination of settings and what came of it.

    Attributes:
      settings: the names and values that set this cell apart, as the user wrote them.
      config: all settings; None when they contradict each other.
      image: uint8 RGB, (H, W, 3); None when the cell failed.
      losses: the last record; None when there is none.
      seconds: how long the cell took; the first one of a network includes its compilation.
      error: why the cell failed; None when it did not.
    """

    settings: Settings
    config: GatysConfig | None = None
    image: Image | None = None
    losses: LossRecord | None = None
    seconds: float = 0.0
    error: str | None = None


def run_sweep(  # noqa: PLR0913 - the last two are options of their own
    content: Image,
    styles: Sequence[AnyStyle],
    base: GatysConfig,
    grid: Grid,
    *,
    load_quick: Callable[[GatysConfig, Sequence[AnyStyle]], QuickPainter | None] | None = None,
    on_cell: Callable[[SweepCell], None] | None = None,
) -> list[SweepCell]:
    """Stylize one picture with every combination of a grid.

    An error in one cell is recorded in it and logged, and the others go on. An interrupt
    (Ctrl-C) is passed on; ``on_cell`` has had the cells done till then.

    The losses of cells are comparable only where their weights, layers and network are the same:
    they are the weighted losses that each cell minimized.

    Args:
      content: uint8 RGB, (H, W, 3).
      styles: one or more.
      base: the settings that the grid does not name.
      grid: the settings to vary.
      load_quick: gives for a cell's settings and the styles what paints in one pass, for
        ``initial="painted"``; None starts from the content.
      on_cell: called with each cell when it is done.

    Returns:
      The cells, in the grid's order.
    """
    cells = []
    for settings, values in grid.cells():
        cell = _run_cell(content, styles, settings, partial(replace, base, **values), load_quick)
        cells.append(cell)
        if on_cell is not None:
            on_cell(cell)
    return cells


def write_csv(cells: Sequence[SweepCell], path: Path, *, overwrite: bool = False) -> None:
    """Write a row for each cell: its settings, last losses, seconds and error.

    Args:
      cells: from `run_sweep`.
      path: the file to be.
      overwrite: whether a file of that name may be replaced.

    Raises:
      SinkError: the file exists or cannot be written.
    """
    names = [name for name, _ in cells[0].settings] if cells else []
    terms = next((list(cell.losses.terms) for cell in cells if cell.losses is not None), [])
    rows = [
        [
            *(value for _, value in cell.settings),
            *(None if cell.losses is None else cell.losses.terms[name] for name in terms),
            None if cell.losses is None else cell.losses.total,
            round(cell.seconds, 3),
            cell.error,
        ]
        for cell in cells
    ]
    write_table(path, [*names, *terms, "total", "seconds", "error"], rows, overwrite=overwrite)


def _run_cell(
    content: Image,
    styles: Sequence[AnyStyle],
    settings: Settings,
    make_config: Callable[[], GatysConfig],
    load_quick: Callable[[GatysConfig, Sequence[AnyStyle]], QuickPainter | None] | None,
) -> SweepCell:
    from stylizer.gatys.still import stylize_image

    config = image = error = None
    records: list[LossRecord] = []
    start = time.monotonic()
    try:
        config = make_config()
        quick = None if load_quick is None else load_quick(config, styles)
        image = stylize_image(content, styles, config, quick=quick, on_loss=records.append)
    except Exception as problem:  # a backend raises its own kinds, as when memory runs out
        error = f"{type(problem).__name__}: {problem}"
        written = ", ".join(f"{name} = {value}" for name, value in settings)
        _log.warning("%s failed: %s", written, problem, exc_info=problem)
    return SweepCell(
        settings=settings,
        config=config,
        image=image,
        losses=records[-1] if records else None,
        seconds=time.monotonic() - start,
        error=error,
    )
