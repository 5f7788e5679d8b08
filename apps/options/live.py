"""The options of ``stylizer live`` that say how it runs and looks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.live.budget import Budget, BudgetConfig
from stylizer.live.levels import fast_levels, gatys_levels
from stylizer.network.config import FastConfig
from stylizer.temporal.flow import Preset

from .shared import SizeOption, option

__all__ = ["LiveOptions"]

_PANEL = "Live"
_DEFAULTS = BudgetConfig()


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """Rate, window and where its pictures go."""

    fps: Annotated[
        float,
        option(
            "fps",
            "Frames a second to hold: size, flow and iterations give way until it does.",
            _PANEL,
        ),
    ] = _DEFAULTS.fps
    mirror: Annotated[
        bool, option("mirror/--no-mirror", "Exchange left and right (key m).", _PANEL)
    ] = False
    overlay: Annotated[
        bool, option("overlay/--no-overlay", "Write rate and latency (key i).", _PANEL)
    ] = True
    full_screen: Annotated[
        bool, option("full-screen/--no-full-screen", "Fill the screen (key f).", _PANEL)
    ] = False
    snapshots: Annotated[
        Path,
        option("snapshots", "The folder that snapshots and recordings go to.", "Output"),
    ] = Path()
    size: SizeOption = None

    def check(self) -> None:
        """Say before anything is opened what cannot be.

        Raises:
          ConfigError: ``--fps`` is out of its range.
        """
        try:
            BudgetConfig(fps=self.fps)
        except ConfigError as error:
            raise ConfigError(f"--{error}") from None

    @property
    def rate(self) -> Fraction:
        """The rate of recordings."""
        return Fraction(self.fps).limit_denominator(1001)

    def budget(self, config: FastConfig | GatysConfig, flow: Preset) -> Budget:
        """Return what holds the rate.

        Args:
          config: of the method, at its best.
          flow: the best preset of the optical flow.
        """
        if isinstance(config, FastConfig):
            levels = fast_levels(flow)
        else:
            levels = gatys_levels(config.flow, config.warm_iterations)
        return Budget(levels, BudgetConfig(fps=self.fps))
