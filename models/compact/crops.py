"""Pictures to distil on: photos and paintings, cropped, and damaged as optimization damages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ..pictures import list_pictures, read_pictures

__all__ = ["Crops"]

Batch = npt.NDArray[np.floating]


class Crops:
    """Random crops of photos and paintings, in memory; seeded.

    Args:
      data: the folder that holds ``photos/`` and the paintings.
      paintings: the folders of the paintings, in ``data``.
      crop: side of the crops, in pixels.
      held_out: whether to draw from the held-out pictures instead of those for training.
      seed: seed of all that is drawn.
    """

    def __init__(
        self,
        data: Path,
        *,
        crop: int,
        held_out: bool = False,
        seed: int = 0,
        paintings: Sequence[str] = ("paintings",),
    ) -> None:
        """Load the pictures, held out or not."""
        self.crop = crop
        self.random = np.random.default_rng(seed)
        self._photos = read_pictures(list_pictures(data / "photos", held_out=held_out))
        paths = [list_pictures(data / folder, held_out=held_out) for folder in paintings]
        self._paintings = [image for some in paths for image in read_pictures(some)]

    def photo(self) -> Batch:
        """Return a random crop of a photo, float32 RGB 0..255, (crop, crop, 3)."""
        return self._cut(self._photos)

    def painting(self) -> Batch:
        """Return a random crop of a painting, float32 RGB 0..255, (crop, crop, 3)."""
        return self._cut(self._paintings)

    def damaged(self) -> Batch:
        """Return a picture between a photo, a painting, and what an optimization makes of them."""
        random = self.random
        image = self.photo() if random.random() < 0.6 else self.painting()
        if random.random() < 0.25:
            share = random.uniform(0.2, 0.8)
            image = share * image + (1 - share) * self.painting()
        if random.random() < 0.3:
            mix = np.eye(3) * random.uniform(-1, 1.3) + random.normal(0, 0.4, (3, 3))
            image = (image - 128) @ mix.T + random.uniform(40, 210, 3)
        if random.random() < 0.3:
            image = image + self._noise(random.uniform(2, 60))
        if random.random() < 0.1:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), random.uniform(0.5, 3)))
        return np.clip(image, 0, 255).astype(np.float32)

    def _noise(self, strength: float) -> Batch:
        """Return noise of a random grain (1, 2 or 4 pixels), colored or gray."""
        side = self.crop // int(self.random.choice([1, 1, 2, 4]))
        channels = int(self.random.choice([1, 3]))
        noise = self.random.normal(0, strength, (side, side, channels)).astype(np.float32)
        grown = cv2.resize(noise, (self.crop, self.crop), interpolation=cv2.INTER_LINEAR)
        return np.asarray(grown, np.float32).reshape(self.crop, self.crop, channels)

    def _cut(self, images: list[npt.NDArray[np.uint8]]) -> Batch:
        random, side = self.random, self.crop
        image = images[random.integers(len(images))]
        short = min(image.shape[:2])
        scale = max(side / short, random.uniform(0.55, 1.3))
        window = round(side / scale)
        top = random.integers(image.shape[0] - window + 1)
        left = random.integers(image.shape[1] - window + 1)
        image = image[top : top + window, left : left + window]
        way = cv2.INTER_AREA if window > side else cv2.INTER_CUBIC
        sized = np.asarray(cv2.resize(image, (side, side), interpolation=way), np.float32)
        return sized[:, ::-1] if random.random() < 0.5 else sized
