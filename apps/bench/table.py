"""What the tables of ``stylizer bench`` have in common."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

__all__ = ["make_table", "setting_cells"]


def make_table(title: str, headings: Sequence[str], *, ran: Sequence[str]) -> Table:
    """Return an empty table, with what ran below it: ``auto`` does not say."""
    table = Table(title=title, caption="\n".join(dict.fromkeys(ran)), caption_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "engine" else "right")
    return table


def setting_cells(engine: str, threads: int | None, size: str) -> tuple[str, str, str]:
    """Return the first cells of a row; ``threads`` None for one a core."""
    return engine, "" if threads is None else str(threads), size
