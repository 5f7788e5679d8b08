"""The network whose kernels follow the style: its parts, held against other ways to the same."""

import itertools
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from stylizer.frame import Camera
from stylizer.network.adaptive.architecture import (
    CODE_SIZE,
    FEATURE_CHANNELS,
    STATISTICS_SIZE,
    build_image_network,
    build_predictor,
    style_statistics,
)
from stylizer.network.adaptive.layers import AdaptiveConvolution, BinomialFilter, Upsample
from stylizer.network.adaptive.noise import NOISE_CHANNELS, make_noise, noise_gains, noise_map
from stylizer.network.fast.architecture import DepthToSpace
from stylizer.perceptual.compact import TAPS

Array = npt.NDArray[Any]

RANDOM = np.random.default_rng(0)


def normal(*shape: int) -> Array:
    return RANDOM.normal(0, 1, shape).astype(np.float32)


def test_a_convolution_in_parts_is_one_with_the_style_s_own_kernel() -> None:
    layer = AdaptiveConvolution(5, 3)
    features, gains = normal(2, 7, 9, 4), normal(2, 3)
    found = ops.convert_to_numpy(layer(features, gains))
    assert found.shape == (2, 7, 9, 5)
    for index in range(2):
        kernel = layer.kernel(ops.convert_to_tensor(gains[index]))
        padded = np.pad(features[index : index + 1], ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect")
        whole = ops.convert_to_numpy(ops.conv(padded, kernel))
        np.testing.assert_allclose(found[index : index + 1], whole, atol=1e-4)
    assert np.abs(found[0] - ops.convert_to_numpy(layer(features, gains[::-1]))[0]).max() > 0.1


def test_upsampling_is_opencv_s_linear_interpolation_and_a_binomial_filter() -> None:
    features = normal(1, 6, 5, 3)
    found = ops.convert_to_numpy(Upsample()(features))[0]
    linear = cv2.resize(features[0], (10, 12), interpolation=cv2.INTER_LINEAR)
    binomial = np.array([0.25, 0.5, 0.25])
    expected = cv2.sepFilter2D(linear, -1, binomial, binomial, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_cells_are_smoothed_as_their_pixels_are_afterwards() -> None:
    cells = normal(1, 6, 7, 12)
    found = ops.convert_to_numpy(DepthToSpace(2)(BinomialFilter()(cells)))[0]
    pixels = ops.convert_to_numpy(DepthToSpace(2)(cells))[0]
    binomial = np.array([0.25, 0.5, 0.25])
    expected = cv2.sepFilter2D(pixels, -1, binomial, binomial)
    np.testing.assert_allclose(found[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-5)
    lattice = np.broadcast_to(np.repeat(normal(4), 3), cells.shape).astype(np.float32)
    np.testing.assert_allclose(BinomialFilter()(lattice), lattice.mean(), atol=1e-5)


def test_noise_is_smooth_even_and_repeats_without_a_seam() -> None:
    noise = make_noise(side=64, seed=3)
    assert noise.shape == (64, 64, NOISE_CHANNELS) and noise.dtype == np.float32
    np.testing.assert_allclose(noise.mean((0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(noise.std((0, 1)), 1, atol=1e-5)
    inside = np.abs(np.diff(noise, axis=0)).mean((0, 1))
    over = np.abs(noise[0] - noise[-1]).mean(0)
    assert (over < 2 * inside).all()
    assert (np.diff(inside) < 0).all()  # from fine to coarse
    np.testing.assert_array_equal(noise, make_noise(side=64, seed=3))


def test_styles_of_planes_have_less_noise_than_textured_ones() -> None:
    random = np.random.default_rng(4)
    rows, columns = np.mgrid[:200, :300][..., None]
    print_ = np.where((rows + 2 * columns) // 60 % 2 > 0, [200, 60, 40], [230, 220, 190])
    grainy = np.clip(print_ + random.normal(0, 2, print_.shape), 0, 255)
    brushed = 128 + 50 * np.sin(rows / [3, 4, 5] + 3 * np.sin(columns / 9))
    low, high = (noise_gains(one.astype(np.uint8)) for one in (grainy, brushed))
    np.testing.assert_allclose(low, noise_gains(print_.astype(np.uint8)), atol=0.01)
    assert low.shape == (NOISE_CHANNELS,) and low.dtype == np.float32
    assert low[0] < 0.1 and low[1] < 1 < low[2]
    np.testing.assert_array_equal(high, 1)
    cells = np.where((rows // 10 + columns // 10) % 2 > 0, [200, 60, 40], [230, 220, 190])
    np.testing.assert_array_equal(noise_gains(cells.astype(np.uint8)), 1)
    even = noise_gains(np.full((20, 20, 3), 90, np.uint8))
    np.testing.assert_array_equal(even, noise_gains(np.zeros((16, 90, 3), np.uint8)))


def test_noise_for_pictures_begins_at_the_top_left_and_repeats() -> None:
    tile = make_noise()
    np.testing.assert_array_equal(noise_map(48, 64)[0], tile[:12, :16])
    large = noise_map(2080, 16)
    assert large.shape == (1, 520, 4, NOISE_CHANNELS)
    np.testing.assert_array_equal(large[0, 512:], tile[:8, :4])


def seen(side: tuple[int, int], *cameras: tuple[float, Camera]) -> Array:
    return np.asarray(noise_map(*side, cameras=cameras)[0])


def test_noise_moves_with_the_camera() -> None:
    """Four pixels are a cell; a camera that went right sees what lay right of the first picture."""
    still = noise_map(96, 160)[0]
    np.testing.assert_array_equal(seen((96, 160), (0.3, Camera()), (0.7, Camera())), still)
    right = seen((96, 160), (1.0, Camera(shift=3 * 4 / 160)))
    np.testing.assert_allclose(right[:, :-3], still[:, 3:], atol=1e-3)
    moved = ((1.0, Camera(shift=3 * 4 / 155)),)
    extended = noise_map(96, 160, cameras=moved, size=(155, 90))[0]
    np.testing.assert_allclose(extended, right, atol=1e-3)
    turned = seen((160, 160), (1.0, Camera(gain=1j)))  # what was to the right is above
    np.testing.assert_allclose(turned, np.rot90(noise_map(160, 160)[0]), atol=1e-3)


@pytest.mark.parametrize("shift", [0.0001, 0.003, 0.02, 0.3])
def test_noise_keeps_its_contrast_where_it_passes_from_one_picture_to_the_next(
    shift: float,
) -> None:
    still = noise_map(384, 640)[0].std((0, 1))
    cameras = [Camera(1.02, shift), Camera(0.99, 0.5j * shift)]
    maps = [
        seen((384, 640), (1 - passed, cameras[0]), (passed, cameras[1]))
        for passed in np.linspace(0, 1, 33)
    ]
    for noise in maps:
        np.testing.assert_allclose(noise.std((0, 1)), still, rtol=0.15)
    steps = [np.abs(after - before).mean() for before, after in itertools.pairwise(maps)]
    assert max(steps) < 0.1


@pytest.fixture(scope="module")
def painter() -> Any:
    return build_image_network()


def paint(painter: Any, image: Array, noise: Array, code: Array) -> Array:
    inputs = {"image": image, "noise": noise, "code": code}
    tensors = {name: ops.convert_to_tensor(value) for name, value in inputs.items()}
    return np.asarray(ops.convert_to_numpy(painter(tensors)))


@pytest.mark.parametrize("size", [(16, 16), (40, 24)])
def test_a_picture_keeps_its_size_and_starts_near_gray(painter: Any, size: tuple[int, int]) -> None:
    height, width = size
    image = RANDOM.uniform(0, 255, (2, height, width, 3)).astype(np.float32)
    noise = normal(2, height // 4, width // 4, NOISE_CHANNELS)
    painted = paint(painter, image, noise, normal(2, CODE_SIZE))
    assert painted.shape == image.shape
    assert 60 < painted.mean() < 190


def test_picture_noise_and_style_all_count(painter: Any) -> None:
    image = RANDOM.uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
    noise, code = normal(1, 8, 8, NOISE_CHANNELS), normal(1, CODE_SIZE)
    first = paint(painter, image, noise, code)
    for other in ((image[:, ::-1], noise, code), (image, -noise, code), (image, noise, -code)):
        assert np.abs(paint(painter, *other) - first).mean() > 0.1


def encode(predictor: Any, features: list[Array]) -> Array:
    known = {tap: ops.convert_to_tensor(one) for tap, one in zip(TAPS, features, strict=True)}
    return np.asarray(ops.convert_to_numpy(predictor(style_statistics(known))))


def test_codes_are_bounded_whatever_the_style() -> None:
    predictor = build_predictor()
    given = [np.abs(normal(1, 12, 10, channels)) for channels in FEATURE_CHANNELS]
    codes = [encode(predictor, [one * scale for one in given]) for scale in (0.0, 1.0, 1e4)]
    for code in codes:
        assert code.shape == (1, CODE_SIZE) and np.isfinite(code).all() and np.abs(code).max() <= 2
    assert np.abs(codes[0] - codes[1]).max() > 0.01


def test_statistics_are_means_deviations_and_correlations() -> None:
    features = [normal(2, 12, 10, channels) + 1 for channels in FEATURE_CHANNELS]
    features[1][..., 5] = 3.0  # a channel that says nothing
    known = {tap: ops.convert_to_tensor(one) for tap, one in zip(TAPS, features, strict=True)}
    found = ops.convert_to_numpy(style_statistics(known))
    assert found.shape == (2, STATISTICS_SIZE)
    for index in range(2):
        flat = [one[index].reshape(-1, one.shape[-1]).astype(float) for one in features]
        expected = [part for one in flat for part in (one.mean(0), one.std(0))]
        for one in flat:
            with np.errstate(invalid="ignore"):
                relations = np.nan_to_num(np.corrcoef(one.T))
            expected.append(relations[np.tril_indices(len(relations), -1)])
        np.testing.assert_allclose(found[index], np.concatenate(expected), atol=1e-4)


def test_what_the_code_is_read_from_is_what_mixtures_of_channels_say() -> None:
    """Correlations of mixtures come out of those of channels; held against the mixtures."""
    predictor = build_predictor()
    features = [np.abs(normal(1, 12, 10, channels)) for channels in FEATURE_CHANNELS]
    known = {tap: ops.convert_to_tensor(one) for tap, one in zip(TAPS, features, strict=True)}
    layer = predictor.get_layer("read")
    read = ops.convert_to_numpy(layer(style_statistics(known)))[0]
    expected = []
    for values, mixture in zip(features, [one.numpy() for one in layer.weights], strict=True):
        flat = values[0].reshape(-1, values.shape[-1])
        mixed = (flat - flat.mean(0)) / flat.std(0) @ mixture
        together = mixed.T @ mixed / len(mixed)
        together /= np.sqrt(np.outer(together.diagonal(), together.diagonal()))
        logs = (np.log(part + 0.05) for part in (flat.mean(0), flat.std(0)))
        expected += [*logs, 2 * together[np.tril_indices(len(together), -1)]]
    np.testing.assert_allclose(read, np.concatenate(expected), atol=2e-3)


def test_the_code_tells_directions_apart_that_means_and_deviations_do_not() -> None:
    predictor = build_predictor()
    waves = np.sin(np.arange(12) * np.pi / 2)[None, :, None, None].astype(np.float32)
    stripes = np.broadcast_to(waves, (1, 12, 12, 1))
    fixed = [np.abs(normal(1, 12, 12, channels)) for channels in FEATURE_CHANNELS]

    def shifted(shift: int) -> Array:
        """Two channels that go together, or not: each by itself has the same distribution."""
        values = [one.copy() for one in fixed]
        for features in values:
            features[..., :1] = stripes
            features[..., 1:2] = np.roll(stripes, shift, 1)
        return encode(predictor, values)

    assert np.abs(shifted(0) - shifted(2)).max() > 1e-3
