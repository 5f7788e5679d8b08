"""Pictures on disk: read to, and written from, uint8 RGB of shape (H, W, 3).

Reading goes through Pillow because it tells the size from the header before any pixel is decoded,
and because it raises on a truncated file where OpenCV fills the rest with gray.
"""

from __future__ import annotations

import errno
import io
import logging
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image as pillow
from PIL import ImageCms, UnidentifiedImageError, features

from stylizer.errors import SinkError, SourceError
from stylizer.frame import Image, check_image
from stylizer.io.atomic import temporary_path
from stylizer.io.files import reason, refuse_special
from stylizer.io.metadata import Metadata, orientation, take_metadata
from stylizer.size import MAX_SIDE

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "READ_SUFFIXES",
    "count_plays",
    "decode_image",
    "encode_image",
    "image_size",
    "lay_on_white",
    "read_image",
    "read_image_and_alpha",
    "read_metadata",
    "write_image",
    "written_names",
]

_log = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tiff", ".tif"})
"""What is written as a picture, and read; compare with ``path.suffix.lower()``."""

READ_SUFFIXES = IMAGE_SUFFIXES | {".heic", ".heif", ".avif"}
"""What is read as a picture; AVIF where Pillow can, else each such file is said to be none."""

MAX_PIXELS = 178_956_970
"""The most pixels accepted in one picture (Pillow's own bound, half a gigabyte of RGB)."""

_READS_AVIF = bool(features.check("avif"))
pillow_heif.register_heif_opener(thumbnails=False)
_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tiff": "TIFF",
    ".tif": "TIFF",
}
_READ_FORMATS = (
    *("PNG", "JPEG", "WEBP", "BMP", "TIFF", "HEIF"),
    *(("AVIF",) if _READS_AVIF else ()),
)
_SAVE_OPTIONS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_lzw"},
    "PNG": {"compress_level": 3},
}
_MOVING = {
    "PNG": "; `stylizer video` paints them all",
    "WEBP": "; of a GIF or an MP4 of it `stylizer video` paints them all",
}
_TURNED = {
    2: pillow.Transpose.FLIP_LEFT_RIGHT,
    3: pillow.Transpose.ROTATE_180,
    4: pillow.Transpose.FLIP_TOP_BOTTOM,
    5: pillow.Transpose.TRANSPOSE,
    6: pillow.Transpose.ROTATE_270,
    7: pillow.Transpose.TRANSVERSE,
    8: pillow.Transpose.ROTATE_90,
}
"""What sets a picture of an EXIF orientation upright."""

_FILTERS = threading.Lock()  # catch_warnings changes the whole process


def read_image(path: Path | str, *, max_side: int = MAX_SIDE) -> Image:
    """Read a picture: png, jpg, webp, avif, heic, bmp or tiff, told by its content.

    The EXIF orientation is applied; where EXIF data are damaged, the log says so, and the picture
    is taken as it lies. A transparent picture is laid on white. Gray and palette
    pictures become RGB; 16 bits a channel are scaled to 8. Of an animation or a TIFF of many pages
    the first picture is read. A color profile is applied: what comes is sRGB.

    Args:
      path: the file.
      max_side: the longest side accepted, in pixels, looked up before anything is decoded.

    Returns:
      uint8 RGB, (H, W, 3), C-contiguous.

    Raises:
      SourceError: missing, empty, truncated, not a picture, or too large.
    """
    return read_image_and_alpha(path, max_side=max_side)[0]


def read_image_and_alpha(
    path: Path | str, *, max_side: int = MAX_SIDE
) -> tuple[Image, Image | None]:
    """Read a picture as `read_image` does, and how opaque it is.

    Returns:
      uint8 RGB, (H, W, 3), laid on white; and uint8, (H, W), or None where all of it is opaque.

    Raises:
      SourceError: as `read_image` says.
    """
    with _opened(Path(path), max_side) as opened:
        if opened.format in {"PNG", "WEBP", "TIFF", "AVIF"} and getattr(
            opened, "is_animated", False
        ):
            hint = _MOVING.get(opened.format, "")
            _log.warning("%s holds several pictures: the first one is read%s", path, hint)
        return _to_rgb(_upright(opened, str(path)))


def read_metadata(path: Path | str) -> Metadata | None:
    """Read what a picture's file says beside its pixels, for `write_image`.

    Returns:
      None where it cannot be read, which the log says.
    """
    try:
        with _opened(Path(path), MAX_SIDE) as opened:
            was_told = orientation(opened) is None  # by whoever read the picture
            found, damaged = take_metadata(opened)
            for name, error in damaged.items():
                if not (was_told and name == "EXIF"):
                    # Each is told, by workers too; those that they all tell are told once.
                    _log.warning(f"{path}: its {name} data are damaged, and are not kept: {error}")
            return found
    except SourceError as error:  # it is gone, or was replaced
        _log.warning(f"{path}: camera, date and place are not kept: {error}")
    return None


