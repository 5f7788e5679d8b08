"""A video painted in several passes, a shot at a time.

`stylizer.pipeline.run` hands frames on one by one, and passes need whole shots: `PaintedShots` is a
source that reads a shot, paints it, and then gives its frames; its ``stylizer`` knows what each was
painted like. What follows (colors, strength) goes around that stylizer as around any other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stylizer.backend.keras_backend import describe_device
from stylizer.base import WrappedSource
from stylizer.errors import ConfigError, SourceError, StylizerError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import StyleLike
from stylizer.gatys.passes import PassPainter, PassProgress
from stylizer.gatys.stylizer import LossRecord
from stylizer.protocols import FrameSource, Stylizer
from stylizer.temporal.cuts import CutDetector

__all__ = ["PaintedShots", "ShotConfig"]


@dataclass(frozen=True, kw_only=True)
class ShotConfig:
    """How a video is divided and painted, and who hears of it.

    Attributes:
      gatys: how each shot is painted.
      cuts: whether a shot ends at a cut; else the whole video is one.
      longest: frames that are painted together, 1 or more. A longer shot is painted in pieces: each
        forward pass goes on from the last painting of the piece before; a backward one begins at
        the piece's end. Up to three pictures of each of these frames are in memory: 2 MB a frame at
        640x360.
      prepare: gives the styles for a shot, told its first frame, uint8 RGB (H, W, 3); None for the
        same styles always.
      on_loss: called once for each iteration of each pass, in the thread that reads.
      on_frame: called after each frame of each pass, in the thread that reads.
    """

    gatys: GatysConfig
    cuts: bool = True
    longest: int = 240
    prepare: Callable[[Image], Sequence[StyleLike]] | None = None
    on_loss: Callable[[LossRecord], None] | None = None
    on_frame: Callable[[PassProgress], None] | None = None

    def __post_init__(self) -> None:
        """Check the range."""
        if self.longest < 1:
            raise ConfigError(f"longest: expected 1 frame or more, got {self.longest}")


class PaintedShots(WrappedSource):
    """A source whose frames are painted before they come; opened and closed with its source.

    Example::

        shots = PaintedShots(reader, styles, ShotConfig(gatys=GatysConfig(passes=3)))
        run(shots, shots.stylizer, writer)

    Attributes:
      stylizer: gives each frame its painting. To be called once for every frame that came.
    """

    def __init__(
        self, source: FrameSource, styles: Sequence[StyleLike], config: ShotConfig
    ) -> None:
        """Load the loss network.

        Args:
          source: a file or a folder; a live one would wait for ever.
          styles: one or more.
          config: the settings.

        Raises:
          ConfigError: the source is live, or a setting is out of its range.
          StyleError, WeightsError: as `stylizer.gatys.stylizer.GatysStylizer` says.
        """
        if source.rate is None:
            raise ConfigError("passes: expected a source that ends, got a live one")
        super().__init__(source)
        self._config = config
        self._stopped = threading.Event()
        self._painter = PassPainter(
            styles, config.gatys, on_loss=config.on_loss, on_frame=self._go_on
        )
        self._paintings: dict[int, Image] = {}
        engine, passes = self._painter.engine, config.gatys.passes
        device = describe_device(precision=engine.precision)
        self.stylizer: Stylizer = _Lookup(
            self._paintings, f"{engine.network.name}, {device}, {passes} passes a shot"
        )

    def stop(self) -> None:
        """End the source after the frame that is being painted; from any thread, or a signal."""
        self._stopped.set()

    def __iter__(self) -> Iterator[Frame]:
        """Give the source's frames, each once its shot is painted.

        Raises:
          OptimizationError: the optimization diverged and could not be rescued.
        """
        after: tuple[Frame, ...] = ()
        for begins, piece in self._pieces():
            if begins:
                after = ()
                if self._config.prepare is not None:
                    self._painter.engine.set_styles(self._config.prepare(piece[0].image))
            try:
                painted = self._painter(piece, after=after)
            except _Stopped:
                return
            after = piece[-1], painted[-1]
            self._paintings.update((frame.index, frame.image) for frame in painted)
            painted.clear()  # so that each painting goes as it is handed on
            yield from piece
            piece.clear()

    def _pieces(self) -> Iterator[tuple[bool, list[Frame]]]:
        """Give the frames that are painted together, and whether a shot begins with them.

        When the source fails, what it gave so far comes before its error.
        """
        detector = CutDetector() if self._config.cuts else None
        piece: list[Frame] = []
        begins = True
        try:
            for frame in self._source:
                cut = detector is not None and detector(frame)
                if piece and (cut or len(piece) == self._config.longest):
                    yield begins, piece
                    piece, begins = [], cut
                piece.append(frame)
        except SourceError:
            if piece:
                yield begins, piece
            raise
        if piece:
            yield begins, piece

    def _go_on(self, progress: PassProgress) -> None:
        if self._stopped.is_set():
            raise _Stopped
        if self._config.on_frame is not None:
            self._config.on_frame(progress)


class _Stopped(Exception):
    """Whoever runs the source wants no more of it."""


class _Lookup:
    """Gives each frame the painting that was made of it before."""

    def __init__(self, paintings: dict[int, Image], description: str) -> None:
        self._paintings = paintings
        self.description = description

    def __call__(self, frame: Frame) -> Frame:
        painting = self._paintings.pop(frame.index, None)
        if painting is None:
            raise StylizerError(
                f"frame {frame.index}: expected one of a painted shot, each once; iterate "
                "PaintedShots and give every frame to its stylizer"
            )
        return frame.with_image(painting)

    def reset(self) -> None:
        """Nothing is remembered from frame to frame here: shots were divided before."""
