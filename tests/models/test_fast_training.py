"""The recipe of the fast network: its pictures, its losses, its optimizer and its checkpoints."""

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from stylizer.errors import ConfigError
from stylizer.models.fast.batches import Entry, ReplayBuffer, TrainingBatches, load_teacher
from stylizer.models.fast.export import export
from stylizer.models.fast.objective import MOST_SHIFT, LossWeights, Trainee, style_targets
from stylizer.models.fast.optimizer import ConvolutionMuon
from stylizer.models.fast.patterns import PATTERNS
from stylizer.models.fast.samples import (
    Contents,
    Styles,
    crop,
    recolor,
    square,
)
from stylizer.models.fast.settings import Settings
from stylizer.models.fast.train import train
from stylizer.models.pictures import is_held_out, list_pictures
from stylizer.network.fast.architecture import STATISTICS_SIZE, build_network
from stylizer.perceptual.compact import TAPS, load_compact
from stylizer.weights import weights_path

Array = npt.NDArray[Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return photos (blue), paintings (red; some with texture) and known styles (green)."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for kind, tint in (
        ("photos", (200, 60, 60)),
        ("paintings", (60, 60, 200)),
        ("styles", (60, 200, 60)),
    ):
        (root / kind).mkdir()
        for index in range(90 if kind == "paintings" else 130):
            coarse = random.normal(0, 20, (5, 6, 3)) + tint
            image = cv2.resize(coarse, (60, 50), interpolation=cv2.INTER_CUBIC)
            name = f"rr_{index}.jpg" if kind == "paintings" and index % 3 == 0 else f"{index}.jpg"
            cv2.imwrite(str(root / kind / name), np.clip(image, 0, 255).astype(np.uint8))
    return root


def test_more_of_the_textured_pictures_are_held_out_and_none_is_on_both_sides() -> None:
    plain = [is_held_out(Path(f"aw_{index}.jpg"), textures=4) for index in range(2000)]
    textured = [is_held_out(Path(f"rr_{index}.jpg"), textures=4) for index in range(2000)]
    assert 0.07 < np.mean(plain) < 0.13
    assert 0.36 < np.mean(textured) < 0.44


def test_contents_and_styles_come_from_pictures_for_training_only(folder: Path) -> None:
    for kind in ("photos", "paintings"):
        held, kept = (
            list_pictures(folder / kind, held_out=choice, textures=4) for choice in (True, False)
        )
        assert held and kept and not set(held) & set(kept)
    random = np.random.default_rng(1)
    contents, styles = (kind(folder, random, side=40) for kind in (Contents, Styles))
    drawn = np.stack([contents.draw() for _ in range(60)])
    assert drawn.shape == (60, 40, 40, 3) and drawn.dtype == np.uint8
    blue = np.mean(drawn[..., 2].mean((1, 2)) > drawn[..., 0].mean((1, 2)))
    assert 0.8 < blue < 1  # photos, and now and then a painting
    various = np.stack([styles.draw() for _ in range(60)])
    assert various.shape == (60, 40, 40, 3) and various.dtype == np.uint8
    assert set(various.mean((1, 2)).argmax(-1)) == {0, 1, 2}


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_patterns_are_seeded_and_various(name: str) -> None:
    first, again, other = (PATTERNS[name](np.random.default_rng(seed), 64) for seed in (1, 1, 2))
    assert first.shape == (64, 64, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)
    assert first.reshape(-1, 3).std(0).max() > 3


def test_recolor_keeps_the_shape_and_changes_colors() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    random = np.random.default_rng(3)
    for _ in range(12):
        changed = recolor(image, random)
        assert changed.shape == image.shape and changed.dtype == np.uint8
        assert np.abs(changed.astype(int) - image).mean() > 1


def test_square_takes_the_middle() -> None:
    image = np.zeros((10, 30, 3), np.uint8)
    image[:, 10:20] = 200
    np.testing.assert_array_equal(square(image, 10), np.full((10, 10, 3), 200))


