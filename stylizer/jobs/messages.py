"""What workers log, logged once where the work is handed out: several say the same of one film."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Message", "log_once", "pass_on", "repeat"]

_OURS = logging.getLogger("stylizer")


@dataclass(frozen=True, kw_only=True)
class Message:
    """A log message, as it goes to another process.

    Attributes:
      logger: its name.
      level: as of `logging`.
      template: what it says before names and numbers are put in.
      text: what it says.
    """

    logger: str
    level: int
    template: str
    text: str


def pass_on(take: Callable[[Message], None]) -> None:
    """From now on, give what the library logs in this process to someone, and to nobody else."""
    _OURS.handlers[:] = [_Taken(take)]
    _OURS.setLevel(logging.INFO)
    _OURS.propagate = False


def repeat(message: Message) -> None:
    """Log here what a worker logged."""
    logger = logging.getLogger(message.logger)
    if logger.isEnabledFor(message.level):
        record = logger.makeRecord(
            *(message.logger, message.level, "", 0, message.text, (), None),
            extra={"template": message.template},
        )
        logger.handle(record)


@contextmanager
def log_once() -> Iterator[None]:
    """Show each message once meanwhile, and of workers one of each kind.

    What finds the stretches reads the same film as they do: what it says holds for the whole.
    """
    once, handlers = _Once(), list(_OURS.handlers)
    for handler in handlers:
        handler.addFilter(once)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(once)


class _Taken(logging.Handler):
    def __init__(self, take: Callable[[Message], None]) -> None:
        super().__init__()
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        message = Message(
            logger=record.name,
            level=record.levelno,
            template=str(record.msg),
            text=record.getMessage(),
        )
        self._take(message)


class _Once(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self._texts: set[str] = set()
        self._templates: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        text, relayed = record.getMessage(), getattr(record, "template", None)
        template = str(record.msg) if relayed is None else relayed
        known = text in self._texts or (relayed is not None and template in self._templates)
        self._texts.add(text)
        self._templates.add(template)
        return not known
