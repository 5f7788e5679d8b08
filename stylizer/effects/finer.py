"""Finer strokes where it counts: for people, along contours, and where there is most detail.

A stroke that is as broad as a hand leaves a crowd without hands, glasses without rims, and a lion
without eyes. So a still is painted once more in finer strokes, and that is taken for small people
and the heads of large ones, for what else the network that finds people takes a picture to be of,
along contours, and where there is more detail than elsewhere; the clothes of a large person would
but become a grain. That strokes are finer where a broad one would lose something
is the idea of Hertzmann 1998 ("Painterly rendering with curved brush strokes of multiple sizes"),
who tells it from the painting; here it is told from the source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, Protocol, get_args, runtime_checkable

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.base import find, load_states, save_states
from stylizer.effects.mask_memory import MaskMemory
from stylizer.effects.scale import PaintSmaller, still_detail
from stylizer.effects.underdrawing import find_contours
from stylizer.errors import ConfigError
from stylizer.faces.masks import draw_heads, rise, smooth
from stylizer.faces.people import PeopleFinder, Silhouettes
from stylizer.faces.tracker import TrackedFace
from stylizer.frame import Frame, Image
from stylizer.protocols import Effect, State, Stylizer
from stylizer.styles.load import AnyStyle

__all__ = [
    "AT_DETAIL",
    "EnlargeFiner",
    "Finer",
    "FinerStrokes",
    "check_finer",
    "finer_stroke",
    "finer_strokes",
    "usual_finer",
]

Mask = npt.NDArray[np.float32]

Finer = Literal["people", "all"]
"""What is painted in finer strokes: people alone, and what else a picture is of; or contours and
detail too."""

_WANTED = 85.0
"""Side of a face, in pixels of the painting, at which a body outlasts the strokes."""

AT_DETAIL = 0.55
"""Factor of the breadth of strokes for contours and detail, where there are no small people."""

_FINEST, _SURELY, _WORTH = 0.4, 0.7, 0.8
"""Factors of the breadth of strokes: the least; the greatest that people surely need; and the
greatest that is worth painting again."""

_EDGE = 2.0
"""Deviation of the soft edge of people, in pixels of the painting."""

_AROUND, _GAIN, _LEAST = 6.0, 4.0, 0.1
"""Deviation, in pixels of the painting, of what is taken around a contour; and what makes its
middle whole, and leaves out what is of no length."""

_SMALL, _TOGETHER = 2.5, 10.0
"""Deviations of Gaussians, in pixels of the painting: of what is smaller than its strokes; and of
what is taken together."""

_MUCH, _MORE = (3.0, 8.0), (1.1, 1.6)
"""Where strokes begin to be finer, and where they are wholly so: gray levels of detail, and by how
much more it is than in the whole picture. Asphalt, leaves and walls that fill one stay bold."""

_FULL = 12.0
"""Gray levels of a whole picture's detail that count at most: what is full of things has many
subjects."""

_ALIKE, _OTHER, _STEEPER, _NEARBY = 4.0, 34.0, 7.0, 2.0
"""Gray levels by which two paintings differ up to which they pass softly into each other, and from
which on they do so the last but one as steeply: half of one stroke and half of another one are a
ghost. And the deviation, in pixels of the painting, of what is taken together for that."""

_CALM = 0.7
"""Share of the last frame's masks in those of a frame that follows on it."""

_LITTLE = 0.02
"""Where it is less everywhere, nothing is painted again."""

_STRIDE = 8
_ROWS = 256
"""Rows that are mixed at once: of a very large picture all would take half a gigabyte."""


def check_finer(finer: Finer | None) -> None:
    """Make sure that what is painted in finer strokes is None or one of `Finer`.

    Raises:
      ConfigError: it is not.
    """
    if finer not in (None, *get_args(Finer)):
        known = " or ".join(get_args(Finer))
        raise ConfigError(f"finer: expected None, {known}, got {finer!r}")


def usual_finer(styles: Sequence[AnyStyle]) -> Finer:
    """Return what is painted in finer strokes in such styles, where nobody says what is."""
    return "all" if still_detail(styles) > 0 else "people"


