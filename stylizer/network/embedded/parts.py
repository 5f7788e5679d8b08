"""An embedded network in Keras, in the parts that engines and conversions run."""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from stylizer.errors import WeightsError

__all__ = ["NetworkParts", "load_parts", "load_weights"]


@dataclass(frozen=True, kw_only=True)
class NetworkParts:
    """The parts, with their weights; frozen. Pictures are float32 RGB 0..255, (N, H, W, 3).

    Attributes:
      image: from ``{"image": picture, "code": float32 (N, C)}`` to the painted picture, whose
        values may lie a little outside 0..255.
      statistics: from ``{"image": style picture}`` to all that is known of a style: float32 (N, S).
      predictor: from statistics to the style's code, float32 (N, C).
      make_graph: returns the image network as a model of OpenVINO: from ``image``, uint8
        (1, H, W, 3), and ``code``, float32 (1, C), to the painting in tiles of r by r pixels, uint8
        (1, H / r, W / r, 3 r^2), as `stylizer.network.inputs.join_tiles` takes them.
    """

    image: keras.Model
    statistics: keras.Model
    predictor: keras.Model
    make_graph: Callable[[], Any]

    @property
    def code_size(self) -> int:
        """How many numbers a style's code has."""
        return int(self.predictor.output_shape[-1])


def load_parts(load: str, weights: Path, loss_weights: Path) -> NetworkParts:
    """Load a network.

    Args:
      load: what builds it, as `stylizer.network.embedded.spec.EmbeddedNetworkSpec.parts`.
      weights: its weights.
      loss_weights: of the loss network that reads styles.

    Raises:
      WeightsError: a file cannot be read, or holds another network's weights.
    """
    parts: NetworkParts = pkgutil.resolve_name(load)(weights, loss_weights)
    return parts


def load_weights(model: keras.Model, weights: Path, *, name: str) -> None:
    """Load weights, all of them, and freeze the model.

    Raises:
      WeightsError: the file cannot be read, or holds another network's weights.
    """
    try:
        with warnings.catch_warnings():
            # of layers that a file does not have, Keras only warns, and leaves them random
            warnings.simplefilter("error", UserWarning)
            model.load_weights(weights)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise WeightsError(
            f"{weights}: expected weights of the {name} network (.weights.h5), got something else "
            f"({str(error).partition(chr(10))[0]})"
        ) from error
    model.trainable = False
