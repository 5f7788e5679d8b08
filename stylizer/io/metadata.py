"""What a picture's file says beside its pixels: EXIF, XMP and IPTC, and its resolution.

A painting gets them from its photo. What would be wrong of it stays behind: the thumbnail, the
orientation, the color space, places in pixels, and a camera's own notes (MakerNote), which point to
where they lie in the file. IPTC has a place in JPEG and TIFF alone.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import ExifTags, IptcImagePlugin, PngImagePlugin
from PIL import Image as pillow

from stylizer.io.xmp import keep_xmp

__all__ = ["BROKEN", "Metadata", "orientation", "take_metadata"]

BROKEN = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, AttributeError),
    *(LookupError, ArithmeticError, struct.error),
)
"""What Pillow raises on data that are damaged."""

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
_XMP_HEAD = len(b"http://ns.adobe.com/xap/1.0/\0")
_XMP_IN_PNG, _XMP_IN_TIFF = "XML:com.adobe.xmp", 700

_IPTC_ENVELOPE, _IPTC_APPLICATION = 1, 2
_IPTC_DROPPED = frozenset({130, 131, *range(150, 155), *range(200, 203)})
"""Datasets of the application record: kind and orientation of the picture, sound, previews."""

_IPTC_IN_TIFF = ExifTags.Base.IPTCNAA


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
      xmp: an XMP packet in UTF-8, see `stylizer.io.xmp`; empty where there is none.
      iptc: datasets of IPTC (IIM 4); empty where there are none.
    """

    picture: Mapping[int, Any] = field(default_factory=dict)
    photo: Mapping[int, Any] = field(default_factory=dict)
    place: Mapping[int, Any] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    xmp: bytes = b""
    iptc: bytes = b""

    def options(
        self, kind: str, size: tuple[int, int]
    ) -> tuple[dict[str, Any], dict[str, Exception | None]]:
        """Return what Pillow's ``save`` takes, to write this into a file.

        Args:
          kind: Pillow's name of the format; of BMP, only the resolution is written.
          size: (width, height) of the painting, in pixels.

        Returns:
          The options; and by its name (EXIF, XMP, IPTC) what is left out, and why: None where the
          format has no place for it.
        """
        found: dict[str, Any] = {} if self.dpi is None else {"dpi": self.dpi}
        left_out: dict[str, Exception | None] = {}
        said = bool(self.picture or self.photo or self.place)
        ways = {
            "EXIF": (said or (self.dpi and kind == "WEBP"), self._exif_options),
            "XMP": (self.xmp, self._xmp_options),
            "IPTC": (self.iptc, self._iptc_options),
        }
        for name, (wanted, way) in ways.items():
            if not wanted:
                continue
            try:
                more = way(kind, size, found)
            except BROKEN as error:
                left_out[name] = error
                continue
            found |= more
            if not more:
                left_out[name] = None
        if kind == "TIFF" and "exif" in found:
            found["compression"] = "raw"  # libtiff, which compresses, writes no directories
        return found, left_out

    def _exif_options(
        self, kind: str, size: tuple[int, int], found: Mapping[str, Any]
    ) -> dict[str, Any]:
        if kind == "BMP":
            return {}
        exif = self._exif(size, said=bool(self.picture or self.photo or self.place))
        length = len(exif.tobytes())
        if kind == "JPEG":
            _check_length(length)
        return {"exif": exif}

    def _xmp_options(
        self, kind: str, size: tuple[int, int], found: Mapping[str, Any]
    ) -> dict[str, Any]:
        if kind == "JPEG":
            _check_length(len(self.xmp) + _XMP_HEAD)
        if kind in {"JPEG", "WEBP"}:
            return {"xmp": self.xmp}
        if kind == "PNG":
            chunks = PngImagePlugin.PngInfo()
            chunks.add_itxt(_XMP_IN_PNG, self.xmp.decode())
            return {"pnginfo": chunks}
        return _with_tag(found, _XMP_IN_TIFF, self.xmp) if kind == "TIFF" else {}

    def _iptc_options(
        self, kind: str, size: tuple[int, int], found: Mapping[str, Any]
    ) -> dict[str, Any]:
        if kind == "JPEG":
            return {"extra": _photoshop_segment(self.iptc)}
        return _with_tag(found, _IPTC_IN_TIFF, self.iptc) if kind == "TIFF" else {}

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


