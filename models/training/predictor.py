"""Gives the adaptive network a style predictor to begin with, where another one had come to.

Run as ``python -m stylizer.models.training.predictor PACK OLD.weights.h5 NEW.weights.h5``. The
image network is kept. What the new predictor reads are the statistics' principal components, each
divided by the square root of its deviation: read as they are, statistics go together so much that a
hidden layer learns some twenty directions, and codes use no more. The hidden layer begins at
random; the last layer is the ridge regression from there to the codes of the old predictor.
"""

from __future__ import annotations

import argparse
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import numpy.typing as npt
from keras import ops
from scipy import linalg, special

from stylizer.backend.keras_backend import compile_step

from .batches import Batch, Settings, TrainingBatches
from .networks import build
from .objective import Objective

__all__ = ["Views", "begin_predictor", "look", "main"]

Array = npt.NDArray[np.float64]

_log = logging.getLogger(__name__)

_VIEWS = 8
"""Styles in a batch."""

_LAYERS = "layers/functional/layers"
"""Of the predictor, in a file of weights."""

_FLOOR = 0.1
"""Of the mean variance of statistics, added to all: what hardly varies tells little."""

_REACH = 1.5
"""Deviation of what the hidden layer's functions are given."""

_RIDGE = 1e-3
"""Of the mean energy of the hidden numbers."""


@dataclass(frozen=True, kw_only=True)
class Views:
    """What a predictor reads of views of styles.

    Attributes:
      values: normalized and bounded statistics, (N, S).
      styles: which style each is of, (N,).
    """

    values: Array
    styles: npt.NDArray[Any]


def look(pack: Path, old: Path, *, batches: int, seed: int = 0) -> Views:
    """Look at eight views of styles for each of so many batches.

    Args:
      pack: of `stylizer.models.training.pack`.
      old: weights of an adaptive network.
      batches: how many.
      seed: of the views.
    """
    settings = Settings(arithmetic="float32", batch=2 * _VIEWS, seed=seed)
    drawn = TrainingBatches(pack, settings)
    trainable = build("adaptive", "float32")
    predictor = trainable.network.get_layer("predictor")
    _load_others(trainable.network, old)
    normalized = keras.Model(predictor.input, predictor.get_layer("axes").input)
    objective = Objective(trainable, pack, settings)

    def see(batch: Batch) -> Any:
        return normalized(trainable.measure(objective.features(objective.styles(batch))))

    compiled, values, styles = compile_step(see), [], []
    for _ in range(batches):
        batch = drawn.draw_styles(_VIEWS)
        tensors = keras.tree.map_structure(ops.convert_to_tensor, batch)
        values.append(ops.convert_to_numpy(compiled({**tensors, **drawn.device})))
        styles.append(batch["styles_index"])
    return Views(values=np.concatenate(values).astype(np.float64), styles=np.concatenate(styles))


def begin_predictor(views: Views, old: Path, new: Path, *, seed: int = 0) -> float:
    """Write weights with a new predictor.

    Args:
      views: as `look` gives them.
      old: weights of an adaptive network, whose predictor has one hidden layer or two.
      new: where to write.
      seed: of the hidden layer.

    Returns:
      The share of held-out codes' energy by which the new predictor is off.
    """
    network = build("adaptive", "float32").network
    axes, hidden, last = (
        layer
        for layer in network.get_layer("predictor").layers
        if isinstance(layer, keras.layers.Dense)
    )
    codes = views.values
    *inner, (kernel, bias) = _load_others(network, old)
    for index, (matrix, offset) in enumerate(inner):
        codes = codes @ matrix + offset
        codes = _gelu(codes) if index == len(inner) - 1 else codes
    codes = codes @ kernel + bias
    axes.set_weights(_components(views.values, axes.units))
    components = views.values @ axes.get_weights()[0] + axes.get_weights()[1]
    random = np.random.default_rng(seed)
    energy = np.square(components).mean(0).sum()
    hidden.set_weights(
        [
            random.standard_normal(hidden.kernel.shape) * (_REACH / np.sqrt(energy)),
            random.normal(0, 0.5, hidden.units),
        ]
    )
    found = _gelu(components @ hidden.get_weights()[0] + hidden.get_weights()[1])
    held_out = views.styles % 10 == 0
    outer = _ridge(found[~held_out], codes[~held_out])
    last.set_weights([outer[:-1], outer[-1]])
    network.save_weights(new)
    made = _with_one(found[held_out]) @ outer
    before, after = (2.0 * np.tanh(one / 2.0) for one in (codes[held_out], made))
    return float(np.square(after - before).sum() / np.square(before).sum())


def _load_others(network: keras.Model, path: Path) -> list[tuple[Array, Array]]:
    """Load weights, except of the predictor's dense layers; return those, from first to last."""
    kept: list[tuple[Array, Array]] = []
    dense = [
        layer
        for layer in network.get_layer("predictor").layers
        if isinstance(layer, keras.layers.Dense)
    ]
    copy = path.with_name(f"copy_{path.name}")
    shutil.copyfile(path, copy)
    with h5py.File(copy, "r+") as file:
        layers = file[_LAYERS]
        names = ["dense", *(f"dense_{index}" for index in range(1, len(dense)))]
        for name in names:
            if name in layers:
                stored = layers[name]["vars"]
                kept.append(tuple(np.asarray(stored[key], np.float64) for key in "01"))  # type: ignore[arg-type]
                del layers[name]
        for name, layer in zip(names, dense, strict=True):
            stored = layers.create_group(f"{name}/vars")
            for key, variable in zip("01", layer.variables, strict=True):
                stored[key] = np.zeros(variable.shape, np.float32)
    network.load_weights(copy)
    copy.unlink()
    return kept


def _components(values: Array, count: int) -> tuple[Array, Array]:
    """Return the matrix and offset that take statistics to their leading components, (N, count)."""
    mean, total = values.mean(0), np.cov(values.T)
    variances, axes = linalg.eigh(total)
    kept = variances[::-1][:count] + _FLOOR * np.trace(total) / len(total)
    matrix = axes[:, ::-1][:, :count] / kept**0.25
    return matrix, -mean @ matrix


def _ridge(inner: Array, wanted: Array) -> Array:
    """Return the matrix from (inner, 1) to what is wanted."""
    known = _with_one(inner)
    energy = known.T @ known
    energy += _RIDGE * np.trace(energy) / len(energy) * np.eye(len(energy))
    return np.asarray(linalg.solve(energy, known.T @ wanted, assume_a="pos"))


def _with_one(values: Array) -> Array:
    return np.concatenate([values, np.ones((len(values), 1))], 1)


def _gelu(values: Array) -> Array:
    return np.asarray(values * 0.5 * (1.0 + special.erf(values / np.sqrt(2.0))))


def main() -> None:
    """Read the arguments and write the weights."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--batches", type=int, default=1000)
    options = parser.parse_args()
    views = look(options.pack, options.old, batches=options.batches)
    off = begin_predictor(views, options.old, options.new)
    _log.info("%d views; %.4f of held-out codes' energy is off", len(views.values), off)


if __name__ == "__main__":
    main()
