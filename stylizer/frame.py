"""The frame: what flows through the pipeline.

Everywhere inside the library an image is uint8 RGB of shape (H, W, 3), C-contiguous. Float, BGR and
preprocessing stay at the edge that needs them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from stylizer.errors import ConfigError

__all__ = [
    "LEAST_SHARE",
    "LUMA",
    "Camera",
    "Cameras",
    "Frame",
    "Image",
    "check_image",
    "check_same_size",
    "mix_images",
]

LEAST_SHARE = 0.02
"""Of a pixel: a part of the picture that has no more of any pixel is not seen."""

LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in brightness (ITU-R BT.601)."""

Image = npt.NDArray[np.uint8]


def check_image(image: Image, *, name: str = "image") -> Image:
    """Return ``image`` as it is, or say what is wrong with it.

    Args:
      image: uint8 RGB, (H, W, 3), with H and W at least 1.
      name: what to call the image in the error.

    Returns:
      The image, C-contiguous (copied only when it was not).

    Raises:
      ConfigError: not a NumPy array, of another dtype, shape, or without a pixel.
    """
    if not isinstance(image, np.ndarray):
        raise ConfigError(f"{name}: expected a NumPy array, got {type(image).__name__}")
    if image.dtype != np.uint8:
        raise ConfigError(f"{name}: expected uint8 (0..255), got {image.dtype}")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ConfigError(f"{name}: expected RGB of shape (H, W, 3), got {image.shape}")
    return np.ascontiguousarray(image)


def check_same_size(painted: Image, source: Image) -> None:
    """Make sure that a painting and its source are pictures of one size.

    Raises:
      ConfigError: one is no uint8 RGB picture, or their sizes differ.
    """
    if check_image(painted, name="painted").shape != check_image(source, name="source").shape:
        raise ConfigError(
            f"painted: expected the size of the source, {source.shape[1]}x{source.shape[0]}, "
            f"got {painted.shape[1]}x{painted.shape[0]}"
        )


def mix_images(one: Image, other: Image, share: npt.NDArray[np.float32]) -> Image:
    """Return one picture where a mask says so, and the other elsewhere.

    Args:
      one: uint8 RGB, (H, W, 3).
      other: uint8 RGB, of the same size.
      share: float32 (h, w), of any size, 0..1: how much of ``one`` is in each pixel.
    """
    import cv2  # frames load without it

    height, width, _ = one.shape
    full = np.asarray(cv2.resize(share, (width, height)), np.float32).reshape(height, width)
    return np.asarray(cv2.blendLinear(one, other, full, 1 - full), np.uint8).reshape(one.shape)


@dataclass(frozen=True, slots=True)
class Camera:
    """Where a camera looks, against a picture some frames before.

    A place in a picture is a complex number, x + iy: from the picture's middle, in shares of its
    width, so that it holds for every size. What is seen at ``place`` was seen there at
    ``gain * place + shift``. The gain turns and zooms, the shift pans.
    """

    gain: complex = 1.0
    shift: complex = 0.0

    def __matmul__(self, other: Camera) -> Camera:
        """Return what first does as ``other`` does, and then as this one."""
        return Camera(self.gain * other.gain, self.gain * other.shift + self.shift)


Cameras = tuple[tuple[float, Camera], ...]
"""Where the camera looks against several pictures, each with its share; the shares have sum 1."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a stream.

    Attributes:
      image: uint8 RGB, (H, W, 3), C-contiguous.
      index: 0, 1, ... counted from the stream's first frame, also where only a span of it is read.
      time: seconds since the stream's start; a file's frame n stands at ``n / rate``.
      alpha: how opaque the source is, uint8, (H, W), for outputs that can be transparent; the image
        is laid on white. None where all of it is opaque.
      cameras: where the camera looks against some earlier pictures, each with its share of 1; None
        where nobody looked for it.
      flow: of a frame that is not painted by itself (`stylizer.temporal.keyframes`), where each
        pixel lies in the last painted one: float32 (h, w, 2), at reduced size, in pixels of that;
        the image is the source still. None of all others.
      parts: of a painting, or of what is to be painted, where each of its styles is, float32
        (N, h, w), of any size, 0..1, in the order in which what paints it has them; what they leave
        of 1 is the source. None where one style is all over, or nobody looked for them.
    """

    image: Image
    index: int
    time: float
    alpha: Image | None = None
    cameras: Cameras | None = None
    flow: npt.NDArray[np.float32] | None = None
    parts: npt.NDArray[np.float32] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]

    def with_image(self, image: Image) -> Frame:
        """Return the same moment with another picture, uint8 RGB (H, W, 3)."""
        return replace(self, image=image)

    def with_cameras(self, cameras: Cameras | None) -> Frame:
        """Return the same picture, told where the camera looks."""
        return replace(self, cameras=cameras)
