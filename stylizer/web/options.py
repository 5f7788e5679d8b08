"""What clients may ask for, read from JSON: every value is checked, and what is odd is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from stylizer.web.errors import ApiError

__all__ = [
    "LiveSettings",
    "PhotoOptions",
    "StyleChoice",
    "VideoOptions",
    "read_live_settings",
    "read_object",
    "read_photo_options",
    "read_video_options",
]

_MOST_STYLES = 4
_MOST_WEIGHT = 1e6
_LONGEST_TEXT = 16_384
_LEAST_SIDE, _MOST_SIDE = 32, 8192
"""Of a short side that is asked for, in pixels."""

Reader = Callable[[str, Any], Any]


@dataclass(frozen=True, kw_only=True)
class StyleChoice:
    """One of the styles to paint after: its id, and its share, more than 0."""

    id: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """How a live stream is painted.

    Attributes:
      styles: one or more.
      strength: 0 (the source) to 1 (the painting).
      coherence: 0 (each frame by itself) to 1.
      keep_color: whether the source's colors are kept.
      short_side: of the painted picture, in pixels; smaller sources are not enlarged.
    """

    styles: tuple[StyleChoice, ...]
    strength: float = 1.0
    coherence: float = 0.8
    keep_color: bool = False
    short_side: int = 360


@dataclass(frozen=True, kw_only=True)
class PhotoOptions:
    """How a photo is painted; as `LiveSettings` where the names are the same.

    Attributes:
      method: of painting.
      short_side: of the result, in pixels; None for the photo's own.
      iterations: of ``"gatys"``.
    """

    styles: tuple[StyleChoice, ...]
    method: Literal["fast", "gatys"] = "fast"
    strength: float = 1.0
    keep_color: bool = False
    short_side: int | None = None
    iterations: int = 100


@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """How a video is painted; as `LiveSettings`, and ``short_side`` is None for the video's own."""

    styles: tuple[StyleChoice, ...]
    strength: float = 1.0
    coherence: float = 0.8
    keep_color: bool = False
    short_side: int | None = None


def read_object(text: str | bytes | None, *, name: str) -> dict[str, Any]:
    """Read a JSON object.

    Args:
      text: the JSON.
      name: what to call it in the answer.

    Raises:
      ApiError: it is missing, too long, no JSON, or something else than an object.
    """
    if not text:
        raise _bad(f"{name}: expected a JSON object, got nothing")
    if len(text) > _LONGEST_TEXT:
        raise _bad(f"{name}: expected at most {_LONGEST_TEXT} characters, got {len(text)}")
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _bad(f"{name}: expected a JSON object, got something else") from None
    if not isinstance(value, dict):
        raise _bad(f"{name}: expected a JSON object, got {_kind(value)}")
    return value


def read_live_settings(values: Mapping[str, Any], before: LiveSettings) -> LiveSettings:
    """Return the settings with the given ones changed.

    Raises:
      ApiError: an unknown name, or a value out of its range.
    """
    readers: dict[str, Reader] = {
        "styles": _styles,
        "strength": _share,
        "coherence": _share,
        "keep_color": _flag,
        "short_side": _side,
    }
    return replace(before, **_read(values, readers))


def read_photo_options(values: Mapping[str, Any], *, most_iterations: int) -> PhotoOptions:
    """Return what is asked for a photo.

    Raises:
      ApiError: no styles, an unknown name, or a value out of its range.
    """
    readers: dict[str, Reader] = {
        "styles": _styles,
        "method": _method,
        "strength": _share,
        "keep_color": _flag,
        "short_side": _optional(_side),
        "iterations": lambda name, value: _whole(name, value, 1, most_iterations),
    }
    return PhotoOptions(**_read(values, readers, needed="styles"))


def read_video_options(values: Mapping[str, Any]) -> VideoOptions:
    """Return what is asked for a video.

    Raises:
      ApiError: no styles, an unknown name, or a value out of its range.
    """
    readers: dict[str, Reader] = {
        "styles": _styles,
        "strength": _share,
        "coherence": _share,
        "keep_color": _flag,
        "short_side": _optional(_side),
    }
    return VideoOptions(**_read(values, readers, needed="styles"))


def _read(
    values: Mapping[str, Any], readers: Mapping[str, Reader], *, needed: str | None = None
) -> dict[str, Any]:
    if needed is not None and needed not in values:
        raise _bad(f"{needed}: expected to be given, got nothing")
    for name in values:
        if name not in readers:
            raise _bad(f"{name[:40]!r}: no such option; there are {', '.join(readers)}")
    return {name: readers[name](name, value) for name, value in values.items()}


def _styles(name: str, value: Any) -> tuple[StyleChoice, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_STYLES:
        raise _bad(f"{name}: expected a list of 1 to {_MOST_STYLES} styles")
    chosen = [_style(f"{name}[{place}]", entry) for place, entry in enumerate(value)]
    chosen = [style for style in chosen if style.weight > 0]
    if not chosen:
        raise _bad(f"{name}: expected a style with a weight above 0")
    return tuple(chosen)


def _style(name: str, value: Any) -> StyleChoice:
    if not isinstance(value, dict) or not set(value) <= {"id", "weight"} or "id" not in value:
        raise _bad(f'{name}: expected {{"id": ..., "weight": ...}}')
    if not isinstance(value["id"], str) or not 1 <= len(value["id"]) <= 100:
        raise _bad(f"{name}: expected the id of a style")
    weight = _number(f"{name}.weight", value.get("weight", 1.0), 0.0, _MOST_WEIGHT)
    return StyleChoice(id=value["id"], weight=weight)


def _number(name: str, value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(f"{name}: expected a number, got {_kind(value)}")
    if not least <= value <= most or not math.isfinite(value):
        raise _bad(f"{name}: expected {least:g} to {most:g}")
    return float(value)


def _whole(name: str, value: Any, least: int, most: int) -> int:
    number = _number(name, value, least, most)
    if number != int(number):
        raise _bad(f"{name}: expected a whole number, got {number:g}")
    return int(number)


def _share(name: str, value: Any) -> float:
    return _number(name, value, 0.0, 1.0)


def _side(name: str, value: Any) -> int:
    return _whole(name, value, _LEAST_SIDE, _MOST_SIDE)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _bad(f"{name}: expected true or false, got {_kind(value)}")
    return value


def _method(name: str, value: Any) -> str:
    if value not in ("fast", "gatys"):
        raise _bad(f"{name}: expected fast or gatys")
    return str(value)


def _optional(reader: Reader) -> Reader:
    return lambda name, value: None if value is None else reader(name, value)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return names.get(type(value), "nothing" if value is None else "a number")


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _bad(message: str) -> ApiError:
    return ApiError(400, "bad_options", message)
