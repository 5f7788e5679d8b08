"""Trained weights on their way into the package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stylizer.models.export import export
from stylizer.models.training.networks import build
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.registry import FAST_NETWORKS


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras saving
@pytest.mark.parametrize("network", ["fast", "adaptive"])
def test_weights_are_exported_with_their_openvino_form(network: str, tmp_path: Path) -> None:
    trained, rounded = (build(network, "float32").network for _ in range(2))
    trained.save_weights(tmp_path / "trained.weights.h5")
    root = tmp_path / "models"
    (root / network).mkdir(parents=True)
    (root / "manifest.json").write_text('{"compact": {}}')
    digest = export(network, tmp_path / "trained.weights.h5", root)
    manifest = json.loads((root / "manifest.json").read_text())
    spec = FAST_NETWORKS[network]
    assert isinstance(spec, EmbeddedNetworkSpec)
    assert set(manifest) == {"compact", network, spec.openvino}
    assert manifest[network]["sha256"] == digest
    rounded.load_weights(root / network / f"{network}.weights.h5")
    for one, two in zip(trained.get_weights(), rounded.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-3, atol=1e-4)
    packed = root / network / f"{network}.openvino.zip"
    assert packed.stat().st_size < 400_000  # the numbers themselves are left out


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras saving
def test_a_share_goes_from_what_is_there_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the form for OpenVINO, which takes long to make, is looked at above
    monkeypatch.setattr("stylizer.models.export.pack_openvino", lambda *_: "")
    first, second, mixed = (build("fast", "float32").network for _ in range(3))
    # the seeds that Keras counts among the weights are whole numbers
    second.set_weights([value + (value.dtype.kind == "f") for value in second.get_weights()])
    (tmp_path / "fast").mkdir()
    (tmp_path / "manifest.json").write_text("{}")
    for network, share in ((first, 1.0), (second, 0.25)):
        network.save_weights(tmp_path / "trained.weights.h5")
        export("fast", tmp_path / "trained.weights.h5", tmp_path, share=share)
    mixed.load_weights(tmp_path / "fast" / "fast.weights.h5")
    values = (network.get_weights() for network in (first, second, mixed))
    for old, new, found in zip(*values, strict=True):
        np.testing.assert_allclose(found, 0.75 * old + 0.25 * new, rtol=4e-3, atol=2e-3)
