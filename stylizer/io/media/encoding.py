"""The command lines of ffmpeg: pictures to an intermediate file, that to the finished one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from stylizer.errors import ConfigError
from stylizer.io.media.ffmpeg import file_url
from stylizer.io.media.formats import GIF_TOP_RATE, Container
from stylizer.io.media.tracks import SourceTracks

__all__ = [
    "PRESETS",
    "VideoWriterConfig",
    "check_crf",
    "encode_arguments",
    "gif_arguments",
    "mux_arguments",
]

PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)
"""x264's presets, from fast and large to slow and small."""

_VP9_SPEEDS = (
    *(("realtime", "8"), ("realtime", "8"), ("realtime", "7"), ("realtime", "7")),
    *(("realtime", "6"), ("realtime", "5"), ("good", "3"), ("good", "2"), ("good", "1")),
)
"""VP9's counterparts of `PRESETS`. On a clip of 720x480, realtime 5 took a third of the processor's
time of good 4, at the same likeness (SSIM) and 5 % more bytes."""

_DEFAULT_CRF = {"h264": 18, "vp9": 28}
_TOP_CRF = {"h264": 51, "vp9": 63}


@dataclass(frozen=True, kw_only=True)
class VideoWriterConfig:
    """How the pictures are encoded.

    Attributes:
      crf: constant rate factor; less is better and larger. 0..51 for H.264 (default 18: hardly to
        be told from the original), 0..63 for VP9 (default 28); a GIF has none.
      preset: how long the encoder may look for a smaller file; one of `PRESETS`.
    """

    crf: int | None = None
    preset: str = "veryfast"

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.crf is not None and not 0 <= self.crf <= 63:
            raise ConfigError(f"crf: expected 0..51 (H.264) or 0..63 (VP9), got {self.crf}")
        if self.preset not in PRESETS:
            raise ConfigError(f"preset: expected one of {', '.join(PRESETS)}; got {self.preset!r}")


def encode_arguments(
    output: Path,
    *,
    size: tuple[int, int],
    rate: Fraction,
    container: Container,
    config: VideoWriterConfig,
) -> list[str]:
    """Raw RGB frames on the standard input to an MP4 that is playable even when cut off.

    The intermediate file is in fragments, so that a crash, or a full disk, costs the last second
    at most. Unlike Matroska, MP4 keeps the exact rate.
    """
    width, height = size
    source = ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{width}x{height}"]
    source += ["-framerate", _ratio(rate), "-i", "pipe:0"]
    fragments = ["-movflags", "+frag_keyframe+empty_moov+delay_moov", "-frag_duration", "1000000"]
    return [
        *source,
        *_codec_arguments(container.video, config),
        *("-fps_mode", "passthrough", *fragments, "-f", "mp4", file_url(output)),
    ]


def mux_arguments(
    pictures: Path,
    output: Path,
    *,
    container: Container,
    tracks: SourceTracks | None,
    end: Fraction | None,
) -> list[str]:
    """Encoded pictures and the source's tracks to the finished file.

    Frames are upright already, so the source's rotation must not come along: of its picture track
    nothing is taken, neither metadata nor side data.

    Args:
      pictures: what `encode_arguments` made.
      output: the file to write.
      container: its kind.
      tracks: what to take of the source; None for nothing.
      end: seconds of pictures to cut the other tracks at; None to keep them whole.
    """
    if tracks is None:
        inputs, mapping = ["-i", file_url(pictures)], ["-map", "0:v:0", "-c", "copy"]
    else:
        inputs = ["-itsoffset", _seconds(tracks.video_start), "-i", file_url(pictures)]
        inputs += ["-i", file_url(tracks.path)]
        mapping = ["-map", "0:v:0", "-c:0", "copy", "-map_metadata", "1", "-map_chapters", "1"]
        for position, track in enumerate(tracks.tracks, start=1):
            mapping += ["-map", f"1:{track.index}", *track.arguments(position)]
        if end is not None:
            mapping += ["-t", _seconds(tracks.video_start + end)]
    for brand in ("major_brand", "minor_version", "compatible_brands"):  # the old MP4's, not ours
        mapping += ["-metadata", f"{brand}="]
    return [*inputs, *mapping, *container.flags, "-f", container.muxer, file_url(output)]


def gif_arguments(
    pictures: Path, palette: Path, output: Path, *, rate: Fraction
) -> tuple[list[str], list[str]]:
    """Two runs of ffmpeg: find the 256 best colors of all pictures, then write with them.

    In one run ffmpeg would hold every picture in memory until it knew the palette.
    """
    slow: Callable[[str], str] = (
        (lambda graph: f"fps={GIF_TOP_RATE},{graph}") if rate > GIF_TOP_RATE else (lambda g: g)
    )
    look = ["-i", file_url(pictures), "-vf", slow("palettegen"), "-frames:v", "1", "-update", "1"]
    still = ["-f", "image2", "-pattern_type", "none", "-i", file_url(palette)]  # "%d" is no pattern
    write = ["-i", file_url(pictures), *still, "-lavfi", slow("paletteuse")]
    return (
        [*look, "-f", "image2", "-c:v", "png", file_url(palette)],
        [*write, "-fps_mode", "passthrough", "-loop", "0", "-f", "gif", file_url(output)],
    )


def check_crf(config: VideoWriterConfig, container: Container) -> None:
    """Check ``crf`` against the codec that it is for.

    Raises:
      ConfigError: it is out of range.
    """
    top = _TOP_CRF.get(container.video)
    if top is not None and config.crf is not None and config.crf > top:
        raise ConfigError(f"crf: expected 0..{top} for {container.video}, got {config.crf}")


def _codec_arguments(video: str, config: VideoWriterConfig) -> list[str]:
    if video == "gif":  # lossless for now: colors are chosen when all pictures are known
        return ["-c:v", "libx264rgb", "-qp", "0", "-preset", "ultrafast"]
    crf = str(_DEFAULT_CRF[video] if config.crf is None else config.crf)
    # What a player assumes of untagged video depends on its size, so say it, and convert by it.
    options = [
        "-vf",
        "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,"
        "format=yuv420p,setparams=color_primaries=bt709:color_trc=bt709",
    ]
    if video == "vp9":
        deadline, speed = _VP9_SPEEDS[PRESETS.index(config.preset)]
        options += ["-c:v", "libvpx-vp9", "-b:v", "0", "-row-mt", "1", "-crf", crf]
        return [*options, "-deadline", deadline, "-cpu-used", speed]
    return [*options, "-c:v", "libx264", "-preset", config.preset, "-crf", crf]


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def _seconds(value: Fraction) -> str:
    return f"{float(value):.6f}"
