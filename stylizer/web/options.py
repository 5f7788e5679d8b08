"""What clients may ask for, read from JSON: every value is checked, and what is odd is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from stylizer.effects.faces import FaceMode
from stylizer.temporal.keyframes import MOST_KEYFRAMES
from stylizer.web.errors import ApiError

__all__ = [
    "LiveSettings",
    "Look",
    "PhotoOptions",
    "StyleChoice",
    "TuneOptions",
    "VideoOptions",
    "read_live_settings",
    "read_object",
    "read_photo_options",
    "read_tune_options",
    "read_video_options",
]

_MOST_STYLES = 4
_LONGEST_TEXT = 16_384
_LONGEST_SHOWN = 40
_ONLY_THESE = ConfigDict(extra="forbid")

_WORDS = {
    "Input should be": "expected",
    "String should have": "expected",
    "a valid integer": "a whole number",
    "a valid boolean": "true or false",
    "a valid tuple": "a list",
    "a valid ": "a ",
    "a dictionary or an instance of StyleChoice": "an object with an id",
    "less than or equal to": "at most",
    "greater than or equal to": "at least",
}
"""What pydantic says in Python's words, and a client is told in JSON's."""

_Options = TypeVar("_Options")


def _whole(value: Any) -> Any:
    """Take 360.0 as 360, which JSON does not tell apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _some(styles: tuple[StyleChoice, ...]) -> tuple[StyleChoice, ...]:
    if not 1 <= len(styles) <= _MOST_STYLES:
        raise ValueError(f"expected a list of 1 to {_MOST_STYLES} styles, got {len(styles)}")
    chosen = tuple(style for style in styles if style.weight > 0)
    if not chosen:
        raise ValueError("expected a style with a weight above 0")
    return chosen


Share = Annotated[float, Field(strict=True, ge=0, le=1)]
ShortSide = Annotated[int, BeforeValidator(_whole), Field(strict=True, ge=32, le=8192)]
Quality = Annotated[int, BeforeValidator(_whole), Field(strict=True, ge=10, le=95)]
Keyframes = Annotated[int, BeforeValidator(_whole), Field(strict=True, ge=1, le=MOST_KEYFRAMES)]
StyleId = Annotated[str, Field(strict=True, min_length=1, max_length=100)]
Styles = Annotated[tuple["StyleChoice", ...], AfterValidator(_some)]


@dataclass(frozen=True, kw_only=True, config=_ONLY_THESE)
class StyleChoice:
    """One of the styles to paint after: its id, and its share; one of 0 is left out."""

    id: StyleId
    weight: float = Field(default=1.0, strict=True, ge=0, le=1e6)


@dataclass(frozen=True, kw_only=True, config=_ONLY_THESE)
class Look:
    """What is asked for of live streams, photos and videos alike.

    Attributes:
      styles: one or more.
      strength: 0 (the source) to 1 (the painting).
      keep_color: whether the source's colors are kept.
      faces: what is done to faces where they can be found.
      person_style: the style that people are painted after; None for that of all else.
      background_style: the same for what is behind them.
      face_style: the same for faces.
    """

    styles: Styles
    strength: Share = 1.0
    keep_color: StrictBool = False
    faces: FaceMode = "keep"
    person_style: StyleId | None = None
    background_style: StyleId | None = None
    face_style: StyleId | None = None

    @property
    def parts(self) -> dict[str, str]:
        """The ids of the styles that parts of the picture have, from the lowest to the highest."""
        asked = {
            "background": self.background_style,
            "person": self.person_style,
            "face": self.face_style,
        }
        return {part: style for part, style in asked.items() if style is not None}


@dataclass(frozen=True, kw_only=True, config=_ONLY_THESE)
class LiveSettings(Look):
    """How a live stream is painted.

    Attributes:
      coherence: 0 (each frame by itself) to 1.
      short_side: of the painted picture, in pixels; smaller sources are not enlarged.
      quality: of the pictures that are sent back, as JPEG has it.
      adapts: whether less is painted where painting takes too long for a film's rate.
    """

    coherence: Share = 0.8
    short_side: ShortSide = 360
    quality: Quality = 85
    adapts: StrictBool = True


