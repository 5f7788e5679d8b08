"""The recipe of the compact network: its pictures, the map to the teacher, and its measures."""

import itertools
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import cv2
import keras
import numpy as np
import numpy.typing as npt
import pytest

from stylizer.models.compact.crops import Crops
from stylizer.models.compact.distill import Distiller, relative_distance
from stylizer.models.compact.evaluate import score
from stylizer.models.compact.optimized_samples import OptimizedSamples
from stylizer.models.compact.train import ReplayBuffer, Settings, train
from stylizer.models.pictures import is_held_out, list_pictures
from stylizer.perceptual.compact import TAPS, TEACHER_CHANNELS, build_student, load_compact
from stylizer.weights import weights_path
from tests.gatys.networks import random_vgg
from tests.uncompiled import uncompiled

Array = npt.NDArray[Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of photos (blue) and paintings (red), some of both held out."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for kind, tint in (
        ("photos", (200, 60, 60)),
        ("paintings", (60, 60, 200)),
        ("styles_more", (60, 60, 220)),
    ):
        (root / kind).mkdir()
        for index in range(30):
            coarse = random.normal(0, 20, (5, 6, 3)) + tint
            image = cv2.resize(coarse, (60, 50), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(root / kind / f"{index}.jpg"), np.clip(image, 0, 255).astype(np.uint8))
    return root


@pytest.fixture
def distiller() -> Distiller:
    keras.utils.set_random_seed(1)
    channels = dict(zip(TAPS, TEACHER_CHANNELS, strict=True))
    return Distiller(build_student(rescale=True), channels, gram_share=0.3, memory=0.0)


def test_held_out_pictures_are_not_trained_on(folder: Path) -> None:
    held, kept = (list_pictures(folder / "photos", held_out=choice) for choice in (True, False))
    assert held and kept
    assert not set(held) & set(kept)
    assert sorted(held + kept) == sorted((folder / "photos").glob("*.jpg"))
    assert [is_held_out(Path("elsewhere") / path.name) for path in held] == [True] * len(held)


def test_pictures_are_seeded_rgb_and_within_0_and_255(folder: Path) -> None:
    first, second = (Crops(folder, crop=32, seed=3) for _ in range(2))
    other = Crops(folder, crop=32, seed=4)
    for draw in ("photo", "painting", *["damaged"] * 20):
        one, two, three = (getattr(source, draw)() for source in (first, second, other))
        assert one.shape == (32, 32, 3)
        assert one.dtype == np.float32
        assert one.min() >= 0 and one.max() <= 255
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, three)
    red, _, blue = first.photo().mean((0, 1))
    assert blue > red + 50
    red, _, blue = first.painting().mean((0, 1))
    assert red > blue + 50


def test_the_store_keeps_the_last_pictures() -> None:
    replay = ReplayBuffer(4, np.random.default_rng(0))
    for value in range(6):
        images = np.full((1, 2, 2, 3), value, np.float32)
        replay.add(images, {tap: 10 * images for tap in TAPS})
    images, features = replay.draw(4)
    assert sorted(images[:, 0, 0, 0]) == [2, 3, 4, 5]
    for tap in TAPS:
        np.testing.assert_array_equal(features[tap], 10 * images)


def linear_teacher(distiller: Distiller, images: Array, noise: float) -> dict[str, Array]:
    """Return features of a teacher that is a linear map of the student, but for noise."""
    random = np.random.default_rng(2)
    wanted = {}
    for tap, channels in zip(TAPS, TEACHER_CHANNELS, strict=True):
        own = keras.ops.convert_to_numpy(distiller(images)[tap])
        made = own @ random.normal(size=(own.shape[-1], channels)).astype(np.float32)
        wanted[tap] = made + noise * made.std() * random.normal(size=made.shape).astype(np.float32)
    return wanted


def test_a_linear_teacher_is_found_and_errors_are_those_of_numpy(distiller: Distiller) -> None:
    images = np.random.default_rng(5).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    exact = linear_teacher(distiller, images, 0.0)
    distiller.compute_loss(y=exact, y_pred=distiller(images))
    errors, grams = distiller.relative_errors(distiller(images), exact)
    for tap in TAPS:
        assert float(errors[tap]) < 1e-3
        assert float(grams[tap]) < 1e-3
    noisy = linear_teacher(distiller, images, 0.5)
    errors, grams = distiller.relative_errors(distiller(images), noisy)
    for tap in TAPS:
        own, want = keras.ops.convert_to_numpy(distiller(images)[tap]), noisy[tap]
        got = own @ keras.ops.convert_to_numpy(distiller.linear(tap))
        expected = np.mean((got - want) ** 2) / np.mean(want**2)
        assert float(errors[tap]) == pytest.approx(expected, rel=1e-3)
        pair = [f.reshape(2, -1, f.shape[-1]).astype(np.float64) for f in (got, want)]
        first, second = (np.einsum("npc,npd->ncd", f, f) / f.shape[1] for f in pair)
        off = np.sum((first - second) ** 2, (1, 2)) / np.sum(second**2, (1, 2))
        assert float(grams[tap]) == pytest.approx(off.mean(), rel=1e-2)