def decode_image(data: bytes, *, max_side: int = MAX_SIDE) -> Image:
    """Read a picture that is no file of its own, as `read_image` does.

    Raises:
      SourceError: as `read_image` says.
    """
    with _opened(Path("picture"), max_side, data) as opened:
        return _to_rgb(_upright(opened, "picture"))[0]


def encode_image(image: Image) -> bytes:
    """Write a picture, uint8 RGB (H, W, 3), as JPEG."""
    target = io.BytesIO()
    pillow.fromarray(check_image(image)).save(target, format="JPEG", quality=90)
    return target.getvalue()


def lay_on_white(rgba: Image) -> tuple[Image, Image | None]:
    """Lay a picture, uint8 RGBA (H, W, 4), on white, so that no hidden color shows.

    Returns:
      uint8 RGB (H, W, 3), C-contiguous; and how opaque it was, uint8 (H, W), or None where all of
      it was opaque.
    """
    image, alpha = (np.ascontiguousarray(part) for part in (rgba[..., :3], rgba[..., 3]))
    if alpha.min() == 255:
        return image, None
    share = alpha[..., None].astype(np.float32) / 255
    return np.rint(image * share + 255 * (1 - share)).astype(np.uint8), alpha


def image_size(path: Path | str, *, max_side: int = MAX_SIDE) -> tuple[int, int]:
    """Return the upright (width, height) of a picture in pixels.

    The header tells it, except that Pillow decodes a PNG to look for an orientation at its end.

    Raises:
      SourceError: missing, empty, not a picture, or too large.
    """
    with _opened(Path(path), max_side) as opened:
        width, height = opened.size
        turned = (orientation(opened) or 1) >= 5
        if turned and opened.format == "TIFF":
            opened.load()  # which turns it
            return opened.size
        return (height, width) if turned else (width, height)


def write_image(
    path: Path | str,
    image: Image,
    *,
    alpha: Image | None = None,
    metadata: Metadata | None = None,
    overwrite: bool = False,
) -> None:
    """Write a picture under a temporary name, and rename it when it is whole.

    JPEG and WebP are written at quality 95; the others lose nothing. JPEG and BMP have no
    transparency: then the log says that the picture stays on its ground. A TIFF with EXIF, XMP or
    IPTC data is not compressed.

    Args:
      path: the file; its suffix, one of `IMAGE_SUFFIXES`, chooses the format.
      image: uint8 RGB, (H, W, 3).
      alpha: how opaque it is, uint8, (H, W); None for a picture without transparency.
      metadata: what the file is to say besides, as `read_metadata` gives it; what cannot be
        written is left out, which the log says. None for nothing.
      overwrite: replace a file that is there.

    Raises:
      ConfigError: not such an image.
      SinkError: another suffix, no such folder, the file exists, or the disk is full.
    """
    path = Path(path)
    check_image(image)
    name = _FORMATS.get(path.suffix.lower())
    if name is None:
        known = " ".join(sorted(IMAGE_SUFFIXES))
        raise SinkError(f"{path}: expected a picture's suffix ({known}), got {path.suffix!r}")
    if alpha is not None and name in {"JPEG", "BMP"}:
        _log.warning("%s: painted on white; choose .png or .webp to keep it transparent", path)
        alpha = None
    pixels = image if alpha is None else np.dstack([image, alpha])
    options = _SAVE_OPTIONS.get(name, {}) | _options_for(path, name, metadata, image)
    with temporary_path(path, overwrite=overwrite) as temporary:
        try:
            pillow.fromarray(pixels).save(temporary, format=name, **options)
        except (OSError, ValueError) as error:
            # ValueError: a side beyond what the format can hold (WebP: 16383, JPEG: 65500).
            raise SinkError(f"{path}: the picture cannot be written: {reason(error)}") from error


def _options_for(
    path: Path, kind: str, metadata: Metadata | None, image: Image
) -> dict[str, object]:
    if metadata is None:
        return {}
    options, left_out = metadata.options(kind, (image.shape[1], image.shape[0]))
    names = " and ".join(name for name, error in left_out.items() if error is None)
    if names:
        _log.warning("%s: %s data are left out: a %s has no place for them", path, names, kind)
    for name, error in left_out.items():
        if error is not None:
            _log.warning(f"{path}: {name} data cannot be written, and are left out: {error}")
    return options


