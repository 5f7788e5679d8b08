"""Light and dark given back to paint that has lost the form of things.

A bold style paints an arm before a dress, legs before a floor, or a car at night as one plane.
Where the source differs from what is around by its light, and the painting much less so in the same
sense, the painting gets what it lacks. Strokes stay, and so does what the painting shows by itself.
What is given is led by the source's edges (He and Sun 2015, "Fast guided filter"); to tell what is
lacking, and to give no more, is our own.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.base import Prepared
from stylizer.effects.strength import check_share
from stylizer.faces.masks import deviation_around, smooth
from stylizer.frame import LUMA, Frame, Image, check_image
from stylizer.protocols import Stylizer

__all__ = ["GiveForm", "give_form"]

Values = npt.NDArray[np.float32]

_SIDE = 192
"""Shorter side, in pixels, at which source and painting are compared: what is smaller is a detail,
and no form."""

_HALF = 0.49
"""Factors of the sides above this are quickly interpolated; means take ten times as long."""

_FINE = 1 / 240
"""Deviation, as a share of the shorter side, of what is left out of the source: a pattern that came
through would be a photo's."""

_REACH, _FLAT = 2, 30.0
"""Reach of the guided filter, in pixels; and the variance, in gray levels, of what is no edge."""

_WIDE, _PLANES = 14.0, 1.5
"""Deviations of Gaussians, in pixels: of what is around; and of the strokes that are left out of
the painting before its contrast is told."""

_LITTLE, _GAIN, _MOST = 7.0, 1.5, 50.0
"""What may be lacking, in gray levels: planes stay planes. How many times what is lacking beyond is
given, and the most of it."""

_BUSY, _STROKES = (14.0, 34.0), 2.5
"""Deviation of the painting's light and dark, in gray levels, from which on less is given, and from
which on nothing: leads of glass and thick strokes are the form there; and the deviation, in pixels,
of the Gaussian that says where this is told."""

_STEP, _GRAYS, _FAR = 8, 20, 2
"""Gray levels of light and dark whose colors are taken together; how many gray pixels stand in for
those that a painting lacks; and how many steps on both sides tell a color's way."""

_FULLEST, _TINTED = 2.0, 0.7
"""How many times as far as all together one of red, green and blue goes, at most; and the share of
the palette in what is given."""

_LUMA = np.array(LUMA, np.float32)

_ROWS = 48
"""Rows that are given to at once: so few that what they take is not asked of the system anew each
time, which takes twice as long as the work."""


