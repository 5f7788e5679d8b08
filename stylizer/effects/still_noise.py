"""Noise of its own for each still.

What a network paints into a sky comes from noise. The frames of a video must share it; of stills in
one gallery, each would have the same marks at the same places.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from stylizer.frame import Camera, Frame

__all__ = ["with_own_noise"]

_FARTHEST = 8.0
"""Widths of the picture by which noise is shifted at most."""


def with_own_noise(frame: Frame, names: Sequence[str]) -> Frame:
    """Return a still that is told to be seen from a place that its picture and styles decide.

    The same ones always give the same: to whom moves noise with the camera, it is as if the camera
    had come from somewhere else.

    Args:
      frame: the still.
      names: of its styles.
    """
    seed = zlib.crc32("\n".join(names).encode(), zlib.crc32(frame.image.tobytes()))
    across, down = np.random.default_rng(seed).uniform(0.0, _FARTHEST, 2)
    return frame.with_cameras(((1.0, Camera(1.0, complex(across, down))),))
