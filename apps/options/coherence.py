"""The options that hold a video still: cuts, coherence, and the optical flow of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from stylizer.errors import ConfigError
from stylizer.protocols import Stylizer
from stylizer.temporal.coherence import CoherenceConfig, Coherent
from stylizer.temporal.cuts import ResetOnCut
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
        self.config()

    def config(self, *, recurrent: bool = False) -> CoherenceConfig:
        """Return the settings of the wrapper.

        Args:
          recurrent: whether the stylizer itself goes on from its last frame, as Gatys does.

        Raises:
          ConfigError: ``--coherence`` is out of its range.
        """
        usual = 0.0 if recurrent else _DEFAULTS.strength
        strength = usual if self.coherence is None else self.coherence
        if not 0.0 <= strength <= 1.0:
            raise ConfigError(f"--coherence: expected 0 to 1, got {strength:g}")
        return CoherenceConfig(strength=strength, preset=self.flow or _DEFAULTS.preset)

    def wrap(self, stylizer: Stylizer, *, recurrent: bool = False) -> Stylizer:
        """Return the stylizer with what was asked for around it; what is off is not there.

        Args:
          stylizer: what paints.
          recurrent: whether it goes on from its last frame itself, as Gatys does.

        Raises:
          ConfigError: ``--coherence`` is out of its range.
        """
        config = self.config(recurrent=recurrent)
        wrapped: Stylizer = Coherent(stylizer, config) if config.strength else stylizer
        return ResetOnCut(wrapped) if self.cuts == "on" else wrapped
