"""Painted pictures and the source's tracks to the finished file; no track can spoil it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av

from stylizer.errors import SinkError
from stylizer.io.atomic import claim_temporary
from stylizer.io.media.ffmpeg import run_ffmpeg
from stylizer.io.media.formats import Container
from stylizer.io.media.inputs import file_url, input_arguments
from stylizer.io.media.part import cut_arguments, where_part_begins
from stylizer.io.media.timestamps import straighten
from stylizer.io.media.tracks import SourceTracks, Track, settle_tracks

__all__ = ["longest_sound", "mux", "mux_arguments", "picture_arguments", "track_arguments"]

_log = logging.getLogger(__name__)

_SPARSEST_SOUND = 500
"""Bytes a second: no codec in use takes less for sound."""

_MORE_SOUND = 600
"""Seconds that sound may outlast the pictures in any case."""


def longest_sound(source: Path, *, pictures: Fraction) -> Fraction:
    """Return how many seconds of sound a file can hold: where it says more, there are holes in it.

    Holes are filled with silence, so that a small file whose sound stands hours apart would become
    thousands of hours.

    Args:
      source: the file.
      pictures: seconds of its pictures.
    """
    try:
        held = Fraction(source.stat().st_size, _SPARSEST_SOUND)
    except OSError:
        held = Fraction(0)
    return max(2 * pictures + _MORE_SOUND, held)


def mux(
    pictures: Path,
    output: Path,
    *,
    container: Container,
    tracks: SourceTracks | None,
    end: Fraction | None,
) -> None:
    """Write the finished file, if need be without a track that turns out to be bad at its end.

    Args:
      pictures: what `stylizer.io.media.encoding.encode_arguments` made.
      output: the file to write.
      container: its kind.
      tracks: what to take of the source; None for nothing.
      end: seconds of pictures to cut the other tracks at; None to keep them whole, however long.

    Raises:
      SinkError: not even the pictures alone can be written.
    """
    with _straightened(tracks, output) as straight:
        _mux(pictures, output, container=container, tracks=straight, end=end)


def _mux(
    pictures: Path,
    output: Path,
    *,
    container: Container,
    tracks: SourceTracks | None,
    end: Fraction | None,
) -> None:
    failure: SinkError | None = None
    for attempt in _attempts(tracks, container):
        try:
            arguments = mux_arguments(
                pictures, output, container=container, tracks=attempt, end=end
            )
            run_ffmpeg(arguments)
        except SinkError as error:
            failure = failure or error
            continue
        if failure is not None and attempt is None:
            _log.warning("sound, subtitles and the rest are left out: %s", failure)
        return
    raise failure or SinkError(f"{output}: nothing was written")


@contextmanager
def _straightened(tracks: SourceTracks | None, output: Path) -> Iterator[SourceTracks | None]:
    """Yield tracks whose time goes on: those of a copy, where it may begin anew in the source."""
    if tracks is None or not tracks.seams or not tracks.tracks:
        yield tracks
        return
    copy = claim_temporary(output.with_suffix(".nut"))
    try:
        indices = [track.index for track in tracks.tracks]
        try:
            found = straighten(tracks.path, copy, indices=indices)
        except (OSError, ValueError, av.error.FFmpegError) as error:
            _log.warning("sound and subtitles may be out of step: %s", error)
            yield tracks
            return
        moved = tuple(replace(track, index=found.streams[track.index]) for track in tracks.tracks)
        yield replace(tracks, path=copy, tracks=moved, video_start=found.video_start)
    finally:
        copy.unlink(missing_ok=True)


def _attempts(tracks: SourceTracks | None, container: Container) -> Iterator[SourceTracks | None]:
    """Give what to take along: the plan, then what is found to work, and at last nothing."""
    if tracks is not None:
        yield tracks
        settled = settle_tracks(tracks, container)
        if settled != tracks:
            yield settled
        kinds = {"audio", "subtitle"}
        yield replace(
            settled.plain(), tracks=tuple(track for track in settled.tracks if track.kind in kinds)
        )
    yield None


def mux_arguments(
    pictures: Path,
    output: Path,
    *,
    container: Container,
    tracks: SourceTracks | None,
    end: Fraction | None,
) -> list[str]:
    """Return ffmpeg's arguments that join encoded pictures and the source's tracks.

    Frames are upright already, so the source's rotation must not come along: of its picture track
    nothing is taken but what ``tracks`` says, neither metadata nor side data.

    Args:
      pictures: see `mux`.
      output: see `mux`.
      container: see `mux`.
      tracks: see `mux`.
      end: see `mux`.
    """
    movflags, mapping = container.movflags, ["-map", "0:v:0", "-c:0", "copy"]
    beside, taken = track_arguments(tracks, end=end)
    mapping += taken
    if tracks is not None:
        movflags += "+use_metadata_tags" if tracks.apple and movflags else ""
    inputs = [*picture_arguments(tracks), "-i", file_url(pictures), *beside]
    for brand in ("major_brand", "minor_version", "compatible_brands"):  # the old MP4's, not ours
        mapping += ["-metadata", f"{brand}="]
    flags = ["-movflags", movflags] if movflags else []
    if container.timecode:
        flags += ["-write_tmcd", str(int(tracks is not None and tracks.timecode is not None))]
    return [*inputs, *mapping, *flags, "-f", container.muxer, file_url(output)]


def track_arguments(
    tracks: SourceTracks | None, *, end: Fraction | None
) -> tuple[list[str], list[str]]:
    """Return ffmpeg's arguments that name the source as second input, and what is taken of it.

    Args:
      tracks: what to take; None for nothing.
      end: seconds of pictures to cut all at; None for nowhere.
    """
    if tracks is None:
        return [], []
    named = input_arguments(tracks.path)
    taken = [*_file_tags(tracks), "-map_chapters", "1", "-disposition:0"]
    taken += [tracks.disposition, *_picture_tags(tracks)]
    for position, track in enumerate(tracks.tracks, start=1):
        taken += ["-map", f"1:{track.index}", *track.arguments(position)]
        if not tracks.metadata:
            taken += _bare_tags(track, position)
        if track.cut:
            taken += cut_arguments(track, position, end)
    if end is not None:
        taken += ["-t", _seconds(_picture_delay(tracks) + end)]
    if tracks.span is None:
        return [*_move_arguments(max(-tracks.video_start, Fraction(0))), *named], taken
    seek, move = where_part_begins(tracks, tracks.span[0])
    return ["-ss", _seconds(seek), *_move_arguments(move), *named], taken


def picture_arguments(tracks: SourceTracks | None) -> list[str]:
    """Return ffmpeg's arguments that have the pictures, the next input, begin at their time."""
    return [] if tracks is None else _move_arguments(_picture_delay(tracks))


