"""Tunes the default network to the built-in styles.

Run as ``python -m stylizer.models.styles.tune DATA --out runs/tuned`` where DATA holds the pictures
of `stylizer.models.styles.build.PAINTINGS`, ``photos/`` and ``photos_large/``. Writes NAME.style
for each style that the folder has none of, without its picture, so that it can be stopped and goes
on; then ``tuned.zip`` beside this file, of all that the folder has, and notes it in the manifest.
"""

from __future__ import annotations

import argparse
import logging
import os
import zipfile
from collections import deque
from pathlib import Path

import numpy as np

from stylizer.frame import Image
from stylizer.io.image import read_image
from stylizer.styles.built_in import load_named_style
from stylizer.styles.tuning import TUNED_SUFFIX, read_tuning, write_tuning
from stylizer.tuning.config import TuningConfig
from stylizer.tuning.tune import Tuner

from ..records import list_in_manifest
from ..training.pack import HELD_OUT
from .build import PAINTINGS

__all__ = ["main", "pack_tunings"]

_PHOTOS = 90
"""Of the small ones; of the large ones all are used."""

_DAY = (1980, 1, 1, 0, 0, 0)
"""The date of what is written, so that the same styles make the same file."""

_log = logging.getLogger(__name__)


def pack_tunings(folder: Path, target: Path) -> None:
    """Write the tuned styles of a folder into one file, without their pictures."""
    temporary = target.with_name(f"new_{target.name}")
    with zipfile.ZipFile(temporary, "w") as archive:
        for name in PAINTINGS:
            path = folder / f"{name}{TUNED_SUFFIX}"
            if path.exists():
                tuning = read_tuning(path)[0]
                write_tuning(path, tuning, name=name, picture=None, overwrite=True)
                archive.writestr(zipfile.ZipInfo(path.name, _DAY), path.read_bytes())
    os.replace(temporary, target)


def _read_photos(data: Path) -> list[Image]:
    small, large = (sorted((data / name).glob("*.*")) for name in ("photos", "photos_large"))
    chosen = np.random.default_rng(3).choice(len(small), _PHOTOS, replace=False)
    held_out = set(HELD_OUT["photos"])
    paths = [small[index] for index in chosen]
    paths += [path for path in large if path.stem not in held_out]
    return [read_image(path) for path in paths]


def main() -> None:
    """Run from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds pictures and photos")
    parser.add_argument("--out", type=Path, default=Path("runs/tuned"), help="where styles go")
    parser.add_argument("--minutes", type=float, default=3.0, help="for each style")
    usual = TuningConfig()
    parser.add_argument("--batch", type=int, default=usual.batch, help="pictures in a step")
    parser.add_argument("--side", type=int, default=usual.side, help="of the pictures, in pixels")
    parser.add_argument("--rank", type=int, default=usual.rank, help="of the kernels' changes")
    parser.add_argument(
        "--go-on", action="store_true", help="from what is carried, of these weights or near ones"
    )
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    photos = _read_photos(given.data)
    tuner: Tuner | None = None
    for name, painting in PAINTINGS.items():
        path = given.out / f"{name}{TUNED_SUFFIX}"
        if path.exists():
            continue
        config = TuningConfig(
            minutes=given.minutes,
            rank=given.rank,
            style_scale=painting.style_scale,
            content=painting.content,
            noise=painting.noise,
            batch=given.batch,
            side=given.side,
        )
        picture = painting.read(given.data, name)
        begin = load_named_style(name).tuning if given.go_on else None
        if tuner is None:
            tuner = Tuner(picture, photos, config, begin=begin)
        else:
            tuner.turn_to(picture, config, begin=begin)
        last = deque(tuner, maxlen=1)
        write_tuning(path, tuner.tuning, name=name, picture=None)
        _log.info("%s: %s", name, last[0])
    target = Path(__file__).with_name("tuned.zip")
    pack_tunings(given.out, target)
    digest = list_in_manifest(target.parents[1], "tuned_styles", target)
    _log.info("%s: %d bytes, sha256 %s", target, target.stat().st_size, digest)


if __name__ == "__main__":
    main()
