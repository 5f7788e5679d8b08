"""How long a film is with all that is in it: measured, as what a file says need not be true."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av.error

from stylizer.errors import SourceError
from stylizer.io.media.container import open_video

__all__ = ["TrackLengths", "measure_tracks"]


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
