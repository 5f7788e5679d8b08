"""A new picture mixed with an earlier one, so that neither color nor contrast is lost by it.

What a mixture costs is going over memory. So pictures stay uint8, in arrays that are kept, and what
is done to each pixel is done in one pass (`stylizer.temporal.pixelwise`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image
from stylizer.protocols import State
from stylizer.temporal.flow import Flow
from stylizer.temporal.pixelwise import NO_CHANGE, Pixelwise

__all__ = ["Mixer"]

_COARSE = 8
"""Pixels of the output that one of the coarse picture stands for."""

_MOST_GAIN = 2.0
_LEAST_DETAIL = 0.5
"""Bounds of the fine detail that is given back: a factor a frame, and gray levels below which there
is none to give back."""

_SHARPER = 0.15
"""What is added of the key picture's fine detail, for what reading between its pixels takes."""

_FINE = (3, 3)

Bytes = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]


class Mixer:
    """Mixes pictures with a key picture, which each of them is carried from anew.

    What is carried from frame to frame is resampled each time, until nothing fine is left. From a
    key picture every frame is one resampling away.
    """

    def __init__(self) -> None:
        """Begin without a key picture."""
        self._key: Image | None = None
        self._finer: Bytes | None = None
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._pixelwise: Pixelwise | None = None
        self._grid: _Grid | None = None

    def set_key(self, picture: Image) -> None:
        """Take what the next pictures are mixed with: uint8 RGB, (H, W, 3). It is copied."""
        self._key = self._array("key", picture.shape)
        np.copyto(self._key, picture)
        self._finer = None

    def save_state(self) -> State:
        """Return what it remembers, as copies; see `stylizer.protocols.Resumable`."""
        held = {"key": self._key, "finer": self._finer}
        return {name: array.copy() for name, array in held.items() if array is not None}

    def load_state(self, state: State) -> None:
        """Remember what another one did: a state that has a key picture."""
        self.set_key(state["key"])
        if "finer" in state:
            self._finer = self._array("finer", state["finer"].shape)
            np.copyto(self._finer, state["finer"])

    def update_key(self, picture: Image, where: Bytes) -> None:
        """Take something newer into the key picture, at places that lie alike in both.

        Args:
          picture: uint8 RGB, of the key picture's size.
          where: uint8 (h, w), at reduced size: 255 for such places, else 0.

        Raises:
          ValueError: there is no key picture of this size.
        """
        key = self._check(picture)
        if not where.any():
            return
        cv2.copyTo(picture, self._enlarge(where, picture.shape), key)

    def carry(self, flow: Flow, stands: Bytes) -> Image:
        """Return the key picture, carried along: uint8 RGB, the same array each time.

        Args:
          flow: from the picture at hand to the key picture, float32 (h, w, 2), at reduced size.
          stands: where nothing moves, uint8 (h, w), else 0.

        Raises:
          ValueError: there is no key picture.
        """
        key = self._key
        if key is None:
            raise ValueError("mixer: expected a key picture to be set")
        carried = self._array("carried", key.shape)
        if stands.all():  # nothing moves at all, so nothing is resampled
            np.copyto(carried, key)
            return carried
        height, width, _ = key.shape
        if self._finer is None:
            self._finer = self._make_finer(key)
        across, down = self._places(flow, (height, width))
        moved = self._array("moved", (height, width, 4))
        replicate = cv2.BORDER_REPLICATE
        cv2.remap(self._finer, across, down, cv2.INTER_LINEAR, dst=moved, borderMode=replicate)
        cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB, dst=carried)
        if stands.any():  # it is not resampled, and newer there than what was enlarged
            cv2.copyTo(key, self._enlarge(stands, key.shape), carried)
        return carried

    def join(self, carried: Image, other: Image, share: Bytes) -> Image:
        """Return a picture mixed with another one: uint8 RGB, the same array each time.

        Args:
          carried: as `carry` gives it.
          other: the other one, of its size.
          share: of the other one, uint8 (h, w), at reduced size, 255 for all.
        """
        return self._on(carried.shape).mix(carried, other, self._grow(share, carried.shape))

    def __call__(self, fresh: Image, carried: Image, share: Bytes, *, slack: float) -> Image:
        """Return the mixture of a new picture and the key picture, carried along.

        Args:
          fresh: the new picture, uint8 RGB.
          carried: the key picture, as `carry` or `join` gives it, of its size.
          share: how much of the key picture each pixel keeps, uint8 (h, w), at reduced size, 255
            for all.
          slack: by how many gray levels colors of the key picture may differ, over 8x8 pixels;
            what is beyond is taken off.

        Returns:
          uint8 RGB, (H, W, 3), a new array.
        """
        pixelwise = self._on(fresh.shape)
        change = self._change(carried, fresh, slack)
        rest = self._grow(np.asarray(cv2.bitwise_not(share), np.uint8), fresh.shape)
        mixed = pixelwise.blend(carried, change, fresh, rest)
        soft = self._array("soft", fresh.shape)
        cv2.blur(mixed, _FINE, dst=soft)
        amount = self._grow(_lost_detail(mixed, fresh), fresh.shape)
        return pixelwise.amplify(mixed, soft, amount)

    def _on(self, shape: tuple[int, ...]) -> Pixelwise:
        if self._pixelwise is None or self._pixelwise.shape != shape:
            self._pixelwise = Pixelwise(shape)
        return self._pixelwise

    def _check(self, picture: Image) -> Image:
        if self._key is None or self._key.shape != picture.shape:
            raise ValueError(f"mixer: expected a key picture of shape {picture.shape} to be set")
        return self._key

    def _enlarge(self, where: Bytes, shape: tuple[int, ...]) -> Bytes:
        mask = self._array("mask", shape[:2])
        cv2.resize(where, (shape[1], shape[0]), dst=mask, interpolation=cv2.INTER_NEAREST)
        return mask

    def _make_finer(self, key: Image) -> Bytes:
        """Return the picture at twice its size, (2H, 2W, 4).

        To read it bilinearly is nearly as good as bicubic interpolation, and much quicker; four
        channels are what OpenCV is quick with.
        """
        height, width, _ = key.shape
        whole = self._array("whole", (height, width, 4))
        cv2.cvtColor(key, cv2.COLOR_RGB2RGBA, dst=whole)
        soft = cv2.blur(whole, _FINE, dst=self._array("soft key", whole.shape))
        cv2.addWeighted(whole, 1 + _SHARPER, soft, -_SHARPER, 0, dst=whole)
        finer = self._array("finer", (2 * height, 2 * width, 4))
        cv2.resize(whole, (2 * width, 2 * height), dst=finer, interpolation=cv2.INTER_CUBIC)
        return finer

    def _change(self, carried: Image, fresh: Image, slack: float) -> Image:
        """Return what is to be added to the carried picture, so that its colors are near enough."""
        gap = _shrink(fresh).astype(np.int16) - _shrink(carried)
        bound = round(slack)
        beyond = gap - np.clip(gap, -bound, bound) + NO_CHANGE
        change = self._array("change", fresh.shape)
        small = np.clip(beyond, 0, 255).astype(np.uint8)
        cv2.resize(small, (fresh.shape[1], fresh.shape[0]), dst=change)
        return change

    def _grow(self, coarse: Bytes, shape: tuple[int, ...]) -> Bytes:
        """Enlarge to (H, W, 3), all channels alike."""
        gray = self._array("gray", shape[:2])
        cv2.resize(coarse, (shape[1], shape[0]), dst=gray)
        return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB, dst=self._array("rgb", shape)))

    def _places(self, flow: Flow, shape: tuple[int, int]) -> tuple[Plane, Plane]:
        """Return where each pixel is read in the picture of twice the size: x and y, each (H, W).

        The flow's pixels get their places before they are enlarged, which saves going over all of
        them once more. Along the borders, where there is nothing to enlarge between, the places are
        made up for. OpenCV enlarges two planes in half the time of pairs.
        """
        size = shape[1], shape[0]
        if self._grid is None or self._grid.flow != flow.shape or self._grid.size != size:
            self._grid = _Grid.of(flow.shape, size)
        places = self._array("across", shape, np.float32), self._array("down", shape, np.float32)
        for axis, plane in enumerate(places):
            scale = np.float32(2 * size[axis] / flow.shape[1 - axis])
            small = flow[..., axis] * scale
            small += self._grid.small[axis]
            cv2.resize(small, size, dst=plane)
            missing = self._grid.missing[axis]
            lines = plane.T if axis == 0 else plane
            for where in np.flatnonzero(missing):
                lines[where] += missing[where]
        return places

    def _array(self, name: str, shape: tuple[int, ...], dtype: Any = np.uint8) -> npt.NDArray[Any]:
        """Return an array to write to, the same one each time: large new ones cost as the work."""
        array = self._arrays.get(name)
        if array is None or array.shape != shape:
            array = self._arrays[name] = np.empty(shape, dtype)
        return array


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where pixels lie in a picture of twice the size.

    Attributes:
      flow: shape of the flow, (h, w, 2).
      size: of the picture, (width, height).
      small: places of the flow's pixels, x as (1, w) and y as (h, 1).
      missing: what enlarging the flow's does not give, (W,) across and (H,) down: not 0 near the
        borders alone.
    """

    flow: tuple[int, ...]
    size: tuple[int, int]
    small: tuple[Plane, Plane]
    missing: tuple[Plane, Plane]

    @classmethod
    def of(cls, shape: tuple[int, ...], size: tuple[int, int]) -> _Grid:
        lines, missing = [], []
        for few, many in zip((shape[1], shape[0]), size, strict=True):
            line = 2 * ((np.arange(few) + 0.5) * many / few - 0.5) + 0.5
            whole = 2 * np.arange(many) + 0.5
            gone = np.clip(whole, line[0], line[-1]) - whole
            lines.append(np.asarray(line, np.float32))
            missing.append(np.asarray(-gone, np.float32))
        return cls(shape, size, (lines[0][None], lines[1][:, None]), (missing[0], missing[1]))


def _lost_detail(mixed: Image, fresh: Image) -> Bytes:
    """Return how much more fine detail is due, of what there is: uint8 (h, w), 255 for twice.

    Mixing two pictures whose details differ lowers their variance; the remedy is that of Heitz and
    Neyret 2018 ("High-performance by-example noise using a histogram-preserving blending operator",
    section 4): deviations from the mean are scaled. Here the mean is taken over 3x3 pixels, since
    the finest detail suffers most, the contrast aimed at is the new picture's, over 8x8, and it is
    the mean deviation in place of its square's root.
    """
    gain = (_detail(fresh) + _LEAST_DETAIL) / (_detail(mixed) + _LEAST_DETAIL)
    return np.rint(255 * (np.clip(gain, 1.0, _MOST_GAIN) - 1.0)).astype(np.uint8)


def _detail(picture: Image) -> npt.NDArray[np.float32]:
    """Return how far brightness is from its mean over 3x3 pixels, over 8x8: gray levels, (h, w).

    The mean deviation of every second row, which tells as much as that of all.
    """
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    fine = cv2.absdiff(gray, cv2.blur(gray, _FINE))[::2].astype(np.float32)
    size = _coarse_size(picture)
    coarse = cv2.resize(fine, size, interpolation=cv2.INTER_AREA)
    return np.asarray(coarse, np.float32).reshape(size[::-1])


def _shrink(picture: Image) -> Bytes:
    """Average over 8x8 pixels: by halves first, for which OpenCV has a short way."""
    size, small = _coarse_size(picture), picture
    while small.shape[0] % 2 == small.shape[1] % 2 == 0 and small.shape[1] > 2 * size[0]:
        half = small.shape[1] // 2, small.shape[0] // 2
        small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), np.uint8)
    small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small.reshape(size[1], size[0], 3)


def _coarse_size(picture: Image) -> tuple[int, int]:
    height, width, _ = picture.shape
    return max(1, round(width / _COARSE)), max(1, round(height / _COARSE))
