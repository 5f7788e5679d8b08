"""The options of the fast method, beside those that it shares with the optimization."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from stylizer.errors import ConfigError
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.config import Engine, FastConfig
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.registry import FAST_NETWORKS

from .shared import named, option

__all__ = ["EngineOptions", "FastOptions", "Method"]

Method = Literal["fast", "gatys"]

_DEFAULTS = FastConfig()
_STYLE, _FAST = "Style", "Fast network"


def _setting(field: str, text: str, **settings: Any) -> Any:
    """Describe the option for a field of `FastConfig`."""
    return option(field, text, _FAST, show_default=False, **settings)


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """The method, and what runs the fast one; an option that is not given is None."""

    method: Annotated[
        Method | None,
        option(
            "method",
            "fast: a network paints each picture in one pass. "
            "gatys: optimize each picture (Gatys et al. 2016). Default: fast.",
            _STYLE,
            show_default=False,
        ),
    ] = None
    engine: Annotated[
        Engine | None,
        _setting(
            "engine",
            "What runs the network: OpenVINO, made for CPUs, or Keras, which knows GPUs. "
            f"Default: {_DEFAULTS.engine}, by the device.",
        ),
    ] = None
    threads: Annotated[
        int | None, _setting("threads", "Threads of the CPU. Default: one a core.")
    ] = None
    smooth: Annotated[
        float | None,
        _setting(
            "smooth",
            "Leave out details fainter than so many gray levels before painting: grain, and the "
            "blocks of strong compression; 0 for none. "
            f"Default: {EmbeddedNetworkSpec.smooth:g}.",
        ),
    ] = None

    def config(
        self,
        *,
        weights: Path | None = None,
        style_scale: float | None = None,
        precision: str | None = None,
    ) -> FastConfig:
        """Return the settings.

        Args:
          weights: as given by ``--weights``, which both methods share.
          style_scale: as given by ``--style-scale``, shared too.
          precision: as given by ``--precision``, shared too.

        Raises:
          ConfigError: a setting is out of its range, or two do not go together.
        """
        given: dict[str, Any] = {
            "weights": weights,
            "style_scale": style_scale,
            "precision": precision,
        }
        settings = {field.name for field in fields(FastConfig)}
        given |= {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name in settings
        }
        known = {name: value for name, value in given.items() if value is not None}
        return FastConfig(**known)

    def refuse(self) -> None:
        """Make sure that no option of the fast method was given, as another one was chosen.

        ``--network`` may have been: it once meant ``--loss-network`` then.

        Raises:
          ConfigError: one was.
        """
        for field in fields(self):
            if field.name not in ("method", "network") and getattr(self, field.name) is not None:
                raise ConfigError(
                    f"--{field.name}: belongs to --method fast, got --method gatys; "
                    "leave one of them out"
                )


@dataclass(frozen=True, kw_only=True)
class FastOptions(EngineOptions):
    """The same where style pictures can be given, which Magenta's network needs."""

    network: Annotated[
        str | None,
        option(
            "network",
            f"Of the fast method: {named(FAST_NETWORKS)}. Default: {_DEFAULTS.network}.",
            _STYLE,
            show_default=False,
        ),
    ] = None
    magenta: Annotated[
        str | None,
        _setting(
            "magenta",
            "With --network magenta: the folder of its model, or its URL. Default: fetched.",
            metavar="FOLDER|URL",
        ),
    ] = None
    tune: Annotated[
        float | None,
        option(
            "tune",
            "Tune the network to each style picture for so many minutes before anything is painted "
            "in it: bolder and truer to the style. 1 to 5 are sensible. It is kept, so it is done "
            f"once for a picture. With --network {ADAPTIVE.name}.",
            _STYLE,
            metavar="MINUTES",
        ),
    ] = None

    def check_tuning(self, config: FastConfig, *, style_scale: float | None) -> None:
        """Make sure that what goes with tuning alone was asked for.

        Args:
          config: as `config` gives it.
          style_scale: as given by ``--style-scale``.

        Raises:
          ConfigError: something does not go with tuning.
        """
        if self.tune is None:
            return
        if config.network != ADAPTIVE.name or config.weights is not None:
            raise ConfigError(
                f"--tune: goes with --network {ADAPTIVE.name} and its own weights, got "
                f"{config.weights or config.network}; leave one of them out"
            )
        if style_scale is not None:
            raise ConfigError(
                "--tune: got --style-scale too, which would change what is tuned; leave one of "
                "them out, or use `stylizer tune --style-scale` and give its file as the style"
            )
