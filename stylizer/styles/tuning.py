"""Tuned styles: what tuning added to a network for one style, and the file that holds it.

A file ends in ``.style``. It holds the style's picture and what `stylizer.tuning` found: changes of
the kernels, of low rank, and of scales and shifts. It goes with the weights that it was made for.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as pillow

from stylizer.errors import SourceError, StyleError
from stylizer.frame import Image
from stylizer.io.atomic import temporary_path
from stylizer.io.image import decode_image, encode_image

__all__ = [
    "TUNED_SUFFIX",
    "TunedKernel",
    "Tuning",
    "pack_kernel",
    "parse_tuning",
    "read_tuning",
    "write_tuning",
]

TUNED_SUFFIX = ".style"

_VERSION = 1
_MOST_BYTES = 4_000_000
_MOST_NUMBERS = 20_000_000
"""In a change: what a stranger's file may make us allocate."""

_CHANNELS, _MOST_NOISE = 3, 4.0
"""Of the network's noise, and how much of it at most."""

_SCAN, _MOST_SCANS = b"\xff\xda", 16
"""What each scan of a JPEG begins with; the more there are, the longer it takes."""

_DAMAGED = (
    *(OSError, KeyError, ValueError, TypeError, EOFError),
    *(zipfile.BadZipFile, zlib.error, SourceError, MemoryError, NotImplementedError),
)
_ARRAYS = ("vectors", "left", "right", "scales")

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class TunedKernel:
    """A change of a kernel (H, W, in, out) of low rank r: left times right, in 8 bits.

    Attributes:
      left: int8, (H W in, r).
      right: int8, (r, out).
      scales: float32, (r,): what a unit of left times one of right stands for.
    """

    left: npt.NDArray[np.int8]
    right: npt.NDArray[np.int8]
    scales: Vector

    def expand(self) -> Vector:
        """Return the change, float32, (H W in, out)."""
        return np.asarray((self.left * self.scales) @ self.right.astype(np.float32), np.float32)


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What was added to a network for one style.

    Attributes:
      network: its name.
      weights: sha256 of its file of weights.
      scale: the size of the style picture that it was tuned with, as
        `stylizer.network.config.FastConfig.style_scale`.
      noise: by how much each channel of the network's noise counts, from fine to coarse.
      parts: changes, in the order of `stylizer.network.adaptive.styled.change_shapes`: of a scale
        or shift float32 (C,), or of a kernel.
    """

    network: str
    weights: str
    scale: float = 1.0
    noise: Sequence[float] = (1.0,) * _CHANNELS
    parts: Sequence[Vector | TunedKernel] = field(repr=False)

    @property
    def change(self) -> Vector:
        """All changes in one, float32, (D,); some megabytes, made anew each time.

        As `stylizer.network.adaptive.styled.apply_change` takes it.
        """
        flat = [
            part.expand().ravel() if isinstance(part, TunedKernel) else part for part in self.parts
        ]
        return np.concatenate([np.subtract(self.noise, 1), *flat]).astype(np.float32)


def pack_kernel(left: Vector, right: Vector) -> TunedKernel:
    """Round a change of low rank, float32 (N, r) times (r, out), to 8 bits."""
    units = [
        np.maximum(np.abs(part).max(axis), 1e-12) / 127 for part, axis in ((left, 0), (right, 1))
    ]
    return TunedKernel(
        left=np.rint(left / units[0]).astype(np.int8),
        right=np.rint(right / units[1][:, None]).astype(np.int8),
        scales=(units[0] * units[1]).astype(np.float32),
    )


def write_tuning(
    path: Path, tuning: Tuning, *, name: str, picture: Image | None, overwrite: bool = False
) -> None:
    """Write a tuned style, whole or not at all.

    Args:
      path: the file.
      tuning: what was found.
      name: of the style.
      picture: uint8 RGB (H, W, 3); None leaves it out, as for built-in styles.
      overwrite: replace a file that is there.

    Raises:
      SinkError: it cannot be written.
    """
    kernels = [part for part in tuning.parts if isinstance(part, TunedKernel)]
    vectors = [part for part in tuning.parts if not isinstance(part, TunedKernel)]
    about = {
        "version": _VERSION,
        "name": name,
        "network": tuning.network,
        "weights": tuning.weights,
        "scale": tuning.scale,
        "noise": [float(gain) for gain in tuning.noise],
        "parts": [
            [*part.left.shape, part.right.shape[1]]
            if isinstance(part, TunedKernel)
            else [len(part)]
            for part in tuning.parts
        ],
    }
    arrays: dict[str, Any] = {
        "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
        "vectors": _joined(vectors, np.float16),
        "left": _joined([kernel.left for kernel in kernels], np.int8),
        "right": _joined([kernel.right for kernel in kernels], np.int8),
        "scales": _joined([kernel.scales for kernel in kernels], np.float32),
    }
    if picture is not None:
        arrays["picture"] = np.frombuffer(encode_image(picture), np.uint8)
    with temporary_path(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_tuning(path: Path, *, most_pixels: int | None = None) -> tuple[Tuning, str, Image | None]:
    """Read a tuned style: what was found, the style's name, and its picture, uint8 RGB.

    Args:
      path: the file.
      most_pixels: that the picture may have; looked up before it is decoded.

    Raises:
      StyleError: the file cannot be read, or is none that `write_tuning` wrote.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else b""
    except OSError as error:
        raise StyleError(f"{path}: cannot be read ({error.strerror})") from error
    return parse_tuning(data, where=str(path), most_pixels=most_pixels)


