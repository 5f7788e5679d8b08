"""Frames painted over a share of a painting before, so that its strokes stay and get firm.

A network that paints each frame by itself sets its strokes anew wherever the frame hardly holds
them: on a wall, a sleeve, a sky. Where it is given a little of what was painted before, it goes
over those strokes. So they stay where they were, and long ones grow out of short ones. That a
painting of the last frame, carried along, is given to the network with the next one is the idea of
Ruder et al. 2018 ("Artistic style transfer for videos and spherical images"), who train
a network for it; here any network takes it, mixed with the frame, and it comes from a key frame, so
that it is resampled once, and frames are painted side by side.

What is painted over itself may keep its strokes for ever. So that every run comes to the same
video, wherever it begins, one key frame in `AFRESH` frames is painted by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import cv2
import numpy as np

from stylizer.base import (
    Prepared,
    WrappedStylizer,
    begin_frame,
    find,
    frames_at_once,
    load_states,
    save_states,
)
from stylizer.effects.strength import check_share
from stylizer.frame import Cameras, Frame, Image, check_image
from stylizer.protocols import Repainter, State, Stylizer
from stylizer.temporal.coherence import AFRESH, CoherenceConfig, key_cycle
from stylizer.temporal.flow import Flow, resize_flow, warp
from stylizer.temporal.key_picture import (
    MOST_SIDE,
    KeyPicture,
    Reduced,
    find_same,
    make_search,
)

__all__ = [
    "USUAL_OVERPAINTING",
    "OverpaintFrames",
    "check_overpainting",
    "overpaint",
]

USUAL_OVERPAINTING = 0.35
"""The share where nobody asks for another one; chosen by eye and by the warping error."""

_TOLERANCE = 20.0
"""Gray levels: what differs by so much from what the key frame shows is led by 1/e of it. Strokes
that lead a little wrongly do less harm than none, other than paint that is seen itself."""

_SPECKS = 5
"""Side of a median filter, in pixels of the painting: specks are to stay so, and not to grow."""


def check_overpainting(share: float) -> None:
    """Make sure that a share is within 0 to 1.

    Raises:
      ConfigError: it is not.
    """
    check_share(share, name="overpainting")


def overpaint(painter: Stylizer, share: float) -> Stylizer:
    """Return a painter that paints over paintings; itself where the share is 0, or it cannot.

    Args:
      painter: only one that can paint a picture alone, a `stylizer.protocols.Repainter`, does.
      share: of the painting before, 0 to 1.

    Raises:
      ConfigError: the share is out of its range.
    """
    check_overpainting(share)
    if share == 0 or find(painter, Repainter) is None:
        return painter
    return OverpaintFrames(painter, share)


@dataclass(frozen=True, slots=True)
class _Key:
    """A key frame.

    Attributes:
      picture: what was painted.
      painting: of it, without specks, uint8 RGB (H, W, 3), as soon as it is there.
      index: the frame's.
    """

    picture: KeyPicture
    painting: Future[Image]
    index: int


class OverpaintFrames(WrappedStylizer):
    """Has frames painted over the painting of a key frame, carried along.

    It is a `stylizer.protocols.ParallelStylizer` and a `stylizer.protocols.Resumable`. Key frames
    follow each other as those of `stylizer.temporal.coherence`.
    """

    def __init__(self, stylizer: Stylizer, share: float) -> None:
        """Wrap ``stylizer``; the share is that of the key frame.

        What changes frames before they are painted may remember some, what paints may not.
        """
        super().__init__(stylizer)
        self._before = stylizer if isinstance(stylizer, Prepared) else None
        self._painter = stylizer if self._before is None else self._before.wrapped
        self._share = share
        self._key: _Key | None = None
        self.configure(CoherenceConfig())

    def configure(self, config: CoherenceConfig, *, every: int = 1) -> None:
        """Carry paintings so from the next frame on.

        Args:
          config: of what holds paintings still; at strength 0 nothing is painted over.
          every: one in how many frames comes here.
        """
        self._held, self._cycle = config.strength > 0, key_cycle(every)
        self._search = make_search(config.preset, MOST_SIDE)

    def reset(self) -> None:
        """Forget earlier frames; the wrapped stylizer too."""
        super().reset()
        self._key = None

    def save_state(self) -> State:
        """Return what is remembered of the key frame, and by the wrapped stylizer."""
        inner, key = save_states({"wrapped": self._stylizer}), self._key
        if key is None:
            return inner
        own = {"painting": key.painting.result(), "index": np.array(key.index)}
        return {**inner, **key.picture.save_state(), **own}

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        load_states({"wrapped": self._stylizer}, state)
        self._key = None
        if "painting" in state:
            painting: Future[Image] = Future()
            painting.set_result(state["painting"])
            self._key = _Key(KeyPicture.load(state), painting, int(state["index"]))

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        return self._begin(frame, self._painter)()

    @property
    def at_once(self) -> int:
        """How many frames the wrapped stylizer paints at once."""
        return frames_at_once(self._stylizer)

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        """Take the next frame, and return what paints it; called in their order, or at once.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        return self._begin(frame, lambda given: begin_frame(self._painter, given)())

    def _begin(self, frame: Frame, paint: Callable[[Frame], Frame]) -> Callable[[], Frame]:
        check_image(frame.image)
        given = frame if self._before is None else self._before.change(frame)
        told = _Told(paint, frame.cameras)
        if not self._held:
            self._key = None  # by the time it is wanted again it is of long ago
            return lambda: told(given)
        seen = Reduced.of(frame.image, self._search.reduced_size(frame.size))
        key = self._key
        if key is not None and not self._follows(key, frame, seen):
            key = None
        if key is None or frame.index // self._cycle > key.index // self._cycle:
            before = None if self._key is None else self._key.picture
            self._key = _Key(KeyPicture.after(before, seen), told.promise(), frame.index)
        if key is None:
            return lambda: told(given)
        flow = key.picture.find(seen, self._search)
        same = find_same(flow, seen.colors, key.picture.seen.colors, _TOLERANCE)
        share = np.asarray(same, np.float32) * np.float32(self._share / 255)
        return lambda: told(_mix(given, key.painting.result(), flow, share))

    def _follows(self, key: _Key, frame: Frame, seen: Reduced) -> bool:
        """Whether a frame may be painted over a key frame's painting."""
        near = key.index <= frame.index and frame.index // AFRESH == key.index // AFRESH
        return near and key.picture.seen.gray.shape == seen.gray.shape


