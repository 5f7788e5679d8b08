"""Several styles in one picture, each in its part: by a stand-in, and by the real networks."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage import data

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.regions import DividingRuntime, RegionStylizer
from stylizer.network.runtime import load_runtime
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
        self.empty = empty

    def prepare(self, parts: Sequence[str]) -> None:
        if "hair" in parts:
            raise ConfigError("nothing finds hair")

    def __call__(self, frame: Frame, parts: Sequence[str]) -> Masks:
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


def stylizer(*texts: str, empty: bool = False, runtime: Flat | None = None) -> RegionStylizer:
    styles = [
        replace(load_style(text.split("=")[-1]), region="face" if "=" in text else None)
        for text in texts
    ]
    return RegionStylizer(styles, masks=Halves(empty=empty), runtime=runtime or Flat())


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


@pytest.fixture(scope="module", params=["adaptive", "fast"])
def runtime(request: pytest.FixtureRequest) -> DividingRuntime:
    config = FastConfig(network=request.param, engine="openvino", precision="float32")
    found = load_runtime(config)
    assert isinstance(found, DividingRuntime)
    return found


def codes(runtime: DividingRuntime) -> list[StyleEmbedding]:
    texts = ("starry_night", "the_scream", "great_wave")
    return [runtime.encode(load_style(text), scale=1.0) for text in texts]


def halves(count: int, *, width: int = SIZE[0]) -> Masks:
    masks = np.zeros((count, 10, width), np.float32)
    for number, columns in enumerate(np.array_split(np.arange(width), count)):
        masks[number][:, columns] = 1
    return masks


def colors(image: Image) -> npt.NDArray[np.float64]:
    return np.asarray(image.reshape(-1, 3).mean(0), np.float64)


def test_one_style_in_all_of_it_is_that_style(runtime: DividingRuntime) -> None:
    code, image = codes(runtime)[0], frame().image
    whole = np.zeros((2, 4, 4), np.float32)
    whole[0] = 1
    alone, together = runtime.paint(image, code), runtime.paint_parts(image, [code, code], whole)
    assert np.abs(alone.astype(int) - together).mean() < 2


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("size", [SIZE, (161, 99)])
def test_each_part_has_the_colors_of_its_style(
    runtime: DividingRuntime, count: int, size: tuple[int, int]
) -> None:
    image = np.asarray(cv2.resize(frame().image, size), np.uint8)
    known = codes(runtime)[:count]
    together = runtime.paint_parts(image, known, halves(count))
    assert together.shape == image.shape
    for number, columns in enumerate(np.array_split(np.arange(size[0]), count)):
        inner = columns[6:-6]
        gaps = [
            np.linalg.norm(
                colors(together[:, inner]) - colors(runtime.paint(image, code)[:, inner])
            )
            for code in known
        ]
        assert int(np.argmin(gaps)) == number


def test_there_may_be_more_parts_than_channels_in_a_picture(runtime: DividingRuntime) -> None:
    image, (first, second, _) = frame().image, codes(runtime)
    together = runtime.paint_parts(image, [first, second, first, second, first], halves(5))
    for number, columns in enumerate(np.array_split(np.arange(SIZE[0]), 5)):
        gaps = [
            np.linalg.norm(
                colors(together[:, columns[6:-6]])
                - colors(runtime.paint(image, code)[:, columns[6:-6]])
            )
            for code in (first, second)
        ]
        assert int(np.argmin(gaps)) == number % 2


def test_no_seam_between_two_parts_of_one_style(runtime: DividingRuntime) -> None:
    image, code = frame().image, codes(runtime)[1]
    masks = np.stack([cv2.blur(mask, (9, 1)) for mask in halves(2)])
    painted = [runtime.paint_parts(image, [code, code], masks), runtime.paint(image, code)]
    together, alone = (np.abs(np.diff(one.astype(float), axis=1)).mean((0, 2)) for one in painted)
    assert together[74:86].max() < 1.5 * alone[74:86].max() + 2


def test_styles_and_sizes_change(runtime: DividingRuntime) -> None:
    first, second, third = codes(runtime)
    image = frame().image
    one = runtime.paint_parts(image, [first, second], halves(2))
    other = runtime.paint_parts(image, [third, second], halves(2))
    again = runtime.paint_parts(image, [first, second], halves(2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one.astype(int) - other)[:, :60].mean() > 5


def test_styles_for_what_nothing_finds_are_refused_and_the_old_ones_stay() -> None:
    painter = stylizer("face=starry_night")
    before = painter(frame()).image
    with pytest.raises(ConfigError, match="nothing finds hair"):
        painter.set_styles([replace(load_style("the_scream"), region="hair")])
    np.testing.assert_array_equal(painter(frame()).image, before)
