"""How a new picture is mixed with an earlier one, byte by byte."""

from __future__ import annotations

from typing import Any

import numpy as np

from stylizer.backend.byte_arithmetic import ByteArithmetic, constant
from stylizer.frame import Image

__all__ = ["NO_CHANGE", "Pixelwise"]

NO_CHANGE = 128
"""What stands for 0 in a change: bytes have no sign."""


class Pixelwise:
    """What is done to each byte of pictures of one shape; to be used by one thread at a time."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Get ready for pictures of a shape, which takes a tenth of a second the first time.

        Raises:
          BackendError: OpenVINO is not installed.
        """
        self.shape = shape
        self._mix = ByteArithmetic(_mixed, ("one", "other", "share"), shape)
        self._blend = ByteArithmetic(_blended, ("old", "change", "new", "share"), shape)
        self._amplify = ByteArithmetic(_amplified, ("picture", "soft", "amount"), shape)

    def mix(self, one: Image, other: Image, share: Image) -> Image:
        """Mix two pictures.

        Args:
          one: uint8, of the shape, as all.
          other: the other one.
          share: of the other one, 255 for all.

        Returns:
          uint8; the same array each time.
        """
        return self._mix(one, other, share)

    def blend(self, old: Image, change: Image, new: Image, share: Image) -> Image:
        """Go from one picture, changed, towards another one, by a level at least.

        Without that last, rounding would keep small differences forever.

        Args:
          old: uint8, of the shape, as all.
          change: what is added to it, plus `NO_CHANGE`.
          new: the other one.
          share: of the way that is gone, 255 for all of it.

        Returns:
          uint8; the same array each time.
        """
        return self._blend(old, change, new, share)

    def amplify(self, picture: Image, soft: Image, amount: Image) -> Image:
        """Add a share of how a picture differs from another one.

        Args:
          picture: uint8, of the shape, as all.
          soft: the other one.
          amount: the share, 255 for all.

        Returns:
          uint8, a new array.
        """
        return self._amplify(picture, soft, amount, into=np.empty(self.shape, np.uint8))


def _mixed(one: Any, other: Any, share: Any) -> Any:
    from openvino import opset13 as op

    step = op.multiply(op.subtract(other, one), op.multiply(share, constant(1 / 255)))
    return op.add(one, step)


def _blended(old: Any, change: Any, new: Any, share: Any) -> Any:
    from openvino import opset13 as op

    begin = op.clamp(op.subtract(op.add(old, change), constant(NO_CHANGE)), 0.0, 255.0)
    way = op.subtract(new, begin)
    step = op.multiply(way, op.multiply(share, constant(1 / 255)))
    # the step, or one level in its place where it is less
    least = op.subtract(op.clamp(way, -1.0, 1.0), op.clamp(step, -1.0, 1.0))
    return op.add(begin, op.add(step, least))


def _amplified(picture: Any, soft: Any, amount: Any) -> Any:
    from openvino import opset13 as op

    more = op.multiply(op.subtract(picture, soft), op.multiply(amount, constant(1 / 255)))
    return op.add(picture, more)
