"""Time stamps that jump or begin again, as in joined recordings: bridged, all tracks alike.

Transport streams and the programs of a DVD may be put one behind the other as they are, and each
then counts its own time. As for ffmpeg (``fftools/ffmpeg_demux.c``), in these formats a step of
more than 10 seconds, or back, is such a seam; in the others it is what it says, as for a still
picture of many minutes.

Differs from ffmpeg: a track that comes to a seam later than another is moved as far as that one,
and a gap in one track alone, as of a still, is none. ffmpeg moves each packet by what closed the
newest gap of any track, so that two tracks which cross a seam one after the other move it to and
fro, and sound may come seconds late (tried: joined VOB).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av
from av.container import InputContainer
from av.format import Flags

from stylizer.base import Managed
from stylizer.io.media.inputs import file_url, open_options

__all__ = ["Straightened", "TrackCopies", "bridged_packets", "has_seams", "straighten"]

_LONGEST_STEP = 10
_LONGEST_STEP_BACK = Fraction(1, 10)
"""Seconds; both are ffmpeg's."""

_OVERLAP = 2
"""Seconds by which tracks may differ in length before a seam."""


def has_seams(container: InputContainer) -> bool:
    """Whether time may begin anew within a file of this format."""
    return bool(Flags(container.format.flags) & Flags.ts_discont)


def bridged_packets(
    container: InputContainer,
    stream: av.VideoStream,
    *,
    beside: Callable[[av.Packet[av.stream.Stream]], None] | None = None,
) -> Iterator[av.Packet[av.VideoStream]]:
    """Give a stream's packets; where time may begin anew, with stamps that go on.

    The sound's packets are looked at as well: a seam is closed where the first packet behind it
    stands, of any track.

    Args:
      container: it is open.
      stream: of it.
      beside: is given every packet on the way, of all tracks; None for nobody.
    """
    bridge = _Bridge() if has_seams(container) else None
    streams = [stream, *(container.streams.audio if bridge else ())]
    for packet in container.demux(*(streams if beside is None else ())):
        if bridge is not None:
            bridge.move(packet)
        ours = packet.stream_index == stream.index
        if beside is not None:
            beside(packet)  # a copy of which it makes another track's
        if ours:
            yield packet


@dataclass(frozen=True, kw_only=True)
class Straightened:
    """A file that holds tracks of a source with stamps that go on.

    Attributes:
      streams: the index in the file, by that in the source.
      video_start: seconds from the beginning of the file to the source's first picture.
    """

    streams: dict[int, int]
    video_start: Fraction


def straighten(source: Path, target: Path, *, indices: list[int]) -> Straightened:
    """Copy tracks of a source in whose format time may begin anew.

    Args:
      source: the file.
      target: the file to be, in the format NUT, which takes all kinds of tracks.
      indices: of the tracks.

    Raises:
      OSError: one of the files cannot be read or written.
    """
    bridge = _Bridge()
    with av.open(file_url(source), options=open_options(), metadata_errors="replace") as read:
        with TrackCopies(read, target, indices=indices) as copies:
            for packet in read.demux():
                bridge.move(packet)
                copies.take(packet)
        return copies.straightened


