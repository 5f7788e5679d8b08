"""Draws the style pictures that no painter made: a stained glass, a mosaic, a pencil drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image

__all__ = ["DRAWINGS"]

Random = np.random.Generator
Map = npt.NDArray[np.float32]

_SIZE = (512, 672)
"""Height and width, in pixels; drawn at twice that."""


def _smooth(random: Random, shape: tuple[int, int], grain: float) -> Map:
    """Return smooth noise of a grain in pixels, about 0..1."""
    rows, columns = (max(2, int(side / grain)) for side in shape)
    few = random.random((rows, columns)).astype(np.float32)
    large = cv2.resize(few, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large, 0, 1), np.float32)


def _cells(seeds: npt.NDArray[np.float64], shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Return the number of the nearest seed (row, column) for each pixel."""
    mask = np.full(shape, 255, np.uint8)
    rows, columns = np.clip(np.rint(seeds).astype(int), 0, np.array(shape) - 1).T
    mask[rows, columns] = 0
    kind = cv2.DIST_LABEL_PIXEL
    _, labels = cv2.distanceTransformWithLabels(mask, cv2.DIST_L2, 5, labelType=kind)
    return np.asarray(labels, np.int32)


def _edges(labels: npt.NDArray[np.int32], width: int) -> npt.NDArray[np.bool_]:
    """Return where cells meet, as wide as that."""
    near = np.zeros(labels.shape, bool)
    near[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    near[1:] |= labels[1:] != labels[:-1]
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return np.asarray(cv2.dilate(near.astype(np.uint8), kernel) > 0)


def _finished(canvas: npt.NDArray[np.floating]) -> Image:
    small = cv2.resize(canvas.astype(np.float32), _SIZE[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(np.rint(small), 0, 255), np.uint8)


def _pick(random: Random, palette: npt.NDArray[np.float64], tone: Map) -> npt.NDArray[np.float64]:
    """Return a color of the palette for each tone 0..1, (N, 3), mostly its own."""
    place = tone * len(palette) + random.normal(0, 0.6, tone.shape)
    return np.asarray(palette[np.clip(place.astype(int), 0, len(palette) - 1)])


def _stained_glass() -> Image:
    """Draw panes of deep colors between lead, with the light uneven in each."""
    random, shape = np.random.default_rng(11), (2 * _SIZE[0], 2 * _SIZE[1])
    density = _smooth(random, shape, 240)
    seeds = random.random((2600, 2)) * shape
    place = seeds.astype(int)
    kept = seeds[random.random(len(seeds)) < 0.03 + 0.22 * density[place[:, 0], place[:, 1]]]
    labels = _cells(kept, shape)
    palette = np.array(
        [
            *([18, 38, 130], [24, 84, 170], [30, 130, 120], [20, 110, 50], [215, 170, 30]),
            *([235, 120, 20], [190, 25, 30], [120, 15, 60], [240, 225, 170], [70, 30, 120]),
        ],
        np.float64,
    )
    tone = _smooth(random, shape, 300)
    middle = tone[kept[:, 0].astype(int), kept[:, 1].astype(int)]
    panes = _pick(random, palette, middle) * random.uniform(0.75, 1.15, (len(kept), 1))
    glow = 0.72 + 0.5 * _smooth(random, shape, 60) + 0.12 * _smooth(random, shape, 9)
    canvas = panes[(labels - 1) % len(kept)] * glow[..., None]
    canvas[_edges(labels, 15)] = [16, 14, 16]
    return _finished(canvas)


def _mosaic() -> Image:
    """Lay small stones along curves, as Roman and Byzantine floors and vaults have them."""
    random, shape = np.random.default_rng(5), (2 * _SIZE[0], 2 * _SIZE[1])
    field = _smooth(random, shape, 330)
    field = np.asarray(cv2.GaussianBlur(field, (0, 0), 24), np.float32)
    down, across = np.gradient(field)
    angle = np.arctan2(down, across)
    pitch = 26.0
    rows, columns = np.mgrid[0 : shape[0] : pitch, 0 : shape[1] : pitch]
    seeds = np.stack([rows.ravel(), columns.ravel()], 1)
    for _ in range(40):  # stones come to lie in rows along the field's curves
        at = np.clip(seeds.astype(int), 0, np.array(shape) - 1)
        turn = angle[at[:, 0], at[:, 1]]
        level = field[at[:, 0], at[:, 1]] * 46
        off = (level - np.rint(level)) * 0.18 * pitch
        seeds = seeds - np.stack([np.sin(turn), np.cos(turn)], 1) * off[:, None]
    seeds += random.normal(0, 1.2, seeds.shape)
    labels = _cells(seeds, shape)
    palette = np.array(
        [
            *([40, 34, 48], [30, 66, 110], [52, 118, 150], [150, 182, 170], [232, 220, 186]),
            *([214, 176, 84], [196, 120, 52], [156, 58, 40], [96, 40, 36]),
        ],
        np.float64,
    )
    at = np.clip(seeds.astype(int), 0, np.array(shape) - 1)
    bands = (np.rint(field[at[:, 0], at[:, 1]] * 9) / 9).astype(np.float32)
    stones = _pick(random, palette, bands) + random.normal(0, 11, (len(seeds), 3))
    canvas = stones[(labels - 1) % len(seeds)]
    canvas = canvas + 14 * (_smooth(random, shape, 5)[..., None] - 0.5)
    canvas[_edges(labels, 5)] = [186, 176, 158]
    return _finished(canvas)


def _pencil() -> Image:
    """Hatch light and shade with soft pencil on paper, in layers that cross."""
    random, shape = np.random.default_rng(8), (2 * _SIZE[0], 2 * _SIZE[1])
    shade = 0.75 * _smooth(random, shape, 260) + 0.35 * _smooth(random, shape, 70)
    things = _cells(random.random((26, 2)) * shape, shape)
    own = random.normal(0, 0.2, things.max() + 1)
    shade = np.clip(shade + own[things] - 0.14, 0, 1)
    canvas = 236 + 8 * (_smooth(random, shape, 3) - 0.5)
    for layer, angle in enumerate((0.75, 0.95, 2.2, 0.35)):
        wanted = np.clip(shade * 4 - layer, 0, 1)
        ink = np.zeros(shape, np.float32)
        step = np.array([np.sin(angle), np.cos(angle)])
        for _ in range(15000):
            middle = random.random(2) * shape
            dark = wanted[int(middle[0]), int(middle[1])]
            if random.random() > dark:
                continue
            reach = random.uniform(14, 46) * step + random.normal(0, 1.5, 2)
            ends = [tuple(int(v) for v in (middle + sign * reach)[::-1]) for sign in (-1, 1)]
            cv2.line(ink, ends[0], ends[1], (float(random.uniform(0.25, 0.7)),), 3, cv2.LINE_AA)
        grain = 0.55 + 0.9 * _smooth(random, shape, 2.5)
        canvas = canvas * (1 - 0.62 * np.clip(cv2.GaussianBlur(ink, (0, 0), 0.8) * grain, 0, 1))
    outlines = cv2.GaussianBlur(_edges(things, 4).astype(np.float32), (0, 0), 1.2)
    canvas = canvas * (1 - 0.8 * outlines * (0.4 + 0.6 * _smooth(random, shape, 40)))
    return _finished(canvas[..., None] * np.array([1.0, 0.99, 0.965]))


DRAWINGS: Mapping[str, Callable[[], Image]] = {
    "mosaic": _mosaic,
    "pencil": _pencil,
    "stained_glass": _stained_glass,
}
"""By the names of the styles."""
