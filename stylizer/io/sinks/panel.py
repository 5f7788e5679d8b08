"""What a window carries beside the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from stylizer.frame import Frame, Image
from stylizer.io.sinks.keys import Key

__all__ = ["NoPanel", "Panel"]


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