def test_relative_distance_is_one_for_each_picture() -> None:
    wanted = np.array([[[1.0, 2.0]], [[3.0, 0.0]]], np.float32)
    got = np.array([[[1.0, 0.0]], [[0.0, 0.0]]], np.float32)
    np.testing.assert_allclose(relative_distance(got, wanted), [4 / 5, 1.0], rtol=1e-6)


def test_samples_come_nearer_to_their_styles(distiller: Distiller, folder: Path) -> None:
    images = np.random.default_rng(5).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    distiller.compute_loss(y=linear_teacher(distiller, images, 0.0), y_pred=distiller(images))
    samples = OptimizedSamples(distiller, Crops(folder, crop=32), count=2)

    def distance() -> float:
        made, style = (distiller.grams(distiller(x)) for x in (samples.images, samples.styles))
        return sum(float(np.sum(relative_distance(made[tap], style[tap]))) for tap in TAPS)

    samples.advance(1)
    before, styles = distance(), samples.styles.copy()
    samples.advance(15)
    np.testing.assert_array_equal(samples.styles, styles)
    assert distance() < 0.5 * before
    assert samples.images.min() >= 0 and samples.images.max() <= 255


def test_the_score_is_1_to_the_content_and_0_to_the_style() -> None:
    random = np.random.default_rng(6)
    content, style = random.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    style //= 3

    def teacher(images: Array, *, training: bool) -> dict[str, Array]:
        assert not training
        return {tap: images[:, :: index + 1] / 255 for index, tap in enumerate(TAPS)}

    seen = cast(keras.Model, teacher)
    same = score(seen, content, content, style)
    assert (same.gram, same.squared_gram, same.moments) == pytest.approx((1, 1, 1))
    assert same.content == 0.0
    reached = score(seen, style, content, style)
    assert (reached.gram, reached.squared_gram, reached.moments) == pytest.approx((0, 0, 0))
    assert reached.content > 0.3
    halfway = score(seen, ((content.astype(int) + style) // 2).astype(np.uint8), content, style)
    assert 0.1 < halfway.gram < 0.9


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras saving
def test_training_goes_on_where_it_stopped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "vgg19").mkdir()
    random_vgg(folder / "vgg19" / "vgg19_normalised_relu4_1.npz", blocks=(2, 2, 4, 1))
    short = Settings(crop=32, fresh=2, stored=4, steps=1, every=1.0, start="teacher")
    steps: list[int] = []
    learn = Distiller.train_on_batch

    def counted(self: Distiller, *args: Any) -> Any:
        result = learn(self, *args)
        steps.append(int(self.optimizer.iterations))
        return result

    monkeypatch.setattr(Distiller, "train_on_batch", counted)
    # by a clock on which every round takes five
    for minutes, compiling in ((5.0, nullcontext()), (10.0, uncompiled())):
        fake = SimpleNamespace(monotonic=itertools.count(0, 300).__next__)
        monkeypatch.setattr("stylizer.models.compact.train.time", fake)
        with compiling:
            train(folder, tmp_path, replace(short, minutes=minutes))
    assert steps == [1, 2, 3, 4]
    rows = (tmp_path / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["minutes", "5", "10"]
    assert (tmp_path / "compact.weights.h5").stat().st_size < 2**20
    still = replace(short, start="carried", minutes=1.0, learning_rate=0.0)
    fake = SimpleNamespace(monotonic=itertools.count(0, 300).__next__)
    monkeypatch.setattr("stylizer.models.compact.train.time", fake)
    train(folder, tmp_path / "on", still)
    made, carried = (
        load_compact(path)
        for path in (tmp_path / "on" / "compact.weights.h5", weights_path("compact"))
    )
    for layer in made.layers:
        if "student" in layer.name:
            pairs = zip(
                layer.get_weights(), carried.get_layer(layer.name).get_weights(), strict=True
            )
            for got, expected in pairs:
                np.testing.assert_allclose(got, expected, rtol=2e-3, atol=1e-4)
    with pytest.raises(ValueError, match=r"start: expected one of .*'carried'.*, got 'nowhere'"):
        train(folder, tmp_path / "no", replace(short, start="nowhere"))
