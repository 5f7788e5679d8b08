"""Pictures painted beyond their borders."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from stylizer.base import begin_frame
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.beyond import PaintBeyond
from stylizer.frame import Camera, Cameras, Frame, Image
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
    for painted in (
        PaintBeyond(painter, margin=16)(frame),
        begin_frame(PaintBeyond(painter, margin=16), frame)(),
    ):
        np.testing.assert_array_equal(painted.image, frame.image)
        assert (painted.index, painted.time) == (5, 0.2)
        assert painted.image.flags.c_contiguous


def test_beyond_the_borders_lies_the_mirror_image() -> None:
    painter, frame = Framing(), noise(64, 40)
    PaintBeyond(painter, margin=16)(frame)
    [seen] = painter.seen
    assert seen.shape == (40 + 32, 64 + 32, 3)
    np.testing.assert_array_equal(seen[:16, 16:-16], frame.image[16:0:-1])


def test_a_picture_of_one_pixel_is_painted_as_it_is() -> None:
    assert (PaintBeyond(Framing(1), margin=16)(noise(1, 1)).image == 255).all()


def test_cameras_look_at_the_same_places_of_the_larger_picture() -> None:
    told: list[Cameras | None] = []

    class Told(Framing):
        def __call__(self, frame: Frame) -> Frame:
            told.append(frame.cameras)
            return super().__call__(frame)

    cameras = ((1.0, Camera(1.1j, 0.5)),)
    painted = PaintBeyond(Told(), margin=16)(noise(64, 40).with_cameras(cameras))
    assert told == [((1.0, Camera(1.1j, 0.5 * 64 / 96)),)]  # of widths
    assert painted.cameras == cameras


def test_it_gets_ready_for_the_larger_picture() -> None:
    class Ready(Framing):
        sizes: ClassVar[list[tuple[int, int]]] = []

        def prepare(self, size: tuple[int, int]) -> None:
            self.sizes.append(size)

    PaintBeyond(Ready(), margin=16).prepare((64, 40))
    assert Ready.sizes == [(96, 72)]
    PaintBeyond(Framing(), margin=16).prepare((64, 40))  # nothing to get ready


def test_videos_have_a_narrower_margin() -> None:
    sizes = []
    for coherence in (0.0, 0.8):
        painter = Framing()
        config = replace(STILL, coherence=CoherenceConfig(strength=coherence))
        Composed(painter, config)(noise(768, 384))
        sizes.append(painter.seen[0].shape)
    assert sizes == [(384 + 32, 768 + 32, 3), (384 + 16, 768 + 16, 3)]