def take_metadata(opened: pillow.Image) -> tuple[Metadata, dict[str, Exception]]:
    """Return what the file of an open picture says; a PNG is decoded where it has such data.

    Returns:
      What can be read, and by its name (EXIF, XMP, IPTC) what is damaged.
    """
    damaged: dict[str, Exception] = {}
    exif, tags, xmp, iptc = pillow.Exif(), Metadata(), b"", b""
    says_exif = _complete(opened)
    try:
        if says_exif:
            exif = opened.getexif()
            tags = Metadata(
                picture={tag: value for tag, value in exif.items() if tag in _KEPT},
                photo={
                    tag: value
                    for tag, value in exif.get_ifd(ExifTags.IFD.Exif).items()
                    if tag not in _DROPPED
                },
                place=dict(exif.get_ifd(ExifTags.IFD.GPSInfo)),
            )
    except BROKEN as error:
        damaged["EXIF"], exif = error, pillow.Exif()
    try:
        given = opened.info.get("xmp") or b""
        xmp = keep_xmp(given.encode() if isinstance(given, str) else bytes(given)) if given else b""
    except BROKEN as error:
        damaged["XMP"] = error
    try:
        iptc = _take_iptc(opened)
    except BROKEN as error:
        damaged["IPTC"] = error
    return replace(tags, dpi=_dpi(opened, exif), xmp=xmp, iptc=iptc), damaged


def _complete(opened: pillow.Image) -> bool:
    """Read what a PNG says after its pixels; return whether a picture may have EXIF data."""
    if opened.format != "PNG":
        return True
    content = Path(getattr(opened, "filename", "")).read_bytes()
    exif = b"eXIf" in content or bool({"exif", "Raw profile type exif"} & set(opened.info))
    if exif or (_XMP_IN_PNG.encode() in content and "xmp" not in opened.info):
        opened.load()
    return exif


def _take_iptc(opened: pillow.Image) -> bytes:
    """Return the IPTC datasets that hold for a painting: of TIFF, JPEG, and JPEGs in one (MPO)."""
    if opened.format not in {"JPEG", "MPO", "TIFF"}:
        return b""
    found: Mapping[Any, Any] = IptcImagePlugin.getiptcinfo(opened) or {}  # type: ignore[arg-type]
    datasets = []
    for (record, number), given in found.items():
        if record not in {_IPTC_ENVELOPE, _IPTC_APPLICATION}:
            continue
        if record == _IPTC_APPLICATION and number in _IPTC_DROPPED:
            continue
        for value in given if isinstance(given, list) else [given]:
            if value and len(value) < 0x8000:
                datasets.append(struct.pack(">BBBH", 0x1C, record, number, len(value)) + value)
    return b"".join(datasets)


def _photoshop_segment(iptc: bytes) -> bytes:
    """Return a JPEG's segment that holds IPTC datasets, as Photoshop writes it (APP13, 8BIM)."""
    block = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    content = b"Photoshop 3.0\0" + block
    _check_length(len(content))
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


def _check_length(length: int) -> None:
    if length > _LONGEST_IN_JPEG:
        raise ValueError(f"{length} bytes, where a JPEG holds {_LONGEST_IN_JPEG}")


def _with_tag(found: Mapping[str, Any], tag: int, value: bytes) -> dict[str, Any]:
    """Return the option that writes a tag into a TIFF's first directory, beside others."""
    exif = found.get("exif", pillow.Exif())
    exif[tag] = value
    return {"exif": exif}


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
