"""The settings of the optimization, in one frozen record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from stylizer.backend.precision import Precision
from stylizer.errors import ConfigError
from stylizer.perceptual.types import LayerWeights, Pooling, Reduction
from stylizer.temporal.flow import Preset

__all__ = [
    "STILL_NETWORK",
    "GatysConfig",
    "GatysEngine",
    "Initial",
    "Optimizer",
    "Start",
    "Uncovered",
]

GatysEngine = Literal["auto", "keras", "openvino"]
Initial = Literal["painted", "content", "noise", "style", "image"]
Optimizer = Literal["adam", "lbfgs"]
Start = Literal["warped", "previous", "cold"]
Uncovered = Literal["painted", "content"]

STILL_NETWORK = "half"
"""The loss network of a picture, for which there is time; ``GatysConfig.network`` is a stream's."""


@dataclass(frozen=True, kw_only=True)
class GatysConfig:
    """How a picture is optimized (Gatys et al. 2016), and how a video goes on from frame to frame.

    Attributes:
      network: ``"compact"`` or ``"half"`` (embedded), ``"vgg19"``, ``"vgg16"``, or any name of
        ``keras.applications`` together with ``content_layers`` and ``style_layers``.
      substitute: an embedded network that takes its place where its weights cannot be fetched
        (`stylizer.gatys.substitution`); None for an error.
      weights: a weights file for the network; None for its own (embedded, or ImageNet's).
      pooling: replaces the pooling of a VGG; None keeps the network's own.
      content_layers: layers and weights of the content loss; None for the network's default.
      style_layers: layers and weights of the style loss; None for the network's default.
      content_weight: factor of the content loss.
      style_weight: factor of the style loss.
      tv_weight: factor of the total variation loss.
      relative: divide each layer's loss by its target's energy, so that weights mean the same for
        every network, layer and style. Recipes of papers switch it off.
      reduction: whether the squared errors of the content loss, and the total variation, are
        averaged over or, as in some papers, summed up, so that the balance depends on the picture's
        size. The style loss is always a mean. ``"sum"`` goes with ``relative=False`` only.
      tv_exponent: power to which the squared gradient (dx^2 + dy^2) is raised in the total
        variation loss.
      initial: what the first frame (or a still) starts from. ``"painted"`` is what the fast network
        makes of it in one pass, where one is there, there is one style all over, and no portrait is
        to be like its photo; else, and with ``"content"``, the picture as it is, which keeps much
        of its colors and of its planes. ``"image"`` is one given in the call.
      optimizer: ``"adam"`` runs in the backend's graph, ``"lbfgs"`` in SciPy.
      noise_deviation: standard deviation, in gray levels, of normal noise about the network's mean
        color; None for noise that is uniform over 0..255.
      learning_rate: Adam's step, in gray levels (0..255); of L-BFGS it scales the first step.
      beta_1: decay of Adam's first moment.
      epsilon: Adam's stabilizer, in units of the gradient (loss per gray level); far below the
        gradients of a large picture, about 1e-9 a pixel, else it would shorten the steps there.
      evaluations: evaluations of loss and gradient that one iteration of L-BFGS may spend.
      iterations: iterations of a still and of a video's first frame.
      warm_iterations: iterations of each later frame.
      start: what a later frame starts from: ``"warped"`` (the previous stylized frame carried
        along by the optical flow of the source), ``"previous"`` (as it was), ``"cold"`` (from
        ``initial``).
      uncovered: what comes into view begins as, where a frame starts from the one before, warped:
        ``"painted"`` by the fast network in one pass, so that few iterations finish it, where one
        is there and there is one style all over; ``"content"`` as in Ruder et al. (2016), in the
        colors of the painting.
      flow: quality of the optical flow between frames.
      temporal_weight: factor of the temporal loss (Ruder et al. 2016, eq. 7), per gray level²: how
        much each later frame is held to the ones before; 0 for none, which costs nothing.
      long_term: how many frames before each frame lie those it is held to, increasing (the J of
        Ruder et al. 2016, section 4.3); each pixel is held to the first of them that shows it.
      passes: how often a whole clip is gone through, forward and backward in turn, by
        `stylizer.gatys.passes`; a stream has one.
      scales: sizes of a still, coarse to fine, each half of the next; 1 for the full size alone.
      style_scale: the style pictures are resized to this factor of the content's size.
      portrait: whether the face of the first style picture is laid over the content's, and says how
        it is painted (`stylizer.gatys.portrait`).
      seed: seed of the noise.
      precision: arithmetic of the loss network; ``"auto"`` is bfloat16 in OpenVINO on a CPU that
        has it, half precision on a GPU where the losses stay within 1 %, and else float32.
      engine: what computes losses and gradients: ``"keras"`` on any device, ``"openvino"`` on a
        CPU, for VGG and the embedded networks. ``"auto"`` is OpenVINO where it can and Keras's
        backend has no GPU.
    """

    network: str = "compact"
    substitute: str | None = None
    weights: Path | None = None
    pooling: Pooling | None = None
    content_layers: LayerWeights | None = None
    style_layers: LayerWeights | None = None
    content_weight: float = 1.0
    style_weight: float = 20.0
    tv_weight: float = 2e-4
    relative: bool = True
    reduction: Reduction = "mean"
    tv_exponent: float = 1.0
    initial: Initial = "painted"
    noise_deviation: float | None = None
    optimizer: Optimizer = "adam"
    learning_rate: float = 4.0
    beta_1: float = 0.9
    epsilon: float = 1e-12
    evaluations: int = 20
    iterations: int = 60
    warm_iterations: int = 2
    start: Start = "warped"
    uncovered: Uncovered = "painted"
    flow: Preset = "fast"
    temporal_weight: float = 1e-3
    long_term: tuple[int, ...] = (1,)
    passes: int = 1
    scales: int = 1
    style_scale: float = 1.0
    portrait: bool = False
    seed: int = 0
    precision: Precision = "auto"
    engine: GatysEngine = "auto"

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        for name, kind in _CHOICES.items():
            _check_choice(name, getattr(self, name), kind)
        for name in ("content_weight", "style_weight", "tv_weight", "temporal_weight"):
            _check_number(name, getattr(self, name), least=0.0)
        for name in ("learning_rate", "style_scale"):
            _check_number(name, getattr(self, name), least=1e-6)
        _check_number("epsilon", self.epsilon, least=1e-30)
        _check_number("tv_exponent", self.tv_exponent, least=0.5)
        _check_number("beta_1", self.beta_1, least=0.0, below=1.0)
        if self.noise_deviation is not None:
            _check_number("noise_deviation", self.noise_deviation, least=0.0)
        for name in ("evaluations", "iterations", "warm_iterations", "scales", "passes"):
            _check_number(name, getattr(self, name), least=1)
        distances = self.long_term
        if not distances or distances[0] < 1 or list(distances) != sorted(set(distances)):
            raise ConfigError(
                "long_term: expected distances in frames, 1 or more, increasing, as (1, 2, 4), "
                f"got {distances!r}"
            )
        if self.relative and self.reduction == "sum":
            raise ConfigError("reduction: 'sum' needs relative=False, got relative=True")
        for name in ("content_layers", "style_layers"):
            for layer, weight in getattr(self, name) or ():
                _check_number(f"{name}, {layer}", weight, least=0.0)


_CHOICES = {
    "pooling": (None, *get_args(Pooling)),
    "initial": get_args(Initial),
    "optimizer": get_args(Optimizer),
    "start": get_args(Start),
    "uncovered": get_args(Uncovered),
    "precision": get_args(Precision),
    "flow": get_args(Preset),
    "engine": get_args(GatysEngine),
    "reduction": get_args(Reduction),
}


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name}: expected one of {', '.join(map(str, choices))}, got {value!r}")


def _check_number(name: str, value: float, *, least: float, below: float = math.inf) -> None:
    if not math.isfinite(value) or value < least:
        raise ConfigError(f"{name}: expected a number of at least {least:g}, got {value!r}")
    if value >= below:
        raise ConfigError(f"{name}: expected a number below {below:g}, got {value!r}")
