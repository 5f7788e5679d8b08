"""What is in a media file: sizes, rates, tracks.

Metadata and time stamps are read; only one picture is decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av
import av.error
from av.container import InputContainer

from stylizer.errors import SourceError
from stylizer.io.media.container import (
    ENCRYPTED,
    Orientation,
    decode_pictures,
    find_encryption,
    find_orientation,
    is_scrambled,
    open_video,
    picture_time,
    stream_seconds,
)
from stylizer.io.media.pictures import has_alpha
from stylizer.io.media.retime import find_rate
from stylizer.io.media.timestamps import bridged_packets, has_seams
from stylizer.size import MAX_SIDE

__all__ = ["MediaInfo", "Shape", "find_shape", "find_stream_rate", "probe"]

_LOOKED_AT = 24
"""Pictures whose transparency is looked at, in films whose format has some."""

_SCAN = 3000
"""Packets whose times are looked at: the whole of a clip, the first two minutes of a film."""


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """What a video file holds.

    Attributes:
      width: pixels, upright (after rotation) and with square pixels.
      height: pixels, likewise.
      orientation: how a stored picture is turned to stand upright.
      pixel_aspect: width of a stored pixel by its height; 1 when the file does not say.
      rate: frames per second, exact: the file's, or for a variable one the constant rate chosen
        by `stylizer.io.media.retime.find_rate`.
      variable_rate: whether pictures come at irregular times, as far as was looked (about 3,000).
      duration: seconds of the video track, exact.
      measured: whether that was found by looking at every picture's time, not only stated.
      stated_duration: seconds the file says there should be; more than ``duration`` in a file cut
        off. None when it does not say.
      frame_count: pictures stored; None when it was not cheap to know.
      audio: codecs of the audio tracks, in order; ``"unknown"`` for one unknown to ffmpeg.
      subtitles: codecs of the subtitle tracks, in order.
      interlaced: whether the first picture is of two fields.
      transparent: whether one of the first pictures is not opaque all over.
      start: when the first picture stands, in seconds of the file's own time; None when that does
        not say.
      start_offset: seconds by which the video starts after the first audio track (negative:
        before it); 0 without one.
    """

    width: int
    height: int
    orientation: Orientation
    pixel_aspect: Fraction
    rate: Fraction
    variable_rate: bool
    duration: Fraction
    measured: bool
    stated_duration: float | None
    frame_count: int | None
    audio: tuple[str, ...]
    subtitles: tuple[str, ...]
    interlaced: bool
    transparent: bool
    start: Fraction | None
    start_offset: float

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, upright."""
        return self.width, self.height

    @property
    def rotation(self) -> int:
        """Degrees clockwise (0, 90, 180, 270) by which stored pictures are turned."""
        return self.orientation.rotation


