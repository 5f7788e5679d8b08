"""Painting at a size of its own: strokes are as broad in a large frame as in its thumbnail.

A network's strokes have a breadth in pixels. So frames are painted at one short side, `PAINT_SIDE`,
whatever their own, and an effect brings the painting to the frame's size with sharp strokes. A
still can have more: what was enlarged is painted once more, and its fine detail is taken.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.base import Prepared
from stylizer.effects.strength import check_share
from stylizer.effects.strokes import smooth_strokes
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.io.resize import resize_image
from stylizer.protocols import Stylizer
from stylizer.styles.load import AnyStyle, NamedStyle

__all__ = [
    "PAINT_SIDE",
    "STILL_DETAIL",
    "USUAL_STROKE",
    "Enlarge",
    "PaintSmaller",
    "check_detail",
    "check_stroke",
    "enlarge",
    "enlarge_frame",
    "paint_size",
    "still_detail",
]

Values = npt.NDArray[np.float32]

PAINT_SIDE = 384
"""Short side that frames are painted at for strokes of breadth 1, in pixels."""

USUAL_STROKE = 1.0
"""The breadth of strokes where nobody asks for another."""

_LEAST_STROKE, _MOST_STROKE = 0.1, 8.0
_STRIDE = 8
_NEAR = 1.1
"""A frame that is larger by no more than this factor is painted as it is."""

_MILD, _SOFTENED = 1.5, 0.52
"""Up to the first factor, a frame that shrinks is interpolated as it is; by more, it is softened by
a Gaussian of such a deviation, in pixels, before."""

_SMOOTHED_FROM, _SMOOTHED_WHOLLY = 1.0, 1.3
"""Up to the first factor strokes are left as they are, from the second on they are smoothed and
sharpened wholly; rows of dots are seen as such at larger sizes alone."""

_ROUNDER, _SOONER = 0.3, 0.4
"""Deviation, in pixels of the painting, of a Gaussian that takes the kinks of linear interpolation,
which become steps along edges and jump as they move; what is added of the detail for it, before."""

_BEFORE, _SHARPER, _FINER = 0.8, 4.0, 3.0
"""What is added of a painting's detail before it is enlarged, which brings back what interpolation
will take; of an enlarged one's, nearly as much as the pixels around allow; and of the detail of one
that was painted again."""

_FAINT, _FAINT_MOVING = 1.0, 2.0
"""Gray levels of an enlarged painting's detail that are not sharpened, and those of a frame's: what
is as faint as that would become flakes with steps, and in a video they would jump."""

_FAR = 1.6
"""How far the mean reaches that an enlarged painting's detail is told from, in pixels of the small
one."""

_STRIP = 160_000
"""Pixels that are sharpened at once."""

STILL_DETAIL = 0.7
"""How much fine detail of a second painting stills get where nobody asks for another amount."""

_FINE = 1.75
"""Deviation, in pixels of the smaller painting, of the low-pass that parts fine from coarse."""

_EVEN, _PAINTED = 0.6, 1.2
"""Strength of what a painting draws somewhere, by that of the fine detail that a second one would
add: up to the first none is taken, from the second on all of it."""

_LARGER, _MOST_PIXELS = 3.0, 9_000_000
"""By how much a painting is enlarged at most, and how large it is at most, to be painted again."""


def check_stroke(stroke: float) -> None:
    """Make sure that a breadth of strokes is within 0.1 to 8.

    Raises:
      ConfigError: it is not.
    """
    if not _LEAST_STROKE <= stroke <= _MOST_STROKE:  # false for NaN too
        raise ConfigError(
            f"stroke: expected {_LEAST_STROKE:g} to {_MOST_STROKE:g}, or native, got {stroke!r}"
        )


def check_detail(detail: float) -> None:
    """Make sure that an amount of fine detail is within 0 to 1.

    Raises:
      ConfigError: it is not.
    """
    check_share(detail, name="detail")


def still_detail(styles: Sequence[AnyStyle]) -> float:
    """Return the amount of fine detail that stills get in styles where nobody asks for another."""
    divisible = all(style.divisible for style in styles if isinstance(style, NamedStyle))
    return STILL_DETAIL if divisible else 0.0


def paint_size(size: tuple[int, int], stroke: float | None) -> tuple[int, int]:
    """Return the (width, height) that a frame of ``size`` is painted at.

    Args:
      size: of the frame, pixels.
      stroke: breadth of the strokes, 1 for those of a frame of `PAINT_SIDE`; None for the frame's
        own size.

    Returns:
      The frame's own size where it is no larger; else multiples of 8, which networks take as they
      are.
    """
    short = min(size)
    if stroke is None or short <= _NEAR * PAINT_SIDE / stroke:
        return size
    scale = PAINT_SIDE / stroke / short
    width, height = (max(_STRIDE, _STRIDE * round(scale * side / _STRIDE)) for side in size)
    return width, height


class PaintSmaller(Prepared):
    """Has frames painted at another size; what it gives has that size, until `Enlarge` comes.

    Attributes:
      size: (width, height) in pixels; None for that of the strokes. May be changed between frames.
    """

    def __init__(
        self,
        stylizer: Stylizer,
        *,
        size: tuple[int, int] | None = None,
        stroke: float | None = None,
    ) -> None:
        """Wrap ``stylizer``.

        Args:
          stylizer: what paints.
          size: (width, height) to begin with; None for that of the strokes.
          stroke: as `paint_size` says.
        """
        super().__init__(stylizer)
        self.size, self._stroke = size, stroke

    def painted_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the (width, height) that a frame of ``size`` is painted at."""
        return self.size or paint_size(size, self._stroke)

    def change(self, frame: Frame) -> Frame:
        """Return the frame at the size that is painted."""
        image = check_image(frame.image)
        return frame.with_image(_shrink(image, self.painted_size(frame.size)))


