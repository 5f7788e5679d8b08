"""The list of loss networks, and a new one by its record alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.perceptual import compact, features, half, registry
from stylizer.perceptual.features import load_network
from stylizer.perceptual.registry import LOSS_NETWORKS, find_loss_network
from stylizer.perceptual.spec import LossNetworkChoice, LossNetworkSpec


def load_thirds(settings: LossNetworkChoice, layers: Sequence[str]) -> Any:
    inputs = keras.Input((None, None, 3))
    maps = {"whole": inputs / 3.0, "half": keras.layers.AveragePooling2D(2)(inputs / 3.0)}
    return keras.Model(inputs, {layer: maps[layer] for layer in layers}, name="thirds")


THIRDS = LossNetworkSpec(
    name="thirds",
    summary="a stand-in",
    load=load_thirds,
    layers=("whole", "half"),
    content_layers=(("half", 1.0),),
    style_layers=(("whole", 1.0),),
    stride=lambda layers: 2,
    mean_color=(1.0, 2.0, 3.0),
)
"""All that a new network adds, beside its line in the registry."""


@pytest.fixture
def thirds(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {**LOSS_NETWORKS, "thirds": THIRDS}
    for module in (registry, features):
        monkeypatch.setattr(module, "LOSS_NETWORKS", listed)


def test_a_new_network_needs_its_record_only(thirds: None) -> None:
    network = load_network(GatysConfig(network="Thirds"))
    assert (network.name, network.stride, network.minimum_size) == ("thirds", 2, 4)
    assert network.mean_color == (1.0, 2.0, 3.0)
    assert (network.content_layers, network.style_layers) == ((("half", 1.0),), (("whole", 1.0),))
    found = network(np.full((1, 4, 6, 3), 90.0, np.float32))
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "half": (1, 2, 3, 3),
        "whole": (1, 4, 6, 3),
    }
    np.testing.assert_allclose(ops.convert_to_numpy(found["half"]), 30.0, rtol=1e-6)


def test_what_a_new_network_does_not_have_is_told_by_its_record(thirds: None) -> None:
    with pytest.raises(ConfigError, match="thirds: no layer 'deep'; expected some of whole, half"):
        load_network(GatysConfig(network="thirds", content_layers=(("deep", 1.0),)))
    with pytest.raises(ConfigError, match="pooling: can be replaced in half, vgg16 and vgg19 only"):
        load_network(GatysConfig(network="thirds", pooling="max"))
    with pytest.raises(ConfigError, match=r"expected compact, half, .*thirds, or any network of"):
        find_loss_network("fourths")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("vgg20", "got 'vgg20'; did you mean vgg"),
        ("VGG-19", "did you mean vgg19"),
        ("hlaf", "did you mean half"),
        ("resnet5", "did you mean resnet50"),
        ("qqq", "expected compact, half, vgg19, vgg16, or any network of keras.applications, got"),
    ],
)
def test_an_unknown_network_is_told_in_a_line_with_what_comes_close(name: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_loss_network(name)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 160
    assert ("did you mean" in str(caught.value)) == (name != "qqq")


def test_the_default_is_the_first() -> None:
    assert GatysConfig().network == next(iter(LOSS_NETWORKS))


def test_the_default_layers_are_there() -> None:
    for spec in LOSS_NETWORKS.values():
        assert spec.layers and spec.content_layers and spec.style_layers
        named = {layer for layer, _ in (*spec.content_layers, *spec.style_layers)}
        assert named <= set(spec.layers)
        assert sum(weight for _, weight in spec.style_layers) == pytest.approx(1)


def test_the_embedded_networks_layers_are_their_architectures() -> None:
    assert LOSS_NETWORKS["compact"].layers == compact.TAPS
    assert LOSS_NETWORKS["half"].layers == half.LAYERS
    for name, build in (("compact", compact.build_compact), ("half", half.build_half)):
        outputs = build().output
        assert LOSS_NETWORKS[name].channels == {
            layer: output.shape[-1] for layer, output in outputs.items()
        }


def test_noise_about_the_mean_color_stays_as_it_was() -> None:
    assert load_network(GatysConfig()).mean_color == (123.68, 116.779, 103.939)
