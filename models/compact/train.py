"""Trains the compact loss network by distilling VGG-19; made to be stopped, resumed and looked at.

Run as ``python -m stylizer.models.compact.train DATA --out runs/compact --minutes 90`` where DATA
holds ``vgg19/``, ``photos/``, ``paintings/`` and ``styles_more/``. Writes into the folder, every
few minutes: the trained weights, ``progress.npz`` (to go on from), ``log.csv`` (errors on held-out
pictures) and ``compact.weights.h5`` (folded, as the package carries it). It runs on any backend of
Keras.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.backend.keras_backend import compile_step
from stylizer.perceptual.compact import (
    TAPS,
    TEACHER_CHANNELS,
    build_compact,
    build_student,
    fold_map,
    load_compact,
)
from stylizer.tuning.policy import Policy
from stylizer.weights import weights_path

from ..records import append_row, read_settings, save_packed
from ..training.muon import ConvolutionMuon
from .crops import Crops
from .distill import Distiller, build_teacher, prepare
from .optimized_samples import OptimizedSamples

__all__ = ["ReplayBuffer", "Settings", "Student", "evaluate", "export", "main", "train"]

Batch = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the training is made of.

    Attributes:
      crop: side of the pictures, pixels.
      fresh: pictures that the teacher looks at in one round, half of them samples under
      optimization. updates: steps of the student in one round, on batches of ``fresh`` pictures
      from the replay. stored: pictures kept with their features, float16 (6 MB each at a crop of
      160). steps: steps that each sample takes in one round. learning_rate: Adam's highest; falls
      to a hundredth along a cosine. gram_share: weight of the Gram matrices' error beside the
      features'. minutes: length of the training. every: minutes between two evaluations, each
      followed by a checkpoint. seed: seed of pictures and initial weights. arithmetic: of teacher
      and student, ``float32`` or ``bfloat16``. start: ``carried`` begins from the weights that the
      package carries, ``teacher`` from the teacher's first layer and noise.
    """

    crop: int = 160
    fresh: int = 8
    updates: int = 2
    stored: int = 400
    steps: int = 3
    learning_rate: float = 2e-3
    gram_share: float = 1.0
    minutes: float = 90.0
    every: float = 4.0
    seed: int = 0
    arithmetic: str = "bfloat16"
    start: str = "carried"


@dataclass(frozen=True, kw_only=True)
class Student:
    """What is distilled.

    Attributes:
      make: makes it, ready to be trained, in the arithmetic of the policy that Keras has.
      start: gives it its first weights: told the distiller, the teacher, and pictures.
      export: writes its weights as the package carries them.
      name: of that file.
      paintings: folders of style pictures in the data.
    """

    make: Callable[[Settings], Distiller]
    start: Callable[[Distiller, keras.Model, Crops], None]
    export: Callable[[Distiller, Path], None]
    name: str
    paintings: tuple[str, ...] = ("paintings",)


class ReplayBuffer:
    """The last pictures and the teacher's features of them, to be drawn from again."""

    def __init__(self, size: int, random: np.random.Generator) -> None:
        """Make room for ``size`` pictures, drawn by ``random``."""
        self._size, self._random = size, random
        self._pictures: list[tuple[Batch, dict[str, npt.NDArray[np.float16]]]] = []
        self._next = 0

    def add(self, images: Batch, features: dict[str, Any]) -> None:
        """Keep pictures (N, H, W, 3) and their features; the oldest make room."""
        for index, image in enumerate(images):
            entry = image.copy(), {tap: features[tap][index].astype(np.float16) for tap in TAPS}
            if len(self._pictures) < self._size:
                self._pictures.append(entry)
            else:
                self._pictures[self._next] = entry
            self._next = (self._next + 1) % self._size

    def draw(self, count: int) -> tuple[Batch, dict[str, npt.NDArray[np.float16]]]:
        """Return pictures drawn at random, and their features."""
        chosen = self._random.choice(len(self._pictures), count, replace=False)
        images, features = zip(*(self._pictures[index] for index in chosen), strict=True)
        return np.stack(images), {tap: np.stack([one[tap] for one in features]) for tap in TAPS}