@runtime_checkable
class _Remembering(Protocol):
    """What paints and remembers earlier frames."""

    def reset(self) -> None: ...


class FinerStrokes:
    """Paints people, contours and detail in finer strokes; a `stylizer.protocols.Resumable`.

    It remembers what ``paint`` does, and where people and the rest were.
    """

    def __init__(
        self,
        paint: Callable[[Frame, tuple[int, int]], Image],
        *,
        find_people: Callable[[Frame, Sequence[TrackedFace]], Silhouettes] | None = None,
        detail: bool = True,
        moving: bool = False,
    ) -> None:
        """Paint with ``paint``.

        Args:
          paint: returns a frame, painted at a size of (width, height), at its own size: uint8 RGB
            (H, W, 3).
          find_people: says where they are in a frame with such faces; None for what the
            package's network finds.
          detail: whether contours and detail are painted so, not people alone.
          moving: whether frames follow on each other: strokes are always as fine then, and where
            they are changes calmly.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: the network is missing or damaged.
        """
        self._paint, self._find_people = paint, find_people or PeopleFinder()
        self._detail, self._moving = detail, moving
        self._memory = MaskMemory(_CALM if moving else 0.0)

    def __call__(
        self, source: Frame, painting: Image, faces: Sequence[TrackedFace], *, scale: float
    ) -> Image:
        """Return a painting with finer strokes in it; itself where none are called for.

        Args:
          source: what was painted; it says where its parts are, if there are any.
          painting: uint8 RGB (H, W, 3), of the source's size.
          faces: of the source.
          scale: of the sides that it was painted at, by those of the source.
        """
        size = max(1, round(scale * source.size[0])), max(1, round(scale * source.size[1]))
        found = self._find_people(source, faces)
        small = [one.presence * _smallness(one, scale) for one in faces]
        large = [one.presence * (1 - _smallness(one, scale)) for one in faces]
        where = smooth(found.draw(size, small, whole=1 - max(large, default=0.0)), _EDGE)
        if self._detail:
            reduced = cv2.resize(source.image, size, interpolation=cv2.INTER_AREA)
            seen = np.asarray(reduced, np.uint8)
            for drawn in (_draw_contours(seen), _draw_detail(seen)):
                np.maximum(where, drawn, out=where)
        np.maximum(where, draw_heads(faces, size, scale=scale), out=where)
        if self._moving:
            where = self._memory(source, {"where": where})["where"]
        if where.max() < _LITTLE:
            return painting
        stroke = self.stroke(faces, scale=scale)
        sides = (round(side * scale / stroke / _STRIDE) for side in source.size)
        width, height = (_STRIDE * max(1, side) for side in sides)
        finer = self._paint(source, (width, height))
        if not self._moving:  # in a video, what is chosen changes more than what is averaged
            where = _choose(painting, finer, where)
        return _mix(painting, finer, where)

    def paints(self, one: TrackedFace, *, scale: float) -> float:
        """Return how surely a face is painted in finer strokes with all else, 0 to 1.

        A small one is not: it is painted by itself.

        Args:
          one: the face.
          scale: as of `__call__`.
        """
        return 1 - _smallness(one, scale)

    def stroke(self, faces: Sequence[TrackedFace], *, scale: float) -> float:
        """Return by which factor strokes are finer in a picture with these faces.

        Args:
          faces: all of them.
          scale: as of `__call__`.
        """
        if self._moving:
            return AT_DETAIL
        sides = [one.face.side * scale for one in faces if _smallness(one, scale) > 0]
        return finer_stroke(sides) if sides else AT_DETAIL

    def reset(self) -> None:
        """Forget earlier frames."""
        paint: object = self._paint
        if isinstance(paint, _Remembering):
            paint.reset()
        self._memory.reset()

    def save_state(self) -> State:
        """Return what is remembered of earlier frames."""
        return save_states({"paint": self._paint, "where": self._memory})

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        load_states({"paint": self._paint, "where": self._memory}, state)


