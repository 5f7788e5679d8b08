"""What no style is for stays the source, as sharp as it was."""

from __future__ import annotations

import numpy as np

from stylizer.frame import Frame, check_same_size, mix_images

__all__ = ["LeaveUnpainted"]

_ALL = 0.999
"""Share of paint from which on there is nothing of the source."""


class LeaveUnpainted:
    """Shows the source where a painting has none of its styles; an `Effect`.

    A painting shows the source there itself, but a smaller one only coarsely, and faces may have
    been kept in it since.
    """

    def reset(self) -> None:
        """Forget earlier frames: there is nothing to forget."""

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting with the source where `Frame.parts` leaves it.

        Raises:
          ConfigError: one is no uint8 RGB picture, or they differ in size.
        """
        if painted.parts is None:
            return painted
        share = np.asarray(np.clip(painted.parts.sum(0), 0, 1), np.float32)
        if share.min() > _ALL:
            return painted
        check_same_size(painted.image, source.image)
        return painted.with_image(mix_images(painted.image, source.image, share))
