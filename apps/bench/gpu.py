"""What a GPU is worth: run by ``.ci/gpu.sh`` on a machine with JAX or PyTorch, into a JSON file.

Each measurement stands by itself: one that fails, or for which no time is left, is told as such,
and the file is written anew after each. Nothing here needs TensorFlow, OpenVINO, ffmpeg or typer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.network.config import FastConfig
from stylizer.perceptual.spec import VGG_LAYERS
from stylizer.styles.load import Style

from ..scene import MovingCamera, paint_style

__all__ = ["MEASUREMENTS", "Setup", "main"]

_STYLE_LAYERS = tuple(f"block{block}_conv1" for block in (1, 2, 3, 4))
_CHANNELS = (64, 128, 256, 512, 512)
_WARM_UP = 3


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How large everything is.

    Attributes:
      vgg: real weights of VGG-19 (.npz) at least up to ``block4_conv1``; None for random ones, with
        which times are as long, and losses mean nothing.
      small: a rehearsal: tiny pictures and few iterations.
    """

    vgg: Path | None
    small: bool

    @property
    def iterations(self) -> int:
        """Of the seed's run: 1,000."""
        return 10 if self.small else 1000

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return a (width, height), or in a rehearsal a tenth of it, at least 48 pixels."""
        return (max(48, width // 10), max(48, height // 10)) if self.small else (width, height)

    def frames(self, size: tuple[int, int], count: int) -> list[Frame]:
        """Return frames of a camera that moves over a painted picture."""
        camera = MovingCamera(
            paint_style(size=(400, 225), seed=3), size=size, rate=Fraction(30), frame_count=90
        )
        frames: Iterator[Frame] = iter(camera)
        return [next(frames) for _ in range(6 if self.small else count)]


def _style() -> list[Style]:
    return [Style(name="painted", image=paint_style(size=(512, 512)))]


def _content(size: tuple[int, int]) -> Image:
    return paint_style(size=size, seed=3)


def _seed_run(setup: Setup) -> dict[str, Any]:
    """Time VGG-19 at 512x512, 1,000 iterations of Adam: 134.7 s on the GPU of a Colab, once."""
    from stylizer.gatys.engine import Engine

    size = setup.size(512, 512)
    content = _content(size)
    with tempfile.TemporaryDirectory(prefix="stylizer-") as folder:
        weights = _random_vgg(Path(folder) / "vgg.npz")
        config = GatysConfig(network="vgg19", weights=weights, engine="keras", temporal_weight=0.0)
        engine, times = Engine(_style(), config), []
        for count in (12, setup.iterations):  # the first compiles
            began = time.perf_counter()
            engine(content.astype(np.float32), content, count)
            times.append(round(time.perf_counter() - began, 3))
            engine.forget()
    return {
        "size": list(size),
        "iterations": setup.iterations,
        "runs": engine.description,
        "first_12_s": times[0],
        "seconds": times[1],
        "note": "random weights; the first 12 iterations with compiling, the others warm",
    }


def _real_losses(setup: Setup) -> dict[str, Any]:
    """Paint with each loss network and judge by VGG-19 with real weights, up to block4_conv1."""
    from stylizer.gatys.engine import Engine

    if setup.vgg is None:
        raise FileNotFoundError("no real weights of VGG-19 were given (--vgg)")
    size, told = setup.size(512, 512), {}
    content, judged = _content(size), _vgg(setup.vgg)
    judge = Engine(_style(), replace(judged, precision="float32"))
    for config in (judged, *(GatysConfig(network=name) for name in ("half", "compact"))):
        engine = Engine(_style(), replace(config, engine="keras", temporal_weight=0.0))
        engine(content.astype(np.float32), content, 12)
        engine.forget()
        began = time.perf_counter()
        canvas = engine(content.astype(np.float32), content, setup.iterations)
        seconds = time.perf_counter() - began
        losses: list[Mapping[str, float]] = []
        judge(canvas, content, 1, on_losses=losses.append)
        told[config.network] = {
            "seconds": seconds,
            "runs": engine.description,
            "by_vgg19": dict(losses[0]),
        }
    return {"size": list(size), "iterations": setup.iterations, "networks": told}


def _warm_frames(setup: Setup) -> dict[str, Any]:
    """Time frames of warm Gatys at 1280x720 with each loss network."""
    from stylizer.gatys.stylizer import GatysStylizer

    size, told = setup.size(1280, 720), {}
    configs = [GatysConfig(network=name) for name in ("compact", "half")]
    with tempfile.TemporaryDirectory(prefix="stylizer-") as folder:
        weights = setup.vgg or _random_vgg(Path(folder) / "vgg.npz")
        for config in (*configs, _vgg(weights)):
            warm = replace(config, engine="keras", iterations=4)
            stylizer = GatysStylizer(_style(), warm)
            told[config.network] = _rate(stylizer, setup.frames(size, 30)) | {
                "runs": stylizer.description
            }
    return {"size": list(size), "warm_iterations": GatysConfig().warm_iterations, "networks": told}


def _fast_frames(setup: Setup) -> dict[str, Any]:
    """Time frames of the fast networks at 1920x1080, by Keras; reading and writing do not count."""
    from stylizer.network.stylizer import FastStylizer

    size, told = setup.size(1920, 1080), {}
    for network in ("adaptive", "fast"):
        stylizer = FastStylizer(_style(), FastConfig(network=network, engine="keras"))
        told[network] = _rate(stylizer, setup.frames(size, 60)) | {"runs": stylizer.description}
    return {"size": list(size), "networks": told}


def _half_precision(setup: Setup) -> dict[str, Any]:
    """Tell how far losses in bfloat16 are from those in float32; 1 % is let pass."""
    from stylizer.perceptual.precision import TOLERANCE, deviation

    picture = paint_style(size=(512, 512))
    configs = [GatysConfig(network=name) for name in ("compact", "half")]
    if setup.vgg is not None:
        configs.append(_vgg(setup.vgg))
    found = {config.network: deviation(config, picture, precision="bfloat16") for config in configs}
    return {
        "tolerance": TOLERANCE,
        "deviation": found,
        "within": {name: worst <= TOLERANCE for name, worst in found.items()},
    }


MEASUREMENTS: Mapping[str, Callable[[Setup], dict[str, Any]]] = {
    "seed_run": _seed_run,
    "fast_frames": _fast_frames,
    "warm_frames": _warm_frames,
    "half_precision": _half_precision,
    "real_losses": _real_losses,
}
"""In the order in which they are made."""


def _random_vgg(path: Path) -> Path:
    """Write a VGG-19 with random weights that keep activations about as large, up to block5_conv1.

    Args:
      path: the file to be, ``.npz``.
    """
    random, depth, arrays = np.random.default_rng(0), 3, {}
    for layer in VGG_LAYERS["vgg19"]:
        block = int(layer[len("block")])
        if layer == "block5_conv2":
            break
        channels = _CHANNELS[block - 1]
        deviation = np.sqrt(2 / (9 * depth)) / (60 if depth == 3 else 1)
        kernel = random.normal(0, deviation, (3, 3, depth, channels))
        arrays[f"{layer}/kernel"] = kernel.astype(np.float32)
        arrays[f"{layer}/bias"] = np.full(channels, 0.05, np.float32)
        depth = channels
    np.savez(path, allow_pickle=False, **arrays)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the JSON file.

    Args:
      arguments: of the command line; None for the process's own.

    Returns:
      The exit code: 0 if every measurement was made.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="the JSON file to write")
    parser.add_argument("--vgg", type=Path, help="real weights of VGG-19, .npz")
    parser.add_argument("--minutes", type=float, default=2.5, help="after which none is begun")
    parser.add_argument("--small", action="store_true", help="rehearse with tiny pictures")
    given = parser.parse_args(arguments)
    began, setup = time.perf_counter(), Setup(vgg=given.vgg, small=given.small)
    told: dict[str, Any] = {"machine": _describe(), "small": setup.small, "results": {}}
    complete = True
    for name, measure in MEASUREMENTS.items():
        start = time.perf_counter()
        if start - began > 60 * given.minutes:
            result: dict[str, Any] = {"skipped": f"{given.minutes:g} minutes were over"}
        else:
            told["results"][name] = {"failed": "the process was ended while it measured"}
            _write(told, given.out)
            try:
                result = measure(setup)
            except Exception as error:  # the others go on
                traceback.print_exc()
                result = {"failed": f"{type(error).__name__}: {error}"}
        complete &= not {"failed", "skipped"} & set(result)
        told["results"][name] = {**result, "took_s": round(time.perf_counter() - start, 2)}
        print(name, json.dumps(told["results"][name]), flush=True)
        _write(told, given.out)
    return 0 if complete else 1


def _write(told: Mapping[str, Any], path: Path) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def _describe() -> dict[str, str]:
    """Name what the numbers are measured on."""
    import keras

    from stylizer.backend.keras_backend import describe_device, nvidia_gpu

    backend = keras.backend.backend()
    return {
        "device": describe_device(),
        "gpu": nvidia_gpu() or "none that a driver knows",
        "keras": keras.__version__,
        backend: str(sys.modules[backend].__version__),
        "python": sys.version.partition(" ")[0],
        "numpy": np.__version__,
    }


def _vgg(weights: Path) -> GatysConfig:
    """Return settings for VGG-19 with layers up to block4_conv1."""
    return GatysConfig(
        network="vgg19",
        weights=weights,
        content_layers=((_STYLE_LAYERS[-1], 1.0),),
        style_layers=tuple((layer, 1 / 4) for layer in _STYLE_LAYERS),
        engine="keras",
        temporal_weight=0.0,
    )


def _rate(paint: Callable[[Frame], Frame], frames: Sequence[Frame]) -> dict[str, Any]:
    times = []
    for frame in frames:
        began = time.perf_counter()
        paint(frame)
        times.append(time.perf_counter() - began)
    warm = times[_WARM_UP:]
    return {
        "fps": round(1 / statistics.median(warm), 2),
        "median_ms": round(1000 * statistics.median(warm), 2),
        "first_frame_s": round(times[0], 2),
        "frames": len(warm),
    }


if __name__ == "__main__":
    sys.exit(main())
