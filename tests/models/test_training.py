"""The recipe of the fast networks: pictures, views, losses, steps, checkpoints."""

import csv
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import h5py
import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from stylizer.errors import SourceError
from stylizer.models.pictures import square
from stylizer.models.training import batches as batches_module
from stylizer.models.training import networks, pack, predictor, validation
from stylizer.models.training.batches import Settings, TrainingBatches
from stylizer.models.training.muon import ConvolutionMuon
from stylizer.models.training.pack import trains_on, unpack, unpack_held_out
from stylizer.models.training.patterns import PATTERNS
from stylizer.models.training.train import train
from stylizer.models.training.validation import sky
from stylizer.tuning import views
from stylizer.tuning.trainer import Trainer
from tests.clips import picture
from tests.uncompiled import uncompiled

Array = npt.NDArray[Any]

KERAS_ARRAYS = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
"""Of NumPy about Keras, which hands it variables of TensorFlow."""

CHANNELS = (64, 128, 256, 512)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a pack of pictures in plain colors, and of a loss network with random weights."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for folder in ("photos", "photos_large", "styles", "styles_more", "paintings"):
        (root / folder).mkdir()
        for index in range(24):
            coarse = random.normal(0, 40, (5, 6, 3)) + 128
            image = cv2.resize(coarse, (60, 50), interpolation=cv2.INTER_CUBIC)
            name = f"{folder}_{index}.jpg"
            cv2.imwrite(str(root / folder / name), np.clip(image, 0, 255).astype(np.uint8))
    arrays, given = {}, 3
    for block, (count, width) in enumerate(zip((2, 2, 4, 1), CHANNELS, strict=True), start=1):
        for index in range(1, count + 1):
            kernel = random.normal(0, (2 / 9 / given) ** 0.5, (3, 3, given, width))
            arrays[f"block{block}_conv{index}/kernel"] = kernel.astype(np.float16)
            arrays[f"block{block}_conv{index}/bias"] = np.zeros(width, np.float16)
            given = width
    (root / "vgg19").mkdir()
    np.savez(root / "vgg19" / "vgg19_normalised_relu4_1.npz", **arrays)  # type: ignore[arg-type]
    held = [path.stem for path in root.glob("*/*.jpg") if not trains_on(path)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "HELD_OUT", {"photos": held[:1], "styles": held[1:3]})
        pack.pack(root, root / "pack.npz")
    return root / "pack.npz"


@pytest.fixture
def held_out(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the validation look at the pictures that the pack of the tests holds."""
    with np.load(packed) as arrays:
        names = [key.split("/")[1:] for key in arrays.files if key.startswith("held_out/")]
    found = {kind: [name for group, name in names if group == kind] for kind, _ in names}
    monkeypatch.setattr(pack, "HELD_OUT", found)


@pytest.fixture
def few_patterns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generate a few patterns where a training has 250, which take seconds."""
    monkeypatch.setattr(batches_module, "_PATTERNS", 8)


def test_one_in_ten_is_held_out_more_of_textures_and_none_of_the_well_known() -> None:
    shares = [
        np.mean([trains_on(Path(f"{folder}/{kind}_{index}.jpg")) for index in range(2000)])
        for folder, kind in (("paintings", "aw"), ("paintings", "rr"), ("styles", "rr"))
    ]
    assert 0.87 < shares[0] < 0.93 and 0.56 < shares[1] < 0.64 and shares[2] == 1


def test_a_pack_holds_what_may_be_trained_on(packed: Path) -> None:
    photos = unpack(packed, "photos", added=[("more", picture(3))])
    assert all(trains_on(Path(f"photos/{name}.jpg")) for name in photos.names[:-1])
    source = cv2.imread(str(packed.parent / "photos" / f"{photos.names[0]}.jpg"))
    assert source is not None
    height, width = photos.sizes[0]
    assert (height, width) == source.shape[:2]
    kept = photos.canvases[0, :height, :width, ::-1]
    assert np.abs(kept.astype(int) - source).mean() < 4  # WebP
    assert not photos.canvases[0, height:].any()
    np.testing.assert_array_equal(photos.canvases[-1, :48, :64], picture(3))


def test_a_pack_without_its_pictures_or_damaged_says_so(packed: Path, tmp_path: Path) -> None:
    with np.load(packed) as arrays:
        values = {key: arrays[key] for key in arrays.files}
    values["photos/bytes"] = np.zeros_like(values["photos/bytes"])
    np.savez(tmp_path / "pack.npz", **values)
    with pytest.raises(SourceError, match="one of its pictures cannot be read; pack again"):
        unpack(tmp_path / "pack.npz", "photos")


@pytest.mark.usefixtures("held_out")
def test_held_out_pictures_are_packed_too(packed: Path) -> None:
    assert len(unpack_held_out(packed, "photos")) == 1
    assert len(unpack_held_out(packed, "styles")) == 2


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_patterns_are_seeded_and_various(name: str) -> None:
    first, again, other = (PATTERNS[name](np.random.default_rng(seed), 64) for seed in (1, 1, 2))
    assert first.shape == (64, 64, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)
    assert first.reshape(-1, 3).std(0).max() > 3


def test_square_takes_the_middle() -> None:
    image = np.zeros((10, 30, 3), np.uint8)
    image[:, 10:20] = 200
    np.testing.assert_array_equal(square(image, 10), np.full((10, 10, 3), 200))


# Views


def smooth(side: int) -> Array:
    coarse = np.random.default_rng(1).uniform(0, 255, (6, 6, 3)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), 0, 255)


