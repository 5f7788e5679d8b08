"""Where a frame's time goes, from decode to encode: what ``stylizer bench --profile`` tells."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TypeVar

from rich.table import Table

from stylizer.base import WrappedStylizer, apply_effect, describe_stylizer
from stylizer.compose import Composed, load_painter
from stylizer.description import StylizerConfig
from stylizer.errors import SourceError
from stylizer.frame import Frame
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.io.sources.wrappers import Limited, Resized
from stylizer.pipeline import run
from stylizer.protocols import FrameSource, Stylizer
from stylizer.size import Size

from ..console.paths import open_ended
from .measuring import synthetic_frames
from .timing import WARM_UP, median_ms

__all__ = ["Profile", "StageTime", "measure_profile", "profile_table"]

T = TypeVar("T")

_LATE = 0.95


@dataclass(frozen=True, kw_only=True)
class StageTime:
    """What one part of the way takes of a frame.

    Attributes:
      stage: ``"decode"`` (with resizing), ``"cuts"``, ``"network"``, ``"painter"`` (what is around
        the network), an effect's name, ``"encode"`` (handing pixels to ffmpeg).
      mean_ms: mean over all frames, in milliseconds; 0 counts for a frame that it does not see, as
        the network those between keyframes.
      median_ms: median.
      p95_ms: 95th percentile.
      share: of all parts' means, 0..1.
    """

    stage: str
    mean_ms: float
    median_ms: float
    p95_ms: float
    share: float


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The way of a frame of a video, part by part.

    Attributes:
      size: ``"640x360"``.
      frames: how many were timed.
      runs: what the stylizer says of network, engine, device and precision.
      stages: in the order of the way; each is timed while nothing else of the program works.
      encoder_ms: processor time that ffmpeg took for a frame, in a process of its own; None where
        the system does not tell.
      in_turn_fps: frames a second if one part worked after the other.
      fps: frames a second as ``stylizer video`` runs, all parts side by side.
    """

    size: str
    frames: int
    runs: str
    stages: tuple[StageTime, ...]
    encoder_ms: float | None
    in_turn_fps: float
    fps: float


class _Stopwatch:
    """Takes the times of stages, by name."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}

    def __call__(self, stage: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        result = work()
        self.times.setdefault(stage, []).append(time.perf_counter() - began)
        return result

    def subtract(self, stage: str, inner: str) -> None:
        """Take the last time of a stage within another off that one's; 0 if it was left out."""
        times = self.times.setdefault(inner, [])
        if len(times) < len(self.times[stage]):
            times.append(0.0)
        self.times[stage][-1] -= times[-1]


class _Timed(WrappedStylizer):
    """A painter whose times are taken."""

    def __init__(self, stylizer: Stylizer, watch: _Stopwatch) -> None:
        super().__init__(stylizer)
        self._watch = watch

    def __call__(self, frame: Frame) -> Frame:
        return self._watch("network", lambda: self._stylizer(frame))


def measure_profile(
    config: StylizerConfig, size: Size, *, frames: int, video: Path | None = None
) -> Profile:
    """Carry a video's frames part by part and take the times, then once more side by side.

    Args:
      config: what is painted.
      size: of the frames.
      frames: how many to time, after `WARM_UP`; fewer where the video is shorter.
      video: its first frames; None for a moving painted picture, which is encoded first.

    Raises:
      SourceError: the video has no more frames than those to warm up, or cannot be read.
      StylizerError: another part fails.
    """
    with tempfile.TemporaryDirectory(prefix="stylizer-") as name:
        folder, count = Path(name), frames + WARM_UP
        clip = _write_clip(folder / "clip.mp4", size, count) if video is None else video
        watch = _Stopwatch()
        stylizer = Composed(_Timed(load_painter(config), watch), config.effects)
        with _opened(clip, size, count) as source:
            width, height = source.size
            encoder = _carry(source, stylizer, folder / "in_turn.mp4", watch)
        plain = Composed(load_painter(config), config.effects)
        with _opened(clip, size, count) as source, _writer(folder / "out.mp4", source) as sink:
            progress = run(source, plain, sink)
    times = {stage: found[WARM_UP:] for stage, found in watch.times.items()}
    if not times["decode"]:
        raise SourceError(f"{clip}: expected more than {WARM_UP} frames to measure on")
    whole = sum(statistics.mean(found) for found in times.values())
    return Profile(
        size=f"{width}x{height}",
        frames=len(times["decode"]),
        runs=describe_stylizer(plain),
        stages=tuple(
            StageTime(
                stage=stage,
                mean_ms=round(1000 * statistics.mean(found), 3),
                median_ms=median_ms(found),
                p95_ms=round(1000 * sorted(found)[int(_LATE * (len(found) - 1))], 3),
                share=round(statistics.mean(found) / whole, 4),
            )
            for stage, found in times.items()
        ),
        encoder_ms=None if encoder is None else round(encoder, 3),
        in_turn_fps=round(1 / whole, 2),
        fps=round(progress.fps, 2),
    )


def profile_table(profile: Profile) -> Table:
    """Return the profile for people."""
    table = Table(title=f"Where a frame's milliseconds go, {profile.size}", caption_justify="left")
    for heading in ("stage", "ms", "median", "95 %", "share"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for one in profile.stages:
        times = (f"{value:.1f}" for value in (one.mean_ms, one.median_ms, one.p95_ms))
        table.add_row(one.stage, *times, f"{one.share:.0%}")
    lines = [profile.runs]
    if profile.encoder_ms is not None:
        lines.append(f"ffmpeg encodes meanwhile: {profile.encoder_ms:.1f} ms of processor a frame")
    lines.append(
        f"{profile.in_turn_fps:.1f} frames a second in turn, {profile.fps:.1f} side by side"
    )
    table.caption = "\n".join(lines)
    return table


def _carry(
    source: FrameSource, stylizer: Composed, output: Path, watch: _Stopwatch
) -> float | None:
    """Carry frames one after the other; return ffmpeg's processor time for one, in ms."""
    before, carried = _children_seconds(), 0
    with _writer(output, source) as sink:
        frames = iter(source)
        while (frame := watch("decode", lambda: next(frames, None))) is not None:
            carried += 1
            paint, effects = partial(stylizer.painter, frame), stylizer.effects
            if watch("cuts", partial(stylizer.begins_shot, frame)):
                stylizer.begin_shot()
            painted = watch("painter", paint)
            watch.subtract("painter", "network")
            for effect in effects:
                painted = watch(
                    type(effect).__name__, partial(apply_effect, effect, frame, painted)
                )
            watch("encode", partial(sink.write, painted))
    watch.times["decode"].pop()  # the look that found no more
    after = _children_seconds()
    return None if before is None or after is None else 1000 * (after - before) / max(carried, 1)


def _opened(clip: Path, size: Size, count: int) -> Limited:
    reader = open_ended(str(clip))
    rate = reader.rate or Fraction(25)
    return Limited(Resized(reader, size), float(count / rate))


def _writer(path: Path, source: FrameSource) -> VideoWriter:
    return VideoWriter(path, size=source.size, rate=source.rate or Fraction(25))


def _write_clip(path: Path, size: Size, count: int) -> Path:
    frames = synthetic_frames(size.fit((1280, 720)), count=count)
    with VideoWriter(path, size=frames[0].size, rate=Fraction(30)) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def _children_seconds() -> float | None:
    """Return the processor time of all processes that this one has waited for; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
