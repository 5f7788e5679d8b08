"""Measures the fast network: held-out photos and styles, beside Magenta's and the optimization.

Run as ``python -m stylizer.models.fast.evaluate DATA --out runs/evaluation``, where DATA holds
``photos/``, ``paintings/``, ``vgg19/`` and ``peers/magenta/``. VGG-19 measures 20 photos x 20
styles of 384x384 pixels that were never trained on. Prints medians and their ratios to Magenta's;
writes them as JSON beside a contact sheet. Results are kept in the folder by the hash of the
weights, so that only what is new is computed again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from stylizer.frame import Image
from stylizer.io.image import read_image, write_image
from stylizer.weights import weights_path

from ..compact.distill import build_teacher
from ..training.networks import NETWORKS
from . import painters
from .held_out import SIDE, Picture, choose_pairs, read_photos, read_styles
from .metrics import MEASURES, FeatureExtractor, PictureFeatures, Row, measure, medians
from .painters import Painter, digest

__all__ = ["PRIMARY", "Evaluation", "main", "report", "show"]

PRIMARY = {
    "gram": "squared, summed",
    "deep": "squared, summed",
    "moments": "squared, summed",
    "color": "squared, summed",
    "gradients": "squared, summed",
    "content": "norm, summed",
}
"""The reading of each measure that is meant where a single number is told."""

Pair = tuple[Picture, Picture]
_SAVE_EVERY = 20

_WIDTH = 120
"""Characters that the table takes."""


class Evaluation:
    """Measures the paintings of pairs; what is known already is read from a folder."""

    def __init__(self, data: Path, out: Path, *, sheet: int = 8) -> None:
        """Read the pictures.

        Args:
          data: the folder of the pictures and of ``vgg19/``.
          out: where results are kept; made if it is not there.
          sheet: the pairs, from the first, whose paintings are kept for the contact sheet.

        Raises:
          SourceError: pictures are missing.
        """
        self._out = out
        self._teacher = data / "vgg19" / "vgg19_normalised_relu4_1.npz"
        photos, styles = read_photos(data), read_styles(data)
        self.pairs = choose_pairs(photos, styles, count=len(photos) * len(styles))
        self._shown = {_label(pair) for pair in self.pairs[:sheet]}
        self._extractor: FeatureExtractor | None = None
        self._features: dict[str, PictureFeatures] = {}
        out.mkdir(parents=True, exist_ok=True)

    def measure(
        self, painter: Painter, *, count: int, on_pair: Callable[[int], None] | None = None
    ) -> list[Row]:
        """Return what `measure` says of a painter's first ``count`` pairs.

        Args:
          painter: who paints.
          count: of pairs.
          on_pair: called with the number of pairs painted so far.
        """
        key = digest(self._teacher, painter.key, *MEASURES)
        results = self._out / f"{painter.name}-{key}.json"
        known: dict[str, Row] = json.loads(results.read_text("utf-8")) if results.exists() else {}
        missing = [pair for pair in self.pairs[:count] if self._is_missing(painter, pair, known)]
        if missing:
            paint = painter.load()
        for done, pair in enumerate(missing, start=1):
            painted = paint(*pair)
            known[_label(pair)] = self._measure(painted, pair)
            if self._is_shown(pair):
                path = self._path(painter, pair)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_image(path, painted, overwrite=True)
            if done % _SAVE_EVERY == 0 or done == len(missing):
                results.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
            if on_pair is not None:
                on_pair(done)
        return [known[_label(pair)] for pair in self.pairs[:count]]

    def _is_missing(self, painter: Painter, pair: Pair, known: dict[str, Row]) -> bool:
        unseen = self._is_shown(pair) and not self._path(painter, pair).exists()
        return unseen or _label(pair) not in known

    def _is_shown(self, pair: Pair) -> bool:
        return _label(pair) in self._shown

    def _measure(self, painted: Image, pair: Pair) -> dict[str, list[float]]:
        if self._extractor is None:
            teacher = build_teacher(self._teacher)
            self._extractor = FeatureExtractor(lambda images: teacher(images, training=False))
        for picture in pair:
            if picture.name not in self._features:
                self._features[picture.name] = self._extractor.extract(picture.square(SIDE))
        photo, style = (self._features[picture.name] for picture in pair)
        return measure(self._extractor.extract(painted), photo, style)

    def _path(self, painter: Painter, pair: Pair) -> Path:
        return self._out / "pictures" / f"{painter.name}-{painter.key}" / f"{_label(pair)}.png"

    def sheet(self, found: Sequence[Painter]) -> Image:
        """Return photos, styles and paintings side by side, one row a pair, uint8 RGB."""
        rows = [_header(["photo", "style", *(painter.name for painter in found)])]
        for pair in filter(self._is_shown, self.pairs):
            row = [picture.square(SIDE) for picture in pair]
            for painter in found:
                path = self._path(painter, pair)
                row.append(read_image(path) if path.exists() else np.full_like(row[0], 225))
            rows.append(np.concatenate(row, axis=1))
        return np.concatenate(rows)


def _label(pair: Pair) -> str:
    return "--".join(picture.name for picture in pair)


def _header(names: Sequence[str]) -> Image:
    strip = np.full((32, SIDE * len(names), 3), 255, np.uint8)
    for column, name in enumerate(names):
        place = (SIDE * column + 8, 22)
        cv2.putText(strip, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (30, 30, 30), 1, cv2.LINE_AA)
    return strip


def report(rows: Mapping[str, Sequence[Row]]) -> dict[str, dict[str, dict[str, float]]]:
    """Return medians by painter, reading and measure; the first reading is `PRIMARY`'s choice."""
    found = {}
    for painter, own in rows.items():
        readings = medians(own)
        chosen = {name: readings[reading][name] for name, reading in PRIMARY.items()}
        found[painter] = {"primary": chosen, **readings}
    return found


