"""Trains a fast network; made to be stopped, resumed, carried elsewhere and looked at.

Run as ``python -m stylizer.models.training.train PACK --out runs/adaptive --minutes 60``, where
PACK is what `pack` makes. Goes on where the folder's ``state.npz`` is, with a new optimizer. Writes
every few minutes: ``state.npz``, ``NETWORK.weights.h5`` (averaged over the last steps),
``log.csv`` and ``sheet.jpg`` (held-out pictures). It runs under TensorFlow and under JAX.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from keras import ops

from stylizer.backend.keras_backend import compile_step
from stylizer.tuning.policy import quick_arithmetic
from stylizer.tuning.trainer import Trainer

from ..records import append_row, read_settings
from .batches import Batch, Settings, TrainingBatches
from .muon import ConvolutionMuon
from .networks import Trainable, build
from .objective import Objective
from .validation import Validation

__all__ = ["main", "train"]

_log = logging.getLogger(__name__)

_LEAST_VARIANCE = 1e-4
"""Of a statistic that the predictor reads."""


def _adapt(network: Trainable, batches: TrainingBatches, objective: Objective) -> None:
    """Set mean and variance of styles' statistics, by which the predictor scales its input."""

    def measure(batch: Batch) -> Any:
        return network.read(network.measure(objective.features(objective.styles(batch))))

    compiled, found = compile_step(measure), []
    for _ in range(25):
        batch = {**_tensors(batches.draw_styles(8)), **batches.device}
        found.append(ops.convert_to_numpy(compiled(batch)))
    layer = network.normalization
    layer.adapt(np.concatenate(found))
    mean, variance, count = (ops.convert_to_numpy(value) for value in layer.weights)
    # what was the same for all styles would be divided by the rounding of its own mean
    layer.set_weights([mean, np.maximum(variance, _LEAST_VARIANCE), count])
    layer.finalize_state()


def _compile_look(
    batches: TrainingBatches, objective: Objective, settings: Settings
) -> Callable[[], Batch]:
    """Return a function that looks at new views of styles, and says what is known of them."""
    know = compile_step(objective.know)

    def look() -> Batch:
        known: Batch = know({**_tensors(batches.draw_styles(settings.batch)), **batches.device})
        return known

    return look


def train(pack: Path, out: Path, settings: Settings) -> None:
    """Train for a time, from where ``out`` left off if there is anything."""
    out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(settings.seed)
    if settings.arithmetic == "auto":
        settings = replace(settings, arithmetic=quick_arithmetic())
    batches = TrainingBatches(pack, settings)
    trainable = build(settings.network, settings.arithmetic)
    network = trainable.network
    weights = out / f"{settings.network}.weights.h5"
    objective = Objective(trainable, pack, settings)
    state = out / "state.npz"
    done = {"pictures": 0.0, "minutes": 0.0}
    if not state.exists() and not settings.start:
        _adapt(trainable, batches, objective)
    elif settings.start and not state.exists():
        network.load_weights(settings.start)
    elif weights.exists():
        network.load_weights(weights)
    trainer = Trainer(
        network,
        ConvolutionMuon(
            settings.learning_rate, adam_lr_ratio=settings.dense_rate, global_clipnorm=1.0
        ),
        objective,
    )
    if state.exists():
        done = _resume(trainer, state)
    look = _compile_look(batches, objective, settings)
    known = [look() for _ in range(settings.bank)]
    _log.info("%s, %d views of styles", settings.arithmetic, len(known) * settings.batch)
    validation = Validation(pack, trainable, objective, trainer) if settings.validate else None
    began = saved = time.monotonic()
    first = None
    recent: list[dict[str, float]] = []
    steps = 0
    while (now := time.monotonic()) < began + 60 * settings.minutes:
        spent = (now - began) / 60 / settings.minutes
        fall = (1 + np.cos(np.pi * spent)) / 2
        rate = settings.learning_rate * (fall + settings.last_rate * (1 - fall))
        warm = (now - (first or now)) / 60 / settings.minutes  # compiling warms nothing
        rate *= min(1.0, (warm + 1e-3) / settings.warm_up)
        share = 1 / 200 if steps > 200 else 0.1
        asked = settings.at(spent, gentle=settings.gentle)
        drawn = {**batches.draw(), "weights": asked}
        batch = {**_tensors(drawn), **batches.device}
        if known:
            if settings.renew and steps % settings.renew == settings.renew - 1:
                known[steps // settings.renew % len(known)] = look()
            batch["known"] = known[steps % len(known)]
        parts = trainer.step(batch, rate=rate, share=share)
        steps += 1
        done["pictures"] += settings.batch
        if steps % 10 == 0 or steps == 1:
            recent = [*recent[-30:], {name: float(value) for name, value in parts.items()}]
            if first is None:
                first = time.monotonic()
                _log.info("first step after %.0f s", first - began)
        if steps % 100 == 0:
            _log.info("%s", _row(done, recent, rate))
        if time.monotonic() > saved + 60 * settings.every:
            done["minutes"] += (time.monotonic() - saved) / 60
            _save(trainer, validation, weights, _row(done, recent, rate))
            saved = time.monotonic()
    done["minutes"] += (time.monotonic() - saved) / 60
    _save(trainer, validation, weights, _row(done, recent, rate))
    if first is not None:
        speed = steps * settings.batch / (time.monotonic() - first)
        _log.info("%d steps, %.1f pictures a second", steps, speed)


def _tensors(batch: Batch) -> Batch:
    tensors: Batch = keras.tree.map_structure(ops.convert_to_tensor, batch)
    return tensors


def _row(done: dict[str, float], recent: list[dict[str, float]], rate: float) -> dict[str, float]:
    means = {name: float(np.mean([one[name] for one in recent])) for name in recent[0]}
    return {**done, "rate": rate, **means}


def _save(
    trainer: Trainer, validation: Validation | None, weights: Path, row: dict[str, float]
) -> None:
    """Write all that the folder holds, and judge the averaged weights."""
    out = weights.parent
    values = [np.array(value) for value in trainer.values()]
    average = [ops.convert_to_numpy(value) for value in trainer.average]
    arrays = {f"value{index}": value for index, value in enumerate(values)}
    counts = {name: np.array(row[name]) for name in ("pictures", "minutes")}
    np.savez(out / "new.npz", **(arrays | counts))  # type: ignore[arg-type]
    trainer.use_average()
    trainer.network.save_weights(out / "new.weights.h5")
    os.replace(out / "new.npz", out / "state.npz")  # kept, even if what follows is cut off
    os.replace(out / "new.weights.h5", weights)
    found: dict[str, float] = {}
    if validation is not None:
        found, sheet = validation.paint()
        cv2.imwrite(str(out / "sheet.jpg"), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    trainer.restart(values, average)
    append_row(out / "log.csv", {**row, **{f"held_out_{k}": v for k, v in found.items()}})
    if found:
        _log.info("held out: %s", {name: round(value, 4) for name, value in found.items()})


def _resume(trainer: Trainer, path: Path) -> dict[str, float]:
    """Read the weights; the network has the averaged ones, and keeps what is not trained."""
    average = trainer.values()
    with np.load(path) as state:
        values = [state[f"value{index}"] for index in range(len(average))]
        trainer.restart(values, average)
        return {name: float(state[name]) for name in ("pictures", "minutes")}


def main() -> None:
    """Read the arguments and train."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    pack, out, settings = read_settings(str(__doc__), Settings)
    train(pack, out, settings)


if __name__ == "__main__":
    main()
