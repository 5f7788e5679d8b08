"""The fast network in Keras: on any of its backends, and on a GPU that the backend uses."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from stylizer.backend.keras_backend import compile_step, describe_device, set_threads
from stylizer.errors import BackendError, WeightsError
from stylizer.frame import Image
from stylizer.network.config import FastConfig
from stylizer.network.fast.architecture import CODE_SIZE, build_network, style_statistics
from stylizer.network.fast.spec import FAST
from stylizer.network.pictures import Code, check_code, extend, known_statistics, resize_style
from stylizer.perceptual.compact import load_compact
from stylizer.styles.load import AnyStyle, Style
from stylizer.weights import weights_path

__all__ = ["KerasRuntime", "load_network"]

Tensor = Any


class KerasRuntime:
    """The network on the backend of Keras; a `stylizer.network.runtime.Runtime`.

    Attributes:
      description: network, backend, device, threads and precision, for a start line.
      mixes: whether codes may be mixed; they may.
    """

    mixes = FAST.mixes

    def __init__(self, config: FastConfig | None = None) -> None:
        """Load the weights.

        Args:
          config: ``threads`` and ``weights`` count here; None for the defaults.

        Raises:
          BackendError: the backend runs already with another number of threads, or has no such
            setting; or bfloat16 is asked for.
          WeightsError: weights are missing or damaged.
        """
        config = config or FastConfig()
        if config.precision == "bfloat16":  # "auto" may have chosen this engine
            raise BackendError(
                "precision: bfloat16 goes with the engine openvino, and keras runs here; "
                "choose that engine, or another precision"
            )
        if config.threads is not None:
            set_threads(config.threads)
        network = load_network(config.weights or weights_path("fast"))
        image_network = network.get_layer("fast_image")
        compact = load_compact(str(weights_path("compact")))

        def paint(image: Tensor, code: Tensor) -> Tensor:
            given = {"image": ops.cast(image, "float32"), "code": code}
            painted = image_network(given, training=False)
            return ops.cast(ops.round(ops.clip(painted, 0, 255)), "uint8")

        def measure(image: Tensor) -> Tensor:
            return style_statistics(compact(ops.cast(image, "float32"), training=False))

        self._predictor = network.get_layer("fast_predictor")
        self._paint, self._measure = compile_step(paint), compile_step(measure)
        self.description = f"fast, {describe_device()}"

    def encode(self, style: AnyStyle, *, scale: float) -> Code:
        """Return the code of a style: float32, (CODE_SIZE,).

        Args:
          style: a picture, or a built-in style, of which the nearest size is taken.
          scale: of the style picture, 1 for the size that the network knows.
        """
        if isinstance(style, Style):
            picture = resize_style(style.image, FAST.style_side * scale)
            statistics = self._measure(ops.convert_to_tensor(picture[None]))
        else:
            statistics = ops.convert_to_tensor(known_statistics(style, FAST.style_side * scale))
        code = ops.convert_to_numpy(self._predictor(statistics, training=False))
        return np.array(code[0], np.float32)

    def prepare(self, size: tuple[int, int]) -> None:
        """Trace the network for pictures of (width, height)."""
        self.paint(np.zeros((size[1], size[0], 3), np.uint8), np.zeros(CODE_SIZE, np.float32))

    def paint(self, image: Image, code: Code) -> Image:
        """Paint a picture, uint8 RGB (H, W, 3) of any size, in the style of a code.

        Raises:
          ConfigError: the image is no uint8 RGB picture, or the code is of another network.
        """
        extended = extend(image, stride=FAST.stride, least_side=FAST.least_side)
        known = ops.convert_to_tensor(check_code(code, CODE_SIZE))
        painted = ops.convert_to_numpy(self._paint(ops.convert_to_tensor(extended[None]), known))
        height, width, _ = image.shape
        return np.array(painted[0, :height, :width], np.uint8)


def load_network(weights: Path) -> keras.Model:
    """Build the network of `build_network` and load its weights; frozen.

    Raises:
      WeightsError: the file cannot be read, or holds another network's weights.
    """
    network = build_network()
    try:
        with warnings.catch_warnings():
            # of layers that a file does not have, Keras only warns, and leaves them random
            warnings.simplefilter("error", UserWarning)
            network.load_weights(weights)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise WeightsError(
            f"{weights}: expected weights of the fast network (.weights.h5), got something else "
            f"({str(error).partition(chr(10))[0]})"
        ) from error
    network.trainable = False
    return network
