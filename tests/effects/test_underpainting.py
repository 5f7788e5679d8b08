"""A first painting in broad strokes under the one that is seen."""

from dataclasses import replace

import numpy as np
import pytest

from stylizer.base import find
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.scale import PaintSmaller
from stylizer.effects.underpainting import Underpaint, check_underpainting
from stylizer.errors import ConfigError
from stylizer.frame import Camera, Frame, Image
from stylizer.temporal.coherence import CoherenceConfig
from tests.stand_ins import CountingIdentity


class Twice(CountingIdentity):
    """Paints what is bright black, gives back all else, and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Frame] = []

    @property
    def sizes(self) -> list[tuple[int, int]]:
        return [frame.size for frame in self.given]

    def repaint(self, painting: Image) -> Image:
        return painting

    def __call__(self, frame: Frame) -> Frame:
        self.given.append(frame)
        if frame.image.min() == 200:
            return frame.with_image(np.zeros_like(frame.image))
        return super().__call__(frame)


def gray(size: tuple[int, int], index: int = 0) -> Frame:
    return Frame(np.full((size[1], size[0], 3), 200, np.uint8), index, index / 30)


def test_a_frame_is_mixed_with_a_painting_of_half_its_size() -> None:
    painter = Twice()
    stylizer = Underpaint(painter, painter=painter, share=0.25)
    cameras = ((1.0, Camera(1.0, 0.3)),)
    painted = stylizer(gray((100, 50), 3).with_cameras(cameras))
    assert (painted.size, painted.index) == ((100, 50), 3)
    assert (painted.image == 150).all()
    assert painter.sizes == [(56, 32), (100, 50)]  # multiples of 8
    assert [(frame.index, frame.cameras) for frame in painter.given] == [(3, cameras)] * 2
    stylizer(gray((40, 40), 5))
    assert painter.sizes[2:] == [(24, 24), (40, 40)]


def test_it_is_done_at_the_size_that_frames_are_painted_at() -> None:
    painter = Twice()
    still = EffectsConfig(coherence=CoherenceConfig(strength=0.0), cuts=None, stroke=1.0)
    composed = Composed(painter, replace(still, underpainting=0.5))
    assert find(composed, PaintSmaller) is not None
    assert composed(gray((1536, 768))).size == (1536, 768)
    assert painter.sizes == [(384, 192), (768, 384)]
    assert (painter.given[1].image == 100).all()
    with pytest.raises(ConfigError, match=r"underpainting: expected those that it was made with"):
        composed.configure(still)
    plain = Twice()
    Composed(plain, still)(gray((1536, 768)))
    assert plain.sizes == [(768, 384)]


def test_what_cannot_paint_a_picture_alone_paints_once() -> None:
    painter = CountingIdentity()
    composed = Composed(painter, EffectsConfig(underpainting=0.5, cuts=None))
    assert (composed(gray((64, 48))).image == 200).all() and painter.calls == [0]


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_other_shares_are_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="underpainting: expected 0 to 1, got"):
        check_underpainting(share)
    with pytest.raises(ConfigError, match="underpainting: expected 0 to 1, got"):
        EffectsConfig(underpainting=share)