def _picture_delay(tracks: SourceTracks) -> Fraction:
    """Return how many seconds after the file's start the pictures begin; those of a part at it."""
    return max(tracks.video_start, Fraction(0)) if tracks.span is None else Fraction(0)


def _move_arguments(seconds: Fraction) -> list[str]:
    """Return ffmpeg's arguments that have the next input begin later (below 0: earlier)."""
    return ["-itsoffset", _seconds(seconds)] if seconds else []


def _picture_tags(tracks: SourceTracks) -> list[str]:
    tags = dict(tracks.picture_tags)
    if tracks.timecode is not None:
        tags["timecode"] = tracks.timecode
    return [word for key, value in tags.items() for word in ("-metadata:s:0", f"{key}={value}")]


def _file_tags(tracks: SourceTracks) -> list[str]:
    """Return ffmpeg's arguments for what the file says of itself, and its tracks of themselves."""
    if not tracks.metadata:
        return ["-map_metadata:g", "-1", "-map_metadata:s", "-1"]
    # Said again, as MP4 with Apple's tags has the date twice: read together, it is none.
    date = [] if tracks.date is None else ["-metadata", f"creation_time={tracks.date}"]
    return ["-map_metadata", "1", *date]


def _bare_tags(track: Track, output: int) -> list[str]:
    """Return ffmpeg's arguments that keep what stream ``output`` needs: language, a font's name."""
    if track.kind == "attachment":
        return [f"-map_metadata:s:{output}", f"1:s:{track.index}"]
    known = track.language != "und"
    return [f"-metadata:s:{output}", f"language={track.language}"] if known else []


def _seconds(value: Fraction) -> str:
    return f"{float(value):.6f}"
