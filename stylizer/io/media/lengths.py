"""How long a film is with all that is in it: measured, as what a file says need not be true."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av
import av.error

from stylizer.errors import SourceError
from stylizer.io.media.container import open_video, stream_seconds
from stylizer.io.media.timestamps import bridged_packets, has_seams

__all__ = ["TrackLengths", "measure_tracks", "picture_span"]


@dataclass(frozen=True, kw_only=True)
class TrackLengths:
    """What was measured.

    Attributes:
      pictures: how many packets the video track has.
      seconds: from the beginning of the first track to the end of the last one.
    """

    pictures: int
    seconds: float


def measure_tracks(path: Path) -> TrackLengths:
    """Read the times of all packets, and decode none.

    Raises:
      SourceError: the file cannot be read.
    """
    container, stream = open_video(path)
    pictures, begins, ends = 0, float("inf"), float("-inf")
    with container:
        try:
            for packet in container.demux():
                pictures += packet.stream_index == stream.index and packet.size > 0
                stamp = packet.pts if packet.dts is None else packet.dts
                if stamp is None or not packet.time_base:
                    continue
                time = float(stamp * packet.time_base)
                begins = min(begins, time)
                ends = max(ends, time + float((packet.duration or 0) * packet.time_base))
        except (OSError, MemoryError, av.error.FFmpegError) as error:
            if not pictures:
                raise SourceError(f"{path}: cannot be read ({error})") from error
    return TrackLengths(pictures=pictures, seconds=max(0.0, ends - begins))


def picture_span(file: Any, video: Any) -> tuple[Fraction, Fraction | None]:
    """Return when the pictures begin in a file, and for how long they go on, in seconds.

    Args:
      file: it is open.
      video: the track of the pictures; None where there is none.
    """
    if video is None:
        return Fraction(0), None
    start = Fraction(0)
    if video.start_time is not None and file.start_time is not None:
        start = video.start_time * video.time_base - Fraction(file.start_time, av.time_base)
    stated = None if has_seams(file) else stream_seconds(video)
    return start, stated or _scan_duration(file, video)


def _scan_duration(file: Any, video: Any) -> Fraction | None:
    """Read through the packets (nothing is decoded) of a file that does not tell its length."""
    times = [
        (packet.pts, packet.pts + (packet.duration or 0))
        for packet in bridged_packets(file, video)
        if packet.pts is not None
    ]
    if not times:
        return None
    span = max(end for _, end in times) - min(begin for begin, _ in times)
    return Fraction(span) * Fraction(video.time_base)
