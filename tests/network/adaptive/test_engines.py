"""The adaptive network in both engines, with random weights: each style has kernels of its own."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from stylizer.errors import BackendError, ConfigError, WeightsError
from stylizer.frame import Camera, Image
from stylizer.io.smoothing import smooth
from stylizer.network.adaptive.architecture import CODE_SIZE, STATISTICS_SIZE, build_network
from stylizer.network.adaptive.noise import NOISE_CHANNELS, noise_map
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.config import FastConfig
from stylizer.network.embedded.keras_runtime import KerasRuntime
from stylizer.network.embedded.openvino_runtime import OpenVinoRuntime
from stylizer.network.embedded.parts import load_parts
from stylizer.network.runtime import NoisyRuntime, Runtime
from stylizer.styles.load import Style
from stylizer.weights import weights_path

SIZES = [(64, 48), (67, 45), (16, 16), (33, 130), (5, 3), (2100, 20)]


def scene(size: tuple[int, int], seed: int = 0) -> Image:
    width, height = size
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width][..., None] / 8
    image = 110 + 60 * np.sin(rows * [0.3, 0.4, 0.5] + seed) + 30 * np.sin(columns * [0.9, 0.6, 1])
    image = image + random.normal(0, 4, image.shape)
    return np.asarray(np.rint(np.clip(image, 0, 255)), np.uint8)


def style(seed: int) -> Style:
    return Style(name=f"style{seed}", image=scene((96, 72), seed))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights, all parts of which count, and whose paintings are not too bright or dark."""
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    network, random = build_network(), np.random.default_rng(0)
    for variable in network.trainable_variables:
        value = variable.numpy()
        variable.assign(value + random.normal(0, 0.02, value.shape).astype(np.float32))
    with warnings.catch_warnings():  # of NumPy about Keras, which hands it variables of TensorFlow
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        network.save_weights(path)
    return path


@pytest.fixture(scope="module")
def in_keras(weights: Path) -> KerasRuntime:
    return KerasRuntime(ADAPTIVE, FastConfig(weights=weights))


@pytest.fixture(scope="module")
def in_openvino(weights: Path, model_cache: Path) -> OpenVinoRuntime:
    config = FastConfig(weights=weights, cache=model_cache, precision="float32")
    return OpenVinoRuntime(ADAPTIVE, config)


