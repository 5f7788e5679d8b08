"""An embedded network in OpenVINO, on a CPU: the quickest way without a GPU.

Where its models are carried or in the cache (`stylizer.network.embedded.openvino_models`), neither
TensorFlow nor Keras is imported. Pictures go in and out as uint8; conversion, clipping and rounding
are in the graph.
"""

from __future__ import annotations

import functools
import pkgutil
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from stylizer.backend.cores import usable_cores
from stylizer.backend.openvino_core import cpu_precision, has_bfloat16, read_model, shared_core
from stylizer.backend.precision import Precision
from stylizer.errors import BackendError
from stylizer.frame import Cameras, Image, check_image
from stylizer.network.config import FastConfig
from stylizer.network.embedded.embedding import Engine, embed_style
from stylizer.network.embedded.openvino_models import load_models
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.embedded.style_cache import StyleCache
from stylizer.network.inputs import (
    StyleEmbedding,
    check_embedding,
    extend,
    join_tiles,
    known_statistics,
    resize_style,
    tuned_scale,
)
from stylizer.network.smoothing import smooth
from stylizer.styles.load import AnyStyle, Style

Masks = npt.NDArray[np.float32]
T = TypeVar("T")

__all__ = ["OpenVinoRuntime"]

_KEPT = 12
"""Compiled networks that are kept: one for each size of image, for all styles."""

_SMALL, _FEW = 500_000, 3
"""Pixels of pictures, and number of them, that memory is not short for."""

_AT_ONCE = 2
"""Pictures that are painted at once, where there are as many cores."""

_HINTS: dict[Precision, dict[str, str]] = {
    "auto": {},
    "float32": {"INFERENCE_PRECISION_HINT": "f32"},
    "bfloat16": {"INFERENCE_PRECISION_HINT": "bf16"},
}

_EXACT = _HINTS["float32"]
"""For what runs once a style: the squares in its statistics leave the range of float16."""


