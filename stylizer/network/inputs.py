"""Pictures as fast networks take them; what does not depend on the engine that runs them.

Pictures are uint8 RGB, (H, W, 3).
"""

from __future__ import annotations

import logging
import math

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.errors import ConfigError, StyleError
from stylizer.frame import Image, check_image
from stylizer.io.resize import resize_image
from stylizer.size import Size
from stylizer.styles.built_in import NamedStyle
from stylizer.styles.load import AnyStyle

__all__ = [
    "LEAST_STYLE_SIDE",
    "StyleEmbedding",
    "check_embedding",
    "embed",
    "extend",
    "join_tiles",
    "known_statistics",
    "resize_style",
    "style_size",
    "tuned_scale",
]

StyleEmbedding = npt.NDArray[np.float32]
"""What a network knows of a style: float32, 1-D, a code, and of a tuned style, after it, what is
added to all that follows from the code (`stylizer.network.adaptive.styled`). Those of the same
network can be mixed; where one is tuned and another is not, the latter is as if followed by 0."""

LEAST_STYLE_SIDE = 16
"""Short side of the smallest style picture that is read, in pixels."""

_MOST_ASPECT = 4.0

_log = logging.getLogger(__name__)


def extend(image: Image, *, stride: int, least_side: int) -> Image:
    """Mirror a picture's right and bottom border until a network takes its size.

    Args:
      image: uint8 RGB, (H, W, 3), of any size.
      stride: of the network, in pixels.
      least_side: of the network, in pixels.

    Returns:
      uint8 RGB, C-contiguous, both sides multiples of ``stride`` and at least ``least_side``; the
      image itself when it is that already.

    Raises:
      ConfigError: the image is no uint8 RGB picture.
    """
    image = check_image(image)
    height, width, _ = image.shape
    below, beside = (
        max(least_side, -(-side // stride) * stride) - side for side in (height, width)
    )
    if below == beside == 0:
        return image
    extended = cv2.copyMakeBorder(image, 0, below, 0, beside, cv2.BORDER_REFLECT_101)
    return np.asarray(extended, np.uint8)


def join_tiles(tiles: Image) -> Image:
    """Put the channels of small pixels side by side: "depth to space".

    Args:
      tiles: uint8, (H, W, 3 r^2), C-contiguous; the channels are rows, columns and colors of a tile
        of r by r pixels, in this order.

    Returns:
      uint8 RGB, (H r, W r, 3), C-contiguous.
    """
    height, width, channels = tiles.shape
    factor = math.isqrt(channels // 3)
    row = np.dtype((np.void, 3 * factor))  # of one tile: copied whole, not byte by byte
    rows = np.ascontiguousarray(tiles.view(row).swapaxes(1, 2))
    return rows.view(np.uint8).reshape(height * factor, width * factor, 3)


def resize_style(image: Image, side: float) -> Image:
    """Resize a style picture to a short side in pixels, as `style_size` says.

    Raises:
      ConfigError: the image is no uint8 RGB picture.
    """
    height, width, _ = check_image(image, name="style").shape
    return resize_image(image, style_size((width, height), side))


def style_size(have: tuple[int, int], side: float) -> tuple[int, int]:
    """Return the size that a style picture is read at; its aspect is kept.

    Args:
      have: (width, height) of the picture.
      side: its short side to be, in pixels; at least `LEAST_STYLE_SIDE` is taken. A picture
        longer than `_MOST_ASPECT` times that gets the area of one of this shape, or it could fill
        the memory.
    """
    aspect = max(have) / min(have)
    short = side * min(1.0, math.sqrt(_MOST_ASPECT / aspect))
    return Size(short_side=max(LEAST_STYLE_SIDE, round(short))).fit(have)


def known_statistics(style: NamedStyle, side: float, count: int) -> npt.NDArray[np.float32]:
    """Return a built-in style's first statistics, at the size nearest to a short side.

    Args:
      style: the style.
      side: the short side that a picture would have been resized to, in pixels.
      count: as many as the network reads.

    Returns:
      float32, (1, count).
    """
    known = style.statistics[style.nearest(side)][:count]
    return np.ascontiguousarray(known, np.float32)[None]


def embed(
    code: StyleEmbedding, style: AnyStyle, *, network: str, weights: str | None
) -> StyleEmbedding:
    """Return a style's code, and after it what tuning found, if it was tuned for this network.

    Args:
      code: float32, 1-D.
      style: the style.
      network: which network it is for; a style that was tuned for another is painted untuned, and
        that is logged.
      weights: sha256 of the network's file of weights.

    Raises:
      StyleError: it was tuned for other weights of this network.
    """
    tuning = style.tuning
    if tuning is None:
        return code
    if tuning.network != network:
        _log.warning(
            "style %s: was tuned for the network %s, and %s paints it as if it were not",
            *(style.name, tuning.network, network),
        )
        return code
    if tuning.weights != weights:
        raise StyleError(
            f"style {style.name}: was tuned for other weights of the network {network} "
            f"({tuning.weights[:12]}..., here {str(weights)[:12]}...); tune it again, or paint "
            "after its picture"
        )
    whole = np.concatenate([code, tuning.change])
    whole.setflags(write=False)
    return whole


def tuned_scale(style: AnyStyle, network: str) -> float:
    """Return the size of its picture that a style was tuned with for a network; 1 if it was not."""
    tuning = style.tuning
    return tuning.scale if tuning is not None and tuning.network == network else 1.0


def check_embedding(
    code: StyleEmbedding, size: int, *, change: int = 0
) -> tuple[StyleEmbedding, StyleEmbedding | None]:
    """Return a code, float32 (1, size), and what is added after it, float32 (change,), or None.

    Raises:
      ConfigError: it is not 1-D or of another size.
    """
    if code.shape != (size,) and code.shape != (size + change,):
        raise ConfigError(
            f"code: expected a style code of shape ({size},), got {code.shape}; "
            "codes go only with the network that made them"
        )
    whole = np.ascontiguousarray(code, np.float32)
    return whole[None, :size], whole[size:] if len(whole) > size else None
