"""A new picture mixed with an earlier one, so that neither color nor contrast is lost by it.

What a mixture costs is going over memory. So pictures stay uint8, in arrays that are kept, and all
arithmetic is OpenCV's.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image
from stylizer.protocols import State
from stylizer.temporal.flow import Flow, pixel_grid

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

    def __call__(
        self, fresh: Image, flow: Flow, stands: Bytes, share: Bytes, *, slack: float
    ) -> Image:
        """Return the mixture of a new picture and the key picture, carried along.

        Args:
          fresh: the new picture, uint8 RGB, of the key picture's size.
          flow: from the new one to the key picture, float32 (h, w, 2), at reduced size.
          stands: where nothing moves, uint8 (h, w), else 0.
          share: how much of the key picture each pixel keeps, uint8 (h, w), 255 for all.
          slack: by how many gray levels colors of the key picture may differ, over 8x8 pixels;
            what is beyond is taken off.

        Returns:
          uint8 RGB, (H, W, 3), a new array.

        Raises:
          ValueError: there is no key picture of this size.
        """
        key = self._check(fresh)
        height, width, _ = fresh.shape
        carried = self._array("carried", fresh.shape)
        self._carry(key, flow, stands, carried)
        gap = _shrink(fresh).astype(np.int16) - _shrink(carried)
        bound = round(slack)
        beyond = gap - np.clip(gap, -bound, bound)
        if beyond.any():
            grown = self._array("grown", fresh.shape, np.int16)
            cv2.resize(beyond, (width, height), dst=grown)
            cv2.add(carried, grown, dst=carried, dtype=cv2.CV_8U)
        self._blend(carried, fresh, share)
        return self._restored(carried, fresh)

    def _check(self, picture: Image) -> Image:
        if self._key is None or self._key.shape != picture.shape:
            raise ValueError(f"mixer: expected a key picture of shape {picture.shape} to be set")
        return self._key

    def _enlarge(self, where: Bytes, shape: tuple[int, ...]) -> Bytes:
        mask = self._array("mask", shape[:2])
        cv2.resize(where, (shape[1], shape[0]), dst=mask, interpolation=cv2.INTER_NEAREST)
        return mask

    def _carry(self, key: Image, flow: Flow, stands: Bytes, into: Image) -> None:
        """Move the key picture along; where nothing moves at all it is not resampled."""
        if stands.all():
            np.copyto(into, key)
            return
        height, width, _ = key.shape
        if self._finer is None:
            self._finer = self._make_finer(key)
        scale = 2 * np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
        places = self._array("places", (height, width, 2), np.float32)
        cv2.resize(flow * scale, (width, height), dst=places)
        cv2.add(places, self._grid(height, width), dst=places)
        moved = self._array("moved", (height, width, 4))
        cv2.remap(  # type: ignore[call-overload]  # one array of pairs, so no second one
            self._finer, places, None, cv2.INTER_LINEAR, dst=moved, borderMode=cv2.BORDER_REPLICATE
        )
        cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB, dst=into)
        if stands.any():  # it is not resampled, and newer there than what was enlarged
            cv2.copyTo(key, self._enlarge(stands, key.shape), into)

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

    def _blend(self, carried: Image, fresh: Image, share: Bytes) -> None:
        """Go from the carried picture towards the new one, in place, by a level at least.

        Without that last, rounding would keep small differences forever.
        """
        rest = self._grow(np.asarray(cv2.bitwise_not(share), np.uint8), carried.shape)
        least = self._array("least", carried.shape)
        up, down = self._differences(fresh, carried)
        for step in (up, down):
            cv2.threshold(step, 0, 1, cv2.THRESH_BINARY, dst=least)
            cv2.multiply(step, rest, dst=step, scale=1 / 255)
            cv2.max(step, least, dst=step)
        cv2.subtract(cv2.add(carried, up, dst=carried), down, dst=carried)

    def _restored(self, mixed: Image, fresh: Image) -> Image:
        """Give back the contrast of fine detail that mixing and resampling took.

        Mixing two pictures whose details differ lowers their variance; the remedy is that of Heitz
        and Neyret 2018 ("High-performance by-example noise using a histogram-preserving blending
        operator", section 4): deviations from the mean are scaled. Here the mean is taken over 3x3
        pixels, since the finest detail suffers most, the contrast aimed at is the new picture's,
        over 8x8, and it is the mean deviation in place of its square's root.
        """
        gain = (_detail(fresh) + _LEAST_DETAIL) / (_detail(mixed) + _LEAST_DETAIL)
        more = np.rint(255 * (np.clip(gain, 1.0, _MOST_GAIN) - 1.0)).astype(np.uint8)
        soft = self._array("soft", mixed.shape)
        cv2.blur(mixed, _FINE, dst=soft)
        amount = self._grow(more, mixed.shape)
        above, below = self._differences(mixed, soft)
        for step in (above, below):
            cv2.multiply(step, amount, dst=step, scale=1 / 255)
        return np.asarray(cv2.subtract(cv2.add(mixed, above, dst=mixed), below), np.uint8)

    def _differences(self, first: Image, second: Image) -> tuple[Bytes, Bytes]:
        """Return by how much the first is above the second, and below it."""
        up, down = (self._array(name, first.shape) for name in ("up", "down"))
        cv2.subtract(first, second, dst=up)
        cv2.subtract(second, first, dst=down)
        return up, down

    def _grow(self, coarse: Bytes, shape: tuple[int, ...]) -> Bytes:
        """Enlarge to (H, W, 3), all channels alike."""
        gray = self._array("gray", shape[:2])
        cv2.resize(coarse, (shape[1], shape[0]), dst=gray)
        return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB, dst=self._array("rgb", shape)))

    def _grid(self, height: int, width: int) -> Flow:
        """Return where each pixel lies in the picture of twice the size."""
        grid = self._arrays.get("grid")
        if grid is None or grid.shape[:2] != (height, width):
            grid = self._arrays["grid"] = 2 * pixel_grid(height, width) + np.float32(0.5)
        return grid

    def _array(self, name: str, shape: tuple[int, ...], dtype: Any = np.uint8) -> npt.NDArray[Any]:
        """Return an array to write to, the same one each time: large new ones cost as the work."""
        array = self._arrays.get(name)
        if array is None or array.shape != shape:
            array = self._arrays[name] = np.empty(shape, dtype)
        return array


def _detail(picture: Image) -> npt.NDArray[np.float32]:
    """Return how far brightness is from its mean over 3x3 pixels, over 8x8: gray levels, (h, w).

    The mean deviation of every second row, which tells as much as that of all.
    """
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    fine = cv2.absdiff(gray, cv2.blur(gray, _FINE))[::2].astype(np.float32)
    height, width, _ = picture.shape
    size = max(1, round(width / _COARSE)), max(1, round(height / _COARSE))
    return np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA)).reshape(size[::-1])


def _shrink(picture: Image) -> Bytes:
    """Average over 8x8 pixels: by a half first, for which OpenCV has a short way."""
    height, width, _ = picture.shape
    size = max(1, round(width / _COARSE)), max(1, round(height / _COARSE))
    if height % 2 == 0 and width % 2 == 0:
        half = width // 2, height // 2
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).reshape(size[1], size[0], 3)
