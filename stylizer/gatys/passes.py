"""A whole clip painted in several passes, forward and backward in turn.

A stream knows only what came before; in a clip, what is uncovered later can be painted as it will
look then (Ruder et al. 2016, section 4.4).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stylizer.base import load_states, save_states
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import Engine, StyleLike
from stylizer.gatys.guidance import PartMasks, check_masks, find_masks, painted_in_parts
from stylizer.gatys.initial import QuickPainter, initial_canvas
from stylizer.gatys.memory import FrameMemory, Recalled
from stylizer.gatys.optimizers import Canvas
from stylizer.gatys.stylizer import LossRecord, loss_reporter, to_image
from stylizer.protocols import MaskFinder, State
from stylizer.temporal.anchor import ColorAnchor
from stylizer.temporal.motion import MotionFinder

__all__ = ["PassPainter", "PassProgress", "blend_passes"]

_SHARE = 0.5
"""The delta of Ruder et al. 2016, eq. 11 and 12: the neighbor's share where it is reliable."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PassProgress:
    """How far the painting of a clip has come.

    Attributes:
      number: the pass that runs, 1, 2, ...
      passes: how many there will be.
      done: frames painted, each counted once in every pass.
      total: how many that will be.
    """

    number: int
    passes: int
    done: int
    total: int

    def __str__(self) -> str:
        """Return it in words: ``pass 1 of 3, 17%``."""
        return f"pass {self.number} of {self.passes}, {self.done / self.total:.0%}"


class PassPainter:
    """Paints clips in ``config.passes`` passes, the first forward, the next backward, ...

    The first pass paints as `GatysStylizer` does. In each later one a frame starts from what it
    was, mixed with its neighbor carried along, and gets ``warm_iterations``. Differs from the
    paper, whose first pass paints every frame by itself. Holds two pictures a frame in memory;
    `stylizer.gatys.shots` paints a long video a shot at a time.

    Attributes:
      engine: what optimizes each frame.
    """

    def __init__(  # noqa: PLR0913 - the last four are options of their own
        self,
        styles: Sequence[StyleLike],
        config: GatysConfig,
        *,
        masks: MaskFinder | None = None,
        quick: QuickPainter | None = None,
        on_loss: Callable[[LossRecord], None] | None = None,
        on_frame: Callable[[PassProgress], None] | None = None,
    ) -> None:
        """Load the loss network.

        Args:
          styles: one or more.
          config: the settings.
          masks: finds the parts that have styles of their own; None for one style all over.
          quick: paints the first frame in one pass, for ``initial="painted"``; None starts from the
            content.
          on_loss: called once for each iteration of each pass.
          on_frame: called after each frame of each pass; what it raises ends the painting.

        Raises:
          ConfigError: ``initial`` is ``"image"``, or ``start`` is not ``"warped"``.
          StyleError, WeightsError: as `GatysStylizer` says.
        """
        if config.initial == "image" or config.start != "warped":
            raise ConfigError(
                "passes: expected start 'warped' and no initial image, "
                f"got start {config.start!r} and initial {config.initial!r}"
            )
        check_masks(masks, styles)
        self._masks, self._quick = masks, quick
        self.engine = Engine(styles, config)
        self._config, self._on_loss, self._on_frame = config, on_loss, on_frame
        self._memory = FrameMemory(MotionFinder(preset=config.flow), distances=config.long_term)
        self._anchor = ColorAnchor()

    def __call__(
        self, frames: Sequence[Frame], *, cuts: Collection[int] = (), after: Sequence[Frame] = ()
    ) -> list[Frame]:
        """Paint a clip.

        Args:
          frames: the clip, all of one size.
          cuts: positions in ``frames`` at which a new shot begins.
          after: the last frame before the clip and its painting, when the clip goes on from there:
            every forward pass does. Empty for a clip that begins anew.

        Returns:
          The painted frames, in order.

        Raises:
          OptimizationError: the optimization diverged and could not be rescued.
        """
        passes, count = self._config.passes, len(frames)
        painted: list[Image | None] = [None] * count
        masks: list[PartMasks | None] = [None] * count
        if not after:
            self._begin()
        for number in range(passes):
            self._memory.forget()
            backward = number % 2 == 1
            if after and not backward:
                self._memory.remember(after[0].image, after[1].image.astype(np.float32))
            for step, index in enumerate(reversed(range(count)) if backward else range(count)):
                if (index + 1 if backward else index) in cuts:
                    self._begin()
                if number == 0:
                    masks[index] = find_masks(self._masks, frames[index], self.engine.parts)
                painted[index] = self._paint(frames[index], painted[index], masks[index])
                if self._on_frame is not None:
                    done = number * count + step + 1
                    self._on_frame(
                        PassProgress(
                            number=number + 1, passes=passes, done=done, total=passes * count
                        )
                    )
        return [
            painted_in_parts(frame, picture, found, self.engine.parts)
            for frame, picture, found in zip(frames, painted, masks, strict=True)
            if picture is not None
        ]

    def set_styles(self, styles: Sequence[StyleLike]) -> None:
        """Paint after other styles from the next clip on, one or more."""
        self.engine.set_styles(styles)
        if self._quick is not None and self.engine.parts == (None,):
            self._quick.set_styles(styles)

    def save_state(self) -> State:
        """Return what goes on from clip to clip of a shot; see `stylizer.protocols.Resumable`."""
        return save_states(self._memories)

    def load_state(self, state: State) -> None:
        """Go on as another one would; from nothing with an empty state."""
        load_states(self._memories, state)

    @property
    def _memories(self) -> Mapping[str, object]:
        return {"anchor": self._anchor, "engine": self.engine, "masks": self._masks}

    def _begin(self) -> None:
        """Forget the shot before."""
        self._memory.forget()
        self._anchor.reset()
        self.engine.forget()
        if self._masks is not None:
            self._masks.reset()

    def _paint(self, frame: Frame, before: Image | None, masks: PartMasks | None) -> Image:
        """Paint a frame once more, or for the first time (``before`` is None)."""
        image = check_image(frame.image)
        recalled = self._memory.recall(image)
        fresh = before is None and recalled is None
        if fresh:
            start = initial_canvas(self.engine, self._config, image, quick=self._quick)
        else:
            start = _start(before, recalled)
        canvas = self.engine(
            start,
            image,
            self._config.iterations if fresh else self._config.warm_iterations,
            masks=masks,
            temporal=None if recalled is None else recalled.target,
            goes_on=recalled is not None,
            on_losses=loss_reporter(self._on_loss, frame.index),
        )
        if before is None:  # later passes start from colors that were held already
            canvas = self._anchor(canvas, image)
        self._memory.remember(image, canvas)
        return to_image(canvas)


def _start(before: Image | None, recalled: Recalled | None) -> Canvas:
    if before is None:
        if recalled is None:
            raise ValueError("expected an earlier pass or an earlier frame, got neither")
        return recalled.start
    return blend_passes(before.astype(np.float32), recalled)


def blend_passes(own: Canvas, recalled: Recalled | None) -> Canvas:
    """Mix a frame's own last picture with its neighbor's (Ruder et al. 2016, eq. 11 and 12).

    ``delta c w(neighbor) + (1 - delta c) own``, with delta 1/2 and c the reliable pixels.

    Args:
      own: from the pass before, float32 (H, W, 3).
      recalled: the neighbor carried along; None at the end of a shot, which takes its own.
    """
    if recalled is None:
        return own
    share = _SHARE * recalled.reliable
    return np.asarray(share * recalled.carried + (1 - share) * own, np.float32)
