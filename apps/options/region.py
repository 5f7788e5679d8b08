"""The options of ``stylizer live`` that say what is painted: all, one region, and how finely."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from stylizer.description import MethodConfig
from stylizer.effects.region import Part, RegionConfig
from stylizer.effects.segmenter import WHERE
from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig

from .shared import option

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

    def check(self, config: MethodConfig) -> None:
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

    def config(self) -> RegionConfig | None:
        """Return what is painted of each frame, None for all of it."""
        if self.region is None:
            return None
        return RegionConfig(part=self.region, segmenter=self.segmenter)
