"""What the wheel carries, and what an import pulls in."""

from __future__ import annotations

import fnmatch
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from tests.tree import ROOMS, ROOT, folder_of, packages_in_tree

HEAVY = ("tensorflow", "keras", "torch", "jax", "cv2", "matplotlib", "scipy", "av")


def _settings() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings: dict[str, Any] = tomllib.load(file)["tool"]["setuptools"]
    return settings


def test_every_package_of_the_tree_is_listed() -> None:
    assert sorted(_settings()["packages"]) == sorted(packages_in_tree())


def test_packages_are_where_the_package_dir_says() -> None:
    directories = _settings()["package-dir"]
    assert directories == {prefix: room for room, prefix in ROOMS.items()}
    for package in _settings()["packages"]:
        assert (folder_of(package) / "__init__.py").is_file(), package


def test_every_data_file_is_shipped() -> None:
    listed = _settings()["package-data"]
    missing = []
    for package in packages_in_tree():
        for path in folder_of(package).iterdir():
            if path.is_dir() or path.suffix in {".py", ".pyc"}:
                continue
            if not any(fnmatch.fnmatch(path.name, rule) for rule in listed.get(package, ())):
                missing.append(f"{package}: {path.name}")
    assert not missing


def test_every_rule_for_data_matches_a_file() -> None:
    for package, rules in _settings()["package-data"].items():
        for rule in rules:
            assert list(folder_of(package).glob(rule)), f"{package}: {rule}"


@pytest.mark.parametrize("name", ["stylizer", "stylizer.io", "stylizer.errors", "stylizer.frame"])
def test_importing_it_pulls_in_nothing_heavy(name: str) -> None:
    _check_import(name, forbidden=HEAVY)


@pytest.mark.parametrize(
    "name",
    [
        "stylizer.apps.cli",
        "stylizer.pipeline",
        "stylizer.styles.load",
        "stylizer.gatys.config",
        "stylizer.evaluation.grid",
        "stylizer.evaluation.history",
        "stylizer.gatys.recipes",
        "stylizer.evaluation.sweep",
    ],
)
def test_importing_it_starts_no_backend(name: str) -> None:
    _check_import(name, forbidden=("tensorflow", "keras", "torch", "jax", "matplotlib"))


def _check_import(name: str, *, forbidden: tuple[str, ...]) -> None:
    program = (
        f"import sys, {name}\n"
        f"print(*sorted({set(forbidden)!r} & {{name.split('.')[0] for name in sys.modules}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
