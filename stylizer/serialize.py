"""Settings as plain values, as JSON has them, and back: every value is checked by its type."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from stylizer.errors import ConfigError

__all__ = ["from_plain", "to_plain"]

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Return settings as dicts, lists, texts, numbers, True, False and None.

    All fields are written, also those that have their default: what is stored today means the same
    when a default is another one tomorrow.

    Args:
      value: a dataclass whose fields are such values, paths, tuples, or dataclasses themselves.

    Raises:
      ConfigError: a field holds something else.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [to_plain(entry) for entry in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    raise ConfigError(f"expected settings that JSON can hold, got {type(value).__name__}")


def from_plain(kind: type[T], values: object, *, name: str) -> T:
    """Return settings out of what `to_plain` gave; a field that is missing has its default.

    Args:
      kind: a dataclass.
      values: a mapping.
      name: what to call it in an error.

    Raises:
      ConfigError: an unknown field, or a value of another type or out of its range.
    """
    if not isinstance(values, Mapping):
        raise _wrong(name, "an object", values)
    hints = get_type_hints(kind)
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise ConfigError(f"{name}.{key}: no such setting; there are {', '.join(known)}")
    missing = [
        field.name
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if field.name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(f"{name}.{missing[0]}: expected to be given, got nothing")
    read = {key: _read(hints[key], value, f"{name}.{key}") for key, value in values.items()}
    try:
        return kind(**read)
    except ConfigError as error:
        raise ConfigError(f"{name}.{error}") from error


def _read(kind: Any, value: Any, name: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if any(type(value) is argument for argument in arguments):
            return value
        return _read(arguments[0], value, name)  # the others have no form in JSON
    if origin is Literal:
        if value not in arguments:
            raise _wrong(name, f"one of {', '.join(map(str, arguments))}", value)
        return value
    if origin is tuple:
        return _read_tuple(arguments, value, name)
    if origin is Sequence:
        return _read_tuple((*arguments, ...), value, name)
    if dataclasses.is_dataclass(kind):
        return from_plain(kind, value, name=name)  # type: ignore[arg-type]
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise _wrong(name, _NAMES.get(kind, kind.__name__), value)
    return value


def _read_tuple(kinds: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _wrong(name, "a list", value)
    if kinds[-1] is ...:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _wrong(name, f"a list of {len(kinds)}", value)
    return tuple(
        _read(kind, entry, f"{name}[{place}]")
        for place, (kind, entry) in enumerate(zip(kinds, value, strict=True))
    )


_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Path: "a path",
}


def _wrong(name: str, expected: str, value: object) -> ConfigError:
    return ConfigError(f"{name}: expected {expected}, got {value!r}")
