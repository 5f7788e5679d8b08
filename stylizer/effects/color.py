"""Colors kept: those of the source in the painting, or those of the source given to the style.

After Gatys, Bethge, Hertzmann and Shechtman 2016 ("Preserving Color in Neural Artistic Style
Transfer"), which describes both ways. Pictures are uint8 RGB (H, W, 3).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.base import Applied, WrappedStylizer, load_states
from stylizer.errors import ConfigError, StyleError
from stylizer.frame import Frame, Image, check_image, check_same_size
from stylizer.protocols import State, StyledStylizer, Stylizer
from stylizer.styles.load import AnyStyle, NamedStyle, Style

__all__ = [
    "ColorMode",
    "KeepColor",
    "MatchColor",
    "SourceColor",
    "check_pictures",
    "keep_luminance",
    "match_color",
    "matched_styles",
]

ColorMode = Literal["luminance", "match"]
"""Ways to keep the source's colors: in the painting, or in the style before anything is painted."""

_FLAT = 8.0
"""Standard deviation, in gray levels, below which a picture shows hardly more than one color."""

_FLOOR = 1.0
"""Added to the variances, in gray levels²: a flat picture has no colors that could be stretched."""


class SourceColor:
    """Gives paintings the chroma of their sources; a `stylizer.protocols.Effect`."""

    def reset(self) -> None:
        """Forget earlier frames: there is nothing to forget."""

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting with its own luma and the source's chroma; see `keep_luminance`.

        Raises:
          ConfigError: one is no uint8 RGB picture, or they differ in size.
        """
        return painted.with_image(keep_luminance(painted.image, source.image))


class KeepColor(Applied):
    """Gives a stylizer's paintings the source's colors; a `stylizer.protocols.Stylizer`."""

    def __init__(self, stylizer: Stylizer, *, mode: ColorMode = "luminance") -> None:
        """Wrap a stylizer.

        Args:
          stylizer: what paints.
          mode: ``"luminance"``: see `keep_luminance`. ``"match"`` is done by `MatchColor`.

        Raises:
          ConfigError: another mode.
        """
        if mode != "luminance":
            raise ConfigError(
                f"color mode: expected luminance, got {mode!r}; MatchColor matches the style "
                "pictures' colors before anything is painted"
            )
        super().__init__(stylizer, SourceColor())


class MatchColor(WrappedStylizer):
    """Gives the style pictures the colors of each shot's first frame; a `Stylizer`.

    A shot begins with the first frame, after `reset`, and when the size changes. Of a shot that
    begins in the dark, or with any other picture of hardly more than one color, the first frame
    that shows something is taken as well.
    """

    def __init__(self, stylizer: StyledStylizer, styles: Sequence[AnyStyle]) -> None:
        """Wrap a stylizer whose styles can be changed.

        Args:
          stylizer: it paints after the matched styles from the first frame on.
          styles: one or more pictures, as they are.

        Raises:
          StyleError: one of the styles is built in, and so has no picture.
        """
        self._pictures = check_pictures(styles)
        super().__init__(stylizer)
        self._styled = stylizer
        self._size: tuple[int, int] | None = None
        self._waits = False
        self._matched: Image | None = None

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        """Paint after other pictures, in the colors of the next frame.

        Raises:
          StyleError: one of the styles is built in, and so has no picture; the old ones stay.
        """
        self._pictures = check_pictures(styles)
        self._size = None

    def save_state(self) -> State:
        """Return what the wrapped stylizer remembers, and the picture that the styles match."""
        state = {f"wrapped/{name}": value for name, value in super().save_state().items()}
        return state if self._matched is None else {**state, "matched": self._matched}

    def load_state(self, state: State) -> None:
        """Have the wrapped stylizer remember, and match the styles as another one did."""
        load_states({"wrapped": self._stylizer}, state)
        self._size, self._waits, self._matched = None, False, state.get("matched")
        if self._matched is not None:
            self._match(self._matched)

    def reset(self) -> None:
        """Reset the wrapped stylizer; the next frame's colors are those of a new shot."""
        super().reset()
        self._size = self._matched = None

    def __call__(self, frame: Frame) -> Frame:
        """Return the frame, painted after the styles in its shot's colors.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        image = check_image(frame.image)
        if self._size != frame.size or (self._waits and not _is_flat(image)):
            self._match(image)
        return self._stylizer(frame)

    def _match(self, image: Image) -> None:
        height, width, _ = image.shape
        self._styled.set_styles(matched_styles(self._pictures, image))
        self._size, self._waits, self._matched = (width, height), _is_flat(image), image


def keep_luminance(painted: Image, source: Image) -> Image:
    """Combine the luma of a painting with the chroma of its source.

    The space is Y'CbCr of ITU-R BT.601, whose luma and hues are those of the YIQ that the paper
    uses: adding the same to red, green and blue changes the luma alone. Differs from the paper:
    where the two together lie outside of RGB, the chroma is reduced until they do not, since
    clipping would take away the brushwork in bright and in saturated places.

    Args:
      painted: uint8 RGB, (H, W, 3).
      source: uint8 RGB, (H, W, 3).

    Returns:
      uint8 RGB, (H, W, 3).

    Raises:
      ConfigError: not two uint8 RGB pictures of one size.
    """
    check_same_size(painted, source)
    luma = cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY)
    own = cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)
    channels = cv2.split(source)
    above = cv2.subtract(functools.reduce(cv2.max, channels), own)  # both 0 or more
    below = cv2.subtract(own, functools.reduce(cv2.min, channels))
    share = cv2.min(_ratio(cv2.bitwise_not(luma), above), _ratio(luma, below))
    share = cv2.min(share, np.ones(1))
    kept = [
        cv2.add(cv2.multiply(_off(channel, own), share), luma, dtype=cv2.CV_8U)
        for channel in channels
    ]
    return np.asarray(cv2.merge(kept), np.uint8)


def _ratio(room: cv2.typing.MatLike, chroma: cv2.typing.MatLike) -> cv2.typing.MatLike:
    """Return which share of a chroma fits into the room that the luma leaves it; 1 is all."""
    return cv2.divide(room, cv2.max(chroma, np.ones(1)), dtype=cv2.CV_32F)


def _off(channel: cv2.typing.MatLike, luma: cv2.typing.MatLike) -> cv2.typing.MatLike:
    return cv2.subtract(channel, luma, dtype=cv2.CV_32F)


def match_color(style: Image, content: Image) -> Image:
    """Give a style picture the mean and covariance of a content picture's colors.

    ``A (x - mean_style) + mean_content`` for each pixel, with ``A = C^(1/2) S^(-1/2)`` of the two
    covariances: "image analogies color transfer" in Gatys et al. 2016, section 4.1. Differs from
    the paper: 1 is added to the variances, in gray levels², for pictures of few colors. What leaves
    0..255 is clipped, so that mean and covariance are not met to the last digit.

    Args:
      style: uint8 RGB, (H, W, 3).
      content: uint8 RGB, of any size.

    Returns:
      uint8 RGB, of the style's size.

    Raises:
      ConfigError: one of them is no uint8 RGB picture.
    """
    mean, covariance = _moments(check_image(style, name="style"))
    wanted_mean, wanted = _moments(check_image(content, name="content"))
    matrix = _power(wanted, 0.5) @ _power(covariance, -0.5)
    moved = cv2.transform(style.astype(np.float32), np.c_[matrix, wanted_mean - matrix @ mean])
    return np.ascontiguousarray(np.clip(np.rint(moved), 0, 255).astype(np.uint8))


def matched_styles(styles: Sequence[AnyStyle], content: Image) -> tuple[Style, ...]:
    """Return the styles with the colors of a content picture (`match_color`); weights are kept.

    Args:
      styles: one or more pictures.
      content: uint8 RGB, (H, W, 3).

    Raises:
      ConfigError: the content is no uint8 RGB picture.
      StyleError: one of the styles is built in, and so has no picture.
    """
    return tuple(
        replace(style, image=match_color(style.image, content)) for style in check_pictures(styles)
    )


def check_pictures(styles: Sequence[AnyStyle]) -> tuple[Style, ...]:
    """Return the styles, all of which must be pictures for their colors to be matched.

    Raises:
      StyleError: one of them is built in, and so has no picture.
    """
    pictures = []
    for style in styles:
        if isinstance(style, NamedStyle):
            raise StyleError(
                f"style {style.name}: matching colors needs a style picture, and this style is "
                "built in and has none; give a picture, or keep the luminance instead"
            )
        pictures.append(style)
    return tuple(pictures)


def _is_flat(image: Image) -> bool:
    return float(np.max(cv2.meanStdDev(image)[1])) < _FLAT


def _moments(image: Image) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean (3,) and covariance (3, 3) of the pixels, the variances raised a little."""
    pixels = image.reshape(-1, 3).astype(np.float64)
    mean = pixels.mean(axis=0)
    off = pixels - mean
    return mean, off.T @ off / len(pixels) + _FLOOR * np.eye(3)


def _power(matrix: npt.NDArray[np.float64], exponent: float) -> npt.NDArray[np.float64]:
    """Raise a symmetric matrix whose eigenvalues are above 0 to a power."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values**exponent) @ vectors.T, np.float64)
