from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags
from PIL import Image as pillow

from stylizer.frame import Frame
from stylizer.io.image import IMAGE_SUFFIXES, image_size, read_image, read_metadata, write_image
from stylizer.io.sinks.folder_writer import FolderWriter
from tests.clips import picture

PLACE = {1: "N", 2: (48.0, 30.0, 1.5), 3: "W", 4: (4.0, 29.0, 2.25), 5: b"\0", 6: 35.5}
PHOTO = {
    ExifTags.Base.DateTimeOriginal: "2024:05:06 07:08:09",
    ExifTags.Base.ExposureTime: 0.02,
    ExifTags.Base.ExposureBiasValue: -0.5,
    ExifTags.Base.CameraOwnerName: "Jos\u00e9",
}
PICTURE = {
    ExifTags.Base.Make: "Maker",
    ExifTags.Base.Model: "Model 7",
    ExifTags.Base.DateTime: "2024:05:06 07:08:10",
    ExifTags.Base.Artist: "Andr\u00e9",
}
KEEPS = sorted(IMAGE_SUFFIXES - {".bmp"})


class _Latin(str):
    """Text that Pillow is not to write as ASCII."""

    __slots__ = ()

    def encode(self, encoding: str = "latin-1", errors: str = "strict") -> bytes:
        return super().encode("latin-1")


def photograph(path: Path, *, orientation: int = 6, text: str = "") -> Path:
    """Write a picture as a phone does, which lies on its side, with all that it says."""
    exif = pillow.Exif()
    exif.update({tag: _Latin(value) for tag, value in PICTURE.items()})
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.ImageDescription] = text or "a boat"
    for number, tags in ((ExifTags.IFD.Exif, PHOTO), (ExifTags.IFD.GPSInfo, PLACE)):
        directory = exif.get_ifd(number)
        directory.update({k: _Latin(v) if isinstance(v, str) else v for k, v in tags.items()})
        exif[number] = directory
    exif[ExifTags.IFD.Exif] |= {
        ExifTags.Base.ExifImageWidth: 64,
        ExifTags.Base.ExifImageHeight: 48,
        ExifTags.Base.ColorSpace: 65535,
        ExifTags.Base.MakerNote: b"private" * 9,
    }
    pillow.fromarray(picture(5)).save(path, exif=exif, dpi=(300, 150))
    return path


def said(path: Path) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    with pillow.open(path) as opened:
        exif = opened.getexif()
        return (
            dict(exif),
            dict(exif.get_ifd(ExifTags.IFD.Exif)),
            dict(exif.get_ifd(ExifTags.IFD.GPSInfo)),
        )


@pytest.mark.parametrize("suffix", KEEPS)
@pytest.mark.parametrize("source", [".jpg", ".png", ".webp", ".tiff"])
def test_a_painting_says_what_its_photo_says(tmp_path: Path, source: str, suffix: str) -> None:
    photo, out = photograph(tmp_path / f"in{source}"), tmp_path / f"out{suffix}"
    painted = read_image(photo)
    assert painted.shape == (64, 48, 3)
    assert image_size(photo) == (48, 64)
    write_image(out, painted[:32, :24], metadata=read_metadata(photo))
    about, photo_tags, place = said(out)
    assert {tag: about[tag] for tag in PICTURE} == PICTURE
    assert about[ExifTags.Base.Orientation] == 1
    assert about[ExifTags.Base.ImageDescription] == "a boat"
    assert {tag: photo_tags[tag] for tag in PHOTO} == PHOTO
    assert photo_tags[ExifTags.Base.ExifImageWidth] == 24
    assert photo_tags[ExifTags.Base.ExifImageHeight] == 32
    assert photo_tags[ExifTags.Base.ColorSpace] == 1
    assert ExifTags.Base.MakerNote not in photo_tags
    assert place == PLACE
    read = read_image(out)
    assert read.shape == (32, 24, 3)
    assert np.abs(read.astype(int) - painted[:32, :24]).mean() < 4


