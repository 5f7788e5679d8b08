"""A whole clip painted in several passes, forward and backward in turn.

A stream knows only what came before; in a clip, what is uncovered later can be painted as it will
look then (Ruder et al. 2016, section 4.4).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import Engine, StyleLike
from stylizer.gatys.initial import initial_canvas
from stylizer.gatys.memory import FrameMemory, Recalled
from stylizer.gatys.optimizers import Canvas
from stylizer.gatys.stylizer import LossRecord, loss_reporter, to_image
from stylizer.temporal.motion import MotionFinder

__all__ = ["blend_passes", "paint_passes"]

_SHARE = 0.5
"""The delta of Ruder et al. 2016, eq. 11 and 12: the neighbor's share where it is reliable."""


def paint_passes(
    frames: Sequence[Frame],
    styles: Sequence[StyleLike],
    config: GatysConfig | None = None,
    *,
    cuts: Collection[int] = (),
    on_loss: Callable[[LossRecord], None] | None = None,
) -> list[Frame]:
    """Paint a clip in ``config.passes`` passes, the first forward, the next backward, ...

    The first pass paints as `GatysStylizer` does. In each later one a frame starts from what it
    was, mixed with its neighbor carried along, and gets ``warm_iterations``. Differs from the
    paper, whose first pass paints every frame by itself. Holds two pictures a frame in memory.

    Args:
      frames: the clip, all of one size.
      styles: one or more.
      config: the settings; None for the defaults.
      cuts: positions in ``frames`` at which a new shot begins; nothing is carried across.
      on_loss: called once for each iteration of each pass.

    Returns:
      The painted frames, in order.

    Raises:
      ConfigError: ``initial`` is ``"image"``, or ``start`` is not ``"warped"``.
      StyleError, WeightsError, OptimizationError: as `GatysStylizer` says.
    """
    config = config or GatysConfig()
    if config.initial == "image" or config.start != "warped":
        raise ConfigError(
            "passes: expected start 'warped' and no initial image, "
            f"got start {config.start!r} and initial {config.initial!r}"
        )
    engine = Engine(styles, config)
    memory = FrameMemory(MotionFinder(preset=config.flow), distances=config.long_term)
    painted: list[Image | None] = [None] * len(frames)
    for number in range(config.passes):
        memory.forget()
        backward = number % 2 == 1
        for index in reversed(range(len(frames))) if backward else range(len(frames)):
            if (index + 1 if backward else index) in cuts:
                memory.forget()
                engine.forget()
            image = check_image(frames[index].image)
            recalled = memory.recall(image)
            before = painted[index]
            fresh = before is None and recalled is None
            start = initial_canvas(engine, config, image) if fresh else _start(before, recalled)
            canvas = engine(
                start,
                image,
                config.iterations if fresh else config.warm_iterations,
                temporal=None if recalled is None else recalled.target,
                on_losses=loss_reporter(on_loss, frames[index].index),
            )
            memory.remember(image, canvas)
            painted[index] = to_image(canvas)
    return [
        frame.with_image(picture)
        for frame, picture in zip(frames, painted, strict=True)
        if picture is not None
    ]


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
