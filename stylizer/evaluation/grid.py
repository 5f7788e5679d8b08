"""A grid of settings, as users write it: ``style_weight=1,10,100`` and ``iterations=50,100``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.perceptual.types import LayerWeights

__all__ = ["MAX_CELLS", "Axis", "Grid", "Settings"]

MAX_CELLS = 256
"""The most cells of a grid: more is a slip, or a contact sheet that nobody can read."""

Settings = tuple[tuple[str, str], ...]
"""Names and values, as the user wrote them."""

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One setting and the values it takes.

    Attributes:
      name: a field of `GatysConfig`.
      texts: its values as the user wrote them.
      values: the same, as the field's type.
    """

    name: str
    texts: tuple[str, ...]
    values: tuple[object, ...]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All combinations of some settings' values; the last axis varies fastest.

    Attributes:
      axes: at least one, of different settings.
    """

    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        """Check that the axes differ and the grid is not too large.

        Raises:
          ConfigError: no axis, a setting named twice, or more than `MAX_CELLS` cells.
        """
        names = [axis.name for axis in self.axes]
        if not names:
            raise ConfigError("grid: expected at least one setting, as in style_weight=1,10,100")
        if len(set(names)) < len(names):
            raise ConfigError(f"grid: expected each setting once, got {', '.join(names)}")
        if len(self) > MAX_CELLS:
            raise ConfigError(f"grid: expected at most {MAX_CELLS} cells, got {len(self)}")

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Grid:
        """Read axes, each ``setting=value,value,...``.

        A value is written as its field's type asks: a number, a name, true or false, a path, or
        layers as ``block1_conv1:1+block2_conv1:0.5`` (weight 1 when left out), or whole numbers as
        ``1+2+4``; ``none`` stands for a field's None.

        Args:
          texts: one for each axis.

        Raises:
          ConfigError: an axis without values, a setting that does not exist (the message lists
            those that do), or a value of the wrong type.
        """
        return cls(axes=tuple(_parse_axis(text) for text in texts))

    def __len__(self) -> int:
        """Count the cells."""
        count = 1
        for axis in self.axes:
            count *= len(axis.values)
        return count

    @property
    def columns(self) -> int:
        """How many cells make up a row: the values of the last axis that has several."""
        counts = [len(axis.values) for axis in self.axes if len(axis.values) > 1]
        return counts[-1] if counts else 1

    def cells(self) -> Iterator[tuple[Settings, dict[str, object]]]:
        """Yield each combination: as written, and as values by field."""
        names = [axis.name for axis in self.axes]
        written = itertools.product(*(axis.texts for axis in self.axes))
        typed = itertools.product(*(axis.values for axis in self.axes))
        for texts, values in zip(written, typed, strict=True):
            yield tuple(zip(names, texts, strict=True)), dict(zip(names, values, strict=True))


def _parse_axis(text: str) -> Axis:
    name, equals, listed = text.partition("=")
    name = name.strip().replace("-", "_")
    texts = tuple(part.strip() for part in listed.split(","))
    if not equals or not all(texts):
        raise ConfigError(f"grid: expected setting=value,value,... got {text!r}")
    known = [field.name for field in fields(GatysConfig)]
    if name not in known:
        raise ConfigError(f"grid: expected one of the settings {', '.join(known)}, got {name!r}")
    read = _reader(get_type_hints(GatysConfig)[name])
    try:
        values = tuple(read(part) for part in texts)
    except ValueError as error:
        raise ConfigError(f"grid, {name}: {error}") from error
    return Axis(name=name, texts=texts, values=values)


def _reader(hint: Any) -> Callable[[str], object]:
    """Return the function that reads a value of a field's type, or raises ValueError."""
    if hint == LayerWeights:
        return _read_layers
    if hint == tuple[int, ...]:
        return lambda text: tuple(int(_read_number(part, int)) for part in text.split("+"))
    if get_origin(hint) is Literal:
        return lambda text: _read_choice(text, get_args(hint))
    parts = get_args(hint)
    if NoneType in parts:
        (inner,) = (part for part in parts if part is not NoneType)
        read = _reader(inner)
        return lambda text: None if text.lower() == "none" else read(text)
    plain: dict[Any, Callable[[str], object]] = {
        bool: _read_truth,
        float: lambda text: _read_number(text, float),
        int: lambda text: _read_number(text, int),
        str: str,
        Path: Path,
    }
    return plain[hint]


def _read_number(text: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(text)
    except ValueError:
        expected = "a whole number" if kind is int else "a number"
        raise ValueError(f"expected {expected}, got {text!r}") from None


def _read_choice(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise ValueError(f"expected one of {', '.join(choices)}, got {text!r}")
    return text


def _read_truth(text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise ValueError(f"expected true or false, got {text!r}")
    return _TRUTHS[text.lower()]


def _read_layers(text: str) -> LayerWeights:
    layers = []
    for part in text.split("+"):
        layer, colon, weight = part.partition(":")
        if not layer.strip() or (colon and not weight):
            raise ValueError(f"expected layers as block1_conv1:1+block2_conv1:0.5, got {text!r}")
        layers.append((layer.strip(), _read_number(weight, float) if colon else 1.0))
    return tuple(layers)
