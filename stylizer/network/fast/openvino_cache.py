"""OpenVINO's form of the fast network: made once, then kept in the user's cache folder.

A folder there is named after what its models are made of, weights, source code and versions, so
that a new one is made when any of these changes. It appears whole or not at all, and is checked
against its list of sums before use.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

import platformdirs

from stylizer.errors import WeightsError
from stylizer.network.fast.conversion import ConversionConfig, Part, convert
from stylizer.notices import notice

__all__ = ["PARTS", "cache_folder", "cached_models"]

PARTS: tuple[Part, ...] = ("image", "statistics", "predictor")
"""The models in a folder: ``PART.xml`` and ``PART.bin``."""

_SOURCES = (
    ("stylizer.network.fast", "architecture.py"),
    ("stylizer.network.fast", "convert.py"),
    ("stylizer.network.fast", "openvino_graph.py"),
    ("stylizer.perceptual", "compact.py"),
)
_SUMS = "sums.json"

_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the folder in the user's cache that holds all models, old ones too."""
    return platformdirs.user_cache_path("stylizer", appauthor=False) / "openvino"


@contextmanager
def cached_models(weights: Path, compact: Path, *, cache: Path | None = None) -> Iterator[Path]:
    """Yield a folder of `PARTS`, whole and checked; the first time it is made, by TensorFlow.

    A damaged one is made anew, and a cache that cannot be written is done without; both are logged
    as warnings. Several processes may do this at once.

    Args:
      weights: of the fast network.
      compact: weights of the compact loss network.
      cache: where the folders are kept; None for `cache_folder`.

    Yields:
      The folder, which may be gone after the block.

    Raises:
      WeightsError: weights cannot be read.
      BackendError: the network cannot be converted.
    """
    home = cache or cache_folder()
    folder = home / _key(weights, compact)
    if _is_whole(folder):
        yield folder
        return
    try:
        home.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=home))
        kept = True
    except OSError as error:
        _log.warning(
            "%s cannot be written (%s): the network is converted at every start", home, error
        )
        fresh = Path(tempfile.mkdtemp(prefix="stylizer-"))
        kept = False
    try:
        _make(fresh, weights, compact)
        yield _publish(fresh, folder) if kept else fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _make(fresh: Path, weights: Path, compact: Path) -> None:
    notice.info("making the network ready for OpenVINO; this is done once and takes some seconds")
    config = ConversionConfig(
        format="openvino", parts=PARTS, weights=weights, compact=compact, eight_bit=True
    )
    convert(config, fresh)
    sums = {}
    for part in PARTS:
        (fresh / f"{part}.npz").unlink(missing_ok=True)
        for path in (fresh / f"{part}.xml", fresh / f"{part}.bin"):
            sums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (fresh / _SUMS).write_text(json.dumps(sums), encoding="utf-8")


def _publish(fresh: Path, folder: Path) -> Path:
    """Give a folder its name; one that another process published meanwhile is as good.

    A damaged one in the way is moved aside first: whoever reads it still can.
    """
    for _ in range(3):
        try:
            os.rename(fresh, folder)
        except OSError:
            if _is_whole(folder):
                return folder
            aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
            try:
                os.rename(folder, aside / "damaged")
            except OSError as error:  # another process did the same
                _log.debug("%s was moved already (%s)", folder, error)
            shutil.rmtree(aside, ignore_errors=True)
        else:
            return folder
    return fresh


def _is_whole(folder: Path) -> bool:
    """Say whether all models of a folder are there and as they were written."""
    try:
        sums: dict[str, str] = json.loads((folder / _SUMS).read_text(encoding="utf-8"))
        found = {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for part in PARTS
            for name in (f"{part}.xml", f"{part}.bin")
        }
    except FileNotFoundError:
        if folder.exists():
            _log.warning("%s is damaged: a file is missing; it is made anew", folder)
        return False
    except (OSError, ValueError) as error:
        _log.warning("%s is damaged (%s); it is made anew", folder, error)
        return False
    if found != sums:
        _log.warning("%s is damaged: a file differs from what was written; it is made anew", folder)
        return False
    return True


def _key(weights: Path, compact: Path) -> str:
    """Return 24 digits that stand for all that the models are made of.

    Raises:
      WeightsError: weights cannot be read.
    """
    sums = hashlib.sha256()
    for package in ("openvino", "keras", "tensorflow"):
        sums.update(f"{package} {_version(package)}\n".encode())
    for package, name in _SOURCES:
        sums.update(hashlib.sha256(files(package).joinpath(name).read_bytes()).digest())
    for path in (weights, compact):
        try:
            sums.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error
    return sums.hexdigest()[:24]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # there under another name, as tensorflow-cpu
        return ""
