"""The pictures of a sweep side by side, each with what made it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import cv2
import numpy as np

from stylizer.errors import ConfigError
from stylizer.frame import Image
from stylizer.gatys.sweep import SweepCell

__all__ = ["contact_sheet"]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.5
_LINE = 20
_MARGIN = 8
_INK = (30, 30, 30)
_ALARM = (170, 20, 20)
_EMPTY = (225, 225, 225)


def contact_sheet(
    cells: Sequence[SweepCell], *, columns: int | None = None, width: int = 320
) -> Image:
    """Lay out the cells row by row, with settings, total loss and time under each picture.

    Pictures are scaled down, never up, to ``width``. Labels are wrapped to the cell; each row is as
    high as its longest label, so that nothing is cut off or overlaps. A cell that failed shows its
    error in place of the picture's losses.

    Args:
      cells: at least one, from `stylizer.gatys.sweep.run_sweep`.
      columns: cells in a row (a grid's ``columns`` puts the last setting in the rows); None for
        about as many as rows.
      width: of one cell, in pixels, 120 or more.

    Returns:
      uint8 RGB, (H, W, 3).

    Raises:
      ConfigError: no cells, or a number out of range.
    """
    if not cells:
        raise ConfigError("contact sheet: expected at least one cell, got none")
    if width < 120:
        raise ConfigError(f"contact sheet, width: expected 120 or more pixels, got {width}")
    columns = math.ceil(math.sqrt(len(cells))) if columns is None else columns
    if columns < 1:
        raise ConfigError(f"contact sheet, columns: expected 1 or more, got {columns}")
    columns = min(columns, len(cells))
    height = _picture_height(cells, width)
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    drawn = [_draw_row(row, columns=columns, width=width, height=height) for row in rows]
    return np.ascontiguousarray(np.concatenate(drawn))


def _picture_height(cells: Sequence[SweepCell], width: int) -> int:
    images = [cell.image for cell in cells if cell.image is not None]
    fitted = [_fit(image, width)[1] for image in images]
    return max(fitted, default=width // 2)


def _fit(image: Image, width: int) -> tuple[int, int]:
    """Return (width, height) for a picture to be at most so wide, and at most twice as high."""
    height, own_width, _ = image.shape
    scale = min(1.0, width / own_width, 2 * width / height)
    return max(1, round(own_width * scale)), max(1, round(height * scale))


def _draw_row(cells: Sequence[SweepCell], *, columns: int, width: int, height: int) -> Image:
    labels = [_wrap(_label(cell), width) for cell in cells]
    label_height = max(len(lines) for lines in labels) * _LINE + _MARGIN
    shape = (height + label_height + 2 * _MARGIN, columns * (width + _MARGIN) + _MARGIN, 3)
    row: Image = np.full(shape, 255, dtype=np.uint8)
    for column, (cell, lines) in enumerate(zip(cells, labels, strict=True)):
        left = _MARGIN + column * (width + _MARGIN)
        _draw_picture(row[_MARGIN : _MARGIN + height, left : left + width], cell)
        color = _INK if cell.error is None else _ALARM
        for number, line in enumerate(lines, start=1):
            place = (left, 2 * _MARGIN + height + number * _LINE - 6)
            cv2.putText(row, line, place, _FONT, _FONT_SCALE, color, 1, cv2.LINE_AA)
    return row


def _draw_picture(place: Image, cell: SweepCell) -> None:
    if cell.image is None:
        place[:] = _EMPTY
        return
    width, height = _fit(cell.image, place.shape[1])
    top = place.shape[0] - height  # at the left and bottom: beside its label
    small = cv2.resize(cell.image, (width, height), interpolation=cv2.INTER_AREA)
    place[top:, :width] = small


def _label(cell: SweepCell) -> list[str]:
    lines = [f"{name} = {value}" for name, value in cell.settings]
    if cell.error is not None:
        return [*lines, textwrap.shorten(f"failed: {cell.error}", 240)]
    total = "" if cell.losses is None else f"total {cell.losses.total:.3g}, "
    return [*lines, f"{total}{cell.seconds:.1f} s"]


def _wrap(lines: Sequence[str], width: int) -> list[str]:
    """Break lines where they are too wide: after a separator if there is one, else anywhere."""
    wrapped = []
    for line in lines:
        rest = line.encode("ascii", "replace").decode("ascii")
        while rest:
            taken = _count_fitting(rest, width)
            if taken < len(rest):
                breaks = [
                    place for place in range(taken, taken // 2, -1) if rest[place - 1] in " +,/"
                ]
                taken = breaks[0] if breaks else taken
            wrapped.append(rest[:taken].rstrip())
            rest = rest[taken:].lstrip()
    return wrapped


def _count_fitting(text: str, width: int) -> int:
    """Count the leading characters that fit into so many pixels; at least 1."""
    for count in range(len(text), 1, -1):
        (drawn, _), _ = cv2.getTextSize(text[:count], _FONT, _FONT_SCALE, 1)
        if drawn <= width:
            return count
    return 1
