"""Real clips made by ffmpeg, whose frames carry their number, and ffmpeg's own account of a clip.

A picture has four flat quadrants (red, green / blue, white), so that its orientation and its
channel order show, and a strip of eight black or white blocks across the middle: its number.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from stylizer.frame import Image

__all__ = [
    "COLORS",
    "corner_colors",
    "count_frames",
    "decode",
    "duration",
    "ffmpeg",
    "make_clip",
    "make_film",
    "make_variable_clip",
    "picture",
    "read_number",
]

COLORS = np.array([[[220, 20, 20], [20, 200, 20]], [[20, 20, 220], [235, 235, 235]]], np.uint8)
"""The quadrants' colors, (2, 2, 3): the rows are top and bottom."""


def picture(number: int, size: tuple[int, int] = (64, 48)) -> Image:
    """Return picture ``number`` (0..255), uint8 RGB, (H, W, 3)."""
    width, height = size
    rows = (np.arange(height) * 2 // height)[:, None]
    columns = (np.arange(width) * 2 // width)[None, :]
    image = COLORS[rows, columns]
    bits = np.array([(number >> bit) & 1 for bit in range(8)], np.uint8) * 255
    strip = bits[np.arange(width) * 8 // width]
    image[height * 3 // 8 : height * 5 // 8] = strip[None, :, None]
    return image


def read_number(image: Image) -> int:
    """Return the number that an upright picture carries, whatever its size."""
    height, width = image.shape[:2]
    row = image[height // 2].mean(axis=-1)
    blocks = [row[(2 * bit + 1) * width // 16] for bit in range(8)]
    return sum(1 << bit for bit, value in enumerate(blocks) if value > 127)


def corner_colors(image: Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the colors near the four corners, (2, 2, 3)."""
    height, width = image.shape[:2]
    rows, columns = [height // 8, height - 1 - height // 8], [width // 8, width - 1 - width // 8]
    return image[np.ix_(rows, columns)].astype(np.int64)


def ffmpeg(*args: object, stdin: bytes | None = None) -> bytes:
    """Run ffmpeg, quietly, and return what it wrote to its output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-hide_banner", "-v", "error"]
    done = subprocess.run(
        [*command, *map(str, args)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"ffmpeg {args}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def make_clip(
    path: Path,
    *,
    size: tuple[int, int] = (64, 48),
    rate: str = "30000/1001",
    seconds: float = 1,
    audio: bool = False,
    rotation: int = 0,
    extra: Sequence[object] = (),
) -> Path:
    """Make a clip at a constant rate.

    Args:
      path: where; the suffix chooses the container.
      size: (width, height) in pixels; an odd one is coded as 4:4:4.
      rate: frames per second.
      seconds: rounded to whole frames, 255 at most.
      audio: add a sine of the same length.
      rotation: display rotation tag, degrees counterclockwise (as ffmpeg counts).
      extra: further output options.
    """
    count = max(1, round(seconds * Fraction(rate)))
    frames = b"".join(picture(number, size).tobytes() for number in range(count))
    even = size[0] % 2 == 0 and size[1] % 2 == 0
    length = float(count / Fraction(rate))
    sound = ["-f", "lavfi", "-t", length, "-i", "sine=440:sample_rate=48000"] if audio else []
    codec = [] if path.suffix in {".gif", ".webm"} else ["-c:v", "libx264", "-qp", 8]
    pixels = [] if path.suffix == ".gif" else ["-pix_fmt", "yuv420p" if even else "yuv444p"]
    plain = path.with_name(f"plain-{path.name}") if rotation else path
    shape = f"{size[0]}x{size[1]}"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", shape, "-r", rate, "-i", "-"]
    ffmpeg(*raw, *sound, *codec, *pixels, *extra, plain, stdin=frames)
    if rotation:
        ffmpeg("-display_rotation:v:0", rotation, "-i", plain, "-c", "copy", path)
        plain.unlink()
    return path


def make_film(folder: Path, *, seconds: float, cut: int) -> Path:
    """Make a video of 25 frames a second, with sound and a cut before a frame; return its path."""
    source = make_clip(folder / "in.mp4", rate="25", seconds=seconds)
    path = source.with_name("film.mp4")
    sound = ["-f", "lavfi", "-t", seconds, "-i", "sine=440:sample_rate=48000"]
    look = ["-vf", f"negate=enable='gte(n,{cut})'", "-c:v", "libx264", "-qp", 8]
    ffmpeg("-i", source, *sound, *look, "-pix_fmt", "yuv420p", path)
    return path


def make_variable_clip(
    path: Path, times: Sequence[int], *, size: tuple[int, int] = (64, 48), audio: bool = False
) -> Path:
    """Make a clip whose picture n stands at ``times[n]`` milliseconds (increasing, first 0)."""
    frames = b"".join(picture(number, size).tobytes() for number in range(len(times)))
    stamps = "+".join(f"eq(N\\,{number})*{time}" for number, time in enumerate(times))
    sound = ["-f", "lavfi", "-t", times[-1] / 1000, "-i", "sine=440"] if audio else []
    shape = f"{size[0]}x{size[1]}"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", shape, "-r", "25", "-i", "-"]
    retime = ["-vf", f"settb=1/1000,setpts={stamps}", "-fps_mode", "passthrough"]
    codec = ["-enc_time_base", "1/1000", "-c:v", "libx264", "-qp", 8, "-pix_fmt", "yuv420p"]
    ffmpeg(*raw, *sound, *retime, *codec, path, stdin=frames)
    return path


def _account(path: Path, *options: object) -> str:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    done = subprocess.run(
        [*command, *map(str, options), "-f", "null", "-"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.stderr.decode(errors="replace")


def count_frames(path: Path) -> int:
    """Return how many pictures ffmpeg decodes, none repeated and none dropped."""
    counts = re.findall(r"frame=\s*(\d+)", _account(path, "-an", "-fps_mode", "passthrough"))
    return int(counts[-1]) if counts else 0


def duration(path: Path) -> float:
    """Return the file's duration in seconds as ffmpeg prints it (to 10 ms)."""
    match = re.search(r"Duration: (\d+):(\d+):([\d.]+)", _account(path, "-t", "0"))
    if match is None:
        raise RuntimeError(f"{path}: ffmpeg tells no duration")
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])


def decode(path: Path, size: tuple[int, int], *options: object) -> Image:
    """Return the upright frames that ffmpeg gives, (N, H, W, 3); ``size`` is (width, height)."""
    data = ffmpeg("-i", path, *options, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(data, np.uint8).reshape(-1, size[1], size[0], 3)
