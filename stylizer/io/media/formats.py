"""What each kind of video file can hold, and so what becomes of a source's sound and subtitles.

A track is copied, re-encoded, or cannot go along. Codec names are ffmpeg's own
(``ffmpeg -codecs``).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av

from stylizer.errors import SinkError
from stylizer.io.media.container import file_url, stream_seconds

__all__ = [
    "CONTAINERS",
    "GIF_TOP_RATE",
    "PICTURE_SUBTITLES",
    "Container",
    "SourceTracks",
    "Track",
    "plan_tracks",
]

_log = logging.getLogger(__name__)

PICTURE_SUBTITLES = frozenset(
    {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub", "dvb_teletext"}
)
"""Subtitles that are pictures, not text: they can be copied, but not turned into text."""

_MP4_SOUND = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "alac", "opus", "flac", "dts"})
_PCM = frozenset(f"pcm_{bits}{end}" for bits in ("s16", "s24", "s32") for end in ("le", "be"))
_MOV_SOUND = (_MP4_SOUND - {"mp2", "opus", "flac", "dts"}) | _PCM | {"pcm_f32le", "pcm_u8"}
_MKV_SOUND = (
    _MP4_SOUND | _PCM | {"pcm_f32le", "pcm_f64le", "pcm_u8", "vorbis", "truehd", "tta", "wavpack"}
)
_MKV_SUBTITLES = frozenset(
    {"subrip", "ass", "webvtt", "text", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
)


@dataclass(frozen=True, kw_only=True)
class Container:
    """A kind of video file.

    Attributes:
      muxer: ffmpeg's name of the format.
      video: ``h264``, ``vp9`` or ``gif``.
      sound: codecs that are copied.
      sound_encoder: for the others; None when the format has no sound.
      subtitles: codecs that are copied.
      subtitle_encoder: for other subtitles of text; None when the format has none.
      attachments: whether fonts and the like are carried over.
      flags: for the muxer.
    """

    muxer: str
    video: str
    sound: frozenset[str] = frozenset()
    sound_encoder: str | None = None
    subtitles: frozenset[str] = frozenset()
    subtitle_encoder: str | None = None
    attachments: bool = False
    flags: tuple[str, ...] = ()

    def copies(self, kind: str, codec: str) -> bool:
        """Whether a track of ``kind`` (``audio``, ``subtitle``) can be taken over as it is."""
        known = self.sound if kind == "audio" else self.subtitles
        return codec in known

    def encoder(self, kind: str, codec: str) -> str | None:
        """Return the encoder for a track that cannot be copied; None when nothing helps."""
        if kind == "audio":
            return self.sound_encoder
        return None if codec in PICTURE_SUBTITLES else self.subtitle_encoder

    @property
    def needs_even_size(self) -> bool:
        """H.264 in yuv420p keeps one color for 2 x 2 pixels; VP9 pads inside, GIF has no need."""
        return self.video == "h264"


_MP4 = Container(
    muxer="mp4",
    video="h264",
    sound=_MP4_SOUND,
    sound_encoder="aac",
    subtitles=frozenset({"mov_text"}),
    subtitle_encoder="mov_text",
    flags=("-movflags", "+faststart", "-write_tmcd", "0"),
)

CONTAINERS = {
    ".mp4": _MP4,
    ".mov": replace(_MP4, muxer="mov", sound=_MOV_SOUND),
    ".mkv": Container(
        muxer="matroska",
        video="h264",
        sound=_MKV_SOUND,
        sound_encoder="flac",
        subtitles=_MKV_SUBTITLES,
        subtitle_encoder="srt",
        attachments=True,
    ),
    ".webm": Container(
        muxer="webm",
        video="vp9",
        sound=frozenset({"opus", "vorbis"}),
        sound_encoder="libopus",
        subtitles=frozenset({"webvtt"}),
        subtitle_encoder="webvtt",
    ),
    ".gif": Container(muxer="gif", video="gif"),
}
"""The kinds of video file that can be written, by suffix."""

GIF_TOP_RATE = Fraction(50)
"""Frames a second: players take a GIF's shorter delays for mistakes and slow them to a tenth."""


