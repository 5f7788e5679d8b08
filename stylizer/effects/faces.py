"""Faces kept themselves: finer strokes where there is one, and more of the source at its features.

A stroke that is as broad as an eye paints the eye away. So each face is cut out, enlarged, painted
by the same network, and laid back: there the strokes are finer. Beside the face its colors at large
are those of the painting around, so that there is no seam. At eyes, brows, lips and nose, light and
dark are those of the source; over the rest of the face as much so as it takes for the face to be
seen, and specks of color are evened out as much. What is cut out moves with the face, so that
strokes stay on it, and where the face shows what it showed a frame before, paint stays.

The idea that a portrait's structure is to be kept is that of Selim et al. 2016 ("Painting Style
Transfer for Head Portraits using Convolutional Neural Networks"); how it is done here is our own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.effects.face_light import FaceLight
from stylizer.effects.scale import enlarge
from stylizer.errors import ConfigError
from stylizer.faces.masks import draw_area, draw_faces, draw_features, draw_head, smooth
from stylizer.faces.tracker import FaceFinder, TrackedFace
from stylizer.frame import Frame, Image, check_image, mix_images
from stylizer.protocols import State

__all__ = ["FaceMode", "FacesConfig", "KeepFaces", "OnlyFaces"]

FaceMode = Literal["keep", "paint", "only"]
"""Faces stay themselves; are painted as all else is; or are all that is painted, and kept."""

Values = npt.NDArray[np.float32]
_Box = tuple[slice, slice]

_AROUND = 1.9
"""Side of what is cut out, by the face's."""

_SIDES = (192, 256, 320, 448, 640)
"""Sides that what is cut out is painted at, in pixels: few, since a network is compiled for each.
At 320 a face is 168 pixels high, and an eye 35 wide: it outlasts all styles tried."""

_STILL, _MOVING, _MANY = 320, 256, 192
"""The least of these for a still, for a face that moves, and for each of more than `_FEW`."""

_FEW = 3

_FINER = 1.3
"""By how much strokes on large faces are finer than those around, at least."""

_TINTED = 0.25
"""Share of a face's side: beside the face, colors that vary over more are those of the painting."""

_CHANGED = 16.0
"""Gray levels by which a place must differ from the last frame for nothing of it to be kept."""

_CALM = 0.01
"""Share of its side by which what is cut out may lag behind its face."""


