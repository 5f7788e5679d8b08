"""Measures the embedded loss networks by what they make: pictures optimized with them.

Run as ``python -m stylizer.models.compact.evaluate DATA --out runs/evaluation``. Held-out photos
are stylized after held-out paintings, from the content, by Adam: once with each embedded network,
once with the VGG-19 that taught them, all else equal. The teacher then measures all. Prints
medians, and writes them as JSON beside a contact sheet.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.still import stylize_image
from stylizer.io.image import write_image
from stylizer.perceptual.compact import TAPS
from stylizer.perceptual.losses import gram_matrix
from stylizer.styles.load import Style

from .crops import Crops
from .distill import build_teacher

__all__ = ["Scores", "compare", "main", "score"]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How near a picture comes to a style, and how far it goes from its content.

    Attributes:
      gram: distance of the Gram matrices left, as a share of the content's own distance.
      squared_gram: the same of squared distances, as the style loss has them.
      moments: the share left of the distance of means and standard deviations of the channels.
      content: relative distance of the features at block4_conv1.
    """

    gram: float
    squared_gram: float
    moments: float
    content: float


def score(teacher: keras.Model, picture: Image, content: Image, style: Image) -> Scores:
    """Measure one picture, uint8 RGB (H, W, 3), against its content and its style.

    A distance is the norm of a difference over the norm of the style's own, averaged over `TAPS`.
    """
    seen = [_look(teacher, image) for image in (picture, content, style)]
    shares = []
    for measure in (_gram, _moments):
        vectors = [{tap: measure(features[tap]) for tap in TAPS} for features in seen]
        got, before = (_distances(vectors[index], vectors[2]) for index in (0, 1))
        shares += [got.mean() / before.mean(), (got**2).mean() / (before**2).mean()]
    deepest = [features[TAPS[-1]] for features in seen]
    off = np.linalg.norm(deepest[0] - deepest[1]) / np.linalg.norm(deepest[1])
    return Scores(gram=shares[0], squared_gram=shares[1], moments=shares[2], content=float(off))


def _look(teacher: keras.Model, image: Image) -> dict[str, npt.NDArray[np.float32]]:
    features = teacher(image[None].astype(np.float32), training=False)
    return {tap: np.asarray(ops.convert_to_numpy(features[tap])) for tap in TAPS}


def _gram(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(ops.convert_to_numpy(gram_matrix(features)))


def _moments(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.concatenate([features.mean(axis=(0, 1, 2)), features.std(axis=(0, 1, 2))])


def _distances(
    got: dict[str, npt.NDArray[np.float32]], wanted: dict[str, npt.NDArray[np.float32]]
) -> npt.NDArray[np.float64]:
    norm = np.linalg.norm
    return np.array([norm(got[tap] - wanted[tap]) / norm(wanted[tap]) for tap in TAPS])


def compare(
    data: Path, networks: dict[str, GatysConfig], *, pairs: int, size: int
) -> tuple[dict[str, dict[str, float]], Image]:
    """Stylize held-out pairs with each network.

    Args:
      data: the folder of ``vgg19/``, ``photos/`` and ``paintings/``.
      networks: settings by name.
      pairs: how many pairs of a photo and a painting.
      size: side of the pictures, pixels.

    Returns:
      Medians by network and measure, and a contact sheet: content, style, one column a network.
    """
    teacher = build_teacher(data / "vgg19" / "vgg19_normalised_relu4_1.npz")
    pictures = Crops(data, crop=size, held_out=True, seed=7)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in networks}
    rows = []
    for _ in range(pairs):
        content, style = (draw().astype(np.uint8) for draw in (pictures.photo, pictures.painting))
        row = [content, style]
        for name, config in networks.items():
            began = time.perf_counter()
            row.append(stylize_image(content, [Style(name="held out", image=style)], config))
            seconds = time.perf_counter() - began
            scores = score(teacher, row[-1], content, style)
            found[name].append(asdict(scores) | {"seconds": seconds})
        rows.append(np.concatenate(row, axis=1))
    medians = {
        name: {key: float(np.median([one[key] for one in every])) for key in every[0]}
        for name, every in found.items()
    }
    return medians, np.concatenate(rows)


def main() -> None:
    """Read the arguments, compare, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="other weights of the first network")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument(
        "--networks",
        nargs="+",
        choices=("compact", "half", "vgg19"),
        default=["compact", "half", "vgg19"],
    )
    options = parser.parse_args()
    base = GatysConfig(
        iterations=options.iterations,
        initial="content",
        style_weight=10.0,
        content_layers=((TAPS[-1], 1.0),),
        style_layers=tuple((tap, 1 / len(TAPS)) for tap in TAPS),
    )
    teacher = options.data / "vgg19" / "vgg19_normalised_relu4_1.npz"
    networks = {
        name: replace(base, network=name, weights=teacher if name == "vgg19" else None)
        for name in options.networks
    }
    if options.weights is not None:
        first = options.networks[0]
        networks[first] = replace(networks[first], weights=options.weights)
    medians, sheet = compare(options.data, networks, pairs=options.pairs, size=options.size)
    options.out.mkdir(parents=True, exist_ok=True)
    write_image(options.out / "pairs.png", sheet, overwrite=True)
    text = json.dumps(medians, indent=2)
    (options.out / "medians.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
