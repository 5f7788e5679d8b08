"""Ways to paint a clip whose motion is known, and how still each of them holds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from rich.table import Table

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.evaluation.known_motion import KnownMotion
from stylizer.evaluation.metrics import warping_error
from stylizer.evaluation.stability import gray_levels
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.network.config import FastConfig
from stylizer.protocols import Stylizer
from stylizer.styles.load import AnyStyle

from ..console.painting import make_painter
from .measuring import LossMeter

__all__ = [
    "CASES",
    "SETTLED",
    "CoherenceResult",
    "add_means",
    "add_shares",
    "coherence_table",
    "measure_case",
]

CASES = ("fast", "fast, coherent", "gatys, cold", "gatys, not held", "gatys")
"""Each frame by itself, or going on from the last; ``not held``: without the temporal loss."""

SETTLED = 4
"""The first frames, at which a recursion only begins, do not count."""

_AVERAGED = ("error", "detail", "style_loss", "milliseconds")
_ITERATIONS, _WARM_ITERATIONS = 60, 8


@dataclass(frozen=True, kw_only=True)
class CoherenceResult:
    """One way of painting a clip, under the true motion.

    Attributes:
      motion: of the camera; ``"all"`` for the mean over all of them.
      case: one of `CASES`.
      error: mean warping error (Lai et al. 2018) under the true flow where both frames show it.
      error_share: the same, as a share of that of the method's first case.
      levels: its root, in levels of 0..255.
      detail: mean deviation from the local mean, in levels: what blur would lower.
      style_loss: mean style loss by the compact network.
      style_share: the same, as a share of that of the method's first case.
      milliseconds: median time of a frame.
    """

    motion: str
    case: str
    error: float
    error_share: float = 1.0
    levels: float
    detail: float
    style_loss: float
    style_share: float = 1.0
    milliseconds: float


def measure_case(
    clip: KnownMotion, motion: str, case: str, styles: Sequence[AnyStyle], losses: LossMeter
) -> CoherenceResult:
    """Paint a clip and measure it; the shares are left at 1.

    Args:
      clip: of more than `SETTLED` frames.
      motion: what to call it.
      case: one of `CASES`.
      styles: one or more.
      losses: what takes the style loss.
    """
    stylizer = _stylizer(case, styles)
    painted: list[Frame] = []
    times: list[float] = []
    errors: list[float] = []
    for frame in clip:
        began = time.perf_counter()
        painted.append(stylizer(frame))
        times.append(time.perf_counter() - began)
        i = frame.index
        if i >= SETTLED:
            seen = clip.visible(i, i - 1)
            pair = painted[i].image, painted[i - 1].image
            errors.append(warping_error(*pair, clip.flow(i, i - 1), seen) or 0.0)
    settled = painted[SETTLED :: max(1, len(painted) // 5)]
    style = [losses(clip.image(frame.index), frame.image)["style"] for frame in settled]
    error = float(np.mean(errors))
    return CoherenceResult(
        motion=motion,
        case=case,
        error=error,
        levels=gray_levels(error),
        detail=float(np.mean([_detail(frame.image) for frame in settled])),
        style_loss=float(np.mean(style)),
        milliseconds=1000 * float(np.median(times[1:])),
    )


def _stylizer(case: str, styles: Sequence[AnyStyle]) -> Stylizer:
    if case.startswith("fast"):
        painter = make_painter(styles, FastConfig())
        return Composed(painter, EffectsConfig(cuts=None)) if "coherent" in case else painter
    config = GatysConfig(iterations=_ITERATIONS, warm_iterations=_WARM_ITERATIONS)
    if case == "gatys, cold":
        config = replace(config, start="cold", warm_iterations=config.iterations)
    if case == "gatys, not held":
        config = replace(config, temporal_weight=0.0)
    return make_painter(styles, config)


def _detail(image: Image) -> float:
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.abs(gray - cv2.blur(gray, (9, 9))).mean())


def add_means(results: Sequence[CoherenceResult]) -> list[CoherenceResult]:
    """Append the mean of each case over all motions; nothing if there is but one motion."""
    if len({result.motion for result in results}) < 2:
        return list(results)
    means = []
    for case in dict.fromkeys(result.case for result in results):
        found = [result for result in results if result.case == case]
        error, detail, style_loss, milliseconds = (
            float(np.mean([getattr(one, name) for one in found])) for name in _AVERAGED
        )
        means.append(
            CoherenceResult(
                motion="all",
                case=case,
                error=error,
                levels=gray_levels(error),
                detail=detail,
                style_loss=style_loss,
                milliseconds=milliseconds,
            )
        )
    return [*results, *means]


def add_shares(results: Sequence[CoherenceResult]) -> list[CoherenceResult]:
    """Give errors and style losses as shares of the first case's of the same motion and method."""
    first: dict[tuple[str, str], CoherenceResult] = {}
    shared = []
    for result in results:
        start = first.setdefault((result.motion, result.case.partition(",")[0]), result)
        shares = result.error / start.error, result.style_loss / start.style_loss
        shared.append(replace(result, error_share=shares[0], style_share=shares[1]))
    return shared


def coherence_table(results: Sequence[CoherenceResult]) -> Table:
    """Return the results for people."""
    table = Table(title="Warping error under the true motion")
    table.caption = "share: of the method's first case. levels: root of the error, of 0..255"
    headings = ("motion", "case", "error", "share", "levels", "detail", "style loss", "share", "ms")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for result in results:
        if result.case == results[0].case:
            table.add_section()
        table.add_row(
            result.motion,
            result.case,
            f"{result.error:.5f}",
            f"{result.error_share:.2f}",
            f"{result.levels:.2f}",
            f"{result.detail:.2f}",
            f"{result.style_loss:.3g}",
            f"{result.style_share:.2f}",
            f"{result.milliseconds:.1f}",
        )
    return table
