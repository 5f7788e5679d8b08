"""A live source as its viewers want it: mirrored, and with its delays measured."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from stylizer.base import WrappedSource
from stylizer.frame import Frame
from stylizer.live.controls import Controls
from stylizer.live.meter import Meter
from stylizer.protocols import FrameSource

__all__ = ["LiveFrames"]


class LiveFrames(WrappedSource):
    """A source around a live source; opened and closed with it."""

    def __init__(self, source: FrameSource, controls: Controls, meter: Meter) -> None:
        """Wrap ``source``.

        Args:
          source: its frames' times say when they were captured.
          controls: say whether the frames are mirrored.
          meter: told of every frame.
        """
        super().__init__(source)
        self._controls, self._meter = controls, meter

    def __iter__(self) -> Iterator[Frame]:
        """Give the source's frames, mirrored if that is wished for."""
        for frame in self._source:
            self._meter.take(frame)
            if self._controls.settings.mirror:
                frame = frame.with_image(np.asarray(cv2.flip(frame.image, 1), np.uint8))
            yield frame
