"""Packs the pictures that the fast networks learn from into one small file.

Run as ``python -m stylizer.models.training.pack DATA pack.npz``, where DATA holds ``photos/``,
``photos_large/``, ``paintings/``, ``styles/``, ``styles_more/`` and ``vgg19/``. The file has all
that `train` needs, so that it can be carried to another machine: pictures that are not held out, as
WebP, and the weights of VGG-19. About 46 MB.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.errors import SourceError

from ..pictures import HELD_OUT_TEXTURES, is_held_out

__all__ = [
    "GROUPS",
    "HELD_OUT",
    "Group",
    "Pictures",
    "main",
    "pack",
    "trains_on",
    "unpack",
    "unpack_held_out",
]

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Pictures of a kind.

    Attributes:
      folders: in DATA.
      side: short side that they are packed with, in pixels.
      longest: the long side is cut to this, in pixels.
      quality: of WebP.
    """

    folders: tuple[str, ...]
    side: int
    longest: int
    quality: int


GROUPS = {
    "photos": Group(folders=("photos",), side=256, longest=352, quality=70),
    "large": Group(folders=("photos_large",), side=512, longest=640, quality=78),
    "styles": Group(
        folders=("styles", "styles_more", "paintings"), side=304, longest=384, quality=70
    ),
}
"""What is packed."""

HELD_OUT = {
    "photos": ("phu_047", "pd2_002", "pgr_018", "pu2_001", "pfe_005", "pul_002"),
    "styles": (
        "st_099",  # Picasso, thick lines around flat colors
        "st_237",  # van Gogh, short strokes on water
        "st_184",  # a palette knife, wet streets
        "st_167",  # curls
        "te_005",  # a wood engraving
        "rr_img_17",  # lilies in burning brushwork
        "rr_other_7",  # watercolor stains in all colors
        "nm_78b07d14",  # Kandinsky, lines and patches
        "rk_towers",  # stippled cubes
        "sd_249",  # flat colors, ink
        "uk_033",  # a woodblock print
        "st_164",  # cubes in relief
    ),
}
"""Pictures to look at while training goes on; held out, and packed too."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Pictures of a group, all in the corner of a canvas of one size.

    Attributes:
      names: of the files, without suffixes.
      canvases: uint8 RGB, (N, S, S, 3).
      sizes: int32, (N, 2): height and width of each in pixels.
    """

    names: list[str]
    canvases: npt.NDArray[np.uint8]
    sizes: npt.NDArray[np.int32]


def trains_on(path: Path) -> bool:
    """Say whether a picture may be trained on; the well-known paintings of ``styles/`` all may."""
    return path.parent.name == "styles" or not is_held_out(path, textures=HELD_OUT_TEXTURES)


def pack(data: Path, target: Path, *, pictures: int | None = None) -> None:
    """Write the pictures to train on, and the weights of VGG-19, into one file.

    Args:
      data: the folder.
      target: an ``.npz``.
      pictures: of each group at most; None for all.
    """
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for name, group in GROUPS.items():
        paths = [path for folder in group.folders for path in sorted((data / folder).glob("*.jpg"))]
        chosen = [path for path in paths if trains_on(path)][:pictures]
        encoded = [_encode(path, group) for path in chosen]
        arrays[f"{name}/bytes"] = np.frombuffer(b"".join(encoded), np.uint8)
        arrays[f"{name}/lengths"] = np.array([len(one) for one in encoded], np.int64)
        arrays[f"{name}/names"] = np.array([path.stem for path in chosen])
    for name, stems in HELD_OUT.items():
        for stem in stems:
            path = next(data.glob(f"*/{stem}.jpg"))
            if trains_on(path):
                raise SourceError(f"{path}: expected a picture that is held out")
            wide = replace(GROUPS[name], side=384, longest=683, quality=85)
            arrays[f"held_out/{name}/{stem}"] = np.frombuffer(_encode(path, wide), np.uint8)
    with np.load(data / "vgg19" / "vgg19_normalised_relu4_1.npz") as weights:
        arrays |= {f"vgg19/{key}": weights[key] for key in weights.files}
    np.savez(target, **arrays)  # type: ignore[arg-type]


def _encode(path: Path, group: Group) -> bytes:
    image = _read(path)
    height, width = image.shape[:2]
    scale = min(group.side / min(height, width), 1.0)
    size = (round(width * scale), round(height * scale))
    image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = (min(side, group.longest) for side in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    options = [cv2.IMWRITE_WEBP_QUALITY, group.quality]
    _, encoded = cv2.imencode(".webp", image[top : top + height, left : left + width], options)
    return encoded.tobytes()


def _read(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise SourceError(f"{path}: expected a picture, cannot read it")
    return np.asarray(image, np.uint8)


def _decode(encoded: npt.NDArray[np.uint8]) -> Image:
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    if image is None:
        raise SourceError("the pack is damaged: one of its pictures cannot be read; pack again")
    return np.ascontiguousarray(image[..., ::-1], np.uint8)


def unpack(source: Path, name: str, *, added: Iterable[tuple[str, Image]] = ()) -> Pictures:
    """Read one of `GROUPS` from a file of `pack`, with more pictures added: (name, uint8 RGB)."""
    group = GROUPS[name]
    with np.load(source) as arrays:
        data, lengths = arrays[f"{name}/bytes"], arrays[f"{name}/lengths"]
        names = [str(one) for one in arrays[f"{name}/names"]]
    parts = np.split(data, np.cumsum(lengths)[:-1])
    with ThreadPoolExecutor() as pool:
        images = list(pool.map(_decode, parts))
    for extra, image in added:
        names.append(extra)
        images.append(image[: group.longest, : group.longest])
    canvases = np.zeros((len(images), group.longest, group.longest, 3), np.uint8)
    for canvas, image in zip(canvases, images, strict=True):
        canvas[: image.shape[0], : image.shape[1]] = image
    sizes = np.array([image.shape[:2] for image in images], np.int32)
    return Pictures(names=names, canvases=canvases, sizes=sizes)


def unpack_held_out(source: Path, name: str) -> dict[str, Image]:
    """Read the pictures of `HELD_OUT` by name, uint8 RGB."""
    found = {}
    with np.load(source) as arrays:
        for stem in HELD_OUT[name]:
            found[stem] = _decode(arrays[f"held_out/{name}/{stem}"])
    return found


def main() -> None:
    """Read the arguments and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--pictures", type=int)
    options = parser.parse_args()
    pack(options.data, options.target, pictures=options.pictures)


if __name__ == "__main__":
    main()
