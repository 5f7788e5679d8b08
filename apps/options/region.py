"""The options of ``stylizer live`` that say what is painted: all, one region, and how finely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from stylizer.effects.background import LearntBackground
from stylizer.effects.region import Part, PersonFinder, Region, RegionConfig
from stylizer.effects.segmenter import WHERE, Segmenter
from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.live.refine import Refined
from stylizer.live.refinement import load_gatys
from stylizer.network.config import FastConfig
from stylizer.protocols import StyledStylizer, Stylizer
from stylizer.styles.load import AnyStyle

from ..console.painting import load_backend
from .shared import option

if TYPE_CHECKING:
    from stylizer.gatys.engine import Engine

__all__ = ["RegionOptions"]

_PANEL = "Live"


@dataclass(frozen=True, kw_only=True)
class RegionOptions:
    """Person or background, and refinement."""

    region: Annotated[
        Part | None,
        option(
            "region",
            "Paint only the person, or only what is behind. Without --segmenter the background is "
            "learnt first, while you step out of the picture for about five seconds; the camera "
            "must stand still.",
            _PANEL,
        ),
    ] = None
    segmenter: Annotated[
        Path | None,
        option(
            "segmenter",
            f"With --region: a TFLite network that finds people; {WHERE}. Extra: litert.",
            _PANEL,
            metavar="FILE",
        ),
    ] = None
    refine: Annotated[
        bool,
        option(
            "refine/--no-refine",
            "While the picture is still, refine the network's painting by the optimization.",
            _PANEL,
        ),
    ] = False

    def check(self, config: FastConfig | GatysConfig) -> None:
        """Say before anything is opened what cannot be.

        Args:
          config: of the method.

        Raises:
          ConfigError: ``--segmenter`` without ``--region``, or ``--refine`` with Gatys.
        """
        if self.segmenter is not None and self.region is None:
            raise ConfigError("--segmenter: finds people for --region person or background; add it")
        if self.refine and isinstance(config, GatysConfig):
            raise ConfigError(
                "--refine: refines what the fast network painted, got --method gatys, which "
                "optimizes every frame; leave one of them out"
            )

    def refined(
        self,
        stylizer: StyledStylizer,
        styles: Sequence[AnyStyle],
        config: FastConfig | GatysConfig,
    ) -> StyledStylizer:
        """Return the method, its still pictures refined if that is asked for.

        Args:
          stylizer: the method itself, as yet after ``styles``.
          styles: one or more.
          config: of the method.

        Raises:
          ConfigError: as `check` says.
        """
        self.check(config)
        if not self.refine or isinstance(config, GatysConfig):
            return stylizer
        return Refined(stylizer, styles, partial(_load, style_scale=config.style_scale))

    def wrap(self, stylizer: Stylizer) -> Stylizer:
        """Return the stylizer, outermost of all, with only a region painted if that is asked for.

        Raises:
          BackendError: a segmenter is given, and what runs it is not installed.
          WeightsError: the segmenter is missing, or is no such network.
        """
        if self.region is None:
            return stylizer
        finder: PersonFinder = (
            LearntBackground() if self.segmenter is None else Segmenter(self.segmenter)
        )
        return Region(stylizer, finder, RegionConfig(part=self.region))


def _load(styles: Sequence[AnyStyle], *, style_scale: float) -> Engine:
    load_backend()
    return load_gatys(styles, style_scale=style_scale)
