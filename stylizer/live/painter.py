"""A stylizer whose look can be changed while it runs, and which holds to a rate."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

from stylizer.base import WrappedStylizer, describe_stylizer, find
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.beyond import VIDEO_MARGIN, paint_beyond
from stylizer.effects.faces import FaceMode, FacesConfig
from stylizer.effects.overpainting import overpaint
from stylizer.effects.scale import PaintSmaller, paint_size
from stylizer.effects.underdrawing import underdraw
from stylizer.effects.underpainting import Underpaint, underpaint
from stylizer.errors import StyleError, StylizerError
from stylizer.frame import Frame, check_image
from stylizer.live.budget import Budget, Turns
from stylizer.live.controls import Controls, ControlSettings
from stylizer.live.keyframes import Carrying, PaintBeside
from stylizer.live.latest_task import LatestTask
from stylizer.live.levels import Level, choose_levels, least_scale
from stylizer.protocols import (
    IteratingStylizer,
    PreparingStylizer,
    StyledStylizer,
    Stylizer,
)

__all__ = ["LivePainter", "PainterState"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class PainterState:
    """What is going on.

    Attributes:
      size: of the frames, (width, height) in pixels; None before the first.
      working: of the picture that is painted, enlarged to ``size`` afterwards.
      level: that is painted at.
      reason: why it is not the best one; None if it is.
      style: number of the style that is painted after.
      error: why what was asked for could not be done, until the next thing is asked for.
      instead: what paints in the place of a method that is too slow; None for the method itself.
    """

    size: tuple[int, int] | None
    working: tuple[int, int] | None
    level: Level
    reason: str | None
    style: int
    error: str | None
    instead: str | None = None


class LivePainter(WrappedStylizer):
    """Wraps a method; a `stylizer.protocols.Stylizer` that heeds its controls at every frame.

    The method works at the size that the budget allows, and `stylizer.compose.Composed` does the
    rest.
    """

    def __init__(
        self,
        painter: Stylizer,
        controls: Controls,
        budget: Budget,
        config: EffectsConfig | None = None,
        *,
        quicker: tuple[Callable[[], Stylizer], Turns] | None = None,
    ) -> None:
        """Wrap ``painter``.

        Args:
          painter: paints after the first of the controls' styles; a `StyledStylizer` if there are
            several.
          controls: what is wished for.
          budget: decides on the level, by what frames cost.
          config: None for the defaults; strength, colors, faces, coherence's strength and preset
            are ruled by the controls and the budget.
          quicker: makes what paints while even the budget's cheapest level is too slow, and says
            when that is; None for nothing.
        """
        self._config = config or EffectsConfig()
        self._controls, self._budget = controls, budget
        self._painter = painter = self._begun(painter)
        self._levels, self._level = budget.levels, budget.level
        self._carrying = Carrying()
        self._smaller = PaintSmaller(painter)
        self._composed = Composed(self._smaller, self._effects(controls.settings))
        self._beside = PaintBeside(self._composed)
        super().__init__(self._composed)
        self._styles, self._sizes = LatestTask("stylizer-style"), LatestTask("stylizer-size")
        self._method, self._quicker = painter, quicker[0] if quicker else None
        self._turns = quicker[1] if quicker else Turns()
        self._others = LatestTask("stylizer-quicker")
        self._ready: tuple[Stylizer, int] | None = None  # who paints next, and in which style
        self._size: tuple[int, int] | None = None
        self._working: tuple[int, int] | None = None
        self._prepared: tuple[int, int] | None = None
        self._apply(budget.level)
        self._wished = self._style = controls.settings.style
        self._mirror = controls.settings.mirror
        self._error: str | None = None

    @property
    def state(self) -> PainterState:
        """What is going on at this moment; may be read by any thread."""
        return PainterState(
            size=self._size,
            working=self._working,
            level=self._level,
            reason=self._budget.reason,
            style=self._style,
            error=self._error,
            instead=describe_stylizer(self._painter) if self._turns.quick else None,
        )

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame: same size, index and time.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        check_image(frame.image)
        settings = self._controls.settings
        self._follow(settings, frame.size)
        if settings.strength == 0.0:
            self._beside.reset()
            return self._composed(frame)
        began = perf_counter()
        least = least_scale(paint_size(frame.size, self._config.stroke))
        carried = settings.faces != "only" and self._carrying.serves(now=began)
        self._budget.choose_among(choose_levels(self._levels, least=least, carried=carried))
        self._size, self._working = frame.size, self._fit(self._level, frame.size)
        self._smaller.size = self._working
        beside = self._composed.config.keyframes > 1
        painted = self._beside(frame) if beside else self._composed(frame)
        ended = perf_counter()
        if beside:
            self._carrying.saw(self._beside.new, now=ended)
        warm = not beside or self._beside.warm
        if warm and self._level is self._budget.level:  # else the next one is being prepared
            late = self._beside.seconds if beside else 0.0
            self._budget.spent(ended - began, now=ended, beside=late)
        return painted

    def _begun(self, painter: Stylizer) -> Stylizer:
        """Return a painter of frames that are extended, drawn into and so on, as wished."""
        twice = underpaint(painter, self._config.underpainting)
        over = overpaint(twice, self._config.overpainting)
        drawn = underdraw(over, self._config.underdrawing)
        return drawn if self._config.stroke is None else paint_beyond(drawn, margin=VIDEO_MARGIN)

    def _effects(self, settings: ControlSettings) -> EffectsConfig:
        coherence = replace(
            self._config.coherence, strength=settings.coherence, preset=self._level.flow
        )
        # An optimization leaves the last painting within a second; to begin anew takes longer, and
        # nothing moves meanwhile.
        goes_on = find(self._painter, IteratingStylizer) is not None
        return replace(
            self._config,
            cuts=None if goes_on else self._config.cuts,
            stroke=None,  # working sizes are chosen here, and it is to be done at those
            underpainting=0.0,
            overpainting=0.0,
            underdrawing=0.0,
            strength=settings.strength,
            keep_color=settings.keep_color,
            faces=self._faces(settings.faces),
            hands=self._config.hands if self._level.hands else None,
            coherence=coherence,
            # what shows nothing but faces looks for them in every frame
            keyframes=1 if settings.faces == "only" else self._level.keyframes,
        )

    def _faces(self, mode: FaceMode) -> FacesConfig | None:
        if mode == "paint":
            return None
        quick = self._level.scale < 1
        return replace(self._config.faces or FacesConfig(), mode=mode, quick=quick)

    def _follow(self, settings: ControlSettings, size: tuple[int, int]) -> None:
        """Bring everything to what is wished for, or have it brought there beside the loop."""
        for task in (self._styles, self._sizes, self._others):
            task.check()
            self._error = task.error() or self._error
        if settings.mirror != self._mirror:
            self._mirror = settings.mirror
            self._beside.reset()
            self._composed.begin_shot()
        self._follow_style(settings.style)
        self._follow_rate(settings, size)
        self._follow_budget(size)
        wanted = self._effects(settings)
        if wanted != self._composed.config:
            self._beside.wait()
            if wanted.keyframes == 1:
                self._beside.reset()
            self._composed.configure(wanted)

    def _follow_style(self, style: int) -> None:
        if style == self._wished:
            return
        self._wished, self._error = style, None
        self._styles.submit(partial(self._change_style, style))

    def _change_style(self, number: int) -> None:
        choice = self._controls.styles[number]
        styled = find(self._painter, StyledStylizer)
        if styled is None:
            raise StyleError(f"{choice.name}: {self.description} keeps to its style")
        styled.set_styles(choice.load())
        self._style = number

    def _follow_rate(self, settings: ControlSettings, size: tuple[int, int]) -> None:
        """Have the quicker one paint where the method is too slow, and the method again later."""
        if self._quicker is None or self._others.busy:
            return
        if self._ready is not None:
            self._replace(*self._ready, settings)
        elif self._turns.ended(self._budget):
            self._others.submit(partial(self._load, size))

    def _load(self, size: tuple[int, int]) -> None:
        """Get ready who paints next."""
        style, first = self._style, self._quicker
        try:
            if self._turns.quick or first is None:
                painter = self._method
            else:
                painter = self._begun(first())
                self._quicker = lambda: painter
            styled, preparing = find(painter, StyledStylizer), find(painter, PreparingStylizer)
            if styled is not None:
                styled.set_styles(self._controls.styles[style].load())
            if preparing is not None:
                preparing.prepare(paint_size(size, self._config.stroke))
        except StylizerError:
            self._quicker = None  # as it is, it stays
            raise
        self._ready = painter, style

    def _replace(self, painter: Stylizer, style: int, settings: ControlSettings) -> None:
        """Paint with another one from now on."""
        now, then = describe_stylizer(painter), describe_stylizer(self._painter)
        if self._turns.quick:
            _log.warning("%s paints again", now)
        else:
            _log.warning("%s is %s; for now %s paints", then, self._budget.reason, now)
        self._beside.reset()
        self._turns.change()
        self._ready, self._painter = None, painter
        self._wished = self._style = style
        self._budget.renew()
        self._prepared = None
        self._smaller = PaintSmaller(painter)
        self._level = self._budget.level
        self._stylizer = self._composed = Composed(self._smaller, self._effects(settings))
        self._beside = PaintBeside(self._composed)
        self._apply(self._level)

    def _follow_budget(self, size: tuple[int, int]) -> None:
        level = self._budget.level
        if level is self._level or self._sizes.busy:
            return
        working = self._fit(level, size)
        painter = find(self._painter, PreparingStylizer)
        if painter is not None and working not in (self._working, self._prepared):
            self._sizes.submit(partial(self._prepare, painter, working))
        else:
            self._apply(level)

    def _fit(self, level: Level, size: tuple[int, int]) -> tuple[int, int]:
        """Return what frames of ``size`` are painted at: as the strokes want it, or smaller."""
        return level.fit(paint_size(size, self._config.stroke))

    def _prepare(self, painter: PreparingStylizer, working: tuple[int, int]) -> None:
        try:
            painter.prepare(working)
        finally:  # what cannot be prepared fails again, and louder, when it is painted
            self._prepared = working

    def _apply(self, level: Level) -> None:
        self._level = level
        self._beside.cool()
        iterating = find(self._painter, IteratingStylizer)
        if level.iterations is not None and iterating is not None:
            iterating.warm_iterations = level.iterations
        twice = find(self._painter, Underpaint)
        if twice is not None:
            twice.on = level.underpainting
