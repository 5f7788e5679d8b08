"""Light, dark and color of a face, taken from its source, so that it is seen through the paint.

Light and dark are taken as far as it takes. Colors are evened out, small specks and large ones, and
go apart as the source's do, lips and cheeks from the rest of a face, around what the paint has
there, and no further than the paint's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.effects.cutting import brightness, spread
from stylizer.faces.masks import rise, smooth
from stylizer.frame import Image

__all__ = ["FaceLight", "draw_planes"]

Values = npt.NDArray[np.float32]

_FEATURES = 0.9
"""Share of the source's light and dark at features."""

_LEAST, _MOST = 0.4, 0.9
"""The same elsewhere on a face: between these, as much as it takes."""

_PLANE = 0.1
"""Side of the squares that planes are made of, as a share of a face's side."""

_DARKER, _BRIGHTER = 1.5, 1.0
"""How many times as far as in the source features are from their planes where they are darker, and
where they are brighter: so a face is drawn, and teeth do not shine out of a painting."""

_LEFT, _LEFT_SMALL = 0.2, 0.09
"""By how much light and dark may be off, as a share of their own deviation: on large faces, and on
small ones, which are lost sooner."""

_SMALL, _LARGE = 50.0, 150.0
"""Sides of small and of large faces, in pixels."""

_CONTRAST = (0.8, 1.6)
"""By how much light and dark may be stretched to those of the paint."""

_DARK, _DARKEST = 40.0, 10.0
"""Mean brightness below which they may be stretched the more, the darker it is, and to where: paint
is as bright as ever, and what is barely stretched would be a blot in it."""

_ENDS, _SAMPLES = (0.02, 0.98), 64
"""Quantiles between which the range of paint and of a face is, and how many pixels across count."""

_BEYOND, _DIM, _GLARING = 0.15, 15.0, 240.0
"""By how much a face may be beyond the range of paint, as a share of that, and up to where."""

_POWER = 0.4
"""The least power that brightness is raised to."""

_EVEN, _SPECKS = 0.8, 0.06
"""How much colors are evened out with it, over which share of a face's side: specks of color hide a
face too."""

_ONE = 0.85
"""How far the colors of a face go to the one that is strongest in it: paint that follows light and
dark gives skin two colors that have nothing to do with each other."""

_FULLEST = 1.6
"""By how much colors may be made fuller again that became dull by it."""

_APART, _TOWARDS = 0.5, 0.3
"""Shares of the source's colors: of how they go apart in a face, and of their mean in it."""

_TINTED = 48.0
"""Side of a face, in pixels, that these colors are taken at, at most."""


_PATCH, _PATCHED = 0.05, 0.9
"""Deviation, as a share of a face's side, of a Gaussian that leaves broad patches of light, dark
and color, which hide a face more than strokes do; and the share in which they are those of the face
where they do."""

_HIDES = (0.25, 0.5)
"""By how much patches are off, by the deviation of the face's light and dark, where they begin to
hide it, and where they do."""


