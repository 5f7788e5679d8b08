"""Who is measured: the fast networks, Magenta's, and the optimization as the ceiling."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.backend.cores import usable_cores
from stylizer.backend.keras_backend import compile_step
from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.still import stylize_image
from stylizer.network.embedded.parts import load_parts
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.magenta.lite import FILES, MagentaLite
from stylizer.network.registry import FAST_NETWORKS
from stylizer.perceptual.compact import TAPS
from stylizer.styles.load import Style
from stylizer.weights import weights_path

from .held_out import SIDE, Picture
from .microast import FILES as MICROAST_FILES
from .microast import load_microast

__all__ = ["Paint", "Painter", "digest", "embedded", "gatys", "magenta", "microast"]

Paint = Callable[[Picture, Picture], Image]
"""``paint(photo, style)`` to uint8 RGB (SIDE, SIDE, 3)."""


@dataclass(frozen=True, kw_only=True)
class Painter:
    """A method that is measured.

    Attributes:
      name: for tables and files.
      key: changes when what it paints may change, so that stored results are used no longer.
      load: returns what paints; takes seconds.
    """

    name: str
    key: str
    load: Callable[[], Paint]


def digest(*parts: Path | str) -> str:
    """Return twelve digits that stand for the contents of files and texts."""
    found = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode()
        found.update(hashlib.sha256(content).digest())
    return found.hexdigest()[:12]


def embedded(name: str, weights: Path) -> Painter:
    """Return an embedded network, run by Keras.

    Args:
      name: the network's.
      weights: as ``build_network().save_weights`` writes them.
    """
    spec = FAST_NETWORKS[name]
    if not isinstance(spec, EmbeddedNetworkSpec):
        raise TypeError(f"{name}: expected an embedded network")
    loss_weights = weights_path(spec.loss_weights)

    def load() -> Paint:
        parts = load_parts(spec.parts, weights, loss_weights)
        learn = compile_step(lambda image: parts.predictor(parts.statistics({"image": image})))
        step = compile_step(lambda image, code: parts.image({"image": image, "code": code}))

        codes: dict[str, Any] = {}

        def paint(photo: Picture, style: Picture) -> Image:
            if style.name not in codes:
                codes[style.name] = learn(_tensor(style.square(SIDE)))
            painted = step(_tensor(photo.square(SIDE)), codes[style.name])
            pixels = ops.convert_to_numpy(painted)[0]
            return np.asarray(np.rint(np.clip(pixels, 0, 255)), np.uint8)

        return paint

    return Painter(name=name, key=digest(name, weights, loss_weights), load=load)


def magenta(folder: Path) -> Painter:
    """Return Magenta's TFLite files of a folder; styles enter at 256x256, photos at 384x384."""

    def load() -> Paint:
        network = MagentaLite(folder, threads=usable_cores())
        codes: dict[str, npt.NDArray[np.float32]] = {}

        def paint(photo: Picture, style: Picture) -> Image:
            if style.name not in codes:
                codes[style.name] = network.encode(style.square(256))
            return network.paint(photo.square(SIDE), codes[style.name])

        return paint

    return Painter(name="magenta", key=digest(*(folder / name for name in FILES)), load=load)


def microast(folder: Path) -> Painter:
    """Return MicroAST, from a clone of its repository, as `models.fast.microast` says."""

    def load() -> Paint:
        painter = load_microast(folder)
        return lambda photo, style: painter(photo.square(SIDE), style.square(SIDE))

    files = (folder / name for name in MICROAST_FILES)
    return Painter(name="microast", key=digest(*files), load=load)


def gatys(weights: Path, *, iterations: int = 100) -> Painter:
    """Return the optimization with VGG-19 and its defaults; a minute a picture on two CPU cores."""
    config = GatysConfig(
        network="vgg19",
        weights=weights,
        iterations=iterations,
        content_layers=((TAPS[-1], 1.0),),
        style_layers=tuple((tap, 1 / len(TAPS)) for tap in TAPS),
    )

    def load() -> Paint:
        def paint(photo: Picture, style: Picture) -> Image:
            picture = Style(name=style.name, image=style.square(SIDE))
            return stylize_image(photo.square(SIDE), [picture], config)

        return paint

    settings = repr(config).replace(repr(weights), "")
    return Painter(name="gatys", key=digest(weights, settings), load=load)


def _tensor(image: Image) -> Any:
    return ops.convert_to_tensor(image[None].astype(np.float32))
