"""What a face is painted from: its features drawn more strongly, in the same planes."""

import numpy as np

from stylizer.effects.patch import Patch
from stylizer.frame import Image


class Remembers:
    """Paints nothing; remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[Image] = []

    def __call__(self, image: Image) -> Image:
        self.given.append(image)
        return image


def given_to_paint(seen: Image) -> Image:
    patch, painter = Patch(center=np.zeros(2, np.float32), length=192.0, side=192), Remembers()
    patch.renew(seen, painter, memory=0.0, quick=True)
    return painter.given[0]


def test_features_are_drawn_more_strongly_the_dark_more_than_the_light() -> None:
    seen = np.full((192, 192, 3), 128, np.uint8)
    seen[90:94, 40:80] -= 40
    seen[90:94, 120:160] += 40
    given = given_to_paint(seen).astype(int)
    darker, lighter = seen[92, 60, 0] - given[92, 60, 0], given[92, 140, 0] - seen[92, 140, 0]
    assert darker > 20
    assert 5 < lighter < darker


def test_planes_stay_as_they_are() -> None:
    seen = np.full((192, 192, 3), (200, 150, 120), np.uint8)
    np.testing.assert_array_equal(given_to_paint(seen), seen)
