"""What ``stylizer doctor`` measures: about a second of each method, and the rates to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stylizer.description import StylizerConfig
from stylizer.gatys.config import GatysConfig
from stylizer.network.config import FastConfig
from stylizer.protocols import Stylizer

from ..console.painting import make_stylizer
from .measuring import synthetic_frames
from .timing import WARM_UP, time_frames

__all__ = ["SIZES", "Expectation", "expect_fast", "expect_gatys"]

SIZES = ((640, 360), (1280, 720), (1920, 1080))
"""(width, height) in pixels of what is called 360p, 720p and 1080p."""

_FRAMES = {"fast": 10, "gatys": 3}
_GATYS_SIZE = (320, 180)
_STYLE = "starry_night"


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """The rate to expect of a method, without reading and writing.

    Attributes:
      method: ``"fast"`` or ``"gatys"``.
      size: ``"640x360"``.
      fps: frames a second.
      measured: whether at this size; else told from a smaller one by the number of pixels.
    """

    method: str
    size: str
    fps: float
    measured: bool


def expect_fast() -> list[Expectation]:
    """Measure the fast network with coherence, as ``stylizer video`` runs it, at each size.

    Raises:
      StylizerError: it cannot be loaded, or does not paint.
    """
    stylizer = make_stylizer(StylizerConfig(styles=[_STYLE], method=FastConfig()))
    return [
        Expectation(
            method="fast", size=_name(size), fps=_rate(stylizer, size, "fast"), measured=True
        )
        for size in SIZES
    ]


def expect_gatys() -> list[Expectation]:
    """Measure the optimization at a small size; its time goes with the number of pixels.

    Raises:
      StylizerError: it cannot be loaded, or does not paint.
    """
    warm = GatysConfig().warm_iterations
    method = GatysConfig(iterations=warm, warm_iterations=warm)
    stylizer = make_stylizer(StylizerConfig(styles=[_STYLE], method=method))
    rate = _rate(stylizer, _GATYS_SIZE, "gatys")
    pixels = _GATYS_SIZE[0] * _GATYS_SIZE[1]
    return [
        Expectation(
            method="gatys",
            size=_name(size),
            fps=round(rate * pixels / (size[0] * size[1]), 3),
            measured=False,
        )
        for size in SIZES
    ]


def _rate(stylizer: Stylizer, size: Sequence[int], method: str) -> float:
    width, height = size
    frames = synthetic_frames((width, height), count=WARM_UP + _FRAMES[method])
    stylizer.reset()
    timing, _ = time_frames(lambda: stylizer, frames)
    return timing.fps


def _name(size: Sequence[int]) -> str:
    return f"{size[0]}x{size[1]}"
