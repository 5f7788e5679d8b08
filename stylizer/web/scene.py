"""A small landscape, drawn by rule, to show styles on."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image

__all__ = ["draw_scene"]

_WIDTH, _HEIGHT = 320, 240
_FINE = 16
"""Points are given in pixels, and drawn to a sixteenth."""


@cache
def draw_scene() -> Image:
    """Return a lake between hills with a tree and a house: uint8 RGB, (240, 320, 3).

    It is drawn once, and shared: not to be written to.
    """
    image = _sky()
    cv2.circle(image, (236, 58), 24, (255, 236, 170), -1, cv2.LINE_AA)
    across = np.arange(0, _WIDTH + 1, 4)
    _hill(
        image, 118 - 34 * np.sin(across / 52.0 + 0.6) - 9 * np.sin(across / 17.0), (108, 124, 168)
    )
    _hill(image, 142 - 22 * np.sin(across / 70.0 + 2.4) - 4 * np.sin(across / 11.0), (86, 138, 108))
    _lake(image)
    _hill(image, 204 + 16 * np.sin(across / 60.0 + 3.6), (126, 150, 62))
    _house(image)
    _tree(image)
    rough = cv2.GaussianBlur(image, (0, 0), 0.7).astype(np.float32) + _texture()
    drawn = np.asarray(np.clip(np.rint(rough), 0, 255), np.uint8)
    drawn.setflags(write=False)
    return drawn


def _texture() -> npt.NDArray[np.float32]:
    """Return noise of several scales, as clouds and leaves have, (240, 320, 1) gray levels."""
    noise = np.random.default_rng(7)
    total = np.zeros((_HEIGHT, _WIDTH), np.float32)
    for cells, amount in ((5, 16), (12, 14), (30, 12), (80, 9)):
        coarse = noise.normal(0, amount, (cells * 3 // 4, cells)).astype(np.float32)
        total += cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    return total[..., None]


def _sky() -> Image:
    down = np.linspace(0, 1, _HEIGHT, dtype=np.float32)[:, None, None]
    top, low = np.array([70, 120, 205], np.float32), np.array([252, 214, 176], np.float32)
    mixed = top + (low - top) * np.minimum(1.0, down * 1.7)
    grown = np.broadcast_to(mixed, (_HEIGHT, _WIDTH, 3))
    return np.ascontiguousarray(np.rint(grown).astype(np.uint8))


def _fill(image: Image, points: list[tuple[float, float]], color: tuple[int, int, int]) -> None:
    corners = np.rint(np.array(points, np.float64) * _FINE).astype(np.int32)
    cv2.fillPoly(image, [corners], color, cv2.LINE_AA, shift=4)


def _hill(image: Image, ridge: npt.NDArray[np.float64], color: tuple[int, int, int]) -> None:
    across = np.arange(0, _WIDTH + 1, 4)
    points = [(float(x), float(y)) for x, y in zip(across, ridge, strict=True)]
    _fill(image, [*points, (_WIDTH, _HEIGHT), (0, _HEIGHT)], color)


def _lake(image: Image) -> None:
    """Mirror what stands above the shore, darker and in waves."""
    shore, last = 162, 226
    rows = np.arange(shore, last)
    mirrored = image[2 * shore - rows].astype(np.float32) * 0.8 + (8, 22, 40)
    waves = 12 * np.sin((rows - shore) ** 1.2 / 1.9)[:, None, None]
    image[shore:last] = np.clip(mirrored + waves, 0, 255).astype(np.uint8)


def _house(image: Image) -> None:
    _fill(image, [(222, 172), (270, 172), (270, 206), (222, 206)], (232, 220, 196))
    _fill(image, [(216, 174), (246, 150), (276, 174)], (170, 64, 48))
    _fill(image, [(240, 184), (252, 184), (252, 206), (240, 206)], (96, 62, 44))
    for left in (227, 257):
        _fill(image, [(left, 180), (left + 9, 180), (left + 9, 190), (left, 190)], (70, 92, 130))


def _tree(image: Image) -> None:
    _fill(image, [(60, 150), (70, 150), (76, 224), (56, 224)], (84, 58, 40))
    crown = [(64, 104, 34), (40, 126, 24), (88, 128, 25), (62, 136, 28)]
    for index, (x, y, radius) in enumerate(crown):
        shade = 12 * index
        cv2.circle(image, (x, y), radius, (38 + shade, 92 + shade, 44), -1, cv2.LINE_AA)
