"""The options of how a video holds still, and of people.

Cuts, coherence and the optical flow of both; what of people is painted, and what finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from stylizer.description import usual_coherence
from stylizer.effects.overpainting import USUAL_OVERPAINTING, check_overpainting
from stylizer.effects.region import Part, RegionConfig
from stylizer.effects.segmenter import CLASSES, WHERE_CLASSES
from stylizer.errors import ConfigError
from stylizer.faces.models import find_models
from stylizer.gatys.config import GatysConfig
from stylizer.methods import MethodConfig
from stylizer.network.config import FastConfig
from stylizer.styles.load import AnyStyle
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.cuts import CutConfig
from stylizer.temporal.flow import Preset
from stylizer.temporal.keyframes import MOST_KEYFRAMES, check_keyframes
from stylizer.usual import prepares_frames

from .shared import option

__all__ = [
    "CoherenceOptions",
    "PeopleOptions",
    "RefineOptions",
    "check_keyframes_option",
]

_STYLE, _COHERENCE, _LIVE = "Style", "Coherence", "Live"
_DEFAULTS = CoherenceConfig()


@dataclass(frozen=True, kw_only=True)
class CoherenceOptions:
    """How a frame goes on from the one before; an option that is not given is None."""

    cuts: Annotated[
        Literal["on", "off"],
        option("cuts", "Begin anew at cuts, and when a camera was off.", _COHERENCE),
    ] = "on"
    coherence: Annotated[
        float | None,
        option(
            "coherence",
            "From 0 (each frame by itself, with all its boil) to 1 (as still as can be). "
            f"Default: {_DEFAULTS.strength:g}; with gatys, which has a memory of its own, 0.",
            _COHERENCE,
            show_default=False,
        ),
    ] = None
    flow: Annotated[
        Preset | None,
        option(
            "flow",
            "Quality of the optical flow.",
            _COHERENCE,
            show_default=_DEFAULTS.preset,
        ),
    ] = None
    keyframes: Annotated[
        int,
        option(
            "keyframes",
            f"Paint every Nth frame, 1 (all) to {MOST_KEYFRAMES}, and carry the painting along to "
            "those between, which is quicker; what shows much that is new is painted all the same. "
            "Live, more are left out where --fps needs it.",
            _COHERENCE,
            metavar="N",
        ),
    ] = 1

    overpainting: Annotated[
        float | None,
        option(
            "overpainting",
            "From 0 to 1: how much of the last key frame's painting frames are painted over, so "
            "that strokes stay where they were, and get firm and long. Default, for the networks "
            f"of our own: {USUAL_OVERPAINTING:g}; 0 leaves it out.",
            _COHERENCE,
            show_default=False,
        ),
    ] = None

    def check(self, method: MethodConfig) -> None:
        """Say before anything is opened what cannot be.

        Args:
          method: what paints.

        Raises:
          ConfigError: ``--coherence``, ``--keyframes`` or ``--overpainting`` is out of its range,
            or the last is not for the method.
        """
        self.config(FastConfig())
        self.every(FastConfig())
        self.share_before(method)

    def share_before(self, method: MethodConfig) -> float:
        """Return the share of a painting before that frames are painted over.

        Args:
          method: what paints; Magenta's network is left as it is if nobody asks.

        Raises:
          ConfigError: ``--overpainting`` is out of its range, or not for the method.
        """
        if self.overpainting is None:
            return USUAL_OVERPAINTING if prepares_frames(method) else 0.0
        if not isinstance(method, FastConfig):
            raise ConfigError(
                "--overpainting: belongs to --method fast; with gatys, --temporal-weight holds "
                "frames near to those before: leave one of them out"
            )
        try:
            check_overpainting(self.overpainting)
        except ConfigError as error:
            raise ConfigError(f"--{error}") from None
        return self.overpainting

    def every(self, method: MethodConfig) -> int:
        """Return every how many frames one is painted.

        Args:
          method: what paints.

        Raises:
          ConfigError: ``--keyframes`` is out of its range, or more than 1 with several passes.
        """
        check_keyframes_option(self.keyframes)
        if self.keyframes > 1 and isinstance(method, GatysConfig) and method.passes > 1:
            raise ConfigError(
                f"--keyframes: expected 1 with --passes {method.passes}, which go through every "
                f"frame, got {self.keyframes}; leave one of them out"
            )
        return self.keyframes

    def config(self, method: MethodConfig) -> CoherenceConfig:
        """Return the settings of what holds a video still.

        Args:
          method: what paints, on which it depends what is usual.

        Raises:
          ConfigError: ``--coherence`` is out of its range.
        """
        usual = usual_coherence(method)
        strength = usual.strength if self.coherence is None else self.coherence
        if not 0.0 <= strength <= 1.0:
            raise ConfigError(f"--coherence: expected 0 to 1, got {strength:g}")
        return replace(usual, strength=strength, preset=self.flow or usual.preset)

    def cut_config(self) -> CutConfig | None:
        """Return how cuts are found, None for not at all."""
        return CutConfig() if self.cuts == "on" else None


@dataclass(frozen=True, kw_only=True)
class PeopleOptions:
    """Whether only people are painted, or what is behind them; and what finds them."""

    region: Annotated[
        Part | None,
        option(
            "region",
            "Paint only people, or only what is behind them.",
            _STYLE,
        ),
    ] = None
    segmenter: Annotated[
        Path | None,
        option(
            "segmenter",
            "A TFLite network that finds people in place of the package's own, for --style "
            "person=STYLE and for --region. For hair=STYLE and skin=STYLE one is needed: "
            f"{WHERE_CLASSES}. Extra: litert.",
            _STYLE,
            metavar="FILE",
        ),
    ] = None

    def check_parts(self, styles: Sequence[AnyStyle]) -> None:
        """Say before anything is loaded whose parts of a picture cannot be found.

        Raises:
          BackendError: what finds faces is not installed.
          ConfigError: nothing tells hair and skin apart, or what finds people is given in vain.
        """
        parts = {style.region for style in styles}
        if "face" in parts:
            find_models()
        for part in CLASSES:
            if part in parts and self.segmenter is None:
                raise ConfigError(
                    f"--style {part}=...: expected --segmenter FILE, a network that tells hair and "
                    f"skin apart ({WHERE_CLASSES}), which the package's own does not; or give "
                    "masks: --style mask:FILE=STYLE"
                )
        if self.segmenter is not None and self.region is None and not parts & _PEOPLE:
            raise ConfigError(
                "--segmenter: finds people for --style person=STYLE or --region; add one of them"
            )

    @property
    def painted(self) -> RegionConfig | None:
        """What is painted of each frame, None for all of it."""
        if self.region is None:
            return None
        return RegionConfig(part=self.region, segmenter=self.segmenter)


_PEOPLE = {"person", "background", *CLASSES}


@dataclass(frozen=True, kw_only=True)
class RefineOptions:
    """Whether pictures that are still are refined."""

    refine: Annotated[
        bool,
        option(
            "refine/--no-refine",
            "While the picture is still, refine the network's painting by the optimization.",
            _LIVE,
        ),
    ] = False

    def check(self, config: MethodConfig, *, styles: Sequence[AnyStyle] = ()) -> None:
        """Say before anything is opened what cannot be.

        Args:
          config: of the method.
          styles: that are asked for.

        Raises:
          ConfigError: ``--refine`` with Gatys or with styles for parts of the picture.
        """
        if self.refine and any(style.region is not None for style in styles):
            raise ConfigError(
                "--refine: refines pictures of one style all over, got styles for parts of them; "
                "leave one out"
            )
        if self.refine and isinstance(config, GatysConfig):
            raise ConfigError(
                "--refine: refines what the fast network painted, got --method gatys, which "
                "optimizes every frame; leave one of them out"
            )


def check_keyframes_option(keyframes: int) -> None:
    """Make sure that ``--keyframes`` is in its range.

    Raises:
      ConfigError: it is not.
    """
    try:
        check_keyframes(keyframes)
    except ConfigError as error:
        raise ConfigError(f"--{error}") from None
