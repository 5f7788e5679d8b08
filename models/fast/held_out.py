"""The pictures that the fast network is measured on; none of them is ever trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stylizer.errors import SourceError
from stylizer.frame import Image

from ..pictures import HELD_OUT_TEXTURES, is_held_out, list_pictures, read_pictures, square

__all__ = ["SIDE", "STYLES", "Picture", "choose_pairs", "read_photos", "read_styles"]

SIDE = 384
"""Both sides of every picture, in pixels."""

STYLES = (
    "rr_other_15",  # flaking paint on a wall
    "nm_80e7f2b5",  # Munch, flowing bands
    "rk_stripes",  # black bars on hatching
    "rr_img_17",  # lilies in burning brushwork
    "aw_20545",  # Monet, short strokes on water
    "rr_img_18",  # cracked plaster
    "rr_other_7",  # watercolor stains in all colors
    "rk_towers",  # stippled cubes
    "nm_78b07d14",  # Kandinsky, lines and patches
    "rr_img_3",  # a broad brush in ink
    "nm_35186b04",  # Monet, water lilies
    "rr_other_1",  # a lattice of steel and glass
    "aw_12683",  # gold ground with punched ornament
    "rr_other_6",  # watercolor on rough paper
    "aw_59944",  # chalky strokes of pastel
    "rr_other_13",  # light in a pool
    "nm_6fc2da1c",  # Cezanne, hatched planes
    "rr_img_6",  # transparent washes
    "aw_16473",  # a crowd in loose dabs
    "rr_other_5",  # a tiger in ink and color
)
"""Held-out paintings by the names of their files, most of them with strong texture.

All twelve of the families of inks, textures and patterns, and eight paintings that were chosen by
looking at the held-out ones for visible brushwork, before any result was there.
"""

_PHOTOS = 20


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture to measure on.

    Attributes:
      name: of its file, without the suffix.
      original: uint8 RGB, (H, W, 3).
    """

    name: str
    original: Image

    def square(self, side: int) -> Image:
        """Return the middle as a square of ``side`` pixels."""
        return square(self.original, side)


def read_photos(data: Path) -> list[Picture]:
    """Return 20 held-out photos, at regular intervals of all.

    Raises:
      SourceError: none is there.
    """
    paths = list_pictures(data / "photos", held_out=True, textures=HELD_OUT_TEXTURES)
    if not paths:
        raise SourceError(f"{data / 'photos'}: expected held-out photos, got none")
    count = min(_PHOTOS, len(paths))
    return _read([paths[index * len(paths) // count] for index in range(count)])


def read_styles(data: Path) -> list[Picture]:
    """Return the paintings of `STYLES`.

    Raises:
      SourceError: one is missing, or is not held out.
    """
    paths = [data / "paintings" / f"{name}.jpg" for name in STYLES]
    trained_on = [path.name for path in paths if not is_held_out(path, textures=HELD_OUT_TEXTURES)]
    if trained_on:
        raise SourceError(f"expected styles that are held out, got {', '.join(trained_on)}")
    return _read(paths)


def choose_pairs(
    photos: list[Picture], styles: list[Picture], *, count: int
) -> list[tuple[Picture, Picture]]:
    """Return the first ``count`` pairs of all, in an order in which each picture turns up soon.

    The n-th photo meets the n-th style, then the next one, and so on round the list.
    """
    pairs = [
        (photo, styles[(index + turn) % len(styles)])
        for turn in range(len(styles))
        for index, photo in enumerate(photos)
    ]
    return pairs[:count]


def _read(paths: list[Path]) -> list[Picture]:
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise SourceError(f"expected the pictures of the evaluation, not there: {missing}")
    images = read_pictures(paths)
    if len(images) < len(paths):
        raise SourceError("some of the pictures of the evaluation cannot be read")
    return [
        Picture(name=path.stem, original=image) for path, image in zip(paths, images, strict=True)
    ]
