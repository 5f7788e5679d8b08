"""A first painting in broad strokes under the one that is seen."""

from dataclasses import replace

import numpy as np
import pytest

from stylizer.base import find
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.beyond import STILL_MARGIN
from stylizer.effects.scale import PaintSmaller
from stylizer.effects.underpainting import Underpaint, check_underpainting, underpaint
from stylizer.errors import ConfigError
from stylizer.frame import Camera, Frame, Image
from stylizer.protocols import Stylizer
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


class Flickering(CountingIdentity):
    """Paints small pictures as rows that are bright or dark in turns, and gives back all else."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[tuple[int, int]] = []

    def repaint(self, painting: Image) -> Image:
        return painting

    def prepare(self, size: tuple[int, int]) -> None:
        self.prepared.append(size)

    def __call__(self, frame: Frame) -> Frame:
        if frame.size == (64, 48):
            rows = np.where(np.arange(48) // 2 % 2 == frame.index % 2, 100, 140).astype(np.uint8)
            return frame.with_image(
                np.ascontiguousarray(np.broadcast_to(rows[:, None, None], (48, 64, 3)))
            )
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
    beyond = 2 * STILL_MARGIN
    assert painter.sizes == [(384 + STILL_MARGIN, 192 + STILL_MARGIN), (768 + beyond, 384 + beyond)]
    assert (painter.given[1].image == 100).all()
    with pytest.raises(ConfigError, match=r"finer: expected those that it was made with"):
        composed.configure(still)
    plain = Twice()
    Composed(plain, still)(gray((1536, 768)))
    assert plain.sizes == [(768 + beyond, 384 + beyond)]


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


def paint(stylizer: Stylizer, *, first: int = 0) -> list[Image]:
    """Return eight paintings of frames that all show the same."""
    return [stylizer(gray((128, 96), first + n)).image for n in range(8)]


def flicker(pictures: list[Image]) -> float:
    """Return by how much each one differs from the one before, in gray levels, in the mean."""
    return float(np.abs(np.diff(np.array(pictures, np.float32), axis=0)).mean())


def test_the_first_painting_is_held_still() -> None:
    painter = Flickering()
    stylizer = Underpaint(painter, painter=painter, share=0.5)
    free = flicker(paint(stylizer))
    stylizer.configure(CoherenceConfig(strength=0.8))
    held = paint(stylizer, first=8)
    assert flicker(held) < 0.5 * free
    stylizer.reset()
    np.testing.assert_array_equal(paint(stylizer, first=8), held)


def test_what_it_remembers_can_be_saved() -> None:
    one, other, fresh = (
        Underpaint(painter, painter=painter, share=0.5)
        for painter in (Flickering(), Flickering(), Flickering())
    )
    for stylizer in (one, other, fresh):
        stylizer.configure(CoherenceConfig(strength=0.8))
    paint(one)
    other.load_state(one.save_state())
    expected = paint(one, first=9)
    np.testing.assert_array_equal(paint(other, first=9), expected)
    assert (np.array(paint(fresh, first=9)) != expected).any()


def test_it_can_be_turned_off_between_frames() -> None:
    painter = Flickering()
    stylizer = Underpaint(painter, painter=painter, share=0.5)
    stylizer.prepare((128, 96))
    assert painter.prepared == [(128, 96), (64, 48)]
    stylizer.on = False
    assert all((image == 200).all() for image in paint(stylizer))
    stylizer.prepare((256, 192))
    assert painter.prepared[2:] == [(256, 192)]


def test_who_paints_once_is_left_as_it_is() -> None:
    once, twice = CountingIdentity(), Twice()
    assert underpaint(once, 0.5) is once
    assert underpaint(twice, 0.0) is twice
    assert isinstance(underpaint(twice, 0.5), Underpaint)
    with pytest.raises(ConfigError, match="underpainting: expected 0 to 1, got"):
        underpaint(once, 2.0)


def test_the_composed_one_holds_it_by_its_own_settings() -> None:
    effects = EffectsConfig(underpainting=0.5, coherence=CoherenceConfig(strength=0.0), cuts=None)
    composed = Composed(Flickering(), effects)
    twice = find(composed, Underpaint)
    assert twice is not None
    free = flicker(paint(twice))
    composed.configure(replace(effects, coherence=CoherenceConfig(strength=0.8)))
    assert flicker(paint(twice, first=8)) < 0.5 * free
