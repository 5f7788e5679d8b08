"""Stills painted beyond their borders."""

from dataclasses import replace

import numpy as np
import pytest

from stylizer.base import begin_frame, find
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.beyond import MARGIN, PaintBeyond
from stylizer.frame import Frame, Image
from stylizer.temporal.coherence import CoherenceConfig

STILL = EffectsConfig(coherence=CoherenceConfig(strength=0.0), cuts=None, stroke=1.0)


class Framing:
    """Draws a white border of so many pixels, as networks draw ticks there."""

    def __init__(self, breadth: int = 4) -> None:
        self._breadth = breadth
        self.seen: list[Image] = []

    def __call__(self, frame: Frame) -> Frame:
        self.seen.append(frame.image)
        painted = np.full_like(frame.image, 255)
        inner = (slice(self._breadth, -self._breadth),) * 2
        painted[inner] = frame.image[inner]
        return frame.with_image(painted)

    def reset(self) -> None:
        pass


def noise(width: int, height: int) -> Frame:
    picture = np.random.default_rng(0).integers(0, 200, (height, width, 3), dtype=np.uint8)
    return Frame(picture, 5, 0.2)


@pytest.mark.parametrize("size", [(64, 40), (40, 64), (10, 30)])
def test_the_picture_is_painted_to_its_borders(size: tuple[int, int]) -> None:
    painter, frame = Framing(), noise(*size)
    for painted in (PaintBeyond(painter)(frame), begin_frame(PaintBeyond(painter), frame)()):
        np.testing.assert_array_equal(painted.image, frame.image)
        assert (painted.index, painted.time) == (5, 0.2)
        assert painted.image.flags.c_contiguous


def test_beyond_the_borders_lies_the_mirror_image() -> None:
    painter, frame = Framing(), noise(64, 40)
    PaintBeyond(painter)(frame)
    [seen] = painter.seen
    assert seen.shape == (40 + 2 * MARGIN, 64 + 2 * MARGIN, 3)
    np.testing.assert_array_equal(seen[:MARGIN, MARGIN:-MARGIN], frame.image[MARGIN:0:-1])


def test_a_picture_of_one_pixel_is_painted_as_it_is() -> None:
    assert (PaintBeyond(Framing(1))(noise(1, 1)).image == 255).all()


def test_stills_are_painted_so_and_videos_are_not() -> None:
    assert find(Composed(Framing(), STILL), PaintBeyond) is not None
    moving = replace(STILL, coherence=CoherenceConfig())
    assert find(Composed(Framing(), moving), PaintBeyond) is None