@dataclass(frozen=True, kw_only=True)
class FacesConfig:
    """What is done to faces.

    Attributes:
      mode: ``"keep"``: they stay themselves; ``"paint"``: they are painted as all else is;
        ``"only"``: they are kept, and all else stays the source.
      strength: how much of them is kept, 0 (as painted) to 1.
      quick: whether faces in motion are painted in fewer pixels, as where there are many.
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


@dataclass(kw_only=True)
class _Patch:
    """What is cut out around a face, and how it was painted in the last frame.

    Attributes:
      center: (x, y) in pixels of the frame.
      length: of its side in pixels of the frame.
      side: in pixels of its own.
      source: brightness, float32 (side, side); None before the first.
      painted: float32 (side, side, 3).
    """

    center: Values
    length: float
    side: int
    source: Values | None = None
    painted: Values | None = None


class KeepFaces:
    """Keeps faces in paintings; a `stylizer.protocols.Effect`.

    A painting that is smaller than its source is enlarged first.
    """

    def __init__(
        self,
        finder: FaceFinder,
        *,
        paint: Callable[[Image], Image] | None,
        strength: float = 1.0,
        memory: float = 0.0,
    ) -> None:
        """Keep the faces that ``finder`` finds.

        Args:
          finder: is reset with this.
          paint: paints a picture, uint8 RGB (H, W, 3), as frames are; None where that cannot be
            done, and then strokes are not finer.
          strength: 0 to 1, as of `FacesConfig`.
          memory: 0 to 1: how much of the last frame's paint stays on a face that has not changed.
        """
        self._finder, self._paint = finder, paint
        self._patches: dict[int, _Patch] = {}
        self.configure(strength=strength, memory=memory)

    def configure(
        self,
        *,
        strength: float,
        memory: float,
        quick: bool = False,
        enlarge: Callable[[Image, tuple[int, int]], Image] = enlarge,
    ) -> None:
        """Go on with others, and enlarge by another function; between two frames."""
        self._strength, self._memory = strength, 0.85 * memory
        self._most_fine = 0 if quick else _FEW
        self._enlarge = enlarge

    def reset(self) -> None:
        """Forget earlier frames; the finder's too."""
        self._finder.reset()
        self._patches.clear()

    def save_state(self) -> State:
        """Return what is remembered of faces, the finder's too."""
        state = {f"finder/{name}": value for name, value in self._finder.save_state().items()}
        for number, patch in self._patches.items():
            state[f"{number}/place"] = np.array([*patch.center, patch.length, patch.side])
            if patch.source is not None and patch.painted is not None:
                state |= {f"{number}/source": patch.source, f"{number}/painted": patch.painted}
        return state

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        own = {name[7:]: value for name, value in state.items() if name.startswith("finder/")}
        self._finder.load_state(own)
        self._patches = {}
        for name in state:
            number, _, kind = name.partition("/")
            if kind == "place" and number != "finder":
                x, y, length, side = (float(one) for one in state[name])
                self._patches[int(number)] = _Patch(
                    center=np.array([x, y], np.float32),
                    length=length,
                    side=int(side),
                    source=state.get(f"{number}/source"),
                    painted=state.get(f"{number}/painted"),
                )

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting, at the source's size, with its faces kept.

        Raises:
          ConfigError: one is no uint8 RGB picture.
        """
        image = check_image(source.image)
        faces = self._finder(source)
        self._patches = {
            one.number: self._patches[one.number] for one in faces if one.number in self._patches
        }
        scale = min(1.0, painted.image.shape[0] / image.shape[0])
        whole = self._enlarge(check_image(painted.image), source.size)
        if not faces or self._strength == 0:
            return painted.with_image(whole)
        moving = _MOVING if len(faces) <= self._most_fine else _MANY
        least = _STILL if self._memory == 0 else moving
        kept = whole.copy() if whole is painted.image else whole
        for one in faces[::-1]:  # the largest last: it is before the others
            patch = self._place(one, scale, least=least)
            self._lay(image, kept, one, patch)
        return painted.with_image(kept)

    def _place(self, one: TrackedFace, scale: float, *, least: int) -> _Patch:
        """Return where a face is cut out: near to where it was, if it has hardly moved."""
        center = np.asarray((one.face.box[:2] + one.face.box[2:]) / 2, np.float32)
        length = _AROUND * one.face.side
        wanted = max(_FINER * length * scale, least)
        fitting = next((side for side in _SIDES if side >= wanted), _SIDES[-1])
        patch = self._patches.get(one.number)
        if patch is None:
            patch = _Patch(center=center, length=length, side=fitting)
            self._patches[one.number] = patch
            return patch
        step = np.array([*(center - patch.center), length - patch.length], np.float32)
        moved = float(np.abs(step).max())
        step *= min(1.0, max(0.2, 1 - _CALM * length / max(moved, 1e-6)))
        patch.center, patch.length = patch.center + step[:2], float(patch.length + step[2])
        if fitting > patch.side or wanted <= 0.75 * patch.side:
            patch.side = fitting
        return patch

    def _lay(self, image: Image, kept: Image, one: TrackedFace, patch: _Patch) -> None:
        """Paint a face anew, and lay it into the painting."""
        zoom = patch.side / patch.length
        shift = patch.side / 2 - zoom * patch.center.astype(np.float64)
        matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
        box = _covered(matrix, patch.side, kept)
        if box is None:
            return
        seen = _cut(image, matrix, patch.side)
        bright = _brightness(seen)
        paint = None if self._paint is None else self._stay(patch, bright, self._paint(seen))
        if zoom <= 1:
            around = _cut(kept, matrix, patch.side).astype(np.float32)
            fine, mask = self._mix(bright, around, paint, one, matrix)
            _blend(kept[box], *(_back(values, matrix, box) for values in (fine, mask)))
            return
        # a frame has fewer pixels than what was painted: all else is done in its own
        own = np.array([[1.0, 0, -box[1].start], [0, 1.0, -box[0].start]])
        around = kept[box].astype(np.float32)
        if paint is not None:
            paint = _back(smooth(paint, 0.35 * zoom) if zoom > 1.2 else paint, matrix, box)
        _blend(kept[box], *self._mix(_brightness(image[box]), around, paint, one, own))

    def _mix(
        self,
        bright: Values,
        around: Values,
        paint: Values | None,
        one: TrackedFace,
        matrix: npt.NDArray[np.float64],
    ) -> tuple[Values, Values]:
        """Return what is laid into a painting, (h, w, 3), and how much of it, (h, w).

        Args:
          bright: brightness of the source, (h, w).
          around: the painting, (h, w, 3).
          paint: finer, (h, w, 3); None for none.
          one: the face.
          matrix: from places in the frame to places here.
        """
        size, zoom = (bright.shape[1], bright.shape[0]), float(matrix[0, 0])
        height = one.face.side * zoom
        points = one.face.points * np.float32(zoom) + matrix[:, 2].astype(np.float32)
        area = draw_area(points, size, side=height)
        features = draw_features(points, size, side=height)
        fine, head = around, area
        if paint is not None:
            fine = paint + (1 - area[..., None]) * smooth(around - paint, _TINTED * height)
            head = draw_head(points, size, side=height)
        light = FaceLight(bright, fine, area)
        fine = light.mix(fine, light.weight(features, area, side=one.face.side), side=height)
        return fine, np.float32(self._strength * one.presence) * np.maximum(head, area)

    def _stay(self, patch: _Patch, bright: Values, painted: Image) -> Values:
        """Return new paint, and what stays of the old where the face has not changed."""
        fine = painted.astype(np.float32)
        if self._memory > 0:
            if patch.source is not None and patch.painted is not None:
                size = (patch.side, patch.side)
                before, old = (
                    one if one.shape[:2] == size else cv2.resize(one, size)
                    for one in (patch.source, patch.painted)
                )
                change = cv2.blur(cv2.absdiff(bright, before), (7, 7)) / _CHANGED
                stays = self._memory * np.clip(1 - change, 0, 1)
                fine += np.asarray(stays, np.float32)[..., None] * (old - fine)
            patch.source, patch.painted = bright, fine
        return fine


class OnlyFaces:
    """Leaves the source where there is no face; a `stylizer.protocols.Effect`."""

    def __init__(self, finder: FaceFinder) -> None:
        """Show paint on the faces that ``finder`` finds; it is not reset with this."""
        self._finder = finder

    def reset(self) -> None:
        """Forget earlier frames: there is nothing to forget."""

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the source with its faces painted.

        Raises:
          ConfigError: one is no uint8 RGB picture.
        """
        image = check_image(source.image)
        mask = draw_faces(self._finder(source), source.size)
        return painted.with_image(mix_images(check_image(painted.image), image, mask))


