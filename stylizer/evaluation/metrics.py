"""How well a stylized video moves with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stylizer.errors import ConfigError
from stylizer.frame import Image
from stylizer.temporal.flow import Flow, OpticalFlow, outside, warp
from stylizer.temporal.occlusion import Mask

__all__ = ["FlowAgreement", "end_point_error", "flow_agreement", "warping_error"]


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
    """Compare the optical flow of a stylized video with its source's.

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


def warping_error(image: Image, before: Image, flow: Flow, mask: Mask) -> float | None:
    """How much a picture differs from the one before it, carried along by the source's motion.

    ``E = sum over pixels(M |O_t - W(O_t-1)|^2) / sum over pixels(M)``: the warping error by which
    Lai et al. 2018 ("Learning blind video temporal consistency") evaluate, with ``M`` 1 where the
    flow can be relied on, colors in 0..1, and the squared norm taken over the three channels. 0 is
    perfectly coherent; a source has an error of its own, of noise and light. Differs from the
    paper: the earlier picture is brought to the later one, not the reverse. The authors' program
    takes the mean over the channels too, which gives a third of this.

    A blurred picture has a low error too, so look at it as well.

    Args:
      image: what was painted, uint8 RGB, (H, W, 3).
      before: what was painted one frame earlier, of the same size.
      flow: of the source, from this frame to the one before, float32 (H, W, 2).
      mask: bool, (H, W), where the flow can be relied on.

    Returns:
      0 or more; None where nothing can be relied on.

    Raises:
      ConfigError: pictures, flow and mask are not of one size.
    """
    if image.shape != before.shape or mask.shape != image.shape[:2]:
        raise ConfigError(
            "warping error: expected pictures and mask of one size, "
            f"got {image.shape}, {before.shape} and {mask.shape}"
        )
    carried = warp(before.astype(np.float32), flow)
    if not mask.any():
        return None
    squares = np.square((image - carried)[mask] / 255.0)
    return float(squares.sum(axis=-1).mean())


def end_point_error(flow: Flow, truth: Flow, mask: Mask) -> float:
    """Mean distance of a flow from the true one (Baker et al. 2011), in pixels.

    Args:
      flow: float32, (H, W, 2).
      truth: float32, (H, W, 2).
      mask: bool, (H, W), the pixels that count, one at least.
    """
    return float(np.linalg.norm(flow - truth, axis=-1)[mask].mean())