def test_crops_are_what_opencv_cuts_and_resizes() -> None:
    canvas = np.stack([smooth(96), smooth(96)[::-1]]).astype(np.uint8)
    windows = np.array([[16, 8, 32], [8, 24, 64], [0, 0, 96]], np.float32)
    index, mirrored = np.array([0, 1, 0], np.int32), np.array([0, 1, 0], np.float32)
    found = ops.convert_to_numpy(views.cut(canvas, index, windows, mirrored, side=32))
    np.testing.assert_allclose(found[0], canvas[0, 16:48, 8:40], atol=1e-3)
    half = cv2.resize(canvas[1, 8:72, 24:88], (32, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(found[1][:, ::-1] - half).mean() < 2  # a triangle is a little softer than a box
    third = cv2.resize(canvas[0], (32, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(found[2] - third).mean() < 3


@pytest.mark.parametrize("quality", [10, 30, 75])
def test_compression_does_what_jpeg_does(quality: int) -> None:
    grain = np.random.default_rng(0).normal(0, 12, (64, 64, 1))
    image = np.clip(smooth(64)[..., :1] + grain, 0, 255).repeat(3, -1).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    expected = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.float32)
    given = image[None].astype(np.float32)
    found = ops.convert_to_numpy(views.compress(given, np.array([quality], np.float32)))[0]
    assert np.abs(found - expected).mean() < 0.6 < np.abs(image - expected).mean()
    untouched = ops.convert_to_numpy(views.compress(given, np.array([200], np.float32)))
    np.testing.assert_array_equal(untouched, given)


def test_skies_go_from_one_color_to_another_without_edges() -> None:
    colors = np.array([[[10, 20, 30], [200, 210, 220]]], np.float32)
    made = views.gradients(colors, np.array([[1.5, 0, 0]], np.float32), side=64)
    image = ops.convert_to_numpy(made)[0]
    assert np.ptp(image, axis=1).max() < 1e-3 and (np.diff(image, axis=0) > 0).all()
    assert np.abs(np.diff(image, axis=0)).max() < 8
    assert image.min() >= 10 and image.max() <= 220


def test_recoloring_keeps_the_mean_and_blurring_the_light() -> None:
    images = smooth(32)[None] / 2 + 60
    turned = views.recolor(images, np.eye(3, dtype=np.float32)[None, ::-1], np.zeros((1, 3)))
    np.testing.assert_allclose(np.mean(turned, (1, 2)), images.mean((1, 2)), atol=0.5)
    assert np.abs(np.asarray(turned) - images).mean() > 1
    blurred = ops.convert_to_numpy(views.blur(images, np.array([1.0], np.float32)))
    assert abs(blurred.mean() - images.mean()) < 1
    assert np.abs(np.diff(blurred, axis=1)).mean() < np.abs(np.diff(images, axis=1)).mean()


def test_noise_stays_with_the_scene_when_the_view_moves() -> None:
    pattern = np.random.default_rng(0).normal(0, 1, (16, 16, 2)).astype(np.float32)
    start = np.array([[3, 14], [0, 0]], np.int32)

    def see(row: int, column: int) -> Array:
        place = np.array([row, column], np.int32)
        return np.asarray(ops.convert_to_numpy(views.noise_at(pattern, start, place, side=6)))

    np.testing.assert_array_equal(see(8, 4)[:, :4], see(0, 4)[:, 2:])  # two cells further down
    np.testing.assert_allclose(see(2, 0), (see(0, 0) + see(4, 0)) / 2, atol=1e-6)
    np.testing.assert_array_equal(see(0, 0)[0, 0, 2], pattern[3, 0])  # over the seam


def test_a_sky_is_smooth_but_for_its_grain() -> None:
    image = sky(1, 96).astype(np.float32)
    grain = image - cv2.GaussianBlur(image, (0, 0), 3)
    assert 1.0 < grain.std() < 2.0
    assert not np.array_equal(sky(1, 96), sky(2, 96))


# Steps


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


def test_kernels_of_one_shape_are_turned_each_for_itself() -> None:
    random = np.random.default_rng(3)
    slopes = [random.normal(0, size, (2, 2, 3, 4)).astype(np.float32) for size in (1, 50)]
    steps = []
    for together in (True, False):
        kernels = [keras.Variable(np.zeros((2, 2, 3, 4), np.float32)) for _ in slopes]
        for some in [(0, 1)] if together else [(0,), (1,)]:
            optimizer = ConvolutionMuon(0.1)
            optimizer.build([kernels[index] for index in some])
            optimizer.apply([ops.convert_to_tensor(slopes[index]) for index in some])
        steps.append([kernel.numpy() for kernel in kernels])
    np.testing.assert_allclose(steps[0], steps[1], atol=1e-6)
    assert np.abs(steps[0][0] - steps[0][1]).max() > 0.01


@KERAS_ARRAYS
def test_a_trainer_goes_down_averages_and_leaves_out_what_is_not_finite() -> None:
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    wanted = np.array([[1.0], [-2.0], [0.5]], np.float32)

    def objective(batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        off = network(batch["x"]) - ops.matmul(batch["x"], wanted)
        loss = ops.mean(ops.square(off)) * batch["scale"]
        return loss, {"loss": loss}

    trainer = Trainer(network, keras.optimizers.Adam(0.1), objective)
    x = np.random.default_rng(0).normal(0, 1, (32, 3)).astype(np.float32)
    good = {"x": ops.convert_to_tensor(x), "scale": ops.convert_to_tensor(1.0)}
    first = float(trainer.step(good, rate=0.1, share=1.0)["loss"])
    for _ in range(200):
        last = float(trainer.step(good, rate=0.1, share=0.5)["loss"])
    assert last < 1e-3 * first
    np.testing.assert_allclose(trainer.values()[0], wanted, atol=0.02)
    np.testing.assert_allclose(ops.convert_to_numpy(trainer.average[0]), wanted, atol=0.02)
    before = trainer.values()[0]
    trainer.step({**good, "scale": ops.convert_to_tensor(float("nan"))}, rate=0.1, share=0.0)
    assert np.isfinite(trainer.values()[0]).all()
    np.testing.assert_allclose(trainer.values()[0], before, atol=0.02)  # Adam's momentum goes on
    trainer.restart([np.zeros((3, 1), np.float32)], [wanted])
    assert not trainer.values()[0].any()
    trainer.use_average()
    np.testing.assert_array_equal(trainer.values()[0], wanted)


@pytest.mark.usefixtures("few_patterns")
def test_batches_hold_windows_within_their_pictures(packed: Path) -> None:
    settings = Settings(side=32, style_side=48, batch=8)
    batches = TrainingBatches(packed, settings)
    for _ in range(20):
        batch = batches.draw()
        for name in ("photos", "large", "styles"):
            sizes = batches.pictures[name].sizes[batch[f"{name}_index"]]
            corner, side = batch[f"{name}_window"][:, :2], batch[f"{name}_window"][:, 2:]
            assert (corner >= 0).all() and (corner + side <= sizes + 1e-3).all()
        assert sorted(batch["order"]) == list(range(8))
        assert np.abs(batch["first"] - batch["second"]).max() <= 8
        assert all(value.dtype in (np.float32, np.int32) for value in batch.values())


@pytest.mark.slow
@pytest.mark.usefixtures("few_patterns")
@KERAS_ARRAYS
def test_a_new_predictor_begins_where_another_one_is(packed: Path, tmp_path: Path) -> None:
    keras.utils.set_random_seed(4)
    random = np.random.default_rng(4)
    old, new, newer = (tmp_path / f"{name}.weights.h5" for name in ("old", "new", "newer"))
    before, after = (networks.build("adaptive", "float32").network for _ in range(2))
    before.save_weights(old)
    with h5py.File(old, "r+") as file:  # as it was before it read components
        layers = file["layers/functional/layers"]
        for name in ("dense", "dense_1", "dense_2"):
            del layers[name]
        for name, rows, columns in (("dense", 1120, 8), ("dense_1", 8, 256)):
            layers[f"{name}/vars/0"] = random.normal(0, 0.05, (rows, columns))
            layers[f"{name}/vars/1"] = np.zeros(columns)
    views = predictor.look(packed, old, batches=12)
    assert np.count_nonzero(views.styles % 10 == 0) > 5  # one in ten is held out
    assert views.values.shape == (96, 1120) and np.abs(views.values).max() <= 3
    assert 0 < predictor.begin_predictor(views, old, new) < 1
    after.load_weights(new)
    for one, other in zip(before.layers[-1].weights, after.layers[-1].weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    axes = after.get_layer("predictor").get_layer("axes")
    components = views.values @ axes.get_weights()[0] + axes.get_weights()[1]
    spreads = components[:, :16].std(0)
    assert np.all(spreads[:-1] >= spreads[1:] - 1e-3) and spreads[-1] > 0.01
    assert 0 < predictor.begin_predictor(views, new, newer, seed=1) < 1


@pytest.mark.slow
@pytest.mark.usefixtures("held_out", "few_patterns")
@KERAS_ARRAYS
@pytest.mark.parametrize(
    "chosen",
    [
        {"network": "fast", "teacher": "half", "per_style": 1},
        {"network": "adaptive", "teacher": "compact", "bank": 2, "renew": 1},
    ],
    ids=lambda chosen: chosen["network"],
)
def test_training_saves_and_goes_on(
    chosen: dict[str, Any], packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "_SIDE", 64)
    looks, draw = [], TrainingBatches.draw_styles

    def count_looks(self: TrainingBatches, count: int) -> Any:
        looks.append(count)
        return draw(self, count)

    monkeypatch.setattr(TrainingBatches, "draw_styles", count_looks)
    settings = Settings(
        arithmetic="float32", side=32, style_side=32, batch=4, minutes=0.01, **chosen
    )
    out = tmp_path / "run"
    with nullcontext() if chosen["network"] == "adaptive" else uncompiled():
        train(packed, out, settings)
    with uncompiled():
        train(packed, out, settings)
    with (out / "log.csv").open() as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert rows[-1]["pictures"] > rows[0]["pictures"] > 0
    if settings.bank:  # 8 views 25 times before all, the bank twice, and new ones in each step
        assert looks.count(8) == 25 and looks.count(4) == 2 * 2 + rows[-1]["pictures"] / 4
    assert all(np.isfinite(list(row.values())).all() for row in rows)
    sheet = cv2.imread(str(out / "sheet.jpg"))
    assert sheet is not None and sheet.shape == (3 * 64, 4 * 64, 3)
