"""What a picture's file says beside its pixels: camera, date and place (EXIF), and resolution.

A painting gets them from its photo. What would be wrong of it stays behind: the thumbnail, the
orientation, the color space, places in pixels, and a camera's own notes (MakerNote), which point to
where they lie in the file.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import ExifTags
from PIL import Image as pillow

__all__ = ["BROKEN", "Metadata", "orientation", "take_metadata"]

BROKEN = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, AttributeError),
    *(LookupError, ArithmeticError, struct.error),
)
"""What Pillow raises on EXIF data that are damaged."""

_Tag = ExifTags.Base
_SUBJECT_AREA, _PADDING = 0x9214, 0xEA1C  # which Pillow does not name
_KEPT = frozenset(
    (
        *(_Tag.ImageDescription, _Tag.Make, _Tag.Model, _Tag.Software, _Tag.DateTime, _Tag.Artist),
        *(_Tag.HostComputer, _Tag.Copyright, _Tag.Rating, _Tag.RatingPercent, _Tag.XPTitle),
        *(_Tag.XPComment, _Tag.XPAuthor, _Tag.XPKeywords, _Tag.XPSubject),
    )
)
"""Tags of the picture itself; those of a TIFF say besides how its pixels lie."""

_DROPPED = frozenset(
    (
        *(_Tag.MakerNote, _SUBJECT_AREA, _Tag.SubjectLocation, _Tag.ExifInteroperabilityOffset),
        *(_Tag.ExifImageWidth, _Tag.ExifImageHeight, _Tag.ColorSpace, _PADDING),
    )
)
"""Tags of the photo that do not hold for a painting."""

_INCH, _CENTIMETER = 2, 3
_SRGB = 1
_LONGEST_IN_JPEG = 65_533


class _Text(str):
    """Text of EXIF, which Pillow reads as Latin-1, and would write as ASCII."""

    __slots__ = ()

    def encode(self, encoding: str = "latin-1", errors: str = "strict") -> bytes:
        return super().encode("latin-1", errors)


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What goes from a photo to its painting.

    Attributes:
      picture: tags of EXIF's first directory, by number: camera, date, author.
      photo: tags of its directory of the photo: exposure, lens, time.
      place: tags of its GPS directory.
      dpi: pixels an inch, across and down, each 1 to 65535; None where the file says nothing.
    """

    picture: Mapping[int, Any] = field(default_factory=dict)
    photo: Mapping[int, Any] = field(default_factory=dict)
    place: Mapping[int, Any] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None

    def options(self, kind: str, size: tuple[int, int]) -> dict[str, Any]:
        """Return what Pillow's ``save`` takes, to write this into a file.

        Args:
          kind: Pillow's name of the format; of BMP, only the resolution is written.
          size: (width, height) of the painting, in pixels.

        Raises:
          ValueError: a value cannot be written (or another of `BROKEN`), or all is too long.
        """
        found: dict[str, Any] = {} if self.dpi is None else {"dpi": self.dpi}
        said = bool(self.picture or self.photo or self.place)
        if kind == "BMP" or not (said or (self.dpi and kind == "WEBP")):
            return found
        exif = self._exif(size, said=said)
        length = len(exif.tobytes())
        if kind == "JPEG" and length > _LONGEST_IN_JPEG:
            raise ValueError(f"{length} bytes, where a JPEG holds {_LONGEST_IN_JPEG}")
        if kind == "TIFF":
            found["compression"] = "raw"  # libtiff, which compresses, writes no directories
        return found | {"exif": exif}

    def _exif(self, size: tuple[int, int], *, said: bool) -> pillow.Exif:
        exif = pillow.Exif()
        exif.update({**_as_text(self.picture), _Tag.Orientation: 1})
        if self.dpi is not None:
            across, down = self.dpi
            exif.update({_Tag.XResolution: across, _Tag.YResolution: down})
            exif[_Tag.ResolutionUnit] = _INCH
        width, height = size
        photo: dict[int, Any] = dict(self.photo)
        if said:
            photo |= {_Tag.ExifImageWidth: width, _Tag.ExifImageHeight: height}
            photo[_Tag.ColorSpace] = _SRGB
        for number, tags in ((ExifTags.IFD.Exif, photo), (ExifTags.IFD.GPSInfo, self.place)):
            if tags:
                directory = exif.get_ifd(number)
                directory.update(_as_text(tags))
                exif[number] = directory
        return exif


def orientation(opened: pillow.Image) -> int | None:
    """Return a picture's EXIF orientation, 1 to 8; 1 where it has none.

    Returns:
      None where the EXIF data are damaged.
    """
    try:
        found = opened.getexif().get(_Tag.Orientation, 1)
    except BROKEN:
        return None
    return found if found in range(1, 9) else 1


def take_metadata(opened: pillow.Image) -> Metadata:
    """Return what the file of an open picture says; a PNG is decoded where it has EXIF data.

    Raises:
      ValueError: the EXIF data are damaged (or another of `BROKEN`).
    """
    if _lacks_exif(opened):
        return Metadata(dpi=_dpi(opened, {}))
    exif = opened.getexif()
    photo = exif.get_ifd(ExifTags.IFD.Exif)
    return Metadata(
        picture={tag: value for tag, value in exif.items() if tag in _KEPT},
        photo={tag: value for tag, value in photo.items() if tag not in _DROPPED},
        place=dict(exif.get_ifd(ExifTags.IFD.GPSInfo)),
        dpi=_dpi(opened, exif),
    )


def _lacks_exif(opened: pillow.Image) -> bool:
    """Whether a PNG has none, neither here nor after its pixels."""
    if opened.format != "PNG" or {"exif", "Raw profile type exif"} & set(opened.info):
        return False
    return b"eXIf" not in Path(getattr(opened, "filename", "")).read_bytes()


def _dpi(opened: pillow.Image, exif: Mapping[int, Any]) -> tuple[float, float] | None:
    given = opened.info.get("dpi")
    if given is None and _Tag.XResolution in exif and _Tag.YResolution in exif:
        inches = {_INCH: 1.0, _CENTIMETER: 2.54}.get(exif.get(_Tag.ResolutionUnit, _INCH), 0.0)
        given = [inches * exif[tag] for tag in (_Tag.XResolution, _Tag.YResolution)]
    try:
        across, down = map(float, given or ())
    except BROKEN:
        return None
    fits = all(math.isfinite(one) and 1 <= one <= 65_535 for one in (across, down))
    return (across, down) if fits else None


def _as_text(tags: Mapping[int, Any]) -> dict[int, Any]:
    return {tag: _Text(one) if isinstance(one, str) else one for tag, one in tags.items()}