class _Told:
    """Paints a frame, and tells those who wait for its painting."""

    def __init__(self, paint: Callable[[Frame], Frame], cameras: Cameras | None) -> None:
        self._paint, self._cameras = paint, cameras
        self._painting: Future[Image] | None = None

    def promise(self) -> Future[Image]:
        """Return what will have the painting, of a key frame."""
        self._painting = Future()
        return self._painting

    def __call__(self, frame: Frame) -> Frame:
        try:
            painted = self._paint(frame)
            if self._painting is not None:
                even = cv2.medianBlur(painted.image, _SPECKS)
                self._painting.set_result(np.asarray(even, np.uint8))
        except BaseException as error:
            if self._painting is not None and not self._painting.done():
                self._painting.set_exception(error)
            raise
        return painted.with_cameras(self._cameras)


def _mix(frame: Frame, painting: Image, flow: Flow, share: Flow) -> Frame:
    """Return a frame with a share, (h, w), of a painting that is carried to it in it."""
    if painting.shape != frame.image.shape:
        return frame
    carried = warp(painting, resize_flow(flow, frame.size))
    part = np.asarray(cv2.resize(share, frame.size), np.float32)
    mixed = cv2.blendLinear(carried, frame.image, part, 1 - part)
    return frame.with_image(np.asarray(mixed, np.uint8))