@pytest.fixture(scope="module", params=["keras", "openvino"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    engine: Runtime = request.getfixturevalue(f"in_{request.param}")
    return engine


def off(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    return float(np.abs(one.astype(float) - other).max())


def test_pictures_that_are_painted_at_once_are_those_painted_one_by_one(
    in_openvino: OpenVinoRuntime,
) -> None:
    """Each with its own style, size and camera, more of them than there are painters."""
    codes = [in_openvino.encode(style(seed), scale=1.0) for seed in (1, 2)]
    cases = [
        (scene((45, 35) if number % 5 else (64, 48), number), codes[number % 2], camera)
        for number, camera in enumerate([None, ((1.0, Camera(1.0, 0.1 * (1 + 1j))),)] * 6)
    ]
    with ThreadPoolExecutor(4) as pool:
        painted = [
            pool.submit(in_openvino.paint_beside, image, code, cameras=cameras)
            for image, code, cameras in cases
        ]
        for (image, code, cameras), beside in zip(cases, painted, strict=True):
            alone = in_openvino.paint(image, code, cameras=cameras)
            assert beside.result().shape == alone.shape
            assert off(beside.result(), alone) <= 1


def test_codes_agree(in_keras: KerasRuntime, in_openvino: OpenVinoRuntime) -> None:
    codes = []
    for seed, scale in ((1, 1.0), (2, 1.0), (2, 0.5)):
        code, other = (one.encode(style(seed), scale=scale) for one in (in_keras, in_openvino))
        assert code.shape == other.shape and len(code) > CODE_SIZE  # colors are matched
        assert off(code[:CODE_SIZE], other[:CODE_SIZE]) < 1e-3
        assert off(code[CODE_SIZE:], other[CODE_SIZE:]) < 1e-3
        codes.append(code[:CODE_SIZE])
    assert off(codes[0], codes[1]) > 0.02 and off(codes[1], codes[2]) > 0.02


@pytest.mark.parametrize("size", SIZES)
def test_paintings_agree(
    in_keras: KerasRuntime, in_openvino: OpenVinoRuntime, size: tuple[int, int]
) -> None:
    codes = [in_keras.encode(style(seed), scale=1.0) for seed in (1, 2)]
    codes += [0.3 * codes[0] + 0.7 * codes[1], 4 * codes[0]]  # mixed, and far from both
    image, paintings = scene(size), []
    for code in codes:
        expected, painted = (one.paint(image, code) for one in (in_keras, in_openvino))
        assert painted.shape == expected.shape == (size[1], size[0], 3)
        assert painted.flags.c_contiguous and painted.dtype == np.uint8
        assert off(painted, expected) <= 1
        paintings.append(expected)
    assert 40 < paintings[0].mean() < 215 and paintings[0].std() > 3
    assert off(paintings[0], paintings[1]) > 2 and off(paintings[0], paintings[3]) > 2


def test_a_frame_is_mirrored_to_full_size_and_painted_with_its_noise(
    runtime: Runtime, weights: Path
) -> None:
    parts = load_parts(ADAPTIVE.parts, weights, weights_path(ADAPTIVE.loss_weights))
    network, random = build_network(), np.random.default_rng(1)
    network.load_weights(weights)
    image, code = scene((45, 35)), random.normal(0, 1, CODE_SIZE).astype(np.float32)
    seen = smooth(image, ADAPTIVE.smooth)
    padded = np.pad(seen, ((0, 5), (0, 3), (0, 0)), mode="reflect")[None].astype(np.float32)
    given = {"image": padded, "noise": noise_map(40, 48), "code": code[None]}
    raw = ops.convert_to_numpy(network.get_layer("image_network")(given))
    assert off(runtime.paint(image, code), np.rint(np.clip(raw[0, :35, :45], 0, 255))) <= 1
    if isinstance(runtime, NoisyRuntime) and runtime.moves_noise:
        cameras = (0.4, Camera(gain=1.1, shift=0.2)), (0.6, Camera(shift=0.1j))
        given["noise"] = noise_map(40, 48, cameras=cameras, size=(45, 35))
        moved = ops.convert_to_numpy(network.get_layer("image_network")(given))
        assert off(moved, raw) > 2
        painted = runtime.paint(image, code, cameras=cameras)
        assert off(painted, np.rint(np.clip(moved[0, :35, :45], 0, 255))) <= 1
        assert off(runtime.paint(image, code), np.rint(np.clip(raw[0, :35, :45], 0, 255))) <= 1
    whole = ops.convert_to_numpy(parts.image({"image": padded, "code": code[None]}))
    np.testing.assert_allclose(whole, raw, atol=1e-3)
    assert parts.statistics.output_shape == (None, STATISTICS_SIZE)


def test_a_style_says_how_much_of_the_noise_there_is(runtime: Runtime, weights: Path) -> None:
    parts = load_parts(ADAPTIVE.parts, weights, weights_path(ADAPTIVE.loss_weights))
    network, random = build_network(), np.random.default_rng(1)
    network.load_weights(weights)
    assert parts.styled is not None
    image, code = scene((48, 40)), random.normal(0, 1, CODE_SIZE).astype(np.float32)
    gains = np.array([0.0, 0.5, 1.5], np.float32)
    embedding = np.concatenate([code, np.zeros(parts.styled.change_size, np.float32)])
    embedding[CODE_SIZE : CODE_SIZE + NOISE_CHANNELS] = gains - 1
    seen = smooth(image, ADAPTIVE.smooth)[None].astype(np.float32)
    given = {"image": seen, "noise": noise_map(40, 48) * gains, "code": code[None]}
    wanted = ops.convert_to_numpy(network.get_layer("image_network")(given))[0]
    assert off(runtime.paint(image, embedding), np.rint(np.clip(wanted, 0, 255))) <= 1
    assert off(runtime.paint(image, code), np.rint(np.clip(wanted, 0, 255))) > 2


def test_openvino_moves_the_noise(in_openvino: OpenVinoRuntime) -> None:
    assert in_openvino.moves_noise


def test_bfloat16_is_near(weights: Path, model_cache: Path, in_openvino: OpenVinoRuntime) -> None:
    config = FastConfig(weights=weights, cache=model_cache, precision="bfloat16")
    try:
        rough = OpenVinoRuntime(ADAPTIVE, config)
    except BackendError as error:
        pytest.skip(str(error))
    code, image = rough.encode(style(1), scale=1.0), scene((128, 96))
    one, other = (each.paint(image, code) for each in (rough, in_openvino))
    assert 0 < off(one, other) <= 24
    assert np.abs(one.astype(float) - other).mean() < 2


def test_what_does_not_belong_to_it_is_refused(runtime: Runtime) -> None:
    with pytest.raises(ConfigError, match=r"expected a style code of shape \(256,\), got \(64,\)"):
        runtime.paint(scene((16, 16)), np.zeros(64, np.float32))
    with pytest.raises(WeightsError, match="expected weights of the adaptive network"):
        KerasRuntime(ADAPTIVE, FastConfig(weights=weights_path("fast")))
