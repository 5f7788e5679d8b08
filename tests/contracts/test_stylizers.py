"""Every stylizer keeps the contract of `stylizer.protocols.Stylizer`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.gatys.stylizer import GatysStylizer
from stylizer.protocols import Stylizer
from tests.gatys.networks import random_vgg, tiny_config


@dataclass(frozen=True)
class Picture:
    image: Image
    weight: float = 1.0


class Identity:
    """The least that fits the socket."""

    def __call__(self, frame: Frame) -> Frame:
        return frame.with_image(frame.image.copy())

    def reset(self) -> None:
        pass


GATYS: dict[str, dict[str, object]] = {
    "warped": {},
    "previous, L-BFGS": {
        "start": "previous",
        "optimizer": "lbfgs",
        "evaluations": 2,
        "iterations": 2,
        "warm_iterations": 1,
    },
    "cold, noise, sums": {
        "start": "cold",
        "initial": "noise",
        "pooling": "average",
        "relative": False,
        "reduction": "sum",
        "tv_exponent": 1.25,
    },
    "style, bfloat16": {"initial": "style", "precision": "bfloat16"},
}
Make = Callable[[], Stylizer]


@pytest.fixture(scope="module", params=["identity", *GATYS])
def make(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Make:
    if request.param == "identity":
        return Identity
    weights = random_vgg(tmp_path_factory.mktemp("weights") / "vgg.npz")
    random = np.random.default_rng(9)
    styles = [Picture(random.integers(0, 256, (40, 50, 3), dtype=np.uint8))]
    config = tiny_config(weights, **({"iterations": 3} | GATYS[request.param]))
    return partial(GatysStylizer, styles, config)


@pytest.fixture(scope="module")
def stylizer(make: Make) -> Stylizer:
    return make()


def frames(count: int, size: tuple[int, int] = (32, 24), seed: int = 0) -> list[Frame]:
    width, height = size
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    return [Frame(image.copy(), 10 + i, 0.4 + i / 25) for i, image in enumerate(images)]


def test_fits_the_protocol(stylizer: Stylizer) -> None:
    assert isinstance(stylizer, Stylizer)


def test_same_size_index_and_time_and_a_contiguous_uint8_picture(stylizer: Stylizer) -> None:
    stylizer.reset()
    for frame in frames(3):
        result = stylizer(frame)
        assert (result.size, result.index, result.time) == (frame.size, frame.index, frame.time)
        assert result.image.dtype == np.uint8
        assert result.image.flags.c_contiguous


def test_leaves_its_input_and_its_earlier_results_alone(stylizer: Stylizer) -> None:
    stylizer.reset()
    given_frames = frames(3)
    copies = [frame.image.copy() for frame in given_frames]
    results = [stylizer(frame) for frame in given_frames]
    kept = [result.image.copy() for result in results]
    for frame, copy in zip(given_frames, copies, strict=True):
        np.testing.assert_array_equal(frame.image, copy)
    for result in results:
        result.image[...] = 0
    stylizer.reset()
    for frame, expected in zip(given_frames, kept, strict=True):
        np.testing.assert_array_equal(stylizer(frame).image, expected)


def test_what_the_caller_does_to_a_frame_afterwards_does_not_matter(make: Make) -> None:
    first, second = make(), make()
    one, two = frames(2)
    first(one)
    expected = first(two).image
    reused = Frame(one.image.copy(), one.index, one.time)
    second(reused).image[...] = 0
    reused.image[...] = 0
    np.testing.assert_array_equal(second(two).image, expected)


def test_reset_forgets(make: Make) -> None:
    fresh, used = make(), make()
    for frame in frames(2, seed=1):
        used(frame)
    used.reset()
    for frame in frames(2, seed=2):
        np.testing.assert_array_equal(used(frame).image, fresh(frame).image)


def test_a_change_of_size_starts_anew(make: Make) -> None:
    fresh, used = make(), make()
    used(frames(1, size=(40, 20))[0])
    for frame in frames(2, size=(20, 40)):
        np.testing.assert_array_equal(used(frame).image, fresh(frame).image)


@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking would trace a graph for every size
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(width=st.integers(1, 35), height=st.integers(1, 35))
def test_any_size(stylizer: Stylizer, width: int, height: int) -> None:
    for frame in frames(2, size=(width, height)):
        assert stylizer(frame).size == (width, height)


def test_refuses_what_is_no_picture(stylizer: Stylizer) -> None:
    if isinstance(stylizer, Identity):
        pytest.skip("the identity takes anything")
    with pytest.raises(ConfigError, match="expected uint8"):
        stylizer(Frame(np.zeros((8, 8, 3), np.float32), 0, 0.0))
