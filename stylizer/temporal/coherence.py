"""Coherence for a stylizer that paints each frame by itself: what it painted before moves along.

Where the source shows the same thing as before, the painting is held. What stands is averaged in
time: this is the temporal loss of Ruder et al. 2016 (section 4.2) minimized in closed form, pixel
by pixel, with the stylizer's own picture in the place of content and style; its form is a recursive
filter, as of temporal antialiasing in games (Karis 2014, "High quality temporal supersampling").
What moves would be resampled in each frame by that, and lose its strokes. So it is read from a key
frame, each time anew, and passes over some frames to that of the next key frame, which is carried
just so: no pixel is resampled more than once, and no painting is seen for one frame alone. Key
frames follow each other by the frames' own numbers, and what stands forgets from frame to frame:
wherever one begins, before long it holds the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, get_args

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.protocols import State
from stylizer.temporal.flow import Flow, Preset, pixel_grid
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
from stylizer.temporal.mixing import Mixer

__all__ = ["AFRESH", "SETTLED", "Coherence", "CoherenceConfig", "key_cycle"]

Bytes = npt.NDArray[np.uint8]

_MOST = 0.94
"""Share of the last output at full strength, where nothing moves; the rest lets changes that the
source shows through within a second."""

_PASSING, _HELD = 4, 4
"""Frames that are painted while what moves passes from a key frame to the next one, and frames for
which that is held alone. A frame whose index is a multiple of the sum is a key frame, so that all
who come to it agree; where every Nth is painted, passing takes N times as many."""

AFRESH, SETTLED = 96, 16
"""A key frame whose index is in another run of so many is painted without any painting before it
(`stylizer.effects.overpainting`); and frames after which nothing is seen of what was before it."""

_BENT = 0.4
"""Pixels by which the motion of two neighbors differs where nothing is held: strokes would be
pressed into rings around what moves before an even wall, where any motion seems to fit."""

_LEAST_KEPT = 0.5
"""Share of the key frame that must be in sight; with less another one is taken."""

_AROUND = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, kw_only=True)
class CoherenceConfig:
    """How much of the last output is kept, and where.

    Attributes:
      strength: 0 (each frame by itself: the stylizer's own boil) to 1 (as still as can be).
      preset: of the optical flow.
      max_side: the flow is searched in pictures reduced to this longer side, in pixels, 16 or more.
      tolerance: difference in the source, in gray levels, at which a pixel's past counts for 1/e.
      slack: by how many gray levels the carried picture may differ in color from the new one, over
        8x8 pixels; what is beyond is taken off, so that nothing is left behind a moving thing.
    """

    strength: float = 0.8
    preset: Preset = "fast"
    max_side: int = MOST_SIDE
    tolerance: float = TOLERANCE
    slack: float = 8.0

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if not 0.0 <= self.strength <= 1.0:
            raise ConfigError(f"strength: expected 0..1, got {self.strength!r}")
        if self.preset not in get_args(Preset):
            known = ", ".join(get_args(Preset))
            raise ConfigError(f"preset: expected one of {known}, got {self.preset!r}")
        if self.max_side < 16:
            raise ConfigError(f"max_side: expected 16 or more pixels, got {self.max_side!r}")
        for name in ("tolerance", "slack"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"{name}: expected a number above 0, got {value!r}")


@dataclass(slots=True)
class _Key:
    """A key frame.

    Attributes:
      mixer: has its painting.
      shape: of the painting.
      picture: the source.
      index: the frame's.
    """

    mixer: Mixer
    shape: tuple[int, ...]
    picture: KeyPicture
    index: int


@dataclass(slots=True)
class _Former:
    """The key frame before, while what moves passes from it to the next one.

    Attributes:
      mixer: has its painting.
      colors: of its source, as of `Reduced`.
      flow: from the next key frame to it, float32 (h, w, 2).
    """

    mixer: Mixer
    colors: Bytes
    flow: Flow


class Coherence:
    """Holds what is painted still; a `stylizer.protocols.Effect`. At strength 0 it does nothing."""

    def __init__(self, config: CoherenceConfig | None = None) -> None:
        """Begin without a memory; None for the default settings."""
        config = config or CoherenceConfig()
        self._settings = config, make_search(config.preset, config.max_side), 1
        self._free = [Mixer(), Mixer()]
        self._key: _Key | None = None
        self._former: _Former | None = None

    @property
    def config(self) -> CoherenceConfig:
        """The settings."""
        return self._settings[0]

    def configure(self, config: CoherenceConfig, *, every: int = 1) -> None:
        """Go on with other settings from the next frame on; any thread may ask for it.

        What is remembered of earlier frames stays of use, unless ``max_side`` changes.

        Args:
          config: the settings.
          every: one in how many frames is painted, and comes here.
        """
        before, flow, _ = self._settings
        if (config.preset, config.max_side) != (before.preset, before.max_side):
            flow = make_search(config.preset, config.max_side)
        self._settings = config, flow, every

    def reset(self) -> None:
        """Forget all earlier frames."""
        self._let_go()
        if self._key is not None:
            self._free.append(self._key.mixer)
        self._key = None

    def save_state(self) -> State:
        """Return what it remembers, for a `stylizer.protocols.Resumable`."""
        key, former = self._key, self._former
        if key is None:
            return {}
        found: dict[str, npt.NDArray[Any]] = {
            **key.mixer.save_state(),
            **key.picture.save_state(),
            "index": np.array(key.index),
        }
        if former is not None:
            found |= {"former colors": former.colors, "former flow": former.flow}
            held = former.mixer.save_state()
            found |= {f"former {name}": array for name, array in held.items()}
        return found

    def load_state(self, state: State) -> None:
        """Remember what another one did; nothing of an empty state."""
        self.reset()
        if not state:
            return
        mixer = self._free.pop()
        mixer.load_state(state)
        picture = KeyPicture.load(state)
        self._key = _Key(mixer, state["key"].shape, picture, int(state["index"]))
        if "former key" in state:
            start = "former "
            held = {name[len(start) :]: of for name, of in state.items() if name.startswith(start)}
            mixer = self._free.pop()
            mixer.load_state(held)
            self._former = _Former(mixer, held["colors"], held["flow"])

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting, mixed with that of the key frame where the source shows the same.

        Args:
          source: its motion counts; it may be larger than the painting.
          painted: by itself, without what was painted before.

        Raises:
          ConfigError: one is no uint8 RGB picture.
        """
        image, made = check_image(source.image), check_image(painted.image, name="painted")
        config, finder, every = self._settings
        key = self._key
        if config.strength == 0.0:
            self.reset()  # by the time it is wanted again it is of long ago
            return painted
        seen = Reduced.of(image, finder.reduced_size(painted.size))
        if key is None or (key.shape, key.picture.seen.gray.shape) != (made.shape, seen.gray.shape):
            self.reset()
            self._set_key(made, seen, source.index)
            return painted
        flow = key.picture.find(seen, finder)
        stands = find_standing(flow)
        share = _find_share(flow, seen, key.picture.seen.colors, config.tolerance)
        unseen = share.mean() < _LEAST_KEPT * 255 or source.index < key.index
        cycle = key_cycle(every)
        ends = unseen or source.index // cycle > key.index // cycle
        carried = key.mixer.carry(flow, stands)
        kept = _weigh(share, stands, config.strength, left=_left(0) if ends else 1.0)
        left = _left((source.index - key.index) / every)
        if ends or left <= 0:
            self._let_go()
        if self._former is not None:
            other, part = self._carry_former(self._former, flow, seen, left=left)
            part = np.asarray(cv2.bitwise_and(part, cv2.bitwise_not(stands)), np.uint8)
            carried = key.mixer.join(carried, other, part)
        mixed = key.mixer(made, carried, kept, slack=config.slack)
        if ends or stands.all():
            passes = not unseen and not stands.all()
            key = self._set_key(made, seen, source.index, flow=flow if passes else None)
        # Elsewhere the key frame's source and its painting would no longer show the same.
        alike = cv2.min(stands, cv2.threshold(share, 127, 255, cv2.THRESH_BINARY)[1])
        key.mixer.update_key(mixed, np.asarray(alike, np.uint8).reshape(seen.gray.shape))
        return painted.with_image(mixed)

    def _carry_former(
        self, former: _Former, flow: Flow, seen: Reduced, *, left: float
    ) -> tuple[Image, Bytes]:
        """Return the painting of the key frame before, carried along, and its share, (h, w).

        Args:
          former: that key frame.
          flow: from the frame at hand to the key frame, float32 (h, w, 2).
          seen: the frame.
          left: what is left of it where it shows the same, 0 to 1.
        """
        places = flow + pixel_grid(*flow.shape[:2])
        more = cv2.remap(  # type: ignore[call-overload]  # one array of pairs, so no second one
            former.flow, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        whole = flow + np.asarray(more, np.float32)
        share = _find_share(whole, seen, former.colors, self.config.tolerance)
        part = cv2.LUT(share, np.rint(np.arange(256) * left).astype(np.uint8))
        return former.mixer.carry(whole, np.zeros_like(share)), np.asarray(part, np.uint8)

    def _set_key(self, made: Image, seen: Reduced, index: int, *, flow: Flow | None = None) -> _Key:
        """Take a frame for the key frame; the one before passes to it if the flow there is told."""
        self._let_go()
        before = self._key
        if before is not None and flow is not None:
            self._former = _Former(before.mixer, before.picture.seen.colors, flow)
        elif before is not None:
            self._free.append(before.mixer)
        mixer = self._free.pop()
        mixer.set_key(made)
        picture = KeyPicture.after(None if before is None else before.picture, seen)
        self._key = key = _Key(mixer, made.shape, picture, index)
        return key

    def _let_go(self) -> None:
        """Pass from no key frame any more."""
        if self._former is not None:
            self._free.append(self._former.mixer)
        self._former = None


def key_cycle(every: int) -> int:
    """Return the number of frames in which one is a key frame, where one in ``every`` is painted.

    It is the first of them that is painted, whose index is a multiple of it or comes next.
    """
    return _HELD + _PASSING * every


def _left(painted: float) -> float:
    """Return what is left of the key frame before, so many painted frames after the next one."""
    return 1 - (painted + 1) / (_PASSING + 1)


def _find_share(flow: Flow, seen: Reduced, there: Bytes, tolerance: float) -> Bytes:
    """Return where another picture shows the same, and may be held, uint8 (h, w)."""
    same = find_same(flow, seen.colors, there, tolerance)
    return np.asarray(cv2.min(same, _find_straight(flow)), np.uint8).reshape(same.shape)


def _find_straight(flow: Flow) -> Bytes:
    """Return where neighbors move alike, and all around, uint8 (h, w), with a soft border."""
    straight = cv2.erode(find_straight(flow, _BENT), _AROUND)
    return np.asarray(cv2.blur(straight, _AROUND.shape), np.uint8).reshape(flow.shape[:2])


def _weigh(share: Bytes, stands: Bytes, strength: float, *, left: float = 1.0) -> Bytes:
    """Return how much of the key frame is kept, of what shows the same in both.

    Args:
      share: as `_find_share` gives it.
      stands: where nothing moves, uint8 (h, w), else 0.
      strength: of the settings.
      left: what is left of it where things move, 0 to 1.

    Returns:
      uint8 (h, w).
    """
    levels = np.arange(256)
    moving = (1.0 - (1.0 - strength) ** 2) * left
    tables = [np.rint(levels * most).astype(np.uint8) for most in (moving, _MOST * strength)]
    kept, standing = (cv2.LUT(share, table) for table in tables)
    return np.asarray(cv2.copyTo(standing, stands, kept), np.uint8)
