"""OpenVINO's models: carried, or made once, whole, checked, and shared by processes."""

from __future__ import annotations

import json
import logging
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stylizer.errors import BackendError, WeightsError
from stylizer.network.embedded import openvino_models
from stylizer.network.embedded.conversion import ConversionConfig
from stylizer.network.embedded.openvino_models import (
    PARTS,
    cache_folder,
    load_models,
    write_models,
)
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.registry import FAST_NETWORKS
from stylizer.weights import weights_path

EMBEDDED = [spec for spec in FAST_NETWORKS.values() if isinstance(spec, EmbeddedNetworkSpec)]
FAST = EMBEDDED[0]


class Converter:
    """Writes files that hold the weights' text in place of models, and counts."""

    def __init__(self) -> None:
        self.count = 0
        self.before: Callable[[], object] = lambda: None

    def __call__(self, config: ConversionConfig, folder: Path) -> None:
        self.count += 1
        self.before()
        for part in config.parts:
            for suffix in (".xml", ".bin", ".npz"):
                (folder / f"{part}{suffix}").write_text(f"{part} {config.weights.read_text()}")


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> Converter:
    converter = Converter()
    monkeypatch.setattr(openvino_models, "convert", converter)
    return converter


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "fast.weights.h5"
    path.write_text("one")
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "some" / "cache"


def read(weights: Path, home: Path, network: EmbeddedNetworkSpec = FAST) -> str:
    """Return what the image network holds."""
    models = load_models(network, weights, cache=home)
    assert set(models) == set(PARTS)
    topology, values = models["image"]
    assert topology == values
    return values.decode()


@pytest.mark.parametrize("network", EMBEDDED)
def test_what_is_carried_is_made_of_the_weights_that_are_carried(
    network: EmbeddedNetworkSpec, converter: Converter, home: Path
) -> None:
    """Other weights have come: run ``python -m stylizer.models.NAME.export``."""
    if network.openvino is None:
        pytest.skip(f"{network.name} carries none")
    models = load_models(network, None, cache=home)
    assert all(topology.startswith(b"<?xml") for topology, _ in models.values())
    assert converter.count == 0 and not home.exists()
    manifest = json.loads((weights_path(network.weights).parents[1] / "manifest.json").read_text())
    with zipfile.ZipFile(weights_path(network.openvino)) as archive:
        made_of = json.loads(archive.read("made_of.json"))
    wanted = (manifest[name] for name in (network.weights, network.loss_weights))
    assert made_of == {Path(one["file"]).name: one["sha256"] for one in wanted}


def test_a_network_that_carries_none_is_made_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    bare = replace(FAST, openvino=None, weights="styles", loss_weights="styles")

    def convert(config: ConversionConfig, folder: Path) -> None:
        made.append((config.weights, config.loss_weights))
        for part in config.parts:
            for suffix in (".xml", ".bin"):
                (folder / f"{part}{suffix}").write_text(part)

    monkeypatch.setattr(openvino_models, "convert", convert)
    first, again = (load_models(bare, None, cache=home) for _ in range(2))
    assert first == again == {part: (part.encode(), part.encode()) for part in PARTS}
    assert made == [(weights_path("styles"), weights_path("styles"))]


def test_it_is_made_once(converter: Converter, weights: Path, home: Path) -> None:
    assert read(weights, home) == read(weights, home) == "image one"
    assert converter.count == 1
    assert [path.suffix for path in home.iterdir()] == [".zip"]


def test_other_weights_get_a_file_of_their_own(
    converter: Converter, weights: Path, home: Path
) -> None:
    assert read(weights, home) == "image one"
    weights.write_text("two")
    assert read(weights, home) == "image two"
    weights.write_text("one")
    assert read(weights, home) == "image one"
    assert converter.count == 2


@pytest.mark.parametrize(
    "other",
    [
        replace(FAST, name="second"),
        replace(FAST, loss_weights="styles"),
        replace(FAST, sources=FAST.sources[:-1]),
    ],
)
def test_another_network_gets_a_file_of_its_own(
    other: EmbeddedNetworkSpec, converter: Converter, weights: Path, home: Path
) -> None:
    for network in (FAST, other, FAST, other):
        read(weights, home, network)
    assert converter.count == len(list(home.iterdir())) == 2


def test_another_version_gets_a_file_of_its_own(
    converter: Converter, weights: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(weights, home)
    monkeypatch.setattr(openvino_models, "version", lambda package: "99.0")
    read(weights, home)
    assert len(list(home.iterdir())) == 2


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _remove(path: Path) -> None:
    write_models({part: (b"a", b"b") for part in PARTS[:-1]}, path)


def _garble(path: Path) -> None:
    content = path.read_bytes()
    place = content.index(b"statistics.bin") + len("statistics.bin") + 2
    path.write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_cut, _remove, _garble, _empty])
def test_a_damaged_one_is_made_anew_and_said(
    damage: Callable[[Path], None],
    converter: Converter,
    weights: Path,
    home: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    read(weights, home)
    (path,) = home.iterdir()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    damage(path)
    assert read(weights, home) == "image one"
    assert converter.count == 2
    assert f"{path} is damaged" in caplog.text
    assert list(home.iterdir()) == [path]
    assert read(weights, home) == "image one"
    assert converter.count == 2


def test_what_is_carried_and_damaged_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, converter: Converter
) -> None:
    path = tmp_path / "fast.openvino.zip"
    path.write_bytes(b"PK")
    monkeypatch.setattr(openvino_models, "weights_path", lambda name: path)
    with pytest.raises(WeightsError, match=r"fast\.openvino\.zip: is damaged .*reinstall stylizer"):
        load_models(FAST, None)
    assert converter.count == 0


def test_two_at_once_do_not_clash(converter: Converter, weights: Path, home: Path) -> None:
    barrier = threading.Barrier(2, timeout=30)
    converter.before = barrier.wait
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(read(weights, home))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["image one"] * 2
    assert converter.count == 2
    assert len(list(home.iterdir())) == 1


def test_what_fails_leaves_nothing(converter: Converter, weights: Path, home: Path) -> None:
    def fail() -> None:
        raise BackendError("no")

    converter.before = fail
    with pytest.raises(BackendError, match="no"):
        read(weights, home)
    assert not home.exists()


def test_a_cache_that_cannot_be_written_is_done_without(
    converter: Converter, weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "file"
    home.write_text("in the way")
    with caplog.at_level(logging.WARNING):
        assert read(weights, home / "cache") == "image one"
    assert "cannot be written" in caplog.text and str(home / "cache") in caplog.text


def test_weights_that_are_not_there_are_named(converter: Converter, home: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere\.h5: cannot be read"):
        read(Path("nowhere.h5"), home)


def test_it_is_in_the_user_s_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "stylizer" / "openvino"
