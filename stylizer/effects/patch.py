"""What is cut out around a face or a hand to be painted by itself: its place, its paint so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

import cv2
import numpy as np

from stylizer.base import find
from stylizer.effects.cutting import Matrix, Values, brightness, spread
from stylizer.effects.strokes import smooth_strokes
from stylizer.faces.masks import smooth
from stylizer.frame import Image
from stylizer.protocols import PartsPatchPainter, PatchPainter, State, Stylizer

__all__ = ["Patch", "PatchPainters", "load_patches", "patch_painters", "save_patches"]

_SIDES = (192, 256, 320, 448, 640)
"""Sides that what is cut out is painted at, in pixels: few, since a network is compiled for each.
At 320 a face is 168 pixels high, and an eye 35 wide: it outlasts all styles tried."""

_LINES, _PLANES = 0.006, 0.037
"""Deviations of Gaussians, as shares of what is cut out: of the features that are drawn, and of the
planes that they lie in."""

_DARKER, _LIGHTER = 1.0, 0.4
"""How many times what is darker than its plane is drawn once more, and what is lighter."""

_CHANGED = 16.0
"""Gray levels by which a place must differ from the last frame for nothing of it to be kept."""

_CALM = 0.01
"""Share of its side by which what is cut out may lag behind what it is of."""


class PatchPainters(TypedDict):
    """What paints what is cut out: of one style, and of styles for parts; None where nothing does.

    Attributes:
      paint: as of a `stylizer.protocols.PatchPainter`.
      paint_in_parts: as of a `stylizer.protocols.PartsPatchPainter`.
    """

    paint: Callable[[Image], Image] | None
    paint_in_parts: Callable[[Values, Image], Image] | None


def patch_painters(stylizer: Stylizer) -> PatchPainters:
    """Return what of a stylizer paints what is cut out."""
    painter, divided = find(stylizer, PatchPainter), find(stylizer, PartsPatchPainter)
    return {
        "paint": None if painter is None else painter.paint_patch,
        "paint_in_parts": None if divided is None else divided.paint_patch_in_parts,
    }


@dataclass(kw_only=True)
class Patch:
    """What is cut out around a face or a hand, and how it was painted in the last frame.

    Attributes:
      center: (x, y) in pixels of the frame.
      length: of its side in pixels of the frame.
      side: in pixels of its own; 0 before it is known.
      source: brightness, float32 (side, side); None before the first.
      painted: float32 (side, side, 3).
      fresh: whether it was painted for the last frame, not for the one before.
      alike: gray levels, on average, by which what is cut out may differ from the last frame for
        the paint of that to do for one frame more; 0 for it to be painted every time.
    """

    center: Values
    length: float
    side: int = 0
    source: Values | None = None
    painted: Values | None = None
    fresh: bool = False
    alike: float = 0.0

    @property
    def matrix(self) -> Matrix:
        """What maps places in the frame to places in what is cut out, (2, 3)."""
        zoom = self.side / self.length
        shift = self.side / 2 - zoom * self.center.astype(np.float64)
        return np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])

    def save_state(self) -> State:
        """Return where it is, and its paint."""
        state = {"place": np.array([*self.center, self.length, self.side, self.fresh])}
        if self.source is not None and self.painted is not None:
            state |= {"source": self.source, "painted": self.painted}
        return state

    def follow(self, center: Values, length: float, *, wanted: float) -> None:
        """Move to where it is now, or near to it, if it has hardly moved.

        Args:
          center: (x, y) in pixels of the frame.
          length: in pixels of the frame.
          wanted: the least side in pixels of its own.
        """
        step = np.array([*(center - self.center), length - self.length], np.float32)
        moved = float(np.abs(step).max())
        step *= min(1.0, max(0.2, 1 - _CALM * length / max(moved, 1e-6)))
        self.center, self.length = self.center + step[:2], float(self.length + step[2])
        fitting = next((side for side in _SIDES if side >= wanted), _SIDES[-1])
        if fitting > self.side or wanted <= 0.75 * self.side:
            self.side = fitting

    def renew(
        self, seen: Image, paint: Callable[[Image], Image], *, memory: float, quick: bool
    ) -> Values:
        """Return its paint: new, and what stays of the old where nothing has changed.

        Args:
          seen: the source there, uint8 RGB (side, side, 3).
          paint: paints it.
          memory: 0 to 1: how much stays.
          quick: whether dots stay dots.

        Returns:
          float32, (side, side, 3).
        """
        if memory == 0:
            return _paint_anew(seen, paint, quick=quick)
        bright = brightness(seen)
        if self.source is None or self.painted is None:
            fine = _paint_anew(seen, paint, quick=quick)
        else:
            size = (self.side, self.side)
            before, old = (
                one if one.shape[:2] == size else cv2.resize(one, size)
                for one in (self.source, self.painted)
            )
            change = cv2.absdiff(bright, before)
            if self.alike > 0 and self.fresh and cv2.mean(change)[0] < self.alike:
                self.fresh = False
                return np.asarray(old, np.float32)
            change = np.asarray(cv2.blur(change, (7, 7)), np.float32) / np.float32(_CHANGED)
            stays = np.float32(memory) * np.clip(1 - change, 0, 1)
            fresh = _paint_anew(seen, paint, quick=quick)
            fine = np.asarray(cv2.blendLinear(fresh, old, 1 - stays, stays), np.float32)
        self.source, self.painted, self.fresh = bright, fine, True
        return fine

    def forget(self) -> None:
        """Forget the paint."""
        self.source = self.painted = None


def save_patches(patches: Mapping[int, Patch]) -> State:
    """Return what is remembered of several, by their numbers, as one state."""
    return {
        f"{number}/{name}": value
        for number, patch in patches.items()
        for name, value in patch.save_state().items()
    }


def load_patches(state: State) -> dict[int, Patch]:
    """Return what `save_patches` gave, which may be among other entries."""
    patches: dict[int, Patch] = {}
    for name in state:
        number, _, kind = name.partition("/")
        if kind == "place" and number.isdecimal():
            x, y, length, side, fresh = (float(one) for one in state[name])
            center = np.array([x, y], np.float32)
            patches[int(number)] = Patch(
                center=center,
                length=length,
                side=int(side),
                fresh=bool(fresh),
                source=state.get(f"{number}/source"),
                painted=state.get(f"{number}/painted"),
            )
    return patches


def _paint_anew(seen: Image, paint: Callable[[Image], Image], *, quick: bool) -> Values:
    """Return it painted, with its dots drawn into strokes, as frames', if there is time."""
    return smooth_strokes(paint(_draw_features(seen)), 0.0 if quick else 1.0).astype(np.float32)


def _draw_features(seen: Image) -> Image:
    """Return a face with its eyes, brows, nose and lips drawn more strongly, as they are painted.

    What a pixel's brightness differs from that of its plane is added, as in unsharp masking, to the
    dark more than to the light: painters draw with the dark.
    """
    side = len(seen)
    bright = brightness(seen)
    lines = smooth(bright, _LINES * side) - smooth(bright, _PLANES * side)
    lines *= np.where(lines < 0, np.float32(_DARKER), np.float32(_LIGHTER))
    return np.asarray(cv2.add(seen, spread(lines), dtype=cv2.CV_8U), np.uint8)
