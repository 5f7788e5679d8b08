"""Several styles in one picture, each in its part: by a stand-in, and by the real networks."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.beyond import PaintBeyond
from stylizer.effects.parts import find_parts_before
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.regions import paint_parts
from stylizer.network.runtime import Runtime, load_runtime
from stylizer.network.stylizer import FastStylizer
from stylizer.protocols import Masks, State
from stylizer.styles.load import AnyStyle, load_style, load_styles

SIZE = (160, 96)


class Flat:
    """Paints in one color: a style's number."""

    description = "flat"
    mixes = True

    def __init__(self) -> None:
        self.painted = 0

    def encode(self, style: AnyStyle, *, scale: float) -> StyleEmbedding:
        return np.array([{"starry_night": 40, "the_scream": 200}[style.name]], np.float32)

    def prepare(self, size: tuple[int, int], code: StyleEmbedding) -> None:
        pass

    def paint(self, image: Image, code: StyleEmbedding) -> Image:
        self.painted += 1
        return np.full_like(image, int(code[0]))


class Halves:
    """The first part is the left half, and the rest is left; or nothing is anywhere."""

    def __init__(self, *, empty: bool = False) -> None:
        self.empty, self.asked = empty, 0

    def prepare(self, parts: Sequence[str]) -> None:
        if "hair" in parts:
            raise ConfigError("nothing finds hair")

    def __call__(self, frame: Frame, parts: Sequence[str]) -> Masks:
        self.asked += 1
        masks = np.zeros((len(parts) + 1, 24, 40), np.float32)
        if not self.empty:
            masks[0, :, :20] = 1
        masks[-1] = 1 - masks[0]
        return masks

    def reset(self) -> None:
        pass

    def save_state(self) -> State:
        return {}

    def load_state(self, state: State) -> None:
        pass


def frame() -> Frame:
    photo = cv2.resize(np.asarray(data.astronaut(), np.uint8), SIZE, interpolation=cv2.INTER_AREA)
    return Frame(np.ascontiguousarray(photo), 0, 0.0)


def in_parts(*texts: str) -> list[AnyStyle]:
    return [
        replace(load_style(text.split("=")[-1]), region="face" if "=" in text else None)
        for text in texts
    ]


def stylizer(*texts: str, empty: bool = False, runtime: Flat | None = None) -> FastStylizer:
    return FastStylizer(in_parts(*texts), masks=Halves(empty=empty), runtime=runtime or Flat())


def test_each_part_is_painted_by_its_style() -> None:
    painted = stylizer("face=starry_night", "the_scream")(frame()).image
    assert (painted[:, :70] == 40).all()
    assert (painted[:, 90:] == 200).all()


def test_what_no_style_is_for_stays_the_source() -> None:
    source = frame()
    painted = stylizer("face=starry_night")(source).image
    assert (painted[:, :70] == 40).all()
    np.testing.assert_array_equal(painted[:, 90:], source.image[:, 90:])


def test_with_nothing_there_nothing_is_painted() -> None:
    source, runtime = frame(), Flat()
    painted = stylizer("face=starry_night", empty=True, runtime=runtime)(source).image
    np.testing.assert_array_equal(painted, source.image)
    assert runtime.painted == 0


def test_styles_without_parts_paint_all() -> None:
    painter = stylizer("face=starry_night")
    painter.set_styles(load_styles(["the_scream"]))
    assert (painter(frame()).image == 200).all()


def test_a_patch_is_painted_as_faces_are() -> None:
    painter = stylizer("face=starry_night", "the_scream")
    assert (painter.paint_patch(frame().image) == 40).all()


def test_a_patch_is_painted_in_parts_as_its_place_in_the_frame() -> None:
    painter, parts = stylizer("face=starry_night", "the_scream"), np.zeros((2, 4, 4), np.float32)
    parts[0, :2], parts[1, 2:] = 1, 1
    painted = painter.paint_patch_in_parts(parts, frame().image)
    assert (painted[:36] == 40).all() and (painted[60:] == 200).all()


