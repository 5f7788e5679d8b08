"""The command as it was given, so that it can be given again."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["given_arguments", "remember_arguments"]

_given: list[str] = []


def remember_arguments(arguments: Sequence[str]) -> None:
    """Take the arguments of this run, without the program's name."""
    _given[:] = arguments


def given_arguments() -> tuple[str, ...]:
    """Return the arguments of this run; none where the command was called as a function."""
    return tuple(_given)
