"""A video painted in several passes, a shot at a time.

Passes need whole shots: `ShotPainter` reads a shot, paints it, and then gives its frames one by one
with their paintings; `stylizer.pipeline.run` carries them on, each with its source, so that what
follows (colors, strength) is done as to any other painting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from stylizer.base import load_states, save_states
from stylizer.errors import ConfigError, SourceError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import StyleLike
from stylizer.gatys.initial import QuickPainter
from stylizer.gatys.passes import PassPainter, PassProgress
from stylizer.gatys.stylizer import LossRecord
from stylizer.protocols import MaskFinder, State
from stylizer.temporal.cuts import CutConfig, CutDetector

__all__ = ["ShotConfig", "ShotPainter"]


@dataclass(frozen=True, kw_only=True)
class ShotConfig:
    """How a video is divided and painted.

    Attributes:
      gatys: how each shot is painted.
      cuts: how the end of a shot is found; None if the whole video is one.
      longest: frames that are painted together, 1 or more. A longer shot is painted in pieces: each
        forward pass goes on from the last painting of the piece before; a backward one begins at
        the piece's end. Up to three pictures of each of these frames are in memory: 2 MB a frame at
        640x360; with styles for parts about one more, their masks.
    """

    gatys: GatysConfig
    cuts: CutConfig | None = field(default_factory=CutConfig)
    longest: int = 240

    def __post_init__(self) -> None:
        """Check the range."""
        if self.longest < 1:
            raise ConfigError(f"longest: expected 1 frame or more, got {self.longest}")


class ShotPainter:
    """Paints shots in several passes each; a `stylizer.protocols.ShotStylizer`.

    Called with a single frame, it takes it for a shot of its own.
    """

    def __init__(  # noqa: PLR0913 - the last five are options of their own
        self,
        styles: Sequence[StyleLike],
        config: ShotConfig,
        *,
        masks: MaskFinder | None = None,
        quick: QuickPainter | None = None,
        prepare: Callable[[Image], Sequence[StyleLike]] | None = None,
        on_loss: Callable[[LossRecord], None] | None = None,
        on_frame: Callable[[PassProgress], None] | None = None,
    ) -> None:
        """Load the loss network.

        Args:
          styles: one or more.
          config: the settings.
          masks: finds the parts that have styles of their own; None for one style all over.
          quick: paints a shot's first frame in one pass, for ``initial="painted"``; None starts
            from the content.
          prepare: gives the styles for a shot, told its first frame, uint8 RGB (H, W, 3); None for
            the same styles always.
          on_loss: called once for each iteration of each pass, in the thread that paints.
          on_frame: called after each frame of each pass, in the thread that paints.

        Raises:
          ConfigError: a setting is out of its range.
          StyleError, WeightsError: as `stylizer.gatys.stylizer.GatysStylizer` says.
        """
        self._config = config
        self._prepare, self._on_frame = prepare, on_frame
        self._wanted: Callable[[], bool] = _always
        self._painter = PassPainter(
            styles, config.gatys, masks=masks, quick=quick, on_loss=on_loss, on_frame=self._go_on
        )
        self._state: State = {}
        self._resumed: State = {}
        self._divides = masks is not None

    @property
    def description(self) -> str:
        """Network, device and passes, for a start line."""
        return f"{self._painter.engine.description}, {self._config.gatys.passes} passes a shot"

    @property
    def divides(self) -> bool:
        """Whether it may have styles for parts of the picture."""
        return self._divides

    def reset(self) -> None:
        """Nothing is remembered from call to call: shots are divided as they are read."""

    def save_state(self) -> State:
        """Return what was remembered before the piece whose frames are being given.

        What is gone on from is known between two pieces only: ask when a piece's first frame came.
        """
        return self._state

    def load_state(self, state: State) -> None:
        """Have the next stream, which begins with the same piece, go on as another one did."""
        self._resumed = state

    def __call__(self, frame: Frame) -> Frame:
        """Return the painted frame: same size, index and time.

        Raises:
          OptimizationError: the optimization diverged and could not be rescued.
        """
        ((_, painted),) = self.paint_stream(iter([frame]), wanted=_always)
        return painted

    def paint_stream(
        self, frames: Iterator[Frame], *, wanted: Callable[[], bool]
    ) -> Iterator[tuple[Frame, Frame]]:
        """Give each frame with its painting, once its shot is painted.

        Args:
          frames: of a source that ends: a live one's shots may have no end.
          wanted: asked after each frame that is painted; False ends it.

        Raises:
          OptimizationError: the optimization diverged and could not be rescued.
        """
        self._wanted = wanted
        resumed, self._resumed = self._resumed, {}
        detector = None if self._config.cuts is None else CutDetector(self._config.cuts)
        parts = {"detector": detector, "painter": self._painter}
        load_states(parts, resumed)
        after = _read_frames(resumed)
        first = resumed.get("first")
        if first is not None:
            self._match(first)
        for begins, piece, before in self._pieces(frames, detector, begins=not after):
            if begins:
                after, first = (), piece[0].image
                self._match(first)
            self._state = _write_frames(after, None if self._prepare is None else first)
            self._state |= {**save_states({"painter": self._painter}), **before}
            try:
                painted = deque(self._painter(piece, after=after))
            except _Stopped:
                return
            after = piece[-1], painted[-1]
            while piece:  # so that each goes as it is handed on
                yield piece.popleft(), painted.popleft()

    def _match(self, first: Image) -> None:
        """Take the styles for a shot, told its first picture."""
        if self._prepare is not None:
            self._painter.set_styles(self._prepare(first))

    def _pieces(
        self, frames: Iterator[Frame], detector: CutDetector | None, *, begins: bool
    ) -> Iterator[tuple[bool, deque[Frame], State]]:
        """Give the frames that are painted together, and whether a shot begins with them.

        With each come the memories of ``detector`` before its first frame. When the source fails,
        what it gave so far comes before its error.

        Args:
          frames: all of them.
          detector: finds cuts; None for none.
          begins: whether a shot begins with the very first frame, even without a cut before it.
        """
        piece: deque[Frame] = deque()
        state: State = {}
        try:
            for frame in frames:
                before = save_states({"detector": detector})
                cut = detector is not None and detector(frame)
                if piece and (cut or len(piece) == self._config.longest):
                    yield begins, piece, state
                    piece, begins = deque(), cut
                if not piece:
                    state, begins = before, begins or cut
                piece.append(frame)
        except SourceError:
            if piece:
                yield begins, piece, state
            raise
        if piece:
            yield begins, piece, state

    def _go_on(self, progress: PassProgress) -> None:
        if not self._wanted():
            raise _Stopped
        if self._on_frame is not None:
            self._on_frame(progress)


def _write_frames(after: Sequence[Frame], first: Image | None) -> dict[str, Image]:
    """Return the frame before a piece and its painting, and a shot's first picture, as a state."""
    state = {f"after{number}": frame.image for number, frame in enumerate(after)}
    return state if first is None else {**state, "first": first}


def _read_frames(state: State) -> tuple[Frame, ...]:
    """Return the frame before a piece and its painting; nothing where a shot begins."""
    names = [name for name in ("after0", "after1") if name in state]
    return tuple(Frame(state[name], 0, 0.0) for name in names)


class _Stopped(Exception):
    """Nobody wants any more of it."""


def _always() -> bool:
    return True
