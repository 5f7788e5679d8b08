"""What an optimization starts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import Engine
from stylizer.gatys.optimizers import Canvas

__all__ = ["QuickPainter", "initial_canvas", "paint_quickly", "resize_picture"]


class QuickPainter(Protocol):
    """What paints a frame in the same styles in one pass, and remembers none."""

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame."""
        ...

    def begin(self, frame: Frame) -> Frame:
        """Return a painted frame for an optimization to begin with, with all that is to be kept."""
        ...

    def set_styles(self, styles: Sequence[Any]) -> None:
        """Paint after other styles, one or more, from the next frame on."""
        ...


def paint_quickly(
    quick: QuickPainter | None, engine: Engine, image: Image, *, begins: bool = False
) -> Image | None:
    """Paint a picture, uint8 RGB (H, W, 3), if anything does, and if there is one style all over.

    Args:
      quick: what does; None for nothing.
      engine: knows the styles.
      image: the picture.
      begins: whether an optimization begins with it; else only some of it is seen.
    """
    if quick is None or engine.parts != (None,):
        return None
    frame = Frame(image=image, index=0, time=0.0)
    return (quick.begin(frame) if begins else quick(frame)).image


def initial_canvas(
    engine: Engine,
    config: GatysConfig,
    content: Image,
    *,
    given: Image | None = None,
    quick: QuickPainter | None = None,
) -> Canvas:
    """Return the canvas that ``config.initial`` asks for.

    Args:
      engine: knows the first style, and the network's mean color.
      config: ``initial``, ``seed`` and ``noise_deviation`` count.
      content: uint8 RGB, (H, W, 3).
      given: uint8 RGB of any size, for ``"image"``.
      quick: paints the content, for ``"painted"``; None for the content as it is.

    Returns:
      float32, (H, W, 3), 0..255.

    Raises:
      ConfigError: ``initial`` is ``"image"`` and none is given, or one is given and it is not.
      StyleError: ``initial`` is ``"style"`` and the first style is built in.
    """
    if (given is not None) != (config.initial == "image"):
        raise ConfigError(
            f"initial: {config.initial!r} and an initial image that is "
            f"{'missing' if given is None else 'given'}: 'image' goes with an initial image"
        )
    height, width, _ = content.shape
    if given is not None:
        return resize_picture(check_image(given, name="initial image"), (width, height))
    if config.initial == "style":
        return resize_picture(engine.first_style, (width, height))
    if config.initial == "painted":
        painted = None if config.portrait else paint_quickly(quick, engine, content, begins=True)
        return (content if painted is None else painted).astype(np.float32)
    if config.initial == "content":
        return content.astype(np.float32)
    random = np.random.default_rng(config.seed)
    if config.noise_deviation is None:
        return random.uniform(0, 255, content.shape).astype(np.float32)
    noise = random.normal(engine.network.mean_color, config.noise_deviation, content.shape)
    return np.clip(noise, 0, 255).astype(np.float32)


def resize_picture(picture: Image | Canvas, size: tuple[int, int]) -> Canvas:
    """Resize to (width, height): float32, (H, W, 3), 0..255."""
    if picture.shape[:2] == size[::-1]:
        return picture.astype(np.float32)
    shrinks = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    resized = cv2.resize(picture.astype(np.float32), size, interpolation=how)
    return np.clip(resized, 0, 255).astype(np.float32).reshape(size[1], size[0], 3)
