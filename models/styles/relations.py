"""Measures how channels go together in the pictures of the built-in styles.

Run as ``python -m stylizer.models.styles.relations DATA`` where DATA holds the pictures of
`stylizer.models.styles.build.PAINTINGS`. Writes ``relations.npz`` beside this file, and
notes it in the manifest. It goes with ``styles.npz``: means and deviations stand there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.network.adaptive.architecture import style_statistics
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.fast.architecture import STATISTICS_SIZE as MOMENTS
from stylizer.network.inputs import resize_style
from stylizer.perceptual.compact import load_compact
from stylizer.styles.built_in import pack_relations
from stylizer.weights import weights_path

from ..records import list_in_manifest
from .build import PAINTINGS, SIDES

__all__ = ["main", "measure_relations"]


def measure_relations(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
    """Measure one picture with the loss network that reads styles.

    Args:
      picture: uint8 RGB, (H, W, 3).

    Returns:
      (len(SIDES), R), as `stylizer.styles.built_in.pack_relations` writes them.
    """
    network, found = load_compact(weights_path(ADAPTIVE.loss_weights)), []
    for side in SIDES:
        image = resize_style(picture, side)
        statistics = style_statistics(network(ops.convert_to_tensor(image[None], "float32")))
        found.append(pack_relations(ops.convert_to_numpy(statistics)[0, MOMENTS:]))
    return np.array(found)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds the pictures")
    data = parser.parse_args().data
    found = [measure_relations(one.read(data, name)) for name, one in PAINTINGS.items()]
    path = Path(__file__).with_name("relations.npz")
    names = np.array(list(PAINTINGS))
    np.savez_compressed(path, allow_pickle=False, names=names, relations=np.array(found))
    print(list_in_manifest(path.parents[1], "style_relations", path))


if __name__ == "__main__":
    main()
