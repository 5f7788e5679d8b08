"""A small loss network with random weights, in a file, so that tests need no download."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stylizer.frame import Frame
from stylizer.gatys.config import GatysConfig

__all__ = ["CHANNELS", "random_vgg", "tiny_config"]

CHANNELS = (64, 128, 256, 512, 512)


def random_vgg(path: Path, *, blocks: tuple[int, ...] = (2, 1), padding: str = "reflect") -> Path:
    """Write random kernels for the first convolutions of each block of a VGG."""
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {"padding": np.array(padding)}
    depth = 3
    for block, count in enumerate(blocks, start=1):
        for index in range(1, count + 1):
            channels = CHANNELS[block - 1]
            scale = np.sqrt(2 / (9 * depth)) / (50 if depth == 3 else 1)
            kernel = random.normal(0, scale, (3, 3, depth, channels))
            arrays[f"block{block}_conv{index}/kernel"] = kernel.astype(np.float32)
            arrays[f"block{block}_conv{index}/bias"] = np.full(channels, 0.1, np.float32)
            depth = channels
    np.savez(path, allow_pickle=False, **arrays)
    return path


class Quick:
    """Paints a color, and remembers what it was asked for.

    Attributes:
      level: of all channels.
      frames: that it painted.
      begun: of those, the ones that were to be begun with.
      styles: that it was told.
    """

    level = 90

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.begun: list[Frame] = []
        self.styles: list[Any] = []

    def begin(self, frame: Frame) -> Frame:
        self.begun.append(frame)
        return self(frame)

    def __call__(self, frame: Frame) -> Frame:
        self.frames.append(frame)
        return frame.with_image(np.full_like(frame.image, self.level))

    def set_styles(self, styles: Sequence[Any]) -> None:
        self.styles += styles


def tiny_config(weights: Path, **settings: object) -> GatysConfig:
    """Return settings for the network of `random_vgg`: two layers, few iterations."""
    defaults: dict[str, object] = {
        "network": "vgg19",
        "weights": weights,
        "content_layers": (("block2_conv1", 1.0),),
        "style_layers": (("block1_conv1", 0.5), ("block2_conv1", 0.5)),
        "style_weight": 10.0,
        "tv_weight": 1e-4,
        "iterations": 6,
        "warm_iterations": 2,
    }
    return GatysConfig(**(defaults | settings))  # type: ignore[arg-type]