def train(data: Path, out: Path, settings: Settings, *, student: Student | None = None) -> None:
    """Train into ``out``, going on from what is there; None for the compact network."""
    student = student or _compact(settings)
    keras.utils.set_random_seed(settings.seed)
    out.mkdir(parents=True, exist_ok=True)
    with Policy(settings.arithmetic):
        teacher = build_teacher(data / "vgg19" / "vgg19_normalised_relu4_1.npz")
        distiller = student.make(settings)
    look = compile_step(lambda images: teacher(images, training=False))
    spent, latest = 0.0, out / "latest.weights.h5"
    crops = partial(
        Crops, data, crop=settings.crop, seed=settings.seed, paintings=student.paintings
    )
    pictures = crops()
    if latest.exists():
        distiller.optimizer.build(distiller.trainable_variables)
        distiller.load_weights(latest)
        spent = float(np.load(out / "progress.npz")["minutes"])
        pictures.random = np.random.default_rng((settings.seed, round(1000 * spent)))
    else:
        student.start(distiller, teacher, pictures)
    samples = OptimizedSamples(distiller, pictures, count=settings.fresh // 2)
    replay = ReplayBuffer(settings.stored, pictures.random)
    test = _held_out(crops(held_out=True), look)
    began, checked, rounds = time.monotonic() - 60 * spent, spent, 0
    while spent < settings.minutes:
        falling = 0.5 + 0.5 * np.cos(np.pi * min(1.0, spent / settings.minutes))
        distiller.optimizer.learning_rate = settings.learning_rate * max(0.01, falling)
        _one_round(distiller, look, replay, samples, settings)
        rounds, spent = rounds + 1, (time.monotonic() - began) / 60
        if spent - checked >= settings.every or spent >= settings.minutes:
            checked = spent
            append_row(
                out / "log.csv", {"minutes": spent, "rounds": rounds} | evaluate(distiller, test)
            )
            distiller.save_weights(latest)
            np.savez(out / "progress.npz", minutes=spent)
            student.export(distiller, out / student.name)


def _one_round(
    distiller: Distiller,
    look: Any,
    replay: ReplayBuffer,
    samples: OptimizedSamples,
    settings: Settings,
) -> None:
    moved = samples.advance(settings.steps)
    others = [samples.pictures.damaged() for _ in range(settings.fresh - len(moved))]
    images = np.concatenate([moved, np.stack(others)])
    features = {tap: ops.convert_to_numpy(value) for tap, value in look(images).items()}
    replay.add(images, features)
    distiller.train_on_batch(images, features)
    for _ in range(settings.updates - 1):
        distiller.train_on_batch(*replay.draw(settings.fresh))


def _held_out(pictures: Crops, look: Any) -> list[tuple[Batch, dict[str, Any]]]:
    """Return batches of held-out pictures, plain and damaged, with the teacher's features."""
    batches = []
    for _ in range(6):
        images = np.stack(
            [pictures.photo() for _ in range(3)] + [pictures.damaged() for _ in range(5)]
        )
        batches.append((images, look(images)))
    return batches


def evaluate(distiller: Distiller, batches: list[tuple[Batch, dict[str, Any]]]) -> dict[str, float]:
    """Return the mean relative squared errors of features and Gram matrices, by tap."""
    found: dict[str, list[float]] = {}
    for images, features in batches:
        both = distiller.relative_errors(distiller(images), features)
        for kind, errors in zip(("features", "gram"), both, strict=True):
            for tap, value in errors.items():
                found.setdefault(f"{kind}_{tap}", []).append(float(value))
    return {name: float(np.mean(values)) for name, values in found.items()}


def export(distiller: Distiller, path: Path) -> None:
    """Fold scaling and maps, and save the loss network's weights (``.weights.h5``)."""
    model = build_compact()
    student = distiller.student
    for layer in student.layers:
        if isinstance(layer, keras.layers.Conv2D):
            model.get_layer(layer.name).set_weights(layer.get_weights())
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    kernel, bias = first.get_weights()
    first.set_weights([kernel / 127.5, bias - kernel.sum(axis=(0, 1, 2))])
    for tap in TAPS:
        linear = ops.convert_to_numpy(distiller.linear(tap))
        model.get_layer(tap).set_weights([fold_map(linear)[None, None]])
    save_packed(model, path)


def _make(settings: Settings) -> Distiller:
    channels = dict(zip(TAPS, TEACHER_CHANNELS, strict=True))
    distiller = Distiller(build_student(rescale=True), channels, gram_share=settings.gram_share)
    optimizer = ConvolutionMuon(settings.learning_rate, clipnorm=1.0)
    distiller.compile(optimizer=optimizer, jit_compile=False)
    return distiller


def _start_from_teacher(distiller: Distiller, teacher: keras.Model, pictures: Crops) -> None:
    prepare(distiller, teacher, np.stack([pictures.damaged() for _ in range(16)]))


def _start_from_carried(distiller: Distiller, teacher: keras.Model, pictures: Crops) -> None:
    """Take the weights that the package carries, and fit the maps anew."""
    with Policy("float32"):
        carried = load_compact(weights_path("compact"))
    layers = [one for one in distiller.student.layers if isinstance(one, keras.layers.Conv2D)]
    for layer in layers:
        layer.set_weights(carried.get_layer(layer.name).get_weights())
    kernel, bias = layers[0].get_weights()
    layers[0].set_weights([kernel * 127.5, bias + 127.5 * kernel.sum(axis=(0, 1, 2))])
    for _ in range(8):
        images = np.stack([pictures.damaged() for _ in range(8)])
        distiller.compute_loss(y=teacher(images), y_pred=distiller(images))


_STARTS = {"carried": _start_from_carried, "teacher": _start_from_teacher}


def _compact(settings: Settings) -> Student:
    if settings.start not in _STARTS:
        raise ValueError(f"start: expected one of {sorted(_STARTS)}, got {settings.start!r}")
    return Student(
        make=_make,
        start=_STARTS[settings.start],
        export=export,
        name="compact.weights.h5",
        paintings=("paintings", "styles_more"),
    )


def main() -> None:
    """Read the arguments and train."""
    data, out, settings = read_settings(str(__doc__), Settings)
    train(data, out, settings)


if __name__ == "__main__":
    main()
