"""Encoding with ffmpeg: its command lines, and the process, which never hangs nor stays behind.

Pictures go to an intermediate file, and that, with the source's tracks, to the finished one.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import IO, Any

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av
import imageio_ffmpeg

from stylizer.errors import ConfigError, SinkError
from stylizer.io.media.formats import GIF_TOP_RATE, Container
from stylizer.io.media.hardware import ENCODERS, HARDWARE, hardware_arguments
from stylizer.io.media.inputs import file_url
from stylizer.io.processes import die_with_parent, stays_in_group

__all__ = [
    "PRESETS",
    "FfmpegProcess",
    "VideoWriterConfig",
    "check_crf",
    "encode_arguments",
    "ffmpeg_executable",
    "gif_arguments",
    "is_playable",
    "read_ffmpeg",
    "run_ffmpeg",
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
    """

    crf: int | None = None
    preset: str = "veryfast"
    encoder: str = "x264"

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
    # What a player assumes of untagged video depends on its size, so say it, and convert by it.
    if video == "h264" and config.encoder in HARDWARE:
        graph = _to_bt709("nv12")[1]
        return hardware_arguments(config.encoder, graph=graph, crf=int(crf))
    options = _to_bt709("yuv420p")
    if video == "vp9":
        return [*options, *_vp9_arguments(config, crf)]
    return [*options, "-c:v", "libx264", "-preset", config.preset, "-crf", crf]


def _transparent_arguments(container: Container, config: VideoWriterConfig) -> list[str]:
    options = _to_bt709(container.transparent)
    if container.video == "vp9":
        crf = str(_DEFAULT_CRF["vp9"] if config.crf is None else config.crf)
        return [*options, *_vp9_arguments(config, crf), "-auto-alt-ref", "0"]
    return [*options, "-c:v", "prores_ks", "-profile:v", "4444", "-alpha_bits", "16"]


def _to_bt709(pixels: str) -> list[str]:
    return [
        "-vf",
        "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,"
        f"format={pixels},setparams=color_primaries=bt709:color_trc=bt709",
    ]


def _vp9_arguments(config: VideoWriterConfig, crf: str) -> list[str]:
    deadline, speed = _VP9_SPEEDS[PRESETS.index(config.preset)]
    options = ["-c:v", "libvpx-vp9", "-b:v", "0", "-row-mt", "1", "-crf", crf]
    return [*options, "-deadline", deadline, "-cpu-used", speed]


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


_LONGEST_LOOK = 20.0
"""Seconds that looking at the beginning of a track may take."""

_CONSEQUENCES = (
    "Conversion failed",
    "Error muxing a packet",
    "Error sending frames to consumers",
    "Error submitting a packet to the muxer",
    "Error submitting packet to decoder",
    "Terminating thread with return code",
    "Task finished with error code",
    "Error while filtering",
    "Nothing was written into output file",
    "Exiting with exit code",
    "Last message repeated",
)
"""What ffmpeg says after the line that tells the reason."""


_IN_PASSING = re.compile(
    r"\[(?:aac|ac3|mp3float|h264|hevc|mpeg2video|mpeg4|vp9) @ (?!.*Unsupported)"
)
"""Complaints of decoders, which go on after them."""


