"""Writing on pictures, whatever the language: file names and styles keep their accents and signs.

OpenCV 5 brings its letters along (Rubik, and WenQuanYi Micro Hei for Chinese, Japanese and Korean),
turns Arabic and Hebrew the right way round, and draws a line in a hundredth of a millisecond, so
that nothing needs to be kept. Tried beside it: Pillow's ImageDraw takes ten times as long, and
needs a font to be found first. What these letters lack (Devanagari, Thai, emoji) is written in
Latin ones.
"""

from __future__ import annotations

import logging
import unicodedata
from functools import cache, lru_cache

import cv2
import numpy as np

from stylizer.frame import Image

__all__ = ["draw_text", "readable", "text_width"]

_log = logging.getLogger(__name__)

_WEIGHT = 450
"""Of the letters: 400 is a book's, a little thin for a few pixels on a moving picture."""


def draw_text(
    image: Image,
    text: str,
    at: tuple[int, int],
    *,
    size: float,
    color: tuple[int, int, int],
) -> None:
    """Write one line on a picture, in place; what is outside of it is cut off.

    Args:
      image: uint8 RGB, (H, W, 3).
      text: of any language.
      at: (x, y) of the left end of the line that the letters stand on, in pixels.
      size: of the letters, in pixels; capitals are 0.7 of it high.
      color: RGB.
    """
    cv2.putText(image, readable(text), at, color, _face(), round(size), weight=_WEIGHT)


def text_width(text: str, size: float) -> int:
    """Return how many pixels wide `draw_text` writes a line."""
    line = readable(text)
    if not line:
        return 0
    _, _, width, _ = cv2.getTextSize((0, 0), line, (0, 0), _face(), round(size), _WEIGHT)
    return int(width)


@lru_cache(maxsize=512)
def readable(text: str) -> str:
    """Return one line as it can be written: signs without a letter here in Latin ones.

    The log says so once for each text. Control characters, and bytes of a file's name that are no
    text, become blanks and question marks.
    """
    # A lone surrogate, as such bytes are told in Python, would end the process inside OpenCV.
    text = text.encode("utf-8", "replace").decode()
    text = "".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in text)
    if text.isascii() or not (lacking := {sign for sign in text if not _has_letter(sign)}):
        return text
    latin = "".join(_latin(sign) if sign in lacking else sign for sign in text)
    _log.warning("%s: there are no letters here to write it with; written as %s", text, latin)
    return latin


def _latin(sign: str) -> str:
    from anyascii import anyascii  # seldom needed

    joins = unicodedata.category(sign).startswith(("M", "C"))  # sounds nothing by itself
    return anyascii(sign) or ("" if joins else "?")


@cache
def _face() -> cv2.FontFace:
    return cv2.FontFace("sans")


@lru_cache(maxsize=4096)
def _has_letter(sign: str) -> bool:
    """Whether a sign is drawn as itself: OpenCV draws a question mark where it has no letter."""
    return sign == "?" or not np.array_equal(_drawn(sign), _drawn("?"))


def _drawn(sign: str) -> Image:
    """Draw a sign after a letter, which marks that combine stand on."""
    image = np.zeros((40, 80, 3), np.uint8)
    cv2.putText(image, f"a{sign}", (8, 30), (255, 255, 255), _face(), 24, weight=_WEIGHT)
    return image
