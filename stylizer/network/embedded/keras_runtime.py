"""An embedded network in Keras: on any of its backends, and on a GPU that the backend uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from stylizer.backend.keras_backend import compile_step, describe_device, set_threads
from stylizer.errors import BackendError
from stylizer.frame import Image, check_image
from stylizer.io.smoothing import smooth
from stylizer.network.config import FastConfig
from stylizer.network.embedded.embedding import Engine, embed_style
from stylizer.network.embedded.parts import load_parts
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.embedded.style_cache import StyleCache
from stylizer.network.inputs import (
    StyleEmbedding,
    check_embedding,
    extend,
    known_statistics,
    resize_style,
    tuned_scale,
)
from stylizer.styles.load import AnyStyle, Style
from stylizer.weights import weights_path

__all__ = ["KerasRuntime"]

Tensor = Any


class KerasRuntime:
    """A network on the backend of Keras; a `stylizer.network.runtime.Runtime`.

    Attributes:
      description: network, backend, device, threads and precision, for a start line.
      mixes: whether codes may be mixed.
    """

    def __init__(self, network: EmbeddedNetworkSpec, config: FastConfig | None = None) -> None:
        """Load the weights.

        Args:
          network: which.
          config: ``threads``, ``smooth`` and ``weights`` count here; None for the defaults.

        Raises:
          BackendError: the backend runs already with another number of threads, or has no such
            setting; or bfloat16 or int8 is asked for.
          WeightsError: weights are missing or damaged.
        """
        config = config or FastConfig(network=network.name)
        if config.precision in ("bfloat16", "int8"):  # "auto" may have chosen this engine
            raise BackendError(
                f"precision: {config.precision} goes with the engine openvino, and keras runs "
                "here; choose that engine, or another precision"
            )
        if config.threads is not None:
            set_threads(config.threads)
        weights = config.weights or weights_path(network.weights)
        parts = load_parts(network.parts, weights, weights_path(network.loss_weights))

        styled = parts.styled

        def paint(image: Tensor, style: Any) -> Tensor:
            picture = ops.cast(image, "float32")
            if styled is None:
                painted = parts.image({"image": picture, "code": style}, training=False)
            else:
                painted = styled.paint(picture, style)
            return ops.cast(ops.round(ops.clip(painted, 0, 255)), "uint8")

        def read_style(style: StyleEmbedding) -> Any:
            """Return what `paint` takes of a style."""
            size = 0 if styled is None else styled.change_size
            code, change = check_embedding(style, parts.code_size, change=size)
            known = ops.convert_to_tensor(code)
            if styled is None:
                return known
            added = np.zeros(size, np.float32) if change is None else change
            return styled.read(known, ops.convert_to_tensor(added))

        def measure(image: Tensor) -> Tensor:
            return parts.statistics({"image": ops.cast(image, "float32")}, training=False)

        self._network, self._predictor = network, parts.predictor
        self._smooth = network.smoothing(config.smooth)
        self._digest = network.digest(config.weights)
        self._style = StyleCache(read_style)
        self._change_size = 0 if styled is None else styled.change_size
        self._paint, self._measure = compile_step(paint), compile_step(measure)
        self.description = f"{network.name}, {describe_device()}"
        self.mixes = network.mixes

    def encode(self, style: AnyStyle, *, scale: float) -> StyleEmbedding:
        """Return the code of a style: float32, 1-D.

        Args:
          style: a picture, or a built-in style, of which the nearest size is taken.
          scale: of the style picture, 1 for the size that the network knows.
        """
        side = self._network.style_side * scale * tuned_scale(style, self._network.name)
        if isinstance(style, Style):
            picture = resize_style(style.image, side)
            statistics = self._measure(ops.convert_to_tensor(picture[None]))
        else:
            count = self._predictor.input_shape[-1]
            statistics = ops.convert_to_tensor(known_statistics(style, side, count))
        code = ops.convert_to_numpy(self._predictor(statistics, training=False))
        known = np.array(code[0], np.float32)
        engine = Engine(
            change=self._change_size,
            values=lambda style: [*map(ops.convert_to_numpy, self._style(style).values())],
            paint=self.paint,
        )
        return embed_style(known, style, self._network, self._digest, engine)

    def prepare(self, size: tuple[int, int], code: StyleEmbedding) -> None:
        """Trace the network for pictures of (width, height), and make the kernels of a code."""
        self.paint(np.zeros((size[1], size[0], 3), np.uint8), code)

    def paint(self, image: Image, code: StyleEmbedding) -> Image:
        """Paint a picture, uint8 RGB (H, W, 3) of any size, in the style of a code.

        Raises:
          ConfigError: the image is no uint8 RGB picture, or the code is of another network.
        """
        stride, least = self._network.stride, self._network.least_side
        smoothed = smooth(check_image(image), self._smooth)
        extended = extend(smoothed, stride=stride, least_side=least)
        style = self._style(code)
        painted = ops.convert_to_numpy(self._paint(ops.convert_to_tensor(extended[None]), style))
        height, width, _ = image.shape
        return np.array(painted[0, :height, :width], np.uint8)
