"""When the pictures of a film stand, as the file says: for those that keep a variable rate."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av.error
import numpy as np
import numpy.typing as npt

from stylizer.errors import SourceError
from stylizer.io.media.container import open_video, picture_time
from stylizer.io.media.timestamps import bridged_packets

__all__ = ["Timeline", "at_times", "read_timeline"]

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True, eq=False)
class Timeline:
    """When each picture stands; that of index ``len`` is the film's end.

    Attributes:
      ticks: int64, (n + 1,), ascending from 0; one for each picture, and last the end.
      tick: the unit, seconds.
      start: when the first picture stands, in seconds of the file's own time.
    """

    ticks: npt.NDArray[np.int64]
    tick: Fraction
    start: Fraction

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.ticks) - 1

    def time(self, index: int) -> Fraction:
        """Return when a picture stands, in seconds from the first one; of -1, one tick before."""
        return self.stamp(index) * self.tick

    def stamp(self, index: int) -> int:
        """Return `time` in ticks."""
        return int(self.ticks[min(index, len(self))]) if index >= 0 else index

    def part(self, first: int, end: int | None) -> Timeline:
        """Return when the pictures from one on stand, up to but without another one, from 0 on."""
        ticks = self.ticks[first : None if end is None else end + 1]
        return Timeline(ticks=ticks - ticks[0], tick=self.tick, start=self.start + self.time(first))

    def find(self, time: Fraction) -> int:
        """Return the index of the first picture that stands at a time or later."""
        return int(np.searchsorted(self.ticks[:-1], math.ceil(time / self.tick), side="left"))

    def place(self, time: Fraction) -> int:
        """Return the index of the picture that is shown at a time, by half a tick later."""
        tick = math.floor((time - self.start) / self.tick + Fraction(1, 2))
        return max(0, int(np.searchsorted(self.ticks[:-1], tick, side="right")) - 1)


def read_timeline(path: Path) -> Timeline:
    """Read the times of all pictures of a film; nothing is decoded.

    Raises:
      SourceError: the file cannot be read, or does not say when its pictures stand.
    """
    container, stream = open_video(path)
    tick = Fraction(stream.time_base or 1)
    stamps = array("q")
    unstamped, last, length = 0, -1, 0
    with container:
        try:
            for packet in bridged_packets(container, stream):
                if not packet.size or packet.is_discard:
                    continue
                time = picture_time(packet, container)
                if time is None:
                    unstamped += 1
                    continue
                stamps.append(round(time / tick))
                if stamps[-1] >= last:
                    last, length = stamps[-1], packet.duration or 0
        except (OSError, MemoryError, av.error.FFmpegError):
            pass  # cut off here: nothing follows
    ticks = np.unique(np.array(stamps, np.int64))
    if not len(ticks) or unstamped > len(stamps) // 10:
        raise SourceError(
            f"{path}: expected a film that says when its pictures stand, as --vfr keeps that; "
            "leave it out"
        )
    if len(ticks) > 1 and length <= 0:
        length = int(np.median(np.diff(ticks)))
    start, ticks = int(ticks[0]), ticks - ticks[0]
    return Timeline(
        ticks=np.append(ticks, ticks[-1] + max(length, 1)), tick=tick, start=start * tick
    )


def at_times(
    pictures: Iterable[tuple[Item, Fraction, Fraction]], timeline: Timeline, *, begin: int = 0
) -> Iterator[Item]:
    """Give a picture for each time of a film, also where one cannot be decoded: the one before.

    Args:
      pictures: (picture, time, duration) in the order of time, seconds of the file's own time.
      timeline: of the film.
      begin: the first frame to give; pictures before the one that stands there may be left out.
        The first picture is given for what comes before it, too.
    """
    given, held = begin, None
    for item, time, _ in pictures:
        place = timeline.place(time)
        if held is not None:
            yield from (held for _ in range(given, place))
            given = max(given, place)
        held = item
    if held is not None:
        yield from (held for _ in range(given, len(timeline)))