def written_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names that paintings of pictures get: their own, or those of a JPEG.

    ``a.heic`` becomes ``a.jpg``, or if that is a picture of its own, ``a.heic.jpg``.

    Args:
      names: of files, of `READ_SUFFIXES`.
    """
    taken = set(names)
    found = []
    for path in map(Path, names):
        jpeg = path.with_suffix(".jpg").name
        written = path.suffix.lower() in IMAGE_SUFFIXES
        found.append(path.name if written else f"{path.name}.jpg" if jpeg in taken else jpeg)
    return tuple(found)


def count_plays(path: Path | str) -> int | None:
    """Return how often an animation (GIF, APNG, WebP) is to be shown; 0 for without end.

    None for what is no such animation.
    """
    try:
        with pillow.open(path, formats=("GIF", "PNG", "WEBP")) as opened:
            if not getattr(opened, "is_animated", False):
                return None
            loops = opened.info.get("loop")
            if opened.format == "GIF":  # it counts repetitions, and says nothing for none
                return 1 if loops is None else loops and loops + 1
            return int(loops or 0)
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError):
        return None


@contextmanager
def _opened(path: Path, max_side: int, data: bytes | None = None) -> Iterator[pillow.Image]:
    """Open a picture up to its header, and turn every failure into a SourceError."""
    try:
        if data is None:
            refuse_special(path)  # opening a pipe would wait for its writer
            if path.stat().st_size == 0 and path.is_file():
                raise SourceError(f"{path}: the file is empty (0 bytes); expected a picture")
        with _FILTERS, warnings.catch_warnings():
            # Large pictures are checked here, and what is damaged is an error or does no harm.
            warnings.simplefilter("ignore", pillow.DecompressionBombWarning)
            warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
            given = path if data is None else io.BytesIO(data)
            with pillow.open(given, formats=_READ_FORMATS) as opened:
                _check_size(path, opened.size, max_side)
                yield opened
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such picture; check the path") from error
    except PermissionError as error:
        raise SourceError(f"{path}: no permission to read it") from error
    except IsADirectoryError as error:
        raise SourceError(f"{path}: expected a picture, got a folder") from error
    except pillow.DecompressionBombError as error:
        raise SourceError(
            f"{path}: more than {MAX_PIXELS} pixels; resize the picture first"
        ) from error
    except UnidentifiedImageError as error:
        raise SourceError(
            f"{path}: not a picture that can be read; expected png, jpg, webp, avif, heic, bmp "
            "or tiff"
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # Pillow's plugins raise all of these on damaged data, SyntaxError among them.
        if isinstance(error, OSError) and error.errno == errno.ELOOP:
            raise SourceError(f"{path}: a link that leads back to itself; remove it") from error
        raise SourceError(f"{path}: the picture is damaged or truncated: {error}") from error


def _check_size(path: Path, size: tuple[int, int], max_side: int) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise SourceError(f"{path}: a picture without pixels ({width}x{height})")
    if max(size) > max_side or width * height > MAX_PIXELS:
        raise SourceError(
            f"{path}: {width}x{height} is too large; expected at most {max_side} pixels a side and "
            f"{MAX_PIXELS} in all; resize the picture first"
        )


def _upright(opened: pillow.Image, name: str) -> pillow.Image:
    """Return a picture as its EXIF orientation says that it is to be seen."""
    opened.load()  # which turns a TIFF
    found = orientation(opened)
    if found is None:
        _log.warning(f"{name}: its EXIF data are damaged; the picture is taken as it lies")
    turned = _TURNED.get(found or 1)
    return opened if turned is None else opened.transpose(turned)


def _to_rgb(opened: pillow.Image) -> tuple[Image, Image | None]:
    """Convert any mode of Pillow to uint8 RGB, (H, W, 3), and its opacity, (H, W), if any."""
    if opened.mode == "I" or opened.mode.startswith("I;16"):
        gray = np.clip(np.asarray(opened).astype(np.int64), 0, 65535)
        return np.repeat(((gray + 128) // 257).astype(np.uint8)[..., None], 3, axis=2), None
    if opened.mode == "F":
        raise ValueError("gray values as floats are not supported; save it with 8 or 16 bits")
    if opened.has_transparency_data:
        return lay_on_white(np.array(_to_srgb(opened, "RGBA")))
    return np.array(_to_srgb(opened, "RGB")), None


def _to_srgb(opened: pillow.Image, mode: str) -> pillow.Image:
    """Convert to RGB or RGBA, by the picture's color profile if it has one."""
    profile = opened.info.get("icc_profile")
    if profile:
        # CMYK, gray and Lab have profiles of their own, which a conversion before would pass over.
        known = {"RGB", "RGBA", "CMYK", "L", "LAB"}
        plain = "L" if opened.mode == "LA" else mode
        base = opened if opened.mode in known else opened.convert(plain)
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            keeps = "RGBA" if base.mode == "RGBA" else "RGB"
            converted = ImageCms.profileToProfile(base, source, target, outputMode=keeps)
        except (ImageCms.PyCMSError, OSError, ValueError) as error:
            _log.warning("a color profile cannot be used, and is passed over: %s", error)
        else:
            found = (converted or base).convert(mode)
            if opened.mode == "LA" and mode == "RGBA":
                found.putalpha(opened.getchannel("A"))
            return found
    return opened.convert(mode)
