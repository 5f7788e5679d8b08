"""Styles: pictures that are read and checked, and built-in ones; weighted.

A style is written as a path, ``my.jpg`` or, if it was tuned, ``my.style``, or as the name of a
built-in one, ``starry_night``, with a weight if there are several: ``starry_night:0.7``; and before
it, the part of the picture that it is for: ``person=starry_night`` (`stylizer.styles.regions`).
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from stylizer.errors import SourceError, StyleError
from stylizer.frame import Image, check_image
from stylizer.io.image import IMAGE_SUFFIXES, read_image
from stylizer.styles.built_in import NamedStyle, check_weight, load_named_style, style_names
from stylizer.styles.regions import PARTS, check_part, group_styles, mask_path, split_part
from stylizer.styles.tuning import TUNED_SUFFIX, Tuning, read_tuning

__all__ = [
    "MIN_SIDE",
    "AnyStyle",
    "NamedStyle",
    "Style",
    "load_style",
    "load_styles",
    "style_names",
]

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
      region: the part of the picture that it is for, as `stylizer.styles.regions` says; None for
        all that is left.
      tuning: what was added to a network for this style; None for nothing.
    """

    name: str
    image: Image
    weight: float = 1.0
    region: str | None = None
    tuning: Tuning | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the picture, the weight and the region.

        Raises:
          ConfigError: the image is no uint8 RGB picture.
          StyleError: the image is too small, the weight is not a positive number, or there is no
            such region.
        """
        check_image(self.image, name=f"style {self.name}")
        height, width, _ = self.image.shape
        if min(height, width) < MIN_SIDE:
            raise StyleError(
                f"style {self.name}: expected at least {MIN_SIDE}x{MIN_SIDE} pixels, "
                f"got {width}x{height}; choose a larger picture"
            )
        check_weight(self.name, self.weight)
        check_part(self.region)


AnyStyle = Style | NamedStyle
"""What a method paints after: a picture, or a built-in style, which has none."""


def load_style(text: str) -> AnyStyle:
    r"""Read one style.

    Args:
      text: the path of a picture or of a tuned style, or the name of a built-in one, in which case,
        spaces and hyphens do not matter; or one of them, a colon and a weight. A file that exists
        wins over a name. What exists as a file by
        the whole text is taken as a path; so are a drive letter (``C:\x.jpg``) and any colon not
        followed by a number. All of it may come after the part that the style is for, and ``=``.

    Raises:
      StyleError: there is no such file or style, it cannot be read as a picture, is too small, or
        its weight is not above 0.
      WeightsError: the file of the built-in styles is missing or damaged.
    """
    region, text = split_part(text)
    check_part(region)
    mask = None if region is None else mask_path(region)
    if mask is not None and not mask.is_file():
        raise StyleError(
            f"style {region}={text}: there is no file {mask}; give a picture or a video of masks, "
            "white where the style is for"
        )
    path, weight = _split(text)
    if not path.is_file():
        if _plain(str(path)) in style_names():
            named = load_named_style(_plain(str(path)))
            return replace(named, weight=weight, region=region)
        _refuse_weight(text)
        _refuse_part(text)
        raise StyleError(
            f"style {text!r}: there is no file {path} and no built-in style of that name; "
            f"{_advice(path)}"
        )
    if path.suffix.lower() == TUNED_SUFFIX:
        tuning, name, picture = read_tuning(path)
        if picture is None:
            raise StyleError(f"style {text!r}: holds no picture; tune it again")
        return Style(name=name, image=picture, weight=weight, region=region, tuning=tuning)
    try:
        image = read_image(path)
    except SourceError as error:
        raise StyleError(f"style {text!r}: cannot be read as a picture ({error})") from error
    try:
        return Style(name=path.stem, image=image, weight=weight, region=region)
    except StyleError as error:
        raise StyleError(f"{path}: {error}") from error


def load_styles(texts: Sequence[str]) -> tuple[AnyStyle, ...]:
    """Read several styles and scale the weights of each region's to a sum of 1.

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
        raise StyleError("styles: expected at least one style, got none")
    styles = [load_style(text) for text in texts]
    shares = {part: _shares(together) for part, together in group_styles(styles).items()}
    return tuple(replace(style, weight=shares[style.region].pop(0)) for style in styles)


def _shares(styles: Sequence[AnyStyle]) -> list[float]:
    largest = max(style.weight for style in styles)
    total = math.fsum(style.weight / largest for style in styles)
    return [style.weight / largest / total for style in styles]


def _split(text: str) -> tuple[Path, float]:
    if Path(text).is_file():
        return Path(text), 1.0
    match = _WEIGHTED.fullmatch(text)
    if match is None:
        return Path(text), 1.0
    return Path(match["name"]), float(match["weight"])


def _plain(text: str) -> str:
    """Return a text as names are written."""
    return re.sub(r"[\s_-]+", "_", text.strip().lower())


def _refuse_weight(text: str) -> None:
    """Refuse what is no number after a style and a colon."""
    name, colon, weight = text.rpartition(":")
    if colon and (_plain(name) in style_names() or Path(name).is_file()):
        raise StyleError(
            f"style {text!r}: expected a weight above 0 after the colon, as in {name}:0.5, "
            f"got {weight!r}"
        )


def _refuse_part(text: str) -> None:
    """Refuse what is no part before a style that there is, and an equals sign."""
    part, sign, style = text.partition("=")
    path, _ = _split(style)
    if sign and (_plain(str(path)) in style_names() or path.is_file()):
        raise StyleError(
            f"style {text!r}: expected one of {', '.join(PARTS)}, or mask:FILE, before the equals "
            f"sign, got {part!r}"
        )


def _advice(path: Path) -> str:
    """Say what a path that leads nowhere may have meant, else what there is to choose from."""
    names = style_names()
    plain = _plain(path.stem)
    near = difflib.get_close_matches(plain, names, cutoff=0.6)
    meant = [name for name in names if name in near or (len(plain) > 2 and plain in name)]
    with suppress(OSError):  # no folder either, or not ours to read: nothing to advise from there
        pictures = [file.name for file in path.parent.iterdir() if file.suffix in IMAGE_SUFFIXES]
        files = difflib.get_close_matches(path.name, pictures, cutoff=0.8)
        meant += [str(path.with_name(name)) for name in files]
    if meant:
        return f"did you mean {' or '.join(meant)}? (stylizer styles lists the built-in ones)"
    return f"give a picture, as in my.jpg or my.jpg:0.5, or one of {', '.join(names)}"