def _shrink(image: Image, size: tuple[int, int]) -> Image:
    """Resize: by halves first, and what is left linearly, for both of which OpenCV has short ways.

    To average areas takes four times as long, of 1920x1080 or 1280x720 to 680x384. What is painted
    differs by 0.6 to 1 gray levels from that, as it does from what is painted of bicubically
    reduced photos; it has as much detail.
    """
    while (left := min(image.shape[1] / size[0], image.shape[0] / size[1])) >= 2:
        half = image.shape[1] // 2, image.shape[0] // 2
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    if left <= _MILD:
        return resize_image(image, size)
    soft = cv2.GaussianBlur(image, (3, 3), _SOFTENED)
    return np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR), np.uint8)


class Enlarge:
    """Brings paintings to the size of their sources; a `stylizer.protocols.Effect`."""

    def __init__(
        self,
        *,
        repaint: Callable[[Frame], Image] | None = None,
        detail: float = 0.0,
        moving: bool = False,
    ) -> None:
        """Choose what fine detail there is to be.

        Args:
          repaint: as of a `stylizer.protocols.Repainter`; None for never.
          detail: share of the fine detail that is taken from a second painting, 0 to 1.
          moving: whether paintings are frames of a video, as `enlarge` says.
        """
        self._repaint = repaint if detail > 0 else None
        self._detail, self._moving = detail, moving

    def reset(self) -> None:
        """Forget earlier frames: there is nothing to forget."""

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting at the source's size."""
        return painted.with_image(self.enlarge(painted, source.size))

    def enlarge(self, painted: Frame, size: tuple[int, int]) -> Image:
        """Bring a painting to a size of (width, height), as `enlarge`, and add fine detail.

        Enlarged strokes are smooth inside and soft at their edges. Painted again at its new size,
        the painting has strokes of the same kind within its strokes; what is finer than these comes
        from there, all else stays. What it has left even stays even: a network that sees nothing
        but a plane draws wrinkles. It is sharpened like the enlarged one. Very large pictures are
        painted again at several sizes, one after the other, up to some nine megapixels.
        """
        painting = painted.image
        while self._repaint is not None:
            height, width, _ = painting.shape
            factor = min(size[0] / width, size[1] / height)
            if factor <= _NEAR:
                break
            step = min(1.0, _LARGER / factor)
            next_size = (round(step * size[0]), round(step * size[1]))
            if next_size[0] * next_size[1] > _MOST_PIXELS:
                break
            large = enlarge(painting, next_size)
            finer = smooth_strokes(self._repaint(painted.with_image(large)), 1.0)
            deviation = _FINE * step * factor
            share = self._detail * _painted(large, finer, deviation=deviation)
            painting = _sharpen(
                _with_fine(large, finer, share, deviation=deviation), (1, 2), _FINER
            )
        return enlarge(painting, size, moving=self._moving)


def enlarge_frame(painted: Frame, size: tuple[int, int]) -> Image:
    """Bring a painting that is no frame of a video to a size of (width, height), as `enlarge`."""
    return enlarge(painted.image, size)


def _painted(painting: Image, finer: Image, *, deviation: float) -> Values:
    """Return where a painting has strokes, not planes, to add fine detail to: (H, W), 0..1.

    Args:
      painting: uint8 RGB, (H, W, 3).
      finer: the one that has the detail, of the same size.
      deviation: in pixels, of the low-pass that parts fine from coarse.
    """
    first, second = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (painting, finer))
    reach = 2 * deviation
    own = _strength(np.asarray(first, np.float32), reach, around=reach)
    change = np.asarray(cv2.subtract(second, first, dtype=cv2.CV_32F), np.float32)
    ratio = own / (_strength(change, deviation, around=reach) + 1)
    return np.asarray(np.clip((ratio - _EVEN) / (_PAINTED - _EVEN), 0, 1), np.float32)


def _strength(values: Values, deviation: float, *, around: float) -> Values:
    """Return the mean absolute value, around each pixel, of what is finer than a low-pass."""
    coarse = cv2.GaussianBlur(values, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)
    fine = cv2.absdiff(values, coarse, dst=coarse)
    mean = cv2.GaussianBlur(fine, (0, 0), around, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mean, np.float32)


