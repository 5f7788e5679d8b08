"""Arithmetic on pictures, against the same by NumPy."""

import numpy as np

from stylizer.temporal.pixelwise import NO_CHANGE, Pixelwise

SHAPE = (12, 20, 3)
RANDOM = np.random.default_rng(4)


def test_it_blends_as_numpy_does_and_by_a_level_at_least() -> None:
    old, new, share = (RANDOM.integers(0, 256, SHAPE, dtype=np.uint8) for _ in range(3))
    change = RANDOM.integers(NO_CHANGE - 40, NO_CHANGE + 40, SHAPE, dtype=np.uint8)
    new[0], change[0] = old[0], NO_CHANGE  # nothing to go
    share[1] = 0
    begin = np.clip(old.astype(int) + change - NO_CHANGE, 0, 255)
    way = new - begin
    step = np.sign(way) * np.maximum(np.rint(np.abs(way) * (share / 255.0)), np.abs(way) > 0)
    got = Pixelwise(SHAPE).blend(old, change, new, share)
    assert np.abs(got - (begin + step)).max() <= 1  # halves
    assert np.mean(got != begin + step) < 0.02
    np.testing.assert_array_equal(got[0], old[0])
    assert (np.sign(got[1].astype(int) - begin[1]) == np.sign(way[1])).all()


def test_it_mixes_as_numpy_does() -> None:
    one, other, share = (RANDOM.integers(0, 256, SHAPE, dtype=np.uint8) for _ in range(3))
    share[0], share[1] = 0, 255
    got = Pixelwise(SHAPE).mix(one, other, share)
    expected = one + (other.astype(int) - one) * (share / 255.0)
    assert np.abs(got - expected).max() <= 0.501
    np.testing.assert_array_equal(got[0], one[0])
    np.testing.assert_array_equal(got[1], other[1])


def test_it_amplifies_as_numpy_does() -> None:
    picture, soft, amount = (RANDOM.integers(0, 256, SHAPE, dtype=np.uint8) for _ in range(3))
    expected = picture + (picture.astype(int) - soft) * (amount / 255.0)
    pixelwise = Pixelwise(SHAPE)
    got = pixelwise.amplify(picture, soft, amount)
    assert np.abs(got - np.clip(expected, 0, 255)).max() <= 0.501
    kept = got.copy()
    pixelwise.amplify(soft, picture, amount)
    np.testing.assert_array_equal(got, kept)  # the next one is another array
