"""Generated style pictures: strokes, mosaics, stripes, inks and dots in random palettes.

They widen the styles that the network is trained on, which are mostly paintings.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["PATTERNS", "generate"]

Image = npt.NDArray[np.uint8]
Random = np.random.Generator


def generate(random: Random, *, side: int) -> Image:
    """Return a random pattern, uint8 RGB (side, side, 3)."""
    names = sorted(PATTERNS)
    return PATTERNS[names[random.integers(len(names))]](random, side)


def _palette(random: Random) -> npt.NDArray[np.uint8]:
    """Return 3 to 8 colors (N, 3): around one hue, or of all hues."""
    count = int(random.integers(3, 9))
    spread = random.choice([15, 40, 90])
    hue = (random.integers(180) + random.normal(0, spread, count)) % 180
    saturation = np.clip(random.normal(random.uniform(20, 220), 50, count), 0, 255)
    value = random.uniform(0, 255, count)
    colors = np.stack([hue, saturation, value], axis=-1).astype(np.uint8)[None]
    return np.asarray(cv2.cvtColor(colors, cv2.COLOR_HSV2RGB)[0], np.uint8)


def _pick(random: Random, palette: npt.NDArray[np.uint8]) -> tuple[int, int, int]:
    color = palette[random.integers(len(palette))]
    return int(color[0]), int(color[1]), int(color[2])


def _field(random: Random, side: int, grain: int) -> npt.NDArray[np.float32]:
    """Return smooth noise of the given grain in pixels, 0..1, (side, side)."""
    few = max(side // grain, 2)
    noise = random.random((few, few)).astype(np.float32)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def _strokes(random: Random, side: int) -> Image:
    """Paint short strokes along a smooth field of directions."""
    palette, canvas = _palette(random), np.zeros((side, side, 3), np.uint8)
    canvas[:] = _pick(random, palette)
    length, width = random.uniform(6, 40), int(random.integers(2, 10))
    angles = _field(random, side, int(random.integers(24, 128))) * 2 * np.pi
    tone = _field(random, side, int(random.integers(24, 96)))
    for _ in range(int(min(6 * side**2 / (length * width), 6000))):
        x, y = random.integers(side, size=2)
        angle = angles[y, x] + random.normal(0, 0.15)
        step = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        start, end = (np.array([x, y]) + sign * step for sign in (-1, 1))
        place = tone[y, x] * len(palette) + random.normal(0, 0.7)
        color = palette[int(np.clip(place, 0, len(palette) - 1))] + random.normal(0, 12, 3)
        line = [tuple(int(v) for v in point) for point in (start, end)]
        shade = tuple(int(v) for v in np.clip(color, 0, 255))
        cv2.line(canvas, line[0], line[1], shade, width, cv2.LINE_AA)
    return canvas


def _mosaic(random: Random, side: int) -> Image:
    """Lay tiles (Voronoi cells), with or without joints."""
    palette, count = _palette(random), int(random.integers(40, 900))
    seeds = (random.random((count, 2)) * side).astype(int)
    mask = np.full((side, side), 255, np.uint8)
    mask[seeds[:, 1], seeds[:, 0]] = 0
    _, labels = cv2.distanceTransformWithLabels(
        mask, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colors = palette[random.integers(len(palette), size=labels.max() + 1)]
    noisy = np.clip(colors + random.normal(0, 18, colors.shape), 0, 255)
    canvas = noisy.astype(np.uint8)[labels]
    if random.random() < 0.6:
        joints = cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((2, 2)))
        canvas[joints > 0] = _pick(random, palette)
    return np.asarray(canvas, np.uint8)


def _stripes(random: Random, side: int) -> Image:
    """Draw bent stripes or a hatching."""
    palette = _palette(random)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    total = np.zeros((side, side), np.float32)
    for _ in range(int(random.integers(1, 3))):
        angle, period = random.uniform(0, np.pi), random.uniform(4, 40)
        bend = _field(random, side, int(random.integers(30, 130))) * random.uniform(0, 40)
        total += np.sin(
            (rows * np.sin(angle) + columns * np.cos(angle) + bend) / period * 2 * np.pi
        )
    low, high = total.min(), total.max()
    place = (total - low) / (high - low + 1e-6) * (len(palette) - 1)
    if random.random() < 0.5:
        return np.asarray(palette[np.rint(place).astype(int)], np.uint8)
    ramps = [np.interp(place, range(len(palette)), palette[:, c]) for c in range(3)]
    return np.stack(ramps, axis=-1).astype(np.uint8)


def _ink(random: Random, side: int) -> Image:
    """Let ink run: noise of several grains, cut into a few tones."""
    palette = _palette(random)
    total = sum(
        _field(random, side, grain) * weight
        for grain, weight in zip((64, 24, 10, 4), random.random(4) + 0.1, strict=True)
    )
    tones = int(random.integers(2, len(palette) + 1))
    edges = np.quantile(total, np.sort(random.random(tones - 1)))
    canvas = palette[:tones][np.digitize(total, edges)]
    blur = random.choice([0.0, 0.7, 2.0])
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), blur) if blur else canvas, np.uint8)


def _dots(random: Random, side: int) -> Image:
    """Set dots or outlined discs, small and large."""
    palette, canvas = _palette(random), np.zeros((side, side, 3), np.uint8)
    canvas[:] = _pick(random, palette)
    least, most = sorted(random.uniform(1.5, 22, 2))
    for _ in range(int(min(2.5 * side**2 / (least * most), 5000))):
        x, y = (int(value) for value in random.integers(side, size=2))
        radius = int(random.uniform(least, most))
        filled = -1 if random.random() < 0.8 else 2
        cv2.circle(canvas, (x, y), radius, _pick(random, palette), filled, cv2.LINE_AA)
    return canvas


PATTERNS: dict[str, Callable[[Random, int], Image]] = {
    "dots": _dots,
    "ink": _ink,
    "mosaic": _mosaic,
    "stripes": _stripes,
    "strokes": _strokes,
}
"""The generators by name: ``generator(random, side)``."""