@dataclass(frozen=True, kw_only=True, config=_ONLY_THESE)
class PhotoOptions(Look):
    """How a photo is painted.

    Attributes:
      method: of painting.
      short_side: of the result, in pixels; None for the photo's own.
      iterations: of ``"gatys"``.
    """

    method: Literal["fast", "gatys"] = "fast"
    short_side: ShortSide | None = None
    iterations: Annotated[int, BeforeValidator(_whole), Field(strict=True, ge=1)] = 60


@dataclass(frozen=True, kw_only=True, config=_ONLY_THESE)
class VideoOptions(Look):
    """How a video is painted.

    Attributes:
      coherence: 0 (each frame by itself) to 1.
      short_side: of the result, in pixels; None for the video's own.
      keyframes: every how many frames one is painted (`stylizer.temporal.keyframes`).
      finer: whether it is painted in finer strokes too (`stylizer.effects.finer_moving`).
    """

    coherence: Share = 0.8
    short_side: ShortSide | None = None
    keyframes: Keyframes = 1
    finer: StrictBool = False

    @property
    def is_finer(self) -> bool:
        """Whether finer strokes are asked for and can be had: paintings are held still."""
        return self.finer and self.coherence > 0


@dataclass(frozen=True, kw_only=True, config=_ONLY_THESE)
class TuneOptions:
    """How a style of one's own is improved: which one, and for how many minutes."""

    style: StyleId
    minutes: Annotated[float, Field(strict=True, gt=0)] = 3.0


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
        raise _bad(f"{name}: expected a JSON object, got {_shown(value)}")
    return value


def read_live_settings(values: Mapping[str, Any], before: LiveSettings) -> LiveSettings:
    """Return the settings with the given ones changed.

    Raises:
      ApiError: an unknown name, or a value out of its range.
    """
    return _read(LiveSettings, {**asdict(before), **values})


def read_photo_options(values: Mapping[str, Any], *, most_iterations: int) -> PhotoOptions:
    """Return what is asked for a photo.

    Raises:
      ApiError: no styles, an unknown name, or a value out of its range.
    """
    options = _read(PhotoOptions, values)
    if options.iterations > most_iterations:
        raise _bad(f"iterations: expected 1 to {most_iterations}, got {options.iterations}")
    return options


def read_video_options(values: Mapping[str, Any]) -> VideoOptions:
    """Return what is asked for a video.

    Raises:
      ApiError: no styles, an unknown name, or a value out of its range.
    """
    return _read(VideoOptions, values)


def read_tune_options(values: Mapping[str, Any], *, most_minutes: float) -> TuneOptions:
    """Return what is asked for a style.

    Raises:
      ApiError: no style, an unknown name, or a value out of its range.
    """
    options = _read(TuneOptions, values)
    if options.minutes > most_minutes:
        raise _bad(f"minutes: expected at most {most_minutes:g}, got {options.minutes:g}")
    return options


def _read(kind: type[_Options], values: Mapping[str, Any]) -> _Options:
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        raise _bad(_explain(error, kind)) from None


def _explain(error: ValidationError, kind: type[Any]) -> str:
    """Say what was expected where, and what was got."""
    wrong = error.errors(include_url=False)[0]
    where = "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in wrong["loc"])[1:]
    if wrong["type"] == "missing":
        return f"{where}: expected to be given, got nothing"
    if wrong["type"] == "unexpected_keyword_argument":
        known = StyleChoice if "." in where else kind
        names = ", ".join(field.name for field in fields(known))
        return f"{where[:_LONGEST_SHOWN]!r}: no such option; there are {names}"
    if wrong["type"] == "value_error":
        return f"{where}: {wrong['ctx']['error']}"
    told = wrong["msg"]
    for words, ours in _WORDS.items():
        told = told.replace(words, ours)
    return f"{where}: {told}, got {_shown(wrong['input'])}"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _bad(message: str) -> ApiError:
    return ApiError(400, "bad_options", message)
