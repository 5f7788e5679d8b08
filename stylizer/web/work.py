"""What a job does: a photo or a video is painted, and the job is told how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import stylizer
from stylizer.base import Managed
from stylizer.compose import Composed, finish
from stylizer.description import EffectsConfig
from stylizer.effects.finer import usual_finer
from stylizer.effects.overpainting import USUAL_OVERPAINTING
from stylizer.effects.region_masks import RegionMasks
from stylizer.effects.scale import USUAL_STROKE, still_detail
from stylizer.effects.still_noise import with_own_noise
from stylizer.effects.underdrawing import USUAL_UNDERDRAWING
from stylizer.effects.underpainting import STILL_UNDERPAINTING, VIDEO_UNDERPAINTING
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.io.atomic import publish
from stylizer.io.image import write_image
from stylizer.io.isolated import IsolatedReader, isolated
from stylizer.io.media.formats import CONTAINERS
from stylizer.io.media.tracks import SourceTracks, plan_tracks
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.io.sources.wrappers import Resized
from stylizer.jobs.division import DivisionConfig
from stylizer.jobs.folder import JobFolder
from stylizer.jobs.records import JobRecord
from stylizer.jobs.segmented import EncodedSegments, SegmentedSink
from stylizer.network.stylizer import FastStylizer
from stylizer.pipeline import Progress, restore, run
from stylizer.protocols import FrameSink, FrameSource, StyledStylizer
from stylizer.serialize import to_plain
from stylizer.size import Size
from stylizer.styles.load import AnyStyle
from stylizer.styles.regions import group_styles
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.web.errors import ApiError
from stylizer.web.gallery import Gallery
from stylizer.web.job import Job
from stylizer.web.jpeg import encode_jpeg, shrink, shrink_to_pixels
from stylizer.web.options import PhotoOptions, VideoOptions
from stylizer.web.painter import face_config, hands_config
from stylizer.web.priority import LivePriority, Steps
from stylizer.web.uploads import film_limits, read_picture
from stylizer.web.warnings import hear_warnings

if TYPE_CHECKING:
    from stylizer.gatys.stylizer import LossRecord

__all__ = ["PhotoWork", "VideoWork"]

_PREVIEW_SIDE = 360
_PREVIEW_SECONDS = 1.0

_DIVISION = DivisionConfig(shortest=48, longest=120)
"""A few seconds of work: so much is painted again after a restart."""

_STILL = EffectsConfig(coherence=CoherenceConfig(strength=0.0), cuts=None, stroke=USUAL_STROKE)
"""What is done to a photo's painting at least."""

_READY = "getting ready"
"""What a job says before its first iteration or frame."""

_LONG = 300.0
"""Seconds for joining what is painted, and for its sound."""


