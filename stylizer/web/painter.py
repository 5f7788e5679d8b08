"""What paints one client's stream: settings and memory of its own, and a network that is shared."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from pathlib import Path

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.beyond import VIDEO_MARGIN, PaintBeyond
from stylizer.effects.faces import FaceMode, FacesConfig, KeepFaces, PaintedFace
from stylizer.effects.hands import HandsConfig, KeepHands, PaintedHand
from stylizer.effects.overpainting import USUAL_OVERPAINTING, OverpaintFrames
from stylizer.effects.region_masks import RegionMasks
from stylizer.effects.scale import USUAL_STROKE, PaintSmaller, paint_size
from stylizer.effects.underdrawing import USUAL_UNDERDRAWING, underdraw
from stylizer.effects.underpainting import VIDEO_UNDERPAINTING, Underpaint
from stylizer.faces.models import are_faces_available
from stylizer.frame import Frame, Image
from stylizer.io.resize import resize_image
from stylizer.live.budget import Budget, BudgetConfig, Turns
from stylizer.live.keyframes import Carrying, PaintBeside
from stylizer.live.levels import Level, choose_levels, fast_levels, least_scale
from stylizer.methods import METHODS
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.regions import paint_parts
from stylizer.network.runtime import NoisyRuntime, Runtime, paint_frame
from stylizer.protocols import Effect, Masks
from stylizer.styles.regions import covers_all
from stylizer.temporal.coherence import Coherence, CoherenceConfig
from stylizer.temporal.keyframes import MOST_KEYFRAMES
from stylizer.web.options import LiveSettings

__all__ = ["Begun", "ClientPainter", "face_config", "hands_config"]

_NEW_SIZE_SECONDS = 1.0
"""Pictures change their size at most this often: the network is compiled for each size."""

_STAYS_SECONDS = 0.5
"""What needs a style to be known is made ready for one that has been there for so long."""

_RATE = BudgetConfig(fps=24.0)

_LEVELS = fast_levels("fast", most=MOST_KEYFRAMES, underpainting=True, hands=True)

Kept = tuple[Sequence[PaintedFace], Sequence[PaintedHand]]
"""The faces and hands of a frame, painted by themselves."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A frame that is painted, and not yet finished.

    Attributes:
      source: as it came, at the size that holds at present.
      painted: by the network, and made coherent.
      effects: what is still to be done to it.
      cut: whether what is remembered of earlier frames is to be forgotten.
      level: what was painted at.
      seconds: that it took, or that carrying a painting to it did.
      beside: its share of the seconds that painting keyframes takes beside the loop.
      warm: whether both tell what frames of this level take.
      kept: the faces and hands that will be laid into it, where they are painted meanwhile.
    """

    source: Frame
    painted: Frame
    effects: Sequence[Effect]
    cut: bool
    level: Level
    seconds: float
    beside: float = 0.0
    warm: bool = True
    kept: Future[Kept] | None = None


class ClientPainter:
    """Paints one client's stream; other settings work from the next frame on.

    A frame is begun and finished, each in a thread of its own: while one is finished, the next may
    be begun. Its faces and hands are found and painted in a third one, while the frame is begun:
    where they are does not depend on the painting.

    Where painting takes too long for a film's rate, because others paint too or the browser is on
    the same machine, underpainting, flow, size and frames that are painted give way, as with
    ``stylizer live``: what is between keyframes is begun and needs no finish.
    """

    def __init__(
        self,
        runtime: Runtime,
        settings: LiveSettings,
        code: StyleEmbedding,
        *,
        segmenter: Path | None = None,
        threads: Executor | None = None,
    ) -> None:
        """Remember what to paint with.

        Args:
          runtime: the network; other streams may paint with it meanwhile.
          settings: to begin with.
          code: of the style, or of the mixture of styles.
          segmenter: finds people; None for the package's own network.
          threads: faces and hands are painted in one of these, which begins its work in the order
            in which it is asked for; None for the thread that finishes.
        """
        self._threads = threads
        self._kept: Future[Kept] | None = None
        self._pure = _Pure(runtime, code, segmenter=segmenter)
        self._twice = Underpaint(self._pure, painter=self._pure, share=VIDEO_UNDERPAINTING)
        over = OverpaintFrames(self._twice, USUAL_OVERPAINTING)
        drawn = underdraw(over, USUAL_UNDERDRAWING)
        self._beyond = PaintBeyond(drawn, margin=VIDEO_MARGIN)
        self._smaller = PaintSmaller(self._beyond)
        self._settings = settings
        self._size: tuple[int, int] | None = None
        self._carrying = Carrying()
        self._budget = Budget(_LEVELS[:1], _RATE)
        self._level = self._budget.level
        self._composed = Composed(self._smaller, EffectsConfig(stroke=None))
        self._beside = PaintBeside(self._composed)
        self._laying = threading.Lock()  # only one thread at a time lays faces into frames
        self._configure()
        self._frames = 0
        self._began = time.monotonic()
        self._sized = self._chosen = 0.0

    @property
    def settings(self) -> LiveSettings:
        """What is painted by."""
        return self._settings

    @property
    def painted_size(self) -> tuple[int, int] | None:
        """The (width, height) that is painted, and enlarged afterwards; None before a frame."""
        return self._smaller.size

    def ends(self, turns: Turns) -> bool:
        """Say whether a quicker network is to paint instead of this one, or a finer one again."""
        return self._settings.adapts and turns.ended(self._budget)

    def change(
        self,
        settings: LiveSettings,
        code: StyleEmbedding,
        *,
        parts: Mapping[str, StyleEmbedding] | None = None,
    ) -> None:
        """Paint by other settings, after another code, from the next frame on.

        Args:
          settings: all of them.
          code: of the style, or of the mixture of styles.
          parts: of the styles that parts of the picture have of their own, as `Look.parts`.

        Raises:
          BackendError, WeightsError: what finds a part is missing.
        """
        self._beside.wait()
        self._pure.choose(code, parts or {})
        self._chosen = time.monotonic()
        before, self._settings = self._settings, settings
        if settings.adapts != before.adapts:
            self._size = None
        self._configure()
        if (settings.styles, settings.parts) != (before.styles, before.parts):
            self._beside.reset()
            self._composed.reset()  # else the old style would fade away slowly

    def begin(self, image: Image) -> Begun:
        """Paint a picture, uint8 RGB, (H, W, 3), as far as the next one must wait for it."""
        now = time.monotonic()
        image = self._settle(image, now)
        source = Frame(image, self._frames, now - self._began)
        self._frames += 1
        began = time.perf_counter()
        if self._composed.config.keyframes > 1:
            with self._laying:
                return self._begin_beside(source, began)
        cut = self._composed.begins_shot(source)
        kept = self._paint_kept(source, cut=cut)
        painter, effects = self._composed.painter, self._composed.effects
        here = [effect for effect in effects[:1] if isinstance(effect, Coherence)]
        if cut:
            painter.reset()
        painted = _finish(painter(source), here, source, cut=cut)
        return Begun(
            source=source,
            painted=painted,
            effects=effects[len(here) :],
            cut=cut,
            level=self._level,
            seconds=time.perf_counter() - began,
            kept=kept,
        )

    def _begin_beside(self, source: Frame, began: float) -> Begun:
        """Carry the last keyframe's painting to a frame, with all that is done to it."""
        painted = self._beside(source)
        ended = time.perf_counter()
        self._carrying.saw(self._beside.new, now=ended)
        return Begun(
            source=source,
            painted=painted,
            effects=(),
            cut=False,
            level=self._level,
            seconds=ended - began,
            beside=self._beside.seconds,
            warm=self._beside.warm,
        )

    def finish(self, begun: Begun) -> Image:
        """Return a picture finished; they are, in their order.

        Returns:
          uint8 RGB, of the size that was begun, or of the one before if that is only just new.
        """
        began = time.perf_counter()
        painted, effects = begun.painted, begun.effects
        with self._laying:
            if begun.kept is not None and isinstance(effects[0], KeepFaces):
                faces, hands = begun.kept.result()
                painted = effects[0].lay_faces(begun.source, painted, faces)
                effects = effects[1:]
                if effects and isinstance(effects[0], KeepHands):
                    painted = effects[0].lay_hands(begun.source, painted, hands)
                    effects = effects[1:]
            painted = _finish(painted, effects, begun.source, cut=begun.cut)
        ended = time.perf_counter()
        if begun.warm and begun.level is self._budget.level:
            seconds = max(begun.seconds, ended - began)
            self._budget.spent(seconds, now=ended, beside=begun.beside)
        return painted.image

    def _paint_kept(self, source: Frame, *, cut: bool) -> Future[Kept] | None:
        """Find and paint faces and hands in another thread, after those of the frame before.

        Whatever waits for it was asked for later, so it has its thread.
        """
        effects = self._composed.effects
        faces = next((one for one in effects if isinstance(one, KeepFaces)), None)
        hands = next((one for one in effects if isinstance(one, KeepHands)), None)
        if self._threads is None or faces is None:
            self._kept = None
            return None
        before, (_, height) = self._kept, self._smaller.size or source.size
        scale = height / source.size[1]

        def paint() -> Kept:
            if before is not None:
                wait([before])
            for one in (faces, hands) if cut else ():
                if one is not None:
                    one.reset()
            made = faces.paint_faces(source, scale=scale)
            return made, () if hands is None else hands.paint_hands(source)

        self._kept = self._threads.submit(paint)
        return self._kept

    def _settle(self, image: Image, now: float) -> Image:
        """Return the picture at the size that holds at present, after what follows from it."""
        size = (image.shape[1], image.shape[0])
        if self._size is None or (size != self._size and now - self._sized >= _NEW_SIZE_SECONDS):
            self._size, self._sized = size, now
            self._budget.renew()
            self._smaller.size = None
        least = least_scale(paint_size(self._size, USUAL_STROKE))
        carried = self._settings.faces != "only" and self._carrying.serves(now=time.perf_counter())
        levels = choose_levels(_LEVELS, least=least, carried=carried)
        self._budget.choose_among(levels if self._settings.adapts else levels[:1])
        if self._smaller.size is None or self._level is not self._budget.level:
            self._level = self._budget.level
            self._beside.cool()
            self._configure()
            self._smaller.size = self._level.fit(paint_size(self._size, USUAL_STROKE))
            # here, so that others can paint meanwhile
            self._beyond.prepare(self._smaller.size)
        elif not self._pure.ready and now - self._chosen >= _STAYS_SECONDS:
            # none that a slider passes: each takes a part of a second
            self._beyond.prepare(self._smaller.size)
        return resize_image(image, self._size)

    def _configure(self) -> None:
        settings, level = self._settings, self._level
        paints_all = settings.strength == 0 or settings.faces == "only"
        wanted = EffectsConfig(
            strength=settings.strength,
            keep_color=settings.keep_color,
            faces=face_config(settings.faces, quick=level.scale < 1),
            hands=hands_config(settings.faces) if level.hands else None,
            coherence=CoherenceConfig(strength=settings.coherence, preset=level.flow),
            stroke=None,  # sizes are chosen here
            keyframes=1 if paints_all else level.keyframes,
        )
        self._beside.wait()
        self._twice.on = level.underpainting
        if wanted.keyframes == 1:
            self._beside.reset()
        self._composed.configure(wanted)


