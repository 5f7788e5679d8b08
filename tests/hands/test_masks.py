"""Masks of hands."""

import numpy as np

from stylizer.hands.landmarks import FINGERS, PALM, Hand
from stylizer.hands.masks import draw_hand, finger_breadth
from tests.hands.drawn import open_hand

SIZE = (240, 220)


def test_a_mask_covers_fingers_and_palm_and_little_else() -> None:
    hand = Hand(points=open_hand((120, 190)), score=1.0)
    mask = draw_hand(hand, SIZE)
    assert mask.shape == SIZE[::-1] and mask.dtype == np.float32
    assert 0 <= mask.min() and mask.max() <= 1.001
    for number in (*PALM, *(finger[1] for finger in FINGERS)):
        x, y = hand.points[number].astype(int)
        assert mask[y, x] > 0.8
    gaps = np.linalg.norm(
        np.stack(np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1])), -1)[:, :, None] - hand.points,
        axis=-1,
    ).min(-1)
    assert mask[gaps > 4 * finger_breadth(hand)].max() < 0.01


def test_its_edge_is_soft_and_its_size_is_that_of_the_hand() -> None:
    small, large = (
        draw_hand(Hand(points=open_hand((120, 190), scale=scale), score=1.0), SIZE)
        for scale in (0.5, 1.0)
    )
    assert 3 < large.sum() / small.sum() < 5
    assert np.abs(np.diff(large, axis=1)).max() < 0.3


def test_a_hand_out_of_the_picture_gives_nothing() -> None:
    assert draw_hand(Hand(points=open_hand((900, 900)), score=1.0), SIZE).max() == 0
