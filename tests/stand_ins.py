"""Stylizers that need no network, frames from a list and to one: for tests of what is around."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np

from stylizer.base import Managed
from stylizer.frame import Frame, Image

__all__ = ["Boiling", "CountingIdentity", "KeptFrames", "ListedFrames"]


class ListedFrames(Managed):
    """A source of frames that are there already."""

    rate = Fraction(25)

    def __init__(self, frames: list[Frame]) -> None:
        self._frames, self.frame_count, self.size = frames, len(frames), frames[0].size

    def __iter__(self) -> Iterator[Frame]:
        yield from self._frames


class KeptFrames(Managed):
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)


class CountingIdentity:
    """Gives each frame back, and counts."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.resets: list[int] = []

    def __call__(self, frame: Frame) -> Frame:
        self.calls.append(frame.index)
        return frame.with_image(frame.image.copy())

    def reset(self) -> None:
        self.resets.append(len(self.calls))


class Boiling:
    """Paints each frame by itself, with a texture that is another one for every picture.

    The colors are the source's, blurred and inverted, so that a thing left behind would show.
    """

    def __init__(self, *, amount: float = 20.0) -> None:
        self._amount = amount

    def paint(self, image: Image) -> Image:
        seed = int(image.astype(np.int64).sum()) % (1 << 31)
        noise = np.random.default_rng(seed).normal(0, 1, image.shape[:2]).astype(np.float32)
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0), np.float32)
        noise *= self._amount / max(float(noise.std()), 1e-6)
        flat = 235 - 0.8 * cv2.blur(image, (5, 5)).reshape(image.shape).astype(np.float32)
        return np.asarray(np.rint(np.clip(flat + noise[..., None], 0, 255)), np.uint8)

    def __call__(self, frame: Frame) -> Frame:
        return frame.with_image(self.paint(frame.image))

    def reset(self) -> None:
        pass
