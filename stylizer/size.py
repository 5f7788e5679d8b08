"""Sizes as users write them: a short side in pixels, or WIDTHxHEIGHT."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stylizer.errors import ConfigError

__all__ = ["MAX_SIDE", "Size"]

MAX_SIDE = 16384
"""The longest side accepted, in pixels: a larger one is a mistake or an image bomb."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """Either a short side (the aspect ratio is kept) or an exact width and height.

    Attributes:
      short_side: pixels, or None.
      exact: (width, height) in pixels, or None.
    """

    short_side: int | None = None
    exact: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Check that exactly one of the two is set, within 1..`MAX_SIDE`."""
        if (self.short_side is None) == (self.exact is None):
            raise ConfigError("size: expected a short side or a width and height, got both or none")
        sides = (self.short_side,) if self.exact is None else self.exact
        if not all(side is not None and 1 <= side <= MAX_SIDE for side in sides):
            got = "x".join(map(str, sides))
            raise ConfigError(f"size: expected 1..{MAX_SIDE} pixels a side, got {got}")

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read ``"480"`` (short side) or ``"640x360"`` (width x height)."""
        match = re.fullmatch(r"\s*(\d{1,6})(?:\s*[xX]\s*(\d{1,6}))?\s*", text)
        if match is None:
            raise ConfigError(f"size: expected '480' (short side) or '640x360', got {text!r}")
        if match[2] is None:
            return cls(short_side=int(match[1]))
        return cls(exact=(int(match[1]), int(match[2])))

    def fit(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the (width, height) that a picture of ``size`` (width, height) comes out with."""
        if self.exact is not None:
            return self.exact
        if self.short_side is None:
            raise ConfigError("size: neither a short side nor an exact size is set")
        width, height = size
        scale = self.short_side / min(width, height)
        return max(1, round(width * scale)), max(1, round(height * scale))