def parse_tuning(
    data: bytes, *, where: str, most_pixels: int | None = None
) -> tuple[Tuning, str, Image | None]:
    """Return what a file that `write_tuning` wrote holds; see `read_tuning`.

    Args:
      data: its bytes.
      where: what to call it in an error.
      most_pixels: that the picture may have; looked up before it is decoded.

    Raises:
      StyleError: it is no such file.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {key: file[key] for key in _sized(file)}
        about = json.loads(bytes(arrays["about"]))
        if about["version"] != _VERSION:
            raise StyleError(
                f"{where}: is of version {about['version']}, and version {_VERSION} is read here; "
                "install a newer stylizer, or tune the style again"
            )
        tuning = Tuning(
            network=str(about["network"]),
            weights=str(about["weights"]),
            scale=float(about["scale"]),
            noise=_gains(about.get("noise", [1.0] * _CHANNELS)),
            parts=_parts(about["parts"], arrays),
        )
        picture = _decode(arrays.get("picture"), most_pixels)
        return tuning, str(about["name"]), picture
    except _DAMAGED as error:
        raise StyleError(
            f"{where}: expected a style that `stylizer tune` wrote ({error}); tune it again"
        ) from error


def _gains(given: Any) -> tuple[float, ...]:
    """Check how much noise a file asks for; older ones say nothing of it.

    Raises:
      ValueError: it cannot be.
    """
    gains = tuple(map(float, given))
    if len(gains) != _CHANNELS or not all(0 <= gain <= _MOST_NOISE for gain in gains):
        raise ValueError(f"noise: expected {_CHANNELS} numbers of 0..{_MOST_NOISE:g}, got {given}")
    return gains


def _decode(data: Any, most_pixels: int | None) -> Image | None:
    """Decode the picture, a JPEG.

    Raises:
      SourceError: it is damaged.
      ValueError: it has more pixels than it may, or scans than any that is written here.
    """
    if data is None:
        return None
    encoded = bytes(data)
    with pillow.open(io.BytesIO(encoded), formats=("JPEG",)) as opened:
        pixels = opened.width * opened.height
    if most_pixels is not None and (pixels > most_pixels or encoded.count(_SCAN) > _MOST_SCANS):
        raise ValueError(f"a picture of {pixels:,} pixels, or of very many scans")
    return decode_image(encoded)


def _joined(parts: list[Any], kind: Any) -> npt.NDArray[Any]:
    return (
        np.concatenate([part.ravel() for part in parts]).astype(kind)
        if parts
        else np.zeros(0, kind)
    )


def _sized(file: Any) -> list[str]:
    """Return the names of the arrays, after a look at how large they will be."""
    total = sum(entry.file_size for entry in file.zip.infolist())
    if total > _MOST_BYTES:
        raise ValueError(f"{total} bytes of numbers")
    return list(file.files)


def _parts(layout: list[list[int]], arrays: dict[str, Any]) -> list[Vector | TunedKernel]:
    """Cut the changes out of the arrays that hold them one after the other.

    Raises:
      ValueError: numbers are missing, left over, not finite or too many.
    """
    sizes = [math.prod(shape) if len(shape) == 1 else shape[0] * shape[2] for shape in layout]
    if min(min(shape) for shape in layout) < 1 or sum(sizes) > _MOST_NUMBERS:
        raise ValueError("a change of no size that a network has")
    at = dict.fromkeys(_ARRAYS, 0)

    def take(name: str, count: int) -> Any:
        found = arrays[name][at[name] : at[name] + count]
        at[name] += count
        if len(found) < count:
            raise ValueError(f"{name} ends too early")
        return found

    parts: list[Vector | TunedKernel] = []
    for shape in layout:
        if len(shape) == 1:
            parts.append(take("vectors", shape[0]).astype(np.float32))
            continue
        rows, rank, columns = shape
        parts.append(
            TunedKernel(
                left=take("left", rows * rank).astype(np.int8).reshape(rows, rank),
                right=take("right", rank * columns).astype(np.int8).reshape(rank, columns),
                scales=take("scales", rank).astype(np.float32),
            )
        )
    if any(len(arrays[name]) != place for name, place in at.items()):
        raise ValueError("numbers are left over")
    if not all(np.isfinite(arrays[name]).all() for name in ("vectors", "scales")):
        raise ValueError("numbers that are not finite")
    return parts
