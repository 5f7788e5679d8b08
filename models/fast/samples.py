"""What the fast network is trained on: crops of photos, and styles made as various as can be."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ..pictures import TEXTURES, list_pictures, read_pictures
from .patterns import generate

__all__ = [
    "HELD_OUT_TEXTURES",
    "Contents",
    "Styles",
    "crop",
    "recolor",
    "square",
]

Image = npt.NDArray[np.uint8]
Random = np.random.Generator

HELD_OUT_TEXTURES = 4
"""How many in ten pictures with strong texture are held out: the evaluation needs them."""

_CONTENT_SIDES, _STYLE_SIDES = (230, 640), (270, 530)
"""Short side of the whole picture at the scales that crops of it are seen at, in pixels: about what
frames have in use, and style pictures (`stylizer.network.fast.spec.FAST.style_side`)."""


def square(image: Image, side: int) -> Image:
    """Return the middle of a picture as a square of ``side`` pixels."""
    short = min(image.shape[:2])
    top, left = ((length - short) // 2 for length in image.shape[:2])
    return _sized(image[top : top + short, left : left + short], side)


class Contents:
    """Random crops of photos; now and then of paintings."""

    def __init__(self, data: Path, random: Random, *, side: int) -> None:
        """Load the pictures to train on from ``photos/`` and ``paintings/``."""
        self._photos = read_pictures(_listed(data / "photos"))
        self._paintings = read_pictures(_listed(data / "paintings"))
        self._random, self._side = random, side

    def draw(self) -> Image:
        """Return a picture to paint, uint8 RGB (side, side, 3)."""
        random = self._random
        images = self._photos if random.random() < 0.93 else self._paintings
        image = images[random.integers(len(images))]
        image = crop(image, random, self._side, _CONTENT_SIDES)
        if random.random() < 0.3:
            gamma = np.exp(random.normal(0, 0.35))
            table = (np.linspace(0, 1, 256) ** gamma * 255).astype(np.uint8)
            image = table[image]
        return image


class Styles:
    """Pictures to paint after: paintings, photos and patterns, cropped and recolored."""

    def __init__(self, data: Path, random: Random, *, side: int) -> None:
        """Load the pictures to train on from ``paintings/``, ``photos/`` and ``styles/``."""
        paths = _listed(data / "paintings")
        textured = [path for path in paths if path.name.startswith(TEXTURES)]
        known = sorted((data / "styles").glob("*.jpg"))
        self._groups = [
            (0.45, read_pictures(paths)),
            (0.15, read_pictures(textured)),
            (0.15, read_pictures(known)),
            (
                0.08,
                read_pictures(_listed(data / "photos")[::4]),
            ),
        ]
        self._random, self._side = random, side

    def draw(self) -> Image:
        """Return a style picture, uint8 RGB (side, side, 3)."""
        random, place = self._random, self._random.random()
        image = None
        for share, images in self._groups:
            if place < share and images:
                picture = images[random.integers(len(images))]
                image = crop(picture, random, self._side, _STYLE_SIDES)
                break
            place -= share
        if image is None:
            image = generate(random, side=self._side)
        if random.random() < 0.4:
            image = recolor(image, random)
        return np.ascontiguousarray(np.rot90(image) if random.random() < 0.15 else image)


def recolor(image: Image, random: Random) -> Image:
    """Change the colors of a picture: another hue, inverted, mixed, or another tone."""
    kind = random.integers(4)
    if kind == 0:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + random.integers(180)) % 180
        return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)
    if kind == 1:
        return np.asarray(255 - image, np.uint8)
    centered = image.astype(np.float32) - image.mean((0, 1))
    if kind == 2:
        mix = np.eye(3) * random.uniform(0.3, 1.1) + random.normal(0, 0.35, (3, 3))
        moved = centered @ mix.T + random.uniform(50, 200, 3)
    else:
        moved = centered * random.uniform(0.6, 1.6) + image.mean((0, 1)) + random.uniform(-30, 30)
    return np.asarray(np.clip(moved, 0, 255), np.uint8)


def _listed(folder: Path) -> list[Path]:
    return list_pictures(folder, held_out=False, textures=HELD_OUT_TEXTURES)


def crop(image: Image, random: Random, side: int, whole: tuple[int, int]) -> Image:
    """Cut a square as of a picture whose short side is within ``whole``; mirrored half the time."""
    least, most = sorted(min(side / short, 1.0) for short in whole)
    window = int(min(image.shape[:2]) * random.uniform(least, most))
    top, left = (int(random.integers(length - window + 1)) for length in image.shape[:2])
    cut = _sized(image[top : top + window, left : left + window], side)
    return cut[:, ::-1] if random.random() < 0.5 else cut


def _sized(image: Image, side: int) -> Image:
    way = cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (side, side), interpolation=way), np.uint8)
