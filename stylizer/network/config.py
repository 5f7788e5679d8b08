"""The settings of the fast method, in one frozen record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from stylizer.backend.precision import NetworkPrecision
from stylizer.errors import ConfigError
from stylizer.network.registry import FAST_NETWORKS

__all__ = ["Engine", "FastConfig"]

Engine = Literal["auto", "keras", "openvino"]

_LEAST_SCALE, _MOST_SCALE = 0.05, 8.0
"""Below the least, a style picture has no 16 pixels left; above the most, it fills the memory."""

_MOST_SMOOTH = 50.0
"""Gray levels; above it, faces are gone."""


@dataclass(frozen=True, kw_only=True)
class FastConfig:
    """How the fast network paints.

    Attributes:
      network: one of `stylizer.network.registry.FAST_NETWORKS`, the first of them by default.
      engine: what runs the network; ``"auto"`` is Keras on a GPU that its backend uses,
        OpenVINO otherwise.
      threads: of the CPU; None for one a core.
      precision: of the arithmetic; ``"auto"`` is the quickest that the device has. ``"bfloat16"``
        and ``"int8"`` go with OpenVINO, the first on a CPU that has it.
      style_scale: the style pictures are resized to this factor of the size that the network knows,
        0.05..8.
      smooth: details of a frame fainter than about so many gray levels (grain, blocks of codecs)
        are left out before it is painted, as `stylizer.io.smoothing` says; 0 for none, to 50.
        None is the network's own: 8, where it is embedded.
      magenta: folder or URL of Magenta's model; None for where TensorFlow Hub has it.
      weights: other weights of an embedded network, as ``build_network().save_weights`` writes
        them; None for its own.
      cache: where OpenVINO's form of the network is kept; None for the user's cache folder.
    """

    network: str = next(iter(FAST_NETWORKS))
    engine: Engine = "auto"
    threads: int | None = None
    precision: NetworkPrecision = "auto"
    style_scale: float = 1.0
    smooth: float | None = None
    magenta: str | None = None
    weights: Path | None = None
    cache: Path | None = None

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        networks = FAST_NETWORKS.values()
        precisions = dict.fromkeys(name for one in networks for name in one.precisions)
        choices: dict[str, tuple[str, ...]] = {
            "network": tuple(FAST_NETWORKS),
            "engine": get_args(Engine),
            "precision": ("auto", *precisions),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"{name}: expected one of {', '.join(known)}, got {getattr(self, name)!r}"
                )
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"threads: expected 1 or more, got {self.threads}")
        if not _LEAST_SCALE <= self.style_scale <= _MOST_SCALE:  # false for NaN too
            raise ConfigError(
                f"style_scale: expected {_LEAST_SCALE}..{_MOST_SCALE:g}, got {self.style_scale!r}"
            )
        if self.smooth is not None and not 0.0 <= self.smooth <= _MOST_SMOOTH:
            raise ConfigError(f"smooth: expected 0..{_MOST_SMOOTH:g}, got {self.smooth!r}")
        if self.precision in ("bfloat16", "int8") and self.engine == "keras":
            raise ConfigError(
                f"precision: {self.precision} goes with the engine openvino, got keras; choose one "
                "of them"
            )
        self._check_network()
        if self.weights is not None and not self.weights.is_file():
            raise ConfigError(f"weights: there is no file {self.weights}")

    def _check_network(self) -> None:
        """Check that every setting goes with the network, as its record says."""
        network = FAST_NETWORKS[self.network]
        if self.engine not in ("auto", *network.engines):
            able = [one.name for one in FAST_NETWORKS.values() if self.engine in one.engines]
            raise self._refusal(f"engine: {self.engine} goes", able)
        if self.precision not in ("auto", *network.precisions):
            able = [one.name for one in FAST_NETWORKS.values() if self.precision in one.precisions]
            raise self._refusal(f"precision: {self.precision} goes", able)
        for name in {name for one in FAST_NETWORKS.values() for name in one.settings}:
            if getattr(self, name) is not None and name not in network.settings:
                able = [one.name for one in FAST_NETWORKS.values() if name in one.settings]
                raise self._refusal(f"{name}: goes", able)

    def _refusal(self, what: str, able: list[str]) -> ConfigError:
        return ConfigError(
            f"{what} with the network {' or '.join(able)}, got {self.network}; "
            "leave one of them out, or choose that network"
        )
