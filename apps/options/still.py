"""The options of single pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from stylizer.effects.scale import STILL_DETAIL, check_detail
from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.methods import find_method
from stylizer.network.config import FastConfig

from .shared import option

__all__ = ["StillOptions"]


@dataclass(frozen=True, kw_only=True)
class StillOptions:
    """Where the painting of a picture starts, and how fine it gets."""

    initial_image: Annotated[
        Path | None,
        option(
            "initial-image",
            "A picture to start from; implies --initial image.",
            "Gatys: optimization",
        ),
    ] = None
    detail: Annotated[
        float | None,
        option(
            "detail",
            "From 0 to 1: how much fine detail the fast method adds by painting once more at full "
            "size, where one style is for all of the picture. "
            f"Default: {STILL_DETAIL:g}; in mosaic, whose tiles it would divide, 0.",
            "Style",
            show_default=False,
        ),
    ] = None

    def share(self, config: FastConfig | GatysConfig) -> float | None:
        """Return the share of fine detail that a second painting gives; None for the styles' own.

        Raises:
          ConfigError: it is out of its range, or the method paints at full size anyway.
        """
        if not find_method(config).scales_strokes:
            if self.detail is not None:
                raise ConfigError(
                    "--detail: belongs to --method fast; the optimization paints at full size "
                    "anyway: leave one of them out"
                )
            return 0.0
        if self.detail is None:
            return None
        try:
            check_detail(self.detail)
        except ConfigError as error:
            raise ConfigError(f"--{error}") from None
        return self.detail

    def started(
        self, config: FastConfig | GatysConfig, asked: str | None
    ) -> FastConfig | GatysConfig:
        """Let ``--initial-image`` imply ``--initial image``, and refuse one without the other.

        Args:
          config: of the method.
          asked: ``--initial``, as the user gave it.

        Raises:
          ConfigError: the two do not go together, or the method starts from nothing.
        """
        given = self.initial_image
        if isinstance(config, FastConfig):
            if given is not None:
                raise ConfigError(
                    "--initial-image: belongs to the optimization; add --method gatys, or leave it "
                    "out"
                )
            return config
        if given is None:
            if config.initial == "image":
                raise ConfigError("--initial image: expected --initial-image with a picture")
            return config
        if asked not in (None, "image"):
            raise ConfigError(f"--initial-image: goes with --initial image, got --initial {asked}")
        return replace(config, initial="image")
