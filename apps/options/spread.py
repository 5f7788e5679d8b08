"""Records of options as parameters of a command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints

__all__ = ["spread"]


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, for each record of options that it takes, one parameter a field.

    Args:
      command: a function whose parameters are annotated for typer, or with an option record.

    Returns:
      The same command, with the records' fields in place of the records.
    """
    hints = get_type_hints(command, include_extras=True)
    records: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    @functools.wraps(command)
    def call(**values: Any) -> None:
        for name, record in records.items():
            names = [field.name for field in fields(record)]
            values[name] = record(**{field: values.pop(field) for field in names})
        command(**values)

    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in records:
            parameters += _parameters(records[name])
        else:
            kind = inspect.Parameter.KEYWORD_ONLY
            parameters.append(parameter.replace(kind=kind, annotation=hints[name]))
    shown: Any = call
    shown.__signature__ = inspect.Signature(parameters)
    shown.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def _parameters(record: Any) -> list[inspect.Parameter]:
    """Return a record's fields as parameters; a default that a factory makes is made here."""
    parameters = inspect.signature(record).parameters
    hints = get_type_hints(record, include_extras=True)  # those of its bases too
    made = {
        field.name: field.default_factory()
        for field in fields(record)
        if field.default_factory is not MISSING
    }
    return [
        parameter.replace(annotation=hints[name], default=made.get(name, parameter.default))
        for name, parameter in parameters.items()
    ]
