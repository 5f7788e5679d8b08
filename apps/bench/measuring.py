"""What the measurements have in common: moving content, the machine's name, results as JSON."""

from __future__ import annotations

import itertools
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import stylizer
from stylizer.errors import SinkError, SourceError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.io.atomic import temporary_path
from stylizer.io.sources.wrappers import Resized
from stylizer.size import Size
from stylizer.styles.load import AnyStyle

from ..console.painting import load_backend
from ..console.paths import open_ended
from ..scene import MovingCamera, paint_style

__all__ = [
    "LossMeter",
    "describe_machine",
    "peak_memory",
    "read_frames",
    "synthetic_frames",
    "write_json",
]


def read_frames(path: Path, size: Size | None, *, count: int) -> list[Frame]:
    """Return the first frames of a video, resized.

    Raises:
      SourceError: the video cannot be read, or has fewer than two frames.
    """
    with open_ended(str(path)) as reader:
        source = reader if size is None else Resized(reader, size)
        frames = list(itertools.islice(source, count))
    if len(frames) < 2:
        raise SourceError(f"{path}: expected at least 2 frames to measure on, got {len(frames)}")
    return frames


def synthetic_frames(size: tuple[int, int], *, count: int, seed: int = 0) -> list[Frame]:
    """Return frames of a camera that moves over a painted picture, the same for a seed.

    Args:
      size: (width, height) in pixels.
      count: 1 or more.
      seed: of the picture.
    """
    width, height = size
    picture = paint_style(size=(400, 225), seed=seed)
    camera = MovingCamera(
        picture, size=(width, height), rate=Fraction(30), frame_count=max(count, 90)
    )
    return list(itertools.islice(camera, count))


def describe_machine() -> dict[str, str]:
    """Name what the numbers were measured on."""
    load_backend()
    import keras

    from stylizer.backend.keras_backend import describe_device

    return {
        "cpu": _processor(),
        "device": describe_device(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "keras": str(keras.__version__),
        "stylizer": stylizer.__version__,
    }


def peak_memory() -> float | None:
    """Return the most memory that this process has held so far, in MiB; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if platform.system() == "Darwin" else 1 << 10)


def write_json(
    path: Path,
    results: Sequence[Mapping[str, Any]],
    *,
    overwrite: bool,
    more: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> None:
    """Write the machine and the results.

    Args:
      path: the file.
      results: one row a measurement.
      overwrite: replace a file that is there.
      more: rows of other kinds, by name.

    Raises:
      SinkError: the file cannot be written.
    """
    told = {"machine": describe_machine(), "results": list(results), **(more or {})}
    text = json.dumps(told, indent=2)
    with temporary_path(path, overwrite=overwrite) as temporary:
        try:
            temporary.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise SinkError(f"{path}: cannot be written ({error.strerror})") from error


def _processor() -> str:
    """Name the CPU as the system does; only Linux says more than the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()} ({os.cpu_count()} cores)"


class LossMeter:
    """Takes the losses of finished pictures, by one objective for all of them."""

    def __init__(self, styles: Sequence[AnyStyle], config: GatysConfig) -> None:
        """Load the loss network; the weights of ``config`` count."""
        load_backend()
        from stylizer.gatys.engine import Engine

        self._engine = Engine(styles, replace(config, optimizer="adam", temporal_weight=0.0))

    def __call__(self, content: Image, picture: Image) -> Mapping[str, float]:
        """Return the losses by the names of `stylizer.gatys.objective.TERMS`, and ``"total"``.

        An engine reports the losses before each iteration: of one iteration, those of its start.
        """
        found: list[Mapping[str, float]] = []
        self._engine.forget()
        canvas = picture.astype(np.float32)
        self._engine(canvas, content, 1, on_losses=found.append)
        return found[0]
