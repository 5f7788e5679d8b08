"""The loss network half: its weights, its start by least squares, and what it keeps of VGG-19."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import pytest

from stylizer.errors import WeightsError
from stylizer.gatys.config import GatysConfig
from stylizer.models.compact.distill import Distiller, build_teacher
from stylizer.models.half.start import fit_layer, span, start_student
from stylizer.models.half.train import Settings, export, make_student
from stylizer.perceptual.compact import TAPS
from stylizer.perceptual.features import load_network
from stylizer.perceptual.half import LAYERS, TEACHER_CHANNELS, build_student, load_half
from stylizer.weights import weights_path
from tests.gatys.networks import random_vgg

DATA = Path(os.environ.get("STYLIZER_DATA", Path(__file__).parents[3] / "shared" / "data"))
TEACHER = DATA / "vgg19" / "vgg19_normalised_relu4_1.npz"

Array = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return load_half(weights_path("half"))


def smooth(seed: int, count: int, side: int) -> Array:
    """Return pictures that vary slowly, float32 RGB 0..255, (count, side, side, 3)."""
    random = np.random.default_rng(seed)
    few = random.uniform(0, 255, (count, side // 8, side // 8, 3))
    grown = np.kron(few, np.ones((1, 8, 8, 1)))
    return np.clip(grown + random.normal(0, 10, grown.shape), 0, 255).astype(np.float32)


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (64, 48)])
def test_features_have_the_sizes_of_vgg(network: keras.Model, size: tuple[int, int]) -> None:
    width, height = size
    features = network(np.zeros((1, height, width, 3), np.float32))
    assert list(features) == list(LAYERS)
    for layer, value in features.items():
        level = int(layer[len("block")]) - 1
        wanted = (1, height >> level, width >> level, TEACHER_CHANNELS[layer] // 2)
        assert tuple(value.shape) == wanted


def test_weights_are_small() -> None:
    assert weights_path("half").stat().st_size < 2.2e6


def test_nothing_deeper_than_asked_for_is_computed() -> None:
    part = load_half(weights_path("half"), layers=("block2_conv1",))
    deepest = max(layer.name for layer in part.layers if layer.name.startswith("block"))
    assert deepest.startswith("block2_conv1")
    network = load_network(
        GatysConfig(
            network="half",
            content_layers=(("block2_conv2", 1.0),),
            style_layers=(("block1_conv2", 1.0),),
        )
    )
    assert (network.name, network.stride, network.minimum_size) == ("half", 2, 4)


def test_its_pooling_can_be_replaced() -> None:
    picture = smooth(1, 1, 32)
    first, second = (
        np.asarray(
            load_network(GatysConfig(network="half", pooling=pooling))(picture)["block4_conv1"]
        )
        for pooling in (None, "average")
    )
    assert np.abs(first - second).mean() > 0.01 * np.abs(first).mean()
    assert np.abs(first - second).mean() < np.abs(first).mean()


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")  # Keras loading
def test_weights_that_are_not_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.weights.h5"
    text.write_text("no weights")
    for path in (tmp_path / "missing.weights.h5", text, weights_path("compact")):
        with pytest.raises(WeightsError, match="expected weights of the network half"):
            load_half(path)


def test_the_span_is_that_of_most_energy() -> None:
    random = np.random.default_rng(0)
    sources = random.normal(size=(400, 3)) * [3.0, 2.0, 1.0]
    mixed = np.concatenate([sources, sources @ random.normal(size=(3, 4))], axis=1)
    silent = np.zeros((400, 1))
    features = np.concatenate([silent, mixed], axis=1).astype(np.float32)
    chosen = span(features, 3)
    assert len(set(chosen)) == 3 and 0 not in chosen
    kept = features[:, chosen]
    linear, *_ = np.linalg.lstsq(kept, features, rcond=None)
    assert np.abs(kept @ linear - features).max() < 1e-3
    assert len(set(span(features, 6))) == 6  # more than there is energy for


def test_a_layer_before_a_relu_is_found() -> None:
    """What lies below 0 says nothing of how far, as a ReLU hides it: least squares would be off."""
    random = np.random.default_rng(1)
    patches = random.normal(1, 1, (4000, 6)).astype(np.float32)
    weights, bias = random.normal(size=(6, 4)), np.array([-2.0, 0.0, 1.0, -4.0])
    exact = patches @ weights + bias
    bent = np.where(exact > 0, exact, 5 * exact).astype(np.float32)

    def error(rounds: int) -> float:
        linear, found = fit_layer(patches, bent, rounds=rounds)
        got = np.maximum(patches @ linear + found, 0)
        return float(np.mean((got - np.maximum(exact, 0)) ** 2))

    errors = [error(rounds) for rounds in (1, 3, 10, 100)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.1 * errors[0]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    (root / "vgg19").mkdir()
    random_vgg(root / "vgg19" / "vgg19_normalised_relu4_1.npz", blocks=(2, 2, 4, 1))
    return root


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras saving
def test_the_start_leaves_little_and_is_carried_over(data: Path, tmp_path: Path) -> None:
    teacher = build_teacher(data / "vgg19" / "vgg19_normalised_relu4_1.npz", layers=LAYERS)
    images = smooth(2, 4, 48)
    student = build_student()
    left = start_student(student, teacher, images)
    assert list(left) == list(LAYERS)
    assert left["block1_conv1"] < 0.1
    assert max(left.values()) < 0.5
    distiller = Distiller(student, {tap: TEACHER_CHANNELS[tap] for tap in TAPS}, gram_share=1.0)
    path = tmp_path / "half.weights.h5"
    export(distiller, teacher, images, path)
    made, wanted = load_half(path)(images[:1]), teacher(images[:1])
    for layer in LAYERS:  # folded maps keep mean squares
        got, energy = (float(np.mean(np.square(one[layer]))) for one in (made, wanted))
        assert got == pytest.approx(energy, rel=0.4), layer


def test_the_first_filters_are_the_teachers(data: Path) -> None:
    student = make_student(data, Settings())
    distiller = student.make(Settings())
    trained = {variable.path.split("/")[0] for variable in distiller.trainable_variables}
    assert trained == {f"{layer}_student" for layer in LAYERS[1:]}


@pytest.mark.weights
@pytest.mark.skipif(not TEACHER.exists(), reason=f"the teacher's weights are not in {TEACHER}")
def test_distances_are_nearly_the_teachers(network: keras.Model) -> None:
    skimage = pytest.importorskip("skimage.data")
    photos = [image[:384, :384] for image in (skimage.astronaut(), skimage.rocket())]
    images = [
        image[y : y + 192, x : x + 192] for image in photos for y in (0, 192) for x in (0, 192)
    ]
    batch = np.stack(images).astype(np.float32)
    wanted, got = build_teacher(TEACHER, layers=LAYERS)(batch), network(batch)
    for layer in LAYERS:
        apart = []
        for features in (wanted[layer], got[layer]):
            values = np.asarray(features)
            apart.append(np.square(values[:, None] - values[None]).mean(axis=(2, 3, 4)))
        first, second = (one[np.triu_indices(len(images), k=1)] for one in apart)
        assert np.corrcoef(first, second)[0, 1] > 0.95, layer
        assert np.median(second / first) == pytest.approx(1, abs=0.25), layer