def _finish(painted: Frame, effects: Sequence[Effect], source: Frame, *, cut: bool) -> Frame:
    """Return a painting with effects; at a cut they forget what was before."""
    for effect in effects:
        if cut:
            effect.reset()
        painted = effect(source, painted)
    return painted


def face_config(mode: FaceMode, *, quick: bool = False, method: str = "fast") -> FacesConfig | None:
    """Return what is done to faces in what a method paints; None where they cannot be found."""
    if mode == "paint" or not are_faces_available():
        return None
    return FacesConfig(mode=mode, quick=quick, strength=METHODS[method].face_strength)


def hands_config(mode: FaceMode, *, method: str = "fast") -> HandsConfig | None:
    """Return what is done to hands in what a method paints, where that is done to faces."""
    return HandsConfig(strength=METHODS[method].face_strength) if mode == "keep" else None


class _Pure:
    """The network with codes that can be changed; a `stylizer.protocols.Stylizer`."""

    def __init__(self, runtime: Runtime, code: StyleEmbedding, *, segmenter: Path | None) -> None:
        self.runtime, self.code, self._segmenter = runtime, code, segmenter
        self.ready = False
        self._parts: Mapping[str, StyleEmbedding] = {}
        self._masks: RegionMasks | None = None

    @property
    def follows_camera(self) -> bool:
        return isinstance(self.runtime, NoisyRuntime) and self.runtime.moves_noise

    def choose(self, code: StyleEmbedding, parts: Mapping[str, StyleEmbedding]) -> None:
        """Paint after another code, and parts after some of their own."""
        if self._masks is not None:
            self._masks.prepare([*parts])
        elif parts:
            self._masks = RegionMasks([*parts], segmenter=self._segmenter)
        before = self._codes
        self.code, self._parts = code, parts
        self.ready = self.ready and [*map(id, before)] == [*map(id, self._codes)]

    def prepare(self, size: tuple[int, int]) -> None:
        """Get ready for pictures of (width, height)."""
        for code in self._codes:
            self.runtime.prepare(size, code)
        self.ready = True

    @property
    def _codes(self) -> list[StyleEmbedding]:
        """Of the parts, and of what they leave."""
        codes = [*self._parts.values()]
        return codes if covers_all(self._parts) else [*codes, self.code]

    @property
    def divides(self) -> bool:
        return True

    def find_parts(self, frame: Frame) -> Masks | None:
        """Return where each style is in the next frame; None where one is for all of it."""
        if self._masks is None or not self._parts:
            return None
        return self._masks(frame, [*self._parts])[: len(self._codes)]

    def __call__(self, frame: Frame) -> Frame:
        codes = self._codes
        if frame.parts is None or len(frame.parts) != len(codes):  # of the styles of before
            return paint_frame(self.runtime, frame, self.code)
        return paint_parts(self.runtime, frame, codes)

    def paint_patch(self, image: Image) -> Image:
        above = self._parts.get("face", self._parts.get("person", self.code))
        return self.runtime.paint(image, above)

    def reset(self) -> None:
        if self._masks is not None:
            self._masks.reset()
