"""Parts of the picture that have styles of their own: ``person=starry_night``, ``mask:sky.png=x``.

Parts lie over each other: the person or the background below, then the others in the order in which
they are first named. What no part covers is painted after the styles without one; where there are
none, it stays the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from stylizer.errors import StyleError

__all__ = ["PARTS", "check_part", "covers_all", "group_styles", "mask_path", "split_part"]

PARTS = ("person", "background", "face", "hair", "skin")
"""Parts that are found; ``mask:FILE`` is one that a picture or a video of masks says."""

_MASK = "mask:"


class _InPart(Protocol):
    @property
    def region(self) -> str | None: ...


StyleT = TypeVar("StyleT", bound=_InPart)


def split_part(text: str) -> tuple[str | None, str]:
    """Return the part that a style is for, and the style's own text.

    Args:
      text: ``part=style``, or a style for all that is left: then the part is None. What exists as
        a file by the whole text is a style.
    """
    part, sign, style = text.partition("=")
    known = part in PARTS or part.startswith(_MASK)
    return (part, style) if sign and known and not Path(text).is_file() else (None, text)


def check_part(part: str | None) -> None:
    """Make sure that there is such a part of a picture.

    Raises:
      StyleError: there is not.
    """
    if part is not None and part not in PARTS and not part.removeprefix(_MASK):
        raise StyleError("style: expected a file after mask:, as in mask:sky.png=starry_night")
    if part is not None and part not in PARTS and not part.startswith(_MASK):
        raise StyleError(f"region: expected one of {', '.join(PARTS)}, or mask:FILE, got {part!r}")


def mask_path(part: str) -> Path | None:
    """Return the file of a part that a mask says; None for another part."""
    return Path(part.removeprefix(_MASK)) if part.startswith(_MASK) else None


def covers_all(parts: Iterable[str | None]) -> bool:
    """Whether parts leave nothing of the picture: person and background are all there is."""
    return {"person", "background"} <= {*parts}


def group_styles(styles: Iterable[StyleT]) -> Mapping[str | None, tuple[StyleT, ...]]:
    """Return the styles by the parts that they are for, from the lowest part to the highest.

    Those of all that is left come last, under None.

    Raises:
      StyleError: only what both person and background leave, which is nothing, would have a style
        without a part.
    """
    found: dict[str | None, list[StyleT]] = {}
    for style in styles:
        found.setdefault(style.region, []).append(style)
    if covers_all(found) and None in found:
        raise StyleError(
            f"styles: expected one for person and one for background, which is all there is, got "
            f"{len(found[None])} more without a part; leave one of them out"
        )
    order: list[str | None] = [part for part in ("background", "person") if part in found]
    order += [part for part in found if part not in (*order, None)]
    return {part: tuple(found[part]) for part in (*order, *((None,) if None in found else ()))}
