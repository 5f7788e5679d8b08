from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as pillow

from stylizer.errors import ConfigError, SinkError, SourceError
from stylizer.frame import Image
from stylizer.io.image import (
    IMAGE_SUFFIXES,
    image_size,
    read_image,
    read_image_and_alpha,
    write_image,
)
from tests.clips import COLORS, corner_colors, picture, read_number


def _png_header(path: Path, width: int, height: int) -> Path:
    """Write a PNG that claims a size and holds next to nothing: an image bomb's shell."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    image = picture(37)
    write_image(path, image)
    assert image_size(path) == (64, 48)
    read = read_image(path)
    assert read.dtype == np.uint8
    assert read.flags.c_contiguous
    if suffix in {".jpg", ".jpeg", ".webp"}:
        assert np.abs(corner_colors(read) - COLORS).max() < 12
    else:
        np.testing.assert_array_equal(read, image)
    # OpenCV, which had no part in it, sees the same picture (in its BGR).
    other = cv2.imread(str(path))
    assert other is not None
    np.testing.assert_allclose(other[..., ::-1], read, atol=3)


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_one_pixel(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, np.full((1, 1, 3), (200, 100, 50), np.uint8))
    np.testing.assert_allclose(read_image(path)[0, 0], (200, 100, 50), atol=4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path: Path, orientation: int) -> None:
    # Stored so that the orientation of that number (EXIF 2.3, 4.6.4) sets the picture upright.
    upright = picture(5)
    ways: dict[int, Callable[[Image], Image]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a.transpose(1, 0, 2), 2),
        8: lambda a: np.rot90(a, -1),
    }
    exif = pillow.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.png"
    pillow.fromarray(np.ascontiguousarray(ways[orientation](upright))).save(path, exif=exif)
    np.testing.assert_array_equal(read_image(path), upright)
    assert image_size(path) == (64, 48)


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[0, :, 3] = (0, 128, 255)
    pillow.fromarray(rgba).save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(read[1], np.full((3, 3), 255))
    np.testing.assert_allclose(read[0], [(255, 255, 255), (227, 127, 127), (200, 0, 0)], atol=1)


def test_a_palette_with_transparency(tmp_path: Path) -> None:
    indexed = pillow.new("P", (2, 1))
    indexed.putpalette([255, 0, 0, 0, 255, 0])
    indexed.putpixel((1, 0), 1)
    indexed.save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), [[(255, 255, 255), (0, 255, 0)]])


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_and_gray(tmp_path: Path, suffix: str) -> None:
    gray = np.array([[0, 257, 128 * 257, 65535]], np.uint16)
    path = tmp_path / f"a{suffix}"
    assert cv2.imwrite(str(path), gray)
    np.testing.assert_array_equal(read_image(path)[0], [(v,) * 3 for v in (0, 1, 128, 255)])
    assert cv2.imwrite(str(path), (gray // 257).astype(np.uint8))
    np.testing.assert_array_equal(read_image(path)[0], [(v,) * 3 for v in (0, 1, 128, 255)])


def test_sixteen_bit_colors(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    bgr = picture(9).astype(np.uint16)[..., ::-1] * 257
    assert cv2.imwrite(str(path), bgr)
    np.testing.assert_allclose(read_image(path), picture(9), atol=1)


def _profile(primaries: tuple[tuple[float, float, float], ...], *, gamma: float = 2.2) -> bytes:
    """Return an ICC profile (version 2) of these primaries, in XYZ seen by D50; gray of none."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)
    name = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"p\0" + bytes(78)
    tags = {b"desc": name, b"wtpt": xyz(0.9642, 1, 0.8249)}
    for color, primary in zip(b"rgb", primaries, strict=False):
        tags |= {b"%cXYZ" % color: xyz(*primary), b"%cTRC" % color: curve}
    tags |= {} if primaries else {b"kTRC": curve}
    offset, table, data = 132 + 12 * len(tags), b"", b""
    for key, value in tags.items():
        padded = value + bytes(-len(value) % 4)
        table += key + struct.pack(">II", offset + len(data), len(padded))
        data += padded
    head = struct.pack(">I4sI", offset + len(data), b"none", 0x02100000)
    head += b"mntr" + (b"RGB " if primaries else b"GRAY") + b"XYZ "
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + data


P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


TO_SRGB = ((3.1339, -1.6169, -0.4906), (-0.9788, 1.9161, 0.0335), (0.0719, -0.2290, 1.4052))
"""From XYZ seen by D50 (Lindbloom, RGB/XYZ matrices)."""


