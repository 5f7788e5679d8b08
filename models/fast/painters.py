"""Who is measured: the fast networks, Magenta's, and the optimization as the ceiling."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stylizer.backend.cores import usable_cores
from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.still import stylize_image
from stylizer.network.config import FastConfig
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.magenta.lite import FILES, MagentaLite
from stylizer.network.registry import FAST_NETWORKS
from stylizer.network.runtime import load_runtime
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
    """Return an embedded network, run by Keras, with nothing left out of the photos.

    Args:
      name: the network's.
      weights: as ``build_network().save_weights`` writes them.
    """
    spec = FAST_NETWORKS[name]
    if not isinstance(spec, EmbeddedNetworkSpec):
        raise TypeError(f"{name}: expected an embedded network")
    loss_weights = weights_path(spec.loss_weights)

    def load() -> Paint:
        config = FastConfig(network=name, weights=weights, engine="keras", smooth=0.0)
        runtime = load_runtime(config)
        codes: dict[str, StyleEmbedding] = {}

        def paint(photo: Picture, style: Picture) -> Image:
            if style.name not in codes:
                picture = Style(name=style.name, image=style.square(SIDE))
                codes[style.name] = runtime.encode(picture, scale=1.0)
            return runtime.paint(photo.square(SIDE), codes[style.name])

        return paint

    added = f"{spec.colors} {spec.noise_gains}"
    return Painter(name=name, key=digest(name, weights, loss_weights, added), load=load)


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
        initial="content",
        style_weight=10.0,
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
