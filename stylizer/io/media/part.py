"""What goes along with a part of a film's pictures: sound, subtitles and chapters of that part.

Sound is encoded anew, so that it begins with the part's first picture to the sample (from Matroska,
which counts milliseconds, to one of them). Only what cannot be decoded is copied, whole packets.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

from stylizer.io.media.formats import Container
from stylizer.io.media.tracks import (
    TRIED_SECONDS,
    SourceTracks,
    Track,
    plan_tracks,
    settle_tracks,
)

__all__ = ["cut_arguments", "plan_part", "where_part_begins"]

_log = logging.getLogger(__name__)

_BEFORE = 30
"""Seconds before a part that are read, for subtitles which begin there."""


def plan_part(
    source: Path,
    container: Container,
    *,
    suffix: str,
    span: tuple[Fraction, Fraction | None] | None,
) -> SourceTracks:
    """Decide as `stylizer.io.media.tracks.plan_tracks` does, for a part of a source.

    Args:
      source: a video file.
      container: the kind of the new file.
      suffix: its usual ending, for the warnings.
      span: (start, end) of the part, seconds from the first picture; an end of None is the film's.
        None for the whole.

    Raises:
      SinkError: the source cannot be read.
    """
    whole = plan_tracks(source, container, suffix=suffix)
    if span is None:
        return whole
    if whole.timecode is not None:
        _log.warning(
            "the timecode (%s) is left out: it is the film's, not the part's", whole.timecode
        )
    cut = tuple(_cut(track, source) for track in whole.tracks)
    part = replace(whole, tracks=cut, timecode=None, span=span)
    return settle_tracks(part, container, seconds=TRIED_SECONDS)


def _cut(track: Track, source: Path) -> Track:
    ways: Iterator[Track] = iter(())
    if track.kind == "audio" and track.encoder == "copy":
        ways = islice(track.alternatives(source), 1, None)
    return replace(next(ways, track), cut=True)


def where_part_begins(tracks: SourceTracks, begin: Fraction) -> tuple[Fraction, Fraction]:
    """Return from where to read a source, and by how much to move the times of that.

    Args:
      tracks: of the source.
      begin: of the part, seconds from the first picture.

    Returns:
      Seconds from the file's beginning, and seconds, below 0 as a rule: what is read early has
      times below 0 then, and of sound that is encoded ffmpeg leaves that out.
    """
    begin += tracks.video_start
    seek = max(begin - _BEFORE, Fraction(0))
    return seek, seek - begin


def cut_arguments(track: Track, output: int, end: Fraction | None) -> list[str]:
    """Return ffmpeg's options that keep a track of a part between time 0 and its end.

    Subtitles that stand there already at time 0 begin there. Those that do not say for how long
    they stand (pictures, each until the next one) are left out before it.

    Args:
      track: of the part.
      output: its number in the result.
      end: seconds; None for the film's end.
    """
    if track.kind == "audio" and track.encoder == "copy":
        return [f"-copypriorss:{output}", "0"]
    if track.kind != "subtitle":
        return []
    last = "PTS+DURATION" if end is None else f"min(PTS+DURATION\\,{float(end):.6f}/TB)"
    over = "noise=drop=lt(pts\\,0)*lte(pts+d\\,0)"
    return [f"-bsf:{output}", f"{over},setts=ts=max(PTS\\,0):duration={last}-max(PTS\\,0)"]
