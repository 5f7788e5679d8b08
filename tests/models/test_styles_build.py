"""The recipe of the built-in styles, on a small picture."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.models.styles import build
from stylizer.models.styles.drawings import DRAWINGS
from stylizer.models.styles.tune import pack_tunings
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.perceptual.compact import TAPS, load_compact
from stylizer.perceptual.features import load_network
from stylizer.styles.built_in import load_named_style, style_names, unpack_gram
from stylizer.styles.tuning import parse_tuning, write_tuning
from stylizer.weights import weights_digest, weights_path


@pytest.fixture
def picture() -> Image:
    few = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(few, np.ones((8, 8, 1), np.uint8)))


def test_what_is_carried_is_of_the_paintings_that_are_named() -> None:
    assert set(style_names()) == set(build.PAINTINGS)
    for name, painting in build.PAINTINGS.items():
        style = load_named_style(name)
        assert (style.title, style.artist, style.year) == (
            painting.title,
            painting.artist,
            painting.year,
        )
        assert set(style.statistics) == set(build.SIDES)
        assert style.tuning is not None
        assert style.tuning.scale == pytest.approx(painting.style_scale)
        assert painting.side in build.SIDES  # its code is of the very size it was tuned with
        assert set(style.grams) == set(build.NETWORKS)
        for grams in style.grams.values():
            assert set(grams) == set(build.GRAM_SIDES)


def test_the_card_names_every_painting() -> None:
    card = (Path(build.__file__).parent / "README.md").read_text(encoding="utf-8")
    for name, painting in build.PAINTINGS.items():
        row = next(line for line in card.splitlines() if line.startswith(f"| `{name}` |"))
        assert painting.title in row
        assert painting.artist in row
        assert str(painting.year) in row


def test_a_painting_is_measured_at_every_side(
    picture: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "SIDES", (24, 48))
    monkeypatch.setattr(build, "GRAM_SIDES", (48,))
    network, other = (load_network(GatysConfig(network=name)) for name in build.NETWORKS)
    encoder = load_compact(weights_path(ADAPTIVE.loss_weights))
    measured = build.measure(encoder, [network, other], picture)
    assert measured["aspects"] == pytest.approx(1.5)
    features: dict[str, npt.NDArray[np.float32]] = {
        tap: np.array(found)[0].reshape(-1, found.shape[-1])
        for tap, found in encoder(picture[None].astype(np.float32)).items()
    }
    expected = np.concatenate(
        [np.concatenate([features[tap].mean(0), features[tap].std(0)]) for tap in TAPS]
    )
    assert measured["statistics"].shape == (2, expected.size)
    np.testing.assert_allclose(measured["statistics"][1], expected, rtol=1e-3, atol=1e-4)
    assert np.abs(measured["statistics"][0] - expected).max() > 0.1
    for one, name in ((network, "compact"), (other, "half")):
        seen = one(picture[None].astype(np.float32))
        for tap in TAPS:
            flat = np.array(seen[tap])[0].reshape(-1, seen[tap].shape[-1])
            gram = flat.T @ flat / len(flat)
            keys = (f"{kind}_{name}_{tap}" for kind in ("correlations", "energies"))
            back = unpack_gram(*(measured[key][0] for key in keys))
            assert np.linalg.norm(back - gram) < 0.01 * np.linalg.norm(gram)


def test_a_style_is_read_as_the_built_in_ones_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "SIDES", (192,))
    monkeypatch.setattr(build, "GRAM_SIDES", (192,))
    encoder = load_compact(weights_path(ADAPTIVE.loss_weights))
    networks = [load_network(GatysConfig(network=name)) for name in build.NETWORKS]
    measured = build.measure(encoder, networks, DRAWINGS["mosaic"]())
    carried = load_named_style("mosaic")
    moments = measured["statistics"][0]
    np.testing.assert_allclose(moments, carried.statistics[192][: len(moments)], rtol=1e-3)
    for name in build.NETWORKS:
        for tap in TAPS:
            keys = (f"{kind}_{name}_{tap}" for kind in ("correlations", "energies"))
            back = unpack_gram(*(measured[key][0] for key in keys))
            np.testing.assert_allclose(back, carried.grams[name][192][tap], rtol=0.02, atol=0.02)


def test_what_we_draw_is_drawn_the_same_each_time() -> None:
    drawn = {name for name, painting in build.PAINTINGS.items() if painting.picture is None}
    assert drawn == set(DRAWINGS)
    for draw in DRAWINGS.values():
        image = draw()
        assert image.shape == (512, 672, 3)
        assert image.std() > 30
        assert np.array_equal(image, draw())


def test_tuned_styles_go_with_the_weights_that_are_carried() -> None:
    tuned = [load_named_style(name) for name in style_names() if load_named_style(name).tuning]
    assert len(tuned) >= 2
    for style in tuned:
        assert style.tuning is not None
        assert style.tuning.network == "adaptive"
        assert style.tuning.weights == weights_digest("adaptive"), f"tune {style.name} again"
        assert np.isfinite(style.tuning.change).all()


def test_tunings_are_packed_without_their_pictures(tmp_path: Path) -> None:
    tuning = load_named_style("starry_night").tuning
    assert tuning is not None
    picture = np.zeros((32, 32, 3), np.uint8)
    write_tuning(tmp_path / "starry_night.style", tuning, name="x", picture=picture)
    pack_tunings(tmp_path, tmp_path / "tuned.zip")
    with zipfile.ZipFile(tmp_path / "tuned.zip") as archive:
        assert archive.namelist() == ["starry_night.style"]
        data = archive.read("starry_night.style")
    again, _, kept = parse_tuning(data, where="here")
    assert kept is None
    assert np.array_equal(again.change, tuning.change)
