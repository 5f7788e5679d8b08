"""Draws the scene that the web page shows its styles on: a woman in a street under an evening sky.

``python -m stylizer.models.styles.sample_scene OUT.jpg`` writes ``stylizer/web/sample.jpg`` anew.
Nothing of it is taken from a picture (CC0). Sizes are pixels of a canvas of 960x720.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as pillow
from PIL import ImageDraw, ImageFilter

__all__ = ["draw_scene"]

Values = npt.NDArray[np.float32]
Color = tuple[int, ...]
Pen = Any
"""What Pillow draws with."""

_WIDTH, _HEIGHT = 960, 720
_SIZE = (320, 240)
_VANISHING = (560, 410)
"""Where the street's lines meet."""
_FACE = (300, 350)
_ROWS, _COLUMNS = (part.astype(np.float32) for part in np.mgrid[0:_HEIGHT, 0:_WIDTH])

_LEFT = [
    (470, 505, (150, 110, 95), 420, 3, 1),
    (400, 470, (190, 150, 110), 520, 3, 2),
    (300, 400, (165, 85, 70), 470, 3, 3),
    (150, 300, (200, 170, 125), 590, 4, 3),
    (-40, 150, (110, 125, 140), 520, 4, 3),
]
_RIGHT = [
    (610, 650, (175, 120, 90), 430, 3, 1),
    (650, 720, (140, 95, 105), 380, 3, 2),
    (720, 830, (205, 165, 110), 470, 3, 2),
    (830, 1000, (150, 75, 60), 420, 4, 3),
]
"""Houses from far to near: from and to (x), color, height, floors, windows a floor."""


def draw_scene() -> pillow.Image:
    """Return the scene, 320x240."""
    picture = _with_street(_sky())
    values: npt.NDArray[Any] = np.asarray(picture.filter(ImageFilter.GaussianBlur(1.6)), np.float32)
    x, y = _VANISHING
    values = values * (0.80 + 0.45 * _glow(x, y, 420, 260))[..., None]
    grain = _noise((60, 150, 320), 9) - 0.5
    values += grain[..., None] * np.where((_ROWS > 430)[..., None], 46, 20)
    picture = _with_woman(_picture(values))
    picture = _with_face(picture)
    picture = _with_features(picture)
    picture = _with_strands(picture)
    values = np.asarray(picture, np.float32)
    values = values + np.random.default_rng(7).normal(0, 5, (_HEIGHT, _WIDTH, 1))
    return _picture(values).resize(_SIZE, pillow.Resampling.LANCZOS)


