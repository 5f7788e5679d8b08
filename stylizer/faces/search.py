"""What faces and hands are both found and followed by: anchors, boxes, parts, calm points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stylizer.frame import Image

__all__ = ["Part", "calm", "distinct", "make_anchors", "overlap", "picture_parts"]

Points = npt.NDArray[np.float32]
Part = tuple[int, int, Image]
"""A part of a picture, after its left and top."""

_OVERLAP = 0.3
"""Share of the union from which on two boxes are of one thing."""

_QUIET = 0.02
"""Share of a thing's side: points that move by less than that are held back."""


def make_anchors(side: int, grids: Sequence[tuple[int, int]]) -> Points:
    """Return a detector's anchors (Liu et al. 2016, "SSD"), float32 (N, 2), in pixels.

    Args:
      side: of the network's picture, in pixels.
      grids: cells a side, and anchors a cell, of each grid.
    """
    found = []
    for cells, count in grids:
        places = (np.arange(cells) + 0.5) * (side / cells)
        grid = np.stack(np.meshgrid(places, places), -1).reshape(-1, 1, 2)
        found.append(np.repeat(grid, count, axis=1).reshape(-1, 2))
    return np.concatenate(found).astype(np.float32)


def distinct(boxes: Points) -> list[int]:
    """Return the numbers of boxes (N, 4) that no earlier one stands for."""
    kept: list[int] = []
    for index, box in enumerate(boxes):
        if (box[2:] > box[:2]).all() and all(
            overlap(box, boxes[other]) < _OVERLAP for other in kept
        ):
            kept.append(index)
    return kept


def overlap(one: Points, other: Points) -> float:
    """Return the intersection of two boxes over their union, 0..1."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    common = float(np.prod(np.maximum(sides, 0)))
    areas = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]))
    return common / max(areas - common, 1e-6)


def picture_parts(image: Image) -> list[Part]:
    """Return a picture, uint8 RGB (H, W, 3), and its overlapping quarters."""
    height, width, _ = image.shape
    wide, high = -(-width * 3 // 5), -(-height * 3 // 5)
    corners = [(x, y) for y in (0, height - high) for x in (0, width - wide)]
    quarters = [(x, y, image[y : y + high, x : x + wide]) for x, y in corners]
    return [(0, 0, image), *quarters]


def calm(before: Points, found: Points, *, side: float, by: Sequence[int] | None = None) -> Points:
    """Return points between those of the last frame and the new ones; quick ones are not held back.

    As the one-euro filter (Casiez et al. 2012) does, but by what all points do together, so that
    what they are of is not torn.

    Args:
      before: float32 (N, 2), in pixels.
      found: the same points in this frame.
      side: of what they are of, in pixels.
      by: the points whose median step counts; None for all.
    """
    steps = np.linalg.norm(found - before, axis=1)
    moved = float(np.median(steps if by is None else steps[list(by)])) / max(side, 1.0)
    share = np.clip(0.35 + moved / _QUIET, 0.0, 1.0)
    return np.asarray(before + share * (found - before), np.float32)
