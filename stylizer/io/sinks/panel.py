"""What a window carries beside the picture (keys, writing), and what it shows of the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image

__all__ = [
    "Key",
    "NoPanel",
    "Panel",
    "View",
    "by_code",
    "compose",
    "fit_screen",
    "shown_path",
]

_NAMES = {"Esc": 27, "space": ord(" ")}
"""Keys that have no sign of their own, and what OpenCV calls them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key, or several that do the same.

    Attributes:
      label: as people know it: signs and names, with blanks between them: ``"q Esc"``.
      text: what it does, in a few words: ``"quit"``; empty for one that another stands for.
      action: does it, in the thread that the window runs in.
    """

    label: str
    text: str
    action: Callable[[], None]

    @property
    def codes(self) -> tuple[int, ...]:
        """The keys' codes, as ``cv2.waitKey() & 0xFF`` gives them.

        Raises:
          ConfigError: a name that is neither one sign nor known.
        """
        return tuple(_code(name) for name in self.label.split())


def by_code(keys: Sequence[Key]) -> Mapping[int, Key]:
    """Return the keys by their codes.

    Raises:
      ConfigError: two keys have the same sign, or a name is not known.
    """
    table: dict[int, Key] = {}
    for key in keys:
        for code in key.codes:
            if code in table:
                raise ConfigError(
                    f"keys: expected each once, got {key.label!r} for {key.text!r} "
                    f"and {table[code].text!r}"
                )
            table[code] = key
    return table


def _code(name: str) -> int:
    if name in _NAMES:
        return _NAMES[name]
    if len(name) == 1 and name.isascii():
        return ord(name)
    raise ConfigError(f"key: expected one sign or one of {', '.join(_NAMES)}, got {name!r}")


class Panel(Protocol):
    """What a window carries beside the picture: further keys, and what is written over it."""

    @property
    def keys(self) -> Sequence[Key]:
        """Keys beside the window's own."""
        ...

    def draw(self, image: Image, *, keys: Sequence[Key], paused: bool) -> Image:
        """Return the picture, uint8 RGB (H, W, 3), written over; never the same array changed.

        Args:
          image: what the window is about to show.
          keys: all that the window listens to.
          paused: whether it stands still.
        """
        ...

    def say(self, text: str) -> None:
        """Take a message for the user, to be shown for a while."""
        ...

    def shown(self, frame: Frame) -> None:
        """Be told that a frame is on the screen."""
        ...


class NoPanel:
    """A panel with nothing on it."""

    keys: Sequence[Key] = ()

    def draw(self, image: Image, *, keys: Sequence[Key], paused: bool) -> Image:
        """Return the picture as it is."""
        return image

    def say(self, text: str) -> None:
        """Keep silent."""

    def shown(self, frame: Frame) -> None:
        """Take no notice."""


class View(Enum):
    """What the window shows; the key ``o`` goes from one to the next."""

    STYLIZED = "stylized"
    SPLIT = "split"
    ORIGINAL = "original"


def compose(original: Image, stylized: Image, *, view: View, split: float = 0.5) -> Image:
    """Return what a view shows; in the split the original is at the left of a white line.

    Args:
      original: uint8 RGB, (h, w, 3), of any size.
      stylized: uint8 RGB, (H, W, 3).
      view: of the two.
      split: where the line stands, 0 (at the left border) to 1.

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
    line = int(split * width)
    both = np.concatenate([original[:, :line], stylized[:, line:]], axis=1)
    both[:, max(0, line - 1) : line + 1] = 255
    return both


def fit_screen(
    picture: Image, room: tuple[int, int], *, fill: bool
) -> tuple[Image, tuple[int, int]]:
    """Enlarge a picture to the room that there is, with black beside or above it.

    What is written over it then has the screen's own pixels.

    Args:
      picture: uint8 RGB, (H, W, 3).
      room: (width, height) in pixels; (0, 0) where it is not known.
      fill: whether the whole room is to be filled, as a full screen; else a picture that is larger
        stays as it is, and nothing is put beside it.

    Returns:
      uint8 RGB; and of the picture in it the left side and the width, in pixels.
    """
    height, width, _ = picture.shape
    scale = min(room[0] / width, room[1] / height)
    if scale <= 0 or (scale <= 1 and not fill):
        return picture, (0, width)
    size = max(1, round(scale * width)), max(1, round(scale * height))
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    scaled = np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
    if not fill:
        return scaled, (0, size[0])
    left, top = (room[0] - size[0]) // 2, (room[1] - size[1]) // 2
    right, bottom = room[0] - size[0] - left, room[1] - size[1] - top
    framed = cv2.copyMakeBorder(scaled, top, bottom, left, right, cv2.BORDER_CONSTANT)
    return np.asarray(framed, np.uint8), (left, size[0])


def shown_path(path: Path) -> str:
    """Return where a file is, for people: from the home folder on if it is there."""
    whole = path.resolve()
    try:
        return f"~/{whole.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(whole)
