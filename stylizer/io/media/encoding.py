"""Encoding with ffmpeg: its command lines.

Pictures go to an intermediate file, and that, with the source's tracks, to the finished one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from stylizer.errors import ConfigError
from stylizer.io.media.color import HD_WIDTH, SD_HEIGHT
from stylizer.io.media.formats import GIF_TOP_RATE, Container
from stylizer.io.media.hardware import ENCODERS, HARDWARE, hardware_arguments
from stylizer.io.media.inputs import file_url

__all__ = [
    "PRESETS",
    "VideoWriterConfig",
    "check_crf",
    "encode_arguments",
    "gif_arguments",
    "stream_arguments",
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
      encoder: of H.264, one of `ENCODERS`; ``"auto"`` is the first of `HARDWARE` that works here,
        and else x264. CRF is about the same quality with each; presets are x264's.
      b_frames: whether pictures may be stored in another order than they are shown in. Without,
        H.264 keeps for how long each stands, also the last, wherever it is copied to.
    """

    crf: int | None = None
    preset: str = "veryfast"
    encoder: str = "x264"
    b_frames: bool = True

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.crf is not None and not 0 <= self.crf <= 63:
            raise ConfigError(f"crf: expected 0..51 (H.264) or 0..63 (VP9), got {self.crf}")
        if self.preset not in PRESETS:
            raise ConfigError(f"preset: expected one of {', '.join(PRESETS)}; got {self.preset!r}")
        if self.encoder not in ENCODERS:
            known = ", ".join(ENCODERS)
            raise ConfigError(f"encoder: expected one of {known}; got {self.encoder!r}")


def encode_arguments(  # noqa: PLR0913 - each is a fact of its own about the file to be
    output: Path,
    *,
    size: tuple[int, int],
    rate: Fraction,
    container: Container,
    config: VideoWriterConfig,
    transparent: bool = False,
) -> list[str]:
    """Raw frames on the standard input to a file that is playable even when cut off.

    The intermediate file, an MP4, is in fragments, so that a crash, or a full disk, costs the last
    second at most. Unlike Matroska, MP4 keeps the exact rate; but it cannot hold transparent VP9.

    Args:
      output: the file to write.
      size: (width, height) of the frames, in pixels.
      rate: frames a second.
      container: the kind of the finished file.
      config: how to encode; ``"auto"`` counts as x264 here.
      transparent: whether frames are RGBA, and not RGB; only where the container can be so.
    """
    width, height = size
    pixels = "rgba" if transparent else "rgb24"
    source = ["-f", "rawvideo", "-pixel_format", pixels, "-video_size", f"{width}x{height}"]
    source += ["-framerate", _ratio(rate), "-i", "pipe:0"]
    muxer = {"webm": "webm", "mov": "mov"}[container.muxer] if transparent else "mp4"
    fragments = ["-movflags", "+frag_keyframe+empty_moov+delay_moov", "-frag_duration", "1000000"]
    if muxer == "webm":
        fragments = []
    codec = _codec_arguments(container.video, config)
    if transparent:
        codec = _transparent_arguments(container, config)
    return [*source, *codec, "-fps_mode", "passthrough", *fragments, "-f", muxer, file_url(output)]


