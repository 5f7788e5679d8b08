"""Tables of numbers, as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from stylizer.errors import SinkError
from stylizer.io.atomic import temporary_path

__all__ = ["write_table"]


def write_table(
    path: Path,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    overwrite: bool = False,
) -> None:
    """Write a table with a row of headings; floats are written so that they read back exactly.

    Args:
      path: the file to be, UTF-8.
      columns: the headings.
      rows: as many values each as there are headings; None is written as nothing.
      overwrite: whether a file of that name may be replaced.

    Raises:
      SinkError: the file exists or cannot be written.
    """
    with temporary_path(path, overwrite=overwrite) as temporary:
        try:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(columns)
                writer.writerows(rows)
        except OSError as error:
            raise SinkError(
                f"{path}: cannot be written ({error.strerror}); make room or choose another folder"
            ) from error
