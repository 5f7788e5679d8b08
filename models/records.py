"""What a training writes: small files of weights, and its log."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import h5py
import keras
import numpy as np
import numpy.typing as npt

__all__ = ["append_row", "list_in_manifest", "read_settings", "save_packed"]

Settings = TypeVar("Settings")

_NORMALIZATION = re.compile(r"/normalization(_\d+)?/")
"""Of the layers `keras.layers.Normalization`, in a file of weights."""


def save_packed(model: keras.Model, path: Path, *, bits: int = 10) -> None:
    """Save weights (``.weights.h5``) in half precision, compressed.

    Fewer ``bits`` of the fraction make a smaller file; half precision has 10. What statistics are
    normalized by stays as it is: where one hardly varies, the difference to its mean is multiplied
    by a hundred thousand. The model gets the rounded values. The file appears at once, by renaming.
    """
    whole, packed = (path.with_name(f"{kind}_{path.name}") for kind in ("whole", "packed"))
    model.save_weights(whole)
    with h5py.File(whole) as old, h5py.File(packed, "w", libver="latest") as new:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                chunked = {"compression": 9, "shuffle": True} if item.size > 1000 else {}
                exact = item.dtype.kind != "f" or _NORMALIZATION.search(name)
                values = item[()] if exact else _half(item[()], bits)
                made = new.create_dataset(name, data=values, **chunked)
            else:
                made = new.require_group(name)
            made.attrs.update(item.attrs)

        old.visititems(copy)
        new.attrs.update(old.attrs)
    whole.unlink()
    model.load_weights(packed)
    os.replace(packed, path)


def _half(values: npt.NDArray[Any], bits: int) -> npt.NDArray[np.float16]:
    """Round to half precision, and to so many bits of the fraction."""
    fraction, exponent = np.frexp(values.astype(np.float32))
    rounded = np.ldexp(np.rint(np.ldexp(fraction, bits + 1)), exponent - bits - 1)
    return np.asarray(rounded, np.float16)


def list_in_manifest(root: Path, name: str, path: Path) -> str:
    """Note a file in ``manifest.json``, which is replaced at once; return its sha256.

    Args:
      root: the folder of all models, which holds the manifest.
      name: what the package calls the file.
      path: the file, in a folder of ``root`` whose ``README.md`` is its model card.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    manifest[name] = {
        "file": path.relative_to(root).as_posix(),
        "sha256": digest,
        "license": "MIT",
        "card": path.relative_to(root).with_name("README.md").as_posix(),
    }
    new = root / "manifest.new.json"
    new.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    os.replace(new, root / "manifest.json")
    return digest


def append_row(path: Path, row: dict[str, float]) -> None:
    """Add a row to a CSV file, with a header if the file is new."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow({name: f"{value:.5g}" for name, value in row.items()})


def read_settings(description: str, kind: type[Settings]) -> tuple[Path, Path, Settings]:
    """Read a training's command line: ``DATA --out FOLDER`` and an option for each setting.

    Args:
      description: what the program does.
      kind: a dataclass; its fields have defaults, of the type that the option gets.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    for field in fields(kind):  # type: ignore[arg-type]
        option = "--" + field.name.replace("_", "-")
        parser.add_argument(option, type=type(field.default), default=field.default)
    arguments = vars(parser.parse_args())
    data, out = arguments.pop("data"), arguments.pop("out")
    return data, out, kind(**arguments)
