"""Faces kept themselves: finer strokes where there is one, and more of the source at its features.

A stroke that is as broad as an eye paints the eye away. So a small face is cut out, enlarged,
painted by the same network, and laid back: there the strokes are finer. Beside the face its colors
at large come near to those of the painting around, as far as hair and head keep their outlines. A
large face outlasts the strokes that all else has, and keeps them; where the painting has finer ones
for it (`stylizer.effects.finer`), it gets its colors at large from what was painted by itself. At
eyes, brows, lips and nose, light and dark are those of the source, drawn more strongly, but for
very large faces; over the rest of the face they are as much so as it takes for the face to be seen,
in planes, as one who paints sees them, and specks of color are evened out as much. Lips and cheeks
are parted from the rest by color as they are in the source. What is cut out moves with the face, so
that strokes stay on it, and where the face shows what it showed a frame before, paint stays.

The idea that a portrait's structure is to be kept is that of Selim et al. 2016 ("Painting Style
Transfer for Head Portraits using Convolutional Neural Networks"); how it is done here is our own.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import cv2
import numpy as np

from stylizer.base import load_states, save_states
from stylizer.effects.cutting import (
    Matrix,
    Values,
    blend,
    brightness,
    covered,
    cut_out,
    cut_out_parts,
    lay_back,
    spread,
)
from stylizer.effects.face_light import FaceLight, draw_planes
from stylizer.effects.face_skin import follow_neck
from stylizer.effects.finer import FinerStrokes
from stylizer.effects.patch import Patch, load_patches, save_patches
from stylizer.effects.scale import enlarge_frame
from stylizer.errors import ConfigError
from stylizer.faces.masks import draw_bare_area, draw_features, draw_head, draw_neck, smooth
from stylizer.faces.tracker import FaceFinder, TrackedFace
from stylizer.frame import Frame, Image, check_image
from stylizer.protocols import State

__all__ = ["FaceMode", "FacesConfig", "KeepFaces", "PaintedFace"]

FaceMode = Literal["keep", "paint", "only"]
"""Faces stay themselves; are painted as all else is; or are all that is painted, and kept."""

_AROUND = 1.9
"""Side of what is cut out, by the face's."""

_STILL, _MOVING, _MANY, _FEW = 320, 256, 192, 3
"""The least of these for a still, for a face that moves, and for each of more than `_FEW`."""

_MOST_IN_STILL, _MOST = 40, 10
"""How many faces are kept: each takes as long as a small picture to paint."""

_FINER = 1.3
"""By how much strokes are finer than those around, at least, where faces are painted again."""

_LOST, _OUTLASTING = 80.0, 140.0
"""Sides of faces in pixels of the painting: up to the first they are painted again by themselves,
from the second on they outlast its strokes; between, they have a share of both."""

_ALIKE = 6.0
"""`Patch.alike` of faces where time is short."""

_SHOWN, _WHOLLY, _DRAWN_LESS, _LIT_LESS = 140.0, 240.0, 0.7, 0.65
"""Sides of faces in pixels of the painting: from the first on strokes show features by themselves,
from the second on so well that they are drawn, and lit as the source is, the last shares as
strongly. More would be a photo's teeth in a painting."""

_KEPT, _KEPT_OF_HUGE, _HUGE = 0.75, 0.6, (130.0, 230.0)
"""Shares that are kept of faces in finer strokes whose features these show, and of huge ones; sides
in pixels of the painting at which they begin to be huge, and at which they are."""

_TINTED, _TINT = 0.25, 0.4
"""Share of a face's side: beside the face, colors that vary over more are those of the painting, by
the second share; by more, the outline of hair and head would be lost."""

_LIT = 0.8
"""Share of the source's light and dark that a face gets which is painted by itself, of what one
gets that is not: its own paint shows it, and too much of it looks like a photo."""