@dataclass(frozen=True, kw_only=True)
class PhotoWork:
    """Paints a photo; a `stylizer.web.job.Work`.

    Attributes:
      gallery: loads the network.
      source: the upload.
      styles: one or more.
      options: how.
      pixels: that the photo may have.
      gatys_pixels: that the optimization is given.
      priority: says when live pictures go first.
    """

    gallery: Gallery
    source: Path
    styles: Sequence[AnyStyle]
    options: PhotoOptions
    pixels: int
    gatys_pixels: int
    priority: LivePriority

    def __call__(self, job: Job) -> Path:
        """Return the path of the painted photo."""
        options = self.options
        image = read_picture(self.source, most_pixels=self.pixels, stop=job.stop)
        if options.short_side is not None:
            image = shrink(image, options.short_side)
        faces = face_config(options.faces, method=options.method)
        hands = hands_config(options.faces, method=options.method)
        effects = EffectsConfig(strength=options.strength, keep_color=options.keep_color)
        if options.method == "gatys":
            image = self._reduce(job, image)
            painted = self._optimize(job, image)
            effects = replace(effects, faces=faces, hands=hands)
        else:
            job.check()
            detail = still_detail(self.styles)
            finer = replace(
                _STILL,
                detail=detail,
                underpainting=STILL_UNDERPAINTING,
                underdrawing=USUAL_UNDERDRAWING,
            )
            painted = self._in_one_pass(
                image, replace(finer, faces=faces, hands=hands_config(options.faces))
            )
        painted = finish(painted, image, effects)
        job.check()
        job.preview = encode_jpeg(shrink(painted, _PREVIEW_SIDE))
        result = job.folder / "result.png"
        write_image(result, painted, overwrite=True)
        return result

    def _in_one_pass(self, image: Image, effects: EffectsConfig) -> Image:
        with _borrow_painter(self.gallery, self.styles) as painter:
            names = [style.name for style in self.styles]
            return Composed(painter, effects)(with_own_noise(Frame(image, 0, 0.0), names)).image

    def _reduce(self, job: Job, image: Image) -> Image:
        reduced = shrink_to_pixels(image, self.gatys_pixels)
        if reduced is not image:
            height, width, _ = reduced.shape
            job.message = f"Reduced to {width}x{height}, the most that is optimized here."
        return reduced

    def _optimize(self, job: Job, image: Image) -> Image:
        note, job.message = job.message, f"{_READY}, which takes half a minute"
        from stylizer.gatys.config import STILL_NETWORK, GatysConfig
        from stylizer.gatys.still import stylize_image  # imports the backend, in seconds

        job.check()
        faces = face_config(self.options.faces)
        start = self._in_one_pass(
            image, replace(_STILL, faces=faces, hands=hands_config(self.options.faces))
        )
        job.preview = encode_jpeg(shrink(start, _PREVIEW_SIDE))
        iterations = self.options.iterations
        began = time.monotonic()
        steps = Steps(job, self.priority)

        def on_loss(record: LossRecord) -> None:
            steps.next()
            job.check()
            job.message = note
            job.losses.append((record.iteration, round(record.total, 6)))
            job.progress = record.iteration / iterations
            spent = time.monotonic() - began
            job.seconds_left = spent / record.iteration * (iterations - record.iteration)

        shown = began

        def on_picture(read: Callable[[], Image]) -> None:
            nonlocal shown
            if time.monotonic() - shown >= _PREVIEW_SECONDS:
                job.preview, shown = encode_jpeg(shrink(read(), _PREVIEW_SIDE)), time.monotonic()

        config = GatysConfig(network=STILL_NETWORK, iterations=iterations, initial="image")
        painted = stylize_image(
            image,
            self.styles,
            config,
            initial_image=start,
            masks=_find_masks(self.gallery, self.styles),
            on_loss=on_loss,
            on_picture=on_picture,
        )
        job.message = note  # where nothing had to be painted, too
        return painted


