"""What ``stylizer bench`` measures of holding still: what cuts and coherence add to a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import get_args

import cv2
from rich.table import Table

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.frame import Frame, Image
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.flow import Preset

from .timing import Timing, time_frames

__all__ = ["CoherenceCost", "coherence_cost_table", "measure_coherence"]


@dataclass(frozen=True, kw_only=True)
class CoherenceCost(Timing):
    """The time that cuts or coherence add to a frame, on one core.

    Attributes:
      adds: ``"cuts"`` or ``"coherence"``.
      flow: preset of the optical flow; None for cuts, which need none.
      size: ``"640x360"``.
    """

    adds: str
    flow: Preset | None
    size: str


class _Ready:
    """Hands out pictures that were painted before, so that what is timed is all around it."""

    def __init__(self, painted: Sequence[Image]) -> None:
        self._painted = iter(painted)

    def reset(self) -> None:
        """Nothing to forget."""

    def __call__(self, frame: Frame) -> Frame:
        return frame.with_image(next(self._painted))


def measure_coherence(frames: Sequence[Frame], painted: Sequence[Image]) -> list[CoherenceCost]:
    """Time cuts, and coherence with each preset of the flow, on one core.

    Args:
      frames: more than those to warm up.
      painted: what was painted of them.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        still = CoherenceConfig(strength=0.0)
        costs = [_time("cuts", None, EffectsConfig(coherence=still), frames, painted)]
        for preset in get_args(Preset):
            effects = EffectsConfig(coherence=CoherenceConfig(preset=preset), cuts=None)
            costs.append(_time("coherence", preset, effects, frames, painted))
    finally:
        cv2.setNumThreads(threads)
    return costs


def _time(
    adds: str,
    flow: Preset | None,
    effects: EffectsConfig,
    frames: Sequence[Frame],
    painted: Sequence[Image],
) -> CoherenceCost:
    timing, _ = time_frames(lambda: Composed(_Ready(painted), effects), frames)
    width, height = frames[0].size
    return CoherenceCost(adds=adds, flow=flow, size=f"{width}x{height}", **asdict(timing))


def coherence_cost_table(costs: Sequence[CoherenceCost]) -> Table:
    """Return the costs for people."""
    table = Table(title="What holding still adds to a frame, on one core")
    for heading in ("adds", "flow", "size", "ms", "95 %"):
        table.add_column(heading, justify="left" if heading == "adds" else "right")
    for cost in costs:
        times = f"{cost.median_ms:.1f}", f"{cost.p95_ms:.1f}"
        table.add_row(cost.adds, cost.flow or "", cost.size, *times)
    return table