def test_crops_show_things_as_large_as_they_are_in_use() -> None:
    ramp = np.repeat(np.arange(240, dtype=np.uint8), 300 * 3).reshape(240, 300, 3)
    random = np.random.default_rng(0)
    crops = [crop(ramp, random, 120, (200, 600)) for _ in range(40)]
    assert {crop.shape for crop in crops} == {(120, 120, 3)}
    spans = [int(np.ptp(crop)) for crop in crops]  # rows of the picture that a crop shows
    assert 240 * 120 / 600 - 3 < min(spans) < 70
    assert 120 < max(spans) < 240 * 120 / 200 + 3
    assert np.ptp(crop(ramp, random, 700, (200, 600))) == 239


def test_store_renews_itself_and_forgets_the_oldest() -> None:
    made = iter(range(1000))

    def make(count: int) -> list[Entry]:
        return [{"number": np.array(next(made))} for _ in range(count)]

    replay = ReplayBuffer(make, 8, np.random.default_rng(0))
    assert list(replay.draw(4, fresh=1)["number"]) == [0, 1, 2, 3]  # nothing to draw from yet
    for _ in range(30):
        numbers = replay.draw(4, fresh=1)["number"]
    newest = int(numbers[0])
    assert newest >= 33
    assert all(newest - 8 < number <= newest for number in numbers)
    assert len(set(replay.draw(4, fresh=0)["number"])) > 1
    assert next(made) == newest + 1


def test_style_targets_equal_a_numpy_reference() -> None:
    random = np.random.default_rng(0)
    features = {tap: random.random((2, 5, 4, 3)).astype(np.float32) for tap in TAPS}
    found = style_targets({tap: ops.convert_to_tensor(value) for tap, value in features.items()})
    for tap, value in features.items():
        flat = value.reshape(2, 20, 3)
        np.testing.assert_allclose(
            found[f"gram_{tap}"], flat.transpose(0, 2, 1) @ flat / 20, rtol=1e-4
        )
        np.testing.assert_allclose(found[f"mean_{tap}"], flat.mean(1), rtol=1e-4)
        np.testing.assert_allclose(found[f"deviation_{tap}"], flat.std(1), rtol=2e-3)


def _identity_teacher(images: Any) -> dict[str, Any]:
    return {tap: images / 255 for tap in TAPS}


def test_objective_is_zero_where_nothing_is_off_and_grows_with_each_part() -> None:
    trainee = Trainee(_identity_teacher, LossWeights(content=1, gram=0, moments=0, temporal=0))
    random = np.random.default_rng(0)
    wide = random.uniform(0, 255, (2, 32 + MOST_SHIFT, 32 + MOST_SHIFT, 3)).astype(np.float32)
    first, second = wide[:, :32, :32], wide[:1, 3 : 3 + 32, 5 : 5 + 32]
    targets = style_targets(_identity_teacher(ops.convert_to_tensor(first)))
    y = {**targets, "content": first / 255}
    x = {"image": first, "second": second, "shift": np.array([3, 5], np.int32)}

    def loss(painted: Array, **weights: float) -> float:
        trainee.factors = LossWeights(**{"content": 0, "gram": 0, "moments": 0, **weights})
        return float(trainee.compute_loss(x=x, y=y, y_pred=ops.convert_to_tensor(painted)))

    right = np.concatenate([first, second])
    names = ("content", "gram", "moments", "temporal")
    for name in names:
        assert loss(right, **{"temporal": 0, name: 1}) == pytest.approx(0, abs=1e-6)
    off = right.copy()
    off[:2] *= 0.5  # half of everything: a quarter of the energy of features, 9/16 of Gram matrices
    assert loss(off, content=1, temporal=0) == pytest.approx(0.25, rel=1e-3)
    assert loss(off, gram=1, temporal=0) == pytest.approx(0.5625, rel=1e-3)
    assert loss(off, moments=1, temporal=0) == pytest.approx(0.25, rel=1e-2)
    moved = right.copy()
    moved[2] += 12.75  # a tenth of half the range
    assert loss(moved, temporal=1) == pytest.approx(0.01, rel=1e-3)


