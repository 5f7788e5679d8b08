"""Measures the paintings of the built-in styles, so that none of them need be carried.

Run as ``python -m stylizer.models.styles.build DATA --out runs/styles`` where DATA holds
``styles/``, one picture for each of `PAINTINGS`. Writes ``styles.npz`` into the folder, and says
its sha256, for ``manifest.json``. It runs on any backend of Keras.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.gatys.config import GatysConfig
from stylizer.io.image import read_image
from stylizer.network.fast.architecture import style_statistics
from stylizer.perceptual.features import LossNetwork, load_network
from stylizer.perceptual.losses import gram_matrix
from stylizer.size import Size
from stylizer.styles.built_in import pack_gram

__all__ = ["GRAM_SIDES", "NETWORKS", "PAINTINGS", "SIDES", "Painting", "main", "measure"]

SIDES = (192, 256, 384, 512)
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
    """

    title: str
    artist: str
    year: int


PAINTINGS: Mapping[str, Painting] = {
    "composition_vii": Painting(title="Composition VII", artist="Wassily Kandinsky", year=1913),
    "great_wave": Painting(
        title="The Great Wave off Kanagawa", artist="Katsushika Hokusai", year=1831
    ),
    "mondrian": Painting(
        title="Tableau No. 2 / Composition No. VII", artist="Piet Mondrian", year=1913
    ),
    "olive_trees": Painting(title="Olive Trees", artist="Vincent van Gogh", year=1889),
    "portrait_delaunay": Painting(
        title="Portrait of Jean Metzinger", artist="Robert Delaunay", year=1906
    ),
    "shipwreck": Painting(
        title="The Wreck of a Transport Ship", artist="J. M. W. Turner", year=1810
    ),
    "starry_night": Painting(title="The Starry Night", artist="Vincent van Gogh", year=1889),
    "tahiti": Painting(title="Three Tahitian Women", artist="Paul Gauguin", year=1896),
    "the_scream": Painting(title="The Scream", artist="Edvard Munch", year=1893),
    "wheat_field": Painting(
        title="Wheat Field with Cypresses", artist="Vincent van Gogh", year=1889
    ),
}
"""The paintings by the names of the styles, which are those of their files."""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds styles/NAME.jpg")
    parser.add_argument("--out", type=Path, default=Path("runs/styles"), help="where to write")
    given = parser.parse_args()
    networks = [load_network(GatysConfig(network=name)) for name in NETWORKS]
    rows = [measure(networks, given.data / "styles" / f"{name}.jpg") for name in PAINTINGS]
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


def measure(networks: Sequence[LossNetwork], path: Path) -> dict[str, npt.NDArray[Any]]:
    """Measure one painting with the embedded loss networks.

    Args:
      networks: the embedded loss networks, with their default style layers; the first is the one
        that fast networks read styles with.
      path: the picture, its short side at least the largest of `SIDES`.

    Returns:
      ``aspects``, float32 scalar: long side over short side. ``statistics``, float32
      (len(SIDES), 640). ``correlations_NETWORK_LAYER`` and ``energies_NETWORK_LAYER``: the Gram
      matrices at `GRAM_SIDES`, as `stylizer.styles.built_in.pack_gram` writes them.
    """
    picture = read_image(path)
    size = picture.shape[1], picture.shape[0]
    sized = {
        side: cv2.resize(picture, Size(short_side=side).fit(size), interpolation=cv2.INTER_AREA)
        for side in {*SIDES, *GRAM_SIDES}
    }
    images = {side: ops.convert_to_tensor(image[None], "float32") for side, image in sized.items()}
    features = {side: networks[0](images[side]) for side in SIDES}
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
