"""The options of a painting's look, whatever painted it: strength, colors, strokes, faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from stylizer.effects.color import ColorMode, check_pictures
from stylizer.effects.faces import FaceMode, FacesConfig
from stylizer.effects.finer import Finer, usual_finer
from stylizer.effects.hands import HandMode, HandsConfig
from stylizer.effects.scale import USUAL_STROKE, check_stroke
from stylizer.effects.strength import check_strength
from stylizer.effects.underdrawing import USUAL_UNDERDRAWING, check_underdrawing
from stylizer.effects.underpainting import (
    STILL_UNDERPAINTING,
    VIDEO_UNDERPAINTING,
    check_underpainting,
)
from stylizer.errors import ConfigError
from stylizer.faces.models import find_models
from stylizer.methods import METHODS, MethodConfig, find_method
from stylizer.styles.load import AnyStyle
from stylizer.usual import keeps_faces, prepares_frames

from .shared import option

__all__ = ["FinerOptions", "LookOptions"]

_STYLE = "Style"

_STRENGTHS = ", ".join(f"{one.face_strength:g} with {one.name}" for one in METHODS.values())


@dataclass(frozen=True, kw_only=True)
class LookOptions:
    """Strength and colors, for every method."""

    strength: Annotated[
        float, option("strength", "From 0 (the source) to 1 (the painting).", _STYLE)
    ] = 1.0
    keep_color: Annotated[
        ColorMode | None,
        option(
            "keep-color",
            "Keep the source's colors: luminance takes only light and dark from the painting, "
            "match gives the style pictures the source's colors before painting.",
            _STYLE,
        ),
    ] = None

    stroke: Annotated[
        str | None,
        option(
            "stroke",
            "Breadth of the fast method's strokes, relative to the picture: 2 is twice as broad. "
            f"native: so many pixels, whatever the picture's size. Default: {USUAL_STROKE:g}.",
            _STYLE,
            show_default=False,
            metavar="FACTOR|native",
        ),
    ] = None

    underpainting: Annotated[
        float | None,
        option(
            "underpainting",
            "From 0 to 1: how much a first painting in strokes twice as broad leads the fast "
            "method's strokes, where one style is for all of the picture: bolder, with longer "
            "lines, in a quarter more time. Default, for the networks of our own: "
            f"{STILL_UNDERPAINTING:g} for stills, {VIDEO_UNDERPAINTING:g} for videos, and live "
            "where there is time for it; 0 leaves it out.",
            _STYLE,
            show_default=False,
        ),
    ] = None

    underdrawing: Annotated[
        float | None,
        option(
            "underdrawing",
            "From 0 to 1: how strongly the source's contours lead the fast method's strokes, and "
            "how much of its light and dark paint gets back that has lost the form of things. In "
            "stills, what is faint is made plainer before, and strokes are finer along contours, "
            "and for people. Default: "
            f"{USUAL_UNDERDRAWING:g} for the networks of our own.",
            _STYLE,
            show_default=False,
        ),
    ] = None

    faces: Annotated[
        FaceMode | None,
        option(
            "faces",
            "keep: faces stay themselves, small ones in finer strokes; paint: they are painted as "
            "all else is; only: nothing but faces is painted. Default: keep; paint with --portrait "
            "or --recipe, or another --initial than painted.",
            _STYLE,
            show_default=False,
        ),
    ] = None
    face_strength: Annotated[
        float | None,
        option(
            "face-strength",
            f"How much of faces is kept, from 0 to 1. Default: {_STRENGTHS}.",
            _STYLE,
            show_default=False,
        ),
    ] = None

    hands: Annotated[
        HandMode | None,
        option(
            "hands",
            "keep: hands are painted in finer strokes, so that fingers are told apart; paint: they "
            "are painted as all else is. Default: keep where faces are kept.",
            _STYLE,
            show_default=False,
        ),
    ] = None

    def hands_config(self, method: MethodConfig) -> HandsConfig | None:
        """Return what is done to hands: the same as to faces, where nobody says what.

        Raises:
          BackendError, ConfigError: as `face_config`.
        """
        faces = self.face_config(method)
        usual = "paint" if faces is None else "keep"
        strength = find_method(method).face_strength
        return HandsConfig(strength=strength) if (self.hands or usual) == "keep" else None

    def face_config(self, method: MethodConfig) -> FacesConfig | None:
        """Return what is done to faces.

        Args:
          method: what paints; an optimization that does not start from a painting is left as it
            is unless faces are asked for: it is to be as in a paper, or a portrait.

        Raises:
          BackendError: what finds faces is asked for, and not installed.
          ConfigError: ``--face-strength`` is out of its range.
        """
        if self.faces in ("keep", "only"):
            find_models()
        mode = self.faces or ("keep" if keeps_faces(method) else "paint")
        usual_strength = find_method(method).face_strength
        strength = usual_strength if self.face_strength is None else self.face_strength
        try:
            config = FacesConfig(mode=mode, strength=strength)
        except ConfigError as error:
            raise ConfigError(f"--face-{error}") from None
        return None if mode == "paint" else config

    def begin(self, method: MethodConfig, *, underpainting: float) -> tuple[float, float]:
        """Return how paintings begin, as `StylizerConfig` has it: (underpainting, underdrawing).

        Args:
          method: what paints; Magenta's network is left as it is if nobody asks.
          underpainting: where nobody asks.
        """
        own = prepares_frames(method)
        painting, drawing = (underpainting, USUAL_UNDERDRAWING) if own else (0.0, 0.0)
        return (
            painting if self.underpainting is None else self.underpainting,
            drawing if self.underdrawing is None else self.underdrawing,
        )

    @property
    def breadth(self) -> float | None:
        """The breadth of strokes, None for native.

        Raises:
          ConfigError: ``--stroke`` is no number, or out of its range.
        """
        if self.stroke is None:
            return USUAL_STROKE
        if self.stroke == "native":
            return None
        try:
            breadth = float(self.stroke)
            check_stroke(breadth)
        except (ValueError, ConfigError) as error:
            raise ConfigError(
                f"--stroke: expected a factor from 0.1 to 8, or native, got {self.stroke}"
            ) from error
        return breadth

    def check(self, styles: Sequence[AnyStyle], method: MethodConfig) -> None:
        """Say what is wrong before anything is loaded.

        Raises:
          BackendError: what finds faces is asked for, and not installed.
          ConfigError: a strength, a share or the stroke is out of its range, or the
            method has no strokes to scale.
          StyleError: colors are to be matched, and a style is built in and has no picture.
        """
        try:
            check_strength(self.strength)
            check_underpainting(self.underpainting or 0.0)
            check_underdrawing(self.underdrawing or 0.0)
        except ConfigError as error:
            raise ConfigError(f"--{error}") from None
        _ = self.breadth
        self.face_config(method)
        if self.stroke is not None and not find_method(method).scales_strokes:
            raise ConfigError(
                "--stroke: belongs to --method fast; with gatys, --size and --style-scale rule "
                "the breadth of strokes: leave one of them out"
            )
        if self.underpainting is not None and not find_method(method).scales_strokes:
            raise ConfigError(
                "--underpainting: belongs to --method fast; with gatys, --scales goes from coarse "
                "to fine: leave one of them out"
            )
        if self.underdrawing is not None and not find_method(method).scales_strokes:
            raise ConfigError(
                "--underdrawing: belongs to --method fast; with gatys, --style-weight says how "
                "much of the source is left: leave one of them out"
            )
        if self.keep_color == "match":
            check_pictures(styles)


@dataclass(frozen=True, kw_only=True)
class FinerOptions:
    """What of a video is painted in finer strokes."""

    finer: Annotated[
        bool,
        option(
            "finer",
            "Paint frames in strokes half as broad as well, as stills are, for people, contours "
            "and detail: a crisper picture, in two to three times the time. With the fast method.",
            _STYLE,
        ),
    ] = False

    def part(
        self, styles: Sequence[AnyStyle], method: MethodConfig, look: LookOptions
    ) -> Finer | None:
        """Return what is painted in finer strokes, as `StylizerConfig` has it.

        Raises:
          ConfigError: it is asked for, and strokes are not relative to the frame.
        """
        if not self.finer:
            return None
        if not find_method(method).scales_strokes or look.breadth is None:
            raise ConfigError(
                "--finer: belongs to --method fast, with strokes relative to the frame; leave it "
                "out, or --method gatys or --stroke native"
            )
        return usual_finer(styles)
