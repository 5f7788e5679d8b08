"""One region painted: the mask by a stand-in, and by TFLite files."""

import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from stylizer.effects.region import Matte, Part, Region, RegionConfig
from stylizer.effects.region_masks import RegionMasks
from stylizer.effects.segmenter import Segmenter
from stylizer.errors import BackendError, ConfigError, WeightsError
from stylizer.frame import Frame, Image
from tests.stand_ins import CountingIdentity

WIDTH, HEIGHT = 160, 120


class Inverting(CountingIdentity):
    def __call__(self, frame: Frame) -> Frame:
        return frame.with_image(255 - super().__call__(frame).image)


class Half:
    """Finds a person in the left half, in a mask of a quarter of the sides."""

    def __init__(self) -> None:
        self.resets = 0
        self.there = True

    def __call__(self, frame: Frame) -> Matte:
        mask = np.zeros((frame.size[1] // 4, frame.size[0] // 4), np.float32)
        if self.there:
            mask[:, : mask.shape[1] // 2] = 1
        return mask

    def reset(self) -> None:
        self.resets += 1


def share_of(region: Region, level: int = 0) -> npt.NDArray[np.float64]:
    """Return how much of the painting a region's next frame, a gray one, shows, 0 to 1, (H, W)."""
    source = Frame(np.full((HEIGHT, WIDTH, 3), level, np.uint8), 0, 0.0)
    white = source.with_image(np.full_like(source.image, 255))
    return np.asarray((region(source, white).image[..., 0] - float(level)) / (255 - level))


def room(seed: int = 0) -> Image:
    """Return a wall with patches of several colors."""
    few = np.random.default_rng(seed).integers(60, 200, (6, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(few, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("part", ["person", "background"])
def test_only_the_part_asked_for_is_painted_with_a_soft_edge(part: Part) -> None:
    image = room()
    frame = Frame(image, 7, 0.3)
    region = Region(Half(), RegionConfig(part=part, feather=0.05))
    result = region(frame, Inverting()(frame))
    assert (result.size, result.index, result.time) == (frame.size, 7, 0.3)
    left, right = (255 - image, image) if part == "person" else (image, 255 - image)
    np.testing.assert_array_equal(result.image[:, :70], left[:, :70])
    np.testing.assert_array_equal(result.image[:, 90:], right[:, 90:])
    share = share_of(region)
    assert ((share[:, 74:86] > 0) & (share[:, 74:86] < 1)).mean() > 0.4


def test_the_mask_follows_softly_in_time_until_it_is_empty() -> None:
    finder = Half()
    region = Region(finder, RegionConfig(memory=0.5, feather=0))
    share_of(region)
    finder.there = False
    shares = [float(share_of(region)[0, 0]) for _ in range(12)]
    assert shares[:3] == pytest.approx([0.5, 0.25, 0.125], abs=1 / 255) and shares[-1] == 0
    frame = Frame(room(), 0, 0.0)
    assert not region.covers(frame)
    np.testing.assert_array_equal(region(frame, Inverting()(frame)).image, frame.image)


def test_a_mask_does_not_stay_where_the_picture_changes() -> None:
    finder = Half()
    region = Region(finder, RegionConfig(memory=0.9, feather=0))
    share_of(region)
    finder.there = False
    assert share_of(region, level=120).max() < 0.01


def test_a_frame_that_was_looked_at_is_not_looked_at_again() -> None:
    finder = Half()
    region = Region(finder, RegionConfig(memory=0.5, feather=0))
    frame, painted = Frame(room(), 0, 0.0), Frame(255 - room(), 0, 0.0)
    assert region.covers(frame)
    first = region(frame, painted).image
    np.testing.assert_array_equal(first[:, : WIDTH // 2 - 4], painted.image[:, : WIDTH // 2 - 4])
    finder.there = False
    assert region.covers(frame)
    half = region(frame, painted).image
    np.testing.assert_allclose(
        half[0, 0], (frame.image[0, 0] / 2 + painted.image[0, 0] / 2), atol=1
    )


def test_reset_is_the_finders() -> None:
    finder = Half()
    Region(finder).reset()
    assert finder.resets == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RegionConfig(part="dog"), "part: expected one of person, background"),  # type: ignore[arg-type]
        (lambda: RegionConfig(memory=1.0), "memory: expected 0 or more and less than 1"),
        (lambda: RegionConfig(feather=0.7), "feather: expected 0..0.5"),
    ],
)
def test_settings_out_of_range_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


# Stand-ins of MediaPipe's files: red is a person. They have the same inputs and outputs.


def _convert(function: Any, height: int, width: int) -> bytes:
    tf: Any = pytest.importorskip("tensorflow")
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra litert is not installed")
    module = tf.Module()
    spec = tf.TensorSpec((1, height, width, 3))
    made = tf.function(function, input_signature=[spec]).get_concrete_function()
    content: bytes = tf.lite.TFLiteConverter.from_concrete_functions([made], module).convert()
    return content


def _red() -> Frame:
    """Return a picture, red in the left third."""
    image = np.full((90, 120, 3), (40, 120, 200), np.uint8)
    image[:, :40] = (230, 40, 40)
    return Frame(image, 0, 0.0)


def _check(mask: Matte, size: tuple[int, int]) -> None:
    assert mask.dtype == np.float32 and mask.shape == size[::-1]
    assert 0 <= mask.min() and mask.max() <= 1
    edge = size[0] // 3
    assert mask[:, : edge - 3].min() > 0.9 and mask[:, edge + 3 :].max() < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("size", [(256, 256), (256, 144)])
def test_a_segmenter_of_one_channel(tmp_path: Path, size: tuple[int, int]) -> None:
    import tensorflow as tf

    def function(x: Any) -> Any:
        return tf.sigmoid(20 * (x[..., :1] - x[..., 1:2]))

    path = tmp_path / "selfie.tflite"
    path.write_bytes(_convert(function, size[1], size[0]))
    _check(Segmenter(path)(_red()), size)


@pytest.mark.slow
@pytest.mark.parametrize("softmax", [False, True])
def test_a_segmenter_of_several_classes(tmp_path: Path, softmax: bool) -> None:
    import tensorflow as tf

    def function(x: Any) -> Any:
        scores = tf.concat([20 * (x[..., 1:2] - x[..., :1]), 0 * x[..., :1], 0 * x[..., :1]], -1)
        return tf.nn.softmax(scores) if softmax else scores

    path = tmp_path / "multiclass.tflite"
    path.write_bytes(_convert(function, 256, 256))
    _check(Segmenter(path)(_red()), (256, 256))


@pytest.mark.slow
def test_six_classes_tell_hair_and_skin_apart(tmp_path: Path) -> None:
    """Red is hair; green is skin, of the body as likely as of the face; blue is background."""
    import tensorflow as tf

    def function(x: Any) -> Any:
        red, green, blue = (20 * x[..., channel : channel + 1] for channel in range(3))
        none = 0 * red
        return tf.concat([blue, red, green, green, none, none], -1)

    path = tmp_path / "multiclass.tflite"
    path.write_bytes(_convert(function, 32, 32))
    image = np.zeros((64, 64, 3), np.uint8)
    image[:32, :32], image[:32, 32:], image[32:, :32] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    image[32:, 32:] = (0, 0, 255)
    parts = ["background", "hair", "skin"]
    masks = RegionMasks(parts, segmenter=path)(Frame(image, 0, 0.0), parts)
    inner = [masks[:, 5:11, 5:11], masks[:, 5:11, 21:27], masks[:, 21:27, 5:11]]
    for found, number in zip(inner, (1, 2, 0), strict=True):
        assert found[number].min() > 0.9
        assert found[-1].max() < 0.1


@pytest.mark.slow
def test_fewer_classes_do_not_tell_hair_apart(tmp_path: Path) -> None:
    path = tmp_path / "selfie.tflite"
    path.write_bytes(_convert(lambda x: x[..., :1], 32, 32))
    with pytest.raises(WeightsError, match=r"selfie\.tflite: expected a network of six classes"):
        RegionMasks(["person", "hair"], segmenter=path)


@pytest.mark.slow
def test_mediapipes_own_operator_is_replaced(tmp_path: Path) -> None:
    import tensorflow as tf

    kernel = tf.random.stateless_normal((2, 2, 1, 3), (1, 2))

    def function(x: Any) -> Any:
        small = tf.nn.avg_pool2d(20 * (x - 0.5), 2, 2, "SAME")
        return tf.sigmoid(tf.nn.conv2d_transpose(small, kernel, (1, 64, 64, 1), 2, "SAME") + 0.5)

    plain = _convert(function, 64, 64)
    own = _with_custom_operator(plain)
    assert b"Convolution2DTransposeBias" in own
    (tmp_path / "plain.tflite").write_bytes(plain)
    (tmp_path / "own.tflite").write_bytes(own)
    expected = Segmenter(tmp_path / "plain.tflite")(_red())
    assert expected.std() > 0.1
    found = Segmenter(tmp_path / "own.tflite")(_red())
    np.testing.assert_allclose(found, expected, atol=1e-6)


def _with_custom_operator(plain: bytes) -> bytes:
    """Write MediaPipe's transposed convolution in the place of TFLite's."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(plain, 0)
    number = next(
        i
        for i, code in enumerate(model.operatorCodes)
        if code.builtinCode == schema.BuiltinOperator.TRANSPOSE_CONV
    )
    code = model.operatorCodes[number]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = b"Convolution2DTransposeBias", 1
    (operator,) = (o for o in model.subgraphs[0].operators if o.opcodeIndex == number)
    _, weights, taken, bias = operator.inputs
    operator.inputs = np.array([taken, weights, bias], np.int32)
    operator.builtinOptionsType, operator.builtinOptions = 0, None
    operator.customOptions = np.frombuffer(struct.pack("<3i", 1, 2, 2), np.uint8)
    builder = schema.flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.mark.slow
@pytest.mark.parametrize(("keeps", "got"), [(False, r"\(1, 3\)"), (True, r"\(1, 1, 1, 3\)")])
def test_networks_that_are_no_segmenters_are_refused(tmp_path: Path, keeps: bool, got: str) -> None:
    import tensorflow as tf

    path = tmp_path / "classifier.tflite"
    path.write_bytes(_convert(lambda x: tf.reduce_mean(x, (1, 2), keeps), 32, 32))
    with pytest.raises(WeightsError, match=rf"expected an output \(1, h, w, classes\).*got {got}"):
        Segmenter(path)


def test_files_that_are_missing_or_damaged_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no such file; get selfie_segmenter\.tflite"):
        Segmenter(tmp_path / "none.tflite")
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra litert is not installed")
    for content in (b"no network", b"Convolution2DTransposeBias in a file that is none"):
        (tmp_path / "damaged.tflite").write_bytes(content)
        with pytest.raises(WeightsError, match=r"is no TFLite network that can be run"):
            Segmenter(tmp_path / "damaged.tflite")


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    (tmp_path / "any.tflite").write_bytes(b"")
    with pytest.raises(BackendError, match=r"pip install 'stylizer\[litert\]'"):
        Segmenter(tmp_path / "any.tflite")
