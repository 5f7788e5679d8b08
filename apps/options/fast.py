"""The options of the fast method, beside those that it shares with the optimization."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from stylizer.errors import ConfigError
from stylizer.network.config import Engine, FastConfig
from stylizer.network.registry import FAST_NETWORKS

from .shared import option

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
        Method,
        option(
            "method",
            "fast: a network paints each picture in one pass. "
            "gatys: optimize each picture (Gatys et al. 2016).",
            _STYLE,
        ),
    ] = "fast"
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

    def config(
        self,
        *,
        network: str | None = None,
        weights: Path | None = None,
        style_scale: float | None = None,
        precision: str | None = None,
    ) -> FastConfig:
        """Return the settings.

        Args:
          network: as given by ``--network``, which both methods share.
          weights: as given by ``--weights``, shared too.
          style_scale: as given by ``--style-scale``, shared too.
          precision: as given by ``--precision``, shared too.

        Raises:
          ConfigError: a setting is out of its range, or two do not go together.
        """
        if network is not None and network not in FAST_NETWORKS:
            raise ConfigError(
                f"--network: expected {' or '.join(FAST_NETWORKS)}, got {network}; "
                "loss networks go with --method gatys"
            )
        given: dict[str, Any] = {
            "network": network,
            "weights": weights,
            "style_scale": style_scale,
            "precision": precision,
        }
        given |= {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "method"
        }
        known = {name: value for name, value in given.items() if value is not None}
        return FastConfig(**known)

    def refuse(self) -> None:
        """Make sure that no option of the fast method was given, as another one was chosen.

        Raises:
          ConfigError: one was.
        """
        for field in fields(self):
            if field.name != "method" and getattr(self, field.name) is not None:
                raise ConfigError(
                    f"--{field.name}: belongs to --method fast, got --method {self.method}; "
                    "leave one of them out"
                )


@dataclass(frozen=True, kw_only=True)
class FastOptions(EngineOptions):
    """The same where style pictures can be given, which Magenta's network needs."""

    magenta: Annotated[
        str | None,
        _setting(
            "magenta",
            "With --network magenta: the folder of its model, or its URL. Default: fetched.",
            metavar="FOLDER|URL",
        ),
    ] = None
