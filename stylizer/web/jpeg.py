"""Live frames from clients, and pictures to them: JPEG, reduced to the size that is asked for.

Inside, a picture is uint8 RGB, (H, W, 3).
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image as pillow

from stylizer.frame import Image
from stylizer.io.resize import resize_image
from stylizer.size import Size
from stylizer.web.errors import ApiError

__all__ = [
    "BOMBS",
    "DAMAGED",
    "count_scans",
    "decode_frame",
    "encode_jpeg",
    "fit_within",
    "shrink",
    "shrink_to_pixels",
    "too_large",
]

DAMAGED = (OSError, SyntaxError, ValueError, EOFError, MemoryError, OverflowError)
"""What Pillow raises on damaged data, SyntaxError among it."""
BOMBS = (pillow.DecompressionBombError, pillow.DecompressionBombWarning)
"""What it raises on a picture of more pixels than it finds good."""

_MOST_SCANS = 12
"""Of a live frame: cameras and browsers write one, or ten of a progressive JPEG."""

_FOR_SLOW_LINES = 50
"""Quality up to which a picture gets codes of its own (Huffman): 4 to 17 % less at 320x180, in the
same time; large and fine ones would take twice as long."""

_LONGEST_FRAME = 4096
"""Pixels of a side of a live frame."""


def count_scans(data: bytes) -> int:
    """Return how many scans a JPEG has; a progressive one is decoded once for each.

    Their marker stands nowhere in coded data, at most in a thumbnail besides.
    """
    return data.count(b"\xff\xda")


def decode_frame(data: bytes, *, short_side: int) -> Image:
    """Decode a live frame, a JPEG, and reduce it.

    A frame that is much larger than what is asked for is decoded at a half, a quarter or an eighth,
    which JPEG allows, and costs less.

    Args:
      data: the JPEG.
      short_side: in pixels; smaller frames are not enlarged.

    Raises:
      ApiError: not a JPEG, damaged, cut off, or too large.
    """
    if count_scans(data) > _MOST_SCANS:
        raise ApiError(400, "bad_frame", f"expected a JPEG of at most {_MOST_SCANS} scans")
    try:
        with pillow.open(BytesIO(data), formats=("JPEG",)) as opened:
            width, height = opened.size
            if not 1 <= min(opened.size) <= max(opened.size) <= _LONGEST_FRAME:
                raise too_large(f"a frame of {width}x{height}", f"{_LONGEST_FRAME} a side")
            size = fit_within((width, height), short_side)
            opened.draft("RGB", size)
            image = np.array(opened.convert("RGB"))
    except (*DAMAGED, *BOMBS):
        raise ApiError(400, "bad_frame", "expected a whole JPEG picture") from None
    return resize_image(image, size)


def encode_jpeg(image: Image, *, quality: int = 85) -> bytes:
    """Write a picture as JPEG.

    Args:
      image: uint8 RGB, (H, W, 3).
      quality: 1 to 95.
    """
    buffer = BytesIO()
    pillow.fromarray(image).save(
        buffer, format="JPEG", quality=quality, optimize=quality <= _FOR_SLOW_LINES
    )
    return buffer.getvalue()


def shrink(image: Image, short_side: int) -> Image:
    """Reduce a picture to a short side, in pixels; a smaller one stays as it is."""
    size = fit_within((image.shape[1], image.shape[0]), short_side)
    return resize_image(image, size)


def shrink_to_pixels(image: Image, most_pixels: int) -> Image:
    """Reduce a picture to at most so many pixels; a smaller one stays as it is."""
    height, width, _ = image.shape
    scale = (most_pixels / (width * height)) ** 0.5
    if scale >= 1:
        return image
    return resize_image(image, (max(1, int(width * scale)), max(1, int(height * scale))))


def fit_within(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Return a (width, height), reduced to a short side where it is larger, in pixels."""
    return size if min(size) <= short_side else Size(short_side=short_side).fit(size)


def too_large(what: str, most: str) -> ApiError:
    """Return what a client is told whose picture is too large."""
    return ApiError(413, "too_large", f"{what}: expected at most {most}; make it smaller first")
