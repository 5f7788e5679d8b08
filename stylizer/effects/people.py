"""Small people in finer strokes, as painters take a finer brush to them.

A stroke that is as broad as a hand leaves a crowd without hands, and a coat without its sleeves.
So where faces are small, the picture is painted once more in strokes that fit them, and that is
taken where their bodies are, about: below each face, as far as a body goes. That detail is painted
where it counts is the idea of Hertzmann 1998 ("Painterly rendering with curved brush strokes of
multiple sizes"), who tells it from the picture; here it is told from faces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.base import find
from stylizer.effects.scale import PaintSmaller
from stylizer.faces.masks import smooth
from stylizer.faces.tracker import TrackedFace
from stylizer.frame import Frame, Image
from stylizer.protocols import Dividing, Stylizer

__all__ = ["FinerPeople", "finer_people", "finer_stroke"]

Mask = npt.NDArray[np.float32]

_WANTED = 85.0
"""Side of a face, in pixels of the painting, at which a body outlasts the strokes."""

_FINEST, _WORTH = 0.4, 0.8
"""Factors of the breadth of strokes: the least, and the greatest that is worth painting again."""

_DOWN, _WIDE, _HIGH, _SOFT = 2.6, 1.55, 3.9, 0.35
"""A body by the side of its face: how far below the face its middle is, half of its breadth and of
its height, and the deviation of its soft edge."""

_STRIDE = 8
_COARSE = 4
"""Pixels of the picture, across and down, for one of where people are."""


class FinerPeople:
    """Paints small people in finer strokes."""

    def __init__(self, paint: Callable[[Frame, tuple[int, int]], Image]) -> None:
        """Paint with ``paint``.

        Args:
          paint: returns a frame, painted at a size of (width, height), at its own size: uint8 RGB
            (H, W, 3).
        """
        self._paint = paint

    def __call__(
        self, source: Frame, painting: Image, faces: Sequence[TrackedFace], *, scale: float
    ) -> Image:
        """Return a painting with its small people painted anew; itself where there are none.

        Args:
          source: what was painted.
          painting: uint8 RGB (H, W, 3), of the source's size.
          faces: of the source.
          scale: of the sides that it was painted at, by those of the source.
        """
        small = [one for one in faces if one.face.side * scale < _WORTH * _WANTED]
        if not small:
            return painting
        stroke = finer_stroke([one.face.side * scale for one in small])
        width, height = (_STRIDE * round(side * scale / stroke / _STRIDE) for side in source.size)
        finer = self._paint(source, (width, height))
        where = _draw_people(small, source.size)
        return np.asarray(cv2.blendLinear(finer, painting, where, 1 - where), np.uint8)


def finer_people(
    painter: Stylizer, enlarge: Callable[[Image, tuple[int, int]], Image]
) -> FinerPeople | None:
    """Return what paints small people as ``painter`` paints all; None where it cannot.

    Args:
      painter: one that has a `PaintSmaller`, and no styles for parts of the picture.
      enlarge: brings its painting to a size of (width, height).
    """
    smaller, dividing = find(painter, PaintSmaller), find(painter, Dividing)
    if smaller is None or (dividing is not None and dividing.divides):
        return None

    def paint(frame: Frame, size: tuple[int, int]) -> Image:
        painted = PaintSmaller(smaller.wrapped, size=size)(frame)
        return enlarge(painted.image, frame.size)

    return FinerPeople(paint)


def finer_stroke(sides: Sequence[float]) -> float:
    """Return by which factor strokes are to be finer for people with faces of some sides.

    Args:
      sides: in pixels of the painting, one or more.
    """
    return min(max(float(np.median(sides)) / _WANTED, _FINEST), _WORTH)


def _draw_people(faces: Sequence[TrackedFace], size: tuple[int, int]) -> Mask:
    """Return where people are, about, by their faces: (H, W), 0..1, with a soft edge."""
    width, height = (-(-side // _COARSE) for side in size)
    whole = np.zeros((height, width), np.float32)
    for one in faces:
        side = one.face.side / _COARSE
        middle = (one.face.box[:2] + one.face.box[2:]) / 2 / _COARSE
        down = _body_direction(one)
        center = middle + _DOWN * side * down
        turn = float(np.degrees(np.arctan2(down[1], down[0])))
        body = np.zeros_like(whole)
        axes = round(_HIGH * side), round(_WIDE * side)
        at = round(float(center[0])), round(float(center[1]))
        cv2.ellipse(body, at, axes, turn, 0, 360, one.presence, cv2.FILLED)
        np.maximum(whole, smooth(body, _SOFT * side), out=whole)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _body_direction(one: TrackedFace) -> npt.NDArray[np.float64]:
    """Return where a body lies from its face: downwards, and as the face is turned; of length 1."""
    down = np.asarray(one.face.points[152] - one.face.points[10], np.float64)  # forehead to chin
    down = down / max(float(np.linalg.norm(down)), 1e-6) + (0.0, 1.0)
    length = float(np.linalg.norm(down))
    return down / length if length > 0.2 else np.array([0.0, 1.0])
