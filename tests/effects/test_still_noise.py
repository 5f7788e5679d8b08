"""Each still has noise of its own."""

import numpy as np

from stylizer.effects.still_noise import with_own_noise
from stylizer.frame import Frame
from stylizer.network.stylizer import FastStylizer
from stylizer.styles.load import load_style
from tests.clips import picture


def test_it_is_decided_by_picture_and_styles_alone() -> None:
    first, second = (Frame(picture(number), 0, 0.0) for number in (1, 2))
    one = with_own_noise(first, ["a"])
    assert one.image is first.image and one.cameras is not None
    assert with_own_noise(Frame(picture(1), 7, 0.3), ["a"]).cameras == one.cameras
    others = [with_own_noise(second, ["a"]), with_own_noise(first, ["b"])]
    others.append(with_own_noise(first, ["a", "b"]))
    assert len({frame.cameras for frame in (one, *others)}) == 4


def test_even_pictures_are_painted_otherwise_where_it_is_another() -> None:
    """The style is the same one, so that what differs comes from the noise."""
    painter = FastStylizer([load_style("starry_night")])
    even = Frame(np.full((128, 192, 3), 150, np.uint8), 0, 0.0)
    one, same, other = (
        painter(with_own_noise(even, [name])).image.astype(int) for name in ("a", "a", "b")
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).mean() > 5
