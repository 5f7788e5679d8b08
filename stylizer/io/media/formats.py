"""What each kind of video file can hold. Codec names are ffmpeg's own (``ffmpeg -codecs``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

__all__ = ["CONTAINERS", "GIF_TOP_RATE", "PICTURE_SUBTITLES", "Container"]

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
      covers: whether ffmpeg writes a picture of the cover beside the film.
      stereo: whether it says how the two pictures of a stereoscopic film lie in one.
      timecode: whether it holds a timecode that programs for cutting read.
      transparent: ffmpeg's pixel format with transparency; empty where there is none.
      movflags: of ffmpeg's muxer for MP4 and MOV; empty for the others.
    """

    muxer: str
    video: str
    sound: frozenset[str] = frozenset()
    sound_encoder: str | None = None
    subtitles: frozenset[str] = frozenset()
    subtitle_encoder: str | None = None
    attachments: bool = False
    covers: bool = False
    stereo: bool = False
    timecode: bool = False
    transparent: str = ""
    movflags: str = ""

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
    covers=True,
    timecode=True,
    movflags="+faststart",
)

CONTAINERS = {
    ".mp4": _MP4,
    ".mov": replace(_MP4, muxer="mov", sound=_MOV_SOUND, covers=False, transparent="yuva444p10le"),
    ".mkv": Container(
        muxer="matroska",
        video="h264",
        sound=_MKV_SOUND,
        sound_encoder="flac",
        subtitles=_MKV_SUBTITLES,
        subtitle_encoder="srt",
        attachments=True,
        stereo=True,
    ),
    ".webm": Container(
        muxer="webm",
        video="vp9",
        sound=frozenset({"opus", "vorbis"}),
        sound_encoder="libopus",
        subtitles=frozenset({"webvtt"}),
        subtitle_encoder="webvtt",
        stereo=True,
        transparent="yuva420p",
    ),
    ".gif": Container(muxer="gif", video="gif"),
}
"""The kinds of video file that can be written, by suffix."""

GIF_TOP_RATE = Fraction(50)
"""Frames a second: players take a GIF's shorter delays for mistakes and slow them to a tenth."""
