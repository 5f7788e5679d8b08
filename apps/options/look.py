"""What is done to a painting whatever painted it: how strong it is, and whose colors it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from stylizer.effects.color import (
    ColorMode,
    KeepColor,
    MatchColor,
    check_pictures,
    keep_luminance,
    matched_styles,
)
from stylizer.effects.strength import Strength, blend, check_strength
from stylizer.errors import ConfigError
from stylizer.frame import Image
from stylizer.protocols import StyledStylizer, Stylizer
from stylizer.styles.load import AnyStyle

from .shared import option

__all__ = ["LookOptions"]

_STYLE = "Style"


@dataclass(frozen=True, kw_only=True)
class LookOptions:
    """Strength and colors, for every method."""

    strength: Annotated[
        float, option("strength", "From 0 (the source) to 1 (the painting).", _STYLE)
    ] = 1.0
    keep_color: Annotated[
        ColorMode | None,
        option(
            "keep-color",
            "Keep the source's colors: luminance takes only light and dark from the painting, "
            "match gives the style pictures the source's colors before painting.",
            _STYLE,
        ),
    ] = None

    def check(self, styles: Sequence[AnyStyle]) -> None:
        """Say what is wrong before anything is loaded.

        Raises:
          ConfigError: the strength is out of its range.
          StyleError: colors are to be matched, and a style is built in and has no picture.
        """
        try:
            check_strength(self.strength)
        except ConfigError as error:
            raise ConfigError(f"--{error}") from None
        if self.keep_color == "match":
            check_pictures(styles)

    def match(self, stylizer: StyledStylizer, styles: Sequence[AnyStyle]) -> Stylizer:
        """Return the stylizer with styles that take the source's colors, if that was asked for.

        Args:
          stylizer: what paints, as yet after ``styles``.
          styles: the styles as they were loaded.

        Raises:
          StyleError: as `check` says.
        """
        return MatchColor(stylizer, styles) if self.keep_color == "match" else stylizer

    def wrap(self, stylizer: Stylizer) -> Stylizer:
        """Return the stylizer with this look around it.

        It goes around what holds a video still: what that carries along is to be paint alone.

        Raises:
          ConfigError: the strength is out of its range.
        """
        wrapped = KeepColor(stylizer) if self.keep_color == "luminance" else stylizer
        return wrapped if self.strength == 1 else Strength(wrapped, self.strength)

    def prepare(self, styles: Sequence[AnyStyle], content: Image) -> Sequence[AnyStyle]:
        """Return the styles to paint one picture after; for what is not run as a stylizer.

        Raises:
          StyleError: as `check` says.
        """
        return matched_styles(styles, content) if self.keep_color == "match" else styles

    def finish(self, painted: Image, source: Image) -> Image:
        """Return the painted picture with this look; for what is not run as a stylizer."""
        if self.keep_color == "luminance":
            painted = keep_luminance(painted, source)
        return blend(painted, source, strength=self.strength)