def _with_fine(painting: Image, finer: Image, share: Values, *, deviation: float) -> Image:
    """Return a painting with a share of its fine detail, (H, W), replaced by that of another."""
    mixed = np.empty_like(painting)
    for channel in range(3):  # one by one: a large picture's would take a gigabyte
        first = painting[..., channel]
        change = cv2.subtract(finer[..., channel], first, dtype=cv2.CV_32F)
        coarse = cv2.GaussianBlur(change, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)
        fine = cv2.multiply(share, cv2.subtract(change, coarse, dst=change), dst=coarse)
        mixed[..., channel] = cv2.add(first, fine, dtype=cv2.CV_8U)
    return mixed


def enlarge(painting: Image, size: tuple[int, int], *, moving: bool = False) -> Image:
    """Bring a painting to a larger size with sharp strokes.

    Strokes are smoothed along their directions (`stylizer.effects.strokes`), the more the larger
    the dots would get that they are made of. Linear interpolation, rounded by a Gaussian, leaves
    each edge as broad as a pixel of the painting, and sharpening makes it steep, in a window of
    that breadth.

    Args:
      painting: uint8 RGB, (H, W, 3).
      size: (width, height) in pixels. Where a side is no larger, `stylizer.io.resize.resize_image`.
      moving: whether it is a frame of a video, which is seen larger than it is. Its strokes are
        smoothed wholly then, whatever the size.

    Returns:
      uint8 RGB, C-contiguous; the painting itself when it has that size already and is no frame.
    """
    height, width, _ = painting.shape
    factor = min(size[0] / width, size[1] / height)
    larger = (factor - _SMOOTHED_FROM) / (_SMOOTHED_WHOLLY - _SMOOTHED_FROM)
    larger = min(1.0, max(0.0, larger))
    share = 1.0 if moving else larger
    if share > 0:
        before = share * _BEFORE + larger * _SOONER
        painting = _sharpen(smooth_strokes(painting, share), (1, 1), before)
    if factor <= 1.0:
        return resize_image(painting, size)
    large = cv2.resize(painting, size, dst=_kept_array(size) if moving else None)
    softened, faint = larger * factor * _ROUNDER, _FAINT_MOVING if moving else _FAINT
    reach = round(factor), round(_FAR * factor)
    return _sharpen(large, reach, larger * _SHARPER, softened, faint=faint)


def _sharpen(
    picture: cv2.typing.MatLike,
    reach: tuple[int, int],
    amount: float,
    softened: float = 0.0,
    *,
    faint: float = _FAINT,
) -> Image:
    """Make edges steep without halos: a strong unsharp mask within the range of the pixels around.

    It is a step of the shock filter of Kramer and Bruckner 1975 ("Iterations of a non-linear
    transformation for enhancement of digital images"). Differs from it: between the least and the
    greatest value around slopes are left, as an edge that jumps between them has steps; and faint
    detail stays as it is.

    Args:
      picture: uint8 (H, W, 3).
      reach: pixels to each side whose range is not left, and of the mean that detail is told from.
      amount: what is added of the detail; 0 for the picture as it is.
      softened: deviation, in pixels, of a Gaussian that it is softened by before; 0 for none.
      faint: gray levels of the detail that are not added.

    Returns:
      uint8 (H, W, 3), C-contiguous.
    """
    near, far = reach
    around, levels = np.ones((2 * near + 1, 2 * near + 1), np.uint8), (faint,) * 4
    broad = 2 * far + 1, 2 * far + 1
    height, width, _ = picture.shape
    margin = max(near, far) + math.ceil(4 * softened)  # OpenCV's Gaussian ends before
    rows = max(4 * margin, _STRIP // width)
    whole = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, rows):  # in strips, as large new arrays cost as much as the work
        first, last = max(0, top - margin), min(height, top + rows + margin)
        strip = picture[first:last]
        if softened > 0:
            strip = cv2.GaussianBlur(strip, (0, 0), softened)
        mean = cv2.blur(strip, broad, borderType=cv2.BORDER_REPLICATE)
        least = cv2.subtract(mean, levels)  # type: ignore[call-overload]  # of each channel
        most = cv2.add(mean, levels, dst=mean)  # type: ignore[call-overload]
        nearer = cv2.min(cv2.max(strip, least, dst=least), most, dst=most)
        sharp = cv2.addWeighted(strip, 1 + amount, nearer, -amount, 0, dst=nearer)
        limit = cv2.erode(strip, around, dst=least)
        cv2.max(sharp, limit, dst=sharp)
        cv2.min(sharp, cv2.dilate(strip, around, dst=limit), dst=sharp)
        whole[top : top + rows] = sharp[top - first : top - first + rows]
    return whole


_kept = threading.local()


def _kept_array(size: tuple[int, int]) -> Image:
    """Return an array to enlarge to, the same one each time in each thread: uint8 (H, W, 3)."""
    shape = size[1], size[0], 3
    array: Image | None = getattr(_kept, "array", None)
    if array is None or array.shape != shape:
        _kept.array = array = np.empty(shape, np.uint8)
    return array
