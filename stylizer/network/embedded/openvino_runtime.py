"""An embedded network in OpenVINO, on a CPU: the quickest way without a GPU.

Where its models are carried or in the cache (`stylizer.network.embedded.openvino_models`), neither
TensorFlow nor Keras is imported. Pictures go in and out as uint8; conversion, clipping and rounding
are in the graph.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np

from stylizer.backend.cores import usable_cores
from stylizer.backend.openvino_core import (
    cpu_precision,
    gains_by_int8,
    has_bfloat16,
    read_model,
    shared_core,
)
from stylizer.errors import BackendError
from stylizer.frame import Cameras, Image, check_image
from stylizer.io.smoothing import smooth
from stylizer.network.config import FastConfig
from stylizer.network.embedded.embedding import Engine, embed_style
from stylizer.network.embedded.openvino_models import load_models
from stylizer.network.embedded.openvino_painter import ImageNetwork, Painter
from stylizer.network.embedded.openvino_style import StyleValues, make_style
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.embedded.style_cache import StyleCache
from stylizer.network.inputs import (
    StyleEmbedding,
    extend,
    join_tiles,
    known_statistics,
    resize_style,
    tuned_scale,
)
from stylizer.styles.load import AnyStyle, Style

_Shape = tuple[int, ...]
_Key = tuple[_Shape, StyleValues | None]
T = TypeVar("T")

__all__ = ["OpenVinoRuntime"]

_KEPT = 12
"""Compiled networks that are kept: one for each size of image, for all styles; in 8 bits for one
style."""

_SMALL, _FEW = 500_000, 3
"""Pixels of pictures, and number of them, that memory is not short for."""

_AT_ONCE = 2
"""Pictures that are painted at once, where there are as many cores."""

_HINTS: dict[str, dict[str, str]] = {
    "auto": {},
    "float32": {"INFERENCE_PRECISION_HINT": "f32"},
    "bfloat16": {"INFERENCE_PRECISION_HINT": "bf16"},
}

_EXACT = _HINTS["float32"]
"""For what runs once a style: the squares in its statistics leave the range of float16."""


class OpenVinoRuntime:
    """A network on the CPU plugin of OpenVINO; a `stylizer.network.runtime.Runtime`.

    Attributes:
      description: network, engine, device, threads and precision, for a start line.
      mixes: whether codes may be mixed.
      moves_noise: whether the network takes noise, which can be moved along with the camera.
      at_once: how many pictures `paint_beside` paints at once best.
    """

    def __init__(self, network: EmbeddedNetworkSpec, config: FastConfig | None = None) -> None:
        """Load the models; those of other weights are made first if they are not in the cache.

        Args:
          network: which.
          config: ``threads``, ``precision``, ``smooth``, ``weights`` and ``cache`` count here; None
            for the defaults.

        Raises:
          BackendError: OpenVINO is not installed, the network cannot be converted, or the CPU has
            no such precision.
          WeightsError: weights are missing or damaged.
        """
        config = config or FastConfig(network=network.name)
        core = shared_core()
        from stylizer.network.embedded.openvino_split import split_style

        if config.precision == "bfloat16" and not has_bfloat16():
            raise BackendError(
                "precision: expected a CPU that has bfloat16, and this one has not; "
                "choose float32 or auto"
            )
        rest = config.precision
        if rest == "int8":  # of what is not in 8 bits
            rest = "bfloat16" if has_bfloat16() else "float32"
        threads = config.threads or usable_cores()
        self._settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # two processes would be pinned to the same cores
            **_HINTS[rest],
        }
        self._core, self._network, self._smooth = core, network, network.smoothing(config.smooth)
        models = load_models(network, config.weights, cache=config.cache)
        image, self._statistics, predictor = (
            read_model(*models[part]) for part in ("image", "statistics", "predictor")
        )
        style, image = split_style(image)
        self._images = ImageNetwork(network, core, image, self._settings)
        self._read_style, self._predict = (
            core.compile_model(model, "CPU", self._settings | _EXACT)
            for model in (style, predictor)
        )
        self._code_size = int(self._predict.output().shape[-1])
        inputs = {slot.get_any_name(): slot for slot in self._read_style.inputs}
        self._change_size = int(inputs["change"].shape[0]) if "change" in inputs else 0
        self._digest = network.digest(config.weights)
        # without self, which would be kept until Python looks for cycles: that may be hours, and
        # each network has threads and memory of its own
        make = functools.partial(
            make_style, self._read_style, self._code_size, change_size=self._change_size
        )
        self._style = StyleCache[StyleValues](make)
        usual = network.precision_on(cpu_precision(), gains_by_int8=gains_by_int8())
        precision = usual if config.precision == "auto" else config.precision
        self._eight_bits = precision == "int8"
        self.description = f"{network.name}, openvino on CPU ({threads} threads), {precision}"
        self.mixes, self.moves_noise = network.mixes, network.noise is not None
        self.at_once = min(_AT_ONCE, threads)
        self._painters: OrderedDict[_Key, Painter] = OrderedDict()
        self._beside: OrderedDict[_Key, SimpleQueue[Painter]] = OrderedDict()
        self._painting, self._encoding = threading.Lock(), threading.Lock()

    def encode(self, style: AnyStyle, *, scale: float) -> StyleEmbedding:
        """Return the code of a style: float32, 1-D.

        Args:
          style: a picture, or a built-in style, of which the nearest size is taken.
          scale: of the style picture, 1 for the size that the network knows.
        """
        with self._encoding:
            side = self._network.style_side * scale * tuned_scale(style, self._network.name)
            if isinstance(style, Style):
                picture = resize_style(style.image, side)
                statistics = self._measure(picture[None].astype(np.float32))[0]
            else:
                count = int(self._predict.input().shape[-1])
                statistics = known_statistics(style, side, count)
            code = np.array(self._predict(statistics)[0][0], np.float32)
            engine = Engine(
                change=self._change_size,
                values=lambda embedding: self._style(embedding).arrays,
                paint=self._paint_first,
            )
            return embed_style(code, style, self._network, self._digest, engine)

    def _paint_first(self, image: Image, code: StyleEmbedding) -> Image:
        """Paint a picture of a size that may be new; what is painted meanwhile does not wait."""
        self._make_painter((image.shape[1], image.shape[0]), self._style(code))
        return self.paint(image, code)

    @functools.cached_property
    def _measure(self) -> Any:
        """From a style picture to its statistics; built-in styles do without."""
        return self._core.compile_model(self._statistics, "CPU", self._settings | _EXACT)

    def prepare(self, size: tuple[int, int], code: StyleEmbedding) -> None:
        """Compile the network for pictures of (width, height), and make the kernels of a code.

        In 8 bits it is compiled for the style, too: from then on that is how pictures of any size
        are painted in it. `paint` may run meanwhile.

        Raises:
          ConfigError: the code is of another network.
        """
        style = self._style(code)
        if self._eight_bits and style.ranges is None:
            examples = [self._extend(picture) for picture in self._network.load_examples()]
            style.ranges = self._images.find_ranges(style, examples)
        self._make_painter(size, style)

    def _make_painter(self, size: tuple[int, int], style: StyleValues) -> None:
        key = self._extend(np.zeros((size[1], size[0], 3), np.uint8)).shape, _held(style)
        with self._painting:
            known = key in self._painters
        if not known:
            painter = self._images.compile(key[0], style=key[1])[0]
            with self._painting:
                _keep(self._painters, key, painter)

    def paint(self, image: Image, code: StyleEmbedding, *, cameras: Cameras | None = None) -> Image:
        """Paint a picture, uint8 RGB (H, W, 3) of any size, in the style of a code.

        The noise, if the network takes any, moves with the camera.

        Raises:
          ConfigError: the image is no uint8 RGB picture, or the code is of another network.
        """
        extended = self._extend(smooth(check_image(image), self._smooth))
        style = self._style(code)
        with self._painting:
            painter = self._painter(extended.shape, style)
            return self._run(painter, extended, style, cameras, image.shape)

    def paint_beside(
        self, image: Image, code: StyleEmbedding, *, cameras: Cameras | None = None
    ) -> Image:
        """Paint as `paint` does, while other threads paint other pictures so.

        Raises:
          ConfigError: the same.
        """
        extended = self._extend(smooth(check_image(image), self._smooth))
        style = self._style(code)
        free = self._free_painters(extended.shape, style)
        painter = free.get()
        try:
            return self._run(painter, extended, style, cameras, image.shape)
        finally:
            free.put(painter)

    def _free_painters(self, shape: _Shape, style: StyleValues) -> SimpleQueue[Painter]:
        """Return those of images (1, H, W, 3) that paint beside each other and are free."""
        key = shape, _held(style)
        with self._painting:
            if key not in self._beside:
                free = SimpleQueue[Painter]()
                streams = {"NUM_STREAMS": self.at_once, "PERFORMANCE_HINT": "THROUGHPUT"}
                count = self.at_once
                made = self._images.compile(shape, style=key[1], count=count, settings=streams)
                for painter in made:
                    free.put(painter)
                _keep(self._beside, key, free)
            self._beside.move_to_end(key)
            return self._beside[key]

    def _run(
        self,
        painter: Painter,
        extended: Image,
        style: StyleValues,
        cameras: Cameras | None,
        shape: _Shape,
    ) -> Image:
        """Paint an extended picture, and cut the painting to a shape (H, W, 3)."""
        height, width, _ = shape
        if painter.style is not style:
            self._images.set_style(painter, style.tensors)
            painter.style = style
        self._images.move_noise(painter, cameras, extended.shape, (width, height))
        # shared: the joined tiles are a copy
        given = {"image": extended}
        tiles = painter.request.infer(given, share_inputs=True, share_outputs=True)[0][0]
        return np.ascontiguousarray(join_tiles(tiles)[:height, :width])

    def forget_sizes(self) -> None:
        """Keep the networks for small pictures that were painted last, and let the others go."""
        with self._painting:
            small = [key for key in self._painters if key[0][1] * key[0][2] <= _SMALL]
            kept = small[-_FEW:]
            for key in [*self._painters]:
                if key not in kept:
                    del self._painters[key]
            self._beside.clear()  # of films; those that paint go on with theirs

    def _extend(self, image: Image) -> Image:
        stride, least = self._network.stride, self._network.least_side
        return extend(image, stride=stride, least_side=least)[None]

    def _painter(self, shape: _Shape, style: StyleValues) -> Painter:
        """Return where the network runs for images (1, H, W, 3)."""
        key = shape, _held(style)
        if key not in self._painters:
            _keep(self._painters, key, self._images.compile(shape, style=key[1])[0])
        self._painters.move_to_end(key)
        return self._painters[key]


def _held(style: StyleValues) -> StyleValues | None:
    """Return a style if networks are compiled for it: in 8 bits."""
    return None if style.ranges is None else style


def _keep(kept: OrderedDict[_Key, T], key: _Key, value: T) -> None:
    kept[key] = value
    if len(kept) > _KEPT:
        kept.popitem(last=False)
