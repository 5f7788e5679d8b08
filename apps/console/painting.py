"""What the commands have in common: they make a stylizer, run it, and say what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stylizer.base import Managed, describe_stylizer, find
from stylizer.compose import build, load_painter
from stylizer.description import StylizerConfig
from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.methods import MethodConfig
from stylizer.network.config import FastConfig
from stylizer.pipeline import run
from stylizer.protocols import FrameSink, FrameSource, StyledStylizer, Stylizer
from stylizer.styles.load import AnyStyle

from .progress import Display, frames_text, rate_text
from .terminal import Interrupted, interruptible, say, silenced

if TYPE_CHECKING:
    from stylizer.gatys.passes import PassProgress
    from stylizer.gatys.stylizer import LossRecord

__all__ = [
    "Outcome",
    "PlainJob",
    "announce",
    "check_weights",
    "describe_still",
    "load_backend",
    "make_painter",
    "make_stylizer",
    "paint",
    "reach_network",
]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended.

    Attributes:
      frames: how many were written.
      seconds: how long it took.
      interrupted: whether Ctrl-C ended it.
      hint: what else to say then.
    """

    frames: int
    seconds: float
    interrupted: bool
    hint: str = ""

    def close(self, where: str, *, quiet: bool) -> None:
        """Say what came out, after Ctrl-C as an error.

        Raises:
          Interrupted: the run was interrupted.
        """
        told = f"{frames_text(self.frames)} in {self.seconds:.1f} s"
        if self.interrupted:
            raise Interrupted(f"{where} holds the {told} so far{self.hint}")
        if not quiet:
            rate = f" ({self.frames / self.seconds:.1f} fps)" if self.seconds > 0 else ""
            say(f"{where}: {told}{rate}")


def load_backend() -> None:
    """Import the backend and let it find its devices, without its chatter; takes seconds."""
    with interruptible(), silenced():
        from keras import ops

        ops.zeros((1,))


def make_stylizer(
    config: StylizerConfig,
    *,
    on_loss: Callable[[LossRecord], None] | None = None,
    on_pass: Callable[[PassProgress], None] | None = None,
) -> Stylizer:
    """Build a stylizer, without its chatter, and so that Ctrl-C is heard; takes up to some seconds.

    Args:
      config: what is wanted.
      on_loss: told of every iteration of the optimization.
      on_pass: told of every frame that the optimization paints in several passes.

    Raises:
      StylizerError: as `stylizer.compose.build` says.
    """
    with interruptible(), silenced():
        return build(config, on_loss=on_loss, on_pass=on_pass)


def make_painter(
    styles: Sequence[AnyStyle], method: MethodConfig, *, segmenter: Path | None = None
) -> StyledStylizer:
    """Load a method alone, as `make_stylizer` does; nothing is done to what it paints."""
    with interruptible(), silenced():
        painter = load_painter(StylizerConfig(styles=styles, method=method, segmenter=segmenter))
    styled = find(painter, StyledStylizer)
    if styled is None:
        raise ConfigError(
            "expected a method whose styles can be changed, got "
            f"{describe_stylizer(painter)}; choose another"
        )
    return styled


def check_weights(config: MethodConfig) -> None:
    """Say before the backend is loaded that a file of weights is not there.

    Raises:
      ConfigError: the weights that the optimization was given are not a file.
    """
    if isinstance(config, FastConfig):
        return
    if config.weights is not None and not config.weights.is_file():
        raise ConfigError(f"--weights: there is no file {config.weights}")


def announce(description: str, source: FrameSource) -> None:
    """Say what is about to run: network, device, size, rate and frames."""
    width, height = source.size
    count = () if source.rate is None else (frames_text(source.frame_count),)
    say(" · ".join((description, f"{width}x{height}", rate_text(source.rate), *count)))


def reach_network(config: GatysConfig) -> GatysConfig:
    """Return settings whose loss network can be had here; fetches it, without its chatter.

    Raises:
      ConfigError: there is no such network.
    """
    load_backend()
    from stylizer.gatys.substitution import reachable

    with interruptible(), silenced():
        return reachable(config)


def describe_still(config: GatysConfig, styles: Sequence[AnyStyle]) -> str:
    """Say what optimizes one picture: network, device and precision. Loads the backend."""
    load_backend()
    from stylizer.gatys.engine import describe_engine
    from stylizer.gatys.targets import first_picture

    return describe_engine(config, first_picture(styles))


def paint(source: FrameSource, stylizer: Stylizer, sink: FrameSink, *, display: Display) -> Outcome:
    """Carry all frames from source to sink; Ctrl-C ends it in good order.

    Raises:
      KeyboardInterrupt: Ctrl-C came before the first frame was written.
    """
    began = time.monotonic()
    interrupted = False
    with display:
        try:
            run(source, stylizer, sink, on_progress=display.show)
        except KeyboardInterrupt:
            if display.done == 0:
                raise
            interrupted = True
    seconds = time.monotonic() - began
    return Outcome(frames=display.done, seconds=seconds, interrupted=interrupted)


class PlainJob(Managed):
    """What comes by a pipe, or goes to one, a window or a camera: it cannot be gone on with.

    Attributes:
      begun: how many frames were finished before: none.
      whole: whether all are.
      divided: whether it is painted in stretches: it is not.
    """

    begun = 0
    whole = divided = False

    def __init__(self, reader: FrameSource, target: FrameSink, *, piped: bool = False) -> None:
        """Take an open source, and a sink that is not open yet; with ``piped`` one is a pipe."""
        self._reader, self._target, self._piped = reader, target, piped

    def announce(self, *, quiet: bool) -> None:
        """Say what is not to be had with a pipe."""
        if self._piped and not quiet:
            say("by a pipe: if it is interrupted, it begins anew, and does not go on")

    def rest(self) -> FrameSource:
        """Return the source."""
        return self._reader

    def paint(self, source: FrameSource, stylizer: Stylizer, *, display: Display) -> Outcome:
        """Paint all, as `paint` does."""
        with self._target as sink:
            return paint(source, stylizer, sink, display=display)

    def finish(self) -> Outcome:
        """Nothing is to be finished."""
        return Outcome(frames=0, seconds=0.0, interrupted=False)
