"""Squares cut out of pictures at another size, and laid back.

Places are (x, y), pixel centers at whole numbers plus a half, and a matrix, float64 (2, 3), leads
from places in the picture to places in what was cut out; it zooms and shifts, and does not turn.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import LEAST_SHARE, Image

__all__ = [
    "Box",
    "Matrix",
    "Values",
    "blend",
    "brightness",
    "covered",
    "cut_out",
    "cut_out_parts",
    "lay_back",
    "spread",
]

Matrix = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]
Box = tuple[slice, slice]
"""Rows and columns of a picture."""


def cut_out(picture: Image, matrix: Matrix, side: int, *, fine: bool = True) -> Image:
    """Return a part of a picture at another size: uint8 (side, side, 3).

    Args:
      picture: uint8 RGB, (H, W, 3).
      matrix: says which part.
      side: in pixels.
      fine: whether what is enlarged is interpolated by cubics, which takes longer.
    """
    zoom = float(matrix[0, 0])
    shift = matrix.copy()
    shift[:, 2] += 0.5 * zoom - 0.5  # OpenCV's pixel centers are at whole numbers
    if zoom < 0.6:  # by averages first, or fine structure would turn into noise
        factor = int(1 / zoom)
        size = max(1, picture.shape[1] // factor), max(1, picture.shape[0] // factor)
        x, y = size[0] / picture.shape[1], size[1] / picture.shape[0]
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        shift[0, 0], shift[1, 1] = zoom / x, zoom / y
        shift[:, 2] = matrix[:, 2] + 0.5 * np.array([zoom / x, zoom / y]) - 0.5
    how = cv2.INTER_CUBIC if zoom > 1 and fine else cv2.INTER_LINEAR
    cut = cv2.warpAffine(picture, shift, (side, side), flags=how, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(cut, np.uint8)


def cut_out_parts(parts: Values, matrix: Matrix, side: int, frame: Image) -> Values | None:
    """Return where parts of a frame are in what is cut out: float32 (N, side / 4, side / 4).

    They have a sum of 1: where none is, the first is.

    Args:
      parts: float32 (N, h, w), 0..1, all over the frame.
      matrix: from places in the frame to places in what is cut out.
      side: of that, in pixels.
      frame: uint8 RGB, (H, W, 3).

    Returns:
      None where hardly anything of it belongs to a part.
    """
    small = max(1, side // 4)
    scale = np.array([frame.shape[1] / parts.shape[2], frame.shape[0] / parts.shape[1]])
    there = matrix * (small / side)
    there[:, :2] *= scale  # from places in the masks
    there[:, 2] += there[:, :2].sum(1) / 2 - 0.5  # OpenCV's pixel centers are at whole numbers
    cut = np.stack(
        [
            cv2.warpAffine(one, there, (small, small), borderMode=cv2.BORDER_REPLICATE)
            for one in parts
        ]
    ).reshape(len(parts), small, small)
    total = cut.sum(0)
    if total.max() < LEAST_SHARE:
        return None
    cut[0] += np.maximum(1 - total, 0)
    return np.asarray(cut / cut.sum(0), np.float32)


def brightness(picture: Image) -> Values:
    """Return the brightness of a picture, 0..255, float32 (H, W)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


def spread(values: Values) -> Values:
    """Return a map three times beside itself, (h, w, 3): NumPy takes long over short rows."""
    return np.asarray(cv2.merge((values, values, values)), np.float32)


def covered(matrix: Matrix, side: int, frame: Image) -> Box | None:
    """Return the rows and columns of a frame that what is cut out reaches; None for none."""
    zoom = float(matrix[0, 0])
    low = np.maximum(np.floor(-matrix[:, 2] / zoom), 0).astype(int)
    high = np.minimum(np.ceil((side - matrix[:, 2]) / zoom), frame.shape[1::-1]).astype(int)
    if (high <= low).any():
        return None
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def lay_back(values: Values, matrix: Matrix, box: Box) -> Values:
    """Return what was cut out as it lies in a part of the frame."""
    low = np.array([box[1].start, box[0].start])
    size = box[1].stop - box[1].start, box[0].stop - box[0].start
    there = matrix.copy()
    there[:, 2] = matrix[0, 0] * (low + 0.5) + matrix[:, 2] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    edge = cv2.BORDER_REPLICATE if values.ndim == 3 else cv2.BORDER_CONSTANT
    return np.asarray(cv2.warpAffine(values, there, size, flags=flags, borderMode=edge), np.float32)


def blend(place: Image, fine: Values, share: Values) -> None:
    """Lay paint over a part of a painting where a mask says, in place."""
    below = np.asarray(place, np.float32)
    change = cv2.multiply(spread(share), cv2.subtract(fine, below))
    np.copyto(place, np.asarray(cv2.add(below, change, dtype=cv2.CV_8U), np.uint8))