class EnlargeFiner:
    """Brings paintings to the size of their sources, with finer strokes for detail; an effect.

    Where faces are kept, `stylizer.effects.faces.KeepFaces` does so, for people as well.
    """

    def __init__(self, enlarge: Effect, finer: FinerStrokes) -> None:
        """Enlarge with the one, and paint with the other."""
        self._enlarge, self._finer = enlarge, finer

    def reset(self) -> None:
        """Forget earlier frames."""
        self._finer.reset()

    def save_state(self) -> State:
        """Return what is remembered of earlier frames."""
        return self._finer.save_state()

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        self._finer.load_state(state)

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting at the source's size."""
        large, scale = self._enlarge(source, painted), painted.size[1] / source.size[1]
        told = replace(source, parts=painted.parts)
        return large.with_image(self._finer(told, large.image, (), scale=scale))


def finer_strokes(
    painter: Stylizer,
    enlarge: Callable[[Frame, tuple[int, int]], Image],
    *,
    detail: bool = True,
) -> FinerStrokes | None:
    """Return what paints in finer strokes as ``painter`` paints all; None where it cannot.

    Args:
      painter: one that has a `PaintSmaller`.
      enlarge: brings its painting to a size of (width, height).
      detail: as of `FinerStrokes`.
    """
    smaller = find(painter, PaintSmaller)
    if smaller is None:
        return None

    def paint(frame: Frame, size: tuple[int, int]) -> Image:
        painted = PaintSmaller(smaller.wrapped, size=size)(frame)
        return enlarge(painted, frame.size)

    return FinerStrokes(paint, detail=detail)


def finer_stroke(sides: Sequence[float]) -> float:
    """Return by which factor strokes are to be finer for people with faces of some sides.

    Args:
      sides: in pixels of the painting, one or more.
    """
    return min(max(float(np.median(sides)) / _WANTED, _FINEST), _WORTH)


def _smallness(one: TrackedFace, scale: float) -> float:
    """Return how surely the strokes of a painting at such a scale are too broad for a person.

    It comes and goes softly, as people come nearer and go.
    """
    share = one.face.side * scale / _WANTED
    return min(max((_WORTH - share) / (_WORTH - _SURELY), 0.0), 1.0)


def _draw_contours(image: Image) -> Mask:
    """Return where contours are, and a little around, (H, W), 0..1."""
    around = smooth(find_contours(image), _AROUND)
    return smooth(np.clip(np.float32(_GAIN) * around - np.float32(_LEAST), 0, 1), _AROUND / 2)


def _draw_detail(image: Image) -> Mask:
    """Return where there is more detail than in most of a picture, (H, W), 0..1."""
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)
    detail = smooth(np.abs(gray - smooth(gray, _SMALL)), _TOGETHER)
    usual = min(max(float(detail.mean()), 1e-6), _FULL)
    return rise(detail, _MUCH) * rise(detail / usual, _MORE)


def _choose(painting: Image, finer: Image, where: Mask) -> Mask:
    """Return where the finer painting is to be, with an edge that is steep where both differ."""
    size = where.shape[1], where.shape[0]
    small = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (painting, finer)]
    differ = cv2.transform(cv2.absdiff(*small), np.full((1, 3), 1 / 3, np.float32))
    unlike = rise(smooth(np.asarray(differ, np.float32), _NEARBY), (_ALIKE, _OTHER))
    steeper = (where - np.float32(0.5)) * (1 + np.float32(_STEEPER - 1) * unlike)
    return np.asarray(np.clip(steeper + np.float32(0.5), 0, 1), np.float32)


def _mix(painting: Image, finer: Image, where: Mask) -> Image:
    """Return a painting with another one where that is to be, of 0..1, at any size."""
    height, width, _ = painting.shape
    share = cv2.resize(np.rint(255 * where).astype(np.uint8), (width, height))
    mixed = np.empty_like(painting)
    for top in range(0, height, _ROWS):
        rows = slice(top, top + _ROWS)
        part = share[rows].astype(np.float32) / np.float32(255)
        cv2.blendLinear(finer[rows], painting[rows], part, 1 - part, dst=mixed[rows])
    return mixed
