"""What a stylizer is to be, described: compared, pickled, written as JSON, and built anywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from stylizer.effects.color import ColorMode, check_pictures
from stylizer.effects.faces import FacesConfig
from stylizer.effects.finer import Finer, check_finer
from stylizer.effects.hands import HandsConfig
from stylizer.effects.overpainting import check_overpainting
from stylizer.effects.region import RegionConfig
from stylizer.effects.scale import USUAL_STROKE, check_detail, check_stroke
from stylizer.effects.strength import check_strength
from stylizer.effects.underdrawing import check_underdrawing
from stylizer.effects.underpainting import check_underpainting
from stylizer.errors import ConfigError, StyleError
from stylizer.methods import METHODS, MethodConfig, find_method
from stylizer.network.config import FastConfig
from stylizer.serialize import from_plain, to_plain
from stylizer.styles.load import AnyStyle, NamedStyle, load_style, load_styles
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.cuts import CutConfig
from stylizer.temporal.keyframes import check_keyframes

__all__ = ["EffectsConfig", "StylizerConfig", "usual_coherence"]


@dataclass(frozen=True, kw_only=True)
class EffectsConfig:
    """What is done to what was painted.

    Attributes:
      strength: 0 (the source) to 1 (the painting).
      keep_color: whether the painting gets the source's colors.
      coherence: what holds a video still; of strength 0 for nothing.
      cuts: how cuts are found, at which earlier frames are forgotten; None for not at all.
      region: what is painted of each frame; None for all of it.
      faces: what is done to faces; None for nothing, as of mode ``"paint"``.
      hands: what is done to hands; None for nothing, as of mode ``"paint"``.
      stroke: breadth of the strokes, relative to the frame, as `stylizer.effects.scale.paint_size`
        says; None for strokes of so many pixels, whatever the frame's size.
      detail: share of the fine detail that a second painting at the frame's size gives, 0 to 1
        (`stylizer.effects.scale.Enlarge`).
      underpainting: share of a first painting in broader strokes that frames are mixed with before
        they are painted, 0 to 1 (`stylizer.effects.underpainting`).
      overpainting: share of a key frame's painting before that frames are mixed with as well, 0 to
        1 (`stylizer.effects.overpainting`); counts where coherence does.
      underdrawing: strength of contours that are drawn into frames before they are painted, 0 to 1
        (`stylizer.effects.underdrawing`), and of light and dark that paint gets back
        (`stylizer.effects.form`). With it, what is faint in stills is made plainer before
        (`stylizer.effects.contrast`), and they have finer strokes for people, along contours and
        where there is detail (`stylizer.effects.finer`).
      finer: what of frames that are held still is painted in finer strokes, as it is of stills,
        where stroke is given: people alone, or all; None for nothing.
      keyframes: 1: every frame is painted; 2 to 4: every such one, and what lies between is carried
        along (`stylizer.temporal.keyframes`).
    """

    strength: float = 1.0
    keep_color: bool = False
    coherence: CoherenceConfig = field(default_factory=CoherenceConfig)
    cuts: CutConfig | None = field(default_factory=CutConfig)
    region: RegionConfig | None = None
    faces: FacesConfig | None = None
    hands: HandsConfig | None = None
    stroke: float | None = None
    detail: float = 0.0
    underpainting: float = 0.0
    overpainting: float = 0.0
    underdrawing: float = 0.0
    finer: Finer | None = None
    keyframes: int = 1

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        check_strength(self.strength)
        check_detail(self.detail)
        check_underpainting(self.underpainting)
        check_overpainting(self.overpainting)
        check_underdrawing(self.underdrawing)
        check_keyframes(self.keyframes)
        check_finer(self.finer)
        if self.stroke is not None:
            check_stroke(self.stroke)


@dataclass(frozen=True, kw_only=True)
class StylizerConfig:
    """A stylizer, described; `stylizer.compose.build` builds it.

    Attributes:
      styles: one or more: built-in names and paths, each with a weight if there are several
        (``"starry_night:0.7"``) and the part of the picture that it is for
        (``"face=starry_night"``, `stylizer.styles.regions`); or styles that are loaded already.
      method: what paints, with its settings.
      strength: 0 (the source) to 1 (the painting).
      keep_color: ``"luminance"`` keeps the source's colors, ``"match"`` gives them to the style
        pictures before anything is painted; None for the style's colors.
      coherence: what holds a video still; None for what suits the method (`usual_coherence`).
      cuts: how cuts are found, at which earlier frames are forgotten; None for not at all.
      region: what is painted of each frame; None for all of it.
      segmenter: a TFLite network that finds people, where styles are for them; None for the
        package's own.
      faces: what is done to faces; None for nothing.
      hands: what is done to hands; None for nothing. Where faces alone are painted, nothing is.
      stroke: breadth of the strokes, relative to the frame: 2 is twice as broad as usual; None for
        strokes of so many pixels, whatever the frame's size. Counts for methods whose strokes have
        a breadth of their own (`stylizer.methods.Method`).
      detail: share of the fine detail that stills get by being painted once more at their full
        size, 0 to 1; it takes as long as that, and flickers in a video. Counts where strokes have a
        breadth relative to the frame, and one style is for all of it.
      underpainting: share of a first painting in strokes twice as broad, which leads the strokes of
        the one that is seen, 0 to 1: bolder, with longer lines. It takes a quarter more time, and
        flickers somewhat more in a video. Counts where detail does.
      overpainting: share of the last key frame's painting that frames are painted over, 0 to 1:
        strokes stay where they were, and get firm and long. Counts where detail does, and frames
        are held still.
      underdrawing: strength of lines along the source's contours that lead the strokes, 0 to 1, so
        that what hardly differs from what is around is not lost; where it is, paint gets its light
        and dark back. Counts where stroke does. With it, what is faint in stills is made plainer
        before, and they have finer strokes for people, along contours and where there is detail.
      finer: what of videos is painted in finer strokes, as it is of stills: ``"people"``, and what
        else a picture is of; ``"all"``: contours and detail as well; None for nothing. It takes
        more than twice as long. Counts where detail does.
      keyframes: every how many frames one is painted, 1 (all) to 4; what lies between is the last
        painting, carried along by the optical flow.
    """

    styles: Sequence[str | AnyStyle]
    method: MethodConfig = field(default_factory=FastConfig)
    strength: float = 1.0
    keep_color: ColorMode | None = None
    coherence: CoherenceConfig | None = None
    cuts: CutConfig | None = field(default_factory=CutConfig)
    region: RegionConfig | None = None
    segmenter: Path | None = None
    faces: FacesConfig | None = None
    hands: HandsConfig | None = None
    stroke: float | None = USUAL_STROKE
    detail: float = 0.0
    underpainting: float = 0.0
    overpainting: float = 0.0
    underdrawing: float = 0.0
    finer: Finer | None = None
    keyframes: int = 1

    def __post_init__(self) -> None:
        """Check what can be checked without loading anything."""
        if isinstance(self.styles, str):
            raise ConfigError(
                f"styles: expected a list of styles, got the text {self.styles!r}; wrap it in []"
            )
        object.__setattr__(self, "styles", tuple(self.styles))
        if self.keep_color not in (None, *get_args(ColorMode)):
            raise ConfigError(
                f"keep_color: expected None, {' or '.join(get_args(ColorMode))}, "
                f"got {self.keep_color!r}"
            )
        check_strength(self.strength)
        check_detail(self.detail)
        check_underpainting(self.underpainting)
        check_overpainting(self.overpainting)
        check_underdrawing(self.underdrawing)
        check_keyframes(self.keyframes)
        check_finer(self.finer)
        if self.stroke is not None:
            check_stroke(self.stroke)

    @property
    def effects(self) -> EffectsConfig:
        """What is done to what the method paints."""
        scales = find_method(self.method).scales_strokes
        return EffectsConfig(
            strength=self.strength,
            keep_color=self.keep_color == "luminance",
            coherence=self.coherence or usual_coherence(self.method),
            cuts=self.cuts,
            region=self.region,
            faces=self.faces,
            hands=self.hands,
            stroke=self.stroke if scales else None,
            detail=self.detail,
            underpainting=self.underpainting,
            overpainting=self.overpainting,
            underdrawing=self.underdrawing if scales else 0.0,
            finer=self.finer,
            keyframes=self.keyframes,
        )

    def to_json(self) -> str:
        """Return the description as JSON, for `from_json`; styles are written as references.

        Raises:
          StyleError: a style is a picture in memory, of which nothing says where it came from.
        """
        values = to_plain(replace(self, styles=[_reference(style) for style in self.styles]))
        values["method"] = {"name": find_method(self.method).name, **values["method"]}
        return json.dumps(values, indent=2)

    @classmethod
    def from_json(cls, text: str) -> StylizerConfig:
        """Return a description out of JSON; what is missing has its default.

        Args:
          text: as `to_json` writes it. Paths of styles and weights are those of this machine.

        Raises:
          ConfigError: it is no JSON object, or a setting is unknown or out of its range.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"stylizer: expected JSON, got a mistake in it ({error})") from error
        method = values.pop("method", None) if isinstance(values, dict) else None
        config = from_plain(cls, values, name="stylizer")
        return config if method is None else replace(config, method=_read_method(method))

    def load_styles(self) -> tuple[AnyStyle, ...]:
        """Return the styles, read and checked; of those given as texts, weights have a sum of 1.

        Raises:
          StyleError: there is none, one cannot be read, or one without a picture is to be matched.
        """
        styles: tuple[AnyStyle, ...]
        texts = [style for style in self.styles if isinstance(style, str)]
        if len(texts) == len(self.styles):
            styles = load_styles(texts)
        else:
            styles = tuple(
                load_style(style) if isinstance(style, str) else style for style in self.styles
            )
        return check_pictures(styles) if self.keep_color == "match" else styles


def _read_method(values: object) -> MethodConfig:
    """Return a method's settings, told by its name and then as `from_plain` says."""
    if not isinstance(values, dict):
        raise ConfigError(f"method: expected an object, got {values!r}")
    name = values.get("name", "fast")
    if name not in METHODS:
        raise ConfigError(f"method.name: expected {' or '.join(METHODS)}, got {name!r}")
    rest = {key: value for key, value in values.items() if key != "name"}
    return from_plain(METHODS[name].config, rest, name="method")


def _reference(style: str | AnyStyle) -> str:
    """Return what `load_style` reads a style from."""
    if isinstance(style, str):
        return style
    if isinstance(style, NamedStyle):
        part = "" if style.region is None else f"{style.region}="
        return f"{part}{style.name}:{style.weight!r}"
    raise StyleError(
        f"style {style.name}: expected a built-in name or a path, got a picture in memory, which "
        "JSON does not hold; describe the stylizer by the picture's path"
    )


def usual_coherence(method: MethodConfig) -> CoherenceConfig:
    """Return the default settings of coherence; none for a method with a memory of its own."""
    return CoherenceConfig(strength=0.0) if find_method(method).recurrent else CoherenceConfig()
