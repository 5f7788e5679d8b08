"""Style pictures: read, checked and weighted.

A style is written as a path, ``starry_night.jpg``, with a weight if there are several:
``starry_night.jpg:0.7``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stylizer.errors import SourceError, StyleError
from stylizer.frame import Image, check_image
from stylizer.io.image import read_image

__all__ = ["MIN_SIDE", "Style", "load_style", "load_styles"]

MIN_SIDE = 16
"""The least side of a style picture, in pixels: below it the deeper layers see nothing."""

_WEIGHTED = re.compile(r"(?P<name>.+):(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")


@dataclass(frozen=True, kw_only=True)
class Style:
    """A picture to paint in the manner of.

    Attributes:
      name: for reports and file names; a file's name without its suffix.
      image: uint8 RGB, (H, W, 3), each side at least `MIN_SIDE`.
      weight: its share among several styles, more than 0.
    """

    name: str
    image: Image
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Check the picture and the weight.

        Raises:
          ConfigError: the image is no uint8 RGB picture.
          StyleError: the image is too small, or the weight is not a positive number.
        """
        check_image(self.image, name=f"style {self.name}")
        height, width, _ = self.image.shape
        if min(height, width) < MIN_SIDE:
            raise StyleError(
                f"style {self.name}: expected at least {MIN_SIDE}x{MIN_SIDE} pixels, "
                f"got {width}x{height}; choose a larger picture"
            )
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise StyleError(
                f"style {self.name}: expected a weight above 0, got {self.weight:g}; "
                "leave the style out to give it no weight"
            )


def load_style(text: str) -> Style:
    r"""Read one style.

    Args:
      text: a path, or a path, a colon and a weight. What exists as a file by the whole text is
        taken as a path; so are a drive letter (``C:\x.jpg``) and any colon not followed by a
        number.

    Raises:
      StyleError: there is no such file, it cannot be read as a picture, is too small, or its weight
        is not above 0.
    """
    path, weight = _split(text)
    if not path.is_file():
        raise StyleError(
            f"style {text!r}: there is no file {path}; give a picture, as in my.jpg or my.jpg:0.5"
        )
    try:
        image = read_image(path)
    except SourceError as error:
        raise StyleError(f"style {text!r}: cannot be read as a picture ({error})") from error
    return Style(name=path.stem, image=image, weight=weight)


def load_styles(texts: Sequence[str]) -> tuple[Style, ...]:
    """Read several styles and scale their weights to a sum of 1.

    Args:
      texts: as for `load_style`, at least one.

    Raises:
      StyleError: no text is given, or one of them cannot be used.
    """
    if isinstance(texts, str):
        raise StyleError(
            f"styles: expected a list of styles, got the text {texts!r}; wrap it in []"
        )
    if not texts:
        raise StyleError("styles: expected at least one style picture, got none")
    styles = [load_style(text) for text in texts]
    largest = max(style.weight for style in styles)
    total = math.fsum(style.weight / largest for style in styles)
    return tuple(replace(style, weight=style.weight / largest / total) for style in styles)


def _split(text: str) -> tuple[Path, float]:
    if Path(text).is_file():
        return Path(text), 1.0
    match = _WEIGHTED.fullmatch(text)
    if match is None:
        return Path(text), 1.0
    return Path(match["name"]), float(match["weight"])
