"""Fast, then refine: while the picture is still, Gatys goes on from what the network painted.

The optimization works on a reduced picture, and what it adds to the network's painting is added at
full size, so that the network's fine strokes stay. While that goes on the network rests, which pays
for the steps. Pictures are uint8 RGB (H, W, 3).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import cv2
import numpy as np

from stylizer.base import WrappedStylizer
from stylizer.errors import ConfigError, StylizerError
from stylizer.frame import Frame, Image, check_image
from stylizer.io.resize import resize_image
from stylizer.live.latest_task import LatestTask
from stylizer.live.refinement import Pace, Refinement, Refiner
from stylizer.live.stillness import Stillness, StillnessConfig
from stylizer.protocols import StyledStylizer
from stylizer.styles.load import AnyStyle

__all__ = ["RefineConfig", "Refined"]


@dataclass(frozen=True, kw_only=True)
class RefineConfig:
    """How much work goes into refining, and how it ends.

    Attributes:
      steps: iterations of the optimization at a time.
      max_side: the canvas is reduced to this longer side, in pixels.
      seconds: what refining may take a frame, on average. Where steps take longer, they are made
        every second frame, every third, and so on.
      fade: frames over which the refined picture gives way to the network's.
      stillness: when a picture counts as still.
    """

    steps: int = 1
    max_side: int = 320
    seconds: float = 0.03
    fade: int = 6
    stillness: StillnessConfig = field(default_factory=StillnessConfig)

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        for name, least in (("steps", 1), ("max_side", 32), ("fade", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: expected {least} or more, got {getattr(self, name)!r}")
        if not (math.isfinite(self.seconds) and self.seconds > 0):
            raise ConfigError(f"seconds: expected a number above 0, got {self.seconds!r}")


class Refined(WrappedStylizer):
    """Wraps a network; a `stylizer.protocols.StyledStylizer`.

    Refining begins where the network's painting is, so nothing jumps. When something moves, the
    network's frames are back at once where it does, and over a few frames elsewhere. What refines
    is loaded in a thread of its own, and again made ready when the size changes; until it is ready,
    and should it fail, the network's frames are shown. Both wait for a still picture, since they
    take cores and so frames away: nothing is held up at the start, nor while things move.
    """

    def __init__(
        self,
        stylizer: StyledStylizer,
        styles: Sequence[AnyStyle],
        make_refiner: Callable[[Sequence[AnyStyle]], Refiner],
        config: RefineConfig | None = None,
    ) -> None:
        """Wrap ``stylizer``.

        Args:
          stylizer: paints each frame by itself, as yet after ``styles``.
          styles: one or more.
          make_refiner: loads what refines (`load_gatys`); called in a thread of its own.
          config: None for the defaults.
        """
        super().__init__(stylizer)
        self._styled, self._styles, self._make = stylizer, styles, make_refiner
        self._config = config or RefineConfig()
        self._stillness = Stillness(self._config.stillness)
        self._task = LatestTask("stylizer-refine")
        self._lock = threading.Lock()
        self._refiner: Refiner | None = None
        self._wished: tuple[int, int] | None = None
        self._ready: tuple[int, int] | None = None
        self._error: str | None = None
        self._pace = Pace(self._config.seconds)
        self._restart = False
        self._refinement: Refinement | None = None
        self._shown: Image | None = None
        self._drop()

    @property
    def description(self) -> str:
        """The network's, and that still pictures are refined."""
        return f"{super().description}, refined when still"

    @property
    def notice(self) -> str | None:
        """What to tell the user: that refining is being loaded, or why it cannot be; else None."""
        if self._error is not None:
            return f"no refinement: {self._error}"
        loading = self._refiner is None and self._task.busy
        return "loading the refinement" if loading else None

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        """Paint and refine after other styles from the next frame on; in any thread.

        Args:
          styles: one or more.

        Raises:
          StyleError: one of the two cannot use them; both keep to the styles before.
        """
        with self._lock:
            if self._refiner is not None:
                self._refiner.set_styles(styles)
            try:
                self._styled.set_styles(styles)
            except StylizerError:
                if self._refiner is not None:
                    self._refiner.set_styles(self._styles)
                raise
            self._styles, self._restart = styles, True

    def reset(self) -> None:
        """Forget all earlier frames."""
        super().reset()
        self._stillness.reset()
        self._drop()

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame: same size, index and time.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
          OptimizationError: the optimization diverged and could not be rescued.
        """
        image = check_image(frame.image)
        self._task.check()
        self._error = self._task.error() or self._error
        if self._shown is not None and self._shown.shape != image.shape:
            # The working size has changed, to hold a rate; or all has, and nothing is mixed in.
            self._refinement, self._left = None, self._config.fade
            self._unchanged = np.ones((1, 1), np.float32)
            self._shown = resize_image(self._shown, frame.size)
        if self._restart:
            self._restart = False
            self._drop()
        fades = self._refinement is None and self._left > 0
        if self._stillness(image) and not fades and self._is_ready(frame.size):
            return frame.with_image(self._refine(frame, image))
        return frame.with_image(self._fade_out(self._stylizer(frame).image, image))

    def _drop(self) -> None:
        """Have nothing refined, and nothing that gives way to the network's."""
        self._refinement, self._shown, self._left = None, None, 0
        self._unchanged = np.ones((1, 1), np.float32)

    def _refine(self, frame: Frame, image: Image) -> Image:
        size = _fit(frame.size, self._config.max_side)
        if self._refinement is None:
            self._refinement = Refinement(self._stylizer(frame).image, size)
        if self._refiner is not None and self._pace.may():
            content = resize_image(image, size)
            cost = self._refinement.step(self._refiner, content, self._config.steps)
            self._pace.spent(cost)
        self._shown, self._left = self._refinement.picture(), self._config.fade
        self._unchanged = np.ones((1, 1), np.float32)
        return self._shown.copy()

    def _fade_out(self, painted: Image, image: Image) -> Image:
        """Mix the last refined picture in, where the source is still as it was then."""
        self._refinement = None
        if self._shown is None or self._left == 0:
            self._shown = None
            return painted
        self._unchanged = np.minimum(self._unchanged, 1 - self._stillness.changed)
        share = np.asarray(cv2.resize(self._unchanged, image.shape[1::-1]), np.float32)
        share *= self._left / (self._config.fade + 1)
        self._left -= 1
        mixed = cv2.blendLinear(self._shown, painted, share, 1 - share)
        return np.asarray(mixed, np.uint8)

    def _is_ready(self, size: tuple[int, int]) -> bool:
        """Whether frames of this size can be refined; if not, it is brought about meanwhile."""
        wanted = _fit(size, self._config.max_side)
        if wanted != self._wished:
            self._wished, self._ready, self._error = wanted, None, None
            self._task.submit(partial(self._load, wanted))
        return self._ready == wanted

    def _load(self, size: tuple[int, int]) -> None:
        """Load what refines and run it once, since a size's first run takes long."""
        styles = self._styles
        refiner = self._refiner or self._make(styles)
        any_picture = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
        refiner(any_picture.astype(np.float32), any_picture, self._config.steps)
        refiner.forget()
        with self._lock:
            if self._styles is not styles:
                refiner.set_styles(self._styles)
            self._refiner, self._ready = refiner, size
        self._pace.reset()


def _fit(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    factor = min(1.0, max_side / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
