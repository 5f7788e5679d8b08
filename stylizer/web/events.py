"""The structured log: one line an event, as JSON or as text."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from stylizer.web.config import LogFormat

__all__ = ["EventFormatter", "log_event", "set_up_log"]

_FIELDS = "stylizer_fields"
_LONGEST = 300


def log_event(log: logging.Logger, event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Log that something happened.

    Args:
      log: where.
      event: what, in one word.
      level: of `logging`.
      fields: numbers and short texts about it.
    """
    log.log(level, event, extra={_FIELDS: fields})


class EventFormatter(logging.Formatter):
    """Writes each record as one line: time, level, event, fields."""

    def __init__(self, form: LogFormat) -> None:
        """Write JSON objects, or text."""
        super().__init__()
        self._json = form == "json"

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; line breaks in a client's words are escaped."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = getattr(record, _FIELDS, {})
        if record.exc_info:
            fields = {**fields, "trace": self.formatException(record.exc_info)}
        event = record.getMessage()
        if self._json:
            line = {"time": time, "level": record.levelname.lower(), "event": event, **fields}
            return _printable(json.dumps(line, default=str))
        told = "".join(f" {name}={_in_short(value)}" for name, value in fields.items())
        return _printable(f"{time} {record.levelname.lower()} {event}{told}")


def set_up_log(form: LogFormat, *, level: int = logging.INFO) -> None:
    """Send the library's messages to stderr, one line each.

    Args:
      form: of the lines.
      level: of the page's own messages; of others there are warnings, unless it is DEBUG.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter(form))
    ours = logging.getLogger("stylizer")
    ours.handlers[:] = [handler]
    ours.propagate = False
    ours.setLevel(level if level == logging.DEBUG else logging.WARNING)
    ours.getChild("web").setLevel(level)


def _in_short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if len(text) > _LONGEST and "\n" not in text:
        text = f"{text[:_LONGEST]}..."
    return json.dumps(text) if any(mark in text for mark in ' "=\n\r\t') else text


def _printable(line: str) -> str:
    """Escape what a terminal might take for a command: a client's words are in the line."""
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in line)


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape", "backslashreplace").decode("ascii")
