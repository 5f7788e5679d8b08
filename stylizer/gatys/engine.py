"""The optimization of one canvas, which stills and video share.

Pictures come and go as (H, W, 3), canvases float32 and pictures uint8, both 0..255. Inside they are
padded at the right and bottom to what the network's pooling divides evenly, and cropped again.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from keras import ops

from stylizer.backend.keras_backend import describe_device, has_gpu
from stylizer.backend.openvino_core import INSTALL_OPENVINO
from stylizer.errors import StyleError
from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.guidance import Guides, PartMasks, guide_layers, parts_of, styles_of
from stylizer.gatys.keras_objective import KerasObjective
from stylizer.gatys.memory import TemporalTarget
from stylizer.gatys.objective import name_losses
from stylizer.gatys.optimizers import Canvas, CanvasOptimizer
from stylizer.gatys.portrait import PortraitAligner, Sitter, multiply_gains
from stylizer.gatys.substitution import reachable
from stylizer.gatys.targets import (
    HEAD_PARTS,
    StyleLike,
    WeightedStyle,
    check_styles,
    first_picture,
    head_grams,
    pad_picture,
    style_grams,
)
from stylizer.perceptual.features import LossNetwork, load_network
from stylizer.perceptual.losses import Tensor
from stylizer.perceptual.precision import choose_precision
from stylizer.perceptual.registry import LOSS_NETWORKS
from stylizer.protocols import State
from stylizer.styles.built_in import NamedStyle

__all__ = ["Engine", "Objective", "StyleLike", "WeightedStyle", "describe_engine"]

_log = logging.getLogger(__name__)


class Objective(Protocol):
    """What computes losses and gradients; targets are whatever it wants them to be."""

    @property
    def description(self) -> str:
        """Engine, device and precision, for a start line."""
        ...

    def optimizer(self) -> CanvasOptimizer:
        """Return the optimizer, which takes targets by name: content, style, guides, temporal."""
        ...

    def content_targets(self, batch: Canvas) -> Any:
        """Return what a picture, float32 (1, H, W, 3), is for the content loss."""
        ...

    def style_targets(self, grams: Mapping[str, Tensor]) -> Any:
        """Return what Gram matrices, Keras's tensors by layer, are for the style loss.

        Args:
          grams: float32 (P, C, C) by layer: one for each part of the picture, or for all of it.
        """
        ...

    def guide_targets(self, guides: Guides) -> Any:
        """Return what says to the style loss where each part is."""
        ...

    def temporal_targets(self, target: TemporalTarget | None, shape: tuple[int, ...]) -> Any:
        """Return what a canvas of a shape, (H, W, 3), is held to; None for nothing."""
        ...


@dataclass(frozen=True, slots=True)
class _Targets:
    """Styles, and what they are to the objective for a content's (width, height); None: not yet."""

    styles: tuple[StyleLike, ...]
    parts: tuple[str | None, ...]
    size: tuple[int, int] | None
    grams: Any


