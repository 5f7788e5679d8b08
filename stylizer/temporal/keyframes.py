"""Painting keyframes only: what lies between is the last painting, carried along by the flow.

The idea is that of Zhu et al. 2017 ("Deep Feature Flow for Video Recognition"): a network sees few
frames, and what it made of them is carried to the others along the optical flow, which takes far
less time. Differs from the paper: paintings are carried, not features, and no frame depends on more
than the last painting. A frame of which too much cannot be carried is painted after all, as in Zhu
et al. 2018 ("Towards High Performance Video Object Detection", section 3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.base import WrappedStylizer, begin_frame, frames_at_once, load_states, save_states
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.protocols import State, Stylizer
from stylizer.temporal.camera_motion import camera_field
from stylizer.temporal.flow import Flow, Preset
from stylizer.temporal.key_picture import (
    MOST_SIDE,
    TOLERANCE,
    KeyPicture,
    Reduced,
    find_same,
    find_standing,
    find_straight,
    make_search,
)

__all__ = [
    "MOST_KEYFRAMES",
    "CarryPaintings",
    "KeySearch",
    "PaintKeyframes",
    "check_keyframes",
]

MOST_KEYFRAMES = 4
"""Frames from one that is painted to the next, at most."""

_BENT = 0.25
"""Pixels by which the motion of two neighbors differs, beside the camera's own, where it is none of
one thing: strokes that are carried along would be bent into each other. A camera that zooms or
turns bends none."""

_MOST_NEW = 0.12
_PLACE, _MOST_NEW_THERE = 0.125, 0.8
"""Share of a frame that is new, or bent, at which it is painted after all; and side of a square, as
a share of the frame's longer one, and share of it that is new, at which it is too: a hand that is
waved would be seen in every other frame."""

_CUT = 0.4
"""Share of a frame that is new at which it is painted where even a place that shows something new
does not have its frame painted."""

_PASSES = (7, 7)
"""Pixels over which the flow passes to the camera's motion where it is not to be relied on."""

_SHARPER = 0.68
"""What is added of a painting's fine detail where all of it is read half-way between pixels."""

_FINE = (3, 3)
_AROUND = np.ones((3, 3), np.uint8)

Bytes = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]


def check_keyframes(every: int) -> None:
    """Make sure that every first to fourth frame is painted.

    Raises:
      ConfigError: it is not so.
    """
    if not 1 <= every <= MOST_KEYFRAMES:
        raise ConfigError(
            f"keyframes: expected 1 (every frame is painted) to {MOST_KEYFRAMES}, got {every!r}"
        )


class KeySearch:
    """Finds how a painting is to be carried to a frame, if it can be.

    Attributes:
      new: share of the last frame that was new, or bent, 0..1.
    """

    def __init__(self, preset: Preset, *, hurried: bool = False) -> None:
        """Set what is asked for.

        Args:
          preset: of the optical flow.
          hurried: whether to carry a painting to all frames but those that show something else
            altogether: where the next painting comes when it comes, and a frame must not wait.
        """
        self._search, self._hurried = make_search(preset, MOST_SIDE), hurried
        self.new = 0.0

    def reduce(self, image: Image) -> Reduced:
        """Reduce a picture, uint8 RGB (H, W, 3), to the size that is searched in."""
        size = self._search.reduced_size((image.shape[1], image.shape[0]))
        return Reduced.of(check_image(image), size)

    def __call__(self, seen: Reduced, key: KeyPicture) -> Flow | None:
        """Return the flow from a frame to a painted one, float32 (h, w, 2).

        None where too much of the frame is new, or it is of another size.
        """
        if key.seen.gray.shape != seen.gray.shape:
            return None
        flow = key.find(seen, self._search)
        camera = camera_field(key.camera, flow.shape)
        same = find_same(flow, seen.colors, key.seen.colors, TOLERANCE)
        straight = find_straight(flow - camera, _BENT)
        self.new = 1.0 - cv2.mean(cv2.min(same, straight))[0] / 255
        if self._hurried:
            fails = cv2.mean(same)[0] < 255 * (1 - _CUT)
        else:
            fails = self.new > _MOST_NEW or _is_new_somewhere(same)
        if fails:
            return None
        return _held(flow, camera, straight)


