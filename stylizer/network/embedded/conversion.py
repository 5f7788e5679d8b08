"""Asks for an embedded network in another program's format; made by TensorFlow, in another process.

The process lets this one stay free of TensorFlow, whatever the backend of Keras is here. What it
does stands in `stylizer.network.embedded.convert`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self, get_args

from stylizer.errors import BackendError, ConfigError, WeightsError
from stylizer.network.embedded.spec import EmbeddedNetworkSpec

__all__ = ["ConversionConfig", "Format", "Part", "check_size", "convert"]

Format = Literal["onnx", "litert", "openvino"]

Part = Literal["image", "style", "statistics", "predictor"]
"""``image``: image (and code) to painted image. ``style``: style picture to code; it is made of
``statistics``: style picture to statistics, and ``predictor``: statistics to code."""


@dataclass(frozen=True, kw_only=True)
class ConversionConfig:
    """What to convert.

    Attributes:
      load: what builds the network, as
        `stylizer.network.embedded.spec.EmbeddedNetworkSpec.parts`.
      format: of the files.
      parts: of the network.
      weights: of the network.
      loss_weights: of the loss network that reads styles.
      size: (width, height) of the image, as `check_size` lets it pass; None for any.
      code: put into the image network, so that it takes an image only; None for an input. It may
        be followed by what tuning found (`stylizer.network.inputs.StyleEmbedding`).
      eight_bit: the image network is the one of
        `stylizer.network.embedded.parts.NetworkParts.make_graph`, which takes and gives bytes, of
        any size and with a code; OpenVINO only.
      style_side: both sides of a style picture, where there is a size.
      smooth: what the image network leaves out before it paints, as
        `stylizer.network.config.FastConfig.smooth`; nothing of the one in bytes.
    """

    load: str
    format: Format
    parts: tuple[Part, ...]
    weights: Path
    loss_weights: Path
    size: tuple[int, int] | None = None
    code: tuple[float, ...] | None = None
    eight_bit: bool = False
    style_side: int = 384
    smooth: float = 0.0

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if self.format not in get_args(Format):
            raise ConfigError(
                f"format: expected one of {', '.join(get_args(Format))}, got {self.format!r}"
            )
        unknown = set(self.parts) - set(get_args(Part))
        if unknown or not self.parts:
            raise ConfigError(f"parts: expected some of {', '.join(get_args(Part))}")
        if self.eight_bit and self.format != "openvino":
            raise ConfigError(f"eight_bit: goes with openvino, got {self.format}")
        if self.eight_bit and (self.size, self.code) != (None, None):
            raise ConfigError("eight_bit: expected any size and code; leave size and code out")
        if self.eight_bit and self.smooth:
            raise ConfigError(f"eight_bit: expected smooth to be 0, got {self.smooth:g}")

    def to_json(self) -> str:
        """Write the settings as text."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        for name in ("weights", "loss_weights"):
            values[name] = Path(values[name])
        for name in ("parts", "size", "code"):
            values[name] = None if values[name] is None else tuple(values[name])
        return cls(**values)


def check_size(size: tuple[int, int], network: EmbeddedNetworkSpec) -> None:
    """Make sure that a network takes pictures of a size, (width, height), as they are.

    Raises:
      ConfigError: a side is no multiple of the network's stride, or too small.
    """
    stride, least = network.stride, network.least_side
    if any(side % stride or side < least for side in size):
        width, height = (max(least, round(side / stride) * stride) for side in size)
        raise ConfigError(
            f"size: expected multiples of {stride}, {least} or more, got {size[0]}x{size[1]}; "
            f"take {width}x{height}"
        )


def convert(config: ConversionConfig, folder: Path) -> None:
    """Convert parts of the network; takes ten seconds or more.

    Args:
      config: what to convert.
      folder: gets ``PART.onnx``, ``PART.tflite``, or ``PART.xml`` and ``PART.bin``, and
        ``PART.npz``: what Keras makes of some input (arrays ``image``, ``code``, ``output``, ...);
        of the image network in bytes there is none.

    Raises:
      WeightsError: the weights are of another network.
      BackendError: it failed otherwise.
    """
    program = [
        *(sys.executable, "-m", "stylizer.network.embedded.convert"),
        str(folder),
    ]
    environment = os.environ | {
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "",  # nothing is computed, so leave the GPU's memory alone
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        program,
        env=environment,
        input=config.to_json(),  # a tuned style is too long for an argument
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        kind, _, said = reason.partition(": ")
        if kind == f"{WeightsError.__module__}.{WeightsError.__name__}":
            raise WeightsError(said)
        raise BackendError(
            f"the network cannot be converted to {config.format} with TensorFlow ({reason})"
        )