class Engine:
    """A loss network, style targets and an optimizer, for pictures of one size at a time.

    Attributes:
      network: the loss network.
      description: network, engine, device and precision, for a start line.
    """

    def __init__(
        self,
        styles: Sequence[StyleLike],
        config: GatysConfig,
        *,
        network: LossNetwork | None = None,
    ) -> None:
        """Load the network.

        Args:
          styles: one or more.
          config: all but iterations and starts counts here.
          network: one already loaded; None loads what ``config`` names.

        Raises:
          ConfigError, StyleError: as `stylizer.gatys.targets.check_styles` says.
          ConfigError, WeightsError: as `load_network` says.
          BackendError: OpenVINO is asked for, and is not installed or cannot run this; or it is
            to be a portrait, and what finds faces is not installed.
        """
        if network is None:
            config = reachable(config)
        check_styles(styles, config)
        self._config = config
        self.network, self._objective = _load(config, network, first_picture(styles))
        self.description = f"{self.network.name}, {self._objective.description}"
        self._optimize = self._objective.optimizer()
        self._targets = _Targets(tuple(styles), parts_of(styles), None, {})
        self._portrait = self._find_portrait(styles)

    @property
    def first_style(self) -> Image:
        """The first style picture, uint8 RGB, as it was given.

        Raises:
          StyleError: the first style is built in, and has no picture.
        """
        style = self._targets.styles[0]
        if isinstance(style, NamedStyle):
            raise StyleError(f"style {style.name}: expected a picture, got a built-in style")
        return style.image

    @property
    def parts(self) -> tuple[str | None, ...]:
        """The parts of the picture that have styles of their own; ``(None,)``: one all over."""
        return self._targets.parts

    def set_styles(self, styles: Sequence[StyleLike]) -> None:
        """Paint after other styles from the next call on; may be called while one runs.

        Args:
          styles: one or more.

        Raises:
          ConfigError, StyleError: as `stylizer.gatys.targets.check_styles` says; the styles stay
            as they were.
        """
        check_styles(styles, self._config)
        self._portrait = self._find_portrait(styles)
        size = self._targets.size
        self._targets = self._measure(tuple(styles), size)

    def forget(self) -> None:
        """Drop what the optimizer learnt from earlier pictures."""
        self._optimize.forget()
        if self._portrait is not None:
            self._portrait.reset()

    def save_state(self) -> State:
        """Return what was learnt of earlier pictures, for a `stylizer.protocols.Resumable`."""
        portrait = {} if self._portrait is None else self._portrait.save_state()
        faces = {f"portrait/{name}": value for name, value in portrait.items()}
        return {**self._optimize.save_state(), **faces}

    def load_state(self, state: State) -> None:
        """Know what another one learnt."""
        faces = {name: value for name, value in state.items() if name.startswith("portrait/")}
        self._optimize.load_state({k: v for k, v in state.items() if k not in faces})
        if self._portrait is not None:
            self._portrait.load_state({name[9:]: value for name, value in faces.items()})

    def __call__(  # noqa: PLR0913 - the last five are options of their own
        self,
        canvas: Canvas,
        content: Image,
        iterations: int,
        *,
        masks: PartMasks | None = None,
        temporal: TemporalTarget | None = None,
        goes_on: bool = False,
        on_losses: Callable[[Mapping[str, float]], None] | None = None,
        on_canvas: Callable[[Callable[[], Canvas]], None] | None = None,
    ) -> Canvas:
        """Optimize a canvas towards a content picture and the styles.

        Args:
          canvas: float32, (H, W, 3), 0..255, what to start from.
          content: uint8 RGB, (H, W, 3).
          iterations: 1 or more.
          masks: where the parts are that have styles of their own (`parts`); None where there are
            none. A part that is missing, of styles set a moment ago, is taken to be nowhere.
          temporal: what the canvas is held to, of its size; None for nothing. Counts only with a
            ``temporal_weight`` above 0.
          goes_on: whether the canvas is that of the last call, a frame later: what the optimizer
            learnt is used again.
          on_losses: called once for each iteration with the losses, weighted, by the names of
            `stylizer.gatys.objective.TERMS` and ``"total"``; reading them takes time.
          on_canvas: called every few iterations with what gives the canvas as it is by then.

        Returns:
          float32, (H, W, 3), 0..255.

        Raises:
          OptimizationError: it diverged and could not be rescued.
          StyleError: styles are for parts, and there are no masks.
          SourceError: it is to be a portrait, and there is no face in the content.
        """
        height, width, _ = content.shape
        aim = self._targets
        if aim.size != (width, height):
            before, aim = aim, self._measure(aim.styles, (width, height))
            if self._targets is before:  # else other styles were set meanwhile: theirs come next
                self._targets = aim
        batch = pad_picture(self.network, content)
        sitter = None if self._portrait is None else self._portrait(content)
        targets = {"content": self._content(batch, sitter), "style": aim.grams}
        if aim.parts != (None,):
            targets["guides"] = self._guides(masks, aim.parts, content, batch)
        elif sitter is not None:
            of_head: PartMasks = {"head": sitter.head, None: 1 - sitter.head}
            targets["guides"] = self._guides(of_head, HEAD_PARTS, content, batch)
        if self._config.temporal_weight:
            targets["temporal"] = self._objective.temporal_targets(temporal, content.shape)
        report = None if on_losses is None else lambda values: on_losses(name_losses(values))

        def crop(padded: Canvas) -> Canvas:
            return np.ascontiguousarray(padded[0, :height, :width])

        result = self._optimize(
            pad_picture(self.network, canvas),
            targets,
            iterations,
            goes_on=goes_on,
            on_losses=report,
            on_canvas=None if on_canvas is None else lambda now: on_canvas(lambda: crop(now)),
        )
        return crop(result)

    def _content(self, batch: Canvas, sitter: Sitter | None) -> Any:
        """Return the content's targets, given it padded; of a portrait, times its gains."""
        targets = self._objective.content_targets(batch)
        if sitter is None:
            return targets
        painting = self._objective.content_targets(pad_picture(self.network, sitter.aligned))
        reach = sitter.reach
        grow = [side - own for side, own in zip(batch.shape[1:3], reach.shape, strict=True)]
        reach = np.pad(reach, ((0, grow[0]), (0, grow[1])), mode="symmetric")
        return multiply_gains(targets, painting, reach)

    def _guides(
        self, masks: PartMasks | None, parts: Sequence[str | None], content: Image, batch: Canvas
    ) -> Any:
        if masks is None:
            raise StyleError(
                f"style {parts[0]}=...: expected masks of where the parts are, got none"
            )
        height, width = batch.shape[1:3]
        guides = guide_layers(
            self.network, masks, parts, size=content.shape[:2], padded=(height, width)
        )
        return self._objective.guide_targets(guides)

    def _find_portrait(self, styles: Sequence[StyleLike]) -> PortraitAligner | None:
        picture = first_picture(styles)
        if not self._config.portrait or picture is None:
            return None
        names = (getattr(style, "name", "") for style in styles)
        return PortraitAligner(picture, name=next(names))

    def _measure(self, styles: tuple[StyleLike, ...], size: tuple[int, int] | None) -> _Targets:
        parts = parts_of(styles)
        if size is None:
            return _Targets(styles, parts, None, {})
        scale = self._config.style_scale
        if self._portrait is not None and parts == (None,):
            head = self._portrait.painted_head
            of_head = head_grams(self.network, styles, size, scale=scale, head=head)
            return _Targets(styles, parts, size, self._objective.style_targets(of_head))
        each = [
            style_grams(self.network, styles_of(styles, part), size, scale=scale) for part in parts
        ]
        grams = {layer: ops.concatenate([one[layer] for one in each]) for layer in each[0]}
        return _Targets(styles, parts, size, self._objective.style_targets(grams))


