"""The habits of the house that a machine can check."""

from __future__ import annotations

import ast
import dataclasses
import fnmatch
import importlib
import importlib.util
import inspect
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"stylizer": "stylizer", "apps": "stylizer.apps", "models": "stylizer.models"}
HEAVY = ("tensorflow", "keras", "torch", "jax", "cv2", "matplotlib", "scipy", "av")
LONGEST_FILE = 300
MOST_PARAMETERS = 5
IGNORED = {".git", ".venv", ".scratch", ".cache", "build", "dist", "runs", "__pycache__"}


def _settings() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings: dict[str, Any] = tomllib.load(file)["tool"]["setuptools"]
    return settings


def _folder_of(package: str) -> Path:
    room = next(
        room
        for room, prefix in sorted(ROOMS.items(), key=lambda item: -len(item[1]))
        if package == prefix or package.startswith(prefix + ".")
    )
    return ROOT.joinpath(room, *package.removeprefix(ROOMS[room]).strip(".").split("."))


def _packages_in_tree() -> set[str]:
    found = set()
    for room, prefix in ROOMS.items():
        for mark in (ROOT / room).rglob("__init__.py"):
            inside = mark.parent.relative_to(ROOT / room).parts
            found.add(".".join((prefix, *inside)))
    return found


def _module_names() -> list[str]:
    names = []
    for package in sorted(_packages_in_tree()):
        for path in sorted(_folder_of(package).glob("*.py")):
            names.append(package if path.stem == "__init__" else f"{package}.{path.stem}")
    return names


def _library_module_names() -> list[str]:
    """Leave out the apps, whose commands typer reads: a parameter is an option, taken by name."""
    return [name for name in _module_names() if not name.startswith("stylizer.apps")]


def _texts() -> Iterator[Path]:
    """Yield the files that belong to the project, without what tools leave behind."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(
            part in IGNORED or part.endswith((".egg-info", "_cache")) or part == ".hypothesis"
            for part in parts
        )
        if path.is_file() and not hidden:
            yield path


def _load(name: str) -> ModuleType:
    return importlib.import_module(name)


def _public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if getattr(value, "__module__", None) == module.__name__:
            yield name, value


def _functions(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the public functions of a module and the public methods of its public classes."""
    for name, value in _public(module):
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value):
            yield from (
                (f"{name}.{method}", function)
                for method, function in vars(value).items()
                if inspect.isfunction(function)
                and (not method.startswith("_") or method == "__init__")
                and not (dataclasses.is_dataclass(value) and method == "__init__")
            )


def test_every_package_of_the_tree_is_listed() -> None:
    assert sorted(_settings()["packages"]) == sorted(_packages_in_tree())


def test_packages_are_where_the_package_dir_says() -> None:
    directories = _settings()["package-dir"]
    assert directories == {prefix: room for room, prefix in ROOMS.items()}
    for package in _settings()["packages"]:
        assert (_folder_of(package) / "__init__.py").is_file(), package


def test_every_data_file_is_shipped() -> None:
    listed = _settings()["package-data"]
    missing = []
    for package in _packages_in_tree():
        for path in _folder_of(package).iterdir():
            if path.is_dir() or path.suffix in {".py", ".pyc"}:
                continue
            if not any(fnmatch.fnmatch(path.name, rule) for rule in listed.get(package, ())):
                missing.append(f"{package}: {path.name}")
    assert not missing


def test_every_rule_for_data_matches_a_file() -> None:
    for package, rules in _settings()["package-data"].items():
        for rule in rules:
            assert list(_folder_of(package).glob(rule)), f"{package}: {rule}"


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


@pytest.mark.parametrize("name", _module_names())
def test_all_is_true(name: str) -> None:
    module = _load(name)
    if inspect.getsource(module).strip() and not _is_only_a_docstring(module):
        assert hasattr(module, "__all__"), f"{name} has no __all__"
        assert list(module.__all__) == sorted(set(module.__all__), key=_isort_style)
    for public in getattr(module, "__all__", ()):
        assert not public.startswith("_"), public
        assert getattr(module, public) is not None


def _is_only_a_docstring(module: ModuleType) -> bool:
    body = ast.parse(inspect.getsource(module)).body
    return len(body) == 1 and isinstance(body[0], ast.Expr)


def _isort_style(name: str) -> tuple[int, str]:
    """Order as ruff's RUF022 does: constants, classes, then the rest."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


@pytest.mark.parametrize("name", _module_names())
def test_what_is_defined_in_public_is_in_all(name: str) -> None:
    module = _load(name)
    defined = {
        node.name
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    assert defined <= set(getattr(module, "__all__", ())), f"{name}: a public name not in __all__"


@pytest.mark.parametrize("name", _library_module_names())
def test_options_are_keyword_only(name: str) -> None:
    for function_name, function in _functions(_load(name)):
        for parameter in inspect.signature(function).parameters.values():
            optional = parameter.default is not inspect.Parameter.empty
            if parameter.name == "config":
                continue  # the settings as a whole: what the options are gathered in
            if function_name.endswith("compute_loss"):
                continue  # Keras calls this hook of its own by position
            assert not optional or parameter.kind is inspect.Parameter.KEYWORD_ONLY, (
                f"{name}.{function_name}: {parameter.name} has a default, so must be keyword-only"
            )


@pytest.mark.parametrize("name", _library_module_names())
def test_no_function_has_too_many_parameters(name: str) -> None:
    for function_name, function in _functions(_load(name)):
        names = inspect.signature(function).parameters
        parameters = [name for name in names if name not in ("self", "config")]
        assert len(parameters) <= MOST_PARAMETERS, (
            f"{name}.{function_name} has {len(parameters)} parameters; make a config of them"
        )


@pytest.mark.parametrize("name", _module_names())
def test_configs_are_frozen_and_keyword_only(name: str) -> None:
    for class_name, kind in _public(_load(name)):
        if inspect.isclass(kind) and class_name.endswith(("Config", "Options", "Settings")):
            assert dataclasses.is_dataclass(kind), f"{class_name} is no dataclass"
            assert kind.__dict__["__dataclass_params__"].frozen, f"{class_name} is not frozen"
            assert all(field.kw_only for field in dataclasses.fields(kind)), class_name


def test_no_source_file_is_too_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
    }
    assert lengths
    assert {name: count for name, count in lengths.items() if count > LONGEST_FILE} == {}


def test_the_library_neither_prints_nor_asserts() -> None:
    found = []
    for path in (ROOT / "stylizer").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            prints = isinstance(node, ast.Call) and getattr(node.func, "id", None) == "print"
            bare = isinstance(node, ast.ExceptHandler) and node.type is None
            if prints or bare or isinstance(node, ast.Assert):
                found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', '?')}")
    assert not found


def test_no_path_of_a_machine_is_in_the_text() -> None:
    paths = ["/" + "work/", "/" + "home/", "/" + "Users/"]
    found = []
    for path in _texts():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or weights
        found += [f"{path.relative_to(ROOT)}: {part}" for part in paths if part in text]
    assert not found
