"""What the commands have in common: they make a stylizer, run it, and say what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylizer.ahead import PaintedAhead
from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.network.config import FastConfig
from stylizer.pipeline import run
from stylizer.protocols import FrameSink, FrameSource, StyledStylizer, Stylizer
from stylizer.styles.load import AnyStyle

from ..options.coherence import CoherenceOptions
from ..options.look import LookOptions
from .progress import Display, frames_text, rate_text
from .terminal import Interrupted, interruptible, say, silenced

if TYPE_CHECKING:
    from stylizer.gatys.stylizer import LossRecord

__all__ = [
    "Outcome",
    "announce",
    "check_weights",
    "describe_still",
    "load_backend",
    "make_stylizer",
    "paint",
]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended.

    Attributes:
      frames: how many were written.
      seconds: how long it took.
      interrupted: whether Ctrl-C ended it.
    """

    frames: int
    seconds: float
    interrupted: bool

    def close(self, where: str, *, quiet: bool) -> None:
        """Say what came out, after Ctrl-C as an error.

        Raises:
          Interrupted: the run was interrupted.
        """
        told = f"{frames_text(self.frames)} in {self.seconds:.1f} s"
        if self.interrupted:
            raise Interrupted(f"{where} holds the {told} so far")
        if not quiet:
            rate = f" ({self.frames / self.seconds:.1f} fps)" if self.seconds > 0 else ""
            say(f"{where}: {told}{rate}")


def load_backend() -> None:
    """Import the backend and let it find its devices, without its chatter; takes seconds."""
    with interruptible(), silenced():
        from keras import ops

        ops.zeros((1,))


def make_stylizer(  # noqa: PLR0913 - until one description holds all of it
    styles: Sequence[AnyStyle],
    config: FastConfig | GatysConfig,
    *,
    look: LookOptions | None = None,
    coherence: CoherenceOptions | None = None,
    on_loss: Callable[[LossRecord], None] | None = None,
    ahead: PaintedAhead | None = None,
) -> Stylizer:
    """Return the stylizer of the method whose settings are given, with what is asked for around it.

    The optimization loads the backend, which takes seconds; so does the network the first time.

    Args:
      styles: one or more.
      config: of the fast network or of the optimization.
      look: what is done around the method; None for nothing.
      coherence: what holds a video still; None for pictures that are no sequence.
      on_loss: told of every iteration of the optimization.
      ahead: the source, which then paints by the network where coherence follows; None for none.

    Raises:
      StylizerError: as the method's own stylizer says.
    """
    stylizer: StyledStylizer
    if isinstance(config, FastConfig):
        stylizer = _make_fast(styles, config)
    else:
        load_backend()
        from stylizer.gatys.stylizer import GatysStylizer

        stylizer = GatysStylizer(styles, config, on_loss=on_loss)
    painter: Stylizer = stylizer if look is None else look.match(stylizer, styles)
    if coherence is not None:
        recurrent = isinstance(config, GatysConfig)
        coherent = coherence.config(recurrent=recurrent).strength > 0
        if ahead is not None and coherent and not recurrent and painter is stylizer:
            painter = ahead.paint_by(painter)
        painter = coherence.wrap(painter, recurrent=recurrent)
    return painter if look is None else look.wrap(painter)


def _make_fast(styles: Sequence[AnyStyle], config: FastConfig) -> StyledStylizer:
    """Load the fast network, and what it needs: the backend only where it is not yet compiled."""
    from stylizer.network.stylizer import FastStylizer

    with interruptible(), silenced():
        return FastStylizer(styles, config)


def check_weights(config: FastConfig | GatysConfig) -> None:
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


def describe_still(config: GatysConfig, styles: Sequence[AnyStyle]) -> str:
    """Say what optimizes one picture: network, device and precision. Loads the backend."""
    load_backend()
    from stylizer.backend.keras_backend import describe_device
    from stylizer.gatys.targets import first_picture
    from stylizer.perceptual.precision import choose_precision

    device = describe_device(precision=choose_precision(config, first_picture(styles)))
    return f"{config.network}, {device}"


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
