"""The cache of OpenVINO's models: whole, checked, and shared by processes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from stylizer.errors import BackendError, WeightsError
from stylizer.network.fast import openvino_cache
from stylizer.network.fast.conversion import ConversionConfig
from stylizer.network.fast.openvino_cache import PARTS, cache_folder, cached_models

NAMES = sorted([f"{part}{suffix}" for part in PARTS for suffix in (".xml", ".bin")] + ["sums.json"])


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
    monkeypatch.setattr(openvino_cache, "convert", converter)
    return converter


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "fast.weights.h5"
    path.write_text("one")
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "some" / "cache"


def read(weights: Path, home: Path) -> tuple[Path, str]:
    """Return the folder and what its image network holds."""
    with cached_models(weights, weights, cache=home) as folder:
        assert sorted(path.name for path in folder.iterdir()) == NAMES
        return folder, (folder / "image.bin").read_text()


def test_it_is_made_once(converter: Converter, weights: Path, home: Path) -> None:
    first, again = read(weights, home), read(weights, home)
    assert first == again == (first[0], "image one")
    assert converter.count == 1
    assert list(home.iterdir()) == [first[0]]


def test_other_weights_get_a_folder_of_their_own(
    converter: Converter, weights: Path, home: Path
) -> None:
    first = read(weights, home)
    weights.write_text("two")
    second = read(weights, home)
    assert second[1] == "image two"
    weights.write_text("one")
    assert read(weights, home) == first
    assert converter.count == 2


def test_another_version_gets_a_folder_of_its_own(
    converter: Converter, weights: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read(weights, home)
    monkeypatch.setattr(openvino_cache, "version", lambda package: "99.0")
    assert read(weights, home)[0] != first[0]


def _cut(folder: Path) -> None:
    (folder / "statistics.bin").write_text("stat")


def _remove(folder: Path) -> None:
    (folder / "predictor.xml").unlink()


def _garble(folder: Path) -> None:
    (folder / "sums.json").write_bytes(b"\xff\x00{")


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize("damage", [_cut, _remove, _garble, _empty])
def test_a_damaged_one_is_made_anew_and_said(
    damage: Callable[[Path], None],
    converter: Converter,
    weights: Path,
    home: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder, _ = read(weights, home)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    damage(folder)
    assert read(weights, home) == (folder, "image one")
    assert converter.count == 2
    assert f"{folder} is damaged" in caplog.text
    assert list(home.iterdir()) == [folder]


def test_two_at_once_do_not_clash(converter: Converter, weights: Path, home: Path) -> None:
    barrier = threading.Barrier(2, timeout=30)
    converter.before = barrier.wait
    found: list[tuple[Path, str]] = []
    threads = [threading.Thread(target=lambda: found.append(read(weights, home))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == converter.count == 2
    assert found[0] == found[1]
    assert list(home.iterdir()) == [found[0][0]]


def test_what_fails_leaves_nothing(converter: Converter, weights: Path, home: Path) -> None:
    def fail() -> None:
        raise BackendError("no")

    converter.before = fail
    with pytest.raises(BackendError, match="no"):
        read(weights, home)
    assert list(home.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_done_without(
    converter: Converter, weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "file"
    home.write_text("in the way")
    with caplog.at_level(logging.WARNING):
        folder, text = read(weights, home / "cache")
    assert text == "image one"
    assert f"{home / 'cache'} cannot be written" in caplog.text
    assert not folder.exists()


def test_weights_that_are_not_there_are_named(converter: Converter, home: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere\.h5: cannot be read"):
        read(Path("nowhere.h5"), home)


def test_it_is_in_the_user_s_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "stylizer" / "openvino"
