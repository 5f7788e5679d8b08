"""Mistakes in a command's words, told as all errors are: what was expected, and what was got."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

__all__ = ["explain_usage", "name_option"]

_EXPECTED = (
    (r"Input should be a valid number.*|.* is not a valid float.*", "a number"),
    (r"Input should be a valid integer.*|.* is not a valid (?:integer|int).*", "a whole number"),
    (r"Input should be greater than or equal to (\S+)", r"\1 or more"),
    (r"Input should be less than or equal to (\S+)", r"at most \1"),
    (r".*not in the range x>=(\S+?)\.?", r"\1 or more"),
    (r".*not in the range (\S+)<=x<=(\S+?)\.?", r"\1 to \2"),
    (r".* is not one of (.+?)\.?", r"\1"),
)
"""How typer says that a value does not fit, of any of its versions, and what it means."""


_OTHERS = {"network": "--loss-network", "grid": "--set"}
"""Options with other names than their settings; ``--network`` is checked before it is one."""


def explain_usage(error: Any) -> str | None:
    """Say what is wrong with the words of a command.

    Args:
      error: what typer raised.

    Returns:
      None for an error of another kind.
    """
    format_message = getattr(error, "format_message", None)
    if not callable(format_message):
        return None
    context = getattr(error, "ctx", None)
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    return f"{_told(error, str(format_message()))}{hint}"


def _told(error: Any, message: str) -> str:
    kind, parameter = type(error).__name__, getattr(error, "param", None)
    name = getattr(error, "option_name", None)
    if kind == "BadOptionUsage" and name is not None:
        takes = "not take a value" not in message
        return f"{name}: expected {'a value after it, got none' if takes else 'no value, got one'}"
    if kind == "MissingParameter" and parameter is not None:
        words = _words(error.ctx) if parameter.param_type_name == "argument" else ""
        if words in ("", _name(parameter)):
            words = _first_sentence(parameter.help)
        return f"{_name(parameter)} is missing: expected {words}"
    if kind == "BadParameter" and parameter is not None:
        expected = _expected(str(error.message))
        if expected is not None:
            return f"{_name(parameter)}: expected {expected}, got {_value(error)}"
    extra = re.fullmatch(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", message.rstrip("."))
    if extra is not None:
        words = _words(error.ctx)
        expected = f"expected {words}" if words else "nothing was expected"
        return f"{extra[1]}: {expected}, got more; quote names that have spaces"
    return message


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    opts: list[str] = parameter.opts
    return max(opts, key=len)


def _words(context: Any) -> str:
    """Name what a command takes beside its options: ``IN OUT``."""
    parameters: Sequence[Any] = context.command.params
    return " ".join(_name(one) for one in parameters if one.param_type_name == "argument")


def _first_sentence(text: str | None) -> str:
    first = re.split(r"(?<=[.;:]) ", text or "", maxsplit=1)[0].rstrip(".;:")
    return first[:1].lower() + first[1:]


def _expected(message: str) -> str | None:
    for pattern, words in _EXPECTED:
        match = re.fullmatch(pattern, message)
        if match is not None:
            listed = match.expand(words)
            names = re.findall(r"'([^']*)'", listed)
            return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else listed
    return None


def _value(error: Any) -> str:
    causes = getattr(error.__cause__, "errors", None)
    if callable(causes):  # of pydantic, which newer versions of typer have
        return repr(causes()[0].get("input"))
    match = re.match(r"'?(.*?)'? is not ", str(error.message))
    return repr(match[1]) if match else "another value"


def name_option(text: str, options: Collection[str]) -> str:
    """Return an error of a setting under the name of its option: ``--style-scale: expected ...``.

    Args:
      text: the message of an error.
      options: of the command, as ``--style-scale``.
    """
    match = re.match(r"([a-z]+(?:_[a-z]+)*): ", text)
    if match is None:
        return text
    for option in (_OTHERS.get(match[1]), f"--{match[1].replace('_', '-')}"):
        if option in options:
            return f"{option}: {text[match.end() :]}"
    return text
