"""Everything behind the routes, made once for an application."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from stylizer.network.config import FastConfig
from stylizer.network.registry import QUICK_NETWORK
from stylizer.web.config import WebConfig, default_folder
from stylizer.web.errors import ApiError
from stylizer.web.events import log_event
from stylizer.web.folder import ServerFolder
from stylizer.web.gallery import Gallery, RuntimeLoader
from stylizer.web.job import UPLOAD, Job, JobKind, Lane, Work
from stylizer.web.jobs import JobQueue
from stylizer.web.kept import Kept
from stylizer.web.live import Clients, LiveService
from stylizer.web.options import (
    StyleChoice,
    read_photo_options,
    read_tune_options,
    read_video_options,
)
from stylizer.web.priority import LivePriority
from stylizer.web.sessions import Session, Sessions
from stylizer.web.tune_work import TuneWork
from stylizer.web.uploads import most_frames
from stylizer.web.work import PhotoWork, VideoWork

__all__ = ["Services"]

_log = logging.getLogger(__name__)

_PAUSE = 30.0
"""Seconds between two looks for what is old."""


class Services:
    """The parts of the server that remember something.

    Attributes:
      config: the settings.
      folder: where uploads and results are kept.
      gallery: the network and the styles.
      sessions: the visitors.
      jobs: photos and videos.
      clients: the live streams that are open.
      live: serves them.
    """

    def __init__(self, config: WebConfig, *, loader: RuntimeLoader) -> None:
        """Make the parts; nothing is loaded or written yet."""
        self.config = config
        self._starting, self._ended = threading.Lock(), threading.Event()
        self._sweeper: threading.Thread | None = None
        self.folder = ServerFolder(
            config.folder or default_folder(), keep_seconds=config.keep_seconds
        )
        fast = FastConfig(engine=config.engine, threads=config.threads)
        self.gallery = Gallery(fast, loader=loader, segmenter=config.segmenter)
        self.sessions = Sessions(config)
        self.jobs = JobQueue(config, self.sessions)
        self._kept = Kept(self.folder, self.sessions, self.jobs)
        self.clients = Clients(config.max_clients)
        self._priority = LivePriority()
        quick = replace(fast, network=QUICK_NETWORK)
        self.live = LiveService(
            config=config,
            gallery=self.gallery,
            quicker=Gallery(quick, loader=loader, segmenter=config.segmenter),
            sessions=self.sessions,
            clients=self.clients,
            priority=self._priority,
        )

    def start(self) -> None:
        """Go on with what a server before has left; called again, it does nothing."""
        with self._starting:
            if self._sweeper is not None or self._ended.is_set():
                return
            going_on = self._kept.restore(self.gallery, self.make_job, now=time.monotonic())
            if len(self.jobs):
                log_event(_log, "restored", jobs=len(self.jobs), going_on=going_on)
            self._sweeper = threading.Thread(
                target=self._sweep, name="stylizer-web-sweeper", daemon=True
            )
            self._sweeper.start()

    def make_job(
        self, kind: str, session: Session, folder: Path, options: dict[str, Any], name: str
    ) -> Job:
        """Make a job of what was asked for.

        Args:
          kind: ``"photo"``, ``"video"`` or ``"style"``.
          session: whose it is.
          folder: holds the upload.
          options: as they came.
          name: for people.

        Raises:
          ApiError: an option is out of its range, or there is no such style.
        """
        config, gallery, source = self.config, self.gallery, folder / UPLOAD
        lane: Lane = "video"
        how = ""
        parts: dict[str, str] = {}
        choices: Sequence[StyleChoice]
        work: Work
        if kind == "photo":
            photo = read_photo_options(options, most_iterations=config.iterations)
            choices, parts = photo.styles, photo.parts
            lane = "photo" if photo.method == "fast" else "optimized"
            how = "" if photo.method == "fast" else ", Gatys"
            work = PhotoWork(
                gallery=gallery,
                source=source,
                styles=gallery.styles(choices, session.styles, parts=photo.parts),
                options=photo,
                pixels=config.pixels,
                gatys_pixels=config.gatys_pixels,
                priority=self._priority,
            )
        elif kind == "video":
            video = read_video_options(options)
            choices, parts = video.styles, video.parts
            how = ", finer strokes" if video.is_finer else ""
            work = VideoWork(
                gallery=gallery,
                source=source,
                styles=gallery.styles(choices, session.styles, parts=video.parts),
                options=video,
                most_frames=most_frames(config.video_seconds),
                priority=self._priority,
            )
        elif kind == "style":
            tuning = read_tune_options(options, most_minutes=config.tune_minutes)
            choices, lane = (StyleChoice(id=tuning.style),), "style"
            work = TuneWork(
                gallery=gallery,
                sessions=self.sessions,
                source=source,
                options=tuning,
                priority=self._priority,
            )
        else:
            raise ApiError(400, "bad_options", f"expected a photo, video or style, got {kind!r}")
        return Job(
            kind=cast(JobKind, kind),
            name=name,
            session=session,
            folder=folder,
            options=options,
            work=work,
            lane=lane,
            title=gallery.title(choices, session.styles, parts=parts) + how,
        )

    @property
    def unfinished(self) -> tuple[int, int]:
        """How many jobs there are, and how many of them are not done."""
        counts = self.jobs.counts()
        return len(self.jobs), counts["queued"] + counts["running"]

    def close(self) -> None:
        """End what is under way; what was kept stays for the next server, if there is something."""
        self._ended.set()
        self.clients.close()
        self.jobs.close()
        if self._kept.holds_something:
            self.folder.leave()
        else:
            self.folder.remove()

    def _sweep(self) -> None:
        pause = min(_PAUSE, self.config.keep_seconds / 4)
        while not self._ended.wait(pause):
            try:
                self.jobs.sweep()
                self.sessions.sweep()
                self.folder.touch()
                self.folder.remove_stale()
            except Exception:  # whatever it was: without touch, others would remove the folder
                _log.exception("sweeping failed")
