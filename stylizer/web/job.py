"""A photo or video that is painted, or a style that is improved: whose it is, and how far."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stylizer.web.sessions import Session

__all__ = ["UPLOAD", "Cancelled", "Job", "JobKind", "JobState", "Lane", "Work"]

UPLOAD = "content"
"""The upload's name in a job's folder; it never has the name that its sender gave it."""

JobKind = Literal["photo", "video", "style"]

JobState = Literal["queued", "running", "done", "failed", "cancelled"]

Lane = Literal["photo", "optimized", "style", "video"]
"""Jobs wait for those of their own lane alone: moments, minutes, and many minutes."""


class Cancelled(Exception):
    """The job at hand is to stop."""


@dataclass(kw_only=True, eq=False)
class Job:
    """One photo, video or style. The thread of its lane writes to it, others read.

    Attributes:
      kind: of what is painted.
      name: for people, and for the download.
      session: whose it is.
      folder: holds the upload, and then the result; removed with the job.
      options: what was asked for, as plain values.
      work: paints, and returns the result's path; it calls `check` often, and reports here.
      lane: which jobs it waits for.
      title: of the styles, and of the method or strokes that are not the usual ones, for people.
      id: random.
      created: seconds since 1970.
      state: queued, running, or how it ended.
      progress: 0 to 1.
      seconds_left: as well as is known; None if it is not.
      losses: iteration and total loss, of an optimized photo.
      message: for people.
      warnings: what is not as in the upload, a line each.
      preview: a small JPEG of the result, or of how far it is.
      result: path of the result, once it is done.
      ended: when, by the queue's clock.
      downloaded: whether the result was.
      gives_way: whether it pauses between its steps, since live pictures go first.
      stop: set when it is to stop.
      goes_on: whether it stops to be gone on with by the next server.
    """

    kind: JobKind
    name: str
    session: Session
    folder: Path
    options: dict[str, Any]
    work: Work
    lane: Lane = "video"
    title: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: float = field(default_factory=time.time)
    state: JobState = "queued"
    progress: float = 0.0
    seconds_left: float | None = None
    losses: list[tuple[int, float]] = field(default_factory=list)
    message: str = ""
    warnings: list[str] = field(default_factory=list)
    preview: bytes | None = None
    result: Path | None = None
    ended: float | None = None
    downloaded: bool = False
    gives_way: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    goes_on: bool = False

    @property
    def worth(self) -> int:
        """What would be lost with it: 0 nothing, 1 what was downloaded, 2 the only result."""
        return 0 if self.result is None else 1 if self.downloaded else 2

    def hide_paths(self, text: str) -> str:
        """Return a message without the server's own paths: the upload has its sender's name."""
        text = text.replace(str(self.folder / UPLOAD), self.name)
        return text.replace(f"{self.folder}{os.sep}", "")

    def check(self) -> None:
        """Go on only if the job is still wanted.

        Raises:
          Cancelled: it is not.
        """
        if self.stop.is_set():
            raise Cancelled

    def as_json(self, place: int) -> dict[str, Any]:
        """Describe the job.

        Args:
          place: in the queue, from 1; 0 for a job that does not wait.
        """
        address = f"/api/jobs/{self.id}"
        preview = f"{address}/preview?of={len(self.preview)}" if self.preview is not None else None
        return {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "style": self.title,
            "created": round(self.created),
            "state": self.state,
            "place": place,
            "progress": round(self.progress, 4),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left, 1),
            "losses": list(self.losses),
            "message": self.message,
            "gives_way": self.gives_way,
            "warnings": list(self.warnings),
            "result": f"{address}/result" if self.result is not None else None,
            "preview": preview,
        }


Work = Callable[[Job], Path]
