"""The one place where a stylizer is put together.

::

    frame ──▶ painter ──▶ coherence ──▶ faces ──▶ enlarging ──▶ hands
                                                                  │
                          region ◀── strength ◀── colors ◀── keyframes

A `stylizer.description.StylizerConfig` says what is wanted, `build` makes it. The order has its
reasons: what coherence carries along is to be paint alone, and where frames are painted smaller it
works at that size; colors and strength need pictures of one size; what is outside of a region is
the source itself. Where keyframes alone are painted, all up to there is done for those alone. What
is off is not there. At a cut all forget earlier frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from stylizer.base import WrappedStylizer, apply_effect, divides, find, load_states, save_states
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.beyond import STILL_MARGIN, VIDEO_MARGIN, paint_beyond
from stylizer.effects.color import MatchColor, SourceColor
from stylizer.effects.faces import KeepFaces
from stylizer.effects.finer import EnlargeFiner, FinerStrokes, finer_strokes
from stylizer.effects.finer_moving import PaintMoving, paint_moving
from stylizer.effects.hands import KeepHands
from stylizer.effects.only_faces import OnlyFaces
from stylizer.effects.overpainting import OverpaintFrames, overpaint
from stylizer.effects.parts import find_parts_before
from stylizer.effects.patch import patch_painters
from stylizer.effects.people import person_finder
from stylizer.effects.region import Region
from stylizer.effects.scale import Enlarge, PaintSmaller
from stylizer.effects.strength import Blend
from stylizer.effects.underdrawing import underdraw
from stylizer.effects.underpainting import Underpaint, underpaint
from stylizer.effects.unpainted import LeaveUnpainted
from stylizer.errors import ConfigError
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame, Image, check_image
from stylizer.hands.tracker import HandFinder
from stylizer.methods import find_method
from stylizer.protocols import (
    Effect,
    Repainter,
    ShotStylizer,
    State,
    Stylizer,
)
from stylizer.temporal.coherence import Coherence, CoherenceConfig
from stylizer.temporal.cuts import CutDetector
from stylizer.temporal.follow_camera import FollowCamera, follow_camera
from stylizer.temporal.keyframes import CarryPaintings, PaintKeyframes

if TYPE_CHECKING:
    from stylizer.gatys.passes import PassProgress
    from stylizer.gatys.stylizer import LossRecord

__all__ = [
    "Composed",
    "build",
    "finish",
    "load_painter",
]


def build(
    config: StylizerConfig,
    *,
    on_loss: Callable[[LossRecord], None] | None = None,
    on_pass: Callable[[PassProgress], None] | None = None,
) -> Composed:
    """Put a stylizer together; loads styles and networks, which takes up to some seconds.

    Args:
      config: what is wanted.
      on_loss: told of every iteration of the optimization.
      on_pass: told of every frame that the optimization paints in several passes.

    Raises:
      StyleError: a style cannot be read or used.
      BackendError, ConfigError, WeightsError: as the method's own stylizer says.
    """
    painter = load_painter(config, on_loss=on_loss, on_pass=on_pass)
    return Composed(painter, config.effects)


def load_painter(
    config: StylizerConfig,
    *,
    on_loss: Callable[[LossRecord], None] | None = None,
    on_pass: Callable[[PassProgress], None] | None = None,
) -> Stylizer:
    """Return the method alone, loaded; as `build`, without what is done to its paintings."""
    load = find_method(config.method).load
    return load(config, config.load_styles(), on_loss=on_loss, on_pass=on_pass)


def finish(painted: Image, source: Image, config: EffectsConfig) -> Image:
    """Return a picture that was painted by itself, with all that is done to paintings.

    Args:
      painted: uint8 RGB, (H, W, 3).
      source: uint8 RGB, of the same size.
      config: of it, coherence, cuts, keyframes, stroke and detail do not count.
    """
    still = replace(
        config, coherence=CoherenceConfig(strength=0.0), cuts=None, stroke=None, keyframes=1
    )
    return Composed(_Given(painted), still)(Frame(source, 0, 0.0)).image


class Composed(WrappedStylizer):
    """A painter and what is done to its paintings; a `stylizer.protocols.Staged`."""

    def __init__(self, painter: Stylizer, config: EffectsConfig | None = None) -> None:
        """Put ``painter`` and effects together.

        Args:
          painter: paints each frame, at its own size, or, `PaintSmaller`, at another.
          config: None for the defaults.

        Raises:
          BackendError: people or faces are to be found, and what does so is not installed.
          ConfigError: a painter of whole shots is wrapped in one that hides them, or is to paint
            keyframes alone.
          WeightsError: what finds people is missing or damaged, or is no such network.
        """
        config = config or EffectsConfig()
        self._moving: PaintMoving | None = None
        still = config.coherence.strength == 0
        if config.finer is not None:
            over = overpaint(painter, config.overpainting)
            self._moving = paint_moving(over, config.coherence, config.underdrawing)
        painter = underpaint(painter, config.underpainting)
        painter = overpaint(painter, config.overpainting)
        plainer = still and find(painter, MatchColor) is None  # which takes the colors it is given
        painter = underdraw(painter, config.underdrawing, plainer=plainer)
        if config.stroke is not None:
            painter = paint_beyond(painter, margin=STILL_MARGIN if still else VIDEO_MARGIN)
        painter = find_parts_before(painter)
        if config.stroke is not None:
            painter = PaintSmaller(painter, stroke=config.stroke)
        self._smaller = find(painter, PaintSmaller) is not None
        painter = follow_camera(painter)
        super().__init__(painter)
        if not isinstance(painter, ShotStylizer) and find(painter, ShotStylizer) is not None:
            raise ConfigError(
                f"painter: expected nothing around a painter of whole shots, got a "
                f"{type(painter).__name__}, which would give it single frames"
            )
        self._whole_shots = isinstance(painter, ShotStylizer)
        self._keyframes = PaintKeyframes(painter)
        self._carrying = CarryPaintings()
        self._coherence = Coherence(config.coherence)
        self._faces: KeepFaces | None = None
        self._finder: FaceFinder | None = None
        self._hands: KeepHands | None = None
        self._cuts = None if config.cuts is None else CutDetector(config.cuts)
        self._region: Region | None = None
        if config.region is not None:
            self._region = Region(person_finder(config.region.segmenter), config.region)
        self._arrange(config)

    @property
    def config(self) -> EffectsConfig:
        """The settings."""
        return self._config

    @property
    def painter(self) -> Stylizer:
        """What paints; at strength 0, what only hands on the source."""
        if not self._paints:
            return _Unpainted(self._stylizer)
        return self._stylizer if self._config.keyframes == 1 else self._keyframes

    @property
    def effects(self) -> Sequence[Effect]:
        """What is done to paintings, in order."""
        return self._effects

    def configure(self, config: EffectsConfig) -> None:
        """Go on with another strength, coherence, keyframes, colors, faces; between two frames.

        What coherence remembers stays of use.

        Raises:
          BackendError, WeightsError: faces are to be found, and what does so is not installed.
          ConfigError: what is fixed, as cuts or finer, is another one, or keyframes are asked of a
            painter of whole shots.
        """
        beginnings = ("underpainting", "overpainting", "underdrawing")
        fixed = ("cuts", "region", "stroke", *beginnings, "finer")
        if any(getattr(config, name) != getattr(self._config, name) for name in fixed):
            raise ConfigError(
                f"{', '.join(fixed)}: expected those that it was made with; make another"
            )
        self._arrange(config)

    def begins_shot(self, frame: Frame) -> bool:
        """Whether a cut comes before this frame; to be asked once for every frame, in order."""
        return self._cuts is not None and self._cuts(frame)

    @property
    def shots(self) -> CutDetector | None:
        """What finds cuts for `begins_shot`; None if nothing does."""
        return self._cuts

    def save_state(self) -> State:
        """Return what all parts remember."""
        return save_states(self._memories)

    def load_state(self, state: State) -> None:
        """Have all parts remember what another one's did."""
        load_states(self._memories, state)

    @property
    def _memories(self) -> dict[str, object]:
        effects = {type(effect).__name__: effect for effect in self._effects}
        return {"shots": self._cuts, "painter": self.painter, **effects}

    def begin_shot(self) -> None:
        """Forget earlier frames as at a cut."""
        self.painter.reset()
        for effect in self._effects:
            effect.reset()

    def reset(self) -> None:
        """Forget all earlier frames."""
        self.begin_shot()
        if self._cuts is not None:
            self._cuts.reset()

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame: same size, index and time.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        image = check_image(frame.image)
        if self.begins_shot(frame):
            self.begin_shot()
        if not (self._paints and self.covers(frame)):
            return frame.with_image(image.copy())
        painted = self.painter(frame)
        for effect in self._effects:
            painted = apply_effect(effect, frame, painted)
        return painted

    def covers(self, frame: Frame) -> bool:
        """Look at the frame that comes next, and say whether anything of it is to be painted."""
        return self._region is None or self._region.covers(frame)

    def paint(self, frame: Frame) -> Frame:
        """Return a frame's painting as far as it is carried along where keyframes are painted."""
        painted = self._stylizer(frame)
        for effect in self._on_paint:
            painted = effect(frame, painted)
        return painted

    def carry_from(self, painted: Frame) -> None:
        """Have what `paint` gave carried to the frames that come."""
        self._carrying(painted, painted)

    def finish(self, frame: Frame, painted: Frame) -> Frame:
        """Return what `paint` gave, or a frame with a `Frame.flow` to that, with all the rest."""
        for effect in self._effects[len(self._on_paint) :]:
            painted = effect(frame, painted)
        return painted

    def _arrange(self, config: EffectsConfig) -> None:
        """Put the effects that are on into their order."""
        if config.keyframes > 1 and self._whole_shots:
            raise ConfigError(
                f"keyframes: expected 1, got {config.keyframes}: what paints shots in several "
                "passes paints every frame of them; leave one of the two out"
            )
        self._config, self._paints = config, config.strength > 0
        self._keyframes.configure(every=config.keyframes, preset=config.coherence.preset)
        self._coherence.configure(config.coherence, every=config.keyframes)
        if isinstance(self._stylizer, FollowCamera):
            self._stylizer.on = config.coherence.strength > 0
        for layer in (find(self._stylizer, Underpaint), find(self._stylizer, OverpaintFrames)):
            if layer is not None:
                layer.configure(config.coherence, every=config.keyframes)
        effects: list[Effect] = []
        self._on_paint: Sequence[Effect] = ()
        if self._paints:
            if config.coherence.strength > 0:
                effects.append(self._coherence)
            repainter = find(self._stylizer, Repainter)
            enlarge = Enlarge(
                repaint=None if repainter is None else repainter.repaint,
                detail=config.detail,
                moving=self._smaller and config.coherence.strength > 0,
            )
            finer = self._make_finer(config, enlarge.enlarge)
            faces = self._keep_faces(config, enlarge, finer)
            effects += faces
            if self._smaller and not faces:  # what keeps faces enlarges, too
                effects.append(enlarge if finer is None else EnlargeFiner(enlarge, finer))
            effects += self._keep_hands(config)
            self._on_paint = tuple(effects)
            if config.keyframes > 1:
                effects.append(self._carrying)
            if config.keep_color:
                effects.append(SourceColor())
            if config.strength < 1:
                effects.append(Blend(config.strength))
            if divides(self._stylizer):
                effects.append(LeaveUnpainted())
            if self._finder is not None and config.faces is not None:
                if config.faces.mode == "only":
                    effects.append(OnlyFaces(self._finder))
        if self._region is not None:
            effects.append(self._region)
        if self._carrying not in effects:
            self._keyframes.forget()
            self._carrying.reset()
        if self._coherence not in effects:
            self._coherence.reset()  # by the time it is wanted again it is of long ago
        self._effects = tuple(effects)

    def _make_finer(
        self, config: EffectsConfig, enlarge: Callable[[Frame, tuple[int, int]], Image]
    ) -> FinerStrokes | None:
        """Return what paints in finer strokes, if anything is to be."""
        if config.stroke is None:
            return None
        if config.coherence.strength == 0:
            detail, wanted = config.detail > 0, config.underdrawing > 0
            return finer_strokes(self._stylizer, enlarge, detail=detail) if wanted else None
        if self._moving is None:
            return None
        self._moving.enlarge = enlarge
        self._moving.configure(config.coherence, every=config.keyframes)
        return FinerStrokes(self._moving, detail=config.finer == "all", moving=True)

    def _keep_faces(
        self, config: EffectsConfig, enlarge: Enlarge, finer: FinerStrokes | None
    ) -> list[KeepFaces]:
        """Return what keeps faces, if they are to be kept; what finds them is loaded once."""
        faces = config.faces
        if faces is None or faces.mode == "paint":
            if self._faces is not None:
                self._faces.reset()  # as coherence
            return []
        memory = config.coherence.strength
        if self._faces is None:
            self._finder = FaceFinder()
            self._faces = KeepFaces(self._finder, **patch_painters(self._stylizer))
        self._faces.configure(
            strength=faces.strength,
            memory=memory,
            quick=faces.quick,
            enlarge=enlarge.enlarge,
            follows_all=faces.mode == "only" and config.keyframes > 1,
        )
        self._faces.finer = finer
        return [self._faces]

    def _keep_hands(self, config: EffectsConfig) -> list[KeepHands]:
        """Return what keeps hands, if they are to be kept; what finds them is loaded once."""
        hands, faces = config.hands, config.faces
        if hands is None or hands.mode == "paint" or (faces is not None and faces.mode == "only"):
            if self._hands is not None:
                self._hands.reset()  # as coherence
            return []
        if self._hands is None:
            self._hands = KeepHands(HandFinder(), **patch_painters(self._stylizer))
        smaller = find(self._stylizer, PaintSmaller)
        size = None if smaller is None else smaller.painted_size
        self._hands.configure(hands, memory=config.coherence.strength, painted_size=size)
        return [self._hands]


class _Unpainted(WrappedStylizer):
    """In the place of a stylizer whose paintings nobody would see."""

    def __call__(self, frame: Frame) -> Frame:
        return frame.with_image(check_image(frame.image).copy())


class _Given:
    """Stands for what painted a picture that is there already."""

    def __init__(self, painted: Image) -> None:
        self._painted = painted

    def __call__(self, frame: Frame) -> Frame:
        return frame.with_image(self._painted)

    def reset(self) -> None:
        pass
