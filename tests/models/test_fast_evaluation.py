"""The evaluation of the fast network: its pairs, its measures, and what it keeps."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt
import pytest

from stylizer.errors import SourceError
from stylizer.frame import Image
from stylizer.io.image import read_image
from stylizer.models.fast import evaluate, painters
from stylizer.models.fast.evaluate import PRIMARY, Evaluation, show
from stylizer.models.fast.held_out import (
    SIDE,
    STYLES,
    Picture,
    choose_pairs,
    read_photos,
    read_styles,
)
from stylizer.models.fast.metrics import (
    MEASURES,
    READINGS,
    FeatureExtractor,
    PictureFeatures,
    measure,
    medians,
    read,
)
from stylizer.models.fast.microast import load_microast
from stylizer.models.fast.painters import Paint, Painter
from stylizer.models.pictures import is_held_out
from stylizer.network.fast.architecture import build_network
from stylizer.perceptual.compact import TAPS

Array = npt.NDArray[Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of small pictures by the names that the evaluation looks for."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for kind, names in (("photos", map(str, range(40))), ("paintings", STYLES)):
        (root / kind).mkdir()
        for name in names:
            coarse = random.integers(0, 256, (4, 5, 3), np.uint8)
            image = cv2.resize(coarse, (50, 40), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(root / kind / f"{name}.jpg"), image)
    (root / "vgg19").mkdir()
    (root / "vgg19" / "vgg19_normalised_relu4_1.npz").write_bytes(b"a stand-in")
    return root


def teacher(images: Any, *, training: bool = False) -> dict[str, Any]:
    """Look as a network of four layers would, but quickly: colors at four sizes."""
    return {tap: images[:, :: 2 + i, :: 2 + i] * (1 + i) / 255 for i, tap in enumerate(TAPS)}


@pytest.fixture
def measured_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "build_teacher", lambda path: teacher)


def picture(value: int) -> Image:
    return np.random.default_rng(value).integers(0, 256, (16, 16, 3), np.uint8)


def test_the_extractor_sees_what_numpy_sees() -> None:
    image = picture(1)
    found = FeatureExtractor(teacher).extract(image)
    features = {tap: value[0] for tap, value in teacher(image[None].astype(np.float32)).items()}
    for tap, gram, moments in zip(TAPS, found.gram, found.moments, strict=True):
        flat = features[tap].reshape(-1, 3)
        np.testing.assert_allclose(gram, flat.T @ flat / len(flat), rtol=1e-4)
        wanted = np.concatenate([flat.mean(0), flat.std(0)])
        np.testing.assert_allclose(moments, wanted, rtol=1e-4)
    np.testing.assert_allclose(found.content, features[TAPS[-1]], rtol=1e-5)
    (colors,) = found.color
    assert colors[0].min() == pytest.approx(image[::3, ::3, 0].min() / 127.5)
    assert colors[2].max() == pytest.approx(image[::3, ::3, 2].max() / 127.5)


def test_the_photo_is_at_1_and_the_style_at_0_in_every_reading() -> None:
    photo, style = (FeatureExtractor(teacher).extract(picture(value)) for value in (1, 2))
    for reading in READINGS.values():
        same = read(measure(photo, photo, style), reading)
        assert same == pytest.approx(dict.fromkeys(MEASURES[:-1], 1) | {"content": 0})
        reached = read(measure(style, photo, style), reading)
        assert [reached[name] for name in MEASURES[:-1]] == [0] * (len(MEASURES) - 1)
        assert reached["content"] > 0.1


def test_readings_are_those_of_their_formulas() -> None:
    def features_of(*values: float) -> PictureFeatures:
        layers = [np.full(1, value, np.float32) for value in values]
        return PictureFeatures(
            gram=layers,
            moments=layers[::-1],
            color=layers[:1],
            gradients=layers[:1],
            content=layers[0],
        )

    # distances to the style left: 1, 2, 3, 1; of the photo: 2, 4, 4, 2; the style's own: 1, 1, 2, 4
    row = measure(features_of(2, 3, 5, 5), features_of(3, 5, 6, 6), features_of(1, 1, 2, 4))
    wanted = {
        "norm, each": ((0.5 + 0.5 + 0.75 + 0.5) / 4, (0.75 + 0.5) / 2, 1 / 3),
        "norm, relative": ((1 + 2 + 1.5 + 0.25) / (2 + 4 + 2 + 0.5), 1.75 / 2.5, 1 / 3),
        "norm, summed": (7 / 12, 4 / 6, 1 / 3),
        "squared, each": ((0.25 * 3 + 0.5625) / 4, (0.5625 + 0.25) / 2, 1 / 9),
        "squared, relative": ((1 + 4 + 2.25 + 0.0625) / (4 + 16 + 4 + 0.25), 2.3125 / 4.25, 1 / 9),
        "squared, summed": (15 / 40, 10 / 20, 1 / 9),
    }
    assert wanted.keys() == READINGS.keys()
    for name, (gram, deep, content) in wanted.items():
        found = read(row, READINGS[name])
        assert (found["gram"], found["deep"]) == pytest.approx((gram, deep)), name
        assert found["moments"] == pytest.approx(gram), name
        assert found["content"] == pytest.approx(content), name
        for one in ("color", "gradients"):
            assert found[one] == pytest.approx(0.5 ** READINGS[name].power), name
    others = [
        measure(features_of(1, 1, 2, 4), features_of(3, 5, 6, 6), features_of(1, 1, 2, 4))
    ] * 2
    assert medians([row, *others])["norm, each"]["gram"] == 0


def test_no_style_was_trained_on() -> None:
    assert len(set(STYLES)) == 20
    assert all(is_held_out(Path(f"{name}.jpg"), textures=4) for name in STYLES)


def test_styles_that_are_not_there_or_not_held_out_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match="rr_other_15"):
        read_styles(tmp_path)
    with pytest.raises(SourceError, match="expected held-out photos, got none"):
        read_photos(tmp_path)
    trained_on = next(
        name for name in map(str, range(99)) if not is_held_out(Path(f"{name}.jpg"), textures=4)
    )
    monkeypatch.setattr("stylizer.models.fast.held_out.STYLES", (trained_on,))
    with pytest.raises(SourceError, match=f"held out, got {trained_on}.jpg"):
        read_styles(folder)


def test_every_picture_turns_up_soon_and_no_pair_twice() -> None:
    photos, styles = (
        [Picture(name=f"{kind}{index}", original=picture(index)) for index in range(20)]
        for kind in "ab"
    )
    pairs = choose_pairs(photos, styles, count=400)
    names = [(photo.name, style.name) for photo, style in pairs]
    assert len(set(names)) == 400
    assert {photo for photo, _ in names[:20]} == {photo.name for photo in photos}
    assert {style for _, style in names[:20]} == {style.name for style in styles}
    assert choose_pairs(photos, styles, count=7) == pairs[:7]


class Copyist:
    """A painter that gives back the style (near 1) or the photo (near 0), and counts."""

    def __init__(self, share: float) -> None:
        self.calls: list[tuple[str, str]] = []
        self._share = share

    def load(self) -> Paint:
        def paint(photo: Picture, style: Picture) -> Image:
            self.calls.append((photo.name, style.name))
            first, second = (one.square(SIDE).astype(float) for one in (photo, style))
            return np.asarray(first + self._share * (second - first), np.uint8)

        return paint


def test_what_is_known_is_not_painted_again(
    folder: Path, tmp_path: Path, measured_quickly: None
) -> None:
    copyist = Copyist(0.7)
    painter = Painter(name="copyist", key="1", load=copyist.load)
    first = Evaluation(folder, tmp_path, sheet=2).measure(painter, count=3)
    assert len(copyist.calls) == 3
    evaluation = Evaluation(folder, tmp_path, sheet=2)
    again = evaluation.measure(painter, count=5)
    assert again[:3] == first
    assert len(set(copyist.calls)) == len(copyist.calls) == 5
    shown = evaluation.sheet([painter])
    assert shown.shape == (2 * SIDE + 32, 3 * SIDE, 3)
    photo, style = evaluation.pairs[0]
    np.testing.assert_array_equal(shown[32 : 32 + SIDE, :SIDE], photo.square(SIDE))
    np.testing.assert_array_equal(shown[32 : 32 + SIDE, SIDE : 2 * SIDE], style.square(SIDE))
    other = Painter(name="copyist", key="2", load=copyist.load)
    evaluation.measure(other, count=1)
    assert len(copyist.calls) == 6


def test_the_report_tells_medians_and_ratios(
    folder: Path,
    tmp_path: Path,
    measured_quickly: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shares = {"fast": 0.8, "magenta": 0.5, "gatys": 0.9}

    def stand_in(name: str) -> Callable[..., Painter]:
        return lambda *_: Painter(name=name, key="1", load=Copyist(shares[name]).load)

    for maker, name in {"embedded": "fast", "magenta": "magenta", "gatys": "gatys"}.items():
        monkeypatch.setattr(painters, maker, stand_in(name))
    arguments = ["evaluate", str(folder), "--out", str(tmp_path), "--pairs", "4", "--gatys", "2"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--weights", "any", "--sheet", "1"])
    monkeypatch.setenv("COLUMNS", "200")
    evaluate.main()
    told = json.loads((tmp_path / "medians.json").read_text())
    assert told["all"].keys() == {"fast", "magenta"}
    assert told["few"].keys() == shares.keys()
    left = [told["few"][name]["primary"]["gram"] for name in ("gatys", "fast", "magenta")]
    assert left == sorted(left) and left[0] < left[2]
    for name, reading in PRIMARY.items():
        assert told["all"]["fast"]["primary"][name] == told["all"]["fast"][reading][name]
    said = capsys.readouterr().out
    ours, theirs = (told["all"][name]["norm, each"]["deep"] for name in ("fast", "magenta"))
    assert f"{ours:.3f} {ours / theirs:.2f}" in said
    assert read_image(tmp_path / "sheet.jpg").shape == (SIDE + 32, 5 * SIDE, 3)


def test_a_table_without_magenta_has_no_ratios() -> None:
    values = {name: dict.fromkeys(MEASURES, 0.5) for name in READINGS}
    table = show({"fast": values}, title="")
    cells = [cell for column in table.columns[2:] for cell in column.cells]
    assert set(cells) == {"0.500"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras saving
def test_the_fast_network_paints_as_its_weights_say(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    build_network().save_weights(tmp_path / "a.weights.h5")
    build_network().save_weights(tmp_path / "b.weights.h5")
    made = [painters.embedded("fast", tmp_path / f"{name}.weights.h5") for name in "ab"]
    assert made[0].key != made[1].key
    photo, style, other = (Picture(name=str(i), original=picture(i)) for i in range(3))
    first, second = (painter.load() for painter in made)
    painted = first(photo, style)
    assert painted.shape == (SIDE, SIDE, 3) and painted.dtype == np.uint8
    np.testing.assert_array_equal(painted, first(photo, style))
    assert (painted != first(photo, other)).any()
    assert (painted != second(photo, style)).any()


def test_a_folder_without_microast_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"expected a clone of EndyWon/MicroAST, without net_"):
        load_microast(tmp_path)
