"""Contours drawn into frames before they are painted, as painters begin.

A network that paints boldly lets go of what hardly differs from what is around: a sleeve before a
wall, a dark coat in a dark room. Lines along the contours of the source, dark where it is light and
light where it is dark, lead its strokes there; what is seen is paint, and not the lines.

A contour is where colors change much faster than they do all around, so that what is textured all
over gets none. That lines carry a drawing where planes are simplified is the idea of Winnemoeller
et al. 2006 ("Real-time video abstraction"); how they are found here is our own.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.base import Prepared
from stylizer.effects.contrast import raise_contrast
from stylizer.effects.form import GiveForm
from stylizer.effects.strength import check_share
from stylizer.frame import Frame, Image, check_image
from stylizer.protocols import Stylizer

__all__ = [
    "USUAL_UNDERDRAWING",
    "Underdraw",
    "check_underdrawing",
    "draw_contours",
    "find_contours",
    "underdraw",
]

Values = npt.NDArray[np.float32]

USUAL_UNDERDRAWING = 0.5
"""How strong lines are where nobody asks for another strength; chosen by eye."""

_LEVELS = 200.0
"""Gray levels by which lines of strength 1 differ from what is there."""

_FINE, _AROUND = 1.6, 20.0
"""Deviations of Gaussians, in pixels: of what contours are found in, and of what "around" is."""

_FASTER = 1.6, 3.2
"""By how much faster than around colors change where a line begins to show, and where it is
whole."""

_CHANGE, _CALM = (0.5, 1.5), 0.35
"""The same in units of CIELAB a pixel, so that grain and blocks of codecs get no lines; and what is
added to the change around."""

_PLAIN, _LEFT = (3.0, 8.0), 0.3
"""The same where a contour is plain to see: lines begin to be weaker, and are down to this share.
They would be rings around suns and lamps, and the same ones in all styles."""

_FORM = 1.4
"""How many times the strength of lines that of form is."""

_RAISED = 2.0
"""How many times the strength of lines that of raised contrast is, in stills."""

_COARSE = 4
"""Pixels, on both sides, for one of what is known of "around"."""

_DARK, _TURNS = 35.0, 10.0
"""Lightness, 0 to 100, below which lines are light; and over which they turn from the one to the
other."""


def check_underdrawing(strength: float) -> None:
    """Make sure that a strength is within 0 to 1.

    Raises:
      ConfigError: it is not.
    """
    check_share(strength, name="underdrawing")


def underdraw(painter: Stylizer, strength: float, *, plainer: bool = False) -> Stylizer:
    """Return a painter of frames that are drawn into, and of which no form is lost.

    What lines cannot keep, `stylizer.effects.form` gives back. It is the painter itself where the
    strength is 0.

    Args:
      painter: what paints.
      strength: of lines and form, 0 to 1.
      plainer: whether what is faint is made plainer before, for pictures by themselves. In a
        video that would raise the blocks of codecs, too.

    Raises:
      ConfigError: the strength is out of its range.
    """
    if strength == 0:
        return painter
    contrast = min(_RAISED * strength, 1.0) if plainer else 0.0
    drawn = Underdraw(painter, strength=strength, contrast=contrast)
    return GiveForm(drawn, strength=min(_FORM * strength, 1.0))


class Underdraw(Prepared):
    """Has frames painted into which contours are drawn, and whose contrast may be raised before."""

    def __init__(self, stylizer: Stylizer, *, strength: float, contrast: float = 0.0) -> None:
        """Wrap ``stylizer``.

        Args:
          stylizer: what paints.
          strength: of `draw_contours`.
          contrast: share of `stylizer.effects.contrast.raise_contrast`, 0 to 1.

        Raises:
          ConfigError: the strength is out of its range.
        """
        super().__init__(stylizer)
        check_underdrawing(strength)
        self._strength, self._contrast = strength, contrast

    def change(self, frame: Frame) -> Frame:
        """Return the frame with contours drawn into it."""
        plain = raise_contrast(check_image(frame.image), self._contrast)
        return frame.with_image(draw_contours(plain, self._strength))


def draw_contours(image: Image, strength: float) -> Image:
    """Return a picture with lines along its contours.

    Args:
      image: uint8 RGB, (H, W, 3), of the size that is painted.
      strength: of the lines, 0 to 1.

    Returns:
      uint8 RGB, (H, W, 3).
    """
    planes = _soft_planes(image)
    change = _change_of_color(planes)
    lines = _contours(change)
    lines *= 1 - np.float32(1 - _LEFT) * _ramp(change, *_PLAIN)
    lightness = _blur_widely(planes[0], _AROUND / 2)
    lines *= 2 * _ramp(lightness, _DARK - _TURNS, _DARK + _TURNS) - 1
    lines *= np.float32(-_LEVELS * strength)
    whole = cv2.merge((lines, lines, lines))
    return np.asarray(cv2.add(image, whole, dtype=cv2.CV_8U), np.uint8)


def find_contours(image: Image) -> Values:
    """Return where contours are, (H, W), 0..1; of a picture as `draw_contours` takes it."""
    return _contours(_change_of_color(_soft_planes(image)))


def _soft_planes(image: Image) -> list[Values]:
    """Return lightness, 0 to 100, and the two colors of CIELAB, softened: each (H, W)."""
    fine = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    soft = cv2.split(cv2.GaussianBlur(fine, (0, 0), _FINE))
    planes = [np.asarray(plane, np.float32) for plane in soft]
    planes[0] *= np.float32(100 / 255)
    return planes


def _contours(change: Values) -> Values:
    """Return where colors change much faster than all around, 0..1; see `_change_of_color`."""
    faster = change / (_blur_widely(change, _AROUND) + np.float32(_CALM))
    return np.multiply(_ramp(faster, *_FASTER), _ramp(change, *_CHANGE), out=faster)


def _blur_widely(values: Values, deviation: float) -> Values:
    """Return values after a Gaussian, of which a quarter of the sides is enough to be computed."""
    height, width = values.shape
    size = max(1, width // _COARSE), max(1, height // _COARSE)
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), deviation / _COARSE)
    return np.asarray(cv2.resize(small, (width, height)), np.float32)


def _change_of_color(planes: Sequence[Values]) -> Values:
    """Return the length of the gradient of all planes together, (H, W), a pixel."""
    total = np.zeros(planes[0].shape, np.float32)
    for plane in planes:
        for across in (0, 1):
            cv2.accumulateSquare(cv2.Sobel(plane, cv2.CV_32F, 1 - across, across), total)
    return np.asarray(cv2.sqrt(total), np.float32) * np.float32(1 / 8)


def _ramp(values: Values, low: float, high: float) -> Values:
    """Return values as 0 up to a low one, and 1 from a high one on."""
    scaled = (values - np.float32(low)) * np.float32(1 / (high - low))
    return np.clip(scaled, 0, 1, out=scaled)
