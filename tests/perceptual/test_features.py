"""Loss networks against a NumPy convolution, against keras.applications, and their errors."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from stylizer.errors import ConfigError, WeightsError
from stylizer.gatys.config import GatysConfig
from stylizer.perceptual import applications
from stylizer.perceptual.features import load_network
from stylizer.perceptual.precision import choose_precision, deviation
from stylizer.perceptual.types import Pooling
from tests.gatys.networks import random_vgg, tiny_config

pytestmark = pytest.mark.filterwarnings(
    # Keras 3.15 saving TensorFlow variables under NumPy 2
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

MEAN_BGR = (103.939, 116.779, 123.68)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_vgg(tmp_path_factory.mktemp("weights") / "vgg.npz")


@pytest.fixture(scope="module")
def image() -> npt.NDArray[np.float32]:
    random = np.random.default_rng(3)
    return random.uniform(0, 255, (1, 8, 10, 3)).astype(np.float32)


def convolve(
    maps: npt.NDArray[np.float64], kernel: npt.NDArray[np.float32], bias: float, mode: str
) -> npt.NDArray[np.float64]:
    height, width, _ = maps.shape
    settings = {} if mode == "constant" else {"mode": mode}
    padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)), **settings)  # type: ignore[call-overload]
    total = np.full((height, width, kernel.shape[-1]), bias)
    for row in range(3):
        for column in range(3):
            window = padded[row : row + height, column : column + width]
            total += window @ kernel[row, column].astype(np.float64)
    return np.asarray(np.maximum(total, 0), np.float64)


@pytest.mark.parametrize(("padding", "mode"), [("reflect", "reflect"), ("zero", "constant")])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_vgg_agrees_with_numpy(
    tmp_path: Path, image: npt.NDArray[np.float32], padding: str, mode: str, pooling: Pooling
) -> None:
    path = random_vgg(tmp_path / "vgg.npz", padding=padding)
    network = load_network(tiny_config(path, pooling=pooling))
    got = {layer: ops.convert_to_numpy(value)[0] for layer, value in network(image).items()}
    arrays = np.load(path)
    maps = image[0, :, :, ::-1].astype(np.float64) - MEAN_BGR
    first = convolve(maps, arrays["block1_conv1/kernel"], 0.1, mode)
    second = convolve(first, arrays["block1_conv2/kernel"], 0.1, mode)
    corners = np.stack([second[a::2, b::2] for a in (0, 1) for b in (0, 1)])
    pooled = corners.max(0) if pooling == "max" else corners.mean(0)
    third = convolve(pooled, arrays["block2_conv1/kernel"], 0.1, mode)
    assert got.keys() == {"block1_conv1", "block2_conv1"}
    np.testing.assert_allclose(got["block1_conv1"], first, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(got["block2_conv1"], third, rtol=1e-3, atol=2e-3)


@pytest.mark.slow
def test_vgg16_agrees_with_keras_applications(
    tmp_path: Path, image: npt.NDArray[np.float32]
) -> None:
    keras.utils.set_random_seed(0)
    theirs = keras.applications.VGG16(weights=None, include_top=False)
    path = tmp_path / "vgg16.weights.h5"
    theirs.save_weights(path)
    layers = (("block1_conv2", 1.0), ("block3_conv1", 1.0))
    network = load_network(
        GatysConfig(network="VGG16", weights=path, content_layers=layers, style_layers=layers)
    )
    assert network.stride == 4
    outputs = {layer: theirs.get_layer(layer).output for layer, _ in layers}
    prepared = keras.applications.vgg16.preprocess_input(image.copy())
    expected = keras.Model(theirs.input, outputs)(prepared)
    for layer, value in network(image).items():
        np.testing.assert_allclose(
            ops.convert_to_numpy(value), ops.convert_to_numpy(expected[layer]), rtol=1e-3, atol=1e-2
        )


@pytest.mark.slow
def test_any_other_application_with_named_layers(
    tmp_path: Path, image: npt.NDArray[np.float32]
) -> None:
    keras.utils.set_random_seed(0)
    theirs = keras.applications.MobileNetV2(weights=None, include_top=False)
    path = tmp_path / "mobilenet.weights.h5"
    theirs.save_weights(path)
    layers = (("block_1_expand_relu", 1.0), ("block_3_expand_relu", 1.0))
    config = GatysConfig(
        network="mobilenetv2", weights=path, content_layers=layers[1:], style_layers=layers
    )
    network = load_network(config)
    assert 1 <= network.minimum_size <= 32
    prepared = keras.applications.mobilenet_v2.preprocess_input(image.copy())
    cut = keras.Model(theirs.input, theirs.get_layer(layers[0][0]).output)
    expected = ops.convert_to_numpy(cut(prepared, training=False))
    got = ops.convert_to_numpy(network(image)[layers[0][0]])
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)
    unknown = GatysConfig(
        network="MobileNetV2",
        weights=path,
        content_layers=(("conv9", 1.0),),
        style_layers=(("conv9", 1.0),),
    )
    with pytest.raises(ConfigError, match=r"no layer 'conv9'.*expected some of.*block_1_expand"):
        load_network(unknown)


def test_weights_that_cannot_be_fetched_name_the_file_and_the_alternative(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def fail(**_: object) -> None:
        raise Exception(
            "URL fetch failure on https://host/vgg19_notop.h5: None -- no route to host"
        )

    monkeypatch.setattr(keras.applications, "VGG19", fail)
    with pytest.raises(WeightsError) as caught:
        load_network(GatysConfig(network="vgg19"))
    for part in ("https://host/vgg19_notop.h5", str(tmp_path / "models"), "'half' or 'compact'"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": "vgg20"}, "expected compact, half, .*got 'vgg20'; did you mean .*vgg16"),
        ({"network": "ResNet50"}, "name content_layers and style_layers"),
        ({"network": "compact", "pooling": "max"}, "half, vgg16 and vgg19 only, got compact"),
        (
            {"network": "vgg19", "content_layers": (("block9_conv1", 1.0),)},
            "no layer 'block9_conv1'; expected some of block1_conv1",
        ),
        (
            {"network": "compact", "content_layers": (("block5_conv1", 1.0),)},
            "no layer 'block5_conv1'; expected some of block1_conv1",
        ),
    ],
)
def test_settings_that_name_nothing(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_network(GatysConfig(**settings))  # type: ignore[arg-type]


def test_weights_files_that_are_not(tmp_path: Path, weights: Path) -> None:
    layers = {"content_layers": (("block1_conv1", 1.0),), "style_layers": (("block1_conv1", 1.0),)}
    missing = tmp_path / "missing.npz"
    with pytest.raises(WeightsError, match="cannot be read"):
        load_network(tiny_config(missing))
    with pytest.raises(WeightsError, match="there is no weights file"):
        load_network(tiny_config(tmp_path / "missing.h5"))
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    with pytest.raises(WeightsError, match="cannot be read"):
        load_network(tiny_config(text))
    single = tmp_path / "single.npz"
    np.save(tmp_path / "single.npy", np.zeros(3))
    (tmp_path / "single.npy").rename(single)
    with pytest.raises(WeightsError, match="single array"):
        load_network(tiny_config(single))
    for name in ("missing.weights.h5", "text.weights.h5"):
        (tmp_path / "text.weights.h5").write_text("no weights")
        with pytest.raises(WeightsError, match=rf"{name}: expected weights of the compact network"):
            load_network(GatysConfig(weights=tmp_path / name))
    with pytest.raises(WeightsError, match="has no block2_conv2"):
        load_network(tiny_config(weights, content_layers=(("block2_conv2", 1.0),)))
    wrong = tmp_path / "wrong.npz"
    arrays: dict[str, Any] = {"kernel": np.zeros((5, 5, 3, 8)), "bias": np.zeros(8)}
    np.savez(wrong, **{f"block1_conv1/{name}": array for name, array in arrays.items()})
    with pytest.raises(WeightsError, match=r"expected a kernel of shape \(3, 3, 3, 64\)"):
        load_network(tiny_config(wrong, **layers))


def test_every_application_has_its_preprocessing() -> None:
    for name in applications.application_names().values():
        assert callable(applications.preprocessing(name))


def test_half_precision_is_judged_by_its_losses(weights: Path) -> None:
    random = np.random.default_rng(5)
    picture = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    config = tiny_config(weights)
    off = deviation(config, picture, precision="bfloat16")
    assert 1e-5 < off < 0.1
    assert deviation(config, picture, precision="float32") == 0.0
    assert choose_precision(tiny_config(weights, precision="bfloat16"), picture) == "bfloat16"
