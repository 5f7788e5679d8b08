"""The objective in OpenVINO, on a CPU: half to a fifth of the time that Keras's backends take.

Content and style loss with their gradient are one graph (`stylizer.gatys.openvino_graph`), compiled
for each size; total variation and the temporal loss, which look at pixels, are added in float32.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.backend.cores import usable_cores
from stylizer.backend.openvino_core import has_bfloat16, shared_core
from stylizer.errors import BackendError
from stylizer.gatys import objective
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.guidance import Guides
from stylizer.gatys.memory import TemporalTarget
from stylizer.gatys.openvino_graph import build_features, build_gradient, centered
from stylizer.gatys.optimizers import Canvas, CanvasOptimizer, Losses, make_array_optimizer
from stylizer.gatys.targets import pad_picture
from stylizer.perceptual.chain import read_chain
from stylizer.perceptual.features import LossNetwork
from stylizer.perceptual.losses import SMALLEST_ENERGY, Tensor

__all__ = ["OpenVinoObjective", "describe_openvino", "obstacle", "obstacle_in"]

_KEPT = 12
"""Compiled graphs that are kept: two a size."""

_TERMS = ("content", "style", "total_variation", "temporal")
_HINTS = {"float32": "f32", "bfloat16": "bf16"}

Arrays = dict[str, npt.NDArray[np.float32]]


def obstacle(network: LossNetwork, config: GatysConfig) -> str | None:
    """Say why OpenVINO does not run an optimization; None if nothing is in the way.

    Args:
      network: the loss network.
      config: the settings.
    """
    if read_chain(network.model) is None:
        return f"the loss network {network.name} is no chain of convolutions of 3x3 and poolings"
    return obstacle_in(config)


def obstacle_in(config: GatysConfig) -> str | None:
    """Say what of the settings OpenVINO cannot do, whatever the network; None for nothing."""
    if config.tv_exponent != 1.0:
        return f"tv_exponent: expected 1, got {config.tv_exponent:g}"
    if config.precision not in ("auto", *_HINTS):
        return f"precision: expected float32 or bfloat16, got {config.precision}"
    if config.precision == "bfloat16" and not has_bfloat16():
        return "precision: this CPU has no bfloat16"
    return (
        None
        if tuple(objective.TERMS) == _TERMS
        else "there are terms of the loss that it does not know"
    )


def describe_openvino(config: GatysConfig) -> str:
    """Return engine, device and precision, for a start line."""
    return f"openvino on CPU ({usable_cores()} threads), {_precision(config)}"


def _precision(config: GatysConfig) -> str:
    usual = "bfloat16" if has_bfloat16() else "float32"
    return usual if config.precision == "auto" else config.precision


class OpenVinoObjective:
    """Targets as arrays; an `stylizer.gatys.engine.Objective`.

    In bfloat16, which is taken where the CPU has it, losses are within one or two percent of those
    in float32, and the gradient within a tenth; what is painted is as near to the style, as VGG-19
    sees it. Pixels, and what is added to them, are float32.
    """

    def __init__(self, network: LossNetwork, config: GatysConfig) -> None:
        """Take the network's weights.

        Args:
          network: the loss network, in float32.
          config: the settings.

        Raises:
          BackendError: there is an `obstacle`, or OpenVINO is not installed.
        """
        self._core = shared_core()
        reason, chain = obstacle(network, config), read_chain(network.model)
        if reason is not None or chain is None:
            raise BackendError(f"engine: openvino cannot run this ({reason}); choose keras or auto")
        self._network, self._config, self._chain = network, config, centered(chain)
        self._offset = np.zeros((0, 0, 0, 0), np.float32)
        self.precision = _precision(config)
        self._threads = usable_cores()
        self._compiled: OrderedDict[tuple[object, ...], Any] = OrderedDict()

    @property
    def description(self) -> str:
        """Engine, device and precision."""
        return describe_openvino(self._config)

    def optimizer(self) -> CanvasOptimizer:
        """Return the optimizer that the config names."""
        return make_array_optimizer(self.evaluate, self._config)

    def content_targets(self, batch: Canvas) -> Arrays:
        """Return the content's features before the linear maps, given the padded picture."""
        request = self._graph("features", batch.shape)
        request.infer({"canvas": self._center(batch)})
        targets: Arrays = {}
        for layer, _ in self._network.content_layers:
            features = np.array(request.get_tensor(layer).data, np.float32)
            energy = float(request.get_tensor(f"{layer}/energy").data)
            factor = float(features.size) if self._config.reduction == "sum" else 1.0
            targets[f"content/{layer}"] = features
            targets[f"content/{layer}/factor"] = self._factor(energy, factor)
        return targets

    def style_targets(self, grams: Mapping[str, Tensor]) -> Arrays:
        """Return the styles' Gram matrices, given them as Keras's tensors."""
        targets: Arrays = {}
        for layer, _ in self._network.style_layers:
            gram = np.asarray(grams[layer], np.float32)
            targets[f"style/{layer}"] = gram
            factors = [self._factor(_dot(part, part) / part.size, 1.0) for part in gram]
            targets[f"style/{layer}/factor"] = np.concatenate(factors)
        return targets

    def guide_targets(self, guides: Guides) -> Arrays:
        """Return where each part is."""
        maps = {f"guide/{layer}": values for layer, values in guides.maps.items()}
        return {**maps, "shares": guides.shares[:, None]}

    def temporal_targets(self, target: TemporalTarget | None, shape: tuple[int, ...]) -> Arrays:
        """Return what the canvas, (H, W, 3), is held to: padded, or nothing for None."""
        if target is None:
            return {}
        weights = np.repeat(target.weights, target.picture.shape[-1], -1)
        arrays = {"picture": target.picture, "weights": weights}
        return {name: pad_picture(self._network, array) for name, array in arrays.items()}

    def _factor(self, energy: float, factor: float) -> npt.NDArray[np.float32]:
        """Return what a loss is multiplied by, given the mean square of its target."""
        if self._config.relative:
            factor /= max(energy, SMALLEST_ENERGY)
        return np.full((1, 1), factor, np.float32)

    def evaluate(
        self, canvas: Canvas, targets: Mapping[str, Arrays]
    ) -> tuple[float, Losses, Canvas]:
        """Return total, losses and gradient, as `stylizer.gatys.optimizers.Evaluate` says.

        Args:
          canvas: float32, (1, H, W, 3), 0..255.
          targets: by name, as the methods here give them.
        """
        guides = targets.get("guides", {})
        request = self._graph("gradient", canvas.shape, parts=len(guides.get("shares", ())))
        arrays = {**targets["content"], **targets["style"], **guides}
        given = {"canvas": self._center(canvas), **arrays}
        request.infer(given, share_inputs=True, share_outputs=True)
        gradient = request.get_tensor("gradient").data
        content, style = (float(value) for value in request.get_tensor("losses").data)
        variation = self._add_variation(canvas, gradient)
        temporal = self._add_temporal(canvas, gradient, targets.get("temporal", {}))
        found = (content, style, variation, temporal)
        return sum(found), (*found, sum(found)), gradient

    def _center(self, canvas: Canvas) -> Canvas:
        """Return the canvas less the chain's offset.

        NumPy is slow where it repeats three numbers for each pixel, so they are kept repeated.
        """
        if self._offset.shape != canvas.shape:
            offset = np.array(self._chain.offset, np.float32)
            self._offset = np.broadcast_to(offset, canvas.shape).copy()
        return np.subtract(canvas, self._offset)

    def _add_variation(self, canvas: Canvas, gradient: Canvas) -> float:
        """Add the gradient of the total variation, a quadratic form, and return its value."""
        weight = self._config.tv_weight
        if weight == 0:
            return 0.0
        _, height, width, channels = canvas.shape
        down, right = (height - 1) * width * channels, height * (width - 1) * channels
        if self._config.reduction == "sum":
            down = right = 1
        vertical, horizontal = (2 * weight / max(count, 1) for count in (down, right))
        kernel = np.zeros((3, 3), np.float32)
        kernel[[0, 2], 1], kernel[1, [0, 2]] = -vertical, -horizontal
        kernel[1, 1] = 2 * (vertical + horizontal)
        slope = cv2.filter2D(canvas[0], cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE)
        gradient[0] += slope
        return 0.5 * _dot(canvas, slope)

    def _add_temporal(self, canvas: Canvas, gradient: Canvas, held: Arrays) -> float:
        """Add the gradient of the temporal loss, and return its value."""
        weight = self._config.temporal_weight
        if weight == 0 or not held:
            return 0.0
        apart = canvas - held["picture"]
        scale = weight if self._config.reduction == "sum" else weight / canvas.size
        pulled = held["weights"] * apart
        pulled *= 2 * scale
        gradient += pulled
        return 0.5 * _dot(apart, pulled)

    def _graph(self, kind: str, shape: tuple[int, ...], *, parts: int = 0) -> Any:
        """Return where a graph runs: ``"features"`` or ``"gradient"``, for canvases of a shape."""
        key = (kind, shape, parts)
        if key not in self._compiled:
            self._compiled[key] = self._compile(kind, (shape[2], shape[1]), parts)
            if len(self._compiled) > _KEPT:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(key)
        return self._compiled[key]

    def _compile(self, kind: str, size: tuple[int, int], parts: int) -> Any:
        network, config = self._network, self._config
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self._threads,
            "INFERENCE_PRECISION_HINT": _HINTS[self.precision],
        }
        content, style = (
            [(layer, weight * share) for layer, share in layers]
            for layers, weight in (
                (network.content_layers, config.content_weight),
                (network.style_layers, config.style_weight),
            )
        )
        if kind == "features":
            model = build_features(self._chain, [layer for layer, _ in content], size)
        else:
            model = build_gradient(self._chain, size, content=content, style=style, parts=parts)
        return self._core.compile_model(model, "CPU", settings).create_infer_request()


def _dot(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """Return the sum of the products of two arrays, float32, of one size.

    Not by NumPy: threads of its OpenBLAS wait at work for what comes next, and for some hundredths
    of a second they take the cores from the graph.
    """
    products = cv2.multiply(one.reshape(1, -1), other.reshape(1, -1))
    return float(cv2.sumElems(products)[0])
