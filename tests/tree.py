"""Where the packages are: what the folders of the project are called when they are imported."""

from __future__ import annotations

from pathlib import Path

__all__ = ["ROOMS", "ROOT", "folder_of", "module_names", "packages_in_tree"]

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"stylizer": "stylizer", "apps": "stylizer.apps", "models": "stylizer.models"}


def folder_of(package: str) -> Path:
    """Return where a package lies."""
    room = next(
        room
        for room, prefix in sorted(ROOMS.items(), key=lambda item: -len(item[1]))
        if package == prefix or package.startswith(prefix + ".")
    )
    return ROOT.joinpath(room, *package.removeprefix(ROOMS[room]).strip(".").split("."))


def packages_in_tree() -> set[str]:
    """Return the names of all packages."""
    found = set()
    for room, prefix in ROOMS.items():
        for mark in (ROOT / room).rglob("__init__.py"):
            inside = mark.parent.relative_to(ROOT / room).parts
            found.add(".".join((prefix, *inside)))
    return found


def module_names() -> list[str]:
    """Return the names of all modules, packages among them."""
    names = []
    for package in sorted(packages_in_tree()):
        for path in sorted(folder_of(package).glob("*.py")):
            names.append(package if path.stem == "__init__" else f"{package}.{path.stem}")
    return names
