"""The eight ways in which a stored video picture may have to be turned to stand upright."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np

from stylizer.frame import Image

__all__ = ["Orientation"]


@dataclass(frozen=True, kw_only=True)
class Orientation:
    """Transpose first, then flip.

    Attributes:
      transpose: exchange rows and columns.
      flip_x: then mirror left and right.
      flip_y: then mirror top and bottom.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_matrix(cls, matrix: bytes) -> Orientation:
        """Read a display matrix (ISO 14496-12: nine 32-bit integers in the machine's order).

        A point (x, y) of the stored picture is shown at (a x + c y, b x + d y), the matrix's first
        two rows being (a, b, u) and (c, d, v). A turn by something else than a multiple of 90
        degrees is taken to the nearest one.
        """
        a, b, _, c, d = struct.unpack("=9i", matrix[:36])[:5]
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(flip_x=a < 0, flip_y=d < 0)
        return cls(transpose=True, flip_x=c < 0, flip_y=b < 0)

    @property
    def rotation(self) -> int:
        """Degrees clockwise (0, 90, 180, 270) by which the stored picture is turned."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    def turn_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the upright (width, height) of a stored (width, height)."""
        return (size[1], size[0]) if self.transpose else size

    def turn(self, image: Image) -> Image:
        """Return the upright picture, uint8 (H, W, 3), C-contiguous."""
        turned: cv2.typing.MatLike = cv2.transpose(image) if self.transpose else image
        if self.flip_x or self.flip_y:
            turned = cv2.flip(turned, -1 if self.flip_x and self.flip_y else int(self.flip_x))
        return np.ascontiguousarray(turned, dtype=np.uint8)
