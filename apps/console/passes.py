"""Several passes over a video (``--passes``): shots painted ahead, their look, and Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from stylizer.gatys.config import GatysConfig
from stylizer.protocols import FrameSource, Stylizer
from stylizer.styles.load import AnyStyle

from ..options.coherence import CoherenceOptions
from ..options.look import LookOptions
from .painting import load_backend
from .progress import Display

if TYPE_CHECKING:
    from stylizer.gatys.passes import PassProgress
    from stylizer.gatys.shots import PaintedShots
    from stylizer.gatys.stylizer import LossRecord

__all__ = ["Surroundings", "load_shots", "stopped_by_signals"]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What stands around the painting of a video.

    Attributes:
      look: strength and colors.
      coherence: cuts, and what holds the video still besides.
      display: told how far a shot is that is painted ahead.
      on_loss: told of every iteration of the optimization; None for nobody.
    """

    look: LookOptions
    coherence: CoherenceOptions
    display: Display
    on_loss: Callable[[LossRecord], None] | None


def load_shots(
    source: FrameSource, styles: Sequence[AnyStyle], config: GatysConfig, around: Surroundings
) -> tuple[PaintedShots, Stylizer]:
    """Return the source whose shots are painted in several passes, and the stylizer for it.

    Loads the backend. With ``--keep-color match`` the styles take the colors of each shot's first
    frame.

    Raises:
      StylizerError: as `PaintedShots` says.
    """
    load_backend()
    from stylizer.gatys.shots import PaintedShots, ShotConfig

    look, coherence = around.look, around.coherence

    def note(progress: PassProgress) -> None:
        share = progress.done / progress.total
        around.display.note(f"shot ahead: pass {progress.number} of {progress.passes}, {share:.0%}")

    plan = ShotConfig(
        gatys=config,
        cuts=coherence.cuts == "on",
        prepare=(lambda image: look.prepare(styles, image)) if look.keep_color == "match" else None,
        on_loss=around.on_loss,
        on_frame=note,
    )
    shots = PaintedShots(source, styles, plan)
    return shots, look.wrap(coherence.wrap(shots.stylizer, recurrent=True))


@contextmanager
def stopped_by_signals(stop: Callable[[], None] | None) -> Iterator[None]:
    """Call ``stop``, if any, before Ctrl-C or SIGTERM is raised as usual in the block.

    The pipeline waits for its threads, and one that paints a whole shot has to hear of it.
    """
    if stop is None:
        yield
        return

    def hear(number: int, frame: FrameType | None) -> None:
        stop()
        signal.default_int_handler(number, frame)

    ours = [
        number
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is signal.default_int_handler
    ]
    for number in ours:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.default_int_handler)
