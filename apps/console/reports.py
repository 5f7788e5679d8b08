"""The losses of a run: a table at its end, and the files that were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from stylizer.evaluation.history import LossHistory

from ..options.shared import LossOptions
from .paths import claim_file

__all__ = ["LossReports"]


class LossReports:
    """Collects losses, and writes them where the user wants them.

    Attributes:
      history: give it as ``on_loss``.
    """

    def __init__(self, options: LossOptions, *, overwrite: bool, inputs: Sequence[Path]) -> None:
        """Make sure, before anything is computed, that the files may be written.

        Raises:
          SinkError: one of them exists, or cannot be written; see
            `stylizer.apps.console.paths.claim_file`.
        """
        self.history = LossHistory()
        self._csv, self._plot = (
            (path, claim_file(path, overwrite=overwrite, inputs=inputs)) if path else None
            for path in (options.losses, options.plot)
        )

    @property
    def wanted(self) -> bool:
        """Whether a file was asked for."""
        return self._csv is not None or self._plot is not None

    def restart(self) -> None:
        """Forget what came so far and start the clock: what went before was loading."""
        self.history = LossHistory()

    def write(self) -> None:
        """Write the files that were asked for; nothing if no loss ever came."""
        if not len(self.history):
            return
        if self._csv is not None:
            self.history.write_csv(self._csv[0], overwrite=self._csv[1])
        if self._plot is not None:
            self.history.write_plot(self._plot[0], overwrite=self._plot[1])

    def show(self, *, every: int = 100) -> None:
        """Print the table of losses on stdout."""
        if len(self.history):
            Console().print(self.history.table(every=every))
