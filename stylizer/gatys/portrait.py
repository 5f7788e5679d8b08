"""Portraits after portraits: the painting's face, laid over the photo's, says how it is painted.

After Selim, Elgharib and Doyle 2016, "Painting Style Transfer for Head Portraits using
Convolutional Neural Networks". From the paper: the painting is aligned to the photo by facial
landmarks, and then by a dense flow; gain maps, the ratio of the aligned painting's features to the
photo's, at the content layers, are held within 0.7 to 5 and multiply the photo's features, which
makes the content target; Gram losses.

Ours: the landmarks are those of `stylizer.faces`, the warp is a thin-plate spline, which also
carries hair and shoulders along, and the flow is OpenCV's DIS with a bound on how far it goes;
the paper morphs by landmarks of its own and uses SIFT flow. The gains fade to 1 away from the
head, where a painting and a photo have nothing to do with each other. Where a loss network's
features may be negative (those of `half` are mixtures), a ratio means nothing: there gains are the
ratios of local root mean squares, as the energies of Shih et al. 2014 ("Style Transfer for Headshot
Portraits") are. The Gram losses are taken of the head and of all else apart, the painting's against
the photo's (as in `stylizer.gatys.guidance`): else a face takes the color of a painting's
background. In a video the alignment follows the landmarks of each frame, which are calmed, in place
of the paper's flow of the gain maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.interpolate import RBFInterpolator

from stylizer.errors import SourceError, StyleError
from stylizer.faces.landmarks import KEY_POINTS, OVAL, Face
from stylizer.faces.masks import draw_head
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame, Image
from stylizer.protocols import State
from stylizer.temporal.flow import OpticalFlow

__all__ = ["LEAST_GAIN", "MOST_GAIN", "PortraitAligner", "Sitter", "gain_maps", "multiply_gains"]

Values = npt.NDArray[np.float32]

LEAST_GAIN, MOST_GAIN = 0.7, 5.0
"""The bounds of gains (the paper's)."""

_SMALLEST = 1e-4
"""Added to features before they divide (the paper's)."""

_WINDOW = 5
"""Side, in pixels of a feature map, over which energies are averaged."""

_GRID = 48
"""Places across at which the spline is computed; between them the warp is interpolated."""

_FARTHEST = 0.04
"""Share of the face's side by which the flow may move a place."""

_HEAD = 1.6
"""Side of the head and neck that gains belong to, by the face's."""


@dataclass(frozen=True, kw_only=True)
class Sitter:
    """What a portrait takes of a photo.

    Attributes:
      aligned: the painting as it lies over the photo's face, uint8 RGB (H, W, 3).
      reach: where its face counts, head and neck, float32 (H, W), 0..1.
      head: where the head is, float32 (H, W), 0..1.
    """

    aligned: Image
    reach: Values
    head: Values


class PortraitAligner:
    """Lays a painted face over those of photos.

    Attributes:
      painted_head: where the head is in the painting, float32 (H, W), 0..1.
    """

    def __init__(self, painting: Image, *, name: str = "") -> None:
        """Find the painting's face.

        Args:
          painting: uint8 RGB, (H, W, 3).
          name: what to call the painting in an error.

        Raises:
          BackendError: what finds faces is not installed.
          StyleError: there is no face in the painting.
        """
        self._painting = painting
        self._finder = FaceFinder(most=1)
        found = self._finder(Frame(painting, 0, 0.0))
        self._finder.reset()
        if not found:
            raise StyleError(
                f"style{' ' * bool(name)}{name}: expected a painted portrait, found no face in it; "
                "choose a painting whose face is seen from the front, or another recipe"
            )
        self._face = found[0].face
        self.painted_head = _draw(self._face, painting.shape[:2])
        self._count = 0
        self._last: Face | None = None

    def reset(self) -> None:
        """Forget earlier pictures: a cut."""
        self._finder.reset()
        self._last = None

    def save_state(self) -> State:
        """Return where the face was."""
        return self._finder.save_state()

    def load_state(self, state: State) -> None:
        """Remember where another one saw the face."""
        self._finder.load_state(state)
        found = self._finder.faces
        self._last = found[0].face if found else None

    def __call__(self, photo: Image) -> Sitter:
        """Return the painting as it lies over a photo's face, and where the head is.

        A face that is lost in the course of a video stays where it was last seen.

        Args:
          photo: uint8 RGB, (H, W, 3).

        Raises:
          SourceError: there is no face in the photo.
        """
        self._count += 1
        found = self._finder(Frame(photo, self._count, self._count / 25))
        face = found[0].face if found else self._last
        if face is None:
            raise SourceError(
                "photo: expected a portrait, found no face in it; choose a photo whose face is "
                "seen from the front, or another recipe"
            )
        self._last = face
        height, width, _ = photo.shape
        places = _spline(face.points, self._face.points, (width, height))
        reach = draw_head(_grown(face), (width, height), side=_HEAD * face.side)
        aligned = self._take(places)
        if found:
            places = _refine(photo, aligned, places, reach, farthest=_FARTHEST * face.side)
            aligned = self._take(places)
        return Sitter(aligned=aligned, reach=reach, head=_draw(face, photo.shape[:2]))

    def _take(self, places: Values) -> Image:
        at = places - np.float32(0.5)  # OpenCV's pixel centers are at whole numbers
        across, down = (np.ascontiguousarray(at[..., axis]) for axis in range(2))
        taken = cv2.remap(
            self._painting, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        return np.asarray(taken, np.uint8)


def gain_maps(photo: Values, painting: Values) -> Values:
    """Return by what features of a photo are multiplied to be those of a painting, about.

    ``painting / (photo + 1e-4)``, within 0.7 to 5 (Selim et al. 2016). Where features may be
    negative, the ratio of local root mean squares.

    Args:
      photo: float32, (1, H, W, C).
      painting: float32, (1, H, W, C): aligned to it.

    Returns:
      float32, (1, H, W, C).
    """
    below, above = (np.asarray(one, np.float32) for one in (photo, painting))
    if min(float(below.min()), float(above.min())) < 0:
        below, above = _energies(below), _energies(above)
    return np.clip(above / (below + np.float32(_SMALLEST)), LEAST_GAIN, MOST_GAIN)


def multiply_gains(
    photo: Mapping[str, Any], painting: Mapping[str, Any], head: Values
) -> dict[str, Any]:
    """Return content targets: features of the photo, times the gain maps where the head is.

    Args:
      photo: features by layer, float32 (1, H, W, C), as arrays or tensors; all else stays.
      painting: those of the painting, aligned to it.
      head: float32 (H, W), 0..1, of any size: where gains count.
    """
    targets: dict[str, Any] = {}
    for layer, features in photo.items():
        values = np.asarray(features, np.float32)
        if values.ndim != 4:  # a factor of the loss
            targets[layer] = features
            continue
        gains = gain_maps(values, np.asarray(painting[layer], np.float32))
        size = values.shape[2], values.shape[1]
        share = np.asarray(cv2.resize(head, size, interpolation=cv2.INTER_AREA), np.float32)
        changed: Any = values * (1 + share.reshape(1, *size[::-1], 1) * (gains - 1))
        if not isinstance(features, np.ndarray):
            from keras import ops  # where features are tensors, it is loaded

            changed = ops.convert_to_tensor(changed)
        targets[layer] = changed
    return targets


def _energies(features: Values) -> Values:
    """Return the root of the mean square around each place, (1, H, W, C)."""
    squares = np.square(features[0])
    channels = [
        cv2.blur(np.ascontiguousarray(squares[..., channel]), (_WINDOW, _WINDOW))
        for channel in range(squares.shape[-1])
    ]
    return np.sqrt(np.stack(channels, axis=-1))[None].astype(np.float32)


def _spline(there: Values, here: Values, size: tuple[int, int]) -> Values:
    """Return for each pixel of a photo its place in the painting, float32 (H, W, 2).

    A thin-plate spline through the landmarks, held at a wide frame around them by the similarity
    that is nearest to it, so that it does not run away.

    Args:
      there: the photo's landmarks, (468, 2).
      here: the painting's.
      size: (width, height) of the photo.
    """
    chosen = sorted({*KEY_POINTS, *OVAL})
    given, wanted = there[chosen].astype(np.float64), here[chosen].astype(np.float64)
    matrix = _similarity(given, wanted)
    middle, reach = given.mean(0), np.ptp(given, axis=0).max()
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    around = middle + 1.8 * reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    held = np.concatenate([given, around])
    aims = np.concatenate([wanted, around @ matrix[:, :2].T + matrix[:, 2]])
    bent = RBFInterpolator(held, aims - (held @ matrix[:, :2].T + matrix[:, 2]), smoothing=1.0)
    width, height = size
    across, down = np.linspace(0.5, width - 0.5, _GRID), np.linspace(0.5, height - 0.5, _GRID)
    grid = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    far = np.linalg.norm(grid - middle, axis=1) / reach
    fade = np.clip((2.6 - far) / 0.8, 0, 1)[:, None]  # beyond the frame there is the similarity
    coarse = (fade * bent(grid)).reshape(_GRID, _GRID, 2).astype(np.float32)
    # the grid's outer places are the centers of the outer pixels
    x, y = np.meshgrid(
        np.linspace(0, _GRID - 1, width, dtype=np.float32),
        np.linspace(0, _GRID - 1, height, dtype=np.float32),
    )
    bend = cv2.remap(coarse, x, y, cv2.INTER_LINEAR)
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5
    )
    straight = np.stack([columns, rows], axis=-1) @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(straight + np.asarray(bend).reshape(height, width, 2), np.float32)


def _similarity(given: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the similarity (2, 3) that is nearest to a map of points, by least squares."""
    one, other = given - given.mean(0), wanted - wanted.mean(0)
    both = one[:, 0] + 1j * one[:, 1], other[:, 0] + 1j * other[:, 1]
    factor = np.vdot(both[0], both[1]) / np.vdot(both[0], both[0])
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.asarray(np.c_[turn, wanted.mean(0) - turn @ given.mean(0)], np.float64)


def _refine(
    photo: Image, aligned: Image, places: Values, head: Values, *, farthest: float
) -> Values:
    """Return places moved by the flow from the photo to the aligned painting, a little."""
    limits = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(4, 4))  # lights and paints differ
    gray = [limits.apply(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)) for one in (photo, aligned)]
    finder = OpticalFlow(preset="medium", max_side=max(head.shape))
    flow = finder.search(*(np.asarray(one, np.uint8) for one in gray))
    flow = np.asarray(cv2.GaussianBlur(flow, (0, 0), max(1.0, farthest)), np.float32)
    length = np.linalg.norm(flow, axis=-1, keepdims=True)
    flow *= np.minimum(1, farthest / np.maximum(length, 1e-6)) * head[..., None]
    height, width = head.shape
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    moved = cv2.remap(
        places,
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, np.float32)


def _draw(face: Face, size: tuple[int, int]) -> Values:
    """Return where a face's head is in a picture of (height, width)."""
    return draw_head(face.points, size[::-1], side=face.side)


def _grown(face: Face) -> Values:
    """Return a face's points, spread to those of a head and neck."""
    middle = face.points.mean(0)
    return np.asarray(middle + (_HEAD / 1.25) * (face.points - middle), np.float32)
