"""The pictures of a folder, and which of them no training may see."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

__all__ = [
    "HELD_OUT_TEXTURES",
    "TEXTURES",
    "is_held_out",
    "list_pictures",
    "read_pictures",
    "square",
]

Image = npt.NDArray[np.uint8]

TEXTURES = ("rr_", "rk_")
"""What the names of paintings with strong texture begin with."""

HELD_OUT_TEXTURES = 4
"""How many in ten of them are held out: the evaluation needs them."""


def is_held_out(path: Path, *, textures: int = 1) -> bool:
    """Say whether a picture is kept from training, by the checksum of its name: one in ten.

    Args:
      path: of the picture.
      textures: how many in ten of the few with strong texture.
    """
    share = textures if path.name.startswith(TEXTURES) else 1
    return zlib.crc32(path.name.encode()) % 10 < share


def list_pictures(folder: Path, *, held_out: bool, textures: int = 1) -> list[Path]:
    """Return the pictures of a folder, in order, that are held out or not."""
    return [
        path
        for path in sorted(folder.glob("*.jpg"))
        if is_held_out(path, textures=textures) == held_out
    ]


def read_pictures(paths: list[Path]) -> list[Image]:
    """Read pictures as uint8 RGB (H, W, 3); those that cannot be read are left out."""
    images = (cv2.imread(str(path)) for path in paths)
    return [np.ascontiguousarray(image[..., ::-1]) for image in images if image is not None]


def square(image: Image, side: int) -> Image:
    """Return the middle of a picture as a square of ``side`` pixels."""
    short = min(image.shape[:2])
    top, left = ((length - short) // 2 for length in image.shape[:2])
    middle = image[top : top + short, left : left + short]
    way = cv2.INTER_AREA if short > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(middle, (side, side), interpolation=way), np.uint8)