def test_what_is_not_seen_is_not_painted() -> None:
    runtime = Flat()
    painted = stylizer("face=starry_night", "the_scream", empty=True, runtime=runtime)(frame())
    assert (painted.image == 200).all()
    assert runtime.painted == 1


def test_parts_are_found_once_a_frame_and_not_where_the_frame_tells() -> None:
    masks = Halves()
    painter = FastStylizer(in_parts("face=starry_night", "the_scream"), masks=masks, runtime=Flat())
    source = frame()
    parts = painter.find_parts(source)
    assert parts is not None and parts.shape == (2, 24, 40)
    told = replace(source, parts=parts[:, :, ::-1])  # the right half
    for painted in (painter(told), painter.begin(told)()):
        assert (painted.image[:, 90:] == 40).all() and (painted.image[:, :70] == 200).all()
    assert masks.asked == 1
    composed = Composed(painter, EffectsConfig(underpainting=0.5, stroke=1.0, finer="all"))
    composed(frame())
    assert masks.asked == 2


def test_parts_of_styles_that_are_no_longer_there_are_found_anew() -> None:
    painter = stylizer("face=starry_night", "the_scream")
    told = replace(frame(), parts=painter.find_parts(frame()))
    painter.set_styles(load_styles(["starry_night"]))
    assert (painter(told).image == 40).all()
    painter.set_styles(in_parts("face=the_scream"))
    np.testing.assert_array_equal(painter(told).image[:, 90:], told.image[:, 90:])


def test_pictures_are_painted_beyond_their_borders_in_parts_too() -> None:
    source = frame()
    painter = find_parts_before(PaintBeyond(stylizer("face=starry_night", "the_scream"), margin=16))
    painted = painter(source)
    assert (painted.image[:, :70] == 40).all() and (painted.image[:, 90:] == 200).all()
    assert painted.parts is not None and painted.parts.shape == (2, 24, 40)


@pytest.fixture(scope="module", params=["adaptive", "fast"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    return load_runtime(FastConfig(network=request.param, engine="openvino", precision="float32"))


def codes(runtime: Runtime) -> list[StyleEmbedding]:
    texts = ("starry_night", "the_scream", "great_wave")
    return [runtime.encode(load_style(text), scale=1.0) for text in texts]


def test_a_part_looks_as_it_does_where_its_style_is_for_all(runtime: Runtime) -> None:
    source, known = frame(), codes(runtime)
    parts = np.zeros((3, 10, SIZE[0]), np.float32)
    for number, columns in enumerate(np.array_split(np.arange(SIZE[0]), 3)):
        parts[number][:, columns] = 1
    painted = paint_parts(runtime, replace(source, parts=parts), known).image
    for code, columns in zip(known, np.array_split(np.arange(SIZE[0]), 3), strict=True):
        alone = runtime.paint(source.image, code)
        np.testing.assert_array_equal(painted[:, columns[2:-2]], alone[:, columns[2:-2]])


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.2, 0.8), (0.3, 0.5), (0.0, 0.4), (1.0, 0.0)])
def test_paintings_are_mixed_by_their_shares_and_the_rest_is_the_source(
    shares: tuple[float, float],
) -> None:
    parts = np.array(shares, np.float32)[:, None, None] * np.ones((2, 4, 4), np.float32)
    source = replace(frame(), image=np.full_like(frame().image, 100), parts=parts)
    known = [np.array([color], np.float32) for color in (40, 200)]
    painted = paint_parts(Flat(), source, known).image
    wanted = 40 * shares[0] + 200 * shares[1] + 100 * (1 - sum(shares))
    assert np.abs(painted - wanted).max() <= 2  # each mixture is rounded


def test_styles_for_what_nothing_finds_are_refused_and_the_old_ones_stay() -> None:
    painter = stylizer("face=starry_night")
    before = painter(frame()).image
    with pytest.raises(ConfigError, match="nothing finds hair"):
        painter.set_styles([replace(load_style("the_scream"), region="hair")])
    np.testing.assert_array_equal(painter(frame()).image, before)
