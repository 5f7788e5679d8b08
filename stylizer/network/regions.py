"""Several styles in one picture, each in a part of its own.

Each paints the whole picture, and the paintings are mixed: so a part looks as it does where its
style is for all, and what is in it is as light and as dark against what is around.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stylizer.frame import LEAST_SHARE, Frame, mix_images
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.runtime import Runtime, paint_frame

__all__ = ["paint_parts"]

_ALL = 0.999
"""Sum of the shares of a pixel of which nothing is left for the source."""


def paint_parts(
    runtime: Runtime, frame: Frame, codes: Sequence[StyleEmbedding], *, beside: bool = False
) -> Frame:
    """Paint a frame in the style of each code where its part is; the rest stays the source.

    Args:
      runtime: the network.
      frame: what to paint; it says where the ``parts`` are, as many as codes.
      codes: of the styles, one or more.
      beside: as of `stylizer.network.runtime.paint_frame`.

    Raises:
      ConfigError: the frame's image is no uint8 RGB picture.
    """
    parts = frame.parts
    if parts is None:
        raise TypeError("frame: expected one that says where its parts are")
    seen = [
        (code, part) for code, part in zip(codes, parts, strict=True) if part.max() > LEAST_SHARE
    ]
    if not seen:
        return frame.with_image(frame.image.copy())
    (code, below), *above = reversed(seen)
    painted = paint_frame(runtime, frame, code, beside=beside).image
    for code, part in above:
        below = below + part
        share = np.divide(part, below, out=np.zeros_like(part), where=below > 0)
        other = paint_frame(runtime, frame, code, beside=beside).image
        painted = mix_images(other, painted, share)
    covered = np.asarray(np.minimum(parts.sum(0), 1), np.float32)
    if covered.min() < _ALL:
        painted = mix_images(painted, frame.image, covered)
    return replace(frame, image=painted)