@dataclass(frozen=True, kw_only=True)
class VideoWork:
    """Paints a video; a `stylizer.web.job.Work`.

    What is finished is kept beside the result to be (`stylizer.jobs`), so that a server that is
    started anew goes on from there.

    Attributes:
      gallery: loads the network.
      source: the upload.
      styles: one or more.
      options: how.
      most_frames: that the video may have; what a file says of itself need not be true.
      priority: says when live pictures go first.
    """

    gallery: Gallery
    source: Path
    styles: Sequence[AnyStyle]
    options: VideoOptions
    most_frames: int
    priority: LivePriority

    def __call__(self, job: Job) -> Path:
        """Return the path of the painted video; its sound is the source's."""
        job.message = job.message or _READY
        with hear_warnings(job), _borrow_painter(self.gallery, self.styles) as painter:
            return self._paint(job, painter)

    def _paint(self, job: Job, painter: StyledStylizer) -> Path:
        result = job.folder / "result.mp4"
        limits = film_limits(stop=job.stop)
        tracks = isolated(_plan, self.source, limits=limits)
        with self._open_parts(result) as parts:
            if parts.next:
                job.message = f"The server was started anew; this goes on after frame {parts.next}."
            size, rate = self._paint_rest(job, parts, painter, tracks)
            job.check()
            files = [parts.file(segment.first) for segment in parts.segments]
            isolated(
                _assemble, result, size, rate, tracks, files, limits=replace(limits, seconds=_LONG)
            )
            parts.remove()
        job.message = ""
        return result

    def _open_parts(self, result: Path) -> JobFolder:
        facts = {"version": stylizer.__version__, "options": to_plain(self.options)}
        record = JobRecord(output=str(result), facts=facts)
        try:
            return JobFolder(result, record)
        except ConfigError:  # of another version
            return JobFolder(result, record, restart=True)

    def _paint_rest(
        self, job: Job, parts: JobFolder, painter: StyledStylizer, tracks: SourceTracks
    ) -> tuple[tuple[int, int], Fraction]:
        """Paint what is not finished; return size and rate of the whole."""
        begun = parts.next
        limits = film_limits(stop=job.stop)
        first = 0 if parts.whole else begun
        with IsolatedReader(self.source, first=first, limits=limits) as reader:
            frames = self._sized(reader)
            size, rate = frames.size, reader.info.rate
            if parts.whole:
                return size, rate
            stylizer = Composed(painter, self._effects())
            if parts.checkpoint is not None:
                restore(stylizer, parts.checkpoint)
            writer = VideoWriter(parts.path / "result.mp4", size=size, rate=rate, source=tracks)
            sink = SegmentedSink(parts, EncodedSegments(parts, writer), _DIVISION)
            with sink:
                run(
                    frames,
                    stylizer,
                    _Watched(sink, job, Steps(job, self.priority)),
                    division=sink,
                    on_progress=lambda progress: self._report(job, progress, begun),
                )
        return size, rate

    def _sized(self, reader: FrameSource) -> FrameSource:
        short_side = self.options.short_side
        if short_side is None or min(reader.size) <= short_side:
            return reader
        return Resized(reader, Size(short_side=short_side))

    def _effects(self) -> EffectsConfig:
        options = self.options
        return EffectsConfig(
            strength=options.strength,
            keep_color=options.keep_color,
            faces=face_config(options.faces),
            hands=hands_config(options.faces),
            coherence=CoherenceConfig(strength=options.coherence),
            stroke=USUAL_STROKE,
            underpainting=VIDEO_UNDERPAINTING,
            overpainting=USUAL_OVERPAINTING,
            underdrawing=USUAL_UNDERDRAWING,
            finer=usual_finer(self.styles) if options.is_finer else None,
            keyframes=options.keyframes,
        )

    def _report(self, job: Job, progress: Progress, begun: int) -> None:
        if begun + progress.frames > self.most_frames:
            raise ApiError(413, "too_long", f"the video has more than {self.most_frames} frames")
        if job.message == _READY:
            job.message = ""
        if progress.total:
            job.progress = min(1.0, (begun + progress.frames) / (begun + progress.total))
            if progress.fps > 0:
                job.seconds_left = max(0, progress.total - progress.frames) / progress.fps


@contextmanager
def _borrow_painter(gallery: Gallery, styles: Sequence[AnyStyle]) -> Iterator[StyledStylizer]:
    masks = _find_masks(gallery, styles)
    with gallery.another() as runtime:
        yield FastStylizer(styles, masks=masks, runtime=runtime)


def _find_masks(gallery: Gallery, styles: Sequence[AnyStyle]) -> RegionMasks | None:
    """Return what finds the parts that styles are for; None where there are none."""
    parts = [part for part in group_styles(styles) if part is not None]
    if not parts:
        return None
    with gallery.loading_parts():
        return RegionMasks(parts, segmenter=gallery.segmenter)


def _plan(source: Path) -> SourceTracks:
    return plan_tracks(source, CONTAINERS[".mp4"], suffix=".mp4")


def _assemble(
    result: Path,
    size: tuple[int, int],
    rate: Fraction,
    tracks: SourceTracks,
    files: Sequence[Path],
) -> int:
    """Join finished segments, and the source's tracks, which a process of its own reads."""
    writer = VideoWriter(result, size=size, rate=rate, source=tracks, overwrite=True)
    return writer.assemble(files, rename=lambda whole: publish(whole, result, overwrite=True))


class _Watched(Managed):
    """A sink that shows now and then what goes through it, and fails when the job is to stop.

    All that comes before waits for it, so a pause here is one of the whole run.
    """

    def __init__(self, sink: FrameSink, job: Job, steps: Steps) -> None:
        self._sink, self._job, self._steps = sink, job, steps
        self._shown = -_PREVIEW_SECONDS

    def write(self, frame: Frame) -> None:
        self._steps.next()
        self._job.check()
        now = time.monotonic()
        if now - self._shown >= _PREVIEW_SECONDS:
            self._shown = now
            self._job.preview = encode_jpeg(shrink(frame.image, _PREVIEW_SIDE))
        self._sink.write(frame)
