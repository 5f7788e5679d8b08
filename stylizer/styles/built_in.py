"""The built-in styles: what networks saw in pictures, without the pictures.

A fast network needs the statistics of a style picture, the optimization its Gram matrices; both
were taken from the embedded loss networks at a few sizes, since the size of a style picture decides
how broad its strokes come out. The default network was tuned to them (`stylizer.tuning`). How all
of it was made, and after whom, stands in ``models/styles``.
"""

from __future__ import annotations

import itertools
import math
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from stylizer.errors import StyleError
from stylizer.styles.regions import check_part
from stylizer.styles.tuning import TUNED_SUFFIX, Tuning, parse_tuning
from stylizer.weights import weights_path

__all__ = [
    "NamedStyle",
    "check_weight",
    "load_named_style",
    "pack_gram",
    "pack_relations",
    "style_names",
    "unpack_gram",
]

Vector = npt.NDArray[np.float32]

_TILED = frozenset({"mosaic"})
"""Styles whose strokes are to stay whole."""


@dataclass(frozen=True, kw_only=True)
class NamedStyle:
    """A built-in style: no picture, but what is measured of one.

    Sides are short sides, in pixels, that the picture was resized to before it was measured.

    Attributes:
      name: as a user writes it, ``"starry_night"``.
      title: the painting's.
      artist: who painted it.
      year: when it was finished.
      aspect: its longer side over its shorter one, 1 or more.
      statistics: by side, float32 (19168,): means, standard deviations and correlations of the
        features that fast networks read styles by, as
        `stylizer.network.adaptive.architecture.style_statistics` gives them. They belong to no fast
        network: each reads as many of the first ones as it knows.
      grams: by the embedded loss network, then by side, then by the network's style layer: Gram
        matrices, float32 (C, C).
      weight: its share among several styles, more than 0.
      region: the part of the picture that it is for, as `stylizer.styles.regions` says; None for
        all that is left.
      tuning: what was added to a network for this style; None for nothing.
      divisible: whether there may be finer strokes within its strokes; not in tiles.
    """

    name: str
    title: str
    artist: str
    year: int
    aspect: float = 1.0
    statistics: Mapping[int, Vector] = field(repr=False, compare=False)
    grams: Mapping[str, Mapping[int, Mapping[str, Vector]]] = field(repr=False, compare=False)
    weight: float = 1.0
    region: str | None = None
    tuning: Tuning | None = field(default=None, repr=False, compare=False)
    divisible: bool = True

    def __post_init__(self) -> None:
        """Check the weight, the region and the numbers.

        Raises:
          StyleError: nothing was measured, the weight is not a positive number, or there is no
            such region.
        """
        check_weight(self.name, self.weight)
        check_part(self.region)
        if not self.statistics or not self.grams:
            raise StyleError(f"style {self.name}: expected statistics and Gram matrices, got none")

    def nearest(self, side: float) -> int:
        """Return the side, among those of `statistics`, whose ratio to ``side`` is least.

        Args:
          side: the short side that a picture would have been resized to, in pixels.
        """
        return _nearest(self.statistics, side)

    def nearest_grams(self, network: str, side: float) -> int:
        """Return the side, among those of a network's `grams`, whose ratio to ``side`` is least.

        Args:
          network: one of those of `grams`.
          side: the short side that a picture would have been resized to, in pixels.
        """
        return _nearest(self.grams[network], side)


def style_names() -> tuple[str, ...]:
    """Return the names of the built-in styles, in alphabetical order.

    Raises:
      WeightsError: their file is missing or damaged.
    """
    return tuple(sorted(_read_names()))


def load_named_style(name: str) -> NamedStyle:
    """Return a built-in style, of weight 1.

    Args:
      name: one of `style_names`.

    Raises:
      StyleError: there is no such style.
      WeightsError: the styles' file is missing or damaged.
    """
    names = _read_names()
    if name not in names:
        raise StyleError(f"style {name!r}: expected one of {', '.join(sorted(names))}")
    return _read_style(names.index(name))


def check_weight(name: str, weight: float) -> None:
    """Make sure that a style's weight is a positive number.

    Raises:
      StyleError: it is not.
    """
    if not (math.isfinite(weight) and weight > 0):
        raise StyleError(
            f"style {name}: expected a weight above 0, got {weight:g}; "
            "leave the style out to give it no weight"
        )


