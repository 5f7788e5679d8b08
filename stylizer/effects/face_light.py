"""Light and dark of a face, taken from its source, so that it can be seen through the paint."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.faces.masks import smooth

__all__ = ["FaceLight"]

Values = npt.NDArray[np.float32]

_FEATURES = 0.9
"""Share of the source's light and dark at features."""

_LEAST, _MOST = 0.4, 0.9
"""The same elsewhere on a face: between these, as much as it takes."""

_LEFT, _LEFT_SMALL = 0.25, 0.15
"""By how much light and dark may be off, as a share of their own deviation: on large faces, and on
small ones, which are lost sooner."""

_SMALL, _LARGE = 50.0, 150.0
"""Sides of small and of large faces, in pixels."""

_CONTRAST = (0.8, 1.6)
"""By how much light and dark may be stretched to those of the paint."""

_DARK, _DARKEST = 40.0, 10.0
"""Mean brightness below which they may be stretched the more, the darker it is, and to where: paint
is as bright as ever, and what is barely stretched would be a blot in it."""

_EVEN, _SPECKS = 0.8, 0.06
"""How much colors are evened out with it, over which share of a face's side: specks of color hide a
face too."""

_FULLEST = 1.6
"""By how much colors may be made fuller again that became dull by it."""


class FaceLight:
    """Light and dark of a face in its source, as paint would show it."""

    def __init__(self, bright: Values, fine: Values, area: Values) -> None:
        """Compare source and paint.

        The source's brightness gets the paint's mean and, within limits, its deviation: those of
        the whole piece, so that a face that is brighter than what is around it stays so.

        Args:
          bright: of the source, (h, w).
          fine: paint, (h, w, 3).
          area: where the face is, (h, w), 0..1.
        """
        self._own = np.asarray(cv2.cvtColor(fine, cv2.COLOR_RGB2GRAY), np.float32)
        (mean, deviation), (level, spread) = (
            (float(one.mean()), float(one.std())) for one in (bright, self._own)
        )
        low, high = _CONTRAST
        high *= max(1.0, _DARK / max(mean, _DARKEST))
        contrast = min(max((spread + 1) / (deviation + 1), low), high)
        wanted = level + contrast * (bright - mean)
        self._apart = np.asarray(wanted - self._own, np.float32)
        self._off = math.sqrt(_mean(self._apart * self._apart, area))
        inner = wanted - _mean(wanted, area)
        self._deviation = math.sqrt(_mean(inner * inner, area))

    def weight(self, features: Values, area: Values, *, side: float) -> Values:
        """Return how much of it is to be taken for a face to be seen, (h, w), 0..1.

        Args:
          features: where the features are, (h, w), 0..1.
          area: where the face is, (h, w), 0..1.
          side: of the face, in pixels of the frame.
        """
        small = min(max((_LARGE - side) / (_LARGE - _SMALL), 0.0), 1.0)
        left = (_LEFT + small * (_LEFT_SMALL - _LEFT)) * (self._deviation + 5)
        share = min(max(1 - left / max(self._off, 1e-3), _LEAST), _MOST)
        weight = np.maximum(np.float32(_FEATURES) * features, np.float32(share) * area)
        return np.asarray(weight, np.float32)

    def mix(self, fine: Values, weight: Values, *, side: float) -> Values:
        """Return paint with it, and with its colors evened out.

        Args:
          fine: the paint that it was made of.
          weight: how much of it is taken, (h, w), 0..1.
          side: of the face, in pixels of the paint.
        """
        color = fine - self._own[..., None]
        even = smooth(color, _SPECKS * side)
        full = math.sqrt(_mean(_squares(color), weight) / (_mean(_squares(even), weight) + 1e-3))
        even = np.float32(_EVEN) * (np.float32(min(full, _FULLEST)) * even - color)
        return np.asarray(fine + weight[..., None] * (even + self._apart[..., None]), np.float32)


def _squares(color: Values) -> Values:
    """Return how full colors are, squared, (h, w)."""
    return np.asarray(np.einsum("ijk,ijk->ij", color, color), np.float32)


def _mean(values: Values, weight: Values) -> float:
    """Return the mean of values, weighted."""
    return float((weight * values).sum()) / (float(weight.sum()) + 1e-3)