class PaintKeyframes(WrappedStylizer):
    """Has every Nth frame painted; a `stylizer.protocols.ParallelStylizer`.

    What it gives of the others is their source, with the flow to the last painted one in
    `Frame.flow`, until `CarryPaintings` comes. Painted are the first of each N frames by their
    indices, so that all who come to a frame agree, the first of a shot, and whatever shows too much
    that the last painted one did not.
    """

    def __init__(self, stylizer: Stylizer, *, every: int = 1, preset: Preset = "fast") -> None:
        """Wrap ``stylizer``.

        Args:
          stylizer: what paints.
          every: frames from one that is painted to the next, 1 to 4.
          preset: of the optical flow.

        Raises:
          ConfigError: ``every`` is out of its range.
        """
        super().__init__(stylizer)
        self._key: KeyPicture | None = None
        self._index = 0
        self.configure(every=every, preset=preset)

    def configure(self, *, every: int, preset: Preset) -> None:
        """Go on with others, between two frames; arguments and errors as at the beginning."""
        check_keyframes(every)
        self._every, self._search = every, KeySearch(preset)

    def reset(self) -> None:
        """Forget all earlier frames; the wrapped stylizer too."""
        super().reset()
        self.forget()

    def forget(self) -> None:
        """Have the next frame painted."""
        self._key = None

    def save_state(self) -> State:
        """Return what it remembers, and the wrapped stylizer does."""
        inner, key = save_states({"stylizer": self._stylizer}), self._key
        if key is None:
            return inner
        return {**inner, **key.save_state(), "index": np.array(self._index)}

    def load_state(self, state: State) -> None:
        """Remember what another one did; nothing of an empty state."""
        load_states({"stylizer": self._stylizer}, state)
        self._key = None
        if "gray" in state:
            self._key = KeyPicture.load(state)
            self._index = int(state["index"])

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame, or its source with the flow to the last painted one.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        flow = self._find(frame)
        return self._stylizer(frame) if flow is None else replace(frame, flow=flow)

    @property
    def at_once(self) -> int:
        """How many frames are in work at once: as many as are painted, with those between."""
        painted = frames_at_once(self._stylizer)
        return painted if painted == 1 else painted * self._every

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        """Take the next frame, and return what paints it, if it is painted.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        flow = self._find(frame)
        if flow is None:
            return begin_frame(self._stylizer, frame)
        return lambda: replace(frame, flow=flow)

    def _find(self, frame: Frame) -> Flow | None:
        """Return the flow to the last painted frame, (h, w, 2); None for one to be painted."""
        seen = self._search.reduce(frame.image)
        group = frame.index // self._every == self._index // self._every
        if self._key is not None and group and frame.index >= self._index:
            flow = self._search(seen, self._key)
            if flow is not None:
                return flow
        self._key, self._index = KeyPicture.after(self._key, seen), frame.index
        return None


class CarryPaintings:
    """Makes paintings of frames that were not painted; a `stylizer.protocols.CarryingEffect`."""

    carries = True

    def __init__(self) -> None:
        """Begin without a painting."""
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all earlier frames."""
        self._painting: Bytes | None = None
        self._sharper: tuple[int, Bytes] | None = None
        self._parts: Plane | None = None

    def save_state(self) -> State:
        """Return what it remembers, for a `stylizer.protocols.Resumable`."""
        held = {"painting": self._painting, "parts": self._parts}
        return {name: array.copy() for name, array in held.items() if array is not None}

    def load_state(self, state: State) -> None:
        """Remember what another one did; nothing of an empty state."""
        self.reset()
        self._painting, self._parts = state.get("painting"), state.get("parts")

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return a painting as it is, or, where a frame has none, the last one carried to it.

        Raises:
          ConfigError: the first frame has none.
        """
        if painted.flow is None:
            image = check_image(painted.image, name="painted")
            # four channels are what OpenCV is quick with
            whole = self._array("painting", (*image.shape[:2], 4))
            self._painting = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA, dst=whole))
            self._sharper, self._parts = None, painted.parts
            return painted
        if self._painting is None:
            raise ConfigError("keyframes: expected a painted frame first, got one to carry to")
        parts = None if self._parts is None else self._carry_parts(self._parts, painted.flow)
        image = self._carry(self._painting, painted.flow)
        return replace(painted, image=image, flow=None, parts=parts)

    def _carry(self, painting: Bytes, flow: Flow) -> Image:
        """Read the painting along the flow; where nothing moves, it is as it was."""
        height, width, _ = painting.shape
        stands = find_standing(flow)
        if stands.all():
            return np.asarray(cv2.cvtColor(painting, cv2.COLOR_RGBA2RGB), np.uint8)
        across, down = self._places(flow, (width, height))
        moved = self._array("moved", painting.shape)
        sharper = self._sharpen(painting, _blur(flow, (width, height)))
        cv2.remap(
            sharper, across, down, cv2.INTER_LINEAR, dst=moved, borderMode=cv2.BORDER_REFLECT_101
        )
        if stands.any():
            mask = cv2.resize(stands, (width, height), interpolation=cv2.INTER_NEAREST)
            cv2.copyTo(painting, mask, moved)
        return np.asarray(cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB), np.uint8)

    def _sharpen(self, painting: Bytes, amount: float) -> Bytes:
        """Return the painting with more of its fine detail, which reading between pixels takes."""
        tenths = round(10 * amount)
        if self._sharper is None or self._sharper[0] != tenths:
            more = _SHARPER * tenths / 10
            sharper = self._array("sharper", painting.shape)
            cv2.blur(painting, _FINE, dst=sharper)
            cv2.addWeighted(painting, 1 + more, sharper, -more, 0, dst=sharper)
            self._sharper = tenths, sharper
        return self._sharper[1]

    def _places(self, flow: Flow, size: tuple[int, int]) -> tuple[Plane, Plane]:
        """Return where each pixel of a picture of (width, height) is read: x and y, each (H, W).

        OpenCV enlarges two planes in half the time of pairs.
        """
        grids = _grids(*size)
        planes = [self._array(f"{name} {size}", size[::-1], np.float32) for name in ("x", "y")]
        for axis, plane in enumerate(planes):
            small = flow[..., axis] * np.float32(size[axis] / flow.shape[1 - axis])
            cv2.resize(small, size, dst=plane)
            cv2.add(plane, grids[axis], dst=plane)
        return planes[0], planes[1]

    def _carry_parts(self, parts: Plane, flow: Flow) -> Plane:
        """Carry masks, float32 (N, h, w), along."""
        _, height, width = parts.shape
        across, down = self._places(flow, (width, height))
        replicate = cv2.BORDER_REPLICATE
        carried = (
            cv2.remap(part, across, down, cv2.INTER_LINEAR, borderMode=replicate) for part in parts
        )
        return np.asarray(list(carried), np.float32).reshape(parts.shape)

    def _array(self, name: str, shape: tuple[int, ...], dtype: Any = np.uint8) -> npt.NDArray[Any]:
        """Return an array to write to, the same one each time: large new ones cost as the work."""
        array = self._arrays.get(name)
        if array is None or array.shape != shape:
            array = self._arrays[name] = np.empty(shape, dtype)
        return array


def _is_new_somewhere(same: Bytes) -> bool:
    """Say whether a place shows so much that is new that it would be seen."""
    side = max(1, round(_PLACE * max(same.shape)))
    there = cv2.blur(cv2.bitwise_not(same), (side, side), borderType=cv2.BORDER_CONSTANT)
    return float(there.max()) > 255 * _MOST_NEW_THERE


def _held(flow: Flow, camera: Flow, straight: Bytes) -> Flow:
    """Return the flow, with the camera's motion where it is bent.

    What was not seen before then shows what was there, and an even wall around what moves shows its
    own strokes, instead of some that are torn about.
    """
    share = cv2.blur(cv2.erode(straight, _AROUND), _PASSES).astype(np.float32) / np.float32(255)
    return np.asarray(cv2.blendLinear(flow, camera, share, 1 - share), np.float32)


@lru_cache(maxsize=4)
def _grids(width: int, height: int) -> tuple[Plane, Plane]:
    across, down = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    return across, down


def _blur(flow: Flow, size: tuple[int, int]) -> float:
    """Return how far between pixels is read, on average: 0 for never, 1 for always half-way."""
    scale = np.array([size[0] / flow.shape[1], size[1] / flow.shape[0]], np.float32)
    places = flow[::2, ::2] * scale
    between = places - np.floor(places)
    return float((4 * between * (1 - between)).mean())
