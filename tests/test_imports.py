"""Who may import whom: the table in ARCHITECTURE.md, read and held."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.tree import ROOT, folder_of, module_names, packages_in_tree

ROW = re.compile(r"^\| (?P<rooms>`[^|]*`) \|[^|]*\|(?P<allowed>[^|]*)\|$", re.MULTILINE)


def path_of(module: str) -> Path:
    if module in packages_in_tree():
        return folder_of(module) / "__init__.py"
    package, _, name = module.rpartition(".")
    return folder_of(package) / f"{name}.py"


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"


def _statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Give all imports that run, those inside of functions too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not _is_for_types(child):
            yield from _statements(child)


def read_imports(module: str, text: str, *, is_package: bool, known: set[str]) -> set[str]:
    """Return which of the known modules a module imports when it, or a part of it, runs."""
    package = module if is_package else module.rpartition(".")[0]
    found = set()
    for node in _statements(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
            continue
        parts = package.split(".")
        above = parts[: len(parts) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        # What is taken from a package is a module of it, or else the package's own.
        found |= {
            inner if (inner := f"{base}.{name.name}") in known else base for name in node.names
        }
    return (found & known) - {module}


@cache
def graph() -> Mapping[str, set[str]]:
    names = module_names()
    known = set(names)
    return {
        name: read_imports(
            name,
            path_of(name).read_text(encoding="utf-8"),
            is_package=path_of(name).name == "__init__.py",
            known=known,
        )
        for name in names
    }


def room_of(module: str) -> str:
    """Return ``io`` for ``stylizer.io.image``, and ``apps.bench`` for a wing of the apps."""
    parts = module.split(".")[1:]
    return ".".join(parts[:2]) if parts[:1] == ["apps"] else ".".join(parts[:1])


@cache
def rules() -> Mapping[str, set[str]]:
    """Return what each room may import, by the table."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    text = text[text.index("## The rooms") : text.index("## How to add")]
    table: dict[str, set[str]] = {}
    foundation: set[str] | None = None
    for row in ROW.finditer(text):
        rooms = set(re.findall(r"`([^`]+)`", row["rooms"]))
        foundation = rooms if foundation is None else foundation
        allowed = set(re.findall(r"`([^`]+)`", row["allowed"]))
        for room in rooms:
            assert room not in table, f"{room} is listed twice"
            table[room] = allowed | rooms | foundation
    return table


def test_the_table_lists_the_rooms_that_there_are() -> None:
    rooms = {room_of(name) for name in module_names()} - {"", "apps"}
    assert sorted(rules()) == sorted(rooms)
    for room, allowed in rules().items():
        assert allowed <= rooms, f"{room}: {allowed - rooms} are no rooms"


def test_every_room_imports_only_what_it_may() -> None:
    found = [
        f"{module} imports {other}, but {room_of(module)} may not import {room_of(other)}"
        for module, others in graph().items()
        for other in sorted(others)
        if room_of(module) not in ("", "apps")
        and room_of(other) not in rules()[room_of(module)] | {""}
    ]
    assert not found, "\n".join(found)


def test_the_library_imports_neither_apps_nor_models() -> None:
    outer = ("stylizer.apps", "stylizer.models")
    found = [
        f"{module} imports {other}"
        for module, others in graph().items()
        for other in others
        if other.startswith(outer) and not module.startswith(outer)
    ]
    assert not found, "\n".join(found)


def test_commands_do_not_import_each_other() -> None:
    commands = "stylizer.apps.commands."
    found = [
        f"{module} imports {other}"
        for module, others in graph().items()
        for other in others
        if module.startswith(commands) and other.startswith(commands)
    ]
    assert not found, "\n".join(found)


def test_there_is_no_circle() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_what_counts_as_an_import() -> None:
    text = """
import stylizer.a
from . import b, nothing
from ..other import c
from stylizer.pack import THING
if TYPE_CHECKING:
    from stylizer import types
def later():
    from stylizer import d
"""
    known = {
        *("stylizer.a", "stylizer.own.b", "stylizer.own", "stylizer.other.c", "stylizer.pack"),
        *("stylizer.types", "stylizer.d", "stylizer.unused", "stylizer.own.me"),
    }
    found = read_imports("stylizer.own.me", text, is_package=False, known=known)
    assert sorted(found) == [
        *("stylizer.a", "stylizer.d", "stylizer.other.c"),
        *("stylizer.own", "stylizer.own.b", "stylizer.pack"),
    ]