@cache
def ffmpeg_executable() -> str:
    """Return the path of ffmpeg (imageio-ffmpeg's own, or the one in IMAGEIO_FFMPEG_EXE)."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise SinkError(
            "no ffmpeg found; install it (pip install imageio-ffmpeg) or set IMAGEIO_FFMPEG_EXE"
        ) from error


class FfmpegProcess:
    """One ffmpeg, fed through its standard input or with files only.

    It stands outside the terminal's process group, so that Ctrl-C reaches Python alone, which then
    ends it properly. What it says goes into a temporary file: a pipe that nobody reads would fill,
    and stop it. Should Python be killed, its input ends, and with that ffmpeg; one without an input
    is killed with it (on Linux).
    """

    def __init__(self, arguments: Sequence[str], *, piped: bool = False) -> None:
        """Start ``ffmpeg -y <arguments>``, with an open standard input when ``piped``."""
        self._words: IO[bytes] = tempfile.TemporaryFile()
        command = [ffmpeg_executable(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y"]
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
                bufsize=0,
                **_own_group(),
                **({} if piped else _mortal()),
            )
        except OSError as error:
            self._words.close()
            raise SinkError(f"ffmpeg cannot be started: {error}") from error

    def write(self, data: memoryview) -> None:
        """Feed bytes.

        Raises:
          SinkError: ffmpeg has died; with its last words.
        """
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            raise SinkError("ffmpeg takes no more frames: it was ended already")
        try:
            while data:
                data = data[pipe.write(data) or 0 :]
        except OSError as error:
            self._close_input()
            self._process.wait()
            raise self._failure() from error

    def finish(self, *, longest: float | None = None) -> None:
        """End the input and wait for ffmpeg's end, or so many seconds.

        Raises:
          SinkError: ffmpeg failed; with its reason.
        """
        self._close_input()
        try:
            failed = self._process.wait(longest) != 0
        except subprocess.TimeoutExpired:
            return
        if failed:
            raise self._failure()

    def kill(self) -> None:
        """End ffmpeg whatever it does, if it still runs; may be called again."""
        if self._process.poll() is None:
            self._process.kill()
        self._close_input()
        self._process.wait()
        self._words.close()

    def _close_input(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()  # unbuffered: nothing to flush, so it cannot fail

    def _failure(self) -> SinkError:
        code = self._process.returncode
        if not self._words.closed:
            self._words.seek(0)
            if reason := _first_reason(self._words.read().decode("utf-8", "replace")):
                return SinkError(f"ffmpeg failed: {reason}")
        if code < 0:
            return SinkError(f"ffmpeg was killed by {signal.Signals(-code).name}")
        return SinkError(f"ffmpeg failed with exit code {code} and gave no reason")


def run_ffmpeg(arguments: Sequence[str], *, longest: float | None = None) -> None:
    """Run ``ffmpeg -y <arguments>`` to its end; an exception, such as Ctrl-C, ends it at once.

    Args:
      arguments: for ffmpeg.
      longest: seconds after which it is ended, and all is well so far; None to wait for its end.

    Raises:
      SinkError: ffmpeg failed; with its reason.
    """
    process = FfmpegProcess(arguments)
    try:
        process.finish(longest=longest)
    finally:
        process.kill()


def read_ffmpeg(arguments: Sequence[str]) -> bytes:
    """Return what ffmpeg writes to its standard output; what it complains of is passed over."""
    command = [ffmpeg_executable(), "-hide_banner", "-nostdin", "-loglevel", "quiet"]
    try:
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
            timeout=_LONGEST_LOOK,
            **_own_group(),
            **_mortal(),
        )
        return done.stdout
    except subprocess.TimeoutExpired:
        return b""
    except OSError as error:
        raise SinkError(f"ffmpeg cannot be started: {error}") from error


def is_playable(path: Path) -> bool:
    """Whether at least one picture of a video file can be decoded."""
    try:
        with av.open(file_url(path)) as file:
            return next(iter(file.decode(video=0)), None) is not None
    except (OSError, IndexError, av.error.FFmpegError):
        return False


def _first_reason(text: str) -> str:
    """Return the first line that says why, without ffmpeg's ``[muxer @ 0x55d2]`` before it.

    What a decoder or a parser complains of is passed over where something else follows: damaged
    data alone ends nothing.
    """
    matches = [re.match(r"((?:\[[^\]]*\]\s*)*)(.*)", line.strip()) for line in text.splitlines()]
    lines = [(match[1], match[2]) for match in matches if match is not None and match[2]]
    reasons = [line for line in lines if not line[1].startswith(_CONSEQUENCES)]
    hard = [line for line in reasons if not _IN_PASSING.match("".join(line))]
    return (hard or reasons or lines or [("", "")])[0][1]


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    # Where the whole group is ended with its leader, ffmpeg must not leave it.
    return {} if stays_in_group() else {"start_new_session": True}


def _mortal() -> dict[str, Any]:
    """Return how to start what a thread waits for: killed, it takes that along."""
    return {"preexec_fn": die_with_parent} if sys.platform == "linux" else {}