class FaceLight:
    """Light, dark and color of a face in its source, as paint would show it."""

    def __init__(
        self, source: Image, fine: Values, area: Values, *, bright: Values | None = None
    ) -> None:
        """Compare source and paint.

        The source's brightness gets the paint's mean and, within limits, its deviation: those of
        the whole piece, so that a face that is brighter than what is around it stays so.

        Args:
          source: uint8 RGB, (h, w, 3).
          fine: paint, (h, w, 3).
          area: where the face is, (h, w), 0..1.
          bright: the light and dark to take, (h, w), 0..255; None for the source's brightness.
        """
        if bright is None:
            bright = brightness(source)
        self._source, self._area = source, area
        self._own = np.asarray(cv2.cvtColor(fine, cv2.COLOR_RGB2GRAY), np.float32)
        level, spread = float(self._own.mean()), float(self._own.std())
        low, high = _CONTRAST
        high *= max(1.0, _DARK / max(float(bright.mean()), _DARKEST))
        bright = _open_shadows(bright, level)
        mean, deviation = float(bright.mean()), float(bright.std())
        contrast = min(max((spread + 1) / (deviation + 1), low), high)
        wanted = self._bring_within(level + contrast * (bright - mean))
        self._apart = np.asarray(wanted - self._own, np.float32)
        self._off = math.sqrt(_mean(self._apart * self._apart, area))
        inner = wanted - _mean(wanted, area)
        self._deviation = math.sqrt(_mean(inner * inner, area))

    def weight(self, features: Values, area: Values, *, side: float, needed: float = 1.0) -> Values:
        """Return how much of it is to be taken for a face to be seen, (h, w), 0..1.

        Args:
          features: where the features are, (h, w), 0..1.
          area: where the face is, (h, w), 0..1.
          side: of the face, in pixels of the frame.
          needed: how much the paint needs it, 0..1: less where it shows the face by itself.
              Features are lost sooner, and need the mean of that and all.
        """
        small = min(max((_LARGE - side) / (_LARGE - _SMALL), 0.0), 1.0)
        left = (_LEFT + small * (_LEFT_SMALL - _LEFT)) * (self._deviation + 5)
        share = min(max(1 - left / max(self._off, 1e-3), _LEAST), _MOST)
        featured = np.float32(_FEATURES * (1 + needed) / 2)
        weight = np.maximum(featured * features, np.float32(share * needed) * area)
        return np.asarray(weight, np.float32)

    def mix(self, fine: Values, weight: Values, *, side: float) -> Values:
        """Return paint with it, with its colors evened out, and apart as the source's are.

        Args:
          fine: the paint that it was made of.
          weight: how much of it is taken, (h, w), 0..1.
          side: of the face, in pixels of the paint.
        """
        color = np.asarray(cv2.subtract(fine, spread(self._own)), np.float32)
        even, shares = smooth(color, _SPECKS * side), spread(weight)
        even += np.float32(_ONE) * spread(self._area) * (self._strongest(even, side) - even)
        work = np.square(color)
        own = _mean(work, shares)
        full = math.sqrt(own / (_mean(np.square(even, out=work), shares) + 1e-3))
        cv2.addWeighted(even, _EVEN * min(full, _FULLEST), color, -_EVEN, 0, dst=work)
        work += spread(self._apart)
        patches = spread(self._more_of_patches(weight, side))
        patches *= smooth(work, _PATCH * side)
        work *= shares
        work += patches
        work += fine
        work += self._tint(color, side)
        return work

    def _more_of_patches(self, weight: Values, side: float) -> Values:
        """Return the share that broad patches get beyond the weight, (h, w): where they hide it."""
        apart = smooth(self._apart, _PATCH * side)
        off = math.sqrt(_mean(apart * apart, self._area)) / (self._deviation + 5)
        share = np.float32(_PATCHED) * rise(off, _HIDES) * self._area
        return np.asarray(np.maximum(share - weight, 0), np.float32)

    def _bring_within(self, wanted: Values) -> Values:
        """Return brightness, (h, w), with that of the face in the range that the paint has.

        What is beyond it would be cut off: a face as white as paper, or eyes that are blots. It is
        moved, and pressed together as far as it has to be.
        """
        step = max(1, min(wanted.shape) // _SAMPLES)
        face = wanted[::step, ::step][self._area[::step, ::step] > 0.5]
        if not face.size:
            return wanted
        low, high = np.quantile(face, _ENDS)
        least, most = np.quantile(self._own[::step, ::step], _ENDS)
        more = _BEYOND * (most - least)
        least, most = min(least, max(least - more, _DIM)), max(most, min(most + more, _GLARING))
        scale = min(1.0, (most - least + 1) / (high - low + 1))
        middle, reach = (low + high) / 2, scale * (high - low) / 2
        to = min(max(middle, least + reach), most - reach)
        if scale == 1 and to == middle:
            return wanted
        return np.asarray(np.float32(scale) * wanted + np.float32(to - scale * middle), np.float32)

    def _strongest(self, color: Values, side: float) -> Values:
        """Return the mean color of the face, (3,), each pixel by how strong its color is."""
        small, area = self._reduce(side, color, self._area)
        strength = (area * np.sqrt(np.square(small).sum(-1))).ravel()
        return np.asarray(strength @ small.reshape(-1, 3) / (strength.sum() + 1e-3), np.float32)

    def _reduce(self, side: float, *maps: Image | Values) -> Iterator[Values]:
        """Give maps of the size of the paint at a size where a face is at most `_TINTED` large."""
        height, width = self._own.shape
        factor = max(1.0, side / _TINTED)
        size = max(1, round(width / factor)), max(1, round(height / factor))
        for one in maps:
            yield np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA), np.float32)

    def _tint(self, color: Values, side: float) -> Values:
        """Return what the source's colors add to the paint's, (h, w, 3), no fuller than those."""
        height, width = self._own.shape
        source, own, area = self._reduce(side, self._source, color, self._area)
        bright = np.asarray(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), np.float32)
        tint, face = source - spread(bright), spread(area)
        energy, fullness = (_mean(np.square(one), face) for one in (tint, own))
        share = min(1.0, math.sqrt(fullness / (energy + 0.3)))
        flat, count = area.ravel(), float(area.sum()) + 1e-3
        mean, middle = (flat @ one.reshape(-1, 3) / count for one in (tint, own))
        shift = _TOWARDS * (mean - middle) - _APART * mean
        tint = np.float32(share) * face * (np.float32(_APART) * tint + shift)
        large = cv2.resize(tint, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, np.float32)


