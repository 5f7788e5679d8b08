"""A camera or a network stream as a live source that never falls behind."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np

from stylizer.base import LiveSource
from stylizer.errors import ConfigError, SourceError
from stylizer.frame import Frame, Image
from stylizer.io.resize import resize_image
from stylizer.io.sources.devices import (
    Capture,
    explain_missing,
    name_stream,
    open_capture,
    parse_device,
    request_format,
)

__all__ = ["Camera"]

_log = logging.getLogger(__name__)

_RETRY = 0.02
"""Seconds between attempts when a camera gives no picture; a stream gets no second attempt."""


class Camera(LiveSource):
    """A live source: a thread keeps only the newest picture, so latency never grows.

    Each frame is newer than the one before; what came while the consumer was busy is dropped.
    ``Frame.time`` is when the picture was received, in seconds since the first one. A camera that
    is unplugged, or a stream that ends or falls silent, ends the iteration with a `SourceError`.

    A stream is meant to be live. One that can be read faster than it plays (a film behind a URL)
    runs past at the speed of the network: read a film with `stylizer.io.sources.video_reader`.
    """

    def __init__(
        self,
        device: int | str,
        *,
        size: tuple[int, int] | None = None,
        rate: Fraction | None = None,
        mjpg: bool = True,
        timeout: float = 5.0,
    ) -> None:
        """Open a camera and wait for its first picture.

        Args:
          device: the camera's index (0, 1, ...; ``"0"`` too), or a stream's URL (``http://`` for
            Motion JPEG, ``rtsp://``, ...).
          size: (width, height) in pixels to ask a camera for; `size` says what it gave.
          rate: frames per second to ask a camera for; None for its own choice.
          mjpg: ask a camera for Motion JPEG, without which USB carries HD only slowly.
          timeout: seconds to wait for the device to open, and for each picture.

        Raises:
          ConfigError: an argument out of its range.
          SourceError: the device cannot be opened, or gives no picture.
        """
        _check(size, rate, timeout)
        self._device = parse_device(device)
        self._name = (
            f"camera {device}" if isinstance(self._device, int) else name_stream(self._device)
        )
        self._timeout = timeout
        self._capture = self._open_capture(self._device, timeout)
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceError(explain_missing(self._name, self._device, timeout=timeout))
        if isinstance(self._device, int):
            request_format(self._capture, size=size, rate=rate, mjpg=mjpg)
        first = self._read(threading.Event())
        if first is None:
            self._capture.release()
            raise SourceError(
                f"{self._name}: opened, but gave no picture within {timeout:g} s; another program "
                "may be using it, or the address is no video stream"
            )
        self._size = (first.shape[1], first.shape[0])
        if size is not None and size != self._size:
            _log.warning(
                "%s: asked for %dx%d, gives %dx%d; going on with that",
                *(self._name, *size, *self._size),
            )
        self._newest: tuple[Image, float] | None = None
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._lost = False
        self._begun = False
        self._thread = threading.Thread(target=self._keep_newest, name=self._name, daemon=True)

    def _open_capture(self, device: int | str, timeout: float) -> Capture:
        """Open the device; a subclass may put another capture in the place of OpenCV's."""
        return open_capture(device, timeout=timeout)

    def _read(self, stop: threading.Event) -> Image | None:
        """Read one picture, RGB; None when it is lost. A camera may stumble for a while."""
        until = time.monotonic() + self._timeout
        while True:
            good, picture = self._capture.read()
            if good:
                return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)
            if isinstance(self._device, str) or time.monotonic() > until or stop.wait(_RETRY):
                return None

    def _keep_newest(self) -> None:
        """Read until told to stop or until the device is lost, alone with the capture."""
        try:
            while not self._stop.is_set():
                image = self._read(self._stop)
                if image is None:
                    break
                with self._changed:
                    self._newest = image, time.monotonic()
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._lost = True
                self._changed.notify_all()
            self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """Give the newest picture again and again, each once; wait when there is no new one.

        Raises:
          SourceError: closed, iterated before, or the device is lost.
        """
        if self._stop.is_set():
            raise SourceError(f"{self._name}: is closed; open it anew")
        if self._begun:
            raise SourceError(f"{self._name}: is being read already; open it anew")
        self._begun = True
        self._thread.start()
        return self._frames()

    def _frames(self) -> Iterator[Frame]:
        index, start = 0, None
        while True:
            image, moment = self._take()
            start = moment if start is None else start
            if (image.shape[1], image.shape[0]) != self._size:
                _log.warning("%s: changed its size; resized to %s", self._name, self._size)
                image = resize_image(image, self._size)
            yield Frame(image, index, moment - start)
            index += 1

    def _take(self) -> tuple[Image, float]:
        """Take the newest picture with its time, waiting for one."""
        with self._changed:
            ready = self._changed.wait_for(
                lambda: self._newest is not None or self._lost, self._timeout + 1
            )
            if self._newest is not None:
                taken, self._newest = self._newest, None
                return taken
        if self._stop.is_set():
            raise SourceError(f"{self._name}: was closed while it was being read")
        what = "was lost" if ready else f"gave no picture for {self._timeout + 1:g} s"
        raise SourceError(f"{self._name} {what}; check the plug or the network and start again")

    def close(self) -> None:
        """Stop reading and let the device go; closing twice does no harm."""
        self._stop.set()
        if self._begun:
            # A read that hangs keeps the capture to itself: releasing it here would crash.
            self._thread.join(self._timeout + 1)
        else:
            self._capture.release()


def _check(size: tuple[int, int] | None, rate: Fraction | None, timeout: float) -> None:
    if size is not None and min(size) < 1:
        raise ConfigError(f"camera size: expected at least 1 pixel a side, got {size}")
    if rate is not None and not 0 < rate <= 1000:
        raise ConfigError(f"camera rate: expected above 0 and at most 1000, got {rate}")
    if not 0 < timeout <= 3600:
        raise ConfigError(f"camera timeout: expected above 0 and at most 3600 s, got {timeout}")
