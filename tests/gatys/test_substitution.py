"""Settings carried over to another loss network, and recipes where VGG cannot be fetched."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from stylizer.errors import ConfigError, FetchError
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.recipes import RECIPES, recipe
from stylizer.gatys.still import stylize_image
from stylizer.gatys.substitution import reachable, with_network
from stylizer.perceptual import applications
from stylizer.perceptual.features import load_network
from stylizer.perceptual.registry import LOSS_NETWORKS
from stylizer.styles.load import Style


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let Keras fail to fetch weights, as it does without a network; return its cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def fail(**_: object) -> None:
        raise Exception("URL fetch failure on https://host/vgg_notop.h5: None -- no route to host")

    for name in ("VGG16", "VGG19"):
        monkeypatch.setattr(keras.applications, name, fail)
    return tmp_path


def heard(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "stylizer.notice"]


def layers(config: GatysConfig) -> tuple[list[str], list[str]]:
    assert config.content_layers and config.style_layers
    return [name for name, _ in config.content_layers], [name for name, _ in config.style_layers]


def test_each_layer_that_lacks_is_replaced_by_the_nearest() -> None:
    made = with_network(recipe("khan2021").config, "half")
    assert layers(made) == (
        ["block1_conv2", "block2_conv2", "block3_conv3"],
        ["block1_conv2", "block2_conv2", "block4_conv1"],
    )
    assert made.style_layers == (
        ("block1_conv2", 1 / 4),
        ("block2_conv2", 1 / 4),
        ("block4_conv1", 1 / 2),
    )
    few = with_network(recipe("khan2021").config, "Compact")
    assert (few.network, few.substitute) == ("compact", None)
    assert layers(few) == (
        ["block1_conv1", "block2_conv1", "block3_conv1"],
        ["block1_conv1", "block2_conv1", "block4_conv1"],
    )


def test_it_is_said_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="stylizer"):
        with_network(recipe("gatys2016").config, "half")
        with_network(recipe("gatys2016").config, "compact")
        with_network(GatysConfig(), "half")
    assert heard(caplog) == [
        "half takes the place of vgg19, with block4_conv1 for block4_conv2 and block5_conv1",
        "compact takes the place of vgg19, with block4_conv1 for block4_conv2 and block5_conv1, "
        "its own pooling for average",
    ]


def test_what_is_there_stays_as_it_is() -> None:
    config = recipe("gatys2016").config
    assert with_network(config, "vgg19") == replace(config, substitute=None)
    assert with_network(config, "vgg16") == replace(config, network="vgg16", substitute=None)
    plain = with_network(GatysConfig(), "vgg19")
    assert plain == GatysConfig(network="vgg19")
    with pytest.raises(ConfigError, match="got 'vgg20'"):
        with_network(config, "vgg20")


@pytest.mark.parametrize("name", RECIPES)
def test_the_losses_of_a_recipe_keep_their_balance(name: str) -> None:
    """Losses that are no shares go with powers of the activations, which the network scales to 1.

    A layer of mean activation k has a content loss k^2 as large and a style loss k^4 as large.
    """
    config = recipe(name).config
    made = with_network(config, "half")
    assert config.style_layers and made.style_layers and made.content_layers
    gain = sum(weight for _, weight in made.style_layers) / sum(
        weight for _, weight in config.style_layers
    )
    if config.relative:
        assert gain == pytest.approx(1)
    else:
        assert 1e5 < gain < 1e10
    assert (made.content_weight, made.style_weight) == (config.content_weight, config.style_weight)


def test_a_sum_over_fewer_entries_counts_more() -> None:
    config = GatysConfig(
        network="vgg19",
        relative=False,
        content_layers=(("block3_conv1", 1.0),),
        style_layers=(("block3_conv1", 1.0),),
    )
    mean, total = (
        with_network(replace(config, reduction=reduction), "half").content_layers
        for reduction in ("mean", "sum")
    )
    assert mean and total
    assert total[0][1] == pytest.approx(2 * mean[0][1])  # half as many channels
    deeper = replace(config, reduction="sum", content_layers=(("block5_conv1", 1.0),))
    moved = with_network(deeper, "half").content_layers
    assert moved and moved[0][0] == "block4_conv1"
    activation = 10.0**2
    assert moved[0][1] == pytest.approx(activation * (512 / 4**5) / (256 / 4**4))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_runs_where_weights_cannot_be_fetched(
    name: str, offline: Path, caplog: pytest.LogCaptureFixture
) -> None:
    random = np.random.default_rng(1)
    content, style = (random.integers(0, 256, (32, 40, 3), np.uint8) for _ in range(2))
    config = replace(recipe(name).config, iterations=2, evaluations=3, portrait=False)
    records: list[float] = []
    with caplog.at_level(logging.INFO, logger="stylizer"):
        painted = stylize_image(
            content,
            [Style(name="noise", image=style)],
            config,
            on_loss=lambda record: records.append(record.total),
        )
    assert painted.shape == content.shape
    assert np.isfinite(records).all() and len(records) == 2
    (line,) = heard(caplog)
    assert line.startswith(f"the ImageNet weights of {config.network} cannot be fetched: half ")
    found = load_network(reachable(config))
    known = LOSS_NETWORKS["half"].layers
    assert known and {layer for layer, _ in (*found.content_layers, *found.style_layers)} <= {
        *known
    }


def test_a_network_that_was_asked_for_is_not_replaced(offline: Path) -> None:
    config = GatysConfig(network="vgg19")
    assert reachable(config) is config
    with pytest.raises(FetchError, match="could not be fetched from https://host/vgg_notop"):
        load_network(config)
    given = replace(recipe("gatys2016").config, weights=offline / "mine.npz")
    assert reachable(given) is given


def test_with_the_real_weights_a_recipe_is_as_it_was(
    offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = recipe("khan2021").config
    (offline / "models").mkdir()
    cached = offline / "models" / "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
    cached.write_bytes(b"")
    assert reachable(config) is config
    cached.unlink()
    monkeypatch.setattr(applications, "vgg_kernels", lambda name, weights: {})  # it is fetched now
    assert reachable(config) is config
