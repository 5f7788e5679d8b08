"""Puts trained weights of a fast network where the package finds them.

Run as ``python -m stylizer.models.export NETWORK FILE [--share S]``. Rounds them, writes
``NETWORK.weights.h5`` into the network's folder beside this file, and ``NETWORK.openvino.zip``, the
network in OpenVINO's form; notes both in the manifest. Without FILE, the second alone is made anew.
With a share, it goes that far from the weights that are there to those of the file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stylizer.network.embedded.openvino_models import make_models, write_models
from stylizer.network.embedded.parts import load_weights
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.registry import FAST_NETWORKS
from stylizer.weights import weights_path

from .records import list_in_manifest, save_packed
from .training.networks import NETWORKS, build

__all__ = ["export", "main", "pack_openvino"]

_BITS = 8
"""Of the fraction of each weight: two less than half precision has make a file a tenth smaller."""


def export(name: str, weights: Path, folder: Path, *, share: float = 1.0) -> str:
    """Write a network's weights, what is made of them, and ``manifest.json`` into a folder.

    Args:
      name: the network's.
      weights: as ``build_network().save_weights`` writes them.
      folder: of all models; has a folder of the network's name.
      share: of ``weights``, the rest being of those that the folder has: 1 for these alone. Between
        weights before and after a short training there can be some that suit better than either
        (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").

    Returns:
      The sha256 of the weights.

    Raises:
      WeightsError: they are of another network.
    """
    network = build(name, "float32").network
    load_weights(network, weights, name=name)
    path = folder / name / f"{name}.weights.h5"
    if share < 1:
        later = network.get_weights()
        load_weights(network, path, name=name)
        before = network.get_weights()
        pairs = zip(before, later, strict=True)
        network.set_weights([(1 - share) * old + share * new for old, new in pairs])
    save_packed(network, path, bits=_BITS)
    digest = list_in_manifest(folder, name, path)
    pack_openvino(name, folder)
    return digest


def pack_openvino(name: str, folder: Path) -> str:
    """Write a network's ``NETWORK.openvino.zip`` anew, and the manifest; return its sha256."""
    spec = FAST_NETWORKS[name]
    if not isinstance(spec, EmbeddedNetworkSpec) or spec.openvino is None:
        raise TypeError(f"{name}: expected a network whose OpenVINO form is carried")
    made_of = folder / name / f"{name}.weights.h5", weights_path(spec.loss_weights)
    path = folder / name / f"{name}.openvino.zip"
    write_models(make_models(spec, *made_of), path, made_of=made_of)
    return list_in_manifest(folder, spec.openvino, path)


def main() -> None:
    """Read the arguments and export; without weights, pack the ones that are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=tuple(NETWORKS))
    parser.add_argument("weights", type=Path, nargs="?")
    parser.add_argument("--share", type=float, default=1.0, help="of FILE, 0 to 1")
    options, folder = parser.parse_args(), Path(__file__).parent
    if options.weights is None:
        print(pack_openvino(options.network, folder))
    else:
        print(export(options.network, options.weights, folder, share=options.share))


if __name__ == "__main__":
    main()
