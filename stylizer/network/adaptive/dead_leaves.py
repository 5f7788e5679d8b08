"""Pictures of things of all sizes that hide one another, where there are no photos.

After Lee, Mumford and Huang 2001 ("Occlusion Models for Natural Images"), whose edges and spectra
are those of photographs, and Baradad et al. 2021 ("Learning to See by Looking at Noise"), who show
that networks can learn from them. Here the leaves have textures, soft edges and light.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image

__all__ = ["dead_leaves", "example_pictures"]

Random = np.random.Generator
Array = npt.NDArray[np.float32]
Box = tuple[slice, slice]

_COUNT, _SIDE, _SEED = 4, 160, 5
"""Examples, their sides in pixels, and what is in them."""


def dead_leaves(random: Random, *, side: int) -> Image:
    """Return a random picture, uint8 RGB (side, side, 3)."""
    whole = slice(0, side), slice(0, side)
    canvas = _texture(random, side, whole)
    count = int(random.integers(15, 90))
    radii = side * 0.5 * np.clip(0.06 * random.pareto(1.6, count) + 0.02, 0.02, 0.8)
    light = random.normal(0, 1, 2)
    for radius in np.sort(radii)[::-1]:
        mask = _shape(random, side, radius)
        if random.random() < 0.25:
            mask = _blurred(mask, random.uniform(1, 8))
        if not mask.any():
            continue
        box = _bounds(mask, margin=int(0.5 * radius))
        texture, share = _texture(random, side, box), mask[box]
        if random.random() < 0.4:  # round, lit from one side
            down, across = np.gradient(_blurred(share, max(1.0, 0.3 * radius)))
            shade = 1 + 0.3 * radius * (across * light[0] + down * light[1])
            texture *= np.clip(shade, 0.3, 1.7)[..., None]
        canvas[box] += (texture - canvas[box]) * share[..., None]
    if random.random() < 0.5:
        canvas = _blurred(canvas, random.uniform(0.4, 1.2))
    canvas += random.normal(0, random.uniform(0.01, 4), canvas.shape)
    return np.asarray(np.clip(canvas, 0, 255), np.uint8)


@functools.cache
def example_pictures() -> tuple[Image, ...]:
    """Return a few pictures, the same each time, to see how a style is painted; uint8 RGB."""
    random = np.random.default_rng(_SEED)
    return tuple(dead_leaves(random, side=_SIDE) for _ in range(_COUNT))


def _blurred(values: Array, sigma: float) -> Array:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def _color(random: Random) -> Array:
    """Return a color, (3,), 0..255: mostly dull, as things are."""
    values = random.integers(180), np.clip(random.normal(70, 60), 0, 255), random.uniform(10, 250)
    pixel = np.array(values).astype(np.uint8)[None, None]
    return np.asarray(cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0], np.float32)


def _bounds(mask: Array, *, margin: int) -> Box:
    """Return the rows and columns outside of which a mask is 0, with a margin of 1 or more."""
    left, top, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    room = max(1, margin)
    rows = slice(max(0, top - room), top + height + room)
    return rows, slice(max(0, left - room), left + width + room)


def _texture(random: Random, side: int, box: Box) -> Array:
    """Return a part of a gradient, stripes or clouds of two colors, (h, w, 3)."""
    angle = random.uniform(0, 2 * np.pi)
    line = np.arange(side, dtype=np.float32) / side - 0.5
    along = np.cos(angle) * line[box[1]] + np.sin(angle) * line[box[0], None]
    kind = random.integers(4)
    if kind == 0:
        shares = np.clip(along * random.uniform(0.2, 2) + 0.5, 0, 1)
    elif kind == 1:
        shares = 0.5 + 0.5 * np.sin(along * side / random.uniform(3, 40) * 2 * np.pi)
    else:
        fall = random.uniform(0.5, 1.6)
        clouds = np.zeros(along.shape, np.float32)
        for cells in (2, 4, 8, 16, 32, 64):
            few = random.standard_normal((cells + 2, cells + 2)).astype(np.float32)
            down, across = (_enlarging(cells + 2, side)[part] for part in box)
            clouds += down @ (few @ across.T) * np.float32(cells**-fall)
        shares = (clouds - clouds.min()) / (np.ptp(clouds) + 1e-6)
    low, high = _color(random), _color(random)
    high = low + (high - low) * random.uniform(0.1, 1)
    return np.asarray(low + (high - low) * shares[..., None], np.float32)


@functools.cache
def _enlarging(count: int, side: int) -> Array:
    """Return what enlarges so many values to ``side`` by cubic interpolation, (side, count)."""
    one = np.eye(count, dtype=np.float32)
    return np.asarray(cv2.resize(one, (count, side), interpolation=cv2.INTER_CUBIC), np.float32)


def _shape(random: Random, side: int, radius: float) -> Array:
    """Return an ellipse, a polygon, a blob or a bar, (side, side), 0..1."""
    mask = np.zeros((side, side), np.uint8)
    center = random.uniform(0, side, 2)
    kind = random.choice(4, p=[0.3, 0.25, 0.3, 0.15])
    if kind == 0:
        axes = max(2, int(radius)), max(2, int(radius * random.uniform(0.2, 1)))
        turn = random.uniform(0, 180)
        place = tuple(int(value) for value in center)
        cv2.ellipse(mask, place, axes, turn, 0, 360, (255,), -1, cv2.LINE_AA)
    elif kind in (1, 2):
        corners = int(random.integers(3, 8)) if kind == 1 else 60
        angles = np.sort(random.uniform(0, 2 * np.pi, corners))
        reach = random.uniform(0.5, 1.3, corners)
        if kind == 2:
            waves = np.arange(2, 7)[:, None]
            height = random.normal(0, 0.5 / waves)
            reach = 1 + (height * np.cos(waves * angles + random.uniform(0, 6, (5, 1)))).sum(0)
        outline = np.stack([np.cos(angles), np.sin(angles)], 1) * radius
        outline = outline * np.clip(reach, 0.15, 3)[:, None] + center
        cv2.fillPoly(mask, [outline.astype(np.int32)], (255,), cv2.LINE_AA)
    else:
        angle = random.uniform(0, np.pi)
        step = np.array([np.cos(angle), np.sin(angle)]) * side * random.uniform(0.2, 1.2)
        ends = [tuple(int(value) for value in center + sign * step) for sign in (-1, 1)]
        cv2.line(mask, ends[0], ends[1], (255,), max(1, int(0.25 * radius)), cv2.LINE_AA)
    return np.asarray(mask / 255, np.float32)