def _noise(cells: Sequence[int], seed: int) -> Values:
    """Return noise of several sizes of cells, 0..1."""
    random = np.random.default_rng(seed)
    total, weight, amplitude = np.zeros((_HEIGHT, _WIDTH), np.float32), 0.0, 1.0
    for count in cells:
        shape = (max(2, count * _HEIGHT // _WIDTH) + 2, count + 2)
        coarse = random.random(shape).astype(np.float32)
        grid = pillow.fromarray((coarse * 255).astype(np.uint8))
        fine = grid.resize((_WIDTH, _HEIGHT), pillow.Resampling.BICUBIC)
        total += np.float32(amplitude) * np.asarray(fine, np.float32) / 255
        weight += amplitude
        amplitude *= 0.55
    return np.asarray(total / weight, np.float32)


def _glow(x: float, y: float, across: float, down: float) -> Values:
    """Return a soft spot, 0..1."""
    inside = ((_COLUMNS - x) / across) ** 2 + ((_ROWS - y) / down) ** 2
    return np.asarray(np.exp(-inside), np.float32)


def _picture(values: npt.NDArray[Any]) -> pillow.Image:
    return pillow.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _between(one: float, other: float, share: float) -> float:
    return one + (other - one) * share


def _shaded(color: Color, factor: float) -> Color:
    return tuple(min(255, int(value * factor)) for value in color)


def _sky() -> pillow.Image:
    down = np.clip(_ROWS / 430, 0, 1)[..., None]
    sky = np.array([70, 120, 190]) * (1 - down) + np.array([250, 205, 150]) * down
    share = np.clip((_noise((5, 11, 23, 47, 90), 1) - 0.48) * 4.2, 0, 1)
    share = (share * np.clip(1.25 - _ROWS / 420, 0, 1))[..., None]
    light = 1 - _noise((7, 19, 40), 2)
    cloud = np.stack([255 - 50 * light, 246 - 60 * light, 236 - 60 * light], -1)
    values = sky * (1 - share) + cloud * share
    return _picture(values + _glow(560, 395, 150, 90)[..., None] * np.array([70, 55, 10]))


def _with_street(picture: pillow.Image) -> pillow.Image:
    pen = ImageDraw.Draw(picture)
    x, y = _VANISHING
    ends = [(x - 26, y + 18), (x + 26, y + 18)]
    pen.polygon([(0, _HEIGHT), (0, 560), *ends, (_WIDTH, 590), (_WIDTH, _HEIGHT)], (120, 112, 108))
    ends = [(x - 20, y + 18), (x + 16, y + 18)]
    pen.polygon([(0, _HEIGHT), (0, 640), *ends, (_WIDTH, 700), (_WIDTH, _HEIGHT)], (92, 88, 90))
    for share in np.linspace(0.02, 1, 9) ** 1.7:  # the line in the middle
        left, top = _between(x, 420, share), _between(y + 18, _HEIGHT + 40, share)
        length, width = 60 * share, 16 * share + 1
        corners = [(left, top), (left + width, top)]
        corners += [(left + width - length * 0.25, top + length)]
        corners += [(left - length * 0.35, top + length)]
        pen.polygon(corners, (214, 204, 186))
    for number, house in enumerate(_LEFT):
        _draw_house(pen, house, seed=number, left=True)
    for number, house in enumerate(_RIGHT):
        _draw_house(pen, house, seed=10 + number, left=False)
    trees = pillow.new("RGBA", picture.size)
    _draw_trees(ImageDraw.Draw(trees))
    picture.paste(trees, (0, 0), trees)
    return picture


def _draw_house(
    pen: Pen, house: tuple[int, int, Color, int, int, int], *, seed: int, left: bool
) -> None:
    """Draw a house of `_LEFT` or `_RIGHT`: a wall with windows, in perspective, and a roof."""
    far, near, color, height, floors, windows = house
    x, y = _VANISHING
    scales = (560, 600) if left else (420, 440)

    def away(at: float) -> float:
        return x - at if left else at - x

    def top(at: float) -> float:
        return _between(y, y - height, away(at) / scales[0])

    def base(at: float) -> float:
        return _between(y + 14, 600, away(at) / scales[1])

    _draw_wall(
        pen,
        (far, near, top(far), top(near), base(far), base(near)),
        color if left else _shaded(color, 1.15),
        (floors, windows),
        seed,
    )
    rises = (26 / 400, 16 / 300) if left else (12 / 300, 22 / 400)
    ridge = [(near - 4, 0), (far + 6, 0)] if left else [(near, 0), (far, 0)]
    roof = [(far, top(far)), (near, top(near))]
    roof += [(ridge[0][0], top(near) - rises[1] * away(near))]
    roof += [(ridge[1][0], top(far) - rises[0] * away(far))]
    pen.polygon(roof, _shaded(color, 0.5))


def _draw_wall(
    pen: Pen,
    place: tuple[float, float, float, float, float, float],
    color: Color,
    windows: tuple[int, int],
    seed: int,
) -> None:
    """Draw a wall from far to near, with floors of windows, some of them lit."""
    far, near, far_top, near_top, far_base, near_base = place
    corners = [(far, far_top), (near, near_top), (near, near_base), (far, far_base)]
    pen.polygon(corners, color)
    random, (floors, columns) = np.random.default_rng(seed), windows
    for floor in range(floors):
        above, below = (floor + 0.22) / (floors + 0.35), (floor + 0.78) / (floors + 0.35)
        for column in range(columns):
            start, end = (column + 0.25) / columns, (column + 0.72) / columns
            points = []
            for across, down in ((start, above), (end, above), (end, below), (start, below)):
                high = _between(far_top, near_top, across)
                low = _between(far_base, near_base, across)
                points.append((_between(far, near, across), _between(high, low, down)))
            light = random.random()
            glass = _shaded((120, 150, 185), 0.5 + 0.5 * light)
            fill = (255, 214, 130) if light > 0.72 else glass
            pen.polygon(points, fill, outline=_shaded(color, 0.55))
            pen.line([points[3], points[2]], fill=_shaded(color, 1.25), width=5)


def _draw_trees(pen: Pen) -> None:
    random = np.random.default_rng(5)
    for x, y, size in ((690, 470, 0.55), (790, 500, 0.9)):
        trunk = [(x, y + 60 * size), (x, y - 60 * size)]
        pen.line(trunk, fill=(70, 50, 40, 255), width=int(14 * size))
        for _ in range(170):
            left = x + random.normal(0, 48 * size)
            top = y - 95 * size + random.normal(0, 42 * size)
            radius = random.uniform(8, 20) * size
            light = 0.6 * (1 - (top - (y - 180 * size)) / (170 * size)) * 0.7
            light = 0.6 + light + 0.2 * random.random()
            green = (int(70 * light), int(110 * light), int(52 * light), 235)
            pen.ellipse([left - radius, top - radius, left + radius, top + radius], green)


def _with_woman(picture: pillow.Image) -> pillow.Image:
    """Draw hair, neck and coat."""
    x, y = _FACE
    layer = pillow.new("RGBA", picture.size)
    pen = ImageDraw.Draw(layer)
    hair, coat = (52, 34, 30, 255), (165, 45, 50, 255)
    pen.ellipse([x - 150, y - 190, x + 150, y + 190], hair)
    pen.polygon(
        [(x - 148, y - 20), (x - 165, y + 210), (x + 165, y + 210), (x + 148, y - 20)], hair
    )
    shoulders = [(x - 290, _HEIGHT), (x - 215, y + 285), (x - 70, y + 225)]
    shoulders += [(x + 70, y + 225), (x + 215, y + 285), (x + 290, _HEIGHT)]
    pen.polygon(shoulders, coat)
    neck = [
        (x - 52, y + 120),
        (x - 70, y + 250),
        (x, y + 300),
        (x + 70, y + 250),
        (x + 52, y + 120),
    ]
    pen.polygon(neck, (206, 150, 122, 255))
    for side in (-1, 1):
        collar = [(x + 70 * side, y + 225), (x, y + 330), (x + 110 * side, y + 300)]
        pen.polygon(collar, (225, 205, 170, 255))
    return _laid(picture, layer, 2)


def _laid(picture: pillow.Image, layer: pillow.Image, deviation: float) -> pillow.Image:
    soft = layer.filter(ImageFilter.GaussianBlur(deviation))
    picture.paste(soft, (0, 0), soft)
    return picture


_SPOTS = [
    (-58, 48, 34, 26, (222, 120, 100), 0.45),  # cheeks
    (62, 48, 34, 26, (240, 140, 115), 0.5),
    (-8, 28, 16, 60, (165, 108, 84), 0.38),  # nose, its light, and below it
    (14, 30, 10, 50, (250, 205, 175), 0.5),
    (0, 62, 26, 9, (140, 80, 66), 0.55),
    (-47, -22, 34, 20, (150, 98, 78), 0.5),  # eye sockets
    (47, -22, 34, 20, (150, 98, 78), 0.5),
    (0, 128, 50, 22, (150, 100, 80), 0.3),  # chin
]
"""Of the face: where from its middle, how far across and down, color, share."""


def _with_face(picture: pillow.Image) -> pillow.Image:
    """Draw a face: an egg with light from the right."""
    x, y = _FACE
    across, down = (_COLUMNS - x) / 112, (_ROWS - y) / 152
    egg = across**2 * (1 + 0.28 * down) + down**2
    mask = np.clip((1 - egg) * 9, 0, 1)[..., None]
    depth = np.sqrt(np.clip(1 - egg, 0, 1))
    light = np.clip(0.42 + 0.42 * across + 0.62 * depth - 0.16 * down, 0, 1.25)
    skin = np.array([228, 172, 140]) * light[..., None] + np.array([26, 10, 8])
    for left, below, wide, high, color, share in _SPOTS:
        spot = (share * _glow(x + left, y + below, wide, high))[..., None]
        skin = skin * (1 - spot) + np.array(color) * spot
    return _picture(np.asarray(picture, np.float32) * (1 - mask) + skin * mask)


def _with_features(picture: pillow.Image) -> pillow.Image:
    """Draw eyes, brows, mouth and fringe."""
    x, y = _FACE
    layer = pillow.new("RGBA", picture.size)
    pen = ImageDraw.Draw(layer)
    for side in (-1, 1):
        _draw_eye(pen, x + side * 46, y - 20, side)
    upper = [(-50, 80), (-14, 84), (0, 88), (14, 84), (50, 80), (24, 99), (0, 102), (-24, 99)]
    lower = [(-50, 80), (-24, 97), (0, 101), (24, 97), (50, 80), (22, 112), (0, 117), (-22, 112)]
    for lip, color in ((upper, (150, 48, 52, 255)), (lower, (196, 82, 80, 255))):
        pen.polygon([(x + left, y + below) for left, below in lip], color)
    line = [(-52, 79), (-24, 96), (0, 100), (24, 96), (52, 79)]
    corners = [(x + left, y + below) for left, below in line]
    pen.line(corners, fill=(95, 28, 34, 255), width=4, joint="curve")
    pen.arc([x - 16, y + 42, x + 20, y + 68], 20, 160, fill=(120, 68, 56, 255), width=4)
    fringe = [(-122, 20), (-118, -90), (-40, -165), (60, -165), (118, -95), (122, 10)]
    fringe += [(100, -70), (30, -118), (-50, -112), (-98, -60)]
    pen.polygon([(x + left, y + below) for left, below in fringe], (60, 40, 34, 255))
    return _laid(picture, layer, 1.8)


def _draw_eye(pen: Pen, x: int, y: int, side: int) -> None:
    white = [(-29, 2), (-12, -13), (10, -13), (29, 2), (10, 11), (-12, 11)]
    pen.polygon([(x + left, y + below) for left, below in white], (244, 238, 230, 255))
    pen.ellipse([x - 13, y - 14, x + 13, y + 12], (70, 105, 110, 255))
    pen.ellipse([x - 6, y - 7, x + 6, y + 5], (18, 14, 14, 255))
    pen.ellipse([x + 2, y - 8, x + 7, y - 3], (255, 255, 255, 255))
    lid = [(x - 31, y + 1), (x - 12, y - 15), (x + 10, y - 15), (x + 31, y + 1)]
    pen.line(lid, fill=(45, 26, 22, 255), width=6, joint="curve")
    inner, outer = (4, 2) if side > 0 else (-2, -4)
    brow = [(x - 34, y - 34 - inner), (x - 2, y - 45), (x + 34, y - 34 + outer)]
    pen.line(brow, fill=(58, 36, 30, 255), width=10, joint="curve")


def _with_strands(picture: pillow.Image) -> pillow.Image:
    """Draw strands of hair and folds of the coat."""
    x, y = _FACE
    layer = pillow.new("RGBA", picture.size)
    pen, random = ImageDraw.Draw(layer), np.random.default_rng(3)
    for _ in range(130):
        side = random.choice([-1, 1])
        left = x + side * random.uniform(20, 125)
        top = y - 150 + abs(left - x) * 0.5
        right, end = x + side * random.uniform(120, 160), y + random.uniform(60, 205)
        light = random.uniform(0.7, 1.9)
        strand = [
            (left, top),
            (_between(left, right, 0.75), _between(top, end, 0.35)),
            (right, end),
        ]
        brown = (int(60 * light), int(40 * light), int(32 * light), 120)
        pen.line(strand, fill=brown, width=3, joint="curve")
    for _ in range(26):
        left, light = x + random.uniform(-230, 230), random.uniform(0.5, 1.35)
        top, end = y + 300 + random.uniform(-10, 30), left + random.uniform(-40, 40)
        red = (int(150 * light), int(40 * light), int(44 * light), 130)
        pen.line([(left, top), (end, _HEIGHT)], fill=red, width=9)
    return _laid(picture, layer, 2.2)


if __name__ == "__main__":
    draw_scene().save(Path(sys.argv[1]), quality=84)
