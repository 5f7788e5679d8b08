"""Which encoder of H.264 is used: those of graphics hardware are tried before they are relied on.

That ffmpeg lists an encoder says that it was built with it. Whether a device and its driver are
there, and take pictures of this size, shows only when some are encoded.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

from stylizer.errors import ConfigError, SinkError
from stylizer.io.media.encoding import VideoWriterConfig, check_crf, encode_arguments
from stylizer.io.media.ffmpeg import FfmpegProcess, is_playable
from stylizer.io.media.formats import CONTAINERS, Container
from stylizer.io.media.hardware import HARDWARE
from stylizer.io.media.segments import padded_size
from stylizer.notices import notice

__all__ = ["choose_encoder", "try_encoder"]

_FRAMES = 8
_LONGEST = 20.0
"""Seconds after which a driver that hangs counts as one that does not work."""


def choose_encoder(
    config: VideoWriterConfig, size: tuple[int, int], container: Container, *, transparent: bool
) -> VideoWriterConfig:
    """Return settings whose encoder works here: ``"auto"`` is replaced, and said in one line.

    Args:
      config: how to encode.
      size: (width, height) of the frames, in pixels.
      container: the kind of the file to be.
      transparent: whether it says how opaque frames are, which H.264 cannot.

    Raises:
      ConfigError: an encoder of H.264 is asked for, and something else is written; or crf is out of
        the codec's range.
      SinkError: an encoder of graphics hardware is asked for, and does not work here.
    """
    check_crf(config, container)
    if container.video != "h264" or transparent:
        if config.encoder in HARDWARE:
            raise ConfigError(
                f"encoder: {config.encoder} encodes H.264, and this file holds none; "
                "leave it out, or choose .mp4 or .mkv"
            )
        return config
    padded = padded_size(size, container)
    if config.encoder in HARDWARE:
        reason = try_encoder(config.encoder, padded)
        if reason is not None:
            raise SinkError(
                f"encoder: {config.encoder} does not work here ({reason}); choose x264, or auto "
                "for the first one that works"
            )
    if config.encoder != "auto":
        return config
    reasons = []
    for name in _candidates():
        reason = try_encoder(name, padded)
        if reason is None:
            notice.info("encoder: %s", name)
            return replace(config, encoder=name)
        reasons.append(f"{name}: {reason}")
    notice.info("encoder: x264, as no graphics hardware encodes here (%s)", "; ".join(reasons))
    return replace(config, encoder="x264")


@cache
def try_encoder(name: str, size: tuple[int, int]) -> str | None:
    """Encode some pictures; return why that failed, None if it did not.

    Args:
      name: one of `HARDWARE`.
      size: (width, height) in pixels, both even.
    """
    width, height = size
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    with tempfile.TemporaryDirectory(prefix="stylizer-") as folder:
        output = Path(folder) / "tried.mp4"
        arguments = encode_arguments(
            output,
            size=size,
            rate=Fraction(25),
            container=CONTAINERS[".mp4"],
            config=VideoWriterConfig(encoder=name),
        )
        try:
            process = FfmpegProcess(arguments, piped=True)
        except SinkError as error:
            return str(error)
        try:
            for shift in range(_FRAMES):
                process.write(np.roll(picture, shift, axis=1).data.cast("B"))
            process.finish(longest=_LONGEST)
        except SinkError as error:
            return str(error).removeprefix("ffmpeg failed: ")
        finally:
            process.kill()
        return None if is_playable(output) else "it wrote no picture that can be read"


def _candidates() -> list[str]:
    """Return the encoders that there may be on this system."""
    if sys.platform == "darwin":
        return ["h264_videotoolbox"]
    others = [name for name in HARDWARE if name != "h264_videotoolbox"]
    return [name for name in others if name != "h264_vaapi" or sys.platform.startswith("linux")]