def _cut(picture: Image, matrix: npt.NDArray[np.float64], side: int) -> Image:
    """Return a part of a picture at another size: uint8 (side, side, 3)."""
    zoom = float(matrix[0, 0])
    shift = matrix.copy()
    shift[:, 2] += 0.5 * zoom - 0.5  # OpenCV's pixel centers are at whole numbers
    if zoom < 0.6:  # by averages first, or fine structure would turn into noise
        factor = int(1 / zoom)
        size = max(1, picture.shape[1] // factor), max(1, picture.shape[0] // factor)
        x, y = size[0] / picture.shape[1], size[1] / picture.shape[0]
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        shift[0, 0], shift[1, 1] = zoom / x, zoom / y
        shift[:, 2] = matrix[:, 2] + 0.5 * np.array([zoom / x, zoom / y]) - 0.5
    how = cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_LINEAR
    cut = cv2.warpAffine(picture, shift, (side, side), flags=how, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(cut, np.uint8)


def _brightness(picture: Image) -> Values:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


def _covered(matrix: npt.NDArray[np.float64], side: int, frame: Image) -> _Box | None:
    """Return the rows and columns of a frame that what is cut out reaches; None for none."""
    zoom = float(matrix[0, 0])
    low = np.maximum(np.floor(-matrix[:, 2] / zoom), 0).astype(int)
    high = np.minimum(np.ceil((side - matrix[:, 2]) / zoom), frame.shape[1::-1]).astype(int)
    if (high <= low).any():
        return None
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _back(values: Values, matrix: npt.NDArray[np.float64], box: _Box) -> Values:
    """Return what was cut out as it lies in a part of the frame."""
    low = np.array([box[1].start, box[0].start])
    size = box[1].stop - box[1].start, box[0].stop - box[0].start
    there = matrix.copy()
    there[:, 2] = matrix[0, 0] * (low + 0.5) + matrix[:, 2] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    edge = cv2.BORDER_REPLICATE if values.ndim == 3 else cv2.BORDER_CONSTANT
    return np.asarray(cv2.warpAffine(values, there, size, flags=flags, borderMode=edge), np.float32)


def _blend(place: Image, fine: Values, share: Values) -> None:
    """Lay paint over a part of a painting where a mask says, in place."""
    mixed = place + share[..., None] * (fine - place)
    np.copyto(place, np.clip(np.rint(mixed), 0, 255).astype(np.uint8))
