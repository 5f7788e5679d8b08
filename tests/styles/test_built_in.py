"""The built-in styles as the package carries them, and how they are packed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylizer.errors import StyleError
from stylizer.perceptual.registry import LOSS_NETWORKS
from stylizer.styles.built_in import (
    NamedStyle,
    load_named_style,
    pack_gram,
    style_names,
    unpack_gram,
)
from stylizer.weights import weights_path

CHANNELS = {"block1_conv1": 16, "block2_conv1": 48, "block3_conv1": 96, "block4_conv1": 160}


@pytest.fixture(scope="module", params=style_names())
def style(request: pytest.FixtureRequest) -> NamedStyle:
    return load_named_style(request.param)


def test_there_are_many_in_few_megabytes() -> None:
    assert len(style_names()) >= 24
    assert list(style_names()) == sorted(set(style_names()))
    files = ("styles", "style_relations", "tuned_styles")
    assert sum(weights_path(name).stat().st_size for name in files) < 10_000_000


def test_each_says_whose_it_is(style: NamedStyle) -> None:
    assert style.title
    assert len(style.artist.split()) >= 2
    ours = style.artist == "This project"
    assert 1400 < style.year < 1930 or ours
    assert 1 <= style.aspect < 2
    assert style.weight == 1.0


def test_each_has_statistics_and_gram_matrices_of_the_embedded_network(style: NamedStyle) -> None:
    assert sorted(style.statistics) == [192, 256, 384, 512, 768]
    for statistics in style.statistics.values():
        assert statistics.dtype == np.float32
        pairs = sum(count * (count - 1) // 2 for count in CHANNELS.values())
        moments = 2 * sum(CHANNELS.values())
        assert statistics.shape == (moments + pairs,)
        assert np.isfinite(statistics).all()
        assert np.abs(statistics[moments:]).max() <= 1
    assert set(style.grams) == {"compact", "half"}
    for network, by_side in style.grams.items():
        assert set(by_side) <= {*range(128, 769)}
        channels = LOSS_NETWORKS[network].channels
        for grams in by_side.values():
            assert channels and set(grams) == set(CHANNELS)
            for layer, gram in grams.items():
                assert gram.shape == (channels[layer], channels[layer])
                assert gram.dtype == np.float32
                np.testing.assert_array_equal(gram, gram.T)
                assert np.linalg.eigvalsh(gram.astype(float)).min() > -0.01 * np.trace(gram)


@pytest.mark.parametrize("side", [192, 512])
def test_statistics_and_gram_matrices_are_of_the_same_picture(style: NamedStyle, side: int) -> None:
    """All networks stand for VGG-19's features, so their mean squares are about the same.

    A Gram matrix's diagonal holds mean squares: the mean squared plus the deviation squared. From
    style to style they differ by a factor of ten.
    """
    start = 0
    for (layer, channels), least in zip(CHANNELS.items(), (0.9, 0.75, 0.5, 0.5), strict=True):
        parts = style.statistics[side][start : start + 2 * channels].astype(float)
        mean, deviation = parts[:channels], parts[channels:]
        assert (deviation >= 0).all()
        squares = {
            name: grams[side][layer].diagonal().mean() for name, grams in style.grams.items()
        }
        for found in ((mean**2 + deviation**2).mean(), squares["compact"]):
            assert least < found / squares["half"] < 1.02
        start += 2 * channels


@pytest.mark.parametrize("side", [192, 512])
def test_correlations_are_some(style: NamedStyle, side: int) -> None:
    """A matrix of correlations has no eigenvalue below 0, but for their rounding to 1/127."""
    below = 2 * sum(CHANNELS.values())
    for channels in CHANNELS.values():
        rows, columns = np.tril_indices(channels, -1)
        relations = style.statistics[side][below : below + len(rows)].astype(float)
        assert np.abs(relations).max() <= 1 and relations.std() > 0.05
        matrix = np.eye(channels)
        matrix[rows, columns] = matrix[columns, rows] = relations
        assert np.linalg.eigvalsh(matrix).min() > -0.1
        below += len(rows)
    assert below == len(style.statistics[side])


def test_no_two_are_alike() -> None:
    rows = np.array([load_named_style(name).statistics[384] for name in style_names()])
    apart = np.linalg.norm(rows[:, None] - rows[None], axis=-1) + 10 * np.eye(len(rows))
    assert apart.min() > 0.5


def test_what_is_shared_cannot_be_written_to(style: NamedStyle) -> None:
    with pytest.raises(ValueError, match="read-only"):
        style.statistics[192][0] = 1
    with pytest.raises(ValueError, match="read-only"):
        style.grams["half"][192]["block1_conv1"][0, 0] = 1


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(StyleError, match="'sunflowers': expected one of adele_bloch_bauer, "):
        load_named_style("sunflowers")


@pytest.mark.parametrize(
    ("side", "expected"),
    [(1, 192), (221, 192), (222, 256), (384, 384), (500, 512), (627, 512), (628, 768), (4000, 768)],
)
def test_the_nearest_side_is_that_of_the_least_ratio(side: int, expected: int) -> None:
    assert load_named_style("starry_night").nearest(side) == expected


def test_gram_matrices_have_sides_of_their_own() -> None:
    style = _style(statistics=(100, 200), grams=(100, 400))
    assert [style.nearest(190), style.nearest_grams("compact", 190)] == [200, 100]
    assert style.nearest_grams("compact", 210) == 400


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_must_be_positive(weight: float) -> None:
    with pytest.raises(StyleError, match="starry_night: expected a weight above 0"):
        replace(load_named_style("starry_night"), weight=weight)


def test_a_style_of_nothing_is_refused() -> None:
    with pytest.raises(StyleError, match="small: expected statistics and Gram matrices"):
        _style(statistics=(), grams=(64,))


@given(seed=st.integers(0, 999), channels=st.integers(1, 40))
def test_packing_keeps_a_gram_matrix(seed: int, channels: int) -> None:
    random = np.random.default_rng(seed)
    features = random.normal(random.uniform(-1, 2), 1, (200, channels)) * random.uniform(0.01, 9)
    gram = (features.T @ features / 200).astype(np.float32)
    correlations, energies = pack_gram(gram)
    assert correlations.shape == (channels * (channels + 1) // 2,)
    back = unpack_gram(correlations, energies)
    np.testing.assert_array_equal(back, back.T)
    np.testing.assert_allclose(back.diagonal(), gram.diagonal(), rtol=1e-3)
    scale = np.sqrt(np.outer(gram.diagonal(), gram.diagonal()))
    assert (np.abs(back - gram) <= (0.5 / 127 + 2e-3) * scale).all()


def test_a_silent_channel_stays_silent() -> None:
    gram = np.diag(np.array([4, 0, 1], np.float32))
    np.testing.assert_array_equal(unpack_gram(*pack_gram(gram)), gram)


def _style(*, statistics: tuple[int, ...], grams: tuple[int, ...]) -> NamedStyle:
    return NamedStyle(
        name="small",
        title="Small",
        artist="Nobody in particular",
        year=1900,
        statistics={side: np.zeros(640, np.float32) for side in statistics},
        grams={"compact": {side: {"block1_conv1": np.eye(16, dtype=np.float32)} for side in grams}},
    )