class TrackCopies(Managed):
    """Copies tracks of a source, packet by packet, to a file of their own in the format NUT."""

    def __init__(self, read: InputContainer, target: Path, *, indices: list[int]) -> None:
        """Begin the file.

        Args:
          read: the source.
          target: the file to be.
          indices: of the tracks.

        Raises:
          OSError: it cannot be written.
        """
        video = read.streams.best("video")
        self._video = None if video is None else video.index
        self._written = av.open(file_url(target), "w", format="nut")
        self._written.metadata.update(read.metadata)
        self._copies = {
            index: self._written.add_stream_from_template(read.streams[index]) for index in indices
        }
        for index, copy in self._copies.items():
            copy.metadata.update(read.streams[index].metadata)
        self._ends: dict[int, Fraction] = {}
        self._pictures: Fraction | None = None
        self._start: Fraction | None = None

    def take(self, packet: av.Packet[av.stream.Stream]) -> None:
        """Copy a packet, whose stamps go on, if it is of one of the tracks."""
        stamp = packet.pts if packet.dts is None else packet.dts
        if stamp is None or not packet.time_base:
            return
        index, moment = packet.stream_index, stamp * packet.time_base
        if index == self._video and packet.pts is not None:
            shown = packet.pts * packet.time_base
            self._pictures = shown if self._pictures is None else self._pictures
        if index not in self._copies:
            return
        length = (packet.duration or 0) * packet.time_base
        # What lies over the sound before a seam would push all that follows.
        covered = moment + length / 2 < self._ends.get(index, moment)
        if not (covered and packet.stream.type == "audio"):
            self._start = moment if self._start is None else min(self._start, moment)
            self._ends[index] = moment + length
            packet.stream = self._copies[index]
            self._written.mux(packet)

    @property
    def straightened(self) -> Straightened:
        """What the file holds."""
        return Straightened(
            streams={index: copy.index for index, copy in self._copies.items()},
            video_start=(self._pictures or Fraction(0)) - (self._start or 0),
        )

    def close(self) -> None:
        """Finish the file."""
        self._written.close()


class _Bridge:
    """Moves the packets of a file, in their order, to a time that goes on."""

    def __init__(self) -> None:
        """Begin with the file's first part."""
        self._offsets = [Fraction(0)]  # by part
        self._part: dict[int, int] = {}  # that a stream has come to
        self._last: dict[int, Fraction] = {}  # stamps, by stream
        self._due: dict[int, Fraction] = {}

    def move(self, packet: av.Packet[av.stream.Stream]) -> None:
        """Move a packet's stamps, in place."""
        index, tick = packet.stream_index, packet.time_base
        if not tick:
            return
        length = (packet.duration or 0) * tick
        if packet.dts is not None and packet.stream.type in {"video", "audio"}:
            self._follow(index, packet.dts * tick, length)
        elif index in self._due and packet.size:
            self._last[index] = self._due[index]
            self._due[index] += length
        # Of what comes seldom, as subtitles, the place in the file tells the part.
        part = self._part.get(index, max(self._part.values(), default=0))
        dts, pts = packet.dts, packet.pts
        if dts is not None and pts is not None and abs(pts - dts) * tick > _LONGEST_STEP:
            pts = None  # it is told by the time of another part
        ticks = round(self._offsets[part] / tick)
        packet.dts = None if dts is None else dts + ticks
        packet.pts = None if pts is None else pts + ticks

    def _follow(self, index: int, raw: Fraction, length: Fraction) -> None:
        """Find the part that a stream's next packet belongs to."""
        part = self._part.get(index, len(self._offsets) - 1)
        stamp = raw + self._offsets[part]
        due, last = self._due.get(index, stamp), self._last.get(index, stamp)
        jumps = abs(stamp - due) > _LONGEST_STEP or stamp + _LONGEST_STEP_BACK < last
        if jumps and not self._has_been_reached(index, stamp, part):
            later = range(part + 1, len(self._offsets))
            part = next((n for n in later if self._goes_on(raw + self._offsets[n] - due)), -1)
            if part < 0:
                part = len(self._offsets)
                self._offsets.append(due - raw)
            stamp = raw + self._offsets[part]
        self._part[index], self._last[index] = part, stamp
        self._due[index] = stamp + length

    def _has_been_reached(self, index: int, stamp: Fraction, part: int) -> bool:
        """Whether another track went on up to a time: then a gap before it is a still, or silence.

        A step back is no gap.
        """
        return stamp > self._last.get(index, stamp) and any(
            abs(self._last[other] - stamp) < _LONGEST_STEP
            for other, there in self._part.items()
            if other != index and there == part
        )

    @staticmethod
    def _goes_on(step: Fraction) -> bool:
        return -_OVERLAP < step < _LONGEST_STEP
