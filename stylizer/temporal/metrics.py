"""How well a stylised video moves with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stylizer.errors import ConfigError
from stylizer.frame import Image
from stylizer.temporal.flow import OpticalFlow, outside

__all__ = ["FlowAgreement", "flow_agreement"]


@dataclass(frozen=True, slots=True)
class FlowAgreement:
    """Motion of a source and of what was made of it, in pixels a frame.

    Attributes:
      mean_source: mean length of the source's flow.
      mean_output: mean length of the output's flow; far below the source's, the picture stands
        still while the scene moves.
      end_point_error: mean distance between the two flows (Baker et al. 2011).
    """

    mean_source: float
    mean_output: float
    end_point_error: float


def flow_agreement(source_frames: Sequence[Image], output_frames: Sequence[Image]) -> FlowAgreement:
    """Compare the optical flow of a stylised video with its source's.

    Flows are estimated at full size between successive frames; pixels that the source's flow takes
    out of the picture do not count.

    Args:
      source_frames: two or more, uint8 RGB, (H, W, 3).
      output_frames: as many, of the same size.

    Raises:
      ConfigError: fewer than two frames, or not as many of one as of the other.
    """
    if len(source_frames) != len(output_frames) or len(source_frames) < 2:
        raise ConfigError(
            "frames: expected two or more, as many of the source as of the output, "
            f"got {len(source_frames)} and {len(output_frames)}"
        )
    finder = OpticalFlow(preset="medium", max_side=max(source_frames[0].shape))
    sums, pixels = np.zeros(3), 0
    for source, output in zip(pairwise(source_frames), pairwise(output_frames), strict=True):
        expected, got = finder.estimate(*source), finder.estimate(*output)
        inside = ~outside(expected)
        lengths = [
            np.linalg.norm(flow[inside], axis=-1) for flow in (expected, got, got - expected)
        ]
        sums += [float(length.sum()) for length in lengths]
        pixels += int(inside.sum())
    means = sums / max(1, pixels)
    return FlowAgreement(float(means[0]), float(means[1]), float(means[2]))
