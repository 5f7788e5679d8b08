"""The recipe of the built-in styles, on a small picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.io.image import write_image
from stylizer.models.styles import build
from stylizer.perceptual.compact import TAPS
from stylizer.perceptual.features import load_network
from stylizer.styles.built_in import load_named_style, style_names, unpack_gram


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
    picture: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "SIDES", (24, 48))
    monkeypatch.setattr(build, "GRAM_SIDES", (48,))
    write_image(tmp_path / "a.png", picture)
    network, other = (load_network(GatysConfig(network=name)) for name in build.NETWORKS)
    measured = build.measure([network, other], tmp_path / "a.png")
    assert measured["aspects"] == pytest.approx(1.5)
    features: dict[str, npt.NDArray[np.float32]] = {
        tap: np.array(found)[0].reshape(-1, found.shape[-1])
        for tap, found in network(picture[None].astype(np.float32)).items()
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
