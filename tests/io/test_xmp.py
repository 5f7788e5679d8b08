"""What of XMP and IPTC goes from a photo to its painting, in every format that can hold it."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import ExifTags, IptcImagePlugin, PngImagePlugin
from PIL import Image as pillow

from stylizer.io.image import image_size, read_image, read_metadata, write_image
from stylizer.io.xmp import keep_xmp
from tests.clips import picture

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC, TIFF, XMP = (
    f"{{http://{rest}}}"
    for rest in ("purl.org/dc/elements/1.1/", "ns.adobe.com/tiff/1.0/", "ns.adobe.com/xap/1.0/")
)
PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Toolkit">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"
    xmlns:xmpNote="http://ns.adobe.com/xmp/note/"
    tiff:Orientation="6" tiff:ImageWidth="64" tiff:Make="Maker" exif:PixelXDimension="64"
    xmp:Rating="4" xmpMM:DocumentID="uuid:1" xmpNote:HasExtendedXMP="AB" dc:format="image/jpeg">
   <dc:title><rdf:Alt>
    <rdf:li xml:lang="x-default">Andr\u00e9 &amp; the sea</rdf:li></rdf:Alt></dc:title>
   <tiff:Orientation>6</tiff:Orientation>
   <exif:PixelYDimension>48</exif:PixelYDimension>
   <GPano:CroppedAreaImageWidthPixels>64</GPano:CroppedAreaImageWidthPixels>
   <xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType="Resource">
     <xmpGImg:image>a thumbnail</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()
IPTC = {(1, 90): b"\x1b%G", (2, 5): b"The sea", (2, 25): [b"boat", b"sea"], (2, 202): b"a preview"}
LEFT = {key: value for key, value in IPTC.items() if key != (2, 202)}
KEEP_XMP = [".jpg", ".png", ".webp", ".tiff"]


def datasets(values: Mapping[tuple[int, int], Any]) -> bytes:
    """Write IPTC (IIM 4, 1.6)."""
    return b"".join(
        struct.pack(">BBBH", 0x1C, *key, len(value)) + value
        for key, given in values.items()
        for value in (given if isinstance(given, list) else [given])
    )


def photograph(path: Path, *, xmp: bytes = PACKET, iptc: bytes | None = None) -> Path:
    """Write a picture with XMP and, if it can have some, IPTC; it lies on its side."""
    options: dict[str, Any] = {"xmp": xmp}
    block = datasets(IPTC) if iptc is None else iptc
    if path.suffix == ".png":
        options = {"pnginfo": PngImagePlugin.PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode(errors="replace"))
    elif path.suffix == ".tiff":
        options = {"tiffinfo": {700: xmp, 33723: block, 274: 6}}
    elif path.suffix == ".jpg":
        body = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(block)) + block
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(body) + 2) + body
    pillow.fromarray(picture(5)).save(path, **options)
    return path


def xmp_of(path: Path) -> ElementTree.Element | None:
    """Return the description of a picture's XMP, by a reader of its own."""
    with pillow.open(path) as opened:
        opened.load()
        data = opened.info.get("xmp")
    return (
        None if not data else ElementTree.fromstring(data.strip(b"\0")).find(f".//{RDF}Description")
    )


def iptc_of(path: Path) -> Any:
    with pillow.open(path) as opened:
        return IptcImagePlugin.getiptcinfo(opened)


@pytest.mark.parametrize("suffix", KEEP_XMP)
@pytest.mark.parametrize("source", KEEP_XMP)
def test_xmp_goes_from_any_format_to_any_and_turns_nothing(
    tmp_path: Path, source: str, suffix: str
) -> None:
    photo, out = photograph(tmp_path / f"in{source}"), tmp_path / f"out{suffix}"
    painted = read_image(photo)
    assert painted.shape == (64, 48, 3)  # XMP's orientation counts where EXIF has none
    write_image(out, painted[:40], metadata=read_metadata(photo))
    found = xmp_of(out)
    assert found is not None
    title = found.find(f"{DC}title/{RDF}Alt/{RDF}li")
    assert title is not None
    assert title.text == "Andr\u00e9 & the sea"
    assert found.get(f"{TIFF}Make") == "Maker"
    assert found.get(f"{XMP}Rating") == "4"
    whole = ElementTree.tostring(found).decode()
    for word in ("Orientation", "Dimension", "ImageWidth", "thumbnail", "Cropped", "uuid", "jpeg"):
        assert word not in whole
    read = read_image(out)
    assert read.shape == (40, 48, 3)
    assert image_size(out) == (48, 40)
    assert np.abs(read.astype(int) - painted[:40]).mean() < 4
    with pillow.open(out) as opened:
        assert opened.getexif().get(ExifTags.Base.Orientation, 1) == 1


@pytest.mark.parametrize("suffix", [".jpg", ".tiff"])
@pytest.mark.parametrize("source", [".jpg", ".tiff"])
def test_iptc_goes_to_jpeg_and_tiff(tmp_path: Path, source: str, suffix: str) -> None:
    photo, out = photograph(tmp_path / f"in{source}"), tmp_path / f"out{suffix}"
    write_image(out, read_image(photo), metadata=read_metadata(photo))
    assert iptc_of(photo) == IPTC
    assert iptc_of(out) == LEFT
    assert b"a preview" not in out.read_bytes()


