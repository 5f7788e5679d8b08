"""Trains the fast network; made to be stopped, resumed and looked at.

Run as ``python -m stylizer.models.fast.train DATA --out runs/fast --minutes 20 --teacher compact``,
then again with ``--teacher vgg19`` and more minutes, where DATA holds ``photos/``, ``paintings/``,
``styles/`` and ``vgg19/``. Writes into the folder, every few minutes: ``progress.npz`` (to go on
from), ``log.csv`` (losses on held-out pictures), ``sheet.jpg`` (some of those) and
``fast.weights.h5`` (averaged over the last steps). It runs on any backend of Keras.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.backend.keras_backend import compile_step

from ..records import append_row, read_settings
from .batches import TrainingBatches, load_teacher
from .objective import Trainee
from .optimizer import ConvolutionMuon
from .settings import Settings
from .validation import Validation

__all__ = ["Average", "Rollback", "main", "train"]

_log = logging.getLogger(__name__)

Batch = npt.NDArray[np.float32]
Entry = dict[str, npt.NDArray[Any]]


class Average:
    """The weights, averaged over about the last 300 steps."""

    def __init__(self, model: keras.Model) -> None:
        """Begin with the weights as they are."""
        self._model = model
        self.values = [np.array(value) for value in model.get_weights()]

    def update(self, share: float) -> None:
        """Move by a share towards the present weights."""
        for mean, value in zip(self.values, self._model.get_weights(), strict=True):
            if mean.dtype.kind == "f":
                mean += share * (value - mean)


class Rollback:
    """Goes back to where all was finite: one step in many thousands leaves a loss that is not."""

    def __init__(self, trainee: Trainee, average: Average) -> None:
        """Remember the present state."""
        self._values = [*trainee.network.weights, *trainee.optimizer.variables]
        self._average = average
        self._kept = [value.numpy() for value in self._values]
        self._kept_average = [np.array(value) for value in average.values]

    def keep(self) -> None:
        """Remember the present state; go back instead if something in it is not finite."""
        state = [value.numpy() for value in self._values]
        if all(np.isfinite(value).all() for value in [*state, *self._average.values]):
            self._kept = state
            self._kept_average = [np.array(value) for value in self._average.values]
        else:
            self.restore()

    def restore(self) -> None:
        """Bring back the state remembered last."""
        for value, kept in zip(self._values, self._kept, strict=True):
            value.assign(kept)
        self._average.values = [np.array(value) for value in self._kept_average]


def train(data: Path, out: Path, settings: Settings) -> None:
    """Train for a time, from where ``out`` left off if there is anything."""
    out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(settings.seed)
    teacher = load_teacher(settings.teacher, data, arithmetic=settings.arithmetic)
    batches, trainee = (
        TrainingBatches(data, settings, teacher),
        Trainee(teacher, settings.loss_weights()),
    )
    kind = {"adam": keras.optimizers.Adam, "muon": ConvolutionMuon}[settings.optimizer]
    trainee.compile(optimizer=kind(settings.learning_rate, global_clipnorm=1.0))
    trainee.optimizer.build(trainee.trainable_variables)
    done = _resume(trainee, out / "progress.npz")
    if not done["images"] and settings.start:
        trainee.network.load_weights(settings.start)
    elif not done["images"]:
        known = np.concatenate(
            [[e["statistics"] for e in batches.new_styles(8)] for _ in range(25)]
        )
        trainee.network.get_layer("fast_predictor").get_layer("normalization").adapt(known)
    average = Average(trainee.network)
    rollback = Rollback(trainee, average)
    validation = Validation(data, batches, load_teacher(settings.validation_network, data))
    began = seen = time.monotonic()
    losses: list[float] = []
    while (now := time.monotonic()) < began + 60 * settings.minutes:
        spent = (now - began) / 60 / settings.minutes
        fall = (1 + np.cos(np.pi * spent)) / 2
        rate = min((now - began) / 60, 1.0) * (fall + settings.last_rate * (1 - fall))
        trainee.optimizer.learning_rate.assign(settings.learning_rate * rate)
        inputs, targets = batches.batch()
        loss = float(trainee.train_on_batch(inputs, targets))
        done["images"] += settings.batch
        if not np.isfinite(loss):
            _log.warning("loss %s after %d pictures; going back a little", loss, done["images"])
            rollback.restore()
            continue
        losses.append(loss)
        if len(losses) % 100 == 0:
            rollback.keep()
        if len(losses) % 10 == 0:
            average.update(1 / 30)
        if now > seen + 60 * settings.every:
            done["minutes"] += (now - seen) / 60
            rollback.keep()
            _save(
                trainee, average, validation, out, {**done, "loss": float(np.mean(losses[-200:]))}
            )
            seen = time.monotonic()
    done["minutes"] += (time.monotonic() - seen) / 60
    rollback.keep()
    _save(trainee, average, validation, out, {**done, "loss": float(np.mean(losses[-200:]))})


def _save(
    trainee: Trainee, average: Average, validation: Validation, out: Path, row: dict[str, float]
) -> None:
    """Measure the averaged weights, and write all that the folder holds."""
    present = trainee.network.get_weights()
    trainee.network.set_weights(average.values)
    step = compile_step(lambda inputs: trainee.network(inputs))
    found, pictures = validation.measure(
        lambda inputs: np.asarray(
            ops.convert_to_numpy(
                step({name: ops.convert_to_tensor(value) for name, value in inputs.items()})
            )
        )
    )
    cv2.imwrite(str(out / "sheet.jpg"), validation.sheet(pictures)[..., ::-1])
    trainee.network.save_weights(out / "fast.weights.h5")
    trainee.network.set_weights(present)
    values = [*trainee.network.weights, *trainee.optimizer.variables]
    state = {f"value_{i}": value.numpy() for i, value in enumerate(values)}
    np.savez(out / "progress.new.npz", **state, images=row["images"], minutes=row["minutes"])
    os.replace(out / "progress.new.npz", out / "progress.npz")
    append_row(out / "log.csv", {**row, **found})


def _resume(trainee: Trainee, path: Path) -> dict[str, float]:
    """Read weights and optimizer; return the images seen and minutes spent so far."""
    if not path.exists():
        return {"images": 0, "minutes": 0.0}
    values = [*trainee.network.weights, *trainee.optimizer.variables]
    with np.load(path) as state:
        for index, value in enumerate(values):
            value.assign(state[f"value_{index}"])
        layer = trainee.network.get_layer("fast_predictor").get_layer("normalization")
        layer.finalize_state()
        return {"images": int(state["images"]), "minutes": float(state["minutes"])}


def main() -> None:
    """Read the arguments and train."""
    data, out, settings = read_settings(str(__doc__), Settings)
    train(data, out, settings)


if __name__ == "__main__":
    main()
