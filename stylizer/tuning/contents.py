"""What networks paint in training: views of pictures as cameras and codecs give them, and skies.

Only a few random numbers a picture are drawn outside of the training step, which does the rest on
whatever device it runs on (`stylizer.tuning.views`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.tuning import views

__all__ = ["MARGIN", "degrade", "draw_conditions", "draw_windows"]

Tensor = Any
Batch = dict[str, Any]
"""Arrays by name."""

MARGIN = 16
"""Views lie anywhere within this many pixels, so that no grid of the network's or of a codec's
stays in one place."""

_MOST_SHIFT = 8
"""Between two views of a picture, pixels."""


def draw_windows(
    random: np.random.Generator,
    sizes: npt.NDArray[Any],
    *,
    side: int,
    whole: tuple[int, int],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Choose squares of pictures, for `stylizer.tuning.views.cut`.

    Args:
      random: the generator.
      sizes: (height, width) of each picture, (N, 2).
      side: of what is to be seen, in pixels.
      whole: from and to what short side the pictures are taken to be resized, in pixels.

    Returns:
      Top, left and side of the squares in pixels of the pictures, (N, 3), and which of them are
      mirrored, (N,), 0 or 1.
    """
    count = len(sizes)
    target = np.exp(random.uniform(np.log(whole[0]), np.log(whole[1]), count))
    window = np.minimum(side / target, 1.0) * sizes.min(1)
    corner = random.random((count, 2)) * (sizes - window[:, None])
    mirrored = (random.random(count) < 0.5).astype(np.float32)
    return np.concatenate([corner, window[:, None]], 1), mirrored


def draw_conditions(
    random: np.random.Generator, count: int, *, flat: float, sides: Mapping[str, int]
) -> Batch:
    """Draw what `degrade` does to pictures, and where two views of them lie.

    Args:
      random: the generator.
      count: of the pictures.
      flat: share of them that are smooth skies.
      sides: of the patterns ``noise`` and ``white``, in cells and pixels.

    Returns:
      Besides, ``first`` and ``second``: int32 (2,), row and column of the views.
    """
    found: Batch = {}
    found["flat"] = (random.random(count) < flat).astype(np.float32)
    found["colors"] = _sky_colors(random, count)
    angle, reach = random.uniform(0, 2 * np.pi, count), random.uniform(0.3, 1.5, count)
    bend = random.normal(0, 0.7, count)
    found["direction"] = np.stack([np.sin(angle) * reach, np.cos(angle) * reach, bend], 1)
    changed = random.random(count) < 0.35
    found["gamma"] = np.where(changed, np.exp(random.normal(0, 0.4, count)), 1.0)
    found["light"] = np.where(changed, random.uniform(0.4, 1.15, count), 1.0)
    found["blur"] = np.where(random.random(count) < 0.2, random.uniform(0.3, 1, count), 0.0)
    noisy = random.random(count) < 0.4
    found["grain"] = np.where(noisy, random.exponential(5.0, count), 0.5)
    packed = random.random(count) < 0.4
    found["quality"] = np.where(packed, np.exp(random.uniform(np.log(4), np.log(60), count)), 200.0)
    first = random.integers(MARGIN + 1, size=2)
    shift = random.integers(-_MOST_SHIFT, _MOST_SHIFT + 1, size=2)
    found["first"] = first.astype(np.int32)
    found["second"] = np.clip(first + shift, 0, MARGIN).astype(np.int32)
    for name, side in sides.items():
        found[f"{name}_at"] = random.integers(side, size=(count, 2)).astype(np.int32)
    return {
        name: value.astype(np.float32) if value.dtype == np.float64 else value
        for name, value in found.items()
    }


def degrade(images: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Return pictures as they are, and as a bad camera or codec gives them.

    Args:
      images: float32 RGB 0..255, (N, S, S, 3), S a multiple of 16.
      batch: as `draw_conditions` draws it, and ``white``, (P, P, 3): noise of deviation 1.
    """
    side = images.shape[1]
    skies = views.gradients(batch["colors"], batch["direction"], side=side)
    images = ops.where(batch["flat"][:, None, None, None] > 0, skies, images)
    gamma, light = (batch[name][:, None, None, None] for name in ("gamma", "light"))
    images = 255.0 * ops.power(ops.clip(images * light / 255.0, 1e-3, 1.0), gamma)
    dirty = views.blur(images, batch["blur"])
    grain = views.tile(batch["white"], batch["white_at"], side=side)
    dirty += grain * ops.maximum(batch["grain"], 1.0 * batch["flat"])[:, None, None, None]
    return images, views.compress(ops.clip(dirty, 0.0, 255.0), batch["quality"])


def _sky_colors(random: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    base = random.uniform(10, 245, (count, 1, 3))
    gray = random.random((count, 1, 1)) < 0.4
    base = np.where(gray, base.mean(-1, keepdims=True) + random.normal(0, 12, base.shape), base)
    step = random.normal(0, 1, (count, 2, 3)) * random.uniform(4, 50, (count, 1, 1))
    return np.clip(base + step, 0, 255)
