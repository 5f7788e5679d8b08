"""Video files as a source: upright pictures at a constant rate, each at its time."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av

from stylizer.base import Managed
from stylizer.errors import ConfigError, SourceError
from stylizer.frame import Frame, Image
from stylizer.io.media.container import decode_pictures, open_video, picture_time, seek_pictures
from stylizer.io.media.pictures import PictureConverter, deinterlaced
from stylizer.io.media.probe import MediaInfo, probe
from stylizer.io.media.retime import at_constant_rate
from stylizer.io.media.timeline import Timeline, at_times

__all__ = ["Span", "VideoReader", "frames_of"]

_log = logging.getLogger(__name__)

Span = tuple[Fraction | float, Fraction | float | None]
"""(start, end) in seconds; an end of None is the film's."""

_NEAR_END = 10
"""Seconds that a film's last picture may stand, when the end is only stated and not measured."""


class VideoReader(Managed):
    """Reads a video file, once, from its first picture to its last, or a span of it.

    Rotation tags are applied, and pixels that are not square are made so. A variable frame rate
    comes out constant: pictures are repeated or dropped, as `stylizer.io.media.retime` says, so
    that each stands at its time and the whole lasts as long as the source's video. Time is counted
    from the first picture; ``info.start_offset`` tells how much later than the sound that is.

    A span's frames are those that the whole would give at its times, with the same index and time:
    the frames of spans that meet, ``(0, t)`` and ``(t, None)``, are those of the whole. In MP4,
    MOV, Matroska and WebM the reading begins at the key picture before it; in other formats what
    comes before is decoded and passed over.

    A file that is damaged or cut off gives the frames that can be decoded, and a warning in the log
    says what is missing; without a single frame it is an error.

    Attributes:
      info: what was found in the file.
      deinterlace: whether interlaced pictures are made whole.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        rate: Fraction | None = None,
        times: Timeline | None = None,
        span: Span | None = None,
        deinterlace: bool = True,
    ) -> None:
        """Open a file.

        Args:
          path: the file.
          rate: frames per second to give, exact; None for the file's own, or when that is variable
            the constant rate nearest to its usual one.
          times: of its pictures, each of which is given once then, at its own time, whatever the
            rate; None for the constant rate.
          span: (start, end) in seconds: frames whose times are ``start`` or later, and before
            ``end``; an ``end`` of None is the file's. Fractions are exact, as a frame's number by
            the rate. None for the whole.
          deinterlace: make whole pictures of interlaced ones.

        Raises:
          ConfigError: a rate that is not above 0 and at most 1000; a span that begins before 0 or
            holds no frame.
          SourceError: the file is missing, empty, no video, or without a frame; the span begins
            after its end.
        """
        if rate is not None and not 0 < rate <= 1000:
            raise ConfigError(f"rate: expected above 0 and at most 1000 a second, got {rate}")
        self._path = Path(path)
        self.info: MediaInfo = probe(self._path)
        self._rate = self.info.rate if rate is None else Fraction(rate)
        self._times = times
        self._first, self._end = frames_of(span, self._rate if times is None else times)
        if self._first >= self._total:
            raise SourceError(
                f"{self._path}: expected a part (--from) that begins before "
                f"{float(self.info.duration):.3f} s, where the film ends, got "
                f"{float(self.time_of(self._first)):.3f} s; have it begin earlier"
            )
        self._container, self._stream = open_video(self._path)
        start = self.info.start
        if times is not None and start is not None and self._container.format.name == "avi":
            self._times = replace(times, start=start)  # pictures have the times of later packets
        if self.info.orientation.tilted:
            _log.warning(
                "%s: its pictures are to be turned by no multiple of 90 degrees; they are turned "
                "to the nearest one",
                self._path,
            )
        self.deinterlace = deinterlace
        self._convert = PictureConverter(
            self.info.size,
            orientation=self.info.orientation,
            aspect=float(self.info.pixel_aspect),
        )
        self._begun = False
        self._closed = False
        self._lock = threading.Lock()  # closing while another thread decodes would crash

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def first(self) -> int:
        """The index of the first frame to give."""
        return self._first

    @property
    def end(self) -> int | None:
        """The index of the first that is not given any more; None for the film's end."""
        return None if self._end is None or self._end >= self._total else self._end

    @property
    def span(self) -> tuple[Fraction, Fraction | None] | None:
        """When the first frame stands, and the one after the last; None for the whole film."""
        if self.first == 0 and self.end is None:
            return None
        return self.time_of(self.first), None if self.end is None else self.time_of(self.end)

    @property
    def times(self) -> Timeline | None:
        """When the frames stand; None for a constant rate."""
        return self._times

    def time_of(self, index: int) -> Fraction:
        """Return when a frame stands, in seconds from the first one."""
        return index / self._rate if self._times is None else self._times.time(index)

    def rest(self, first: int, *, end: int | None = None) -> VideoReader:
        """Return a new reader of the same frames from one on, up to but without another one.

        Args:
          first: index of the first frame to give.
          end: index of the first that is not wanted any more; None for this reader's end.

        Raises:
          SourceError: the film ends before.
        """
        end = self._end if end is None else end
        return VideoReader(
            self._path,
            rate=self._rate,
            times=self._times,
            span=(self.time_of(first), None if end is None else self.time_of(end)),
            deinterlace=self.deinterlace,
        )

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, upright."""
        return self.info.size

    @property
    def rate(self) -> Fraction:
        """Frames per second, exact."""
        return self._rate

    @property
    def frame_count(self) -> int:
        """Frames that will come, as far as is known beforehand."""
        end = self._total if self._end is None else min(self._end, self._total)
        return end - self._first

    @property
    def _total(self) -> int:
        if self._times is not None:
            return len(self._times)
        return max(1, math.floor(self.info.duration * self._rate + Fraction(1, 2)))

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames in order.

        Raises:
          SourceError: the reader is closed, was iterated before, or the file cannot be read on.
        """
        if self._closed:
            raise SourceError(f"{self._path}: the reader is closed; open a new one")
        if self._begun:
            raise SourceError(f"{self._path}: was read already; open a new reader to read it again")
        self._begun = True
        return self._frames()

    def _frames(self) -> Iterator[Frame]:
        picture: av.VideoFrame | None = None
        image: Image | None = None
        alpha: Image | None = None
        index = self._first
        pictures = (
            at_constant_rate(self._timed(), self._rate, origin=self.info.start, begin=index)
            if self._times is None
            else at_times(self._timed(), self._times, begin=index)
        )
        for shown in islice(pictures, None if self._end is None else self._end - index):
            if image is None or shown is not picture:
                picture, (image, alpha) = shown, self._convert(shown)
            else:
                image = image.copy()  # whoever got the last frame may have painted on it
            yield Frame(image, index, float(self.time_of(index)), alpha)
            index += 1
        self._check_end(index)

    def _timed(self) -> Iterator[tuple[av.VideoFrame, Fraction, Fraction]]:
        """Give decoded pictures with their time, and how long each stands if it is the last."""
        step = 1 / self.info.rate
        time, first = -step, self.info.start
        pictures: Iterator[av.VideoFrame] | None = None
        while True:
            with self._lock:
                if self._closed:
                    raise SourceError(
                        f"{self._path}: the reader was closed while it was being read"
                    )
                pictures = self._decode() if pictures is None else pictures
                picture = next(pictures, None)
            if picture is None:
                return
            stamp = picture_time(picture, self._container)
            time = time + step if stamp is None else stamp
            first = time if first is None else first
            rest = self.info.duration - (time - first)
            # The end is the picture's own, unless the file was cut off long before it.
            near = self.info.measured or rest < _NEAR_END
            yield picture, time, rest if near and rest > 0 else step

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Decode from a key picture on that stands at the first wanted frame, or before it."""
        pictures = self._decode_from_key()
        if not self.deinterlace:
            return pictures
        if self._container.format.name == "avi":
            pictures = map(_show_as_decoded, pictures)
        return deinterlaced(pictures, name=str(self._path))

    def _decode_from_key(self) -> Iterator[av.VideoFrame]:
        start, back = self.info.start, Fraction(0)
        start = start if self._times is None else self._times.start
        wanted = self.time_of(self._first)
        # Fields are completed from the pictures before and after.
        lead = 3 if self.deinterlace and self.info.interlaced else 0
        latest = self._latest_key(lead)
        while start is not None and wanted > back:
            pictures = seek_pictures(
                self._container,
                self._stream,
                self._path,
                time=start + wanted - back,
            )
            key = None if pictures is None else next(pictures, None)
            stamp = None if key is None else picture_time(key, self._container)
            if pictures is not None and key is not None and stamp is not None:
                if stamp - start < latest:
                    return chain([key], pictures)
            self._container.close()
            self._container, self._stream = open_video(self._path)
            if stamp is None:
                break
            back = 2 * back or Fraction(1)
        return decode_pictures(self._container, self._stream, self._path)

    def _latest_key(self, lead: int) -> Fraction:
        """Return before when a key picture must stand to begin with, so many frames before."""
        if self._times is not None:
            return self._times.time(self._first - lead) + self._times.tick
        # The picture that stands at a frame is the last that is nearest to it or before.
        return (self._first + Fraction(1, 2) - lead) / self._rate

    def _check_end(self, end: int) -> None:
        if end == self._first:
            raise SourceError(
                f"{self._path}: no frame can be decoded from {float(self.time_of(end)):.2f} s on; "
                "the file is cut off"
            )
        stated = self.info.stated_duration
        given = float(self.time_of(end))
        if self._end is not None and end >= self._end:
            return
        if stated is not None and given < stated - max(0.5, float(2 / self._rate)):
            _log.warning(
                "%s: ended after %.2f of %.2f seconds; the file seems to be cut off",
                self._path,
                given,
                stated,
            )

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        with self._lock:
            self._closed = True
            self._container.close()


def _show_as_decoded(picture: av.VideoFrame) -> av.VideoFrame:
    """Give a picture of an AVI the time that `picture_time` goes by; ffmpeg's filters keep it."""
    picture.pts = picture.dts
    return picture


