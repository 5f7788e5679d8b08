"""Everything behind the routes, made once for an application."""

from __future__ import annotations

import logging
import threading

from stylizer.network.config import FastConfig
from stylizer.web.config import WebConfig, default_folder
from stylizer.web.folder import ServerFolder
from stylizer.web.gallery import Gallery, RuntimeLoader
from stylizer.web.jobs import JobQueue
from stylizer.web.live import Clients, LiveService
from stylizer.web.sessions import Sessions

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
        self.folder = ServerFolder(config.folder or default_folder())
        fast = FastConfig(engine=config.engine, threads=config.threads)
        self.gallery = Gallery(fast, loader=loader)
        self.sessions = Sessions(config)
        self.jobs = JobQueue(config, self.sessions)
        self.clients = Clients(config.max_clients)
        self.live = LiveService(
            config=config, gallery=self.gallery, sessions=self.sessions, clients=self.clients
        )

    def start(self) -> None:
        """Begin to remove what is old; called again, it does nothing."""
        with self._starting:
            if self._sweeper is None and not self._ended.is_set():
                self._sweeper = threading.Thread(
                    target=self._sweep, name="stylizer-web-sweeper", daemon=True
                )
                self._sweeper.start()

    def close(self) -> None:
        """End what is under way, and remove what was kept."""
        self._ended.set()
        self.clients.close()
        self.jobs.close()
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
