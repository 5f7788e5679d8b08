"""Measures what tuning is worth to built-in styles, as VGG-19 sees it.

Run as ``python -m stylizer.models.styles.evaluate DATA [NAME ...]``, where DATA holds the pictures
of `stylizer.models.styles.build.PAINTINGS`, ``photos_large/`` and ``vgg19/``. Prints the rows of a
table, medians of four photos and of two skies at a short side of 384, without tuning and with it;
less is better.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from stylizer.frame import Image
from stylizer.io.image import read_image
from stylizer.io.resize import resize_image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import resize_style
from stylizer.network.runtime import load_runtime
from stylizer.size import Size
from stylizer.styles.built_in import load_named_style
from stylizer.tuning.tune import wanted_picture

from ..compact.distill import build_teacher
from ..fast.evaluate import PRIMARY
from ..fast.held_out import SIDE
from ..fast.metrics import READINGS, FeatureExtractor, measure, read
from ..training.pack import HELD_OUT
from ..training.validation import sky
from .build import PAINTINGS

__all__ = ["STYLES", "Evaluation", "main"]

STYLES = ("starry_night", "stained_glass", "mosaic", "looking_glass", "grande_jatte", "the_scream")
"""What is measured if nothing is named."""

_READING = READINGS[PRIMARY["deep"]]
_PHOTOS = 4


class Evaluation:
    """Paints the same photos and skies in one style after the other."""

    def __init__(self, data: Path) -> None:
        """Read the pictures and load the networks.

        Args:
          data: the folder.
        """
        teacher = build_teacher(data / "vgg19" / "vgg19_normalised_relu4_1.npz")
        self._data, self._runtime = data, load_runtime(FastConfig())
        self._extractor = FeatureExtractor(lambda images: teacher(images, training=False))
        photos = [_photo(data, stem) for stem in HELD_OUT["photos"][:_PHOTOS]]
        self._sources = [*photos, *(sky(seed, SIDE) for seed in range(2))]
        self._before = [self._extractor.extract(image) for image in self._sources]

    def measure(self, name: str) -> dict[str, list[float]]:
        """Return what is left of a style, and of the photos, without tuning and with it.

        Returns:
          ``own``, of photos: ``deep`` beside the style's picture as it is tuned to; ``skies``: the
          same of skies; ``small``: of photos, beside the picture at 384; ``content``: of photos.
        """
        painting, style = PAINTINGS[name], load_named_style(name)
        picture, scale = painting.read(self._data, name), painting.style_scale
        wanted = np.rint(wanted_picture(picture, scale)).astype(np.uint8)
        own, small = map(self._extractor.extract, (wanted, resize_style(picture, SIDE)))
        found: dict[str, list[float]] = {"own": [], "skies": [], "small": [], "content": []}
        untuned = self._runtime.encode(replace(style, tuning=None), scale=scale)
        tuned = self._runtime.encode(style, scale=1.0)  # brings the scale along
        for code in (untuned, tuned):
            paintings = (self._runtime.paint(image, code) for image in self._sources)
            seen = map(self._extractor.extract, paintings)
            pairs = list(zip(seen, self._before, strict=True))
            left = [read(measure(*pair, own), _READING) for pair in pairs]
            fine = [read(measure(*pair, small), _READING) for pair in pairs[:_PHOTOS]]
            found["own"].append(_median([one["deep"] for one in left[:_PHOTOS]]))
            found["skies"].append(_median([one["deep"] for one in left[_PHOTOS:]]))
            found["small"].append(_median([one["deep"] for one in fine]))
            found["content"].append(_median([one["content"] for one in fine]))
        return found


def _median(values: list[float]) -> float:
    return float(np.median(values))


def _photo(data: Path, stem: str) -> Image:
    image = read_image(next(data.glob(f"*/{stem}.jpg")))
    return resize_image(image, Size(short_side=SIDE).fit((image.shape[1], image.shape[0])))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds pictures and photos")
    parser.add_argument("names", nargs="*", default=STYLES, help="built-in styles")
    given = parser.parse_args()
    evaluation = Evaluation(given.data)
    for name in given.names:
        rows = evaluation.measure(name)
        cells = [f"{value:.3f}" for pair in rows.values() for value in pair]
        print(" | ".join(["", f"`{name}`", *cells, ""]).strip(), flush=True)


if __name__ == "__main__":
    main()
