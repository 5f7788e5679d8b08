"""The course of the losses: printed as a table, written as CSV, drawn as a plot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylizer.errors import ConfigError, SinkError
from stylizer.io.atomic import temporary_path
from stylizer.io.table import write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.table import Table

    from stylizer.gatys.stylizer import LossRecord

__all__ = ["LossHistory", "LossRow"]

_PRINTED = {"style": "style", "content": "content", "total_variation": "variation"}
"""The terms in the printed table, and their headings: it is to fit into 80 columns."""


@dataclass(frozen=True, kw_only=True)
class LossRow:
    """One record and when it came.

    Attributes:
      record: the losses, weighted as they enter the total.
      seconds: since the history was made.
    """

    record: LossRecord
    seconds: float


class LossHistory:
    """Collects the losses of a run; give it as ``on_loss``.

    Example::

        history = LossHistory()
        stylize_image(content, styles, config, on_loss=history)
        rich.print(history.table(every=100))
        history.write_csv(Path("losses.csv"))
    """

    def __init__(self) -> None:
        """Start with no records, and the clock."""
        self._rows: list[LossRow] = []
        self._start = time.monotonic()

    def __call__(self, record: LossRecord) -> None:
        """Take one record."""
        self._rows.append(LossRow(record=record, seconds=time.monotonic() - self._start))

    def __len__(self) -> int:
        """Count the records."""
        return len(self._rows)

    @property
    def rows(self) -> tuple[LossRow, ...]:
        """All records, in the order they came."""
        return tuple(self._rows)

    def table(self, *, every: int = 100) -> Table:
        """Return a table for `rich.print`.

        Of a still, it shows the first record, each whose iteration is a multiple of ``every``, and
        the last. Of a video, it shows that for the first frame, then the last record of each frame
        whose index is a multiple of ``every``, and the last of all.

        Args:
          every: 1 or more.

        Raises:
          ConfigError: ``every`` is less than 1.
        """
        from rich import box
        from rich.table import Table

        if every < 1:
            raise ConfigError(f"every: expected 1 or more, got {every}")
        table = Table(title="Losses", box=box.SIMPLE_HEAD, padding=0)  # fits into 80 columns
        for heading in ("frame", "iteration", *_PRINTED.values(), "total", "seconds"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in self._shown(every):
            record = row.record
            losses = (*(record.terms.get(name, 0.0) for name in _PRINTED), record.total)
            table.add_row(
                str(record.frame),
                str(record.iteration),
                *(f"{loss:.4e}" for loss in losses),
                f"{row.seconds:.1f}",
            )
        return table

    def write_csv(self, path: Path, *, overwrite: bool = False) -> None:
        """Write all records: frame, iteration, each term, total and seconds.

        Numbers are written so that they read back exactly.

        Args:
          path: the file to be.
          overwrite: whether a file of that name may be replaced.

        Raises:
          SinkError: the file exists or cannot be written.
        """
        names = list(self._rows[0].record.terms) if self._rows else []
        rows = (
            [
                *(row.record.frame, row.record.iteration),
                *(row.record.terms[name] for name in names),
                *(row.record.total, round(row.seconds, 3)),
            ]
            for row in self._rows
        )
        columns = ["frame", "iteration", *names, "total", "seconds"]
        write_table(path, columns, rows, overwrite=overwrite)

    def write_plot(self, path: Path, *, overwrite: bool = False) -> None:
        """Draw the losses on a logarithmic axis, as a PNG.

        A loss that never rises above 0 is left out. The horizontal axis counts records: iterations
        of a still, iterations of all frames one after the other for a video.

        Args:
          path: the file to be.
          overwrite: whether a file of that name may be replaced.

        Raises:
          ConfigError: there is nothing to draw.
          SinkError: the file exists or cannot be written.
        """
        if not self._rows:
            raise ConfigError("losses: nothing to draw, no record has come yet")
        figure = self._draw()
        with temporary_path(path, overwrite=overwrite) as temporary:
            try:
                figure.savefig(temporary, format="png", dpi=120)
            except OSError as error:
                raise SinkError(f"{path}: cannot be written ({error.strerror})") from error

    def _draw(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.add_subplot()
        steps = range(1, len(self._rows) + 1)
        marker = "o" if len(self._rows) == 1 else ""
        lines = {"total": [row.record.total for row in self._rows]}
        for name in self._rows[0].record.terms:
            lines[name.replace("_", " ")] = [row.record.terms[name] for row in self._rows]
        for label, values in lines.items():
            if any(value > 0 for value in values):
                width = 2.5 if label == "total" else 1.2
                axes.plot(steps, values, label=label, linewidth=width, marker=marker)
        axes.set_yscale("log", nonpositive="mask")
        axes.set_xlabel("iteration")
        axes.set_ylabel("loss, weighted")
        axes.grid(visible=True, which="both", alpha=0.25)
        if axes.lines:
            axes.legend()
        return figure

    def _shown(self, every: int) -> Iterator[LossRow]:
        first_frame = self._rows[0].record.frame if self._rows else 0
        for position, row in enumerate(self._rows):
            ends = position + 1 == len(self._rows)
            record = row.record
            if record.frame == first_frame:
                turn = position == 0 or record.iteration % every == 0
            else:
                turn = record.frame % every == 0 and (
                    ends or self._rows[position + 1].record.frame != record.frame
                )
            if turn or ends:
                yield row