def stream_arguments(  # noqa: PLR0913 - each is a fact of its own about the film to be
    kind: str,
    *,
    size: tuple[int, int],
    rate: Fraction,
    config: VideoWriterConfig,
    delay: Sequence[str] = (),
    inputs: Sequence[str] = (),
    mapping: Sequence[str] = (),
) -> list[str]:
    """Raw frames on the standard input to a film on the standard output, as they come.

    Args:
      kind: ``mkv``, or ``y4m``, which has no sound.
      size: (width, height) of the frames, in pixels.
      rate: frames a second.
      config: how to encode.
      delay: arguments that have the pictures begin later.
      inputs: arguments for a source of further tracks.
      mapping: arguments for what is taken of it.
    """
    raw = ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{size[0]}x{size[1]}"]
    raw += ["-framerate", _ratio(rate), "-i", "pipe:0"]
    if kind == "y4m":
        # It does not say by which matrix its colors are to be read: by size, as for all films.
        matrix = "bt709" if size[0] >= HD_WIDTH or size[1] > SD_HEIGHT else "smpte170m"
        graph = f"scale=out_color_matrix={matrix}:out_range=tv:{_EXACT},format=yuv420p"
        return [*raw, "-vf", graph, "-fps_mode", "passthrough", "-f", "yuv4mpegpipe", "pipe:1"]
    codec = _codec_arguments("h264", config)
    flags = ["-fps_mode", "passthrough", "-flush_packets", "1"]
    return [
        *delay,
        *raw,
        *inputs,
        "-map",
        "0:v:0",
        *codec,
        *mapping,
        *flags,
        "-f",
        "matroska",
        "pipe:1",
    ]


def gif_arguments(
    pictures: Path, palette: Path, output: Path, *, rate: Fraction, plays: int = 0
) -> tuple[list[str], list[str]]:
    """Two runs of ffmpeg: find the 256 best colors of all pictures, then write with them.

    In one run ffmpeg would hold every picture in memory until it knew the palette.

    Args:
      pictures: what `encode_arguments` made.
      palette: a picture to be, for the colors.
      output: the file to write.
      rate: frames a second.
      plays: how often the GIF is shown; 0 for without end.
    """
    slow: Callable[[str], str] = (
        (lambda graph: f"fps={GIF_TOP_RATE},{graph}") if rate > GIF_TOP_RATE else (lambda g: g)
    )
    loop = str({0: 0, 1: -1}.get(plays, plays - 1))  # repetitions; -1 for none
    look = ["-i", file_url(pictures), "-vf", slow("palettegen"), "-frames:v", "1", "-update", "1"]
    still = ["-f", "image2", "-pattern_type", "none", "-i", file_url(palette)]  # "%d" is no pattern
    write = ["-i", file_url(pictures), *still, "-lavfi", slow("paletteuse")]
    return (
        [*look, "-f", "image2", "-c:v", "png", file_url(palette)],
        [*write, "-fps_mode", "passthrough", "-loop", loop, "-f", "gif", file_url(output)],
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
    order = [] if config.b_frames else ["-bf", "0"]
    # What a player assumes of untagged video depends on its size, so say it, and convert by it.
    if video == "h264" and config.encoder in HARDWARE:
        graph = _to_bt709("nv12")[1]
        return [*hardware_arguments(config.encoder, graph=graph, crf=int(crf)), *order]
    options = _to_bt709("yuv420p")
    if video == "vp9":
        return [*options, *_vp9_arguments(config, crf)]
    return [*options, "-c:v", "libx264", "-preset", config.preset, "-crf", crf, *order]


def _transparent_arguments(container: Container, config: VideoWriterConfig) -> list[str]:
    options = _to_bt709(container.transparent)
    if container.video == "vp9":
        crf = str(_DEFAULT_CRF["vp9"] if config.crf is None else config.crf)
        return [*options, *_vp9_arguments(config, crf), "-auto-alt-ref", "0"]
    return [*options, "-c:v", "prores_ks", "-profile:v", "4444", "-alpha_bits", "16"]


def _to_bt709(pixels: str) -> list[str]:
    return [
        "-vf",
        f"scale=out_color_matrix=bt709:out_range=tv:{_EXACT},"
        f"format={pixels},setparams=color_primaries=bt709:color_trc=bt709",
    ]


_EXACT = "flags=bicubic+accurate_rnd+full_chroma_int"


def _vp9_arguments(config: VideoWriterConfig, crf: str) -> list[str]:
    deadline, speed = _VP9_SPEEDS[PRESETS.index(config.preset)]
    options = ["-c:v", "libvpx-vp9", "-b:v", "0", "-row-mt", "1", "-crf", crf]
    return [*options, "-deadline", deadline, "-cpu-used", speed]


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"
