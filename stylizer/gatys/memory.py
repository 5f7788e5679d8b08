"""What a video's frames leave to the next: canvases, carried along by the motion of the source."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image
from stylizer.gatys.optimizers import Canvas
from stylizer.protocols import State
from stylizer.temporal.flow import warp
from stylizer.temporal.motion import MotionFinder

__all__ = ["FrameMemory", "Recalled", "TemporalTarget", "combine_long_term"]

Weights = npt.NDArray[np.float32]

_FORM = 0.05
"""By how much the proportions of two pictures may differ, of which one is the other's reduction."""


@dataclass(frozen=True, slots=True)
class TemporalTarget:
    """What the temporal loss holds a canvas to.

    Attributes:
      picture: float32, (H, W, 3), 0..255.
      weights: float32, (H, W, 1), 0 where it is not held.
    """

    picture: Canvas
    weights: Weights


@dataclass(frozen=True, slots=True)
class Recalled:
    """The past, as it would look now.

    Attributes:
      start: the last canvas carried along, and where its thing was not seen, what that begins as:
        float32, (H, W, 3).
      carried: the same without the latter.
      reliable: float32, (H, W, 1), 1 where the last canvas can be relied on, else 0.
      target: for the temporal loss.
    """

    start: Canvas
    carried: Canvas
    reliable: Weights
    target: TemporalTarget


class FrameMemory:
    """The last few frames, as they were and as they were painted."""

    def __init__(
        self,
        finder: MotionFinder,
        *,
        distances: Sequence[int] = (1,),
        begin: Callable[[Image], Image | None] | None = None,
    ) -> None:
        """Remember nothing yet.

        Args:
          finder: finds the motion between frames.
          distances: how many frames back lie those that a frame is held to; increasing.
          begin: gives for a frame what its things begin as that come into view, uint8 RGB
            (H, W, 3); if None, or it gives None, they begin as they are, in the canvas's colors.
        """
        self._finder, self._begin = finder, begin
        self._distances = tuple(distances)
        self._frames: deque[tuple[Image, Canvas]] = deque(maxlen=self._distances[-1])

    @property
    def latest(self) -> tuple[Image, Canvas] | None:
        """The last frame and its canvas."""
        return self._frames[-1] if self._frames else None

    def forget(self) -> None:
        """Forget all frames."""
        self._frames.clear()

    def remember(self, image: Image, canvas: Canvas) -> None:
        """Take a frame, uint8 RGB (H, W, 3), and what was painted of it."""
        self._frames.append((image.copy(), canvas))

    def resize(self, size: tuple[int, int]) -> bool:
        """Bring all frames to another (width, height), if that has their proportions; say so."""
        if self.latest is None:
            return False
        height, width, _ = self.latest[0].shape
        if abs(size[0] * height - size[1] * width) > _FORM * size[1] * width:
            return False
        for number, (image, canvas) in enumerate(self._frames):
            small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            self._frames[number] = small, np.asarray(cv2.resize(canvas, size), np.float32)
        return True

    def save_state(self) -> State:
        """Return what it remembers, for a `stylizer.protocols.Resumable`."""
        images = {f"image{number}": image for number, (image, _) in enumerate(self._frames)}
        canvases = {f"canvas{number}": canvas for number, (_, canvas) in enumerate(self._frames)}
        return {**images, **canvases}

    def load_state(self, state: State) -> None:
        """Remember what another one did; nothing of an empty state."""
        self._frames.clear()
        for number in range(len(state) // 2):
            self._frames.append((state[f"image{number}"], state[f"canvas{number}"]))

    def recall(self, image: Image) -> Recalled | None:
        """Carry the past along to a new frame; None where there is no past of its size."""
        if self.latest is None or self.latest[0].shape != image.shape:
            return None
        before, canvas = self.latest
        motion = self._finder(image, before)
        carried = warp(canvas, motion.flow, interpolation="cubic")
        np.clip(carried, 0, 255, out=carried)
        start = carried.copy()
        if not motion.seen.all():
            new = None if self._begin is None else self._begin(image)
            if new is None:
                new = _recolored(image, before, canvas)
            np.copyto(start, new, where=~motion.seen[..., None])
        reliable = motion.reliable[..., None].astype(np.float32)
        pictures = [(carried, reliable)] if self._distances[0] == 1 else []
        for distance in self._distances[len(pictures) :]:
            if distance > len(self._frames):
                break
            earlier, painted = self._frames[-distance]
            motion = self._finder(image, earlier)
            mask = motion.reliable[..., None].astype(np.float32)
            pictures.append((np.clip(warp(painted, motion.flow), 0, 255), mask))
        return Recalled(start, carried, reliable, combine_long_term(pictures, image.shape))


def combine_long_term(
    pictures: Sequence[tuple[Canvas, Weights]], shape: tuple[int, ...]
) -> TemporalTarget:
    """Make one target of several earlier frames (Ruder et al. 2016, section 4.3).

    The paper sums temporal losses with weights ``c_long = max(c - sum of the c of nearer frames,
    0)``. Squares about several targets are, up to a constant, squares about their weighted mean
    with the sum of the weights, so that one target does for all.

    Args:
      pictures: earlier frames, carried along, the nearest first: (H, W, 3); each with ``c``,
        float32 (H, W, 1) in 0..1.
      shape: (H, W, 3).
    """
    if len(pictures) == 1:
        return TemporalTarget(*pictures[0])
    total = np.zeros((*shape[:2], 1), np.float32)
    target = np.zeros(shape, np.float32)
    nearer = np.zeros_like(total)
    for picture, reliable in pictures:
        share = np.maximum(reliable - nearer, 0)
        nearer += reliable
        target += share * picture
        total += share
    return TemporalTarget(np.asarray(target / np.maximum(total, 1e-6), np.float32), total)


def _recolored(content: Image, image: Image, canvas: Canvas) -> Image:
    """Give content (H, W, 3) the colors of the canvas: its mean and deviation by channel.

    Content as it is would stand out for as many frames as it takes to stylize it.

    Args:
      content: what is recolored.
      image: an earlier frame, (H, W, 3).
      canvas: what was painted of it.
    """
    (mean, deviation), (wanted, spread) = (cv2.meanStdDev(picture) for picture in (image, canvas))
    gain = (spread + 1.0) / (deviation + 1.0)
    affine = np.column_stack([np.diag(gain[:, 0]), wanted - gain * mean])
    recolored = cv2.transform(content.astype(np.float32), affine)
    return np.asarray(np.clip(np.rint(recolored), 0, 255), np.uint8)
