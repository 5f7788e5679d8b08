"""The settings of the fast method, in one frozen record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from stylizer.errors import ConfigError

__all__ = ["INSTALL_OPENVINO", "Engine", "FastConfig", "Network", "Precision"]

INSTALL_OPENVINO = "pip install openvino"

Engine = Literal["auto", "keras", "openvino"]
Network = Literal["fast", "magenta"]
Precision = Literal["auto", "float32", "bfloat16"]

_LEAST_SCALE, _MOST_SCALE = 0.05, 8.0
"""Below the least, a style picture has no 16 pixels left; above the most, it fills the memory."""


@dataclass(frozen=True, kw_only=True)
class FastConfig:
    """How the fast network paints.

    Attributes:
      network: ``"fast"`` (embedded) or ``"magenta"`` (from TensorFlow Hub).
      engine: what runs the embedded network; ``"auto"`` is Keras on a GPU that its backend uses,
        OpenVINO otherwise.
      threads: of the CPU; None for one a core.
      precision: of the arithmetic; ``"auto"`` is the quickest that the device has. ``"bfloat16"``
        goes with OpenVINO, on a CPU that has it.
      style_scale: the style pictures are resized to this factor of the size that the network knows,
        0.05..8.
      magenta: folder or URL of Magenta's model; None for where TensorFlow Hub has it.
      weights: other weights of the network ``"fast"``, as ``build_network().save_weights`` writes
        them; None for the embedded ones.
      cache: where OpenVINO's form of the network is kept; None for the user's cache folder.
    """

    network: Network = "fast"
    engine: Engine = "auto"
    threads: int | None = None
    precision: Precision = "auto"
    style_scale: float = 1.0
    magenta: str | None = None
    weights: Path | None = None
    cache: Path | None = None

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        for name, kind in (("network", Network), ("engine", Engine), ("precision", Precision)):
            if getattr(self, name) not in get_args(kind):
                raise ConfigError(
                    f"{name}: expected one of {', '.join(get_args(kind))}, "
                    f"got {getattr(self, name)!r}"
                )
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"threads: expected 1 or more, got {self.threads}")
        if not _LEAST_SCALE <= self.style_scale <= _MOST_SCALE:  # false for NaN too
            raise ConfigError(
                f"style_scale: expected {_LEAST_SCALE}..{_MOST_SCALE:g}, got {self.style_scale!r}"
            )
        if self.precision == "bfloat16" and self.engine == "keras":
            raise ConfigError(
                "precision: bfloat16 goes with the engine openvino, got keras; choose one of them"
            )
        self._check_network()
        if self.weights is not None and not self.weights.is_file():
            raise ConfigError(f"weights: there is no file {self.weights}")

    def _check_network(self) -> None:
        """Check what does not go with each network."""
        if self.network == "fast":
            if self.magenta is not None:
                raise ConfigError(
                    "magenta: names a model for the network magenta; choose that network too"
                )
            return
        if self.engine != "auto":
            raise ConfigError(
                f"engine: {self.engine} goes with the network fast; magenta runs in TensorFlow: "
                "leave the engine out"
            )
        if self.precision == "bfloat16":
            raise ConfigError("precision: bfloat16 goes with the network fast; magenta has float32")
        if self.weights is not None:
            raise ConfigError(
                "weights: go with the network fast; magenta brings its own: leave them out"
            )
