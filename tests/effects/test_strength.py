from __future__ import annotations

import numpy as np
import pytest

from stylizer.effects.strength import Strength, blend
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image


class Inverter:
    """Inverts the colors, and counts its frames."""

    def __init__(self) -> None:
        self.calls = 0
        self.resets = 0

    def __call__(self, frame: Frame) -> Frame:
        self.calls += 1
        return frame.with_image(255 - frame.image)

    def reset(self) -> None:
        self.resets += 1


@pytest.fixture
def image() -> Image:
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 0.9, 1.0])
def test_it_is_a_weighted_mean(image: Image, strength: float) -> None:
    result = Strength(Inverter(), strength)(Frame(image, 4, 0.2))
    expected = strength * (255.0 - image) + (1 - strength) * image
    assert np.abs(result.image - expected).max() <= 0.5001
    assert (result.index, result.time) == (4, 0.2)


def test_at_0_nothing_is_painted_and_the_source_is_given_untouched(image: Image) -> None:
    inverter = Inverter()
    result = Strength(inverter, 0)(Frame(image, 0, 0.0))
    np.testing.assert_array_equal(result.image, image)
    assert not np.shares_memory(result.image, image)
    assert inverter.calls == 0


def test_at_1_the_painting_is_given_untouched(image: Image) -> None:
    painted = 255 - image
    assert blend(painted, image, strength=1) is painted


def test_it_passes_on_resets_and_the_description() -> None:
    inverter = Inverter()
    stylizer = Strength(inverter, 0.5)
    stylizer.reset()
    assert inverter.resets == 1
    assert stylizer.description == "Inverter"


@pytest.mark.parametrize("strength", [-0.1, 1.01, float("nan")])
def test_it_must_be_within_0_and_1(image: Image, strength: float) -> None:
    with pytest.raises(ConfigError, match="strength: expected 0"):
        Strength(Inverter(), strength)
    with pytest.raises(ConfigError, match="strength: expected 0"):
        blend(image, image, strength=strength)


def test_two_sizes_are_refused(image: Image) -> None:
    with pytest.raises(ConfigError, match="expected the size of the source, 30x20, got 30x10"):
        blend(image[:10], image, strength=0.5)
