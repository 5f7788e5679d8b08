"""The list of fast networks: names without backends, and a new one by its record alone."""

from __future__ import annotations

import importlib.util
import json
import pkgutil
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from stylizer.errors import ConfigError, StyleError
from stylizer.frame import Frame, Image
from stylizer.network import config as config_module
from stylizer.network import registry, runtime, stylizer
from stylizer.network.config import FastConfig
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.fast.spec import FAST
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.registry import FAST_NETWORKS
from stylizer.network.spec import FastNetworkSpec
from stylizer.network.stylizer import FastStylizer
from stylizer.styles.load import AnyStyle, Style, load_style


class Inverter:
    """A network that turns every color around, whatever the style."""

    description, mixes = "inverter, in NumPy", False

    def __init__(self, network: FastNetworkSpec, config: FastConfig) -> None:
        assert network.name == config.network

    def encode(self, style: AnyStyle, *, scale: float) -> StyleEmbedding:
        return np.zeros(1, np.float32)

    def prepare(self, size: tuple[int, int], code: StyleEmbedding) -> None:
        pass

    def paint(self, image: Image, code: StyleEmbedding) -> Image:
        return 255 - image


INVERTER = FastNetworkSpec(
    name="inverter",
    summary="a stand-in",
    engines={"numpy": f"{__name__}:Inverter"},
    precisions=("float32",),
    stride=1,
    least_side=1,
    style_side=64,
    mixes=False,
    built_in_styles=False,
)
"""All that a new network adds, beside its line in the registry."""


EMBEDDED = " or ".join(name for name, one in FAST_NETWORKS.items() if "keras" in one.engines)


@pytest.fixture
def inverter(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {**FAST_NETWORKS, "inverter": INVERTER}
    for module in (registry, config_module, runtime, stylizer):
        monkeypatch.setattr(module, "FAST_NETWORKS", listed)


def picture() -> Style:
    return Style(name="a", image=np.full((16, 16, 3), 9, np.uint8))


def test_a_new_network_needs_its_record_only(inverter: None) -> None:
    painter = FastStylizer([picture()], FastConfig(network="inverter"))
    assert painter.description == "inverter, in NumPy"
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    np.testing.assert_array_equal(painter(Frame(image, 0, 0.0)).image, 255 - image)


def test_what_a_new_network_does_not_take_is_told_by_its_record(inverter: None) -> None:
    with pytest.raises(
        ConfigError, match=f"expected one of {', '.join(FAST_NETWORKS)}, inverter, got 'other'"
    ):
        FastConfig(network="other")
    with pytest.raises(
        ConfigError, match=f"engine: keras goes with the network {EMBEDDED}, got inverter"
    ):
        FastConfig(network="inverter", engine="keras")
    with pytest.raises(StyleError, match="starry_night: the network inverter needs a picture"):
        FastStylizer([load_style("starry_night")], FastConfig(network="inverter"))
    with pytest.raises(StyleError, match="the network inverter cannot mix"):
        FastStylizer([picture(), picture()], FastConfig(network="inverter"))


def test_networks_that_take_the_same_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {**FAST_NETWORKS, "second": replace(FAST, name="second")}
    monkeypatch.setattr(config_module, "FAST_NETWORKS", listed)
    with pytest.raises(
        ConfigError, match=f"goes with the network {EMBEDDED} or second, got magenta"
    ):
        FastConfig(network="magenta", engine="openvino")


def test_the_default_is_the_first() -> None:
    assert FastConfig().network == next(iter(FAST_NETWORKS))


def test_embedded_weights_are_in_the_manifest() -> None:
    manifest = json.loads(files("stylizer.models").joinpath("manifest.json").read_text())
    networks = [spec for spec in FAST_NETWORKS.values() if isinstance(spec, EmbeddedNetworkSpec)]
    for spec in networks:
        assert {spec.weights, spec.loss_weights, spec.openvino or spec.weights} <= set(manifest)
    assert networks


def test_what_records_name_is_there() -> None:
    for spec in FAST_NETWORKS.values():
        for name in spec.engines.values():
            assert callable(pkgutil.resolve_name(name))
        if isinstance(spec, EmbeddedNetworkSpec):
            assert callable(pkgutil.resolve_name(spec.parts))
            assert all(importlib.util.find_spec(module) for module in spec.sources)


def test_names_need_no_backend() -> None:
    program = (
        "import sys\n"
        "from stylizer.network.registry import FAST_NETWORKS\n"
        "from stylizer.perceptual.registry import LOSS_NETWORKS\n"
        "print(*FAST_NETWORKS, *LOSS_NETWORKS)\n"
        "print(*{'keras', 'openvino', 'tensorflow', 'torch', 'jax'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    names, backends = done.stdout.splitlines()
    assert set(names.split()) >= {"fast", "magenta", "compact", "vgg19", "vgg16"}
    assert backends == ""
