"""A job divided for several workers: stretches of frames, each of which is painted by itself.

At a cut a stylizer forgets what was before, so that a stretch that begins there comes out as it
does in a run from the beginning. What is remembered across cuts is only what cuts are found by, and
that is known from looking at the frames alone.

A shot that is long is divided as well where its stylizer's memory fades: such a stretch is painted
from some frames before it, the lead-in, which are thrown away. Some more before those are only
looked at, as what is known of the camera goes back farther than what is known of paintings. Where
stretches begin depends on the frames and the lead-in alone, so that the result does not depend on
how many workers there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from stylizer.base import save_state
from stylizer.description import StylizerConfig
from stylizer.frame import Frame
from stylizer.gatys.config import GatysConfig
from stylizer.jobs.division import Divider, DivisionConfig
from stylizer.pipeline import Checkpoint
from stylizer.protocols import State
from stylizer.temporal.coherence import AFRESH, SETTLED
from stylizer.temporal.cuts import CutConfig, CutDetector
from stylizer.temporal.follow_camera import CYCLE

__all__ = [
    "Runs",
    "Stretch",
    "find_runs",
    "find_stretches",
    "usual_lead_in",
    "where_stretches_begin",
    "why_whole",
]

Runs = Sequence[Sequence[int]]
"""Runs of indices, each as (first, the one after the last), in order."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Frames that are painted by one worker: one segment or more.

    Attributes:
      first: the index of the first frame.
      end: the index of the frame after the last.
      last: whether the job ends with it.
      checkpoint: to begin from, at the first frame or, with a lead-in, before it; None for nothing
        remembered at the first frame.
      lead_in: how many frames before the first are painted at the most; those between them and the
        checkpoint are looked at.
    """

    first: int
    end: int
    last: bool
    checkpoint: Checkpoint | None
    lead_in: int = 0


def find_stretches(
    frames: Iterable[Frame],
    cuts: CutConfig | None,
    config: DivisionConfig,
    *,
    looks_ahead: bool = False,
    lead_in: int | None = None,
) -> Iterator[Stretch]:
    """Give the stretches of a source, each as soon as its end is found.

    Segments end inside of them where they end in a run from the beginning. A shot begins at a cut,
    and where frames are left out.

    Args:
      frames: all of them, in order; small ones do as well where cuts are found in small pictures.
      cuts: how the stylizer finds cuts; None for not at all.
      config: where segments end.
      looks_ahead: whether the painter is a `stylizer.protocols.ShotStylizer`, which finds cuts by
        itself.
      lead_in: frames to paint before a stretch that does not begin with a shot, 0 or more; with
        it, a stretch ends where a segment does. None for stretches that begin with a shot.
    """
    detector, divider = CutDetector(cuts) if cuts is not None else None, Divider(config)
    before: deque[Checkpoint] = deque(maxlen=1 + (lead_in + _LOOKED_AT if lead_in else 0))
    begin = partial(Stretch, lead_in=lead_in or 0)
    first, end, checkpoint = config.first, 0, None
    for frame in frames:
        gap = 0 < end != frame.index
        if gap and detector is not None:
            detector.reset()
        states = _states(save_state(detector), looks_ahead=looks_ahead)
        begins = (detector is not None and detector(frame)) or gap
        if begins:
            before.clear()
        before.append(Checkpoint(frame.index, begins, states))
        if divider(frame.index, begins_shot=begins) and (begins or lead_in is not None):
            yield begin(first=first, end=frame.index, last=False, checkpoint=checkpoint)
            first, checkpoint = frame.index, before[0]
        end = frame.index + 1
    if end:
        yield begin(first=first, end=end, last=True, checkpoint=checkpoint)


def find_runs(pending: Runs, longest: int, *, total: int) -> Iterator[Stretch]:
    """Give the stretches of pictures that have nothing to do with each other.

    Args:
      pending: those that are to be painted.
      longest: how many of them a stretch has.
      total: how many there are with those that are not.
    """
    indices = [index for first, end in pending for index in range(first, end)]
    starts = [0, *indices[longest::longest]]
    for first, end in zip(starts, [*starts[1:], total], strict=True):
        yield Stretch(first=first, end=end, last=end == total, checkpoint=None)


def usual_lead_in(config: StylizerConfig) -> int | None:
    """Return the lead-in of stretches for a stylizer; None where its memory does not fade.

    What holds a video still fades (`stylizer.temporal.coherence`): moving paintings agree after 24
    frames to the last bit, standing ones after 32 to 0.01 gray levels in the mean. Faces that are
    followed have found their places by then (`stylizer.faces.tracker`). Where frames are painted in
    broader strokes before, that is held, too, and the one comes after the other: moving paintings
    agree after 48 frames; in standing ones 1.3 gray levels in the mean stay, as what is rounded in
    the first painting is seen in the second, no more than changes there from frame to frame. Where
    every Nth frame is painted, it takes N times as many. Where frames are painted over paintings
    before, a stretch begins after a key frame that is not (`DivisionConfig.step`).
    """
    if why_whole(config) is not None:
        return None
    effects = config.effects
    if effects.coherence.strength > 0 and effects.overpainting > 0:
        return config.keyframes * _LONGER_LEAD_IN + SETTLED
    if effects.coherence.strength > 0 and effects.underpainting > 0:
        return config.keyframes * _LONGER_LEAD_IN
    if config.faces or config.hands or effects.coherence.strength > 0:
        return config.keyframes * _LEAD_IN
    return config.keyframes - 1


def where_stretches_begin(config: StylizerConfig) -> tuple[int, int]:
    """Return where a shot may be divided for a stylizer: `DivisionConfig.step` and ``after``."""
    return (AFRESH, SETTLED) if config.effects.overpainting > 0 else (1, 0)


def why_whole(config: StylizerConfig) -> str | None:
    """Return why a stylizer paints shots whole, unless a lead-in is asked for; None if not."""
    if isinstance(config.method, GatysConfig):
        return "the optimization goes on from its own paintings"
    if config.keep_color == "match":
        return "colors are matched to the first frame of each"
    return None


_LEAD_IN, _LONGER_LEAD_IN = 32, 48
_LOOKED_AT = 2 * CYCLE
"""Frames in which what was known of the camera fades, before the lead-in."""


def _states(detector: State, *, looks_ahead: bool) -> dict[str, State]:
    """Return what finds cuts as all parts remember it."""
    if not looks_ahead:
        return {"shots": detector}
    return {
        "shots": detector,
        "painter": {f"detector/{name}": part for name, part in detector.items()},
    }
