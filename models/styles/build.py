"""Measures the pictures of the built-in styles, so that none of them need be carried.

Run as ``python -m stylizer.models.styles.build DATA --out runs/styles`` where DATA holds the
pictures of `PAINTINGS`; those of `stylizer.models.styles.drawings` are drawn. Writes ``styles.npz``
into the folder, and says its sha256, for ``manifest.json``. It runs on any backend of Keras.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.io.image import read_image
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.fast.architecture import style_statistics
from stylizer.network.inputs import resize_style
from stylizer.perceptual.compact import load_compact
from stylizer.perceptual.features import LossNetwork, load_network
from stylizer.perceptual.losses import gram_matrix
from stylizer.styles.built_in import pack_gram
from stylizer.weights import weights_path

from .drawings import DRAWINGS

__all__ = ["GRAM_SIDES", "NETWORKS", "PAINTINGS", "SIDES", "Painting", "main", "measure"]

SIDES = (192, 256, 384, 512, 768)
"""Short sides at which the statistics are taken, in pixels."""

NETWORKS = ("compact", "half")
"""The embedded loss networks."""

GRAM_SIDES = (192, 320, 512)
"""Short sides at which the Gram matrices are taken: they are large, so there are fewer."""


@dataclass(frozen=True, kw_only=True)
class Painting:
    """Whose a built-in style is.

    Attributes:
      title: as it is known in English.
      artist: who painted it.
      year: when it was finished.
      picture: its file in DATA; None for one that we draw.
      content: weight of the photo's features when the network is tuned to it: more for pictures
        that would leave no face.
      noise: by how much each channel of the network's noise counts, chosen by eye; None for what
        suits the picture.
      side: short side of the picture when the network is tuned to it, in pixels, one of `SIDES`:
        larger ones make broader strokes.
    """

    title: str
    artist: str
    year: int
    picture: str | None = None
    content: float = 2.0
    noise: tuple[float, float, float] | None = None
    side: int = 512

    @property
    def style_scale(self) -> float:
        """The side, as `stylizer.tuning.config.TuningConfig` has it."""
        return self.side / ADAPTIVE.style_side

    def read(self, data: Path, name: str) -> Image:
        """Return the picture, uint8 RGB, of the style of that name."""
        return DRAWINGS[name]() if self.picture is None else read_image(data / self.picture)


_EVEN = (0.0, 0.6, 1.5)
"""Noise for planes that are to be quite even, and lines that are few and long."""

_CALM = (0.2, 0.4, 1.0)
"""Noise for planes with some strokes in them."""

PAINTINGS: Mapping[str, Painting] = {
    "adele_bloch_bauer": Painting(
        title="Portrait of Adele Bloch-Bauer I",
        artist="Gustav Klimt",
        year=1907,
        picture="paintings/nm_25a784a3.jpg",
        content=5.0,
    ),
    "composition_vii": Painting(
        title="Composition VII",
        artist="Wassily Kandinsky",
        year=1913,
        picture="styles/composition_vii.jpg",
        content=5.0,
        side=768,
    ),
    "grande_jatte": Painting(
        title="A Sunday on La Grande Jatte",
        artist="Georges Seurat",
        year=1886,
        picture="paintings/nm_2ac23a62.jpg",
        content=4.0,
    ),
    "gray_tree": Painting(
        title="Gray Tree",
        artist="Piet Mondrian",
        year=1911,
        picture="paintings/nm_6099b709.jpg",
        content=5.0,
        side=768,
    ),
    "great_wave": Painting(
        title="The Great Wave off Kanagawa",
        artist="Katsushika Hokusai",
        year=1831,
        picture="styles/great_wave.jpg",
        content=5.0,
        side=768,
        noise=(0.05, 0.6, 1.5),
    ),
    "harpers_june": Painting(
        title="Poster for Harper's in June",
        artist="Edward Penfield",
        year=1896,
        picture="styles_more/pa_021.jpg",
        content=1.0,
        noise=_EVEN,
    ),
    "irises": Painting(
        title="Irises",
        artist="Vincent van Gogh",
        year=1889,
        picture="paintings/nm_d4cf5d5e.jpg",
        content=5.0,
        side=768,
    ),
    "looking_glass": Painting(
        title="An engraving for Through the Looking-Glass",
        artist="John Tenniel",
        year=1871,
        picture="styles_more/te_073.jpg",
        content=0.5,
    ),
    "mondrian": Painting(
        title="Tableau No. 2 / Composition No. VII",
        artist="Piet Mondrian",
        year=1913,
        picture="styles/mondrian.jpg",
        content=8.0,
        side=768,
        noise=_CALM,
    ),
    "mosaic": Painting(title="Mosaic", artist="This project", year=2026, content=2.3),
    "ninth_wave": Painting(
        title="The Ninth Wave",
        artist="Ivan Aivazovsky",
        year=1850,
        picture="styles_more/pa_024.jpg",
        content=6.0,
    ),
    "nozarashi_gosuke": Painting(
        title="Nozarashi Gosuke",
        artist="Utagawa Kuniyoshi",
        year=1845,
        picture="styles_more/uk_025.jpg",
        content=6.0,
        noise=_EVEN,
    ),
    "olive_trees": Painting(
        title="Olive Trees",
        artist="Vincent van Gogh",
        year=1889,
        picture="styles/olive_trees.jpg",
        content=5.0,
        side=768,
    ),
    "pencil": Painting(title="Pencil hatching", artist="This project", year=2026, content=5.0),
    "port_goulphar": Painting(
        title="Rocks at Port-Goulphar, Belle-Île",
        artist="Claude Monet",
        year=1886,
        picture="paintings/aw_20545.jpg",
    ),
    "portrait_delaunay": Painting(
        title="Portrait of Jean Metzinger",
        artist="Robert Delaunay",
        year=1906,
        picture="styles/portrait_delaunay.jpg",
        content=5.0,
        noise=_CALM,
    ),
    "red_fuji": Painting(
        title="Fine Wind, Clear Morning",
        artist="Katsushika Hokusai",
        year=1831,
        picture="styles_more/uk_019.jpg",
        content=9.0,
        noise=_EVEN,
    ),
    "red_vineyard": Painting(
        title="The Red Vineyard",
        artist="Vincent van Gogh",
        year=1888,
        picture="styles_more/pa_018.jpg",
        content=6.0,
        side=768,
    ),
    "shipwreck": Painting(
        title="The Wreck of a Transport Ship",
        artist="J. M. W. Turner",
        year=1810,
        picture="styles/shipwreck.jpg",
        content=4.0,
    ),
    "stained_glass": Painting(title="Stained glass", artist="This project", year=2026, content=1.0),
    "starry_night": Painting(
        title="The Starry Night",
        artist="Vincent van Gogh",
        year=1889,
        picture="styles/starry_night.jpg",
        content=5.0,
    ),
    "tahiti": Painting(
        title="Three Tahitian Women",
        artist="Paul Gauguin",
        year=1896,
        picture="styles/tahiti.jpg",
        content=5.0,
        side=768,
    ),
    "the_scream": Painting(
        title="The Scream",
        artist="Edvard Munch",
        year=1893,
        picture="styles/the_scream.jpg",
        content=7.0,
    ),
    "timmy_tiptoes": Painting(
        title="The Tale of Timmy Tiptoes",
        artist="Beatrix Potter",
        year=1911,
        picture="styles_more/bp_073.jpg",
        content=4.0,
    ),
    "wheat_field": Painting(
        title="Wheat Field with Cypresses",
        artist="Vincent van Gogh",
        year=1889,
        picture="styles/wheat_field.jpg",
        content=5.0,
        side=768,
    ),
    "winter_landscape": Painting(
        title="Winter Landscape",
        artist="Sesshū Tōyō",
        year=1470,
        picture="styles_more/uk_030.jpg",
        content=5.0,
        side=768,
        noise=_EVEN,
    ),
}
"""The pictures by the names of the styles."""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds the pictures")
    parser.add_argument("--out", type=Path, default=Path("runs/styles"), help="where to write")
    given = parser.parse_args()
    networks = [load_network(GatysConfig(network=name)) for name in NETWORKS]
    encoder = load_compact(weights_path(ADAPTIVE.loss_weights))
    pictures = (one.read(given.data, name) for name, one in PAINTINGS.items())
    rows = [measure(encoder, networks, picture) for picture in pictures]
    arrays = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    about = PAINTINGS.values()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "styles.npz"
    np.savez_compressed(
        path,
        allow_pickle=False,
        names=np.array(list(PAINTINGS)),
        titles=np.array([painting.title for painting in about]),
        artists=np.array([painting.artist for painting in about]),
        years=np.array([painting.year for painting in about]),
        sides=np.array(SIDES),
        sides_of_grams=np.array(GRAM_SIDES),
        networks=np.array(NETWORKS),
        layers=np.array([layer for layer, _ in networks[0].style_layers]),
        **arrays,
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path}: {path.stat().st_size} bytes, sha256 {digest}")


def measure(
    encoder: keras.Model, networks: Sequence[LossNetwork], picture: Image
) -> dict[str, npt.NDArray[Any]]:
    """Measure one picture with the embedded loss networks.

    Args:
      encoder: the loss network that fast networks read styles with.
      networks: the embedded loss networks, with their default style layers.
      picture: uint8 RGB (H, W, 3).

    Returns:
      ``aspects``, float32 scalar: long side over short side. ``statistics``, float32
      (len(SIDES), 640). ``correlations_NETWORK_LAYER`` and ``energies_NETWORK_LAYER``: the Gram
      matrices at `GRAM_SIDES`, as `stylizer.styles.built_in.pack_gram` writes them.
    """
    size = picture.shape[1], picture.shape[0]
    sized = {side: resize_style(picture, side) for side in {*SIDES, *GRAM_SIDES}}
    images = {side: ops.convert_to_tensor(image[None], "float32") for side, image in sized.items()}
    features = {side: encoder(images[side]) for side in SIDES}
    statistics = [ops.convert_to_numpy(style_statistics(features[side]))[0] for side in SIDES]
    measured: dict[str, npt.NDArray[Any]] = {
        "aspects": np.array(max(size) / min(size), np.float32),
        "statistics": np.array(statistics, np.float32),
    }
    for network in networks:
        seen = [network(images[side]) for side in GRAM_SIDES]
        for layer, _ in network.style_layers:
            grams = [ops.convert_to_numpy(gram_matrix(one[layer]))[0] for one in seen]
            correlations, energies = zip(*map(pack_gram, grams), strict=True)
            measured[f"correlations_{network.name}_{layer}"] = np.array(correlations)
            measured[f"energies_{network.name}_{layer}"] = np.array(energies)
    return measured


if __name__ == "__main__":
    main()