def test_muon_turns_a_kernel_s_slope_into_an_orthogonal_step() -> None:
    kernel = keras.Variable(np.zeros((1, 1, 6, 6), np.float32))
    depthwise = keras.Variable(np.zeros((3, 3, 6, 1), np.float32))
    optimizer = ConvolutionMuon(0.1, weight_decay=0.0, rms_rate=None)
    optimizer.build([kernel, depthwise])
    slope = np.random.default_rng(0).normal(0, 1, (1, 1, 6, 6)).astype(np.float32)
    other = np.full((3, 3, 6, 1), 2.0, np.float32)
    optimizer.apply([ops.convert_to_tensor(slope), ops.convert_to_tensor(other)])
    step = kernel.numpy()[0, 0]
    singular = np.linalg.svd(step, compute_uv=False) / 0.1
    assert singular.min() > 0.3 and singular.max() < 1.4  # the iteration's own spread around 1
    assert np.sum(step * slope[0, 0]) < 0  # downhill
    np.testing.assert_allclose(depthwise.numpy(), -0.1, rtol=1e-2)  # Adam's step


def test_lessons_come_with_the_teacher_s_own_targets(folder: Path) -> None:
    settings = Settings(teacher="compact", side=32, style_side=48, batch=2, fresh=0.5, stored=8)
    batches = TrainingBatches(folder, settings, load_teacher("compact", folder))
    compact = load_compact(weights_path("compact"))
    for _ in range(3):
        inputs, targets = batches.batch()
        assert inputs["image"].shape == (2, 32, 32, 3)
        assert inputs["second"].shape == (1, 32, 32, 3)
        assert inputs["statistics"].shape == (2, STATISTICS_SIZE)
        seen = ops.convert_to_numpy(compact(inputs["image"])[TAPS[-1]])
        np.testing.assert_allclose(targets["content"], seen, rtol=2e-2, atol=2e-2)
        top, left = inputs["shift"]
        both = inputs["image"][0, top:, left:], inputs["second"][0, : 32 - top, : 32 - left]
        assert np.abs(both[0] - both[1]).mean() < 6  # noise only
    with pytest.raises(ConfigError, match="compact or vgg19"):
        load_teacher("alexnet", folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's adapt
def test_training_saves_goes_on_and_exports(folder: Path, tmp_path: Path) -> None:
    settings = Settings(
        teacher="compact",
        validation_network="compact",
        side=32,
        style_side=32,
        batch=2,
        stored=8,
        minutes=0.02,
    )
    train(folder, tmp_path / "run", settings)
    train(folder, tmp_path / "run", settings)
    with (tmp_path / "run" / "log.csv").open() as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert rows[-1]["images"] > rows[0]["images"] > 0
    assert all(np.isfinite(list(row.values())).all() for row in rows)
    sheet = cv2.imread(str(tmp_path / "run" / "sheet.jpg"))
    assert sheet is not None and sheet.shape[1] == 6 * 256

    root = tmp_path / "models"
    (root / "fast").mkdir(parents=True)
    (root / "manifest.json").write_text('{"compact": {}}')
    digest = export(tmp_path / "run" / "fast.weights.h5", root)
    manifest = json.loads((root / "manifest.json").read_text())
    assert manifest["fast"]["sha256"] == digest and "compact" in manifest
    kept, packed = build_network(), build_network()
    kept.load_weights(tmp_path / "run" / "fast.weights.h5")
    packed.load_weights(root / "fast" / "fast.weights.h5")
    for one, two in zip(kept.get_weights(), packed.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-6)
