"""The fast network in OpenVINO, on a CPU: the quickest way without a GPU.

Once its models are in the cache (`stylizer.network.openvino_cache`), neither TensorFlow nor Keras
is imported. Pictures go in and out as uint8; conversion, clipping and rounding are in the graph.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from stylizer.cores import usable_cores
from stylizer.errors import BackendError
from stylizer.frame import Image
from stylizer.network.config import FastConfig
from stylizer.network.openvino_cache import cached_models
from stylizer.network.pictures import (
    Code,
    check_code,
    extend,
    known_statistics,
    resize_style,
)
from stylizer.network.runtime import INSTALL_OPENVINO
from stylizer.styles import AnyStyle, Style
from stylizer.weights import weights_path

__all__ = ["OpenVinoRuntime"]

_KEPT = 4
"""Image sizes for which the compiled network is kept: it is compiled for each, in 0.3 seconds."""

_EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
"""For what runs once a style: the squares in its statistics leave the range of float16."""


class OpenVinoRuntime:
    """The network on the CPU plugin of OpenVINO; a `stylizer.network.runtime.Runtime`.

    Attributes:
      description: network, engine, device, threads and precision, for a start line.
      mixes: whether codes may be mixed; they may.
    """

    mixes = True

    def __init__(self, config: FastConfig | None = None) -> None:
        """Load the models, which are made first if they are not in the cache.

        Args:
          config: ``threads``, ``weights`` and ``cache`` count here; None for the defaults.

        Raises:
          BackendError: OpenVINO is not installed, or the network cannot be converted.
          WeightsError: weights are missing or damaged.
        """
        config = config or FastConfig()
        core = _make_core()
        threads = config.threads or usable_cores()
        self._settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        self._core = core
        weights = config.weights or weights_path("fast")
        with cached_models(weights, weights_path("compact"), cache=config.cache) as folder:
            self._image = _read(core, folder / "image.xml")
            statistics, predictor = (
                _read(core, folder / f"{part}.xml") for part in ("statistics", "predictor")
            )
        self._measure, self._predict = (
            core.compile_model(model, "CPU", self._settings | _EXACT)
            for model in (statistics, predictor)
        )
        self._code_size = int(self._predict.output().shape[-1])
        precision = _precision(core.compile_model(predictor, "CPU", self._settings))
        self.description = f"fast, openvino on CPU ({threads} threads), {precision}"
        self._painters: OrderedDict[tuple[int, ...], Any] = OrderedDict()
        self._painting, self._encoding = threading.Lock(), threading.Lock()

    def encode(self, style: AnyStyle, *, scale: float) -> Code:
        """Return the code of a style: float32, 1-D.

        Args:
          style: a picture, or a built-in style, of which the nearest size is taken.
          scale: of the style picture, 1 for the size that the network knows.
        """
        with self._encoding:
            if isinstance(style, Style):
                picture = resize_style(style.image, scale)
                statistics = self._measure(picture[None].astype(np.float32))[0]
            else:
                statistics = known_statistics(style, scale)
            return np.array(self._predict(statistics)[0][0], np.float32)

    def paint(self, image: Image, code: Code) -> Image:
        """Paint a picture, uint8 RGB (H, W, 3) of any size, in the style of a code.

        Raises:
          ConfigError: the image is no uint8 RGB picture, or the code is of another network.
        """
        extended = extend(image)[None]
        known = check_code(code, self._code_size)
        height, width, _ = image.shape
        with self._painting:
            request = self._painter(extended.shape)
            painted = request.infer({"image": extended, "code": known}, share_inputs=True)[0]
            return np.array(painted[0, :height, :width])

    def _painter(self, shape: tuple[int, ...]) -> Any:
        """Return the network compiled for images of a shape (1, H, W, 3), and a place to run it."""
        if shape not in self._painters:
            model = self._image.clone()
            model.reshape({"image": shape, "code": (1, self._code_size)})
            compiled = self._core.compile_model(model, "CPU", self._settings)
            self._painters[shape] = compiled.create_infer_request()
            if len(self._painters) > _KEPT:
                self._painters.popitem(last=False)
        self._painters.move_to_end(shape)
        return self._painters[shape]


def _make_core() -> Any:
    try:
        import openvino
    except ImportError as error:
        raise BackendError(
            f"engine: expected openvino to be installed, but it cannot be imported ({error}): "
            f"{INSTALL_OPENVINO}, or choose the engine keras"
        ) from error
    return openvino.Core()


def _read(core: Any, path: Path) -> Any:
    try:
        return core.read_model(path)
    except RuntimeError as error:
        raise BackendError(
            f"{path}: OpenVINO cannot read its own model; delete the folder {path.parent} and try "
            "again"
        ) from error


def _precision(compiled: Any) -> str:
    """Say in what arithmetic a network runs: bfloat16 or float16 where the CPU has it."""
    short = str(compiled.get_property("INFERENCE_PRECISION_HINT").to_string())
    return {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}.get(short, short)
