"""Trains the adaptive network; made to be stopped, resumed, carried elsewhere and looked at.

Run as ``python -m stylizer.models.adaptive.train PACK --out runs/adaptive --minutes 60``, where
PACK is what `pack` makes. Goes on where the folder's ``state.npz`` is, with a new optimizer. Writes
every few minutes: ``state.npz``, ``adaptive.weights.h5`` (averaged over the last steps),
``log.csv`` and ``sheet.jpg`` (held-out pictures). It runs under TensorFlow and under JAX.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.network.adaptive.architecture import (
    FEATURE_CHANNELS,
    NOISE_CHANNELS,
    build_network,
    make_noise,
)
from stylizer.perceptual.compact import load_compact
from stylizer.perceptual.vgg import build_vgg
from stylizer.weights import weights_path

from ..fast.patterns import generate
from ..records import append_row, read_settings
from ..training import ConvolutionMuon, Trainer
from . import views
from .objective import (
    LAYERS,
    LossWeights,
    content_loss,
    flicker_loss,
    style_losses,
    style_targets,
)
from .pack import Pictures, unpack
from .validation import Validation

__all__ = ["Lessons", "Settings", "main", "train"]

_log = logging.getLogger(__name__)

Tensor = Any
Batch = dict[str, Any]

_MARGIN = 16
"""Views lie anywhere within this many pixels, so that no grid of the network's or of a codec's
stays in one place."""

_MOST_SHIFT = 8
"""Between two views of a picture, pixels."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the training is made of.

    Attributes:
      start: a file of weights to begin with where there is no ``state.npz``; empty for none.
      teacher: the loss network, ``"vgg19"``, or ``"compact"``, a quarter of the work, to begin with.
      arithmetic: of loss network and network, ``"float32"`` or ``"bfloat16"``.
      side: of the pictures painted, pixels, a multiple of 16.
      style_side: of the style pictures, pixels.
      batch: pictures in a step; half of them are painted in two views, and two share a style.
      learning_rate: the highest, reached after ``warm_up``; falls along a cosine.
      last_rate: share of it that is left at the end.
      warm_up: share of the time.
      content, gram, moments, deep, temporal: see `LossWeights`.
      flat: share of the pictures that are smooth skies.
      minutes: length of the training.
      every: minutes between two checkpoints.
      seed: of pictures and initial weights.
    """

    start: str = ""
    teacher: str = "vgg19"
    arithmetic: str = "bfloat16"
    side: int = 256
    style_side: int = 384
    batch: int = 32
    learning_rate: float = 2e-3
    last_rate: float = 0.01
    warm_up: float = 0.02
    content: float = LossWeights.content
    gram: float = LossWeights.gram
    moments: float = LossWeights.moments
    deep: float = LossWeights.deep
    temporal: float = LossWeights.temporal
    flat: float = 0.15
    minutes: float = 60.0
    every: float = 5.0
    seed: int = 0


_STYLE_WEIGHTS = {
    "st_": 2.5,
    "ac_": 2.0,
    "uk_": 2.0,
    "pa_": 2.0,
    "rr_": 2.0,
    "rk_": 2.0,
    "nm_": 1.3,
    "sd_": 1.2,
    "te_": 1.0,
    "aw_": 0.7,
    "dt_": 0.6,
    "bp_": 0.5,
    "bk_": 0.5,
    "pattern": 0.7,
    "photo": 0.7,
}
"""How often pictures are drawn, by the beginning of their names; others are the well-known ten."""


class Lessons:
    """Draws the random numbers that a batch is made of; the pictures stay on the device."""

    def __init__(self, pack: Path, settings: Settings) -> None:
        """Read the pictures, and add written ones, generated patterns and photos as styles."""
        self._settings = settings
        self._random = random = np.random.default_rng(settings.seed)
        photos = unpack(pack, "photos")
        written = [("text", _write(photos, random)) for _ in range(60)]
        photos = unpack(pack, "photos", added=written)
        patterns = [("pattern", generate(random, side=352)) for _ in range(250)]
        some = random.integers(len(photos.names), size=60)
        seen = [("photo", _picture(photos, index)) for index in some]
        self.pictures = {
            "photos": photos,
            "large": unpack(pack, "large"),
            "styles": unpack(pack, "styles", added=[*patterns, *seen]),
        }
        weights = np.array([_style_weight(name) for name in self.pictures["styles"].names])
        self._style_shares = weights / weights.sum()
        self.device = {
            name: ops.convert_to_tensor(pictures.canvases)
            for name, pictures in self.pictures.items()
        }
        self.device["noise"] = ops.convert_to_tensor(make_noise())
        white = random.standard_normal((512, 512, 3)).astype(np.float32)
        self.device["white"] = ops.convert_to_tensor(white)

    def draw(self) -> Batch:
        """Return what one step needs, small arrays, beside ``device``."""
        settings, random = self._settings, self._random
        count = settings.batch
        large = count // 4
        side = settings.side + _MARGIN
        found: Batch = {}
        for name, many in (("photos", count - large), ("large", large)):
            found |= self._windows(name, many, side, (250, 640))
        found |= self._windows("styles", count // 2, settings.style_side, (384, 560))
        found["order"] = random.permutation(count).astype(np.int32)
        found["flat"] = (random.random(count) < settings.flat).astype(np.float32)
        found["colors"] = _sky_colors(random, count)
        angle, reach = random.uniform(0, 2 * np.pi, count), random.uniform(0.3, 1.5, count)
        bend = random.normal(0, 0.7, count)
        found["direction"] = np.stack([np.sin(angle) * reach, np.cos(angle) * reach, bend], 1)
        changed = random.random(count) < 0.35
        found["gamma"] = np.where(changed, np.exp(random.normal(0, 0.4, count)), 1.0)
        found["light"] = np.where(changed, random.uniform(0.4, 1.15, count), 1.0)
        found["blur"] = np.where(random.random(count) < 0.2, random.uniform(0.3, 1, count), 0.0)
        noisy = random.random(count) < 0.4
        found["grain"] = np.where(noisy, random.exponential(5.0, count), 0.5)
        packed = random.random(count) < 0.4
        found["quality"] = np.where(packed, random.uniform(6, 60, count), 200.0)
        first = random.integers(_MARGIN + 1, size=2)
        shift = random.integers(-_MOST_SHIFT, _MOST_SHIFT + 1, size=2)
        found["first"] = first.astype(np.int32)
        found["second"] = np.clip(first + shift, 0, _MARGIN).astype(np.int32)
        for name in ("noise", "white"):
            most = self.device[name].shape[0]
            found[f"{name}_at"] = random.integers(most, size=(count, 2)).astype(np.int32)
        styles = count // 2
        matrices = np.tile(np.eye(3), (styles, 1, 1))
        offsets = np.zeros((styles, 3))
        for index in np.flatnonzero(random.random(styles) < 0.3):
            matrices[index], offsets[index] = _mixing(random)
        turned = random.random(styles) < 0.15
        found |= {"matrix": matrices, "offset": offsets, "turned": turned.astype(np.float32)}
        return {
            name: value.astype(np.float32) if value.dtype == np.float64 else value
            for name, value in found.items()
        }

    def _windows(self, name: str, count: int, side: int, whole: tuple[int, int]) -> Batch:
        """Choose pictures, and squares as of pictures whose short side is within ``whole``."""
        random, pictures = self._random, self.pictures[name]
        shares = self._style_shares if name == "styles" else None
        index = random.choice(len(pictures.names), size=count, p=shares)
        sizes = pictures.sizes[index]
        target = np.exp(random.uniform(*np.log(whole), count))
        window = np.minimum(side / target, 1.0) * sizes.min(1)
        corner = random.random((count, 2)) * (sizes - window[:, None])
        mirrored = (random.random(count) < 0.5).astype(np.float32)
        windows = np.concatenate([corner, window[:, None]], 1)
        return {
            f"{name}_index": index.astype(np.int32),
            f"{name}_window": windows,
            f"{name}_mirrored": mirrored,
        }


def _style_weight(name: str) -> float:
    return next((w for start, w in _STYLE_WEIGHTS.items() if name.startswith(start)), 6.0)


def _picture(pictures: Pictures, index: int) -> npt.NDArray[np.uint8]:
    height, width = pictures.sizes[index]
    return pictures.canvases[index, :height, :width]


def _write(photos: Pictures, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Write random letters on a photo or on a plain ground, as screens and signs show them."""
    image = np.ascontiguousarray(_picture(photos, int(random.integers(len(photos.names)))))
    if random.random() < 0.6:
        image[:] = random.integers(256, size=3)
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:?! ")
    size = random.uniform(0.5, 2.0)
    for line in range(24, image.shape[0], int(30 * size) + 4):
        text = "".join(random.choice(letters, 40))
        color = tuple(int(value) for value in random.integers(256, size=3))
        font = int(random.integers(0, 5))
        cv2.putText(image, text, (4, line), font, size, color, 1 + int(size), cv2.LINE_AA)
    return image


