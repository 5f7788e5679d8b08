"""Tunes a fast network to one style: `stylizer tune`.

The network paints any style, each a little less well than it could. What depends on the style is
changed (`stylizer.tuning.change`) so that its paintings come nearer to this one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.backend.keras_backend import has_gpu
from stylizer.backend.openvino_core import cpu_precision
from stylizer.errors import BackendError
from stylizer.frame import Image
from stylizer.network.adaptive import styled
from stylizer.network.adaptive.architecture import style_statistics
from stylizer.network.adaptive.noise import make_noise, noise_map
from stylizer.network.adaptive.parts import load_network
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.inputs import extend, resize_style
from stylizer.network.smoothing import smooth
from stylizer.perceptual.compact import load_compact
from stylizer.perceptual.half import load_half
from stylizer.styles.tuning import Tuning
from stylizer.tuning import views
from stylizer.tuning.change import StyleChange
from stylizer.tuning.config import TuningConfig
from stylizer.tuning.contents import MARGIN, degrade, draw_conditions, draw_windows
from stylizer.tuning.dead_leaves import dead_leaves
from stylizer.tuning.losses import (
    LAYERS,
    LossWeights,
    checkerboard_loss,
    color_loss,
    color_transfer_loss,
    content_loss,
    flicker_loss,
    lattice_loss,
    light_loss,
    style_losses,
    style_targets,
)
from stylizer.tuning.policy import Policy
from stylizer.tuning.trainer import Trainer
from stylizer.weights import weights_digest, weights_path

__all__ = ["Progress", "Tuner"]

Tensor = Any

_BATCH = 4
_SIDE = 192
_CANVAS = 352
"""Sides of the pictures that are painted while tuning, and of those that they are cut from."""

_GENERATED = 64
_WHOLE = (250, 640)
"""Short sides that the pictures are taken to have, from and to, in pixels."""

_SOFT = 0.8
"""Deviation in pixels of the blur of the style picture. What is finer than a network can draw, it
draws as grain, the same everywhere; chosen by eye."""

_WARM_UP = 20
"""Steps."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far tuning is.

    Attributes:
      share: of the time that is over, 0..1.
      pictures: painted so far.
      loss: of the last step.
      style: what is left of the distance to the style in Gram matrices, as the loss network sees
        it, mean over the last steps.
    """

    share: float
    pictures: int
    loss: float
    style: float


class Tuner:
    """A style under tuning: iterate it for its `Progress`, take its `tuning` at any time.

    Attributes:
      pictures: that it is tuned on, uint8 RGB, (N, S, S, 3).
      begun: whether a step was taken.
    """

    def __init__(self, picture: Image, photos: Sequence[Image], config: TuningConfig) -> None:
        """Load the networks, which takes some seconds.

        Args:
          picture: the style, uint8 RGB (H, W, 3).
          photos: to paint, uint8 RGB (H, W, 3); none for generated ones.
          config: the settings.

        Raises:
          BackendError: Keras's backend is neither TensorFlow nor JAX.
          WeightsError: weights are missing or damaged.
        """
        if keras.backend.backend() not in ("tensorflow", "jax"):
            raise BackendError(
                f"KERAS_BACKEND: expected tensorflow or jax, got {keras.backend.backend()}; "
                "tuning runs with these"
            )
        self._config = config
        # Gram matrices and moments are means over two scales, which count as one does in training
        losses = LossWeights(
            content=config.content,
            light=config.light,
            color=8.0,
            transfer=36.0,
            lattice=30.0,
            gram=20.0,
            moments=10.0,
            temporal=16.0,
        )
        self._weights = losses.at(1.0, gentle=0.0)
        self._random = np.random.default_rng(config.seed)
        self._painter, values = _load(picture, config.style_scale)
        shapes = styled.change_shapes(self._painter)
        self._change = StyleChange(shapes, config.rank, seed=config.seed)
        with Policy(_arithmetic()):
            self._loss_network = load_half(weights_path("half"), layers=LAYERS)
        self._values = values
        wanted = self._style = _wanted(picture, config.style_scale)
        self._wanted = [
            {
                name: ops.repeat(value, _BATCH, 0)
                for name, value in style_targets(self._loss_network(one)).items()
            }
            for one in (wanted, _halved(wanted))
        ]
        self.pictures = _squares(photos, self._random)
        self.begun = False
        white = self._random.standard_normal((256, 256, 3)).astype(np.float32)
        self._device = {
            "canvases": ops.convert_to_tensor(self.pictures),
            "noise": ops.convert_to_tensor(make_noise()),
            "white": ops.convert_to_tensor(white),
        }
        optimizer = keras.optimizers.Adam(config.learning_rate, beta_2=0.99)
        self._trainer = Trainer(self._change, optimizer, self._objective)

    def __iter__(self) -> Iterator[Progress]:
        """Take steps until the time is over, which begins after the first."""
        began, steps = 0.0, 0
        recent: list[float] = []
        limit = 60 * self._config.minutes
        while (spent := (time.monotonic() - began) / limit if steps else 0.0) < 1:
            fall = 0.02 + 0.98 * (1 + np.cos(np.pi * spent)) / 2
            rate = self._config.learning_rate * fall * min(1.0, (steps + 1) / _WARM_UP)
            parts = self._trainer.step(self._draw(), rate=rate, share=1 / min(steps + 1, 50))
            steps += 1
            self.begun = True
            if steps == 1:
                began = time.monotonic()
            recent = [*recent[-19:], float(parts["gram"])]
            yield Progress(
                share=min(1.0, (time.monotonic() - began) / limit),
                pictures=steps * _BATCH,
                loss=float(parts["loss"]),
                style=float(np.mean(recent)),
            )

    @property
    def tuning(self) -> Tuning:
        """What was found so far: the mean of the last steps."""
        now = self._trainer.values()
        average = list(self._trainer.average)
        self._trainer.use_average()
        parts = self._change.parts()
        self._trainer.restart(now, average)
        return Tuning(
            network=ADAPTIVE.name,
            weights=str(weights_digest(ADAPTIVE.weights)),
            scale=self._config.style_scale,
            parts=parts,
        )

    def paint(self, image: Image) -> Image:
        """Paint a picture, uint8 RGB (H, W, 3), in the style as it is so far."""
        seen = smooth(image, ADAPTIVE.smooth)
        given = extend(seen, stride=ADAPTIVE.stride, least_side=ADAPTIVE.least_side)
        added = styled.split_change(self._painter, ops.convert_to_tensor(self.tuning.change))
        values = {name: value + added[name] for name, value in self._values.items()}
        noise = ops.convert_to_tensor(noise_map(*given.shape[:2]))
        pixels = ops.convert_to_tensor(given[None].astype(np.float32))
        painted = ops.convert_to_numpy(styled.paint(self._painter, pixels, noise, values))[0]
        height, width, _ = image.shape
        levels = np.rint(np.clip(painted[:height, :width], 0, 255))
        return np.asarray(levels, np.uint8)

    def _draw(self) -> dict[str, Any]:
        random = self._random
        index = random.integers(len(self.pictures), size=_BATCH)
        side = _SIDE + MARGIN
        sizes = np.full((_BATCH, 2), _CANVAS)
        windows, mirrored = draw_windows(random, sizes, side=side, whole=_WHOLE)
        sides = {name: self._device[name].shape[0] for name in ("noise", "white")}
        drawn = draw_conditions(random, _BATCH, flat=0.15, sides=sides)
        drawn |= {"index": index.astype(np.int32), "mirrored": mirrored}
        drawn["window"] = windows.astype(np.float32)
        return {name: ops.convert_to_tensor(value) for name, value in drawn.items()} | self._device

    def _objective(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch, and its parts."""
        many = _BATCH // 2
        images = views.cut(
            *(batch[name] for name in ("canvases", "index", "window", "mirrored")),
            side=_SIDE + MARGIN,
        )
        clean, dirty = degrade(images, batch)
        target = views.slice_at(clean, batch["first"], _SIDE)
        given = [
            views.slice_at(dirty, batch["first"], _SIDE),
            views.slice_at(clean[:many], batch["second"], _SIDE),
        ]
        noise = [
            views.noise_at(batch["noise"], batch["noise_at"][:count], batch[place], side=_SIDE // 4)
            for place, count in (("first", _BATCH), ("second", many))
        ]
        added = self._change.added()
        values = {name: value + added[name] for name, value in self._values.items()}
        painted = styled.paint(
            self._painter, ops.concatenate(given), ops.concatenate(noise), values
        )
        first, again = painted[:_BATCH], painted[_BATCH:]
        pair = ops.concatenate([first, ops.stop_gradient(target)])
        parts = self._distances(pair, self._wanted[0])
        coarse = self._distances(_halved(pair), self._wanted[1])
        parts |= {name: (parts[name] + coarse[name]) / 2 for name in ("gram", "moments")}
        window = _SIDE - MARGIN
        parts["temporal"] = flicker_loss(
            views.slice_at(first[:many], MARGIN - batch["first"], window),
            views.slice_at(again, MARGIN - batch["second"], window),
        )
        parts["light"] = light_loss(first, target)
        parts["color"] = color_loss(first, self._style)
        parts["transfer"] = color_transfer_loss(first, target, self._style)
        parts["checkerboard"] = checkerboard_loss(painted)
        parts["lattice"] = lattice_loss(painted)
        total = sum(self._weights[name] * value for name, value in parts.items())
        outside = ops.mean(ops.square(ops.relu(ops.abs(first / 127.5 - 1.0) - 1.0)))
        return total + outside, {**parts, "loss": total}

    def _distances(self, pair: Tensor, wanted: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return ``gram``, ``moments`` and ``content`` of paintings, of which the photos follow."""
        features = self._loss_network(pair)
        seen = {name: value[:_BATCH] for name, value in features.items()}
        before = {name: ops.stop_gradient(value[_BATCH:]) for name, value in features.items()}
        deep = ops.convert_to_tensor(self._weights["deep"])
        found = style_losses(style_targets(seen), style_targets(before), wanted, deep)
        return {**found, "content": content_loss(seen[LAYERS[-1]], before[LAYERS[-1]])}


def _load(picture: Image, scale: float) -> tuple[keras.Model, styled.Values]:
    """Return the network, and what it makes of the style."""
    network = load_network(weights_path(ADAPTIVE.weights))
    known = resize_style(picture, ADAPTIVE.style_side * scale)[None].astype(np.float32)
    features = load_compact(weights_path(ADAPTIVE.loss_weights))(ops.convert_to_tensor(known))
    code = network.get_layer("predictor")(style_statistics(features))
    painter = network.get_layer("image_network")
    return painter, styled.style_values(painter, code)


def _wanted(picture: Image, scale: float) -> Tensor:
    """Return the style picture that paintings are compared with, (1, H, W, 3)."""
    resized = resize_style(picture, ADAPTIVE.style_side * scale)
    soft = cv2.GaussianBlur(resized.astype(np.float32), (0, 0), _SOFT)
    return ops.convert_to_tensor(soft[None])


def _halved(images: Tensor) -> Tensor:
    """Return images at half their size: strokes too broad for one scale are seen at the other.

    After Snelgrove 2017, "High-Resolution Multi-Scale Neural Texture Synthesis".
    """
    return ops.average_pool(images, 2, 2)


def _squares(photos: Sequence[Image], random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return pictures to cut from, uint8 (N, S, S, 3)."""
    if not photos:
        return np.stack([dead_leaves(random, side=_CANVAS) for _ in range(_GENERATED)])
    squares = []
    for photo in photos:
        height, width, _ = photo.shape
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = photo[top : top + side, left : left + side]
        squares.append(cv2.resize(square, (_CANVAS, _CANVAS), interpolation=cv2.INTER_AREA))
    return np.stack(squares).astype(np.uint8)


def _arithmetic() -> str:
    """Return what the loss network computes in: bfloat16 where it is the quicker."""
    if has_gpu():
        return "bfloat16"
    try:
        return "bfloat16" if cpu_precision() == "bfloat16" else "float32"
    except BackendError:  # without OpenVINO
        return "float32"
