"""One photo or video that is to be painted, and how far it is."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stylizer.web.sessions import Session

__all__ = ["UPLOAD", "Cancelled", "Job", "JobState", "Work"]

UPLOAD = "content"
"""The upload's name in a job's folder; it never has the name that its sender gave it."""

JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class Cancelled(Exception):
    """The job at hand is to stop."""


@dataclass(kw_only=True, eq=False)
class Job:
    """One photo or video. The worker's thread writes to it, others read.

    Attributes:
      kind: of what is painted.
      name: for people, and for the download.
      session: whose it is.
      folder: holds the upload, and then the result; removed with the job.
      work: paints, and returns the result's path; it calls `check` often, and reports here.
      id: random.
      state: queued, running, or how it ended.
      progress: 0 to 1.
      seconds_left: as well as is known; None if it is not.
      losses: iteration and total loss, of an optimized photo.
      message: for people.
      preview: a small JPEG of the result, or of how far it is.
      result: path of the result, once it is done.
      ended: when, by the queue's clock.
    """

    kind: Literal["photo", "video"]
    name: str
    session: Session
    folder: Path
    work: Work
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    state: JobState = "queued"
    progress: float = 0.0
    seconds_left: float | None = None
    losses: list[tuple[int, float]] = field(default_factory=list)
    message: str = ""
    preview: bytes | None = None
    result: Path | None = None
    ended: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)

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
        return {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            "place": place,
            "progress": round(self.progress, 4),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left, 1),
            "losses": list(self.losses),
            "message": self.message,
            "result": f"{address}/result" if self.result is not None else None,
            "preview": f"{address}/preview" if self.preview is not None else None,
        }


Work = Callable[[Job], Path]
