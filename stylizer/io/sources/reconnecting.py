"""A live source that outlives its camera: it waits for a lost one and goes on with it."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

from stylizer.base import LiveSource
from stylizer.errors import SourceError
from stylizer.frame import Frame, Image
from stylizer.io.resize import resize_image
from stylizer.protocols import FrameSource

__all__ = ["Reconnecting"]

_log = logging.getLogger(__name__)

_PATIENCE = 2.0
"""Seconds without a picture after which a camera counts as lost, though it may not know it yet."""

_REPEAT = 0.25
"""Seconds between two frames that repeat the last picture."""

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0
"""Seconds between attempts to open the camera again: they double from the first to the longest."""

_PROMPT = 1.0
"""Seconds that closing may take."""

_HANG = 10.0
"""Seconds that opening or reading a camera may hang, and the process's end waits for it."""


class Reconnecting(LiveSource):
    """A live source around cameras that are opened one after the other, when the last was lost.

    Meanwhile it gives frames that repeat the last picture, a few a second, and `notice` says what
    is being waited for. Index and time go on, and the size stays that of the first camera: what
    comes back at another one is resized.

    A thread reads the cameras and keeps the newest frame, so that a camera that hangs is no hang
    here. That the very first camera is not there, or gives not one picture, is an error at once.
    """

    def __init__(self, open_camera: Callable[[], FrameSource], *, name: str = "camera") -> None:
        """Open the first camera.

        Args:
          open_camera: opens the camera, also again after it was lost, in another thread; it raises
            `SourceError` when the camera is not there.
          name: what `notice` and the log call it.

        Raises:
          SourceError: the camera is not there.
        """
        self._open_camera, self._name = open_camera, name
        self._camera = open_camera()
        self._size = self._camera.size
        self._changed = threading.Condition()
        self._stopped = False
        self._newest: tuple[Image, float] | None = None
        self._given = self._lost = False
        self._failure: Exception | None = None
        self._thread: threading.Thread | None = None
        self._notice: str | None = None

    @property
    def notice(self) -> str | None:
        """What whoever watches should be told, ``camera lost, waiting (12 s)``; usually None."""
        return self._notice

    def __iter__(self) -> Iterator[Frame]:
        """Give the newest picture again and again, each once; without one, repeat the last.

        Raises:
          SourceError: closed, iterated before, or lost before the first picture.
        """
        if self._stopped:
            raise SourceError(f"{self._name}: is closed; open it anew")
        if self._thread is not None:
            raise SourceError(f"{self._name}: is being read already; open it anew")
        self._thread = threading.Thread(target=self._work, name="reconnecting", daemon=True)
        self._thread.start()
        return self._frames()

    def close(self) -> None:
        """Let the camera go, and wait for that a moment at most; closing twice does no harm."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is None:
            self._camera.__exit__(None, None, None)
            return
        self._thread.join(_PROMPT)
        if self._thread.is_alive():
            # It is inside OpenCV, which a process that ends beneath it would abort.
            atexit.register(self._thread.join, _HANG)

    def _frames(self) -> Iterator[Frame]:
        while (taken := self._take()) is None:
            pass
        image, start = taken
        # Whoever gets a picture may paint on it, so that another is kept.
        kept, heard, last = image.copy(), start, 0.0
        yield Frame(image, 0, last)
        for index in count(1):
            taken, now = self._take(), time.monotonic()
            if taken is None:
                self._notice = f"{self._name} lost, waiting ({now - heard:.0f} s)"
                taken = kept.copy(), now
            else:
                if self._notice is not None:
                    _log.warning("%s is back after %.0f s", self._name, now - heard)
                self._notice, heard, kept = None, now, taken[0].copy()
            image, moment = taken
            last = max(last, moment - start)
            yield Frame(image, index, last)

    def _take(self) -> tuple[Image, float] | None:
        """Take the newest picture and its moment; None when it is time to repeat the last."""
        told = self._notice is not None
        with self._changed:
            self._changed.wait_for(
                lambda: self._newest or self._failure or self._stopped or (self._lost and not told),
                _REPEAT if told else _PATIENCE,
            )
            if self._stopped:
                raise SourceError(f"{self._name}: was closed while it was being read")
            if self._failure is not None:
                raise self._failure
            taken, self._newest = self._newest, None
            return taken

    def _work(self) -> None:
        """Read one camera after the other until told to stop."""
        try:
            camera: FrameSource | None = self._camera
            while camera is not None:
                try:
                    with camera:
                        self._read(camera)
                except SourceError as error:
                    if not self._given:
                        raise
                    if not self._stopped:
                        _log.warning("%s lost, waiting for it", self._name)
                        _log.debug("%s", error)
                with self._changed:
                    self._lost = True
                    self._changed.notify_all()
                camera = self._reopen()
        except Exception as error:  # whatever it was, who reads must hear of it
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _read(self, camera: FrameSource) -> None:
        """Keep the newest picture of one camera until it is lost."""
        offset: float | None = None
        for frame in camera:
            if self._stopped:
                return
            if offset is None:
                offset = time.monotonic() - frame.time
            image = resize_image(frame.image, self._size)
            with self._changed:
                self._newest = image, offset + frame.time
                self._given, self._lost = True, False
                self._changed.notify_all()

    def _reopen(self) -> FrameSource | None:
        """Wait for the camera to come back; None when told to stop."""
        wait = _FIRST_WAIT
        while not self._sleep(wait):
            try:
                return self._open_camera()
            except SourceError as error:
                _log.debug("%s: still lost: %s", self._name, error)
            wait = min(2 * wait, _LONGEST_WAIT)
        return None

    def _sleep(self, seconds: float) -> bool:
        """Wait so long, or until told to stop; whether that was told."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped, seconds)
