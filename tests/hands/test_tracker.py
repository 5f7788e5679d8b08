"""Hands followed, where it is known where they are."""

import numpy as np
import pytest

from stylizer.errors import ConfigError
from stylizer.frame import Frame
from stylizer.hands.tracker import HandFinder, TrackedHand
from tests.hands.drawn import DrawnHands, drawn_locator, drawn_palms, open_hand

SIZE = (640, 360)
EMPTY = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)


def make_finder(known: DrawnHands, *, most: int = 4) -> HandFinder:
    return HandFinder(most=most, detect=drawn_palms(known, SIZE), locate=drawn_locator(known))


def follow(finder: HandFinder, indices: range) -> list[tuple[TrackedHand, ...]]:
    return [finder(Frame(EMPTY, index, index / 30)) for index in indices]


def test_hands_of_a_first_frame_are_there_at_once_the_largest_first() -> None:
    known = DrawnHands(open_hand((100, 200), scale=0.7), open_hand((400, 250)))
    (found,) = follow(make_finder(known), range(1))
    assert [one.presence for one in found] == [1.0, 1.0]
    np.testing.assert_allclose(found[0].hand.points, known.hands[1])
    assert known.searched[0] == SIZE
    assert len(known.searched) == 5  # and quarters


def test_only_so_many_are_followed_and_small_ones_are_left() -> None:
    hands = [open_hand((60 + 100 * n, 250), scale=0.5 + 0.1 * n) for n in range(5)]
    known = DrawnHands(*hands, open_hand((580, 60), scale=0.15))
    assert len(follow(make_finder(known, most=3), range(1))[0]) == 3
    assert len(follow(make_finder(known, most=20), range(1))[0]) == 5


def test_a_hand_that_comes_in_is_found_soon_and_fades_in() -> None:
    known = DrawnHands()
    finder = make_finder(known)
    follow(finder, range(2))
    known.hands.append(open_hand((300, 250)))
    shares = [found[0].presence if found else 0.0 for found in follow(finder, range(2, 24))]
    assert shares[-1] == 1.0
    assert max(np.diff(shares)) < 0.3
    assert sum(share == 0 for share in shares) < 12


def test_a_known_hand_is_followed_by_its_landmarks_and_keeps_its_number() -> None:
    known = DrawnHands(open_hand((300, 250)))
    finder = make_finder(known)
    (first,) = follow(finder, range(1))[0]
    for index in range(1, 20):
        known.hands[0] = open_hand((300 + 6 * index, 250))
        (found,) = finder(Frame(EMPTY, index, index / 30))
        assert (found.number, found.presence) == (first.number, 1.0)
    np.testing.assert_allclose(found.hand.points, known.hands[0], atol=2)
    assert len(known.searched) < 5 + 8


@pytest.mark.parametrize(("lost", "fades"), [(0.3, True), (0.02, False)])
def test_a_lost_hand_fades_out_or_goes_at_once_and_is_found_again(lost: float, fades: bool) -> None:
    known = DrawnHands(open_hand((300, 250)))
    finder = HandFinder(detect=drawn_palms(known, SIZE), locate=drawn_locator(known, lost=lost))
    (first,) = follow(finder, range(1))[0]
    there = known.hands.pop()
    known.hands.append(open_hand((560, 110)))
    follows = follow(finder, range(1, 6))
    shares = [one.presence for found in follows for one in found if one.number == first.number]
    assert bool(shares) == fades
    assert all(0 <= share < 1 for share in shares)
    assert np.all(np.diff(shares) < 0)
    known.hands.append(there)
    assert len(follow(finder, range(6, 24))[-1]) == 2


def test_hands_that_lie_on_each_other_are_two_and_one_that_is_found_twice_is_one() -> None:
    one = open_hand((300, 250))
    other = np.asarray(one * np.array([-1, 1]) + np.array([620, 0]), np.float32)
    known = DrawnHands(one, np.asarray(one + 3, np.float32), other)
    assert len(follow(make_finder(known), range(1))[0]) == 2


def test_what_is_remembered_can_be_gone_on_with() -> None:
    known = DrawnHands(open_hand((300, 250)))
    first, second = make_finder(known), make_finder(known)
    follow(first, range(6))
    second.load_state(first.save_state())
    known.hands[0] = open_hand((304, 250))
    for one, other in zip(follow(first, range(6, 12)), follow(second, range(6, 12)), strict=True):
        assert [hand.number for hand in one] == [hand.number for hand in other]
        np.testing.assert_array_equal(one[0].hand.points, other[0].hand.points)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ConfigError, match="uint8"):
        make_finder(DrawnHands())(Frame(EMPTY.astype(np.float32), 0, 0.0))
