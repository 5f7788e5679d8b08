"""The methods of painting, one record each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from stylizer.effects.color import MatchColor, matched_styles
from stylizer.effects.faces import FacesConfig, KeepFaces
from stylizer.effects.scale import USUAL_STROKE, Enlarge, PaintSmaller
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame
from stylizer.gatys.config import GatysConfig
from stylizer.network.config import FastConfig
from stylizer.protocols import MaskFinder, StyledStylizer, Stylizer
from stylizer.styles.load import AnyStyle
from stylizer.styles.regions import group_styles

if TYPE_CHECKING:
    from stylizer.description import StylizerConfig
    from stylizer.gatys.initial import QuickPainter
    from stylizer.gatys.passes import PassProgress
    from stylizer.gatys.stylizer import LossRecord

__all__ = [
    "METHODS",
    "BroadPainter",
    "LoadMethod",
    "Method",
    "MethodConfig",
    "find_method",
    "find_parts",
    "load_quick",
    "match_styles",
]

MethodConfig = FastConfig | GatysConfig
"""The settings of a method, which also say which one it is."""


T = TypeVar("T")


class LoadMethod(Protocol):
    """Loads a method; takes up to some seconds."""

    def __call__(
        self,
        config: StylizerConfig,
        styles: Sequence[AnyStyle],
        *,
        on_loss: Callable[[LossRecord], None] | None,
        on_pass: Callable[[PassProgress], None] | None,
    ) -> Stylizer:
        """Return what paints after the styles, matched to its frames if the config says so.

        Args:
          config: its method is one of this kind.
          styles: those of the config, loaded.
          on_loss: told of every iteration, where there are any.
          on_pass: told of every frame of every pass, where there are any.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of painting.

    Attributes:
      name: as it is written.
      config: its settings; they also say which method is meant.
      recurrent: whether it goes on from its last frame by itself, so that it is still without
        `stylizer.temporal.coherence`.
      scales_strokes: whether its strokes are so many pixels broad, so that large frames are to be
        painted smaller.
      face_strength: how much of faces is kept where nobody asks, 0 to 1: less where each has paint
        that was made for it.
      load: imports and loads it.
    """

    name: str
    config: type[MethodConfig]
    recurrent: bool
    scales_strokes: bool
    face_strength: float = 1.0
    load: LoadMethod


def find_method(config: MethodConfig) -> Method:
    """Return the method whose settings these are."""
    return next(method for method in METHODS.values() if type(config) is method.config)


def match_styles(painter: StyledStylizer, config: StylizerConfig) -> Stylizer:
    """Return a painter whose styles take the colors of its frames, if the config says so.

    Raises:
      StyleError: as `stylizer.description.StylizerConfig.load_styles` says.
    """
    return MatchColor(painter, config.load_styles()) if config.keep_color == "match" else painter


def find_parts(styles: Sequence[AnyStyle], *, segmenter: Path | None) -> MaskFinder:
    """Return what finds the parts of pictures that styles are for, loaded.

    Args:
      styles: some may be for parts.
      segmenter: a TFLite network that finds people; None for the package's own.

    Raises:
      BackendError, StyleError, WeightsError: as `stylizer.effects.region_masks.RegionMasks` says.
    """
    from stylizer.effects.region_masks import RegionMasks

    parts = [part for part in group_styles(styles) if part is not None]
    return RegionMasks(parts, segmenter=segmenter)


def _load_fast(config: StylizerConfig, styles: Sequence[AnyStyle], **_: Any) -> Stylizer:
    settings = _settings(config, FastConfig)
    from stylizer.network.stylizer import FastStylizer

    whole = set(group_styles(styles)) == {None}
    masks = None if whole else find_parts(styles, segmenter=config.segmenter)
    return match_styles(FastStylizer(styles, settings, masks=masks), config)


def _load_gatys(
    config: StylizerConfig,
    styles: Sequence[AnyStyle],
    *,
    on_loss: Callable[[LossRecord], None] | None,
    on_pass: Callable[[PassProgress], None] | None,
) -> Stylizer:
    settings = _settings(config, GatysConfig)
    masks = find_parts(styles, segmenter=config.segmenter)
    quick = load_quick(settings, styles, faces=config.faces, uncovered=settings.passes == 1)
    if settings.passes == 1:
        from stylizer.gatys.stylizer import GatysStylizer

        painter = GatysStylizer(styles, settings, masks=masks, quick=quick, on_loss=on_loss)
        return match_styles(painter, config)
    from stylizer.gatys.shots import ShotConfig, ShotPainter

    return ShotPainter(
        styles,
        ShotConfig(gatys=settings, cuts=config.cuts),
        masks=masks,
        quick=quick,
        prepare=partial(matched_styles, styles) if config.keep_color == "match" else None,
        on_loss=on_loss,
        on_frame=on_pass,
    )


def load_quick(
    config: GatysConfig,
    styles: Sequence[AnyStyle],
    *,
    faces: FacesConfig | None = None,
    uncovered: bool = False,
) -> QuickPainter | None:
    """Return the fast network, loaded, for the optimization to go on from what it paints.

    Args:
      config: of the optimization.
      styles: one or more.
      faces: what is done to faces: kept ones are in what is begun with, too, as strokes that cross
        a face are what an optimization that is led by style makes more of. None for nothing.
      uncovered: whether what comes into view may be asked for, too; the start alone otherwise.

    Returns:
      None where it is not asked for, or styles are for parts of the picture.

    Raises:
      BackendError, WeightsError: as `stylizer.network.runtime.load_runtime` says.
    """
    wanted = config.initial == "painted" and not config.portrait
    wanted |= uncovered and config.uncovered == "painted" and config.start == "warped"
    if not wanted or set(group_styles(styles)) != {None}:
        return None
    from stylizer.network.stylizer import FastStylizer

    painter = FastStylizer(styles, FastConfig(style_scale=config.style_scale))
    if faces is None or faces.mode == "paint":
        return BroadPainter(painter)
    keeping = KeepFaces(FaceFinder(), paint=painter.paint_patch, strength=faces.strength)
    return BroadPainter(painter, faces=keeping)


class BroadPainter:
    """Paints frames in strokes of their usual breadth, whatever the frame's size.

    Attributes:
      painter: what paints.
    """

    def __init__(self, painter: StyledStylizer, *, faces: KeepFaces | None = None) -> None:
        """Take what paints each frame by itself, and what keeps faces in what is begun with."""
        self.painter = painter
        self._smaller = PaintSmaller(painter, stroke=USUAL_STROKE)
        self._enlarge, self._faces = Enlarge(), faces

    def begin(self, frame: Frame) -> Frame:
        """Return a painted frame to begin with, faces kept: same size, index and time."""
        if self._faces is None:
            return self(frame)
        self._faces.reset()
        return self._faces(frame, self._smaller(frame))

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame: same size, index and time."""
        return self._enlarge(frame, self._smaller(frame))

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        """Paint after other styles, one or more, from the next frame on."""
        self.painter.set_styles(styles)


def _settings(config: StylizerConfig, kind: type[T]) -> T:
    if not isinstance(config.method, kind):
        raise TypeError(f"method: expected {kind.__name__}, got {type(config.method).__name__}")
    return config.method


_ALL = (
    Method(
        name="fast",
        config=FastConfig,
        recurrent=False,
        scales_strokes=True,
        load=_load_fast,
    ),
    Method(
        name="gatys",
        config=GatysConfig,
        recurrent=True,
        scales_strokes=False,
        face_strength=0.6,
        load=_load_gatys,
    ),
)
METHODS: Mapping[str, Method] = {method.name: method for method in _ALL}
"""All methods, by name."""
