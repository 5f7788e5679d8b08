"""Every stylizer keeps the contract of `stylizer.protocols.Stylizer`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stylizer.base import Applied
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.color import KeepColor, MatchColor
from stylizer.effects.people import FoundPeople
from stylizer.effects.region import Matte, Region, RegionConfig
from stylizer.effects.scale import PaintSmaller
from stylizer.effects.strength import Strength
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.gatys.stylizer import GatysStylizer
from stylizer.live.refine import Refined
from stylizer.live.refinement import Canvas
from stylizer.network.config import Engine, FastConfig
from stylizer.network.runtime import load_runtime
from stylizer.network.stylizer import FastStylizer
from stylizer.protocols import Stylizer
from stylizer.styles.load import AnyStyle, Style, load_style
from stylizer.temporal.coherence import Coherence, CoherenceConfig
from stylizer.temporal.cuts import CutConfig
from tests.gatys.networks import random_vgg, tiny_config
from tests.stand_ins import Boiling


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


class Tinter(Identity):
    """Mixes a frame with the mean color of its style; its styles can be changed."""

    def __init__(self) -> None:
        self._color = np.zeros(3)

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        self._color = next(s.image for s in styles if isinstance(s, Style)).mean((0, 1))

    def __call__(self, frame: Frame) -> Frame:
        return frame.with_image(np.asarray((frame.image + self._color) / 2, np.uint8))


def _match() -> Stylizer:
    image = np.random.default_rng(8).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    return MatchColor(Tinter(), [Style(name="noise", image=image)])


class Growing:
    """Refines by adding a gray level an iteration, whatever the style."""

    def __call__(self, canvas: Canvas, content: Image, iterations: int) -> Canvas:
        return np.asarray(canvas + iterations, np.float32)

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        pass

    def forget(self) -> None:
        pass


class Left:
    """Finds a person in the left half."""

    def __call__(self, frame: Frame) -> Matte:
        width, height = frame.size
        return np.repeat(np.arange(width)[None] < width / 2, height, 0).astype(np.float32)

    def reset(self) -> None:
        pass


def _refined() -> Stylizer:
    styles = [Style(name="gray", image=np.full((20, 30, 3), 90, np.uint8))]
    return Refined(Tinter(), styles, lambda styles: Growing())


class Repainting(Boiling):
    """Can paint a picture alone."""

    def repaint(self, painting: Frame) -> Image:
        return self.paint(painting.image)


def _underpainted() -> Stylizer:
    return Composed(Repainting(), EffectsConfig(underpainting=0.5))


BARE = EffectsConfig(coherence=CoherenceConfig(strength=0), cuts=None)
WRAPPED: dict[str, Callable[[], Stylizer]] = {
    "luminance kept": lambda: KeepColor(Tinter()),
    "colors matched": _match,
    "strength 0": lambda: Strength(Tinter(), 0),
    "strength 0.3": lambda: Strength(Tinter(), 0.3),
    "coherent": lambda: Applied(Boiling(), Coherence()),
    "coherence 0": lambda: Applied(Boiling(), Coherence(CoherenceConfig(strength=0))),
    "refined when still": _refined,
    "only the person": lambda: Applied(Boiling(), Region(Left())),
    "only what is behind, by the network": lambda: Applied(
        Boiling(), Region(FoundPeople(), RegionConfig(part="background"))
    ),
    "composed, with nothing": lambda: Composed(Boiling(), BARE),
    "composed, reset on cut": lambda: Composed(Boiling(), replace(BARE, cuts=CutConfig())),
    "composed, reset on cut, coherent": lambda: Composed(Boiling()),
    "composed, keyframes": lambda: Composed(Boiling(), EffectsConfig(keyframes=3)),
    "composed, keyframes of a smaller painting": lambda: Composed(
        PaintSmaller(Boiling(), size=(16, 12)), EffectsConfig(strength=0.6, keyframes=2)
    ),
    "underpainted": _underpainted,
    "in finer strokes too": lambda: Composed(Boiling(), EffectsConfig(stroke=1.0, finer="all")),
    "composed, of all": lambda: Composed(
        PaintSmaller(Boiling(), size=(16, 12)),
        EffectsConfig(strength=0.6, keep_color=True, region=RegionConfig(part="background")),
    ),
    "composed, strength 0": lambda: Composed(Boiling(), EffectsConfig(strength=0)),
    "half of a painting in kept colors": lambda: Strength(KeepColor(_match()), 0.5),
}
GATYS: dict[str, dict[str, object]] = {
    "warped": {},
    "held to two frames": {"long_term": (1, 2)},
    "not held": {"temporal_weight": 0.0},
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
FAST: tuple[Engine, ...] = ("keras", "openvino")
Make = Callable[[], Stylizer]


@pytest.fixture(scope="module", params=["identity", *WRAPPED, *GATYS, *FAST])
def make(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, model_cache: Path
) -> Make:
    if request.param == "identity":
        return Identity
    if request.param in FAST:
        runtime = load_runtime(FastConfig(engine=request.param, cache=model_cache))
        return partial(FastStylizer, [load_style("starry_night")], runtime=runtime)
    if request.param in WRAPPED:
        return WRAPPED[request.param]
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
