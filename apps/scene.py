"""What the demonstration is made of: a moving camera over real photographs, and a painted style.

The photographs ship inside the scikit-image package, so that nothing is fetched: ``astronaut``
(Eileen Collins; NASA Great Images, public domain) and ``rocket`` (the launch of DSCOVR on a Falcon
9; SpaceX, released into the public domain). The style is painted here, stroke by stroke, and is
nobody's but ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np

from stylizer.base import Managed
from stylizer.errors import SourceError
from stylizer.frame import Frame, Image

__all__ = ["MovingCamera", "paint_style", "photo_wall"]

_PALETTE = (
    ((18, 28, 74), 0.20),
    ((30, 58, 128), 0.24),
    ((52, 104, 168), 0.20),
    ((112, 164, 190), 0.12),
    ((232, 188, 62), 0.12),
    ((248, 226, 150), 0.05),
    ((196, 92, 40), 0.07),
)
"""RGB colors of the strokes, dark to light, and the share of the picture that each covers."""


def paint_style(*, size: tuple[int, int] = (640, 480), seed: int = 7) -> Image:
    """Paint strokes that follow whirls, light over dark.

    Args:
      size: (width, height) in pixels.
      seed: seed of whirls and strokes.

    Returns:
      uint8 RGB, (H, W, 3).
    """
    random = np.random.default_rng(seed)
    width, height = size
    angle, tone = _whirls(size, random)
    shares = np.cumsum([share for _, share in _PALETTE])
    bounds = np.quantile(tone, np.clip(shares / shares[-1], 0, 1))
    canvas = np.full((height, width, 3), _PALETTE[0][0], np.uint8)
    for breadth, share in ((15, 1.1), (8, 1.0), (5, 0.4)):
        count = round(share * width * height / breadth**2)
        for x, y in random.integers((0, 0), (width, height), size=(count, 2)):
            rank = int(np.searchsorted(bounds, tone[y, x] + random.normal(0, 0.04)))
            color = np.array(_PALETTE[min(rank, len(_PALETTE) - 1)][0], float)
            color = np.clip(color * random.uniform(0.8, 1.2) + random.normal(0, 7, 3), 0, 255)
            _stroke(canvas, angle, (float(x), float(y)), color, breadth)
    return canvas


def _whirls(size: tuple[int, int], random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the direction of the strokes (radians) and the tone of the picture, each (H, W)."""
    width, height = size
    x, y = np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float))
    along = np.full((height, width), 1.0)
    across = 0.5 * np.sin(x / width * 5)
    tone = 0.2 * np.sin(x / width * 4 + y / height * 7)
    for index in range(12):
        cx = (index % 4 + random.uniform(0.1, 0.9)) * width / 4
        cy = (index // 4 + random.uniform(0.1, 0.9)) * height / 3
        radius = random.uniform(0.04, 0.12) * width
        distance = np.hypot(x - cx, y - cy) + 1e-6
        pull = 4 * np.exp(-((distance / radius) ** 2))
        turn = 1 if index % 2 else -1
        along += pull * turn * -(y - cy) / distance
        across += pull * turn * (x - cx) / distance
        rings = 0.5 + 0.5 * np.cos(distance / radius * 7)
        tone += 1.2 * np.exp(-((distance / radius) ** 2)) * (0.45 + 0.55 * rings)
    return np.arctan2(across, along), tone


def _stroke(
    canvas: Image, angle: np.ndarray, at: tuple[float, float], color: np.ndarray, breadth: int
) -> None:
    """Draw one stroke from ``at``: a body, and a lighter ridge beside it, as thick paint has."""
    height, width = canvas.shape[:2]
    points = [at]
    for _ in range(5):
        x, y = points[-1]
        turn = angle[min(max(int(y), 0), height - 1), min(max(int(x), 0), width - 1)]
        points.append((x + breadth * 0.8 * math.cos(turn), y + breadth * 0.8 * math.sin(turn)))
    path = np.round(np.array(points) * 8).astype(np.int32)
    for shift, light, thick in ((0, 1.0, breadth), (-breadth // 4, 1.22, max(1, breadth // 4))):
        tint = [float(value) for value in np.clip(color * light, 0, 255)]
        cv2.polylines(canvas, [path + shift * 8], False, tint, thick, cv2.LINE_AA, shift=3)


def photo_wall(*, height: int = 512) -> Image:
    """Hang the two photographs side by side, blended where they meet.

    Args:
      height: of the wall, in pixels.

    Returns:
      uint8 RGB, (height, about 2.4 * height, 3).

    Raises:
      SourceError: scikit-image is not installed.
    """
    try:
        from skimage import data
    except ImportError as error:
        raise SourceError(
            "demo: expected scikit-image, whose photographs it shows; pip install 'stylizer[demo]'"
        ) from error
    left, right = (
        cv2.resize(
            photo,
            (round(photo.shape[1] * height / photo.shape[0]), height),
            interpolation=cv2.INTER_AREA if photo.shape[0] > height else cv2.INTER_CUBIC,
        ).astype(np.float32)
        for photo in (data.astronaut(), data.rocket())
    )
    seam = height // 8
    fade = np.linspace(0, 1, seam, dtype=np.float32)[None, :, None]
    middle = left[:, -seam:] * (1 - fade) + right[:, :seam] * fade
    return np.concatenate([left[:, :-seam], middle, right[:, seam:]], axis=1).astype(np.uint8)


class MovingCamera(Managed):
    """A source: a camera that travels over a still picture from left to right, zooming and swaying.

    Positions are fractions of a pixel, so that the motion is as smooth as a real camera's.

    Attributes:
      size: (width, height) in pixels.
      rate: frames per second.
      frame_count: how many frames there are.
    """

    def __init__(
        self,
        picture: Image,
        *,
        size: tuple[int, int] = (320, 180),
        rate: Fraction = Fraction(30),
        frame_count: int = 90,
    ) -> None:
        """Look at ``picture``, uint8 RGB (H, W, 3), which should be larger than ``size``."""
        self._picture = picture
        self.size = size
        self.rate = rate
        self.frame_count = frame_count

    def __iter__(self) -> Iterator[Frame]:
        """Give every frame."""
        for index in range(self.frame_count):
            image = self._look(index / max(1, self.frame_count - 1))
            yield Frame(image=image, index=index, time=float(index / self.rate))

    def _look(self, moment: float) -> Image:
        """Return what the camera sees at ``moment``, 0 (start) to 1 (end)."""
        width, height = self.size
        picture_height, picture_width = self._picture.shape[:2]
        ease = moment * moment * (3 - 2 * moment)
        view = picture_height * (0.72 + 0.16 * math.sin(moment * math.pi * 2 - 0.5))
        margin = view * width / height / 2
        x = margin + (picture_width - 2 * margin) * 0.85 * ease
        y = picture_height * 0.5 + (picture_height - view) * 0.4 * math.sin(moment * 5 - 1.2)
        sway = math.radians(2.5) * math.sin(moment * 7)
        step = view / height
        cosine, sine = step * math.cos(sway), step * math.sin(sway)
        matrix = np.array(
            [
                [cosine, -sine, x - cosine * width / 2 + sine * height / 2],
                [sine, cosine, y - sine * width / 2 - cosine * height / 2],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(
            self._picture, matrix, self.size, flags=flags, borderMode=cv2.BORDER_REFLECT_101
        )
        return np.ascontiguousarray(seen, dtype=np.uint8)
