"""The fast network in OpenVINO, on a CPU: the quickest way without a GPU.

Once its models are in the cache (`stylizer.network.fast.openvino_cache`), neither TensorFlow nor
Keras is imported. Pictures go in and out as uint8; conversion, clipping and rounding are in the
graph.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from stylizer.backend.cores import usable_cores
from stylizer.errors import BackendError
from stylizer.frame import Image
from stylizer.network.config import INSTALL_OPENVINO, FastConfig, Precision
from stylizer.network.fast.openvino_cache import PARTS, cached_models
from stylizer.network.fast.spec import FAST
from stylizer.network.pictures import (
    Code,
    check_code,
    extend,
    join_tiles,
    known_statistics,
    resize_style,
)
from stylizer.styles.load import AnyStyle, Style
from stylizer.weights import weights_path

__all__ = ["OpenVinoRuntime"]

_KEPT = 12
"""Image sizes for which the compiled network is kept: it is compiled for each, in 0.3 seconds."""

_HINTS: dict[Precision, dict[str, str]] = {
    "auto": {},
    "float32": {"INFERENCE_PRECISION_HINT": "f32"},
    "bfloat16": {"INFERENCE_PRECISION_HINT": "bf16"},
}

_EXACT = _HINTS["float32"]
"""For what runs once a style: the squares in its statistics leave the range of float16."""


class OpenVinoRuntime:
    """The network on the CPU plugin of OpenVINO; a `stylizer.network.runtime.Runtime`.

    Attributes:
      description: network, engine, device, threads and precision, for a start line.
      mixes: whether codes may be mixed; they may.
    """

    mixes = FAST.mixes

    def __init__(self, config: FastConfig | None = None) -> None:
        """Load the models, which are made first if they are not in the cache.

        Args:
          config: ``threads``, ``precision``, ``weights`` and ``cache`` count here; None for the
            defaults.

        Raises:
          BackendError: OpenVINO is not installed, the network cannot be converted, or the CPU has
            no such precision.
          WeightsError: weights are missing or damaged.
        """
        config = config or FastConfig()
        core = _make_core()
        if config.precision == "bfloat16" and not _has_bfloat16(core):
            raise BackendError(
                "precision: expected a CPU that has bfloat16, and this one has not; "
                "choose float32 or auto"
            )
        threads = config.threads or usable_cores()
        self._settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            **_HINTS[config.precision],
        }
        self._core = core
        weights = config.weights or weights_path("fast")
        with cached_models(weights, weights_path("compact"), cache=config.cache) as folder:
            self._image, self._statistics, predictor = (
                _read(core, folder / f"{part}.xml") for part in PARTS
            )
        self._predict = core.compile_model(predictor, "CPU", self._settings | _EXACT)
        self._code_size = int(self._predict.output().shape[-1])
        precision = _usual_precision(core) if config.precision == "auto" else config.precision
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
                picture = resize_style(style.image, FAST.style_side * scale)
                statistics = self._measure(picture[None].astype(np.float32))[0]
            else:
                statistics = known_statistics(style, FAST.style_side * scale)
            return np.array(self._predict(statistics)[0][0], np.float32)

    @functools.cached_property
    def _measure(self) -> Any:
        """From a style picture to its statistics; built-in styles do without."""
        return self._core.compile_model(self._statistics, "CPU", self._settings | _EXACT)

    def prepare(self, size: tuple[int, int]) -> None:
        """Compile the network for pictures of (width, height); `paint` may run meanwhile."""
        shape = _extend(np.zeros((size[1], size[0], 3), np.uint8)).shape
        with self._painting:
            known = shape in self._painters
        if not known:
            painter = self._compile(shape)
            with self._painting:
                self._keep(shape, painter)

    def paint(self, image: Image, code: Code) -> Image:
        """Paint a picture, uint8 RGB (H, W, 3) of any size, in the style of a code.

        Raises:
          ConfigError: the image is no uint8 RGB picture, or the code is of another network.
        """
        extended = _extend(image)
        known = check_code(code, self._code_size)
        height, width, _ = image.shape
        with self._painting:
            request = self._painter(extended.shape)
            given = {"image": extended, "code": known}
            # shared: the joined tiles are a copy
            tiles = request.infer(given, share_inputs=True, share_outputs=True)[0][0]
            return np.ascontiguousarray(join_tiles(tiles)[:height, :width])

    def _painter(self, shape: tuple[int, ...]) -> Any:
        """Return the network compiled for images of a shape (1, H, W, 3), and a place to run it."""
        if shape not in self._painters:
            self._keep(shape, self._compile(shape))
        self._painters.move_to_end(shape)
        return self._painters[shape]

    def _compile(self, shape: tuple[int, ...]) -> Any:
        model = self._image.clone()
        model.reshape({"image": shape, "code": (1, self._code_size)})
        return self._core.compile_model(model, "CPU", self._settings).create_infer_request()

    def _keep(self, shape: tuple[int, ...], painter: Any) -> None:
        self._painters[shape] = painter
        if len(self._painters) > _KEPT:
            self._painters.popitem(last=False)


def _extend(image: Image) -> Image:
    return extend(image, stride=FAST.stride, least_side=FAST.least_side)[None]


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


def _has_bfloat16(core: Any) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _usual_precision(core: Any) -> str:
    """Say in what arithmetic networks run here: bfloat16 or float16 where the CPU has it."""
    short = str(core.get_property("CPU", "INFERENCE_PRECISION_HINT").to_string())
    return {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}.get(short, short)