def frames_of(span: Span | None, grid: Fraction | Timeline) -> tuple[int, int | None]:
    """Return the first frame of a span, and the one after its last; None for the film's end.

    Args:
      span: in seconds; None for the whole.
      grid: frames a second, or when they stand.

    Raises:
      ConfigError: the span begins before 0, or holds no frame.
    """
    if span is None:
        return 0, None
    start, end = (
        # 0.1 is meant as a tenth, which no float is.
        bound if bound is None or isinstance(bound, Fraction) else _exact(bound)
        for bound in span
    )
    if start is None or start < 0:
        raise ConfigError(f"a part (--from): expected to begin at 0 s or later, got {span[0]}")
    if isinstance(grid, Timeline):
        first, stop = grid.find(start), None if end is None else grid.find(end)
    else:
        first, stop = math.ceil(start * grid), None if end is None else math.ceil(end * grid)
    if stop is not None and stop <= first:
        raise ConfigError(
            f"a part (--from, --to): expected a frame in it, got {float(start):g} to "
            f"{float(end or 0):g} seconds; have it end later"
        )
    return first, stop


def _exact(seconds: float) -> Fraction:
    if not math.isfinite(seconds):
        raise ConfigError(f"a part: expected numbers of seconds, got {seconds}")
    return Fraction(seconds).limit_denominator(1_000_000)
