"""The weights that the package carries, each checked against the manifest before use."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from pathlib import Path

from stylizer.errors import WeightsError

__all__ = ["weights_digest", "weights_path"]


@cache
def weights_path(name: str) -> Path:
    """Return the file of an embedded network's weights, verified.

    Args:
      name: as the manifest has it, ``"compact"``.

    Raises:
      WeightsError: no such network, its file is missing or differs from the manifest's sha256, or
        there is no manifest.
    """
    root = Path(str(files("stylizer.models")))
    manifest = _read_manifest(root / "manifest.json")
    if name not in manifest:
        raise WeightsError(f"expected an embedded network, one of {sorted(manifest)}, got {name!r}")
    path = root / manifest[name]["file"]
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(
            f"the weights of {name!r} cannot be read from {path} ({error.strerror}): "
            "reinstall stylizer"
        ) from error
    if digest != manifest[name]["sha256"]:
        raise WeightsError(
            f"the weights of {name!r} are damaged: expected sha256 "
            f"{manifest[name]['sha256'][:12]}..., got {digest[:12]}... in {path}: "
            "reinstall stylizer"
        )
    return path


def weights_digest(name: str) -> str | None:
    """Return the sha256 that the manifest gives for an embedded network; None for another one.

    Raises:
      WeightsError: there is no manifest.
    """
    root = Path(str(files("stylizer.models")))
    entry = _read_manifest(root / "manifest.json").get(name)
    return None if entry is None else entry["sha256"]


def _read_manifest(path: Path) -> dict[str, dict[str, str]]:
    try:
        manifest: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"the list of the embedded weights cannot be read from {path} ({error}): "
            "reinstall stylizer"
        ) from error
    return manifest
