"""The habits of the house that a machine can check; each test lists all that it found.

How many parameters a function may have is ruff's to check (PLR0913): the exceptions stand in
pyproject.toml, and beside single functions with their reason.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.tree import ROOMS, ROOT, module_names

LONGEST_FILE = 400
CONFIGS = ("Config", "Options", "Settings")
"""What the names of records of settings end with."""
IGNORED = {".git", ".venv", ".scratch", ".cache", "build", "dist", "runs", "__pycache__"}


def _expect_none(found: list[str]) -> None:
    assert not found, "\n".join([f"{len(found)} found:", *found])


def _modules() -> list[tuple[str, ModuleType]]:
    names = module_names()
    assert len(names) > 100, "the modules were not found"
    return [(name, importlib.import_module(name)) for name in names]


def _public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name, None)  # what is not there, another test tells
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


def _is_only_a_docstring(module: ModuleType) -> bool:
    body = ast.parse(inspect.getsource(module)).body
    return len(body) == 1 and isinstance(body[0], ast.Expr)


def _isort_style(name: str) -> tuple[int, str]:
    """Order as ruff's RUF022 does: constants, classes, then the rest."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


def test_all_is_true() -> None:
    """It is there, sorted as ruff's RUF022 would, and holds public names that exist."""
    found = []
    for name, module in _modules():
        names = getattr(module, "__all__", None)
        if names is None:
            if not _is_only_a_docstring(module):
                found.append(f"{name}: no __all__")
            continue
        if list(names) != sorted(set(names), key=_isort_style):
            found.append(f"{name}: __all__ is not sorted, or names something twice")
        for public in names:
            if public.startswith("_"):
                found.append(f"{name}: {public} is private, but in __all__")
            if getattr(module, public, None) is None:
                found.append(f"{name}: {public} of __all__ is not there")
    _expect_none(found)


def test_what_is_defined_in_public_is_in_all() -> None:
    found = []
    for name, module in _modules():
        listed = getattr(module, "__all__", ())
        for node in ast.parse(inspect.getsource(module)).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            if node.name not in listed:
                found.append(f"{name}: {node.name} is public, but not in __all__")
    _expect_none(found)


def test_options_are_keyword_only() -> None:
    found = []
    for name, module in _modules():
        if name.startswith("stylizer.apps"):
            continue  # typer reads the commands: a parameter is an option, taken by name
        for function_name, function in _functions(module):
            if function_name.endswith("compute_loss"):
                continue  # Keras calls this hook of its own by position
            for parameter in inspect.signature(function).parameters.values():
                if parameter.name == "config":
                    continue  # the settings as a whole: what the options are gathered in
                optional = parameter.default is not inspect.Parameter.empty
                if optional and parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                    found.append(
                        f"{name}.{function_name}: {parameter.name} has a default, so must be "
                        "keyword-only"
                    )
    _expect_none(found)


def test_configs_are_frozen_and_keyword_only() -> None:
    found = []
    for name, module in _modules():
        for class_name, kind in _public(module):
            if not inspect.isclass(kind) or not class_name.endswith(CONFIGS):
                continue
            if not dataclasses.is_dataclass(kind):
                found.append(f"{name}.{class_name} is no dataclass")
                continue
            if not kind.__dict__["__dataclass_params__"].frozen:
                found.append(f"{name}.{class_name} is not frozen")
            if not all(field.kw_only for field in dataclasses.fields(kind)):
                found.append(f"{name}.{class_name} is not keyword-only")
    _expect_none(found)


def test_no_source_file_is_too_long() -> None:
    found = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > LONGEST_FILE:
                found.append(f"{path.relative_to(ROOT)}: {lines} lines of {LONGEST_FILE}")
    _expect_none(found)


def test_the_library_neither_prints_nor_asserts() -> None:
    found = []
    for path in (ROOT / "stylizer").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            prints = isinstance(node, ast.Call) and getattr(node.func, "id", None) == "print"
            bare = isinstance(node, ast.ExceptHandler) and node.type is None
            if prints or bare or isinstance(node, ast.Assert):
                found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', '?')}")
    _expect_none(found)


def test_no_path_of_a_machine_is_in_the_text() -> None:
    paths = ["/" + "work/", "/" + "home/", "/" + "Users/"]
    found = []
    for path in _texts():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or weights
        found += [f"{path.relative_to(ROOT)}: {part}" for part in paths if part in text]
    _expect_none(found)


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