def probe(path: Path | str) -> MediaInfo:
    """Look what is in a video file.

    Raises:
      SourceError: the file cannot be read, is no video, holds no frame, or is too large.
    """
    path = Path(path)
    times, last, unstamped = _scan(path)
    container, stream = open_video(path)
    with container:
        pictures = decode_pictures(container, stream, path)
        first = next(pictures, None)
        if first is None:
            if is_scrambled(path):
                raise SourceError(f"{path}: {ENCRYPTED}")
            raise SourceError(f"{path}: no frame can be decoded; the file is empty or cut off")
        known = [] if unstamped else times  # of some pictures alone, they tell no distances
        rate, variable = find_stream_rate(stream, known, stamped=bool(times))
        # Where time may begin anew, the difference of the last and the first stamp is no length.
        stated_duration = None if has_seams(container) else stream_seconds(stream)
        shape = find_shape(stream, first, str(path))
        return MediaInfo(
            width=shape.width,
            height=shape.height,
            orientation=shape.orientation,
            pixel_aspect=shape.pixel_aspect,
            rate=rate,
            variable_rate=variable,
            duration=(
                (len(times) + unstamped) / rate
                if unstamped and (last is not None or not times)
                else _find_duration(container, stream, times, last, rate) or _measure(path, rate)
            ),
            measured=bool(times) and last is not None,
            stated_duration=None if stated_duration is None else float(stated_duration),
            frame_count=(
                len(times) + unstamped if last is not None or not times else stream.frames or None
            ),
            audio=_codecs(container.streams.audio),
            subtitles=_codecs(container.streams.subtitles),
            interlaced=first.interlaced_frame,
            transparent=_is_transparent([first, *islice(pictures, _LOOKED_AT * has_alpha(first))]),
            start=picture_time(first, container),
            start_offset=_start_offset(container, stream),
        )


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How stored pictures become upright ones with square pixels.

    Attributes:
      width: of the upright ones, in pixels.
      height: likewise.
      orientation: how they are turned.
      pixel_aspect: width of a stored pixel by its height.
    """

    width: int
    height: int
    orientation: Orientation
    pixel_aspect: Fraction


def find_shape(stream: av.VideoStream, first: av.VideoFrame, name: str) -> Shape:
    """Return the shape of a film's pictures by the first one.

    Raises:
      SourceError: they are too large; it names the film.
    """
    orientation, aspect = find_orientation(first), _pixel_aspect(stream)
    width, height = orientation.turn_size(_square(first.width, first.height, aspect))
    if max(width, height) > MAX_SIDE:
        raise SourceError(f"{name}: {width}x{height}; expected at most {MAX_SIDE} a side")
    return Shape(width=width, height=height, orientation=orientation, pixel_aspect=aspect)


def find_stream_rate(
    stream: av.VideoStream, times: Sequence[Fraction], *, stamped: bool
) -> tuple[Fraction, bool]:
    """Return the constant rate of a stream's pictures, and whether they come at a variable one.

    Args:
      stream: the pictures'.
      times: of some of the first pictures, ascending; none where they tell no distances.
      stamped: whether the file says when pictures stand.
    """
    rates = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    if not stamped:  # ffmpeg takes 25 a second for the average; the guess is the stream's own
        rates.insert(0, stream.guessed_rate)
    stated = [rate for rate in rates if rate]
    return find_rate(times, stated, tick=stream.time_base or Fraction(0))


def _measure(path: Path, rate: Fraction) -> Fraction:
    """Return how long a film is that does not say so, by all of its packets."""
    times, last, _ = _scan(path, most=None)
    return times[-1] - times[0] + (last or 1 / rate) if times else Fraction(0)


def _scan(path: Path, *, most: int | None = _SCAN) -> tuple[list[Fraction], Fraction | None, int]:
    """Return the times of the first pictures, ascending, and the last one's duration.

    ``most`` pictures are looked at; None is all of them.

    The duration is None when there are more pictures than were looked at, 0 when it is not known.
    Third comes the number of further pictures that have no times of their own: all of them in raw
    H.264 and the like, most in some recordings; 0 where only a few are so.
    """
    container, stream = open_video(path)
    spans: list[tuple[Fraction, Fraction]] = []
    unstamped = 0
    with container:
        packets = bridged_packets(container, stream)
        try:
            for packet in islice(packets, most):
                if find_encryption(container, packet):
                    raise SourceError(f"{path}: {ENCRYPTED}")
                time = picture_time(packet, container)
                if time is not None and packet.size and not packet.is_discard:
                    spans.append((time, Fraction((packet.duration or 0) * packet.time_base)))
                unstamped += packet.size > 0 and time is None
            complete = next(packets, None) is None
            if not spans:
                unstamped += sum(packet.size > 0 for packet in packets) + (not complete)
        except (OSError, MemoryError, av.error.FFmpegError):
            complete = True  # cut off here: nothing follows
    spans.sort()
    if not spans:
        return [], None, unstamped
    unstamped = unstamped if unstamped > len(spans) // 10 else 0
    if complete:
        return [time for time, _ in spans], spans[-1][1], unstamped
    # The last pictures of a part may lack earlier ones that follow in the file.
    return [time for time, _ in spans[:-16]], None, unstamped


def _find_duration(
    container: InputContainer,
    stream: av.VideoStream,
    times: list[Fraction],
    last: Fraction | None,
    rate: Fraction,
) -> Fraction:
    """Return the seconds of the video track; ``times`` and ``last`` are `_scan`'s."""
    stated = stream_seconds(stream)
    if last is None or not times:
        return stated or Fraction(container.duration or 0, 1_000_000)
    if stated and stream.frames and len(times) >= stream.frames:
        # Nothing is missing, so the file's word holds: MP4 gives durations in the order of
        # decoding, and that of the picture shown last may be another one's.
        return max(stated, times[-1] - times[0])
    return times[-1] - times[0] + (last or 1 / rate)


def _is_transparent(pictures: Iterable[av.VideoFrame]) -> bool:
    return any(
        has_alpha(picture) and picture.to_ndarray(format="rgba")[..., 3].min() < 255
        for picture in pictures
    )


def _codecs(tracks: Iterable[av.Stream]) -> tuple[str, ...]:
    return tuple(
        "unknown" if track.codec_context is None else track.codec_context.name for track in tracks
    )


def _pixel_aspect(stream: av.VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    if not aspect or not Fraction(1, 8) <= aspect <= 8 or abs(aspect - 1) < Fraction(1, 200):
        return Fraction(1)
    return Fraction(aspect)


def _square(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """Widen or heighten a stored size, so that its pixels become square and nothing is lost."""
    if aspect >= 1:
        return max(1, round(width * aspect)), height
    return width, max(1, round(height / aspect))


def _start_offset(container: InputContainer, stream: av.VideoStream) -> float:
    if not container.streams.audio:
        return 0.0
    audio = container.streams.audio[0]
    video_start = (stream.start_time or 0) * (stream.time_base or 0)
    return float(video_start - (audio.start_time or 0) * (audio.time_base or 0))