@dataclass
class _Painter:
    """The network compiled for a size, whose kernels it holds, or those of several styles.

    Its noise is that for ``cameras``.
    """

    request: Any
    style: list[Any] | None = None
    styles: Sequence[list[Any]] = ()
    cameras: Cameras | None = None


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
        threads = config.threads or usable_cores()
        self._settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # two processes would be pinned to the same cores
            **_HINTS[config.precision],
        }
        self._core, self._network, self._smooth = core, network, network.smoothing(config.smooth)
        models = load_models(network, config.weights, cache=config.cache)
        image, self._statistics, predictor = (
            read_model(*models[part]) for part in ("image", "statistics", "predictor")
        )
        style, self._image = split_style(image)
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
            _make_style, self._read_style, self._code_size, change_size=self._change_size
        )
        self._style = StyleCache[list[Any]](make)
        precision = cpu_precision() if config.precision == "auto" else config.precision
        self.description = f"{network.name}, openvino on CPU ({threads} threads), {precision}"
        self.mixes, self.moves_noise = network.mixes, network.noise is not None
        self.at_once = min(_AT_ONCE, threads)
        self._painters: OrderedDict[tuple[int, ...], _Painter] = OrderedDict()
        self._beside: OrderedDict[tuple[int, ...], SimpleQueue[_Painter]] = OrderedDict()
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
                values=lambda: [tensor.data for tensor in self._style(code)],
                paint=lambda image: self._paint_first(image, code),
            )
            return embed_style(code, style, self._network, self._digest, engine)

    def _paint_first(self, image: Image, code: StyleEmbedding) -> Image:
        """Paint a picture of a size that may be new; what is painted meanwhile does not wait."""
        self.prepare((image.shape[1], image.shape[0]), code)
        return self.paint(image, code)

    @functools.cached_property
    def _measure(self) -> Any:
        """From a style picture to its statistics; built-in styles do without."""
        return self._core.compile_model(self._statistics, "CPU", self._settings | _EXACT)

    def prepare(self, size: tuple[int, int], code: StyleEmbedding) -> None:
        """Compile the network for pictures of (width, height), and make the kernels of a code.

        `paint` may run meanwhile.

        Raises:
          ConfigError: the code is of another network.
        """
        self._style(code)
        shape = self._extend(np.zeros((size[1], size[0], 3), np.uint8)).shape
        with self._painting:
            known = shape in self._painters
        if not known:
            painter = self._compile(shape)[0]
            with self._painting:
                _keep(self._painters, shape, painter)

    def paint(self, image: Image, code: StyleEmbedding, *, cameras: Cameras | None = None) -> Image:
        """Paint a picture, uint8 RGB (H, W, 3) of any size, in the style of a code.

        The noise, if the network takes any, moves with the camera.

        Raises:
          ConfigError: the image is no uint8 RGB picture, or the code is of another network.
        """
        extended = self._extend(smooth(check_image(image), self._smooth))
        style = self._style(code)
        with self._painting:
            painter = self._painter(extended.shape)
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
        free = self._free_painters(extended.shape)
        painter = free.get()
        try:
            return self._run(painter, extended, style, cameras, image.shape)
        finally:
            free.put(painter)

    def _free_painters(self, shape: tuple[int, ...]) -> SimpleQueue[_Painter]:
        """Return those of images (1, H, W, 3) that paint beside each other and are free."""
        with self._painting:
            if shape not in self._beside:
                free = SimpleQueue[_Painter]()
                streams = {"NUM_STREAMS": self.at_once, "PERFORMANCE_HINT": "THROUGHPUT"}
                for painter in self._compile(shape, count=self.at_once, settings=streams):
                    free.put(painter)
                _keep(self._beside, shape, free)
            self._beside.move_to_end(shape)
            return self._beside[shape]

    def _run(
        self,
        painter: _Painter,
        extended: Image,
        style: list[Any],
        cameras: Cameras | None,
        shape: tuple[int, ...],
    ) -> Image:
        """Paint an extended picture, and cut the painting to a shape (H, W, 3)."""
        height, width, _ = shape
        if painter.style is not style:
            first = len(self._image.inputs) - len(style)
            for index, tensor in enumerate(style, start=first):
                painter.request.set_input_tensor(index, tensor)
            painter.style = style
        self._move_noise(painter, cameras, extended.shape, (width, height))
        # shared: the joined tiles are a copy
        given = {"image": extended}
        tiles = painter.request.infer(given, share_inputs=True, share_outputs=True)[0][0]
        return np.ascontiguousarray(join_tiles(tiles)[:height, :width])

    def paint_parts(self, image: Image, codes: Sequence[StyleEmbedding], masks: Masks) -> Image:
        """Paint a picture in several styles in one pass, each in its part of the picture.

        Args:
          image: uint8 RGB, (H, W, 3), of any size.
          codes: of the styles, 2 or more.
          masks: float32, (N, h, w), of any size: how much of each pixel belongs to each part, with
            a sum of 1.

        Raises:
          ConfigError: the image is no uint8 RGB picture, or a code is of another network.
        """
        from stylizer.network.embedded.openvino_regions import give_masks

        extended = self._extend(smooth(check_image(image), self._smooth))
        height, width, _ = image.shape
        styles = [self._style(code) for code in codes]
        with self._painting:
            request = self._divided_painter(extended.shape, styles)
            give_masks(request, masks, (width, height))
            given = {"image": extended}
            tiles = request.infer(given, share_inputs=True, share_outputs=True)[0][0]
            return np.ascontiguousarray(join_tiles(tiles)[:height, :width])

    def forget_sizes(self) -> None:
        """Keep the networks for small pictures that were painted last, and let the others go."""
        with self._painting:
            small = [shape for shape in self._painters if shape[1] * shape[2] <= _SMALL]
            kept = small[-_FEW:]
            for shape in [*self._painters]:
                if shape not in kept:
                    del self._painters[shape]
            self._beside.clear()  # of films; those that paint go on with theirs

    def _divided_painter(self, shape: tuple[int, ...], styles: Sequence[list[Any]]) -> Any:
        """Return where the network runs in several styles for images (1, H, W, 3)."""
        from stylizer.network.embedded.openvino_regions import combine_styles

        key = (*shape, len(styles))
        if key not in self._painters:
            _keep(self._painters, key, self._compile(shape, parts=len(styles))[0])
        self._painters.move_to_end(key)
        painter = self._painters[key]
        if [*map(id, painter.styles)] != [*map(id, styles)]:
            read = [[tensor.data for tensor in style] for style in styles]
            # what follows from the mean of codes, since all of it is affine in them
            mean = [np.mean(values, axis=0) for values in zip(*read, strict=True)]
            values = combine_styles(self._image, len(mean), read, mean)
            first = len(self._image.inputs) - len(mean)
            for index, value in enumerate(values, start=first):
                painter.request.set_input_tensor(index, _tensor(value))
            painter.styles = styles
        return painter.request

    def _extend(self, image: Image) -> Image:
        stride, least = self._network.stride, self._network.least_side
        return extend(image, stride=stride, least_side=least)[None]

    def _painter(self, shape: tuple[int, ...]) -> _Painter:
        """Return where the network runs for images (1, H, W, 3)."""
        if shape not in self._painters:
            _keep(self._painters, shape, self._compile(shape)[0])
        self._painters.move_to_end(shape)
        return self._painters[shape]

    def _move_noise(
        self,
        painter: _Painter,
        cameras: Cameras | None,
        shape: tuple[int, ...],
        size: tuple[int, int],
    ) -> None:
        """Give a painter the noise for where the camera looks, if it has another."""
        if self._network.noise is None or painter.cameras == cameras:
            return
        noise = pkgutil.resolve_name(self._network.noise)(*shape[1:3], cameras=cameras, size=size)
        painter.request.set_tensor("noise", _tensor(noise))
        painter.cameras = cameras

    def _compile(
        self,
        shape: tuple[int, ...],
        *,
        parts: int = 1,
        count: int = 1,
        settings: Mapping[str, Any] | None = None,
    ) -> list[_Painter]:
        """Return ``count`` painters of one compiled network."""
        model, shapes, noise = self._image.clone(), {"image": shape}, None
        if self._network.noise is not None:
            noise = pkgutil.resolve_name(self._network.noise)(*shape[1:3])
            shapes["noise"] = noise.shape
        model.reshape(shapes)
        if parts > 1:
            from stylizer.network.embedded.openvino_regions import divide_styles

            model = divide_styles(model, len(self._read_style.outputs), parts)
        compiled = self._core.compile_model(model, "CPU", {**self._settings, **(settings or {})})
        painters = [_Painter(compiled.create_infer_request()) for _ in range(count)]
        for painter in painters:
            if noise is not None:
                painter.request.set_tensor("noise", _tensor(noise))
        return painters


def _keep(kept: OrderedDict[tuple[int, ...], T], shape: tuple[int, ...], value: T) -> None:
    kept[shape] = value
    if len(kept) > _KEPT:
        kept.popitem(last=False)


def _make_style(read: Any, code_size: int, style: StyleEmbedding, *, change_size: int) -> list[Any]:
    """Return what the network takes of a style, as OpenVINO's tensors."""
    code, change = check_embedding(style, code_size, change=change_size)
    given = {"code": code}
    if change_size:
        given["change"] = np.zeros(change_size, np.float32) if change is None else change
    return [_tensor(value) for value in read(given).values()]


def _tensor(values: npt.NDArray[np.float32]) -> Any:
    """Return a tensor that has the values in memory of its own."""
    import openvino

    return openvino.Tensor(np.ascontiguousarray(values), shared_memory=False)