@pytest.mark.parametrize("suffix", sorted({*IMAGE_SUFFIXES} - {".webp"}))
def test_the_resolution_is_kept(tmp_path: Path, suffix: str) -> None:
    pillow.fromarray(picture(5)).save(tmp_path / "in.png", dpi=(300, 150))
    write_image(tmp_path / f"out{suffix}", picture(5), metadata=read_metadata(tmp_path / "in.png"))
    with pillow.open(tmp_path / f"out{suffix}") as opened:
        assert opened.info["dpi"] == pytest.approx((300, 150), abs=0.1)
        assert ExifTags.Base.Make not in opened.getexif()


def test_webp_says_its_resolution_in_exif(tmp_path: Path) -> None:
    pillow.fromarray(picture(5)).save(tmp_path / "in.tiff", dpi=(300, 150))
    write_image(tmp_path / "a.webp", picture(5), metadata=read_metadata(tmp_path / "in.tiff"))
    write_image(tmp_path / "b.jpg", picture(5), metadata=read_metadata(tmp_path / "a.webp"))
    with pillow.open(tmp_path / "b.jpg") as opened:
        assert opened.info["dpi"] == (300, 150)


def test_no_thumbnail_of_the_photo_is_left(tmp_path: Path) -> None:
    photo = photograph(tmp_path / "in.jpg")
    thumbnail = b"\xff\xd8a thumbnail\xff\xd9"
    with pillow.open(photo) as opened:
        block = opened.getexif().tobytes()[6:]
    # a second directory, appended, to which the first one points (EXIF 2.3, 4.5.8)
    order = "<" if block[:2] == b"II" else ">"
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    end = start + 2 + 12 * struct.unpack_from(f"{order}H", block, start)[0]
    at = len(block)
    second = struct.pack(
        f"{order}HHHIIHHIII",
        *(2, 0x0201, 4, 1, at + 30, 0x0202, 4, 1, len(thumbnail), 0),
    )
    pointer = struct.pack(f"{order}I", at)
    whole = block[:end] + pointer + block[end + 4 :] + second + thumbnail
    pillow.fromarray(picture(5)).save(photo, exif=b"Exif\0\0" + whole)
    with pillow.open(photo) as opened:
        assert opened.getexif().get_ifd(ExifTags.IFD.IFD1)[0x0202] == len(thumbnail)
    write_image(tmp_path / "out.jpg", picture(5), metadata=read_metadata(photo))
    assert said(tmp_path / "out.jpg")[2] == PLACE
    assert b"a thumbnail" not in (tmp_path / "out.jpg").read_bytes()


def test_a_picture_that_says_nothing(tmp_path: Path) -> None:
    write_image(tmp_path / "in.png", picture(5))
    write_image(tmp_path / "a.png", picture(5), metadata=read_metadata(tmp_path / "in.png"))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "in.png").read_bytes()


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_damaged_exif_data_do_not_matter(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole, dice = photograph(tmp_path / f"in{suffix}").read_bytes(), random.Random(0)
    begin, bad = whole.index(b"MM\0*"), tmp_path / f"bad{suffix}"
    for number in range(80):
        data = bytearray(whole)
        for _ in range(dice.choice((1, 3, 20))):
            data[begin + dice.randrange(300)] = dice.randrange(256)
        bad.write_bytes(data)
        image, metadata = read_image(bad), read_metadata(bad)
        write_image(tmp_path / f"{number}{suffix}", image, metadata=metadata)
    assert "EXIF data are damaged" in caplog.text


def test_what_a_jpeg_cannot_hold_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photo = photograph(tmp_path / "in.png", text="long " * 20_000)
    write_image(tmp_path / "out.jpg", picture(5), metadata=read_metadata(photo))
    assert "out.jpg: EXIF data cannot be written" in caplog.text
    assert said(tmp_path / "out.jpg") == ({}, {}, {})


def test_what_is_gone_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_metadata(tmp_path / "none.jpg") is None
    assert "are not kept" in caplog.text


def test_a_folder_writer_keeps_what_the_originals_say(tmp_path: Path) -> None:
    photo = photograph(tmp_path / "a.jpg")
    frame = Frame(read_image(photo), 0, 0.0)
    with FolderWriter(tmp_path / "kept", names=["a.jpg"], originals=[photo]) as writer:
        writer.write(frame)
    assert said(tmp_path / "kept" / "a.jpg")[2] == PLACE
    with FolderWriter(tmp_path / "not", names=["a.jpg"]) as writer:
        writer.write(frame)
    assert said(tmp_path / "not" / "a.jpg") == ({}, {}, {})
