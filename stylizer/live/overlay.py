"""What is written over a picture: pure drawing, on a copy.

Pictures are uint8 RGB (H, W, 3). Letters are white on a darkened ground, so that they can be read
on any picture; their size follows the picture's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from stylizer.frame import Image
from stylizer.io.text import draw_text, text_width

__all__ = ["Writing", "draw_writing"]

_Color = tuple[int, int, int]

_WHITE, _YELLOW, _RED = (255, 255, 255), (255, 220, 90), (255, 60, 50)

_HEIGHT = 0.042
"""Height of a line as a share of the picture's."""

_LEAST, _MOST = 9, 36
"""Bounds of a line's height, in pixels."""

_LETTERS = 0.78
"""Size of the letters as a share of the line's height."""

_ONE_COLUMN = 16
"""Pixels that each line of a table needs for there to be one column."""

_SHADE = 0.35
"""Brightness left under letters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """What to write, in any language; nothing is drawn for what is empty.

    Attributes:
      lines: at the top left.
      notices: at the bottom, in another color, the most important last.
      keys: pairs of a key and what it does, in the middle.
      recording: whether a red dot is at the top right.
      strip: names beside each other at the bottom, above the notices.
      chosen: which of them is marked.
    """

    lines: Sequence[str] = ()
    notices: Sequence[str] = ()
    keys: Sequence[tuple[str, str]] = ()
    recording: bool = False
    strip: Sequence[str] = ()
    chosen: int = 0


def draw_writing(image: Image, writing: Writing) -> Image:
    """Return a copy of a picture with something written over it.

    Args:
      image: uint8 RGB, (H, W, 3).
      writing: long lines are made to fit by smaller letters, then cut off by the border.

    Returns:
      uint8 RGB, (H, W, 3).
    """
    result = image.copy()
    if writing.lines and not writing.keys:  # the keys need all the room
        _draw_block(result, writing.lines, _WHITE, top=True)
    used = 0
    if writing.notices:
        used = _draw_block(result, writing.notices, _YELLOW, top=False)
    if writing.strip:
        _draw_strip(result, writing.strip, writing.chosen, above=used)
    if writing.keys:
        _draw_table(result, writing.keys)
    if writing.recording:
        height, width, _ = image.shape
        radius = max(3, round(0.02 * height))
        center = width - 2 * radius - 1, 2 * radius
        cv2.circle(result, center, radius + 2, (0, 0, 0), cv2.FILLED, cv2.LINE_AA)
        cv2.circle(result, center, radius, _RED, cv2.FILLED, cv2.LINE_AA)
    return result


def _draw_strip(image: Image, names: Sequence[str], chosen: int, *, above: int) -> None:
    """Write names into rows at the bottom, as many as fit beside each other."""
    height, width, _ = image.shape
    step = round(min(_MOST, max(_LEAST, _HEIGHT * height)))
    rows: list[list[tuple[int, str, int]]] = [[]]
    x = step // 2
    for number, name in enumerate(names):
        across = _width(name, step) + step
        if rows[-1] and x + across > width:
            rows.append([])
            x = step // 2
        rows[-1].append((x, name, number))
        x += across
    down = step * len(rows) + step // 2
    top = max(0, height - above - down)
    _shade(image, (0, top, width, min(height, top + down)))
    for place, row in enumerate(rows, 1):
        for x, name, number in row:
            color = _YELLOW if number == chosen else _WHITE
            _write(image, name, (x, top + place * step), step, color)


def _draw_block(image: Image, lines: Sequence[str], color: _Color, *, top: bool) -> int:
    """Write lines at the left; return the rows of pixels that are used."""
    height, width, _ = image.shape
    step = _line_height(lines, image)
    across = max(_width(line, step) for line in lines) + step
    down = step * len(lines) + step // 2
    y = 0 if top else max(0, height - down)
    _shade(image, (0, y, min(width, across), min(height, y + down)))
    for number, line in enumerate(lines, 1):
        _write(image, line, (step // 2, y + number * step), step, color)
    return int(height - y)


def _draw_table(image: Image, keys: Sequence[tuple[str, str]]) -> None:
    """Write the keys in the middle, in two columns where one would be of tiny letters."""
    height, width, _ = image.shape
    many = 2 if height < _ONE_COLUMN * (len(keys) + 1) else 1
    rows = -(-len(keys) // many)
    widest = max(keys, key=lambda key: _width(f"{key[0]}   {key[1]}", 100))
    step = _line_height([f"{widest[0]}   {widest[1]}   " * many], image, rows=rows + 1)
    left = max(_width(label, step) for label, _ in keys) + step
    column = left + max(_width(text, step) for _, text in keys) + step // 2
    across, down = min(width, many * column), min(height, step * rows + step // 2)
    x, y = (width - across) // 2, (height - down) // 2
    _shade(image, (x, y, x + across, y + down))
    for number, (label, text) in enumerate(keys):
        beside, below = divmod(number, rows)
        at, line = x + beside * column, y + (below + 1) * step
        _write(image, label, (at + step // 2, line), step, _YELLOW)
        _write(image, text, (at + left, line), step, _WHITE)


def _line_height(lines: Sequence[str], image: Image, *, rows: int = 0) -> int:
    """Return pixels a line: by the picture's height, less where the lines would not fit."""
    height, width, _ = image.shape
    step: float = min(_MOST, max(_LEAST, _HEIGHT * height))
    if rows:
        step = min(step, height / rows)
    widest = max(_width(line, 100) for line in lines) / 100
    step = max(_LEAST, min(step, width / (widest + 1)))
    return round(step)


def _width(text: str, step: int) -> int:
    return text_width(text, _LETTERS * step)


def _write(image: Image, text: str, at: tuple[int, int], step: int, color: _Color) -> None:
    draw_text(image, text, at, size=_LETTERS * step, color=color)


def _shade(image: Image, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    part = image[top:bottom, left:right]
    if part.size:
        part[:] = np.asarray(cv2.convertScaleAbs(part, alpha=_SHADE), np.uint8)
