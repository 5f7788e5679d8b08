"""Keeps weights once: a model's constants that stand in a file of weights are left out of it.

The package carries a network's weights for Keras (``.weights.h5``); its models in OpenVINO's form
hold the same numbers, with other axes first. Such numbers are taken out of them when they are
packed, and put back when they are read. Importing this imports neither Keras nor OpenVINO.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

__all__ = ["Place", "put_back", "take_out"]

_LEAST = 256
"""Numbers: smaller constants stay where they are."""


class Place(NamedTuple):
    """Where numbers were taken out of a model's weights, and where they stand.

    Attributes:
      offset: in the model's weights, in bytes.
      file: the number of the file that has them.
      dataset: its name in that file.
      axes: their order in the model, of those in the file.
    """

    offset: int
    file: int
    dataset: str
    axes: tuple[int, ...]


def take_out(
    topology: bytes, weights: bytes, files: Sequence[Path]
) -> tuple[bytes, tuple[Place, ...]]:
    """Return what is left of a model's weights, and what was taken out, from first to last.

    Args:
      topology: of the model (``.xml``).
      weights: of the model (``.bin``).
      files: of weights (``.weights.h5``).
    """
    if not files:
        return weights, ()
    stored = {}
    for number, file in enumerate(files):
        for name, values in _datasets(file):
            if values.dtype.kind == "f" and values.size >= _LEAST:
                stored[_fingerprint(values)] = number, name, values.astype(np.float32)
    places, left, end = [], [], 0
    for offset, size in sorted(_constants(topology)):
        values = np.frombuffer(weights, np.float32, size // 4, offset)
        known = stored.get(_fingerprint(values))
        axes = None if known is None or offset < end else _find_axes(values, known[2])
        if known is not None and axes is not None:
            places.append(Place(offset, known[0], known[1], axes))
            left.append(weights[end:offset])
            end = offset + size
    return b"".join([*left, weights[end:]]), tuple(places)


def put_back(left: bytes, places: Sequence[Place], files: Sequence[Path]) -> bytes:
    """Return a model's weights as they were before `take_out`.

    Args:
      left: what it left.
      places: what it took out.
      files: the same files.

    Raises:
      KeyError: a file does not have what was taken out.
      OSError: a file cannot be read.
    """
    import h5py

    parts, at, length = [], 0, 0
    with ExitStack() as stack:
        opened = [stack.enter_context(h5py.File(file)) for file in files]
        for place in places:
            between = place.offset - length
            values = np.asarray(opened[place.file][place.dataset], np.float32)
            parts += [left[at : at + between], np.transpose(values, place.axes).tobytes()]
            at, length = at + between, place.offset + len(parts[-1])
    return b"".join([*parts, left[at:]])


def _datasets(path: Path) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    import h5py

    names: list[str] = []
    with h5py.File(path) as file:
        file.visit(names.append)
        for name in names:
            if isinstance(file[name], h5py.Dataset):
                yield name, np.asarray(file[name])


def _constants(topology: bytes) -> set[tuple[int, int]]:
    """Return offset and size, in bytes, of a model's constants of float32."""
    found = (node.attrib for node in ElementTree.fromstring(topology).iter("data"))
    return {
        (int(one["offset"]), int(one["size"]))
        for one in found
        if one.get("element_type") == "f32" and int(one.get("size", 0)) >= 4 * _LEAST
    }


def _fingerprint(values: npt.NDArray[Any]) -> bytes:
    """Return what does not depend on the order of the numbers."""
    unsigned = values.astype(np.float32) + np.float32(0)  # of zeros with signs the order is open
    return np.sort(unsigned, axis=None).tobytes()


def _find_axes(
    wanted: npt.NDArray[np.float32], values: npt.NDArray[np.float32]
) -> tuple[int, ...] | None:
    for axes in itertools.permutations(range(values.ndim)):
        if np.array_equal(np.transpose(values, axes).ravel(), wanted):
            return axes
    return None
