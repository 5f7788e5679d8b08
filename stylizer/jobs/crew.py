"""A crew: workers somewhere, as the one who hands out the work knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from stylizer.errors import ConfigError
from stylizer.jobs.messages import Message
from stylizer.jobs.stretches import Stretch

__all__ = ["Crew", "CrewConfig", "Heard", "WorkProgress"]


@dataclass(frozen=True, kw_only=True)
class CrewConfig:
    """Who paints.

    Attributes:
      workers: how many; None for this process alone or, with ``ray``, as many as the cluster has
        room for.
      threads: of the processor that one takes up.
      ray: address of a Ray cluster: ``"auto"`` for the one that this machine belongs to,
        ``"local"`` for one of this machine alone; None for processes of this machine.
    """

    workers: int | None = None
    threads: int = 1
    ray: str | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("workers", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name}: expected 1 or more, got {value}")


@dataclass(frozen=True, kw_only=True)
class WorkProgress:
    """How far all workers have come.

    Attributes:
      frames: painted by all of them, in this run.
      positions: by a worker's name, the index of the frame that it is at.
      waiting: how many workers are not ready yet.
    """

    frames: int
    positions: Mapping[str, int]
    waiting: int = 0


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a worker said.

    Attributes:
      worker: its number.
      what: it is ready, has painted frames, is done with its stretch, has failed, is dead, or has
        logged something.
      frames: of the stretch that are painted.
      position: index of the frame at hand.
      name: of the worker, for people.
      error: why it failed, or died.
      message: what it logged.
    """

    worker: int
    what: Literal["ready", "frames", "done", "failed", "dead", "message"]
    frames: int = 0
    position: int = 0
    name: str = ""
    error: Exception | None = None
    message: Message | None = None


class Crew(Protocol):
    """Workers, somewhere.

    Attributes:
      size: how many there are.
    """

    @property
    def size(self) -> int: ...  # noqa: D102
    def begin(self, worker: int) -> None:
        """Start a worker, in the place of one that is dead if there was one."""
        ...

    def give(self, worker: int, stretch: Stretch) -> None:
        """Have a worker that is ready and idle paint a stretch."""
        ...

    def listen(self) -> Iterable[Heard]:
        """Return what was said since, after a moment if it was nothing."""
        ...

    def end(self) -> None:
        """End all workers, whatever they do."""
        ...
