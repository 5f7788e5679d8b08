"""Where people are, by the network that the package carries: a mask of each frame.

The network looks at the whole frame, and at each person whose face is found once more, so that
small people and crowds are found as well. Without what finds faces it looks at the whole alone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stylizer.base import load_states, save_states
from stylizer.effects.region import Matte, PersonFinder
from stylizer.effects.segmenter import Segmenter
from stylizer.faces.masks import draw_heads
from stylizer.faces.models import are_faces_available
from stylizer.faces.people import PeopleFinder
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame
from stylizer.protocols import State

__all__ = ["FoundPeople", "person_finder"]

_LONGEST = 1024
"""Pixels of a mask's longer side, at most: the network sees 256 of what it looks at."""


class FoundPeople:
    """Finds people; a `stylizer.effects.region.PersonFinder`, and `stylizer.protocols.Resumable`.

    Masks are at half of the frame's sides, or less of large frames.
    """

    def __init__(self, *, faces: FaceFinder | None = None) -> None:
        """Load the network.

        Args:
          faces: follows the faces, and is reset and saved with this; None for an own one, where
            what finds faces is installed.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: a network's file is missing or damaged.
        """
        self._people = PeopleFinder()
        self._faces = FaceFinder() if faces is None and are_faces_available() else faces

    def __call__(self, frame: Frame) -> Matte:
        """Return the mask of the people in a frame, float32 (h, w), 0..1.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        faces = () if self._faces is None else self._faces(frame)
        scale = min(0.5, _LONGEST / max(frame.size))
        width, height = (max(1, round(scale * side)) for side in frame.size)
        drawn = self._people(frame, faces).draw(
            (width, height), [one.presence for one in faces], whole=1.0
        )
        # who stands behind others is sometimes seen half by the network
        return np.maximum(drawn, draw_heads(faces, (width, height), scale=scale), out=drawn)

    def reset(self) -> None:
        """Forget the faces of earlier frames."""
        if self._faces is not None:
            self._faces.reset()

    def save_state(self) -> State:
        """Return the faces that are followed."""
        return save_states({"faces": self._faces})

    def load_state(self, state: State) -> None:
        """Follow the faces that another one did."""
        load_states({"faces": self._faces}, state)


def person_finder(segmenter: Path | None) -> PersonFinder:
    """Return what finds people, loaded.

    Args:
      segmenter: a TFLite network; None for the package's own.

    Raises:
      BackendError: what runs the network is not installed.
      WeightsError: the network is missing or damaged, or is no such network.
    """
    return FoundPeople() if segmenter is None else Segmenter(segmenter)