_CHANNEL_RATE = 96_000
"""Bits a second and channel of sound that is re-encoded: transparent for AAC and Opus."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """One track to carry over.

    Attributes:
      index: of the stream in the source.
      kind: ``audio``, ``subtitle`` or ``attachment``.
      encoder: ffmpeg's name of the encoder, or ``copy``.
      channels: of a sound track; else 0.
    """

    index: int
    kind: str
    encoder: str
    channels: int = 0

    def arguments(self, output: int) -> list[str]:
        """Return ffmpeg's options for this track as stream ``output`` of the result."""
        options = [f"-c:{output}", self.encoder]
        if self.kind != "audio" or self.encoder == "copy":
            return options
        # Without async a hole in the source's sound would close, and all that follows come early.
        filters = "aresample=async=1"
        if self.encoder == "libopus":  # it refuses 5.1(side) and other layouts
            filters += ",aformat=channel_layouts=mono|stereo|3.0|quad|5.0|5.1|6.1|7.1"
        if self.encoder != "flac":
            options += [f"-b:{output}", str(min(_CHANNEL_RATE * max(self.channels, 1), 510_000))]
        return [*options, f"-filter:{output}", filters]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceTracks:
    """What of a source goes into the new file beside the pictures.

    Attributes:
      path: of the source.
      tracks: in the source's order.
      video_start: seconds from the file's start to its first picture; positive where sound
        begins earlier.
      video_duration: seconds of pictures; None when the file does not say.
    """

    path: Path
    tracks: tuple[Track, ...] = ()
    video_start: Fraction = Fraction(0)
    video_duration: Fraction | None = None


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
        with av.open(file_url(source), metadata_errors="replace") as file:
            planned = [_plan(stream, container, suffix) for stream in file.streams]
            start, duration = _video_span(file)
    except (OSError, av.error.FFmpegError) as error:
        raise SinkError(
            f"{source}: cannot be read for its sound and subtitles ({error}); "
            "check the file, or write without them"
        ) from error
    return SourceTracks(
        path=source,
        tracks=tuple(track for track in planned if track is not None),
        video_start=start,
        video_duration=duration,
    )


def _plan(stream: Any, container: Container, suffix: str) -> Track | None:
    kind = str(stream.type)
    if kind == "attachment" and container.attachments:
        return Track(index=stream.index, kind=kind, encoder="copy")
    if kind not in {"audio", "subtitle"}:
        return None
    context = stream.codec_context
    codec = "unknown" if context is None else str(context.codec.canonical_name)
    if container.copies(kind, codec):
        encoder: str | None = "copy"
    else:
        encoder = None if context is None else container.encoder(kind, codec)
    if encoder is None:
        _warn_left_out(stream, kind, codec, suffix)
        return None
    channels = context.layout.nb_channels if kind == "audio" else 0
    if encoder != "copy":
        _log.info("%s track %d (%s) is re-encoded as %s", kind, stream.index, codec, encoder)
    return Track(index=stream.index, kind=kind, encoder=encoder, channels=channels)


def _warn_left_out(stream: Any, kind: str, codec: str, suffix: str) -> None:
    language = stream.metadata.get("language")
    name = f"{codec}, {language}" if language else codec
    _log.warning(
        "%s track %d (%s) is left out: a %s file cannot hold it; choose .mkv to keep it",
        kind,
        stream.index,
        name,
        suffix,
    )


def _video_span(file: Any) -> tuple[Fraction, Fraction | None]:
    """Return when the pictures begin in the file, and for how long they go on, in seconds."""
    video = next((s for s in file.streams.video if not _is_cover(s)), None)
    if video is None:
        return Fraction(0), None
    start = Fraction(0)
    if video.start_time is not None and file.start_time is not None:
        start = video.start_time * video.time_base - Fraction(file.start_time, av.time_base)
    return start, stream_seconds(video) or _scan_duration(file, video)


def _scan_duration(file: Any, video: Any) -> Fraction | None:
    """Read through the packets (nothing is decoded) of a file that does not tell its length."""
    times = [
        (packet.pts, packet.pts + (packet.duration or 0))
        for packet in file.demux(video)
        if packet.pts is not None
    ]
    if not times:
        return None
    span = max(end for _, end in times) - min(begin for begin, _ in times)
    return Fraction(span) * Fraction(video.time_base)


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)
