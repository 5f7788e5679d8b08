"""A network's models in OpenVINO's form: carried by the package, or made once and then kept.

All models of a network are in one archive, which appears whole or not at all, and whose checksums
are compared when it is read. The package carries those of its own weights, without the numbers that
stand in the files of weights (`stylizer.network.embedded.stored_weights`). Of other weights they
are made by TensorFlow, and kept in the user's cache folder under a name that stands for all that
they are made of: weights, source code and versions.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import pkgutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import platformdirs

from stylizer.errors import WeightsError
from stylizer.network.embedded.conversion import ConversionConfig, Part, convert
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.embedded.stored_weights import Place, put_back, take_out
from stylizer.weights import weights_path

__all__ = ["PARTS", "Models", "cache_folder", "load_models", "make_models", "write_models"]

PARTS: tuple[Part, ...] = ("image", "statistics", "predictor")

Models = Mapping[str, tuple[bytes, bytes]]
"""By part: the topology (``.xml``) and the weights (``.bin``)."""

_SHARED_SOURCES = ("stylizer.network.embedded.convert", "stylizer.network.embedded.parts")
_MADE_OF = "made_of.json"
_DAMAGED = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, NotImplementedError)
_DAY = (1980, 1, 1, 0, 0, 0)
"""The date of all that is written, so that the same models make the same file."""

_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the folder in the user's cache that holds all models, old ones too."""
    return platformdirs.user_cache_path("stylizer", appauthor=False) / "openvino"


def load_models(
    network: EmbeddedNetworkSpec, weights: Path | None, *, cache: Path | None = None
) -> Models:
    """Return a network's models; those of other weights are made the first time, by TensorFlow.

    Models in the cache that are damaged are made anew, and a cache that cannot be written is done
    without; both are logged as warnings. Several processes may do this at once.

    Args:
      network: which.
      weights: a file of weights; None for the network's own.
      cache: the folder where models are kept; None for `cache_folder`.

    Raises:
      WeightsError: weights or models that the package carries are missing or damaged, or the file
        cannot be read.
      BackendError: the network cannot be converted.
    """
    if weights is None and network.openvino is not None:
        carried, *made_of = map(
            weights_path, (network.openvino, network.weights, network.loss_weights)
        )
        try:
            return _read(carried, made_of)
        except _DAMAGED as error:
            raise WeightsError(f"{carried}: is damaged ({error}): reinstall stylizer") from error
    whole = weights or weights_path(network.weights)
    loss_weights = weights_path(network.loss_weights)
    path = (cache or cache_folder()) / f"{_key(network, whole, loss_weights)}.zip"
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except _DAMAGED as error:
        _log.warning("%s is damaged (%s); it is made anew", path, error)
    _log.info("making the network ready for OpenVINO; this is done once and takes some seconds")
    models = make_models(network, whole, loss_weights)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_models(models, path)
    except OSError as error:
        _log.warning(
            "%s cannot be written (%s): the network is converted at every start", path, error
        )
    return models


def make_models(network: EmbeddedNetworkSpec, weights: Path, loss_weights: Path) -> Models:
    """Convert a network, which takes some seconds.

    Raises:
      WeightsError: the weights are of another network.
      BackendError: it cannot be converted.
    """
    config = ConversionConfig(
        load=network.parts,
        format="openvino",
        parts=PARTS,
        weights=weights,
        loss_weights=loss_weights,
        eight_bit=True,
    )
    with tempfile.TemporaryDirectory(prefix="stylizer-") as name:
        folder = Path(name)
        convert(config, folder)
        return {
            part: (
                (folder / f"{part}.xml").read_bytes(),
                (folder / f"{part}.bin").read_bytes(),
            )
            for part in PARTS
        }


def write_models(models: Models, path: Path, *, made_of: Sequence[Path] = ()) -> None:
    """Write models into one file, which appears at once.

    Args:
      models: what to write.
      path: the file; one that is there is replaced.
      made_of: files of weights; what stands in them is left out, and their sums are noted.

    Raises:
      OSError: it cannot be written.
    """
    sums = {source.name: hashlib.sha256(source.read_bytes()).hexdigest() for source in made_of}
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for part, contents in models.items():
                left, places = take_out(*contents, made_of)
                _add(archive, f"{part}.xml", contents[0])
                _add(archive, f"{part}.bin", left)
                if made_of:
                    _add(archive, f"{part}.json", json.dumps(places).encode())
            _add(archive, _MADE_OF, json.dumps(sums).encode())
        temporary.chmod(0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DAY)
    archive.writestr(entry, content, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)


def _read(path: Path, made_of: Sequence[Path] = ()) -> Models:
    models: dict[str, tuple[bytes, bytes]] = {}
    with zipfile.ZipFile(path) as archive:
        for part in PARTS:
            weights = archive.read(f"{part}.bin")
            if made_of:
                places = [Place(*one) for one in json.loads(archive.read(f"{part}.json"))]
                weights = put_back(weights, places, made_of)
            models[part] = archive.read(f"{part}.xml"), weights
    return models


def _key(network: EmbeddedNetworkSpec, weights: Path, loss_weights: Path) -> str:
    """Return 24 digits that stand for all that the models are made of.

    Raises:
      WeightsError: weights cannot be read.
    """
    sums = hashlib.sha256(f"{network.name}\n".encode())
    for package in ("openvino", "keras", "tensorflow"):
        sums.update(f"{package} {_version(package)}\n".encode())
    for module in (*_SHARED_SOURCES, *network.sources):
        package, _, name = module.rpartition(".")
        sums.update(hashlib.sha256(pkgutil.get_data(package, f"{name}.py") or b"").digest())
    for path in (weights, loss_weights):
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
