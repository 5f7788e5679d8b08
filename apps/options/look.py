"""What is done to a painting whatever painted it: how strong it is, and whose colors it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from stylizer.effects.color import ColorMode, check_pictures
from stylizer.effects.strength import check_strength
from stylizer.errors import ConfigError
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
