"""The options of how a video holds still, and of the region that is painted.

Cuts, coherence and the optical flow of both; what finds people.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from stylizer.description import usual_coherence
from stylizer.effects.region import Part, RegionConfig
from stylizer.effects.segmenter import CLASSES, WHERE, WHERE_CLASSES
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

from .shared import option

__all__ = [
    "CoherenceOptions",
    "PeopleOptions",
    "RegionOptions",
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

    def check(self) -> None:
        """Say before anything is opened what cannot be.

        Raises:
          ConfigError: ``--coherence`` or ``--keyframes`` is out of its range.
        """
        self.config(FastConfig())
        self.every(FastConfig())

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
    """What finds people."""

    segmenter: Annotated[
        Path | None,
        option(
            "segmenter",
            f"A TFLite network that finds people, for --style person=STYLE and for --region; "
            f"{WHERE}. For hair=STYLE and skin=STYLE: selfie_multiclass_256x256.tflite. "
            "Extra: litert.",
            _STYLE,
            metavar="FILE",
        ),
    ] = None

    def check_parts(self, styles: Sequence[AnyStyle]) -> None:
        """Say before anything is loaded whose parts of a picture cannot be found.

        Raises:
          BackendError: what finds faces is not installed.
          ConfigError: nothing finds people, or what does so is given in vain.
        """
        parts = {style.region for style in styles}
        if "face" in parts:
            find_models()
        _check_classes(parts, self.segmenter)
        people = parts & _PEOPLE
        if people and self.segmenter is None:
            raise ConfigError(
                f"--style {people.pop()}=...: expected --segmenter FILE, a network that finds "
                f"people ({WHERE}); or give masks: --style mask:FILE=STYLE"
            )
        if self.segmenter is not None and not people:
            raise ConfigError("--segmenter: finds people for --style person=STYLE; add it")


_PEOPLE = {"person", "background", *CLASSES}


def _check_classes(parts: Collection[str | None], segmenter: Path | None) -> None:
    """Say that hair and skin are found by a network alone.

    Raises:
      ConfigError: one of them is asked for, and there is no network.
    """
    for part in CLASSES:
        if part in parts and segmenter is None:
            raise ConfigError(
                f"--style {part}=...: expected --segmenter FILE, a network that tells hair and "
                f"skin apart ({WHERE_CLASSES}); or give masks: --style mask:FILE=STYLE"
            )


@dataclass(frozen=True, kw_only=True)
class RegionOptions(PeopleOptions):
    """Person or background, and refinement."""

    region: Annotated[
        Part | None,
        option(
            "region",
            "Paint only the person, or only what is behind. Without --segmenter the background is "
            "learnt first, while you step out of the picture for about five seconds; the camera "
            "must stand still.",
            _LIVE,
        ),
    ] = None
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
          BackendError: what finds faces is not installed.
          ConfigError: ``--segmenter`` with nobody to find, or ``--refine`` with Gatys or with
            styles for parts of the picture.
        """
        parts = {style.region for style in styles} - {None}
        if "face" in parts:
            find_models()
        if self.refine and parts:
            raise ConfigError(
                "--refine: refines pictures of one style all over, got styles for parts of them; "
                "leave one out"
            )
        _check_classes(parts, self.segmenter)
        people = parts & _PEOPLE
        if self.segmenter is not None and self.region is None and not people:
            raise ConfigError("--segmenter: finds people for --region person or background; add it")
        if self.refine and isinstance(config, GatysConfig):
            raise ConfigError(
                "--refine: refines what the fast network painted, got --method gatys, which "
                "optimizes every frame; leave one of them out"
            )

    def config(self) -> RegionConfig | None:
        """Return what is painted of each frame, None for all of it."""
        if self.region is None:
            return None
        return RegionConfig(part=self.region, segmenter=self.segmenter)


def check_keyframes_option(keyframes: int) -> None:
    """Make sure that ``--keyframes`` is in its range.

    Raises:
      ConfigError: it is not.
    """
    try:
        check_keyframes(keyframes)
    except ConfigError as error:
        raise ConfigError(f"--{error}") from None
