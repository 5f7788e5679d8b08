"""The options that hold a video still: cuts, coherence, and the optical flow of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from stylizer.description import MethodConfig, usual_coherence
from stylizer.errors import ConfigError
from stylizer.network.config import FastConfig
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.cuts import CutConfig
from stylizer.temporal.flow import Preset

from .shared import option

__all__ = ["CoherenceOptions"]

_PANEL = "Coherence"
_DEFAULTS = CoherenceConfig()


@dataclass(frozen=True, kw_only=True)
class CoherenceOptions:
    """How a frame goes on from the one before; an option that is not given is None."""

    cuts: Annotated[
        Literal["on", "off"],
        option("cuts", "Begin anew at cuts, and when a camera was off.", _PANEL),
    ] = "on"
    coherence: Annotated[
        float | None,
        option(
            "coherence",
            "From 0 (each frame by itself, with all its boil) to 1 (as still as can be). "
            f"Default: {_DEFAULTS.strength:g}; with gatys, which has a memory of its own, 0.",
            _PANEL,
            show_default=False,
        ),
    ] = None
    flow: Annotated[
        Preset | None,
        option(
            "flow",
            "Pains of the optical flow.",
            _PANEL,
            show_default=_DEFAULTS.preset,
        ),
    ] = None

    def check(self) -> None:
        """Say before anything is opened what cannot be.

        Raises:
          ConfigError: ``--coherence`` is out of its range.
        """
        self.config(FastConfig())

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
