"""Puts trained weights where the package finds them.

Run as ``python -m stylizer.models.fast.export FILE``. Rounds them to half precision, writes
``fast.weights.h5`` beside this file, and ``fast.openvino.zip``, the network in OpenVINO's form;
notes both in the manifest.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stylizer.network.embedded.openvino_models import make_models, write_models
from stylizer.network.fast.architecture import build_network
from stylizer.network.fast.spec import FAST
from stylizer.weights import weights_path

from ..records import list_in_manifest, save_packed

__all__ = ["export", "main", "pack_openvino"]


def export(weights: Path, folder: Path) -> str:
    """Write ``fast/fast.weights.h5``, what is made of it, and ``manifest.json`` into ``folder``.

    Returns:
      The sha256 of the weights.
    """
    model = build_network()
    model.load_weights(weights)
    path = folder / "fast" / "fast.weights.h5"
    save_packed(model, path)
    digest = list_in_manifest(folder, "fast", path)
    pack_openvino(folder)
    return digest


def pack_openvino(folder: Path) -> str:
    """Write ``fast/fast.openvino.zip`` anew, and the manifest; return its sha256."""
    weights, loss_weights = folder / "fast" / "fast.weights.h5", weights_path(FAST.loss_weights)
    path = folder / "fast" / "fast.openvino.zip"
    write_models(make_models(FAST, weights, loss_weights), path, made_of=(weights, loss_weights))
    return list_in_manifest(folder, "fast_openvino", path)


def main() -> None:
    """Read the arguments and export; without weights, pack the ones that are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, nargs="?")
    weights, folder = parser.parse_args().weights, Path(__file__).parents[1]
    print(pack_openvino(folder) if weights is None else export(weights, folder))


if __name__ == "__main__":
    main()
