"""What the engines need to know of a network that the package carries.

Importing this imports neither Keras nor OpenVINO.
"""

from __future__ import annotations

import hashlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from stylizer.frame import Image
from stylizer.network.spec import FastNetworkSpec
from stylizer.weights import weights_digest

__all__ = ["EmbeddedNetworkSpec"]

_ENGINES = MappingProxyType(
    {
        "openvino": "stylizer.network.embedded.openvino_runtime:OpenVinoRuntime",
        "keras": "stylizer.network.embedded.keras_runtime:KerasRuntime",
    }
)


@dataclass(frozen=True, kw_only=True)
class EmbeddedNetworkSpec(FastNetworkSpec):
    """A network that the package carries, run by engines that all of them share.

    Attributes:
      weights: the name of its weights in the manifest.
      loss_weights: the name in the manifest of the weights of the loss network that reads styles.
      openvino: the name in the manifest of its models in OpenVINO's form, made of these weights;
        None where they are made on the user's machine.
      parts: what builds it in Keras: ``"package.module:name"`` of a function that takes the files
        of both weights and gives `stylizer.network.embedded.parts.NetworkParts`.
      sources: the modules whose code shapes what OpenVINO runs: when one changes, models that were
        made before are made anew.
      noise: what gives the map of noise that OpenVINO's form takes beside the picture:
        ``"package.module:name"`` of a function as `stylizer.network.adaptive.noise.noise_map`, of
        the picture's height and width, and where the camera looks; None for none.
      noise_gains: what says how much of the noise a style is painted with that is not tuned:
        ``"package.module:name"`` of a function as `stylizer.network.adaptive.noise.noise_gains`, of
        its picture with a short side of `style_side`; None for all of it.
      colors: what adds to the code of a style that is not tuned what makes its colors truer:
        ``"package.module:name"`` of a function as `stylizer.network.adaptive.colors.match_colors`;
        None for nothing.
      examples: what gives pictures that the ranges of features are measured on where the network
        runs in 8 bits: ``"package.module:name"`` of a function without arguments, which gives
        uint8 RGB (H, W, 3) of one size; None where it does not.
      smooth: what `stylizer.network.config.FastConfig.smooth` is if nothing else is asked for; less
        leaves the macroblocks of H.264 at low rates in ink, more rounds small faces.
    """

    engines: Mapping[str, str] = field(default_factory=lambda: _ENGINES)
    precisions: tuple[str, ...] = ("float32", "bfloat16")
    settings: tuple[str, ...] = ("weights", "smooth")
    mixes: bool = True
    weights: str
    loss_weights: str
    openvino: str | None = None
    parts: str
    sources: tuple[str, ...]
    noise: str | None = None
    noise_gains: str | None = None
    colors: str | None = None
    examples: str | None = None
    smooth: float = 8.0

    def smoothing(self, wanted: float | None) -> float:
        """Return the setting ``smooth`` that counts, if ``wanted`` is asked for; gray levels."""
        return self.smooth if wanted is None else wanted

    def load_examples(self) -> Sequence[Image]:
        """Return the pictures of `examples`; none where there are none."""
        if self.examples is None:
            return ()
        found: Sequence[Image] = pkgutil.resolve_name(self.examples)()
        return found

    def digest(self, weights: Path | None) -> str | None:
        """Return the sha256 of a file of weights; None stands for the network's own."""
        if weights is None:
            return weights_digest(self.weights)
        return hashlib.sha256(weights.read_bytes()).hexdigest()
