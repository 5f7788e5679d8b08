"""A window on the screen that shows the frames as they come."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from itertools import count
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from stylizer.errors import SinkError
from stylizer.frame import Frame, Image, check_image
from stylizer.io.image import write_image
from stylizer.io.screen import check_screen
from stylizer.protocols import EndOfStream

__all__ = ["View", "Window", "compose"]

_log = logging.getLogger(__name__)

_LARGEST = (1280, 720)
"""(width, height) in pixels that a window opens with at most; it can be drawn larger."""

_PAUSE = 50
"""Milliseconds between two looks at the keyboard while paused."""

_ESCAPE = 27


class View(Enum):
    """What the window shows; the key ``o`` goes from one to the next."""

    STYLIZED = "stylized"
    SPLIT = "split"
    ORIGINAL = "original"


class Window:
    """A sink that shows frames in a window of OpenCV, and listens to its keys.

    ========= ==========================================================
    q, Escape end the stream, as closing the window does
    space     pause and go on
    s         save what is shown as ``snapshot-0001.png`` and so on
    o         the stylized frame, a split of both, or the original
    ========= ==========================================================

    A live source's frames are shown when they come. Those of a file come as fast as they are
    painted: ``paced`` holds each back for as long after the last as their times are apart. None is
    dropped; what is painted more slowly than that is shown when it comes.

    Open it and write to it in the main thread.
    """

    def __init__(
        self,
        title: str,
        *,
        original: Callable[[int], Image | None] | None = None,
        snapshot_folder: Path = Path("."),
        paced: bool = False,
    ) -> None:
        """Name the window; it opens with the first frame.

        Args:
          title: the window's.
          original: gives the source's picture of a frame's index, such as `RecentFrames.image`.
          snapshot_folder: where snapshots go; nothing there is ever replaced.
          paced: whether frames may not run faster than their times say; for a source with a rate.
        """
        self._title = title
        self._original = original
        self._snapshot_folder = Path(snapshot_folder)
        self._paced = paced
        self._last: Frame | None = None
        self._due = 0.0
        self._view = View.STYLIZED
        self._paused = False
        self._open = False
        self._shown: Image | None = None

    def __enter__(self) -> Self:
        """Look whether there is a screen.

        Raises:
          SinkError: there is none, or OpenCV cannot use it.
        """
        check_screen()
        return self

    def write(self, frame: Frame) -> None:
        """Show a frame, when paced not before its time; while paused, wait.

        Raises:
          EndOfStream: the user closed the window or pressed q.
          SinkError: OpenCV cannot show it.
        """
        check_image(frame.image)
        try:
            if not self._open:
                self._open_window(frame.size)
            self._hold_back(frame)
            self._show(frame)
            self._listen(frame, 1)
            self._wait_paused(frame)
        except cv2.error as error:
            raise SinkError(f"window {self._title!r}: {error.err or error}") from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the window."""
        if self._open:
            self._open = False
            with suppress(cv2.error):  # the user closed it already
                cv2.destroyWindow(self._title)
                cv2.waitKey(1)

    def _open_window(self, size: tuple[int, int]) -> None:
        flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
        cv2.namedWindow(self._title, flags)
        self._open = True
        scale = min(1.0, _LARGEST[0] / size[0], _LARGEST[1] / size[1])
        cv2.resizeWindow(
            self._title, max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
        )

    def _hold_back(self, frame: Frame) -> None:
        """Wait, with an eye on the keys, until a frame is due.

        A delay shorter than a frame is made up for, so that the mean rate is kept; after a longer
        one (slow painting, a pause) time is counted anew.
        """
        if not self._paced:
            return
        last, self._last = self._last, frame
        if last is None:
            self._due = perf_counter()
            return
        step = max(0.0, frame.time - last.time)
        due = self._due + step
        while (left := due - perf_counter()) > 0:
            self._listen(last, max(1, min(_PAUSE, int(1000 * left))))
            self._wait_paused(last)
        self._due = due if -left < step else due - left

    def _wait_paused(self, frame: Frame) -> None:
        while self._paused:
            self._listen(frame, _PAUSE)

    def _show(self, frame: Frame) -> None:
        self._shown = self._composed(frame)
        cv2.imshow(self._title, cv2.cvtColor(self._shown, cv2.COLOR_RGB2BGR))

    def _composed(self, frame: Frame) -> Image:
        if self._view is View.STYLIZED or self._original is None:
            return frame.image
        original = self._original(frame.index)
        if original is None:
            return frame.image
        return compose(original, frame.image, view=self._view)

    def _listen(self, frame: Frame, milliseconds: int) -> None:
        key = cv2.waitKey(milliseconds)
        if self._was_closed():
            raise EndOfStream("the window was closed")
        if key < 0:
            return
        key &= 0xFF
        if key in (_ESCAPE, ord("q")):
            raise EndOfStream("the user ended the stream")
        if key == ord(" "):
            self._paused = not self._paused
        elif key == ord("s"):
            self._save()
        elif key == ord("o"):
            self._next_view(frame)

    def _was_closed(self) -> bool:
        try:
            return bool(cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1)
        except cv2.error:  # Qt has no window at all any more, and nobody to ask
            return True

    def _next_view(self, frame: Frame) -> None:
        if self._original is None:
            _log.warning("there is no original to show")
            return
        views = list(View)
        self._view = views[(views.index(self._view) + 1) % len(views)]
        self._show(frame)

    def _save(self) -> None:
        """Save what is shown; a full disk must not end the show."""
        if self._shown is None:
            return
        path = next(
            path
            for number in count(1)
            if not (path := self._snapshot_folder / f"snapshot-{number:04}.png").exists()
        )
        try:
            write_image(path, self._shown)
        except SinkError as error:
            _log.error("no snapshot: %s", error)
        else:
            _log.info("snapshot saved as %s", path)


def compose(original: Image, stylized: Image, *, view: View) -> Image:
    """Return what a view shows; in the split the original is at the left of a white line.

    Args:
      original: uint8 RGB, (h, w, 3), of any size.
      stylized: uint8 RGB, (H, W, 3).
      view: of the two.

    Returns:
      uint8 RGB, (H, W, 3).
    """
    if view is View.STYLIZED:
        return stylized
    height, width = stylized.shape[:2]
    if original.shape != stylized.shape:
        resized = cv2.resize(original, (width, height), interpolation=cv2.INTER_AREA)
        original = np.asarray(resized, np.uint8)
    if view is View.ORIGINAL:
        return original
    middle = width // 2
    split = np.concatenate([original[:, :middle], stylized[:, middle:]], axis=1)
    split[:, max(0, middle - 1) : middle + 1] = 255
    return split
