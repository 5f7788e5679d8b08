"""Pictures with faces, and a skip where nothing finds them."""

import cv2
import numpy as np
import pytest
from skimage import data

from stylizer.faces.models import INSTALL, are_faces_available
from stylizer.frame import Frame, Image

needs_models = pytest.mark.skipif(not are_faces_available(), reason=f"needs {INSTALL}")

FACE = (224, 114)
"""(x, y) of the middle of the astronaut's face, in pixels."""


def astronaut() -> Image:
    """Return a photo with one face, 512x512."""
    return np.ascontiguousarray(data.astronaut())


def group(count: int) -> Image:
    """Return a wall with the same face many times, two rows of them."""
    head = astronaut()[20:220, 130:320]
    columns = -(-count // 2)
    wall = np.full((2 * 240, columns * 220, 3), 128, np.uint8)
    for number in range(count):
        y, x = 20 + 240 * (number % 2), 15 + 220 * (number // 2)
        wall[y : y + 200, x : x + 190] = head
    return wall


def shifted(image: Image, x: float, y: float, index: int) -> Frame:
    """Return a frame in which all has moved by (x, y) pixels; 25 a second."""
    matrix = np.array([[1.0, 0, x], [0, 1.0, y]])
    moved = cv2.warpAffine(
        image, matrix, (image.shape[1], image.shape[0]), borderMode=cv2.BORDER_REFLECT
    )
    return Frame(np.asarray(moved, np.uint8), index, index / 25)
