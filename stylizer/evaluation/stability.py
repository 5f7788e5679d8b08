"""How well a painted video holds still: warping errors, by frame and by shot.

Where the camera's motion explains the source as well as the flow does, it is taken. On a wall a
flow is noise, which lines that are painted there would be charged with: before a camera that
stands, the source's own error is a tenth less, and nine tenths of the pixels count in place of
three quarters.

What an error means is judged by what the painting adds to its source (`own_levels`). The bounds lie
between what was measured of the changelog's clips `walk`, `crystal` and `book` (1280x720, the first
48 frames, `StabilityMeter` with its defaults), as they were painted by the default network in
`starry_night`, `great_wave` and `the_scream`, in gray levels:

===================  ==============  ===============  ==============
painted              `walk`          `crystal`        `book`
===================  ==============  ===============  ==============
as videos are        5.1, 4.0, 1.8   7.2, 3.3, 1.1    4.8, 4.0, 1.6
``--coherence 0``    6.4, 9.0, 2.9   23.1, 11.0, 9.0  5.7, 8.1, 2.3
===================  ==============  ===============  ==============

Up to 5.5 lie eight of nine videos, and above it seven of nine without coherence (`the_scream` is
soft, and changes little in any case). Above 10 lie the single frames of a camera that moves, in
bold styles. Where cars rush past it is 7 to 17 both ways (`bikes`, 1280x544, 40 frames): what moves
so quickly is not told from flicker.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from stylizer.errors import ConfigError
from stylizer.evaluation.metrics import warping_error
from stylizer.frame import Frame, Image
from stylizer.temporal.cuts import CutConfig, CutDetector
from stylizer.temporal.flow import Flow, OpticalFlow, Preset, resize_flow
from stylizer.temporal.motion import find_flow
from stylizer.temporal.occlusion import Mask, reliable

__all__ = [
    "SLIGHT_BOIL_UP_TO",
    "STILL_UP_TO",
    "FrameStability",
    "ShotStability",
    "StabilityMeter",
    "Verdict",
    "gray_levels",
    "judge",
    "own_levels",
]

STILL_UP_TO, SLIGHT_BOIL_UP_TO = 5.5, 10.0
"""Gray levels, 0..255, that a painting may add to its source; see above."""

Verdict = Literal["still", "slight boil", "flicker"]
"""How a painted video looks beside its source."""


@dataclass(frozen=True, kw_only=True)
class FrameStability:
    """One frame, against the one before it.

    Attributes:
      index: of the frame.
      time: in seconds.
      cut: whether a shot begins here; then there is nothing to compare with.
      error: the output's warping error; None at the first frame, at a cut, and where no flow can be
        relied on.
      source_error: the source's own, which no output needs to be below.
      reliable: share of pixels whose flow can be relied on, 0..1.
    """

    index: int
    time: float
    cut: bool
    error: float | None
    source_error: float | None
    reliable: float


@dataclass(frozen=True, kw_only=True)
class ShotStability:
    """The frames from one cut to the next.

    Attributes:
      first: index of its first frame.
      last: index of its last frame.
      error: mean warping error of the output; None for a shot of one frame.
      source_error: mean warping error of the source.
    """

    first: int
    last: int
    error: float | None
    source_error: float | None


class StabilityMeter:
    """Takes the frames of source and output in step, and measures each against its forerunner.

    Attributes:
      frames: what was measured so far.
    """

    def __init__(
        self,
        *,
        preset: Preset = "medium",
        max_side: int = 640,
        cuts: CutConfig | None = None,
    ) -> None:
        """Set the quality of the flow; ``cuts`` None for the default settings."""
        self.frames: list[FrameStability] = []
        self._flow = OpticalFlow(preset=preset, max_side=max_side)
        self._cuts = CutDetector(cuts)
        self._before: tuple[Image, Image] | None = None

    def __call__(self, source: Frame, output: Image) -> FrameStability:
        """Measure a frame.

        Args:
          source: the next frame.
          output: what was painted of it, uint8 RGB, of the source frame's size.

        Raises:
          ConfigError: not of one size.
        """
        if source.image.shape != output.shape:
            raise ConfigError(
                f"frame {source.index}: expected an output of shape {source.image.shape}, "
                f"got {output.shape}"
            )
        cut = self._cuts(source)
        errors: tuple[float | None, float | None] = None, None
        share = 0.0
        if self._before is not None and not cut:
            before_source, before_output = self._before
            flow, mask = self._motion(source.image, before_source)
            share = float(mask.mean())
            errors = (
                warping_error(output, before_output, flow, mask),
                warping_error(source.image, before_source, flow, mask),
            )
        self._before = source.image.copy(), output.copy()
        found = FrameStability(
            index=source.index,
            time=source.time,
            cut=cut,
            error=errors[0],
            source_error=errors[1],
            reliable=share,
        )
        self.frames.append(found)
        return found

    def _motion(self, image: Image, before: Image) -> tuple[Flow, Mask]:
        here, there = self._flow.reduce(image), self._flow.reduce(before)
        flow, back = find_flow(self._flow, here, there), find_flow(self._flow, there, here)
        height, width, _ = image.shape
        mask = cv2.resize(
            reliable(flow, back).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
        )
        return resize_flow(flow, (width, height)), np.asarray(mask > 0).reshape(height, width)

    @property
    def cuts(self) -> list[int]:
        """The indices of the frames that a new shot begins with."""
        return [frame.index for frame in self.frames if frame.cut]

    def shots(self) -> list[ShotStability]:
        """Sum up the frames measured, shot by shot."""
        starts = [0, *(i for i, frame in enumerate(self.frames) if frame.cut)]
        ends = [*starts[1:], len(self.frames)]
        return [
            _sum_up(self.frames[start:end])
            for start, end in zip(starts, ends, strict=True)
            if end > start
        ]

    def whole(self) -> ShotStability:
        """Sum up all frames measured, without the steps over cuts.

        Raises:
          ConfigError: none was measured yet.
        """
        if not self.frames:
            raise ConfigError("stability: expected one frame or more to sum up, got none")
        return _sum_up(self.frames)

    def worst(self, count: int) -> list[FrameStability]:
        """Return the frames with the largest errors, the worst first."""
        known = [frame for frame in self.frames if frame.error is not None]
        return sorted(known, key=lambda frame: -(frame.error or 0.0))[:count]


def gray_levels(error: float) -> float:
    """Turn a warping error into the root mean square of the difference, in levels of 0..255."""
    return 255.0 * math.sqrt(error / 3)


def own_levels(measured: ShotStability) -> float | None:
    """Return what a painting adds to the changes of its source: ``255 sqrt((E - E_source) / 3)``.

    Returns:
      Gray levels, 0..255, root mean square; None where nothing could be measured.
    """
    if measured.error is None or measured.source_error is None:
        return None
    return gray_levels(max(0.0, measured.error - measured.source_error))


def judge(measured: ShotStability) -> Verdict | None:
    """Say how well a painting holds still; None where nothing could be measured."""
    own = own_levels(measured)
    if own is None:
        return None
    return (
        "still" if own <= STILL_UP_TO else "slight boil" if own <= SLIGHT_BOIL_UP_TO else "flicker"
    )


def _sum_up(frames: Sequence[FrameStability]) -> ShotStability:
    return ShotStability(
        first=frames[0].index,
        last=frames[-1].index,
        error=_mean([frame.error for frame in frames]),
        source_error=_mean([frame.source_error for frame in frames]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
