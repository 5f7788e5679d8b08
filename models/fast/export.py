"""Puts trained weights where the package finds them.

Run as ``python -m stylizer.models.fast.export FILE``. Rounds them to half precision, writes
``fast.weights.h5`` beside this file, and its sha256 into the manifest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path

from stylizer.network.fast.architecture import build_network

from ..records import save_packed

__all__ = ["export", "main"]


def export(weights: Path, folder: Path) -> str:
    """Write ``fast/fast.weights.h5`` and ``manifest.json`` into ``folder``; return the sha256."""
    model = build_network()
    model.load_weights(weights)
    path = folder / "fast" / "fast.weights.h5"
    save_packed(model, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["fast"] = {
        "file": "fast/fast.weights.h5",
        "sha256": digest,
        "license": "MIT",
        "card": "fast/README.md",
    }
    new = folder / "manifest.new.json"
    new.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    os.replace(new, folder / "manifest.json")
    return digest


def main() -> None:
    """Read the arguments and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    print(export(parser.parse_args().weights, Path(__file__).parents[1]))


if __name__ == "__main__":
    main()