class GiveForm(Prepared):
    """Gives what is painted its form back; a `stylizer.protocols.ParallelStylizer`."""

    def __init__(self, stylizer: Stylizer, *, strength: float) -> None:
        """Wrap ``stylizer``; the strength is that of `give_form`.

        Raises:
          ConfigError: the strength is out of its range.
        """
        super().__init__(stylizer)
        check_share(strength, name="form")
        self._strength = strength

    def change(self, frame: Frame) -> Frame:
        """Return the frame itself, once it is a picture."""
        check_image(frame.image)
        return frame

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        return self._give(frame, super().__call__(frame))

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        """Take the next frame, and return what paints it.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        paint = super().begin(frame)
        return lambda: self._give(frame, paint())

    def _give(self, frame: Frame, painted: Frame) -> Frame:
        return painted.with_image(give_form(frame.image, painted.image, self._strength))


def give_form(source: Image, painting: Image, strength: float) -> Image:
    """Return a painting with the light and dark of its source where it has lost them.

    Args:
      source: uint8 RGB, (H, W, 3).
      painting: of it, uint8 RGB, (H, W, 3).
      strength: share of what is given, 0 to 1.

    Returns:
      uint8 RGB, (H, W, 3).
    """
    height, width, _ = source.shape
    scale = min(1.0, _SIDE / min(width, height))
    size = max(1, round(scale * width)), max(1, round(scale * height))
    how = cv2.INTER_LINEAR if scale > _HALF else cv2.INTER_AREA
    gray = cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)
    gray = cv2.GaussianBlur(gray, (0, 0), max(_FINE * min(width, height), 0.3))
    seen = np.asarray(cv2.resize(gray, size, interpolation=how), np.uint8)
    paint = np.asarray(cv2.resize(painting, size, interpolation=how), np.uint8)
    own = np.asarray(cv2.cvtColor(paint, cv2.COLOR_RGB2GRAY), np.float32)
    table = _match(seen, own)
    line = _lacking(np.asarray(cv2.LUT(seen, table), np.float32), own)
    share = np.float32(strength) * _calmness(own)
    slope, level = (cv2.resize(one * share, (width, height)) for one in line)
    tint = cv2.resize(_tint(paint), (width, height))
    formed = np.empty_like(painting)
    for top in range(0, height, _ROWS):
        rows = slice(top, top + _ROWS)
        given = np.asarray(cv2.multiply(slope[rows], cv2.LUT(gray[rows], table)), np.float32)
        given += level[rows]
        np.clip(given, -_MOST, _MOST, out=given)
        every = cv2.multiply(cv2.merge((given, given, given)), tint[rows])
        cv2.add(painting[rows], every, dst=formed[rows], dtype=cv2.CV_8U)
    return formed


def _tint(paint: Image) -> Values:
    """Return by how much red, green and blue change with light and dark, (h, w, 3), about 1 each.

    They go where the painting's colors, uint8 RGB (h, w, 3), go as they get lighter: light that is
    given is the palette's, and not gray.
    """
    own = np.asarray(cv2.cvtColor(paint, cv2.COLOR_RGB2GRAY), np.uint8)
    steps = (own // _STEP).ravel()
    count = np.bincount(steps, minlength=256 // _STEP)
    sums = [np.bincount(steps, one.ravel(), minlength=count.size) for one in cv2.split(paint)]
    levels = np.arange(count.size) * _STEP + (_STEP - 1) / 2
    curve = (np.stack(sums, -1) + _GRAYS * levels[:, None]) / (count[:, None] + _GRAYS)
    padded = np.pad(curve, ((_FAR, _FAR), (0, 0)), mode="reflect", reflect_type="odd")
    apart = (padded[2 * _FAR :] - padded[: -2 * _FAR]) / (2 * _FAR * _STEP)
    tint = np.clip(apart, 0, _FULLEST)
    tint = np.minimum(tint / ((tint @ _LUMA)[:, None] + 1e-3), _FULLEST)
    table = np.stack([np.interp(np.arange(256), levels, one) for one in tint.T], -1)
    table = 1 + _TINTED * (table.astype(np.float32)[None] - 1)
    return np.asarray(cv2.LUT(cv2.merge((own, own, own)), table), np.float32)


def _lacking(seen: Values, own: Values) -> tuple[Values, Values]:
    """Return by which slope and level of the source a painting is to change, in gray levels.

    Args:
      seen: the source's light and dark, brought to those of the painting, (h, w), 0..255.
      own: the painting's, the same.
    """
    guide = _Guide(seen)
    differs = guide.follow(seen) - smooth(seen, _WIDE)
    shown = guide.follow(own) - smooth(own, _WIDE)
    sense = np.sign(differs)
    lacks = np.abs(differs) - np.maximum(sense * shown, 0) - np.float32(_LITTLE)
    return guide.fit(np.asarray(np.float32(_GAIN) * sense * np.maximum(lacks, 0), np.float32))


def _calmness(own: Values) -> Values:
    """Return 1 where a painting's light and dark, (h, w), hardly vary, to 0 where they do."""
    deviation = deviation_around(own, _STROKES)
    calm, busy = _BUSY
    share = (np.float32(busy) - deviation) / np.float32(busy - calm)
    return np.asarray(np.clip(share, 0, 1), np.float32)


def _match(seen: Image, own: Values) -> Values:
    """Return what brings light and dark of a source to those of its painting, (256,)."""
    contrast = (float(smooth(own, _PLANES).std()) + 1) / (float(seen.std()) + 1)
    levels = np.arange(256, dtype=np.float32) - np.float32(seen.mean())
    matched = np.float32(own.mean()) + np.float32(contrast) * levels
    return np.asarray(np.clip(matched, 0, 255), np.float32)


class _Guide:
    """A guided filter, by one guide, (h, w)."""

    def __init__(self, guide: Values) -> None:
        self._guide, self._mean = guide, _mean(guide)
        varies = _mean(guide * guide) - self._mean * self._mean
        self._spread = np.asarray(varies + np.float32(_FLAT), np.float32)

    def fit(self, values: Values) -> tuple[Values, Values]:
        """Return slope and level by which the guide comes near to values at each place."""
        middle = _mean(values)
        apart = _mean(self._guide * values) - self._mean * middle
        slope = np.asarray(apart / self._spread, np.float32)
        return _mean(slope), _mean(middle - slope * self._mean)

    def follow(self, values: Values) -> Values:
        """Return values, as far as they follow the guide."""
        slope, level = self.fit(values)
        return np.asarray(slope * self._guide + level, np.float32)


def _mean(values: Values) -> Values:
    side = 2 * _REACH + 1
    return np.asarray(cv2.blur(values, (side, side)), np.float32)