@dataclass(frozen=True, kw_only=True)
class FacesConfig:
    """What is done to faces.

    Attributes:
      mode: ``"keep"``: they stay themselves; ``"paint"``: they are painted as all else is;
        ``"only"``: they are kept, and all else stays the source.
      strength: how much of them is kept, 0 (as painted) to 1.
      quick: whether faces in motion are painted in fewer pixels, as where there are many, half as
        often where they hardly change, and without drawing dots into strokes.
    """

    mode: FaceMode = "keep"
    strength: float = 1.0
    quick: bool = False

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if self.mode not in get_args(FaceMode):
            raise ConfigError(
                f"mode: expected one of {', '.join(get_args(FaceMode))}, got {self.mode!r}"
            )
        if not (math.isfinite(self.strength) and 0.0 <= self.strength <= 1.0):
            raise ConfigError(f"strength: expected 0..1, got {self.strength!r}")


@dataclass(frozen=True, kw_only=True)
class PaintedFace:
    """A face of a frame, cut out and painted.

    Attributes:
      face: where it is.
      matrix: (2, 3), from places in the frame to places in what was cut out.
      seen: the source there, uint8 RGB (side, side, 3).
      paint: float32 (side, side, 3); None where nothing paints, and where the face outlasts all.
      outlasts: how surely it outlasts the strokes of the painting, 0..1.
      shown: how surely its features do, 0..1.
      finer: how surely the painting has finer strokes there, 0..1.
      kept: share of what is to be kept of it that is laid into the painting.
    """

    face: TrackedFace
    matrix: Matrix
    seen: Image
    paint: Values | None
    outlasts: float
    shown: float
    finer: float = 0.0
    kept: float = 1.0


def _share(side: float, least: float, whole: float) -> float:
    return min(max((side - least) / (whole - least), 0.0), 1.0)


