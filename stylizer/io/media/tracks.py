"""What becomes of a source's sound, subtitles and the rest: decided once, before any painting.

A track is copied, re-encoded, or left out with a warning. What a plan promises is tried with ffmpeg
on the first seconds of the source, because a track may be announced and never come, have more
channels than any encoder takes, or be damaged: a film must not be lost to that when it is painted.

The layout of a sound track's channels is not asked of PyAV: 18.1 frees a custom one twice, which
ends the process.
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av
from av.stream import Disposition

from stylizer.errors import SinkError
from stylizer.io.image import count_plays
from stylizer.io.media.ffmpeg import read_ffmpeg, run_ffmpeg
from stylizer.io.media.formats import Container
from stylizer.io.media.inputs import file_url, input_arguments, open_options
from stylizer.io.media.lengths import picture_span
from stylizer.io.media.timestamps import has_seams

__all__ = ["TRIED_SECONDS", "SourceTracks", "Track", "plan_tracks", "settle_tracks"]

_log = logging.getLogger(__name__)

_CHANNEL_RATE = 96_000
"""Bits a second and channel of sound that is re-encoded: transparent for AAC and Opus."""

_MOST_CHANNELS = 8
"""Of the layouts that AAC, FLAC and Opus have; more are mixed down to two."""

TRIED_SECONDS = 2
"""Of the source, before any painting."""

_LONGEST_TRIAL = 5.0
"""Seconds of work: ffmpeg looks far ahead for tracks of which little comes."""

_KINDS = {"audio", "subtitle", "attachment"}
_APPLE = "com.apple.quicktime."
_PICTURE_TAGS = ("title", "language", "stereo_mode")


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """One track to carry over.

    Attributes:
      index: of the stream in the source.
      kind: ``audio``, ``subtitle``, ``attachment``, or ``cover``.
      name: its codec, and its language if it has one, for messages.
      encoder: ffmpeg's name of the encoder, or ``copy``.
      otherwise: the encoder for a track that turns out not to be copied well; None without one.
      channels: of a sound track that is encoded; else 0.
      mixed: whether its channels are mixed down to two.
      disposition: ffmpeg's words for what it is for, ``default+forced``; ``0`` for nothing.
      cut: whether what comes before time 0 is left out.
      language: three letters (ISO 639-2); ``und`` where none is said.
    """

    index: int
    kind: str
    name: str
    encoder: str
    otherwise: str | None = None
    channels: int = 0
    mixed: bool = False
    disposition: str = "0"
    cut: bool = False
    language: str = "und"

    def arguments(self, output: int) -> list[str]:
        """Return ffmpeg's options for this track as stream ``output`` of the result."""
        options = [f"-c:{output}", self.encoder]
        if self.kind != "attachment":
            options += [f"-disposition:{output}", self.disposition]
        if self.kind != "audio" or self.encoder == "copy":
            return options
        # Without async a hole in the source's sound would close, and all that follows come early.
        filters = "aresample=async=1"
        channels = max(self.channels, 1)
        if self.mixed:
            filters, channels = f"{_mix(self.channels)},{filters}", 2
        elif self.encoder == "libopus":  # it refuses 5.1(side) and other layouts
            filters += ",aformat=channel_layouts=mono|stereo|3.0|quad|5.0|5.1|6.1|7.1"
        if self.encoder != "flac":
            options += [f"-b:{output}", str(min(_CHANNEL_RATE * channels, 510_000))]
        return [*options, f"-filter:{output}", filters]

    def alternatives(self, source: Path) -> Iterator[Track]:
        """Give this track as planned, then in ways that lose more; the last may fail as well."""
        yield self
        if self.kind != "audio" or self.otherwise is None:
            return
        channels = self.channels or _count_channels(source, self.index)
        encoded = replace(self, encoder=self.otherwise, channels=channels)
        if encoded != self and 0 < channels <= _MOST_CHANNELS:
            yield encoded
        if channels > 1 and not self.mixed:
            yield replace(encoded, mixed=True)