def draw_planes(bright: Values, features: Values, *, side: float, drawn: float = 1.0) -> Values:
    """Return brightness as one who paints sees it: even planes, with an edge where they meet.

    The filter of Kuwahara et al. 1976 ("Processing of RI-angiocardiographic images"): a pixel gets
    the mean of that square, of four that have a corner there, in which brightness varies least.
    Differs: all four count, by how little it varies (as in Papari et al. 2007, "Artistic edge and
    corner enhancing smoothing"), squares end softly, so that a plane's edge is no straight line,
    and dark features differ from it more than they did, within the range.

    Args:
      bright: (h, w), 0..255.
      features: where the features are, (h, w), 0..1.
      side: of the face, in pixels of the same.
      drawn: share that is taken of what features are due, 0..1.

    Returns:
      (h, w), 0..255; brightness itself where a square would be of one pixel.
    """
    reach = round(_PLANE / 2 * side)  # from a square's middle to its corner
    if reach == 0:
        return bright
    near, far = ((2 * part + 1,) * 2 for part in (reach // 2, reach - reach // 2))
    # three arrays, written over again and again: new ones cost more than the work
    border = cv2.copyMakeBorder(bright, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    work, mean, weight = (
        np.asarray(one, np.float32)
        for one in (
            border,
            cv2.blur(cv2.blur(border, near), far),
            cv2.blur(cv2.sqrBoxFilter(border, cv2.CV_32F, near), far),
        )
    )
    np.subtract(weight, np.multiply(mean, mean, out=work), out=weight)
    np.maximum(weight, 0, out=weight)  # rounding
    weight += 1
    np.divide(1, np.square(weight, out=weight), out=weight)
    mean *= weight
    total, weights = (_sum_of_corners(one, bright.shape, work) for one in (mean, weight))
    total /= weights
    kept = np.subtract(bright, total, out=weights)
    kept *= features
    darker = np.minimum(kept, 0, out=work[: kept.shape[0], : kept.shape[1]])
    kept *= np.float32(drawn * _BRIGHTER)
    kept += np.multiply(darker, np.float32(drawn * (_DARKER - _BRIGHTER)), out=darker)
    return np.clip(np.add(total, kept, out=kept), 0, 255, out=kept)


def _sum_of_corners(values: Values, shape: tuple[int, ...], work: Values) -> Values:
    """Return the sum of those parts of a map, of a shape, that lie in its corners, in its place."""
    height, width = shape
    rows = np.add(values[:height], values[-height:], out=work[:height])
    return np.add(rows[:, :width], rows[:, -width:], out=values[:height, :width])


def _open_shadows(bright: Values, level: float) -> Values:
    """Return brightness, 0..255, raised to a power so that its mean comes near to a brighter one.

    Paint has no black: what differs from black in a shadow must differ from what paint has there.
    """
    at, wanted = (min(max(one, _DARKEST), 245.0) / 255 for one in (float(bright.mean()), level))
    power = min(max(math.log(wanted) / math.log(at), _POWER), 1.0)
    table = 255 * (np.arange(256, dtype=np.float32) / 255) ** power
    return np.asarray(cv2.LUT(np.asarray(bright, np.uint8), table), np.float32)


def _mean(values: Values, weight: Values) -> float:
    """Return the mean of values, weighted."""
    return float(np.vdot(weight, values)) / (float(weight.sum()) + 1e-3)
