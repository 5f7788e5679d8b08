"""The compact loss network: its weights, its folding, and what it keeps of the teacher."""

import json
import os
import re
from importlib.resources import files
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import spearmanr

from stylizer.errors import WeightsError
from stylizer.perceptual import compact
from stylizer.weights import weights_path

DATA = Path(os.environ.get("STYLIZER_DATA", Path(__file__).parents[3] / "shared" / "data"))
TEACHER = DATA / "vgg19" / "vgg19_normalised_relu4_1.npz"


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return compact.load_compact(str(weights_path("compact")))


def test_folded_map_keeps_distances_and_gram_matrices() -> None:
    random = np.random.default_rng(0)
    linear = random.normal(size=(6, 20)).astype(np.float32)
    student, other = random.normal(size=(2, 50, 6))
    folded = compact.fold_map(linear)
    wanted = np.mean(((student - other) @ linear) ** 2)
    assert np.mean(((student - other) @ folded) ** 2) == pytest.approx(wanted, rel=1e-5)

    def gram(features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        products: npt.NDArray[np.float64] = features.T @ features / len(features)
        return products

    wanted = np.mean((gram(student @ linear) - gram(other @ linear)) ** 2)
    got = np.mean((gram(student @ folded) - gram(other @ folded)) ** 2)
    assert got == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (64, 48)])
def test_features_have_the_sizes_of_vgg(network: keras.Model, size: tuple[int, int]) -> None:
    width, height = size
    features = network(np.zeros((1, height, width, 3), np.float32))
    assert list(features) == list(compact.TAPS)
    for level, (tap, widths) in enumerate(zip(compact.TAPS, compact.BLOCKS, strict=True)):
        wanted = (1, height >> level, width >> level, widths[-1])
        assert tuple(features[tap].shape) == wanted


def test_first_layer_has_a_flat_border_on_a_flat_picture(network: keras.Model) -> None:
    features = network(np.full((1, 32, 32, 3), 90, np.float32))
    for tap in compact.TAPS:
        value = np.asarray(features[tap])
        np.testing.assert_allclose(value, value[:, :1, :1] + 0 * value, rtol=1e-3, atol=1e-3)


def test_weights_are_those_of_the_manifest_and_small() -> None:
    path = weights_path("compact")
    assert path.stat().st_size < 2**20


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = json.loads((Path(str(files("stylizer.models"))) / "manifest.json").read_text())
    (tmp_path / "compact").mkdir()
    monkeypatch.setattr("stylizer.weights.files", lambda package: tmp_path)
    weights_path.cache_clear()
    for content in (None, "{cut off"):
        if content is not None:
            (tmp_path / "manifest.json").write_text(content)
        with pytest.raises(WeightsError, match=r"manifest\.json .*: reinstall stylizer"):
            weights_path("compact")
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(WeightsError, match="cannot be read"):
        weights_path("compact")
    (tmp_path / manifest["compact"]["file"]).write_bytes(b"cut off")
    with pytest.raises(WeightsError, match=r"damaged: expected sha256"):
        weights_path("compact")
    with pytest.raises(WeightsError, match=re.escape(f"one of {sorted(manifest)}, got 'giant'")):
        weights_path("giant")
    weights_path.cache_clear()


@pytest.mark.weights
@pytest.mark.skipif(not TEACHER.exists(), reason=f"the teacher's weights are not in {TEACHER}")
def test_style_distances_are_in_the_teachers_order(network: keras.Model) -> None:
    skimage = pytest.importorskip("skimage.data")
    from stylizer.models.compact.distill import build_teacher
    from stylizer.perceptual.losses import gram_matrix

    photos = [image[:384, :384] for image in (skimage.astronaut(), skimage.rocket())]
    images = [
        image[y : y + 192, x : x + 192] for image in photos for y in (0, 192) for x in (0, 192)
    ]
    images += [255 - images[0], images[1][..., ::-1]]
    batch = np.stack(images).astype(np.float32)
    wanted, got = build_teacher(TEACHER)(batch), network(batch)
    for tap in compact.TAPS:
        ranks = []
        for features in (wanted[tap], got[tap]):
            grams = np.asarray(gram_matrix(features))
            pairs = np.square(grams[:, None] - grams[None]).mean(axis=(2, 3))
            ranks.append(pairs[np.triu_indices(len(images), k=1)])
        assert spearmanr(*ranks).statistic > 0.85, tap
