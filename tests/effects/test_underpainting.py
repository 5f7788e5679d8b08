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
from stylizer.frame import Frame, Image
from stylizer.temporal.coherence import CoherenceConfig
from tests.stand_ins import CountingIdentity


class Twice(CountingIdentity):
    """Paints all black at first, gives back what it is given then, and keeps what happened."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, tuple[int, int]]] = []
        self.given: list[Image] = []

    def prepare(self, size: tuple[int, int]) -> None:
        self.told.append(("prepare", size))

    def repaint(self, painting: Image) -> Image:
        self.told.append(("repaint", (painting.shape[1], painting.shape[0])))
        return np.zeros_like(painting)

    def __call__(self, frame: Frame) -> Frame:
        self.told.append(("paint", frame.size))
        self.given.append(frame.image)
        return super().__call__(frame)


def gray(size: tuple[int, int], index: int = 0) -> Frame:
    return Frame(np.full((size[1], size[0], 3), 200, np.uint8), index, index / 30)


def test_a_frame_is_mixed_with_a_painting_of_half_its_size() -> None:
    painter = Twice()
    stylizer = Underpaint(painter, painter=painter, share=0.25)
    painted = stylizer(gray((100, 50), 3))
    assert (painted.size, painted.index) == ((100, 50), 3)
    assert (painted.image == 150).all()
    small = 56, 32  # multiples of 8
    assert painter.told == [("prepare", small), ("repaint", small), ("paint", (100, 50))]
    stylizer(gray((100, 50), 4))
    assert [what for what, _ in painter.told[3:]] == ["repaint", "paint"]
    stylizer(gray((40, 40), 5))
    assert painter.told[5:] == [("prepare", (24, 24)), ("repaint", (24, 24)), ("paint", (40, 40))]


def test_it_is_done_at_the_size_that_frames_are_painted_at() -> None:
    painter = Twice()
    still = EffectsConfig(coherence=CoherenceConfig(strength=0.0), cuts=None, stroke=1.0)
    composed = Composed(painter, replace(still, underpainting=0.5))
    assert find(composed, PaintSmaller) is not None
    assert composed(gray((1536, 768))).size == (1536, 768)
    assert painter.told[1:] == [("repaint", (384, 192)), ("paint", (768, 384))]
    assert (painter.given[0] == 100).all()
    with pytest.raises(ConfigError, match=r"underpainting: expected those that it was made with"):
        composed.configure(still)
    plain = Twice()
    Composed(plain, still)(gray((1536, 768)))
    assert [what for what, _ in plain.told] == ["paint"]


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