class KeepFaces:
    """Keeps faces in paintings; a `stylizer.protocols.Effect`.

    A painting that is smaller than its source is enlarged first.

    Attributes:
      finer: what paints in finer strokes then where it counts; None for nothing. May be changed
        between frames.
    """

    def __init__(
        self,
        finder: FaceFinder,
        *,
        paint: Callable[[Image], Image] | None,
        paint_in_parts: Callable[[Values, Image], Image] | None = None,
        strength: float = 1.0,
        memory: float = 0.0,
    ) -> None:
        """Keep the faces that ``finder`` finds.

        Args:
          finder: is reset with this.
          paint: paints a picture, uint8 RGB (H, W, 3), as frames are; None where that cannot be
            done, and then strokes are not finer.
          paint_in_parts: the same, given first where parts that have styles of their own are in the
            picture, as `Frame.parts`; None where there are none.
          strength: 0 to 1, as of `FacesConfig`.
          memory: 0 to 1: how much of the last frame's paint stays on a face that has not changed.
        """
        self._finder, self._paint, self._paint_in_parts = finder, paint, paint_in_parts
        self._patches: dict[int, Patch] = {}
        self.finer: FinerStrokes | None = None
        self.configure(strength=strength, memory=memory)

    def configure(
        self,
        *,
        strength: float,
        memory: float,
        quick: bool = False,
        enlarge: Callable[[Frame, tuple[int, int]], Image] = enlarge_frame,
        follows_all: bool = False,
    ) -> None:
        """Go on with others, and enlarge by another function; between two frames.

        With ``follows_all``, faces are found in frames that are not painted too, for who asks.
        """
        self._strength, self._memory = strength, 0.85 * memory
        self._finder.most = _MOST_IN_STILL if memory == 0 else _MOST
        self._quick = quick
        self._enlarge = enlarge
        self.carries = follows_all

    def reset(self) -> None:
        """Forget earlier frames; the finder's too."""
        self._finder.reset()
        self._patches.clear()
        if self.finer is not None:
            self.finer.reset()

    def save_state(self) -> State:
        """Return what is remembered of faces, the finder's too."""
        known = save_states({"finder": self._finder, "finer": self.finer})
        return {**known, **save_patches(self._patches)}

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        load_states({"finder": self._finder, "finer": self.finer}, state)
        self._patches = load_patches(state)

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting, at the source's size, with its faces kept.

        Raises:
          ConfigError: one is no uint8 RGB picture.
        """
        if painted.flow is not None:
            self._finder(source)
            return painted
        scale = check_image(painted.image).shape[0] / check_image(source.image).shape[0]
        faces = self.paint_faces(source, scale=scale, parts=painted.parts)
        return self.lay_faces(source, painted, faces)

    def paint_faces(
        self, source: Frame, *, scale: float, parts: Values | None = None
    ) -> Sequence[PaintedFace]:
        """Find the faces of a frame, and paint them: what does not need the painting around.

        Frames are to come in their order; those before may be laid meanwhile.

        Args:
          source: the frame.
          scale: of its painting's sides, by those of the frame.
          parts: of the painting, as `Frame.parts`, if it is there already.

        Raises:
          ConfigError: it is no uint8 RGB picture.
        """
        image, faces = check_image(source.image), self._finder(source)
        numbers = [one.number for one in faces]
        self._patches = {n: patch for n, patch in self._patches.items() if n in numbers}
        if self._strength == 0:
            return []
        moving = _MOVING if not self._quick and len(faces) <= _FEW else _MANY
        least, scale = _STILL if self._memory == 0 else moving, min(1.0, scale)
        found, patches = [], [self._place(one, scale, least=least) for one in faces]
        for one, patch in zip(faces, patches, strict=True):
            made = self._paint_face(image, one, patch, parts, scale)
            if made is not None and self.finer is not None:
                side, shown = one.face.side * scale, made.shown
                anew = self.finer.paints(one, scale=scale)
                fine = _share(side / self.finer.stroke(faces, scale=scale), _SHOWN, _WHOLLY)
                shown += anew * (fine - shown)
                less = 1 - _KEPT + _share(side, *_HUGE) * (_KEPT - _KEPT_OF_HUGE)
                made = replace(made, shown=shown, finer=anew, kept=1 - anew * shown * less)
            found.append(made)
        return [one for one in found if one is not None]

    def lay_faces(self, source: Frame, painted: Frame, faces: Sequence[PaintedFace]) -> Frame:
        """Return a painting, at the source's size, with what `paint_faces` gave laid into it.

        Raises:
          ConfigError: source or painting is no uint8 RGB picture.
        """
        image, made = check_image(source.image), check_image(painted.image)
        kept = self._enlarge(painted, source.size)
        if self.finer is not None:
            scale, told = made.shape[0] / image.shape[0], replace(source, parts=painted.parts)
            kept = self.finer(told, kept, [one.face for one in faces], scale=scale)
        if faces and kept is made:
            kept = made.copy()
        for one in faces[::-1]:  # the largest last: it is before the others
            self._lay(image, kept, one)
        return painted.with_image(kept)

    def _place(self, one: TrackedFace, scale: float, *, least: int) -> Patch:
        """Return where a face is cut out: near to where it was, if it has hardly moved."""
        center = np.asarray((one.face.box[:2] + one.face.box[2:]) / 2, np.float32)
        length = _AROUND * one.face.side
        patch = self._patches.setdefault(one.number, Patch(center=center, length=length))
        patch.alike = _ALIKE if self._quick else 0.0
        patch.follow(center, length, wanted=max(_FINER * length * scale, least))
        return patch

    def _paint_face(
        self, image: Image, one: TrackedFace, patch: Patch, parts: Values | None, scale: float
    ) -> PaintedFace | None:
        """Return a face as it is painted; None for one out of the frame, or where nothing is."""
        matrix = patch.matrix
        if covered(matrix, patch.side, image) is None:
            return None
        renewing, in_parts = self._paint, self._paint_in_parts
        if parts is not None:
            there = cut_out_parts(parts, matrix, patch.side, image)
            if there is None:
                return None
            if in_parts is not None:
                renewing = functools.partial(in_parts, there)
        seen = cut_out(image, matrix, patch.side, fine=not self._quick)
        painted = one.face.side * scale
        outlasts = _share(painted, _LOST, _OUTLASTING)
        paint = None
        if outlasts == 1:
            patch.forget()
        elif renewing is not None:
            paint = patch.renew(seen, renewing, memory=self._memory, quick=self._quick)
        shown = _share(painted, _SHOWN, _WHOLLY)
        return PaintedFace(
            face=one, matrix=matrix, seen=seen, paint=paint, outlasts=outlasts, shown=shown
        )

    def _lay(self, image: Image, kept: Image, face: PaintedFace) -> None:
        """Lay a face into the painting."""
        matrix, seen, paint = face.matrix, face.seen, face.paint
        zoom, side = float(matrix[0, 0]), len(seen)
        box = covered(matrix, side, kept)
        if box is None:
            return
        if zoom <= 1:
            around = cut_out(kept, matrix, side).astype(np.float32)
            fine, mask = self._mix(seen, around, paint, face, matrix)
            there, mask = lay_back(fine, matrix, box), lay_back(mask, matrix, box)
            left = 1.0 if paint is None else max(face.outlasts, face.finer)
            if left > 0:  # what the painting has of it gets back what it lost when it was cut out
                lost = cv2.subtract(kept[box], lay_back(around, matrix, box), dtype=cv2.CV_32F)
                there = np.asarray(cv2.scaleAdd(lost, left, there), np.float32)
            blend(kept[box], there, mask)
            return
        # a frame has fewer pixels than what was painted: all else is done in its own
        own = np.array([[1.0, 0, -box[1].start], [0, 1.0, -box[0].start]])
        around = kept[box].astype(np.float32)
        if paint is not None:
            paint = lay_back(smooth(paint, 0.35 * zoom) if zoom > 1.2 else paint, matrix, box)
        blend(kept[box], *self._mix(image[box], around, paint, face, own))

    def _mix(
        self,
        seen: Image,
        around: Values,
        paint: Values | None,
        face: PaintedFace,
        matrix: Matrix,
    ) -> tuple[Values, Values]:
        """Return what is laid into a painting, (h, w, 3), and how much of it, (h, w).

        Args:
          seen: the source, uint8 RGB (h, w, 3).
          around: the painting, (h, w, 3).
          paint: finer, (h, w, 3); None for none.
          face: the one that is laid.
          matrix: from places in the frame to places here.
        """
        one, outlasts = face.face, face.outlasts
        size, zoom = (seen.shape[1], seen.shape[0]), float(matrix[0, 0])
        height = one.face.side * zoom
        points = one.face.points * np.float32(zoom) + matrix[:, 2].astype(np.float32)
        area = draw_bare_area(points, size, side=height)
        features = draw_features(points, size, side=height)
        fine, head, needed = around, area, 1.0
        if paint is not None:
            tint = smooth(np.subtract(around, paint), _TINTED * height)
            head = draw_head(points, size, side=height)
            beside = spread(np.float32(_TINT) * (1 - area))
            fine = np.asarray(cv2.add(paint, cv2.multiply(beside, tint)), np.float32)
            fine = np.asarray(cv2.addWeighted(fine, 1 - outlasts, around, outlasts, 0), np.float32)
            if face.finer > 0:  # alone it is painted in richer colors than as one plane of many
                rich = cv2.scaleAdd(tint, outlasts - 1, around)
                mixed = cv2.addWeighted(fine, 1 - face.finer, rich, face.finer, 0)
                fine = np.asarray(mixed, np.float32)
            needed = _LIT + max(outlasts, face.finer) * (1 - _LIT)
        needed *= 1 - (1 - _LIT_LESS) * face.shown
        drawn = 1 - (1 - _DRAWN_LESS) * face.shown
        planes = draw_planes(brightness(seen), features, side=height, drawn=drawn)
        light = FaceLight(seen, fine, area, bright=planes)
        weight = light.weight(features, area, side=one.face.side, needed=needed)
        fine = light.mix(fine, weight, side=height)
        if self._memory == 0:  # what is seen of a neck comes and goes in a video
            neck = draw_neck(points, size, side=height)
            fine = follow_neck(fine, around, seen, area, neck)
        kept = self._strength * one.presence * face.kept
        return fine, np.float32(kept) * np.maximum(head, area)