def pack_gram(gram: Vector) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float16]]:
    """Write a Gram matrix as correlations in 8 bits: a quarter of its size, exact to about 0.5 %.

    Args:
      gram: float32, (C, C), symmetric, its diagonal 0 or more.

    Returns:
      Correlations, ``G[i, j] / sqrt(G[i, i] G[j, j])`` times 127, int8, (C (C + 1) / 2,): the upper
      triangle, row by row. Energies, the diagonal, float16, (C,).
    """
    energies = gram.diagonal().astype(np.float16)
    rows, columns = np.triu_indices(len(gram))
    scale = _scale(energies, rows, columns)
    shares = np.divide(gram[rows, columns], scale, out=np.zeros_like(scale), where=scale > 0)
    return np.rint(127 * np.clip(shares, -1, 1)).astype(np.int8), energies


def pack_relations(relations: Vector) -> npt.NDArray[np.int8]:
    """Write correlations, float32 -1..1, in 8 bits, exact to 0.004."""
    return np.rint(127 * np.clip(relations, -1, 1)).astype(np.int8)


def unpack_gram(correlations: npt.NDArray[np.int8], energies: npt.NDArray[np.float16]) -> Vector:
    """Return the Gram matrix, float32 (C, C), that `pack_gram` wrote."""
    rows, columns = np.triu_indices(len(energies))
    values = correlations / np.float32(127) * _scale(energies, rows, columns)
    gram = np.zeros((len(energies), len(energies)), np.float32)
    gram[rows, columns] = gram[columns, rows] = values
    return gram


def _scale(
    energies: npt.NDArray[np.float16], rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
) -> Vector:
    roots = np.sqrt(energies.astype(np.float32))
    return np.asarray(roots[rows] * roots[columns], np.float32)


@cache
def _read_arrays(weights: str) -> Mapping[str, npt.NDArray[Any]]:
    """Read a whole file, once: to take one style of it, all have to be unpacked."""
    with np.load(weights_path(weights), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@cache
def _read_names() -> tuple[str, ...]:
    with np.load(weights_path("styles"), allow_pickle=False) as file:
        return tuple(str(name) for name in file["names"])


@cache
def _read_style(index: int) -> NamedStyle:
    """Read the style of that number; its arrays are shared, and so must not be written to."""
    file = _read_arrays("styles")
    grams: dict[str, dict[int, dict[str, Vector]]] = {}
    for network, layer in itertools.product(file["networks"].tolist(), file["layers"].tolist()):
        packed = zip(
            file["sides_of_grams"].tolist(),
            file[f"correlations_{network}_{layer}"][index],
            file[f"energies_{network}_{layer}"][index],
            strict=True,
        )
        of_network = grams.setdefault(network, {})
        for side, correlations, energies in packed:
            gram = _frozen(unpack_gram(correlations, energies))
            of_network.setdefault(side, {})[layer] = gram
    relations = _read_relations(str(file["names"][index]))
    rows = zip(file["statistics"][index], relations, strict=True)
    statistics = (_frozen(np.concatenate(row)) for row in rows)
    return NamedStyle(
        name=str(file["names"][index]),
        title=str(file["titles"][index]),
        artist=str(file["artists"][index]),
        year=int(file["years"][index]),
        aspect=float(file["aspects"][index]),
        statistics=dict(zip(file["sides"].tolist(), statistics, strict=True)),
        grams=grams,
        tuning=_read_tuning(str(file["names"][index])),
        divisible=str(file["names"][index]) not in _TILED,
    )


def _read_tuning(name: str) -> Tuning | None:
    """Return what tuning found for a style; some are painted well as they are."""
    with zipfile.ZipFile(weights_path("tuned_styles")) as archive:
        entry = f"{name}{TUNED_SUFFIX}"
        if entry not in archive.namelist():
            return None
        return parse_tuning(archive.read(entry), where=entry)[0]


def _read_relations(name: str) -> Vector:
    file = _read_arrays("style_relations")
    row = file["names"].tolist().index(name)
    return np.asarray(file["relations"][row] / np.float32(127), np.float32)


def _frozen(array: npt.NDArray[np.floating]) -> Vector:
    kept = np.array(array, np.float32)
    kept.setflags(write=False)
    return kept


def _nearest(sides: Iterable[int], side: float) -> int:
    return min(sides, key=lambda stored: abs(math.log(stored / side)))
