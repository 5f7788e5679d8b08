"""What outlives the server: visitors with their styles, and jobs, written down as they change.

::

    stylizer-web-0123456789abcdef/
      sessions/HASH.json    a visitor: the cookie, and the styles
      RANDOM/               a job: `job.json`, its upload or result, `preview.jpg`,
        result.mp4.parts/   and what is finished of a video that is not done
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, get_args

from stylizer.errors import StylizerError
from stylizer.jobs.records import write_json
from stylizer.web.errors import ApiError
from stylizer.web.folder import ServerFolder
from stylizer.web.gallery import Gallery
from stylizer.web.job import UPLOAD, Job, JobKind
from stylizer.web.jobs import JobQueue
from stylizer.web.sessions import Session, Sessions

__all__ = ["Kept", "MakeJob"]

_log = logging.getLogger(__name__)

_FORMAT = 1
_RECORD, _PREVIEW, _SESSIONS = "job.json", "preview.jpg", "sessions"

MakeJob = Callable[[str, Session, Path, dict[str, Any], str], Job]
"""Makes a job of its kind, visitor, folder, options and name."""


class Kept:
    """Writes down what is to be kept, and brings it back."""

    def __init__(self, folder: ServerFolder, sessions: Sessions, jobs: JobQueue) -> None:
        """Listen to what changes.

        Args:
          folder: of the server.
          sessions: the visitors.
          jobs: their photos and videos.
        """
        self._folder, self._sessions, self._jobs = folder, sessions, jobs
        sessions.on_change, sessions.on_end = self._write_session, self._forget_session
        jobs.on_change = self._write_job

    @property
    def holds_something(self) -> bool:
        """Whether a visitor would miss something if the folder went."""
        return len(self._jobs) > 0 or any(one.styles for one in self._sessions.all())

    def restore(self, gallery: Gallery, make: MakeJob, *, now: float) -> int:
        """Bring back what a server before has left.

        Args:
          gallery: reads the visitors' styles.
          make: makes jobs.
          now: by the clock of the queue.

        Returns:
          How many jobs go on.
        """
        if not self._folder.take_over():
            return 0
        known = dict[str, Session]()
        for path in sorted((self._folder.path() / _SESSIONS).glob("*.json")):
            if (session := self._read_session(path, gallery)) is not None:
                known[session.id] = session
        records = [
            (record, path.parent)
            for path in self._folder.path().glob(f"*/{_RECORD}")
            if (record := _read(path)) is not None
        ]
        going_on = 0
        for record, folder in sorted(records, key=lambda one: float(one[0].get("created", 0))):
            try:
                job = _restore_job(record, folder, known, make, now=now)
            except (KeyError, TypeError, ValueError, StylizerError, ApiError, OSError) as error:
                _log.warning("%s cannot be brought back: %s", folder.name, error)
                continue
            self._jobs.restore(job)
            going_on += job.ended is None
        return going_on

    def _write_session(self, session: Session) -> None:
        styles = [
            {
                "id": style.id,
                "title": style.title,
                "jpeg": base64.b64encode(style.jpeg).decode(),
                "tuned": None if style.tuned is None else base64.b64encode(style.tuned).decode(),
            }
            for style in session.styles.values()
        ]
        values = {"format": _FORMAT, "id": session.id, "styles": styles}
        path = self._session_path(session)
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, exist_ok=True)
        self._write(path, values)

    def _forget_session(self, session: Session) -> None:
        with suppress(OSError, StylizerError):
            self._session_path(session).unlink(missing_ok=True)

    def _write_job(self, job: Job) -> None:
        if not self._session_path(job.session).is_file():
            self._write_session(job.session)
        values = {
            "format": _FORMAT,
            "id": job.id,
            "kind": job.kind,
            "name": job.name,
            "title": job.title,
            "session": job.session.id,
            "options": job.options,
            "created": job.created,
            "ended": None if job.ended is None else time.time(),
            "message": job.message,
            "warnings": job.warnings,
            "result": None if job.result is None else job.result.name,
        }
        self._write(job.folder / _RECORD, values)
        if job.preview is not None and job.ended is not None:
            with suppress(OSError):
                (job.folder / _PREVIEW).write_bytes(job.preview)

    def _write(self, path: Path, values: dict[str, Any]) -> None:
        try:
            write_json(path, values)
            path.chmod(0o600)
        except (OSError, StylizerError) as error:
            _log.warning("a restart would not bring it back: %s", error)

    def _session_path(self, session: Session) -> Path:
        name = hashlib.sha256(session.id.encode()).hexdigest()[:32]
        return self._folder.path() / _SESSIONS / f"{name}.json"

    def _read_session(self, path: Path, gallery: Gallery) -> Session | None:
        values = _read(path)
        try:
            if values is None:
                return None
            session = self._sessions.start(id=str(values["id"]))
            session.styles = {
                str(style["id"]): gallery.decode_style(
                    str(style["title"]),
                    base64.b64decode(style["jpeg"]),
                    id=str(style["id"]),
                    tuned=base64.b64decode(style["tuned"]) if style.get("tuned") else None,
                )
                for style in values["styles"]
            }
        except (KeyError, TypeError, ValueError, ApiError, StylizerError) as error:
            _log.warning("a visitor cannot be brought back: %s", error)
            return None
        return session


def _restore_job(
    record: dict[str, Any], folder: Path, known: dict[str, Session], make: MakeJob, *, now: float
) -> Job:
    """Make a job again; raise KeyError, ValueError and the like where that cannot be.

    One that has ended needs nothing of what it was made with: its style may be gone.
    """
    session = known.get(record["session"])
    if session is None:
        raise ValueError("its visitor is not known")
    if record["ended"] is None:
        if not (folder / UPLOAD).is_file():
            raise ValueError("its upload is gone")
        job = make(record["kind"], session, folder, record["options"], record["name"])
    else:
        job = _ended_job(record, folder, session, now=now)
    job.id, job.title = str(record["id"]), str(record["title"])
    job.created = float(record["created"])
    job.message, job.warnings = str(record["message"]), list(record["warnings"])
    if job.ended is None:
        job.message = "The server was started anew; this goes on."
    return job


def _ended_job(record: dict[str, Any], folder: Path, session: Session, *, now: float) -> Job:
    """Return a job that is done, with its result."""
    kind: JobKind = record["kind"]
    if kind not in get_args(JobKind):
        raise ValueError(f"expected a photo, video or style, got {kind!r}")
    job = Job(
        kind=kind,
        name=str(record["name"]),
        session=session,
        folder=folder,
        options=record["options"],
        work=_no_work,
        state="done",
        progress=1.0,
    )
    job.result = folder / Path(str(record["result"])).name
    if not job.result.is_file():
        raise ValueError("its result is gone")
    job.ended = now - max(0.0, time.time() - float(record["ended"]))
    with suppress(OSError):
        job.preview = (folder / _PREVIEW).read_bytes()
    return job


def _no_work(job: Job) -> NoReturn:
    raise RuntimeError(f"{job.id} is done already")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be brought back: %s", path.parent.name, error)
        return None
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        _log.warning("%s cannot be brought back: of another version", path.parent.name)
        return None
    return values
