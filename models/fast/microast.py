"""MicroAST as a peer: its authors' code and weights, from a folder that the user has.

Wang et al. 2023, "MicroAST: Towards Super-Fast Ultra-Resolution Arbitrary Style Transfer"; the
folder is a clone of https://github.com/EndyWon/MicroAST, of which nothing is carried. It needs
PyTorch.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stylizer.errors import SourceError
from stylizer.frame import Image

__all__ = ["FILES", "load_microast"]

_PARTS = ("content_encoder", "style_encoder", "modulator", "decoder")

FILES = ("net_microAST.py", *(f"models/{part}_iter_160000.pth.tar" for part in _PARTS))
"""What is read of the folder."""


def load_microast(folder: Path) -> Callable[[Image, Image], Image]:
    """Return what paints a picture in the style of another, both uint8 RGB, of any size.

    Args:
      folder: the clone; its Python code is run.

    Raises:
      SourceError: files of it are missing, or PyTorch is not installed.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise SourceError(f"{folder}: expected a clone of EndyWon/MicroAST, without {missing[0]}")
    try:
        import torch
    except ImportError as error:
        raise SourceError(
            "MicroAST needs PyTorch, which is not installed; pip install torch"
        ) from error
    sys.path.insert(0, str(folder))
    try:
        network = importlib.import_module("net_microAST")
    finally:
        sys.path.remove(str(folder))
    parts = []
    for name, kind in zip(_PARTS, ("Encoder", "Encoder", "Modulator", "Decoder"), strict=True):
        part = getattr(network, kind)()
        weights = folder / "models" / f"{name}_iter_160000.pth.tar"
        part.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        parts.append(part.eval())
    painter = network.TestNet(*parts)

    def paint(image: Image, style: Image) -> Image:
        given = [
            torch.from_numpy(one.transpose(2, 0, 1)[None].astype(np.float32) / 255.0)
            for one in (image, style)
        ]
        with torch.no_grad():
            painted = painter(*given)[0].numpy().transpose(1, 2, 0)
        height, width, _ = image.shape
        levels = np.rint(255.0 * np.clip(painted[:height, :width], 0, 1))
        return np.ascontiguousarray(levels.astype(np.uint8))

    return paint