def _sky_colors(random: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    base = random.uniform(10, 245, (count, 1, 3))
    gray = random.random((count, 1, 1)) < 0.4
    base = np.where(gray, base.mean(-1, keepdims=True) + random.normal(0, 12, base.shape), base)
    step = random.normal(0, 1, (count, 2, 3)) * random.uniform(4, 50, (count, 1, 1))
    return np.clip(base + step, 0, 255)


def _mixing(random: np.random.Generator) -> tuple[Any, Any]:
    """Return a change of colors: other channels, inverted, mixed, or another contrast."""
    kind = random.integers(4)
    if kind == 0:
        return np.eye(3)[random.permutation(3)], np.zeros(3)
    if kind == 1:
        return -np.eye(3), random.normal(0, 20, 3)
    if kind == 2:
        return np.eye(3) * random.uniform(0.4, 1.0) + random.normal(0, 0.35, (3, 3)), (
            random.normal(0, 30, 3)
        )
    return np.eye(3) * random.uniform(0.7, 1.6), random.uniform(-30, 30, 3)


class _Objective:
    """The loss of a batch, all on the device."""

    def __init__(self, network: keras.Model, pack: Path, settings: Settings) -> None:
        self._network, self._settings = network, settings
        self._compact = load_compact(weights_path("compact"))
        with _policy(settings.arithmetic):
            self.judge = _load_vgg(pack)
            teachers = {"vgg19": self.judge, "compact": load_compact(weights_path("compact"))}
        self.loss_network = teachers[settings.teacher]

    def __call__(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        settings = self._settings
        count, side = settings.batch, settings.side
        clean, dirty = self._contents(batch)
        image = views.slice_at(dirty, batch["first"], side)
        target = views.slice_at(clean, batch["first"], side)
        second = views.slice_at(clean[: count // 2], batch["second"], side)
        style = self._styles(batch)
        stop = ops.stop_gradient
        features = {f"features{i}": stop(v) for i, v in enumerate(self._see(style))}
        code = self._network.get_layer("predictor")(features)
        noise = self._noise(batch)
        painted = self._network.get_layer("image_network")(
            {
                "image": ops.concatenate([image, second]),
                "noise": ops.concatenate(
                    [noise(batch["first"], count), noise(batch["second"], count // 2)]
                ),
                "code": ops.concatenate([code, code, code]),
            }
        )
        first, again = painted[:count], painted[count:]
        before = self.loss_network(target)
        wanted = {
            name: ops.concatenate([value, value])
            for name, value in style_targets(self.loss_network(style)).items()
        }
        seen = self.loss_network(first)
        parts = style_losses(
            style_targets(seen),
            _all(stop, style_targets(before)),
            _all(stop, wanted),
            settings.deep,
        )
        parts["content"] = content_loss(seen[LAYERS[-1]], stop(before[LAYERS[-1]]))
        least = _MARGIN
        window = side - _MARGIN
        parts["temporal"] = flicker_loss(
            views.slice_at(first[: count // 2], least - batch["first"], window),
            views.slice_at(again, least - batch["second"], window),
        )
        total = sum(getattr(settings, name) * value for name, value in parts.items())
        outside = ops.mean(ops.square(ops.relu(ops.abs(first / 127.5 - 1.0) - 1.0)))
        return total + outside, {**parts, "loss": total}

    def _see(self, style: Tensor) -> list[Tensor]:
        return list(self._compact(style).values())

    def _contents(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return pictures as they are, and as a bad camera or codec gives them."""
        side = self._settings.side + _MARGIN
        cut = [
            views.cut(
                batch[name],
                batch[f"{name}_index"],
                batch[f"{name}_window"],
                batch[f"{name}_mirrored"],
                side=side,
            )
            for name in ("photos", "large")
        ]
        images = ops.take(ops.concatenate(cut), batch["order"], axis=0)
        skies = views.gradients(batch["colors"], batch["direction"], side=side)
        images = ops.where(batch["flat"][:, None, None, None] > 0, skies, images)
        gamma, light = (batch[name][:, None, None, None] for name in ("gamma", "light"))
        images = 255.0 * ops.power(ops.clip(images * light / 255.0, 1e-3, 1.0), gamma)
        dirty = views.blur(images, batch["blur"])
        grain = views.tile(batch["white"], batch["white_at"], side=side)
        dirty += grain * ops.maximum(batch["grain"], 1.0 * batch["flat"])[:, None, None, None]
        return images, views.compress(ops.clip(dirty, 0.0, 255.0), batch["quality"])

    def _styles(self, batch: Batch) -> Tensor:
        style = views.cut(
            batch["styles"],
            batch["styles_index"],
            batch["styles_window"],
            batch["styles_mirrored"],
            side=self._settings.style_side,
        )
        turned = batch["turned"][:, None, None, None] > 0
        style = ops.where(turned, ops.transpose(style, (0, 2, 1, 3)), style)
        return views.recolor(style, batch["matrix"], batch["offset"])

    def _noise(self, batch: Batch) -> Any:
        """Return a function from a view's place to its noise, which stays with the scene."""
        cells = (self._settings.side + _MARGIN) // 4 + 1
        field = views.tile(batch["noise"], batch["noise_at"], side=cells)
        wide = self._settings.side // 4

        def noise(place: Tensor, count: int) -> Tensor:
            whole, part = place // 4, ops.cast(place % 4, "float32") / 4
            grown = views.slice_at(field[:count], whole, wide + 1)
            tall = grown[:, :-1] + (grown[:, 1:] - grown[:, :-1]) * part[0]
            return tall[:, :, :-1] + (tall[:, :, 1:] - tall[:, :, :-1]) * part[1]

        return noise


def _all(function: Any, values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: function(value) for name, value in values.items()}


def _load_vgg(pack: Path) -> keras.Model:
    with np.load(pack) as arrays:
        weights = {
            key.removeprefix("vgg19/"): arrays[key].astype(np.float32)
            for key in arrays.files
            if key.startswith("vgg19/") and arrays[key].dtype.kind == "f"
        }
    kernels = {
        key.removesuffix("/kernel"): (value, weights[key.replace("/kernel", "/bias")])
        for key, value in weights.items()
        if key.endswith("/kernel")
    }
    return build_vgg("vgg19", LAYERS, kernels, reflect=True)


class _policy:
    """Builds layers in some arithmetic."""

    def __init__(self, arithmetic: str) -> None:
        self._name = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[arithmetic]

    def __enter__(self) -> None:
        self._before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self._name)

    def __exit__(self, *_: object) -> None:
        keras.config.set_dtype_policy(self._before)


def build(settings: Settings) -> keras.Model:
    """Build the network in the arithmetic of the training."""
    with _policy(settings.arithmetic):
        network = build_network()
    shapes = {"image": (1, 32, 32, 3), "noise": (1, 8, 8, NOISE_CHANNELS)}
    for index, channels in enumerate(FEATURE_CHANNELS):
        shapes[f"features{index}"] = (1, 4, 4, channels)
    network({name: np.ones(shape, np.float32) for name, shape in shapes.items()})
    return network


def adapt(network: keras.Model, lessons: Lessons, objective: _Objective) -> None:
    """Set mean and variance of the statistics of styles, which the predictor's input is scaled by."""
    predictor = network.get_layer("predictor")
    found = []
    for _ in range(max(1, 200 // lessons.draw()["turned"].shape[0])):
        batch = {**lessons.draw(), **lessons.device}
        seen = objective._see(objective._styles({k: ops.convert_to_tensor(v) for k, v in batch.items()}))
        found.append(ops.convert_to_numpy(predictor.get_layer("statistics")(seen)))
    predictor.get_layer("normalization").adapt(np.concatenate(found))


def train(pack: Path, out: Path, settings: Settings) -> None:
    """Train for a time, from where ``out`` left off if there is anything."""
    out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(settings.seed)
    lessons = Lessons(pack, settings)
    network = build(settings)
    objective = _Objective(network, pack, settings)
    state = out / "state.npz"
    done = {"pictures": 0.0, "minutes": 0.0}
    if not state.exists() and not settings.start:
        adapt(network, lessons, objective)
    elif settings.start and not state.exists():
        network.load_weights(settings.start)
    elif (out / "adaptive.weights.h5").exists():
        network.load_weights(out / "adaptive.weights.h5")
    trainer = Trainer(
        network,
        ConvolutionMuon(settings.learning_rate, adam_lr_ratio=0.25, global_clipnorm=1.0),
        objective,
    )
    if state.exists():
        done = _resume(trainer, state)
    validation = Validation(pack, objective._see, objective.judge)
    began = saved = time.monotonic()
    first = None
    recent: list[dict[str, float]] = []
    steps = 0
    while (now := time.monotonic()) < began + 60 * settings.minutes:
        spent = (now - began) / 60 / settings.minutes
        fall = (1 + np.cos(np.pi * spent)) / 2
        rate = settings.learning_rate * (fall + settings.last_rate * (1 - fall))
        rate *= min(1.0, (spent + 1e-3) / settings.warm_up)
        share = 1 / 200 if steps > 200 else 0.1
        parts = trainer.step(
            {**_tensors(lessons.draw()), **lessons.device}, rate=rate, share=share
        )
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
            _save(trainer, validation, out, _row(done, recent, rate))
            saved = time.monotonic()
    done["minutes"] += (time.monotonic() - saved) / 60
    _save(trainer, validation, out, _row(done, recent, rate))
    if first is not None:
        speed = steps * settings.batch / (time.monotonic() - first)
        _log.info("%d steps, %.1f pictures a second", steps, speed)


def _tensors(batch: Batch) -> Batch:
    return {name: ops.convert_to_tensor(value) for name, value in batch.items()}


def _row(done: dict[str, float], recent: list[dict[str, float]], rate: float) -> dict[str, float]:
    means = {name: float(np.mean([one[name] for one in recent])) for name in recent[0]}
    return {**done, "rate": rate, **means}


def _save(
    trainer: Trainer, validation: Validation, out: Path, row: dict[str, float]
) -> None:
    """Write all that the folder holds, and judge the averaged weights."""
    values = [np.array(value) for value in trainer.values()]
    average = [ops.convert_to_numpy(value) for value in trainer.average]
    arrays = {f"value{index}": value for index, value in enumerate(values)}
    np.savez(out / "new.npz", **arrays, pictures=row["pictures"], minutes=row["minutes"])
    trainer.use_average()
    trainer.network.save_weights(out / "new.weights.h5")
    found, sheet = validation.paint(trainer.network)
    cv2.imwrite(str(out / "sheet.jpg"), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    trainer.restart(values, average)
    os.replace(out / "new.npz", out / "state.npz")
    os.replace(out / "new.weights.h5", out / "adaptive.weights.h5")
    append_row(out / "log.csv", {**row, **{f"held_out_{k}": v for k, v in found.items()}})
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
