"""A window on the screen that shows the frames as they come."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Self

import cv2

from stylizer.errors import SinkError
from stylizer.frame import Frame, Image, check_image
from stylizer.io.image import write_image
from stylizer.io.sinks.panel import (
    Key,
    NoPanel,
    Panel,
    View,
    by_code,
    compose,
    fit_screen,
    shown_path,
)
from stylizer.io.sinks.screen import check_screen
from stylizer.notices import notice
from stylizer.protocols import EndOfStream

__all__ = ["Window"]

_log = logging.getLogger(__name__)

_LARGEST = (1280, 720)
"""(width, height) in pixels that a window opens with at most; it can be drawn larger."""

_SMALLEST = 480
"""Short side in pixels that a window opens with at least: smaller pictures are scaled up."""

_PAUSE = 50
"""Milliseconds between two looks at the keyboard while paused."""

_STEP = 0.05
"""Share of the width by which a key moves the line of the split."""


class Window:
    """A sink that shows frames in a window of OpenCV, and listens to its keys.

    ========= ==========================================================
    q, Escape end the stream, as closing the window does
    space     pause and go on
    s         save what is shown as ``snapshot-0001.png`` and so on
    o         the stylized frame, a split of both, or the original
    , and .   move the line of the split, as dragging the mouse does
    f         fill the screen, and back
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
        panel: Panel | None = None,
    ) -> None:
        """Name the window; it opens with the first frame.

        Args:
          title: the window's.
          original: gives the source's picture of a frame's index, such as `RecentFrames.image`.
          snapshot_folder: where snapshots go; nothing there is ever replaced.
          paced: whether frames may not run faster than their times say; for a source with a rate.
          panel: further keys, and what is written over the picture; snapshots are without it.

        Raises:
          ConfigError: the panel has a key that is the window's own.
        """
        self._title = title
        self._original = original
        self._snapshot_folder = Path(snapshot_folder)
        self._paced = paced
        self._panel = panel or NoPanel()
        self._keys = (*self._own_keys(), *self._panel.keys)
        self._by_code = by_code(self._keys)
        self._last: Frame | None = None
        self._due = 0.0
        self._view = View.STYLIZED
        self._split = 0.5
        self._paused = self._full = self._open = self._stale = False
        self._shown: tuple[Frame, Image] | None = None
        self._place = (0, 1)

    def _own_keys(self) -> tuple[Key, ...]:
        return (
            Key(label="q Esc", text="quit", action=self._quit),
            Key(label="space", text="pause, go on", action=self._pause),
            Key(label="s", text="save a snapshot", action=self._save),
            Key(label="o", text="painted, split, original", action=self._next_view),
            Key(label=",", text="line of the split to the left", action=lambda: self._move(-_STEP)),
            Key(label=".", text="line of the split to the right", action=lambda: self._move(_STEP)),
            Key(label="f", text="full screen", action=self.fill_screen),
        )

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
            self._listen(1)
            self._panel.shown(frame)
            while self._paused:
                self._listen(_PAUSE)
        except cv2.error as error:
            raise SinkError(f"window {self._title!r}: {error.err or error}") from error

    def fill_screen(self) -> None:
        """Fill the screen, or go back; before the first frame too."""
        self._full = not self._full
        if self._open:
            self._follow_full()

    def _follow_full(self) -> None:
        """Bring the window to its state; of a full screen, all is drawn here, black borders too."""
        state = cv2.WINDOW_FULLSCREEN if self._full else cv2.WINDOW_NORMAL
        cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, state)
        if self._room() != (0, 0):
            ratio = cv2.WINDOW_FREERATIO if self._full else cv2.WINDOW_KEEPRATIO
            cv2.setWindowProperty(self._title, cv2.WND_PROP_ASPECT_RATIO, ratio)

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
        wanted = max(1.0, _SMALLEST / min(size))
        scale = min(wanted, _LARGEST[0] / size[0], _LARGEST[1] / size[1])
        cv2.resizeWindow(
            self._title, max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
        )
        cv2.setMouseCallback(self._title, self._point)
        if self._full:
            self._follow_full()

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
            self._listen(max(1, min(_PAUSE, int(1000 * left))))
            while self._paused:
                self._listen(_PAUSE)
        self._due = due if -left < step else due - left

    def _show(self, frame: Frame) -> None:
        picture = self._composed(frame)
        self._shown = frame, picture
        fitted, self._place = fit_screen(picture, self._room(), fill=self._full)
        drawn = self._panel.draw(fitted, keys=self._keys, paused=self._paused)
        cv2.imshow(self._title, cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))

    def _room(self) -> tuple[int, int]:
        """Return (width, height) of what the window shows pictures in; (0, 0) if it is unknown."""
        try:
            _, _, width, height = cv2.getWindowImageRect(self._title)
        except cv2.error:
            return 0, 0
        return (width, height) if min(width, height) > 1 else (0, 0)

    def _composed(self, frame: Frame) -> Image:
        if self._view is View.STYLIZED or self._original is None:
            return frame.image
        original = self._original(frame.index)
        if original is None:
            return frame.image
        return compose(original, frame.image, view=self._view, split=self._split)

    def _listen(self, milliseconds: int) -> None:
        code = cv2.waitKey(milliseconds)
        if self._was_closed():
            raise EndOfStream("the window was closed")
        key = None if code < 0 else self._by_code.get(code & 0xFF)
        if key is not None:
            key.action()
        if (key is not None or self._stale) and self._shown is not None:
            self._stale = False
            self._show(self._shown[0])

    def _was_closed(self) -> bool:
        try:
            return bool(cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1)
        except cv2.error:  # Qt has no window at all any more, and nobody to ask
            return True

    def _quit(self) -> None:
        raise EndOfStream("the user ended the stream")

    def _pause(self) -> None:
        self._paused = not self._paused

    def _next_view(self) -> None:
        if self._original is None:
            _log.warning("there is no original to show")
            return
        views = list(View)
        self._view = views[(views.index(self._view) + 1) % len(views)]

    def _move(self, step: float) -> None:
        self._split = min(1.0, max(0.0, self._split + step))

    def _point(self, event: int, x: int, y: int, flags: int, data: object) -> None:
        """Move the line of the split to where the mouse is while its left button is down."""
        dragged = event == cv2.EVENT_MOUSEMOVE and flags & cv2.EVENT_FLAG_LBUTTON
        if self._shown is None or not (dragged or event == cv2.EVENT_LBUTTONDOWN):
            return
        left, width = self._place
        self._split = min(1.0, max(0.0, (x - left) / max(1, width)))
        self._stale = self._view is View.SPLIT

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
            write_image(path, self._shown[1])
        except SinkError as error:
            _log.error("no snapshot: %s", error)
            self._panel.say(f"no snapshot: {error}")
        else:
            notice.info("snapshot saved as %s", path)
            self._panel.say(f"snapshot saved as {shown_path(path)}")