def _load(
    config: GatysConfig, network: LossNetwork | None, picture: Image | None
) -> tuple[LossNetwork, Objective]:
    """Return the loss network, loaded if it is not, and what runs it.

    Args:
      config: the settings.
      network: one that is loaded; None for none.
      picture: a style, on which to try how exact half precision is; None for none.
    """
    wanted = config.engine
    if wanted == "auto":
        wanted = "keras" if has_gpu() or not _has_openvino() else "auto"
    if wanted != "keras":
        from stylizer.gatys.openvino_objective import OpenVinoObjective, obstacle

        exact = network or load_network(config)
        if wanted == "openvino" or obstacle(exact, config) is None:
            return exact, OpenVinoObjective(exact, config)
    precision = choose_precision(config, picture)
    network = network or load_network(config, precision=precision)
    return network, KerasObjective(network, config, precision=precision)


def describe_engine(config: GatysConfig, picture: Image | None) -> str:
    """Say what an `Engine` will be, without loading the network.

    Args:
      config: the settings.
      picture: a style, on which to try how exact half precision is; None for none.
    """
    chain = config.network.lower() in LOSS_NETWORKS  # all of those are
    installed = importlib.util.find_spec("openvino") is not None
    may = config.engine == "openvino" or (config.engine == "auto" and installed and not has_gpu())
    if chain and may:
        from stylizer.gatys.openvino_objective import describe_openvino, obstacle_in

        if obstacle_in(config) is None:
            return f"{config.network}, {describe_openvino(config)}"
    return f"{config.network}, {describe_device(precision=choose_precision(config, picture))}"


def _has_openvino() -> bool:
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        _log.warning(
            "openvino cannot be imported (%s); the optimization runs in Keras, which takes two to "
            "five times as long on a CPU (%s)",
            error,
            INSTALL_OPENVINO,
        )
        return False
    return True
