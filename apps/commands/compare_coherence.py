"""``stylizer compare-coherence``: what holds a video still, under a motion that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, get_args

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from stylizer.errors import ConfigError, SourceError
from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig, Motion
from stylizer.evaluation.metrics import end_point_error
from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.io.image import read_image
from stylizer.styles.load import load_styles
from stylizer.temporal.camera_motion import camera_flow, prefer_camera
from stylizer.temporal.flow import OpticalFlow, Preset, resize_flow

from ..bench.coherence_cases import (
    CASES,
    SETTLED,
    CoherenceResult,
    add_means,
    add_shares,
    coherence_table,
    measure_case,
)
from ..bench.measuring import LossMeter, write_json
from ..console.paths import claim_file
from ..console.progress import Display
from ..options.shared import SpeechOptions, option, read_size
from ..options.spread import spread

__all__ = ["FlowResult", "compare_coherence"]


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
    size: Annotated[str, option("size", "WIDTHxHEIGHT.", "Measurement")] = "256x144",
    frames: Annotated[int, option("frames", "Frames of each clip.", "Measurement")] = 20,
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
    if frames <= SETTLED:
        raise ConfigError(f"--frames: expected more than {SETTLED}, got {frames}")
    exact = read_size(size).exact
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
                results.append(measure_case(clip, moved, name, styles, losses))
                display.update(len(results), f"{moved}, {name}")
    results = add_shares(add_means(results))
    Console().print(_flow_table(flows))
    Console().print(coherence_table(results))
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
            "it takes; pip install 'stylizer[demo]'"
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
        better = prefer_camera(flow, camera_flow(here, there), here, there)
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


def _flow_table(flows: Sequence[FlowResult]) -> Table:
    table = Table(title="End-point error of the flow, pixels")
    for heading in ("motion", "preset", "true length", "error", "with the camera's motion"):
        table.add_column(heading, justify="right")
    for flow in flows:
        numbers = (flow.mean, flow.error, flow.camera_error)
        table.add_row(flow.motion, flow.preset, *(f"{number:.2f}" for number in numbers))
    return table