@pytest.mark.parametrize("primaries", [P3, ADOBE])
@pytest.mark.parametrize("stored", [(0, 200, 60), (200, 120, 100), (128, 128, 128), (255, 0, 0)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_color_profile_is_applied(
    tmp_path: Path,
    primaries: tuple[tuple[float, float, float], ...],
    stored: tuple[int, int, int],
    mode: str,
) -> None:
    path = tmp_path / "a.png"
    image = pillow.new("RGB", (8, 8), stored)
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    if mode == "RGBA":
        image.putpixel((0, 0), (*stored, 0))
    image.save(path, icc_profile=_profile(primaries))
    light = np.array(TO_SRGB) @ np.array(primaries).T @ (np.array(stored) / 255) ** 2.2
    light = np.clip(light, 0, 1)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    read = read_image(path)
    assert np.abs(read[4, 4] - 255 * coded).max() <= 3
    if mode == "RGBA":
        assert read[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_profile_of_gray_is_applied_with_transparency_too(tmp_path: Path, mode: str) -> None:
    path, image = tmp_path / "a.png", pillow.new("L", (8, 8), 55)
    if mode == "LA":
        image.putalpha(200)
    image.save(path, icc_profile=_profile((), gamma=1.0))
    gray = 255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055)  # 55 is as bright as this in sRGB
    share = 200 / 255 if mode == "LA" else 1
    assert np.abs(read_image(path)[4, 4] - (share * gray + 255 * (1 - share))).max() <= 2


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff", ".avif"])
def test_what_is_not_read_of_an_animation_is_told(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / f"a{suffix}"
    first, second = (pillow.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 255))
    first.save(path, save_all=True, append_images=[second])
    assert read_image(path).max() == 0
    assert "holds several pictures: the first one is read" in caplog.text


def test_a_link_to_itself_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    try:
        path.symlink_to(path)
    except OSError:
        pytest.skip("links cannot be made here")
    with pytest.raises(SourceError, match="a link that leads back to itself"):
        read_image(path)


def test_a_broken_profile_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.png"
    pillow.new("RGB", (8, 8), (10, 20, 30)).save(path, icc_profile=b"broken")
    assert read_image(path)[4, 4].tolist() == [10, 20, 30]
    assert "color profile" in caplog.text


def test_transparency_is_written_and_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    image = np.full((4, 6, 3), 200, np.uint8)
    alpha = np.zeros((4, 6), np.uint8)
    alpha[1:3] = 255
    for suffix in (".png", ".webp", ".tiff"):
        write_image(tmp_path / f"a{suffix}", image, alpha=alpha)
        read, opacity = read_image_and_alpha(tmp_path / f"a{suffix}")
        assert opacity is not None
        np.testing.assert_array_equal(opacity, alpha)
        assert read[0].min() == 255
    assert caplog.text == ""
    write_image(tmp_path / "a.jpg", image, alpha=alpha)
    assert "painted on white" in caplog.text


def test_cmyk(tmp_path: Path) -> None:
    pillow.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg")[0, 0], (254, 0, 0), atol=6)


def test_missing_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such picture"):
        read_image(tmp_path / "a.png")
    (tmp_path / "b.png").touch()
    with pytest.raises(SourceError, match="empty"):
        read_image(tmp_path / "b.png")
    with pytest.raises(SourceError, match="folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("data", [b"hello, world\n" * 9, b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x89PNG"])
def test_no_picture(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.png: not a picture"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_truncated(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    whole, half = tmp_path / f"whole{suffix}", tmp_path / f"half{suffix}"
    write_image(whole, noise)
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(SourceError, match=r"half"):
        read_image(half)


@pytest.mark.parametrize(("width", "height"), [(20_000, 100), (100, 20_000), (16_000, 16_000)])
def test_too_large_is_told_from_the_header(tmp_path: Path, width: int, height: int) -> None:
    path = _png_header(tmp_path / "a.png", width, height)  # decoding it would say "truncated"
    with pytest.raises(SourceError, match=r"too large|more than \d+ pixels"):
        read_image(path)
    with pytest.raises(SourceError, match=r"too large|more than \d+ pixels"):
        image_size(path)


def test_a_bomb_of_pixels(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="pixels"):
        read_image(_png_header(tmp_path / "a.png", 2_000_000_000, 2_000_000_000))


def test_a_large_picture_within_the_bound_is_decoded_without_a_warning(tmp_path: Path) -> None:
    path = _png_header(tmp_path / "a.png", 10_000, 10_000)  # Pillow warns from 89 million pixels
    with pytest.raises(SourceError, match="truncated"):
        read_image(path)


def test_a_phones_jpeg_with_a_second_picture_in_it(tmp_path: Path) -> None:
    first, second = (pillow.fromarray(picture(number)) for number in (1, 2))
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second], quality=95)
    assert read_number(read_image(tmp_path / "a.jpg")) == 1


def test_max_side(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture(0))
    assert read_image(tmp_path / "a.png", max_side=64).shape == (48, 64, 3)
    with pytest.raises(SourceError, match="at most 63 pixels"):
        read_image(tmp_path / "a.png", max_side=63)


def test_writing_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_image(path, picture(1))
    with pytest.raises(SinkError, match="exists"):
        write_image(path, picture(2))
    np.testing.assert_array_equal(read_image(path), picture(1))
    write_image(path, picture(2), overwrite=True)
    np.testing.assert_array_equal(read_image(path), picture(2))
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_writing_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="suffix"):
        write_image(tmp_path / "a.xyz", picture(1))
    with pytest.raises(SinkError, match="folder"):
        write_image(tmp_path / "none" / "a.png", picture(1))
    with pytest.raises(SinkError, match="cannot be written"):
        write_image(tmp_path / "a.webp", np.zeros((1, 16384, 3), np.uint8))  # WebP ends at 16383
    with pytest.raises(ConfigError, match="uint8"):
        write_image(tmp_path / "a.png", picture(1).astype(np.float32))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
def test_pictures_of_phones_are_read(tmp_path: Path, suffix: str) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32], picture[:, 32:] = (200, 40, 30), (20, 60, 180)
    path = tmp_path / f"phone{suffix}"
    try:
        pillow.fromarray(picture).save(path, quality=90)
    except (KeyError, OSError, RuntimeError) as error:
        pytest.skip(f"{suffix} cannot be written here: {error}")
    image = read_image(path)
    assert image.shape == picture.shape
    assert np.abs(image.astype(int) - picture)[:, 8:24].max() < 12


def test_a_full_disk_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pillow.Image, "save", fail)
    with pytest.raises(SinkError, match=r"No space left on device; free some space there$"):
        write_image(tmp_path / "a.png", picture(1))
    assert list(tmp_path.iterdir()) == []
