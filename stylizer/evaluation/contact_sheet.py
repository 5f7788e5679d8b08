"""Pictures side by side, each with what it shows: those of a sweep with what made them."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from stylizer.errors import ConfigError
from stylizer.evaluation.sweep import SweepCell
from stylizer.frame import Image
from stylizer.io.text import draw_text, readable, text_width

__all__ = ["LabeledPicture", "contact_sheet", "label_pictures"]

_LETTERS = 15
_LINE = 20
_MARGIN = 8
_INK = (30, 30, 30)
_ALARM = (170, 20, 20)
_EMPTY = (225, 225, 225)


@dataclass(frozen=True, kw_only=True)
class LabeledPicture:
    """A picture for a sheet.

    Attributes:
      image: uint8 RGB, (H, W, 3); None for an empty place.
      lines: what stands under it, in any language.
      alarm: write the lines in red.
    """

    image: Image | None
    lines: tuple[str, ...] = ()
    alarm: bool = False


def contact_sheet(
    cells: Sequence[SweepCell], *, columns: int | None = None, width: int = 320
) -> Image:
    """Lay out a sweep's cells with settings, total loss and time under each picture.

    A cell that failed shows its error in place of the picture's losses.

    Args:
      cells: at least one, from `stylizer.evaluation.sweep.run_sweep`.
      columns: cells in a row (a grid's ``columns`` puts the last setting in the rows); None for
        about as many as rows.
      width: of one cell, in pixels, 120 or more.

    Returns:
      uint8 RGB, (H, W, 3).

    Raises:
      ConfigError: no cells, or a number out of range.
    """
    return label_pictures([_labeled(cell) for cell in cells], columns=columns, width=width)


def label_pictures(
    pictures: Sequence[LabeledPicture], *, columns: int | None = None, width: int = 320
) -> Image:
    """Lay out pictures row by row, with labels under them.

    Pictures are scaled down, never up, to ``width``. Labels are wrapped to the cell; each row is as
    high as its longest label, so that nothing is cut off or overlaps.

    Args:
      pictures: at least one.
      columns: pictures in a row; None for about as many as rows.
      width: of one cell, in pixels, 120 or more.

    Returns:
      uint8 RGB, (H, W, 3).

    Raises:
      ConfigError: no pictures, or a number out of range.
    """
    if not pictures:
        raise ConfigError("contact sheet: expected at least one cell, got none")
    if width < 120:
        raise ConfigError(f"contact sheet, width: expected 120 or more pixels, got {width}")
    columns = math.ceil(math.sqrt(len(pictures))) if columns is None else columns
    if columns < 1:
        raise ConfigError(f"contact sheet, columns: expected 1 or more, got {columns}")
    columns = min(columns, len(pictures))
    height = _picture_height(pictures, width)
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    drawn = [_draw_row(row, columns=columns, width=width, height=height) for row in rows]
    return np.ascontiguousarray(np.concatenate(drawn))


def _picture_height(pictures: Sequence[LabeledPicture], width: int) -> int:
    images = [picture.image for picture in pictures if picture.image is not None]
    fitted = [_fit(image, width)[1] for image in images]
    return max(fitted, default=width // 2)


def _fit(image: Image, width: int) -> tuple[int, int]:
    """Return (width, height) for a picture to be at most so wide, and at most twice as high."""
    height, own_width, _ = image.shape
    scale = min(1.0, width / own_width, 2 * width / height)
    return max(1, round(own_width * scale)), max(1, round(height * scale))


def _draw_row(
    pictures: Sequence[LabeledPicture], *, columns: int, width: int, height: int
) -> Image:
    labels = [_wrap(picture.lines, width) for picture in pictures]
    label_height = max(len(lines) for lines in labels) * _LINE + _MARGIN
    shape = (height + label_height + 2 * _MARGIN, columns * (width + _MARGIN) + _MARGIN, 3)
    row: Image = np.full(shape, 255, dtype=np.uint8)
    for column, (picture, lines) in enumerate(zip(pictures, labels, strict=True)):
        left = _MARGIN + column * (width + _MARGIN)
        _draw_picture(row[_MARGIN : _MARGIN + height, left : left + width], picture.image)
        color = _ALARM if picture.alarm else _INK
        for number, line in enumerate(lines, start=1):
            place = (left, 2 * _MARGIN + height + number * _LINE - 6)
            draw_text(row, line, place, size=_LETTERS, color=color)
    return row


def _draw_picture(place: Image, image: Image | None) -> None:
    if image is None:
        place[:] = _EMPTY
        return
    width, height = _fit(image, place.shape[1])
    top = place.shape[0] - height  # at the left and bottom: beside its label
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    place[top:, :width] = small


def _labeled(cell: SweepCell) -> LabeledPicture:
    lines = [f"{name} = {value}" for name, value in cell.settings]
    if cell.error is not None:
        lines.append(textwrap.shorten(f"failed: {cell.error}", 240))
    else:
        total = "" if cell.losses is None else f"total {cell.losses.total:.3g}, "
        lines.append(f"{total}{cell.seconds:.1f} s")
    return LabeledPicture(image=cell.image, lines=tuple(lines), alarm=cell.error is not None)


def _wrap(lines: Sequence[str], width: int) -> list[str]:
    """Break lines where they are too wide: after a separator if there is one, else anywhere."""
    wrapped = []
    for line in lines:
        rest = readable(line)
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
        if text_width(text[:count], _LETTERS) <= width:
            return count
    return 1