def test_a_phone_that_puts_several_pictures_into_one_jpeg(tmp_path: Path) -> None:
    photo, block = tmp_path / "in.jpg", datasets(LEFT)
    first, second = (pillow.fromarray(picture(number)) for number in (5, 6))
    first.save(photo, format="MPO", save_all=True, append_images=[second], xmp=PACKET)
    body = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(block)) + block
    segment = b"\xff\xed" + struct.pack(">H", len(body) + 2) + body
    photo.write_bytes(photo.read_bytes()[:2] + segment + photo.read_bytes()[2:])
    with pillow.open(photo) as opened:
        assert opened.format == "MPO"
    write_image(tmp_path / "out.jpg", picture(5), metadata=read_metadata(photo))
    assert xmp_of(tmp_path / "out.jpg") is not None
    assert iptc_of(tmp_path / "out.jpg") == LEFT


def test_iptc_of_a_tiff_in_words_of_four_bytes(tmp_path: Path) -> None:
    block = datasets(LEFT)  # as Photoshop writes it
    block += b"\0" * (-len(block) % 4)
    photo = tmp_path / "in.tiff"
    pillow.fromarray(picture(5)).save(photo, tiffinfo={33723: block})
    plain = struct.pack("<HHI", 33723, 7, len(block))
    words = struct.pack("<HHI", 33723, 4, len(block) // 4)
    photo.write_bytes(photo.read_bytes().replace(plain, words))
    assert words in photo.read_bytes()
    write_image(tmp_path / "out.jpg", picture(5), metadata=read_metadata(photo))
    assert iptc_of(tmp_path / "out.jpg") == LEFT


@pytest.mark.parametrize(
    ("suffix", "told"), [(".png", "IPTC"), (".webp", "IPTC"), (".bmp", "XMP and IPTC")]
)
def test_what_a_format_has_no_place_for_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str, told: str
) -> None:
    photo = photograph(tmp_path / "in.jpg")
    write_image(tmp_path / f"out{suffix}", picture(5), metadata=read_metadata(photo))
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"out{suffix}: {told} data are left out: a {suffix[1:].upper()} has no place" in line


def test_beside_exif_and_dpi(tmp_path: Path) -> None:
    exif = pillow.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    photo = photograph(tmp_path / "in.webp")
    with pillow.open(photo) as opened:
        opened.save(tmp_path / "in.jpg", exif=exif, xmp=PACKET, dpi=(300, 150))
    metadata = read_metadata(tmp_path / "in.jpg")
    for suffix in KEEP_XMP:
        write_image(tmp_path / f"out{suffix}", picture(5), metadata=metadata)
        assert xmp_of(tmp_path / f"out{suffix}") is not None
        with pillow.open(tmp_path / f"out{suffix}") as opened:
            assert opened.getexif()[ExifTags.Base.Make] == "Maker"


def test_xmp_after_the_pixels_of_a_png(tmp_path: Path) -> None:
    data = photograph(tmp_path / "in.png").read_bytes()
    begin = data.index(b"iTXt") - 4
    end = begin + 12 + struct.unpack(">I", data[begin : begin + 4])[0]
    last = data.index(b"IEND") - 4
    (tmp_path / "in.png").write_bytes(data[:begin] + data[end:last] + data[begin:end] + data[last:])
    write_image(tmp_path / "out.png", picture(5), metadata=read_metadata(tmp_path / "in.png"))
    assert xmp_of(tmp_path / "out.png") is not None


def test_too_much_for_a_jpeg_is_told_and_the_rest_is_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    long = PACKET.replace(b"the sea", b"the sea " * 10_000)
    photo = photograph(tmp_path / "in.png", xmp=long)
    write_image(tmp_path / "out.webp", picture(5), metadata=read_metadata(photo))
    assert caplog.text == ""
    write_image(tmp_path / "out.jpg", picture(5), metadata=read_metadata(photo))
    assert "out.jpg: XMP data cannot be written, and are left out: " in caplog.text
    assert xmp_of(tmp_path / "out.jpg") is None


@pytest.mark.parametrize(
    "xmp",
    [
        b"no XMP at all",
        PACKET[:900],
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + PACKET,
        b"<a>" * 100_000 + b"</a>" * 100_000,
        b"\xff\xfe" * 300,
        b"<a>" + b"x" * 5_000_000 + b"</a>",
    ],
)
def test_damaged_xmp_is_told(xmp: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        keep_xmp(xmp)


def test_xmp_nested_too_deep_is_damaged() -> None:
    deep = b"<rdf:li>" * 100_000 + b"</rdf:li>" * 100_000
    with pytest.raises(ValueError, match="nested too deep"):
        keep_xmp(PACKET.replace(b"<rdf:Alt>", deep + b"<rdf:Alt>", 1))


def test_nothing_is_kept_of_xmp_that_says_nothing_of_a_painting() -> None:
    begin, end = PACKET.index(b"<dc:title>"), PACKET.index(b"</dc:title>") + len(b"</dc:title>")
    empty = PACKET[:begin] + PACKET[end:]
    for word in (b'tiff:Make="Maker"', b'xmp:Rating="4"'):
        empty = empty.replace(word, b"")
    assert keep_xmp(empty) == b""


@pytest.mark.parametrize("suffix", [".jpg", ".tiff"])
def test_damaged_data_do_not_matter(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole, dice = photograph(tmp_path / f"in{suffix}").read_bytes(), random.Random(0)
    begin, bad = whole.index(b"<?xpacket"), tmp_path / f"bad{suffix}"
    block = whole.index(datasets(IPTC))
    for number in range(60):
        data = bytearray(whole)
        for _ in range(dice.choice((1, 3, 20))):
            data[begin + dice.randrange(len(PACKET))] = dice.randrange(256)
            data[block + dice.randrange(len(datasets(IPTC)))] = dice.randrange(256)
        bad.write_bytes(data)
        write_image(tmp_path / f"{number}{suffix}", read_image(bad), metadata=read_metadata(bad))
        assert read_image(tmp_path / f"{number}{suffix}").size
    assert "its XMP data are damaged, and are not kept" in caplog.text