def show(results: dict[str, dict[str, dict[str, float]]], *, title: str) -> Table:
    """Return a table of medians, by painter and reading, each with its ratio to Magenta's."""
    table = Table(title=title, caption="second numbers: over Magenta's", box=SIMPLE)
    for heading in ("painter", "reading", *MEASURES):
        left = heading in ("painter", "reading")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    peer = results.get("magenta")
    for painter, readings in results.items():
        for reading, values in readings.items():
            cells = [f"{values[name]:.3f}" for name in MEASURES]
            if peer is not None and painter != "magenta":
                ratios = [values[name] / peer[reading][name] for name in MEASURES]
                cells = [f"{cell} {ratio:.2f}" for cell, ratio in zip(cells, ratios, strict=True)]
            table.add_row(painter, reading, *cells)
    return table


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="other weights of the first painter")
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--gatys", type=int, default=0, help="pairs to optimize, a minute each")
    parser.add_argument("--sheet", type=int, default=8, help="pairs on the contact sheet")
    parser.add_argument(
        "--painters", nargs="+", choices=(*NETWORKS, "magenta"), default=["fast", "magenta"]
    )
    parser.add_argument("--microast", type=Path, help="a clone of MicroAST, to measure it too")
    return parser.parse_args()


def main() -> None:
    """Read the arguments, measure, print and write."""
    options = _parse()
    data, out = options.data, options.out
    chosen = [
        painters.magenta(data / "peers" / "magenta")
        if name == "magenta"
        else painters.embedded(name, (not index and options.weights) or weights_path(name))
        for index, name in enumerate(options.painters)
    ]
    if options.microast is not None:
        chosen.append(painters.microast(options.microast))
    evaluation = Evaluation(data, out, sheet=options.sheet)
    rows = {one.name: evaluation.measure(one, count=options.pairs) for one in chosen}
    told: dict[str, Any] = {"pairs": options.pairs, "all": report(rows)}
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    console.print(show(told["all"], title=f"{options.pairs} pairs"))
    if options.gatys:
        ceiling = painters.gatys(data / "vgg19" / "vgg19_normalised_relu4_1.npz")
        chosen.append(ceiling)
        rows["gatys"] = evaluation.measure(ceiling, count=options.gatys)
        few = {name: found[: options.gatys] for name, found in rows.items()}
        told |= {"gatys_pairs": options.gatys, "few": report(few)}
        console.print(show(told["few"], title=f"The first {options.gatys} pairs"))
    write_image(out / "sheet.jpg", evaluation.sheet(chosen), overwrite=True)
    (out / "medians.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
