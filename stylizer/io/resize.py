"""Pictures at another size."""

from __future__ import annotations

import cv2
import numpy as np

from stylizer.errors import ConfigError
from stylizer.frame import Image

__all__ = ["resize_image"]

_MILD = 1.5
"""Up to this factor, photos shrunk linearly and by areas are equally near to a filtered bicubic."""


def resize_image(image: Image, size: tuple[int, int]) -> Image:
    """Resize a picture: averaging areas on the way down, bicubic on the way up.

    A picture that shrinks by `_MILD` or less is interpolated linearly: that is as soft there, and
    takes a tenth of the time.

    A picture that shrinks in one direction and grows in the other is resized in that order.

    Args:
      image: uint8 RGB, (H, W, 3); or of one channel, (H, W).
      size: (width, height) in pixels, at least 1.

    Returns:
      uint8, C-contiguous; the image itself when it has that size already.

    Raises:
      ConfigError: a size without pixels.
    """
    width, height = size
    if width < 1 or height < 1:
        raise ConfigError(f"size: expected at least 1 pixel a side, got {width}x{height}")
    have = (image.shape[1], image.shape[0])
    smaller = (min(width, have[0]), min(height, have[1]))
    result: cv2.typing.MatLike = image
    if smaller != have:
        mild = max(have[0] / smaller[0], have[1] / smaller[1]) <= _MILD
        how = cv2.INTER_LINEAR if mild else cv2.INTER_AREA
        result = cv2.resize(result, smaller, interpolation=how)
    if size != smaller:
        result = cv2.resize(result, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(result, dtype=np.uint8)
