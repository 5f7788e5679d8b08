"""What a window can show of a frame: painted, original, or both beside a line."""

from __future__ import annotations

from enum import Enum

import cv2
import numpy as np

from stylizer.frame import Image

__all__ = ["View", "compose"]


class View(Enum):
    """What the window shows; the key ``o`` goes from one to the next."""

    STYLIZED = "stylized"
    SPLIT = "split"
    ORIGINAL = "original"


def compose(original: Image, stylized: Image, *, view: View, split: float = 0.5) -> Image:
    """Return what a view shows; in the split the original is at the left of a white line.

    Args:
      original: uint8 RGB, (h, w, 3), of any size.
      stylized: uint8 RGB, (H, W, 3).
      view: of the two.
      split: where the line stands, 0 (at the left border) to 1.

    Returns:
      uint8 RGB, (H, W, 3).
    """
    if view is View.STYLIZED:
        return stylized
    height, width = stylized.shape[:2]
    if original.shape != stylized.shape:
        resized = cv2.resize(original, (width, height), interpolation=cv2.INTER_AREA)
        original = np.asarray(resized, np.uint8)
    if view is View.ORIGINAL:
        return original
    line = int(split * width)
    both = np.concatenate([original[:, :line], stylized[:, line:]], axis=1)
    both[:, max(0, line - 1) : line + 1] = 255
    return both
