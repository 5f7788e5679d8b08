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
from stylizer.perceptual.compact import load_compact

__all__ = ["NetworkParts", "StyledParts", "join_parts", "load_parts", "load_weights"]

Tensor = Any


@dataclass(frozen=True, kw_only=True)
class StyledParts:
    """A network that takes, for a frame, what was made of a style once; its styles can be tuned.

    Attributes:
      change_size: how many numbers tuning adds to a style's code.
      read: from a code, float32 (1, C), and what tuning added, float32 (change_size,), to tensors
        by name.
      paint: from a picture, as `NetworkParts` has them, and such tensors to the painted picture.
    """

    change_size: int
    read: Callable[[Tensor, Tensor], dict[str, Tensor]]
    paint: Callable[[Tensor, dict[str, Tensor]], Tensor]


@dataclass(frozen=True, kw_only=True)
class NetworkParts:
    """The parts, with their weights; frozen. Pictures are float32 RGB 0..255, (N, H, W, 3).

    Attributes:
      image: from ``{"image": picture, "code": float32 (N, C)}`` to the painted picture, whose
        values may lie a little outside 0..255.
      statistics: from ``{"image": style picture}`` to all that is known of a style: float32 (N, S).
      predictor: from statistics to the style's code, float32 (N, C).
      make_graph: returns the image network as a model of OpenVINO: from ``image``, uint8
        (1, H, W, 3), ``code``, float32 (1, C), and ``noise`` if the network's record says so, to
        the painting in tiles of r by r pixels, uint8 (1, H / r, W / r, 3 r^2), as
        `stylizer.network.inputs.join_tiles` takes them.
      styled: the image network in one style; None where styles cannot be tuned.
    """

    image: keras.Model
    statistics: keras.Model
    predictor: keras.Model
    make_graph: Callable[[], Any]
    styled: StyledParts | None = None

    @property
    def code_size(self) -> int:
        """How many numbers a style's code has."""
        return int(self.predictor.output_shape[-1])


def join_parts(
    *,
    painter: keras.Model,
    predictor: keras.Model,
    measure: Callable[[dict[str, Tensor]], Tensor],
    loss_weights: Path,
    image: keras.Model | None = None,
) -> NetworkParts:
    """Put a network together that reads styles by the compact loss network.

    Args:
      painter: as ``build_image_network()`` gives it, which is what OpenVINO runs.
      predictor: from statistics to codes.
      measure: from that loss network's features, by its taps, to statistics.
      loss_weights: its weights.
      image: from image and code to the painting; None if the painter takes nothing else.

    Raises:
      WeightsError: the loss network's file cannot be read, or holds another network's weights.
    """
    picture = keras.Input((None, None, 3), name="image")
    statistics = measure(load_compact(loss_weights)(picture))

    def make_graph() -> Any:
        from stylizer.network.embedded.openvino_graph import build_graph

        return build_graph(painter)

    return NetworkParts(
        image=image or painter,
        statistics=keras.Model({"image": picture}, statistics),
        predictor=predictor,
        make_graph=make_graph,
    )


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
