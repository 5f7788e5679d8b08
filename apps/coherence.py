"""``stylizer compare-coherence``: what holds a video still, under a motion that is known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, get_args

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from stylizer.errors import ConfigError, SourceError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.io.image import read_image
from stylizer.network.config import FastConfig
from stylizer.protocols import Stylizer
from stylizer.size import Size
from stylizer.styles import AnyStyle, load_styles
from stylizer.temporal.camera_motion import camera_flow, prefer_camera
from stylizer.temporal.coherence import CoherenceConfig, Coherent
from stylizer.temporal.flow import OpticalFlow, Preset, resize_flow
from stylizer.temporal.metrics import end_point_error, warping_error
from stylizer.temporal.stability import gray_levels

from .known_motion import KnownMotion, KnownMotionConfig, Motion
from .loss_meter import LossMeter
from .measuring import write_json
from .options import SpeechOptions, option
from .painting import make_stylizer
from .paths import claim_file
from .progress import Display
from .spread import spread

__all__ = ["CASES", "CoherenceResult", "FlowResult", "compare_coherence"]

CASES = ("fast", "fast, coherent", "gatys, cold", "gatys, not held", "gatys")
"""Each frame by itself, or going on from the last; ``not held``: without the temporal loss."""

_SETTLED = 4
"""The first frames, at which a recursion only begins, do not count."""


@dataclass(frozen=True, kw_only=True)
class FlowResult:
    """Estimated flow against the true one, mean over the pixels that both frames show.

    Attributes:
      motion: of the camera.
      preset: of the flow.
      mean: length of the true flow, in pixels.
      error: end-point error as estimated, in pixels.
      camera_error: the same, with the camera's motion in the place of noise.
    """

    motion: str
    preset: str
    mean: float
    error: float
    camera_error: float


@dataclass(frozen=True, kw_only=True)
class CoherenceResult:
    """One way of painting a clip, under the true motion.

    Attributes:
      motion: of the camera.
      case: one of `CASES`.
      error: mean warping error (Lai et al. 2018) under the true flow where both frames show it.
      levels: its root, in levels of 0..255.
      detail: mean deviation from the local mean, in levels: what blur would lower.
      style_loss: mean style loss by the compact network, as a share of the first case's of the
        same method.
      milliseconds: median time of a frame.
    """

    motion: str
    case: str
    error: float
    levels: float
    detail: float
    style_loss: float
    milliseconds: float


@spread
def compare_coherence(
    speech: SpeechOptions,
    style: Annotated[
        list[str] | None, typer.Option("--style", "-s", help="A style. Default: starry_night.")
    ] = None,
    case: Annotated[
        list[str] | None, option("case", f"Repeatable. Default: {'; '.join(CASES)}.", "Measurement")
    ] = None,
    motion: Annotated[
        list[str] | None, option("motion", "Repeatable. Default: all.", "Measurement")
    ] = None,
    photo: Annotated[Path | None, option("photo", "What the camera sees.", "Measurement")] = None,
    cutout: Annotated[Path | None, option("cutout", "What moves before it.", "Measurement")] = None,
    size: Annotated[str, option("size", "WIDTHxHEIGHT.", "Measurement")] = "320x180",
    frames: Annotated[int, option("frames", "Frames of each clip.", "Measurement")] = 24,
    noise: Annotated[float, option("noise", "Noise, in gray levels.", "Measurement")] = 2.0,
    json: Annotated[
        Path | None, option("json", "Write machine and results here.", "Reports", metavar="FILE")
    ] = None,
    overwrite: Annotated[bool, option("overwrite", "Replace what exists.", "Reports")] = False,
) -> None:
    """Measure flow and coherence on photographs that are moved by a known homography.

    Because the motion is known, the warping error needs no estimated flow, and the estimated flow
    has an error that can be told.

    **Example**

    `stylizer compare-coherence -s starry_night --motion pan --case fast --case "fast, coherent"`
    """
    cases = case or list(CASES)
    if not set(cases) <= set(CASES):
        raise ConfigError(f"--case: expected some of {'; '.join(CASES)}, got {'; '.join(cases)}")
    known: list[Motion] = [name for name in get_args(Motion) if not motion or name in motion]
    if not known or len(known) < len(set(motion or [])):
        raise ConfigError(f"--motion: expected some of {', '.join(get_args(Motion))}, got {motion}")
    if frames <= _SETTLED:
        raise ConfigError(f"--frames: expected more than {_SETTLED}, got {frames}")
    exact = Size.parse(size).exact
    if exact is None:
        raise ConfigError(f"--size: expected WIDTHxHEIGHT, got {size!r}")
    replaced = json is not None and claim_file(json, overwrite=overwrite)
    styles = load_styles(style or ["starry_night"])
    pictures = _pictures(photo, cutout)
    flows: list[FlowResult] = []
    results: list[CoherenceResult] = []
    losses = LossMeter(styles, GatysConfig())
    with Display(total=len(known) * len(cases), quiet=speech.quiet, unit="cases") as display:
        for moved in known:
            config = KnownMotionConfig(motion=moved, size=exact, frame_count=frames, noise=noise)
            clip = KnownMotion(*pictures, config)
            flows += [_measure_flow(clip, moved, preset) for preset in get_args(Preset)]
            for name in cases:
                results.append(_measure(clip, moved, name, styles, losses))
                display.update(len(results), f"{moved}, {name}")
    results = _relative(results)
    Console().print(_flow_table(flows))
    Console().print(_table(results))
    if json is not None:
        rows = [asdict(flow) for flow in flows] + [asdict(result) for result in results]
        write_json(json, rows, overwrite=replaced)


def _pictures(photo: Path | None, cutout: Path | None) -> tuple[Image, Image]:
    if photo is not None and cutout is not None:
        return read_image(photo), read_image(cutout)
    try:
        from skimage import data
    except ImportError as error:
        raise SourceError(
            "compare-coherence: expected --photo and --cutout, or scikit-image, whose photographs "
            "it takes; pip install scikit-image"
        ) from error
    return (
        read_image(photo) if photo is not None else data.coffee(),
        read_image(cutout) if cutout is not None else data.astronaut(),
    )


def _measure_flow(clip: KnownMotion, motion: str, preset: Preset) -> FlowResult:
    """Hold the estimated flow between some frames of a clip against the true one."""
    finder = OpticalFlow(preset=preset)
    sums = []
    for index in range(1, clip.frame_count, 4):
        truth, seen = clip.flow(index, index - 1), clip.visible(index, index - 1)
        here, there = finder.reduce(clip.image(index)), finder.reduce(clip.image(index - 1))
        flow = finder.search(here, there)
        better = prefer_camera(flow, camera_flow(flow, here), here, there)
        found = [resize_flow(field, clip.size) for field in (flow, better)]
        fields = (np.zeros_like(truth), *found)
        sums.append([end_point_error(field, truth, seen) for field in fields])
    mean, error, camera = np.mean(sums, axis=0)
    return FlowResult(
        motion=motion,
        preset=preset,
        mean=float(mean),
        error=float(error),
        camera_error=float(camera),
    )


def _stylizer(case: str, styles: Sequence[AnyStyle]) -> Stylizer:
    if case.startswith("fast"):
        painter = make_stylizer(styles, FastConfig())
        return Coherent(painter, CoherenceConfig()) if "coherent" in case else painter
    config = GatysConfig(iterations=60, warm_iterations=8)
    if case == "gatys, cold":
        config = replace(config, start="cold", warm_iterations=config.iterations)
    if case == "gatys, not held":
        config = replace(config, temporal_weight=0.0)
    return make_stylizer(styles, config)


def _measure(
    clip: KnownMotion, motion: str, case: str, styles: Sequence[AnyStyle], losses: LossMeter
) -> CoherenceResult:
    stylizer = _stylizer(case, styles)
    painted: list[Frame] = []
    times: list[float] = []
    errors: list[float] = []
    for frame in clip:
        began = time.perf_counter()
        painted.append(stylizer(frame))
        times.append(time.perf_counter() - began)
        i = frame.index
        if i >= _SETTLED:
            seen = clip.visible(i, i - 1)
            pair = painted[i].image, painted[i - 1].image
            errors.append(warping_error(*pair, clip.flow(i, i - 1), seen) or 0.0)
    settled = painted[_SETTLED :: max(1, len(painted) // 5)]
    style = [losses(clip.image(frame.index), frame.image)[1] for frame in settled]
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


def _detail(image: Image) -> float:
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.abs(gray - cv2.blur(gray, (9, 9))).mean())


def _relative(results: Sequence[CoherenceResult]) -> list[CoherenceResult]:
    """Give style losses as shares of the first case's of the same motion and method."""
    first: dict[tuple[str, str], float] = {}
    for result in results:
        first.setdefault((result.motion, result.case.partition(",")[0]), result.style_loss)
    return [
        replace(
            result,
            style_loss=result.style_loss / first[result.motion, result.case.partition(",")[0]],
        )
        for result in results
    ]


def _flow_table(flows: Sequence[FlowResult]) -> Table:
    table = Table(title="End-point error of the flow, pixels")
    for heading in ("motion", "preset", "true length", "error", "with the camera's motion"):
        table.add_column(heading, justify="right")
    for flow in flows:
        numbers = (flow.mean, flow.error, flow.camera_error)
        table.add_row(flow.motion, flow.preset, *(f"{number:.2f}" for number in numbers))
    return table


def _table(results: Sequence[CoherenceResult]) -> Table:
    table = Table(title="Warping error under the true motion")
    for heading in ("motion", "case", "error", "levels", "detail", "style loss", "ms a frame"):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for result in results:
        table.add_row(
            result.motion,
            result.case,
            f"{result.error:.5f}",
            f"{result.levels:.2f}",
            f"{result.detail:.2f}",
            f"{result.style_loss:.2f}",
            f"{result.milliseconds:.1f}",
        )
    return table