def _mix(channels: int) -> str:
    """Return a filter to two channels that takes any layout: even ones left, odd ones right."""
    left, right = ("+".join(f"c{n}" for n in range(side, channels, 2)) for side in (0, 1))
    return f"pan=stereo|c0<{left}|c1<{right}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceTracks:
    """What of a source goes into the new file beside the pictures.

    Attributes:
      path: of the source.
      tracks: in the source's order.
      video_start: seconds from the file's start to its first picture; positive where sound
        begins earlier.
      video_duration: seconds of pictures; None when the file does not say.
      picture_tags: title and language of the picture track, and the like.
      disposition: of the picture track.
      timecode: of the first picture, ``01:02:03:04``; None without one.
      apple: whether the file has Apple's own tags (place, date of the recording).
      date: of the recording, as the file says it; None where it says none.
      metadata: whether what the file says of itself and of its tracks goes along.
      seams: whether time may begin anew within the file.
      plays: how often an animation is shown; 0 for without end.
      span: (start, end) of the part that is wanted, seconds from the first picture, which becomes
        time 0; an end of None is the film's. None for the whole; see `stylizer.io.media.part`.
    """

    path: Path
    tracks: tuple[Track, ...] = ()
    video_start: Fraction = Fraction(0)
    video_duration: Fraction | None = None
    picture_tags: dict[str, str] = field(default_factory=dict)
    disposition: str = "default"
    timecode: str | None = None
    apple: bool = False
    date: str | None = None
    metadata: bool = True
    seams: bool = False
    plays: int = 0
    span: tuple[Fraction, Fraction | None] | None = None

    def plain(self) -> SourceTracks:
        """Return the tracks without what is said of the pictures."""
        return replace(self, picture_tags={}, disposition="default", timecode=None, apple=False)

    def bare(self) -> SourceTracks:
        """Return the tracks without metadata and covers; languages and chapters stay."""
        return replace(
            self.plain(),
            tracks=tuple(track for track in self.tracks if track.kind != "cover"),
            picture_tags={
                key: self.picture_tags[key] for key in self.picture_tags if key != "title"
            },
            disposition=self.disposition,
            date=None,
            metadata=False,
        )


def plan_tracks(source: Path, container: Container, *, suffix: str) -> SourceTracks:
    """Decide for every track of ``source`` how it gets into a file of another kind.

    A track that cannot go along is named in a warning.

    Args:
      source: a video file.
      container: the kind of the new file.
      suffix: its usual ending, for the warnings.

    Raises:
      SinkError: the source cannot be read.
    """
    try:
        with av.open(file_url(source), options=open_options(), metadata_errors="replace") as file:
            planned = [_plan(source, stream, container, suffix) for stream in file.streams]
            found = _find_picture_facts(file, container, suffix)
            _name_the_rest(file, container, suffix)
            start, duration = picture_span(file, _main_video(file))
    except (OSError, av.error.FFmpegError) as error:
        raise SinkError(
            f"{source}: cannot be read for its sound and subtitles ({error}); "
            "check the file, or write without them"
        ) from error
    tracks = replace(
        found,
        path=source,
        tracks=tuple(track for track in planned if track is not None),
        video_start=start,
        video_duration=duration,
        plays=count_plays(source) or 0,
    )
    return settle_tracks(tracks, container, seconds=TRIED_SECONDS)


def settle_tracks(
    tracks: SourceTracks, container: Container, *, seconds: float | None = None
) -> SourceTracks:
    """Try with ffmpeg what was planned, and take for each track the first way that works.

    Args:
      tracks: the plan.
      container: the kind of the new file.
      seconds: how much of the source to try; None for the whole.

    Returns:
      The tracks that can go along; the log says what is re-encoded, mixed down or left out, and
      why.
    """
    tried = [track for track in tracks.tracks if track.kind in {"audio", "subtitle"}]
    if not tried or _works(tracks.path, tried, container, seconds) is None:
        return tracks
    settled = (
        _settle(track, tracks.path, container, seconds) if track in tried else track
        for track in tracks.tracks
    )
    return replace(tracks, tracks=tuple(track for track in settled if track is not None))


def _settle(
    track: Track, source: Path, container: Container, seconds: float | None
) -> Track | None:
    reason: str | None = None
    for way in track.alternatives(source):
        failure = _works(source, [way], container, seconds)
        if failure is None:
            if way != track:
                how = f"encoded anew as {way.encoder}" + ", mixed down to two" * way.mixed
                _log.warning(
                    "%s track %d (%s) is %s: %s", track.kind, track.index, track.name, how, reason
                )
            return way
        reason = reason or failure
    _log.warning(
        "%s track %d (%s) is left out: %s", track.kind, track.index, track.name, reason or "damaged"
    )
    return None


def _works(
    source: Path, tracks: Sequence[Track], container: Container, seconds: float | None
) -> str | None:
    """Write tracks to nowhere; return why that fails, or None when it works."""
    arguments = input_arguments(source)
    for position, track in enumerate(tracks):
        arguments += ["-map", f"0:{track.index}", *track.arguments(position)]
    limit = [] if seconds is None else ["-t", f"{seconds:g}"]
    longest = None if seconds is None else _LONGEST_TRIAL
    try:
        run_ffmpeg([*arguments, *limit, "-f", container.muxer, os.devnull], longest=longest)
    except SinkError as error:
        return str(error).removeprefix("ffmpeg failed: ")
    return None


def _count_channels(source: Path, index: int) -> int:
    """Return how many channels a sound track has; 0 where nothing of it can be decoded."""
    map_one = ["-map", f"0:{index}", "-frames:a", "1", "-c:a", "pcm_s16le", "-bitexact"]
    head = read_ffmpeg([*input_arguments(source), *map_one, "-f", "wav", "pipe:1"])[:24]
    return int(struct.unpack("<H", head[22:])[0]) if head[8:16] == b"WAVEfmt " else 0


