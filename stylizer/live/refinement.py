"""One still picture's refinement: its canvas, and when the next steps are made.

Pictures are uint8 RGB (H, W, 3); canvases float32 (h, w, 3), 0..255.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Image
from stylizer.io.resize import resize_image
from stylizer.styles.load import AnyStyle

if TYPE_CHECKING:
    from stylizer.gatys.engine import Engine

__all__ = ["Canvas", "Pace", "Refinement", "Refiner", "load_gatys"]

Canvas = npt.NDArray[np.float32]


class Refiner(Protocol):
    """Optimizes a canvas, as `stylizer.gatys.engine.Engine` does."""

    def __call__(self, canvas: Canvas, content: Image, iterations: int) -> Canvas:
        """Return the canvas after some more iterations."""
        ...

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        """Paint after other styles; may be called while a canvas is optimized."""
        ...

    def forget(self) -> None:
        """Drop what was learnt from earlier pictures."""
        ...


def load_gatys(styles: Sequence[AnyStyle], *, style_scale: float = 1.0) -> Engine:
    """Load the optimization, with settings fit for a few steps a frame; takes seconds.

    Adam's moments are fresh for every call, so that a call's first step moves each pixel by the
    whole learning rate: with 1 gray level that is not seen to flicker.

    Args:
      styles: one or more.
      style_scale: of the style pictures relative to the canvas.

    Raises:
      StylizerError: as `stylizer.gatys.engine.Engine` says.
    """
    from stylizer.gatys.config import GatysConfig
    from stylizer.gatys.engine import Engine

    config = GatysConfig(learning_rate=1.0, temporal_weight=0.0, style_scale=style_scale)
    return Engine(styles, config)


class Pace:
    """Holds work to a share of time: what is not used for it is saved up until it suffices."""

    def __init__(self, seconds: float) -> None:
        """Set what may be spent a frame, on average."""
        self._seconds = seconds
        self.reset()

    def reset(self) -> None:
        """Forget what the work costs, as when it has become another one."""
        self._cost = self._credit = 0.0

    def may(self) -> bool:
        """Count a frame, and say whether the work may be done in it."""
        self._credit = min(self._credit + self._seconds, max(self._seconds, self._cost))
        return self._credit >= self._cost

    def spent(self, seconds: float) -> None:
        """Tell what the work has cost."""
        self._cost = seconds
        self._credit -= seconds


class Refinement:
    """Begins as the network's painting; what is added to that, reduced, is added at full size."""

    def __init__(self, painted: Image, size: tuple[int, int]) -> None:
        """Begin.

        Args:
          painted: the network's.
          size: (width, height) of the canvas.
        """
        self._painted = painted.copy()
        self._start = resize_image(painted, size).astype(np.float32)
        self._canvas = self._start

    def step(self, refiner: Refiner, content: Image, iterations: int) -> float:
        """Make some iterations, towards a content of the canvas's size; return the seconds."""
        began = perf_counter()
        self._canvas = refiner(self._canvas, content, iterations)
        return perf_counter() - began

    def picture(self) -> Image:
        """Return the painting as it is by now, of the network's size."""
        height, width, _ = self._painted.shape
        added = cv2.resize(self._canvas - self._start, (width, height))
        refined = self._painted + np.asarray(added, np.float32).reshape(self._painted.shape)
        return np.asarray(np.rint(np.clip(refined, 0, 255)), np.uint8)
