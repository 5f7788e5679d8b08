"""A job divided for several workers: stretches of frames that begin at cuts.

At a cut a stylizer forgets what was before, so that a stretch can be painted by itself, and comes
out as it does in a run from the beginning. What is remembered across cuts is only what cuts are
found by, and that is known from looking at the frames alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stylizer.base import save_state
from stylizer.frame import Frame
from stylizer.jobs.segmented import Divider, DivisionConfig
from stylizer.pipeline import Checkpoint
from stylizer.temporal.cuts import CutConfig, CutDetector

__all__ = ["Stretch", "find_stretches"]


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Frames that are painted by one worker: one segment or more, the first of them at a cut.

    Attributes:
      first: the index of the first frame.
      end: the index of the frame after the last.
      last: whether the source ends with it.
      checkpoint: to begin from; None at the source's beginning.
    """

    first: int
    end: int
    last: bool
    checkpoint: Checkpoint | None


def find_stretches(
    frames: Iterable[Frame],
    cuts: CutConfig | None,
    config: DivisionConfig,
    *,
    looks_ahead: bool = False,
) -> Iterator[Stretch]:
    """Give the stretches of a source, each as soon as its end is found.

    Segments end inside of them where they end in a run from the beginning.

    Args:
      frames: all of them, in order; small ones do as well where cuts are found in small pictures.
      cuts: how the stylizer finds cuts; None for not at all, which makes one stretch of all.
      config: where segments end.
      looks_ahead: whether the painter is a `stylizer.protocols.ShotStylizer`, which finds cuts by
        itself.
    """
    detector, divider = CutDetector(cuts) if cuts is not None else None, Divider(config)
    first, checkpoint = 0, None
    end = 0
    for frame in frames:
        before = save_state(detector)
        begins = detector is not None and detector(frame)
        if divider(begins_shot=begins) and begins:
            yield Stretch(first=first, end=frame.index, last=False, checkpoint=checkpoint)
            states = {"shots": before}
            if looks_ahead:
                states["painter"] = {f"detector/{name}": part for name, part in before.items()}
            first, checkpoint = frame.index, Checkpoint(frame.index, True, states)
        end = frame.index + 1
    if end:
        yield Stretch(first=first, end=end, last=True, checkpoint=checkpoint)