def _plan(source: Path, stream: Any, container: Container, suffix: str) -> Track | None:
    """Plan one stream; None for one that is left out, which the log tells, or not for here."""
    kind = "cover" if _is_cover(stream) else str(stream.type)
    context = stream.codec_context
    codec = "unknown" if context is None else str(context.codec.canonical_name)
    language = stream.metadata.get("language", "und")
    track = Track(
        index=stream.index,
        kind=kind,
        name=codec if language == "und" else f"{codec}, {language}",
        encoder="copy",
        disposition=_words(stream.disposition),
        language=language,
    )
    if kind in {"attachment", "cover"}:
        if container.attachments if kind == "attachment" else container.covers:
            return track
        _warn_left_out(track, suffix)
        return None
    if kind not in _KINDS:
        return None
    otherwise = None if context is None else container.encoder(kind, codec)
    if kind == "audio" and context is not None and not context.sample_rate:
        _log.warning(
            "audio track %d (%s) is left out: no sound comes in its beginning", track.index, codec
        )
        return None
    if container.copies(kind, codec):
        return replace(track, otherwise=otherwise)
    if otherwise is None:
        _warn_left_out(track, suffix)
        return None
    _log.info("%s track %d (%s) is re-encoded as %s", kind, stream.index, codec, otherwise)
    channels = _count_channels(source, stream.index) if kind == "audio" else 0
    mixed = channels > _MOST_CHANNELS
    if mixed:
        _log.warning(
            "audio track %d (%s) is mixed down to two: its %d channels are more than %s takes",
            *(track.index, track.name, channels, otherwise),
        )
    return replace(track, encoder=otherwise, otherwise=otherwise, channels=channels, mixed=mixed)


def _words(flags: int) -> str:
    """Return ffmpeg's words for what a track is for: ``default+forced``."""
    return "+".join(flag.name.lower() for flag in Disposition(flags) if flag.name) or "0"


def _warn_left_out(track: Track, suffix: str) -> None:
    advice = "; choose .mkv to keep it"
    if track.kind == "cover":
        advice = "; choose .mp4 to keep it"
    elif suffix == ".mkv":
        advice = ""
    _log.warning(
        "%s track %d (%s) is left out: a %s file cannot hold it%s",
        *(track.kind, track.index, track.name, suffix, advice),
    )


def _find_picture_facts(file: Any, container: Container, suffix: str) -> SourceTracks:
    """Return what is said of the pictures and of the file, as far as the new one can hold it."""
    video = _main_video(file)
    facts = {} if video is None else dict(video.metadata)
    tags = {key: facts[key] for key in _PICTURE_TAGS if facts.get(key, "und") != "und"}
    if "stereo_mode" in tags and not container.stereo:
        mode = tags.pop("stereo_mode")
        _log.warning("a %s file cannot say that it is stereoscopic (%s); choose .mkv", suffix, mode)
    codes = (record.metadata.get("timecode") for record in (*file.streams, file))
    timecode = next((code for code in codes if code), None)
    if timecode is not None and container.muxer == "gif":
        _log.warning("the timecode (%s) is left out: a GIF has none", timecode)
    return SourceTracks(
        path=Path(),
        picture_tags=tags,
        disposition="default" if video is None else _words(video.disposition),
        timecode=timecode,
        apple=any(key.startswith(_APPLE) for key in file.metadata),
        date=file.metadata.get("creation_time", "").partition(";")[0] or None,
        seams=has_seams(file),
    )


def _name_the_rest(file: Any, container: Container, suffix: str) -> None:
    """Name what a film cannot take along at all: further pictures, data, a GIF's chapters."""
    video, chapters = _main_video(file), len(file.chapters())
    for stream in file.streams:
        kind = str(stream.type)
        if kind in _KINDS or _is_cover(stream) or stream is video:
            continue
        if stream.metadata.get("timecode") and container.timecode:
            continue  # it is written anew
        if kind == "data" and chapters and stream.frames == chapters:
            continue  # the names of an MP4's chapters
        name = "" if stream.codec_context is None else str(stream.codec_context.name)
        name = name or str(stream.metadata.get("handler_name", "")).strip() or "unknown"
        why = "one is painted" if kind == "video" else "it cannot go along"
        _log.warning("%s track %d (%s) is left out: %s", kind, stream.index, name, why)
    if container.muxer == "gif" and chapters:
        _log.warning("%d chapters are left out: a %s file cannot hold them", chapters, suffix)


def _main_video(file: Any) -> Any:
    """Return the stream that is painted, as `stylizer.io.media.container` chooses it."""
    streams = [stream for stream in file.streams.video if not _is_cover(stream)]
    best = file.streams.best("video") if streams else None
    return next((stream for stream in streams if stream is best), next(iter(streams), None))


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)
