"""Tunes a fast network to one style: `stylizer tune`.

The network paints any style, each a little less well than it could. What depends on the style is
changed (`stylizer.tuning.change`) so that its paintings come nearer to this one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.errors import BackendError
from stylizer.frame import Image
from stylizer.io.smoothing import smooth
from stylizer.network.adaptive import styled
from stylizer.network.adaptive.architecture import style_statistics
from stylizer.network.adaptive.dead_leaves import dead_leaves
from stylizer.network.adaptive.noise import make_noise, noise_gains, noise_map
from stylizer.network.adaptive.parts import load_network
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.inputs import extend, resize_style
from stylizer.perceptual.compact import load_compact
from stylizer.perceptual.half import load_half
from stylizer.styles.tuning import Tuning
from stylizer.tuning import views
from stylizer.tuning.change import StyleChange
from stylizer.tuning.color_losses import (
    color_loss,
    color_targets,
    color_transfer_loss,
    gradient_loss,
    light_loss,
)
from stylizer.tuning.config import LOSS_WEIGHTS, TuningConfig
from stylizer.tuning.contents import MARGIN, degrade, draw_conditions, draw_windows
from stylizer.tuning.losses import (
    LAYERS,
    LossWeights,
    checkerboard_loss,
    content_loss,
    flicker_loss,
    halved,
    lattice_loss,
    style_losses,
    style_targets,
)
from stylizer.tuning.policy import Policy, quick_arithmetic
from stylizer.tuning.trainer import Trainer
from stylizer.weights import weights_digest, weights_path

__all__ = ["Progress", "Tuner", "wanted_picture"]

Tensor = Any

_CANVAS = 352
"""Side of what is cut out of the pictures first, in pixels."""

_GENERATED = 64
_WHOLE = (250, 640)
"""Short sides that the pictures are taken to have, from and to, in pixels."""

_SOFT = 0.8
"""Deviation in pixels of the blur of the style picture. What is finer than a network can draw, it
draws as grain, the same everywhere; chosen by eye."""

_WARM_UP = 20
"""Steps."""

_COMPARED = 8
"""Batches that two tunings are compared by."""

_AGAIN = 0.5
"""Share of the rate with which a change that was found before is changed further."""


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

    def __init__(
        self,
        picture: Image,
        photos: Sequence[Image],
        config: TuningConfig,
        *,
        begin: Tuning | None = None,
    ) -> None:
        """Load the networks, which takes some seconds.

        Args:
          picture: the style, uint8 RGB (H, W, 3).
          photos: to paint, uint8 RGB (H, W, 3); none for generated ones.
          config: the settings.
          begin: as for `turn_to`.

        Raises:
          BackendError: Keras's backend is neither TensorFlow nor JAX.
          StyleError: ``begin`` is of another network, or of a higher rank.
          WeightsError: weights are missing or damaged.
        """
        if keras.backend.backend() not in ("tensorflow", "jax"):
            raise BackendError(
                f"KERAS_BACKEND: expected tensorflow or jax, got {keras.backend.backend()}; "
                "tuning runs with these"
            )
        self._random = np.random.default_rng(config.seed)
        with ThreadPoolExecutor(1) as pool:  # pictures are made while networks are loaded
            squares = pool.submit(_squares, photos, self._random)
            self._network = load_network(weights_path(ADAPTIVE.weights))
            self._painter = self._network.get_layer("image_network")
            self._features = load_compact(weights_path(ADAPTIVE.loss_weights))
            shapes = styled.change_shapes(self._painter)
            self._change = StyleChange(shapes, config.rank, seed=config.seed)
            with Policy(quick_arithmetic()):
                self._loss_network = load_half(weights_path("half"), layers=LAYERS)
            self.pictures = squares.result()
        white = self._random.standard_normal((256, 256, 3)).astype(np.float32)
        self._device = {
            "canvases": ops.convert_to_tensor(self.pictures),
            "noise": ops.convert_to_tensor(make_noise()),
            "white": ops.convert_to_tensor(white),
        }
        self._optimizer = keras.optimizers.Adam(config.learning_rate, beta_2=0.99)
        self._trainer = Trainer(self._change, self._optimizer, self._objective)
        self._first = [_numbers(self._change.variables), _numbers(self._optimizer.variables)]
        self.turn_to(picture, config, begin=begin)

    def turn_to(self, picture: Image, config: TuningConfig, *, begin: Tuning | None = None) -> None:
        """Begin with another style; nothing is compiled for it where batch and side stay.

        Args:
          picture: the style, uint8 RGB (H, W, 3).
          config: the settings; ``rank`` and ``seed`` stay those of the first.
          begin: what was found for it earlier, to go on from; it may be for other weights of the
            network, if these are near. None begins anew.

        Raises:
          StyleError: ``begin`` is of another network, or of a higher rank.
        """
        self._config = config
        weights = LossWeights(content=config.content, light=config.light, **LOSS_WEIGHTS)
        wanted = ops.convert_to_tensor(wanted_picture(picture, config.style_scale)[None])
        code = self._network.get_layer("predictor")(
            style_statistics(self._features(_given(picture, config.style_scale)))
        )
        self._values = styled.style_values(self._painter, code)
        gains = config.noise or noise_gains(resize_style(picture, ADAPTIVE.style_side))
        self._noise = tuple(map(float, gains))
        targets = [style_targets(self._loss_network(one)) for one in (wanted, halved(wanted))]
        self._style = {
            "painter": [variable.value for variable in self._painter.variables],
            "values": self._values,
            "noise": ops.convert_to_tensor(self._noise, "float32"),
            "fine": targets[0],
            "coarse": targets[1],
            "colors": color_targets(wanted),
            "weights": {
                name: ops.convert_to_tensor(value)
                for name, value in weights.at(1.0, gentle=0.0).items()
            },
        }
        for variables, values in zip(
            (self._change.variables, self._optimizer.variables), self._first, strict=True
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        if begin is not None:
            self._change.go_on_from(begin.parts)
        now = self._trainer.values()
        self._trainer.restart(now, now)
        self._highest = config.learning_rate * (1.0 if begin is None else _AGAIN)
        self.begun = False

    def __iter__(self) -> Iterator[Progress]:
        """Take steps until the time is over, which begins after the first.

        What the caller does between two steps, and how long it waits, does not count.
        """
        began, steps = 0.0, 0
        recent: list[float] = []
        limit = 60 * self._config.minutes
        while (spent := (time.monotonic() - began) / limit if steps else 0.0) < 1:
            fall = 0.02 + 0.98 * (1 + np.cos(np.pi * spent)) / 2
            rate = self._highest * fall * min(1.0, (steps + 1) / _WARM_UP)
            parts = self._trainer.step(self._draw(), rate=rate, share=1 / min(steps + 1, 50))
            steps += 1
            self.begun = True
            if steps == 1:
                began = time.monotonic()
            recent = [*recent[-19:], float(parts["gram"])]
            given = time.monotonic()
            yield Progress(
                share=min(1.0, (time.monotonic() - began) / limit),
                pictures=steps * self._config.batch,
                loss=float(parts["loss"]),
                style=float(np.mean(recent)),
            )
            began += time.monotonic() - given

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
            noise=self._noise,
            parts=parts,
        )

    def losses(self, tunings: Sequence[Tuning]) -> list[float]:
        """Return what each tuning leaves to be lost, over the same pictures: the mean, 0 or more.

        To be asked once tuning is over: the optimizer forgets what it knew.

        Args:
          tunings: of this style and network.

        Raises:
          StyleError: one is of another network, or of a higher rank.
        """
        now, average = self._trainer.values(), list(self._trainer.average)
        batches = [self._draw() for _ in range(_COMPARED)]
        found = []
        for tuning in tunings:
            for variable, value in zip(self._change.variables, self._first[0], strict=True):
                variable.assign(value)
            self._change.go_on_from(tuning.parts)
            noise = ops.convert_to_tensor(tuple(map(float, tuning.noise)), "float32")
            batches = [{**one, "style": {**one["style"], "noise": noise}} for one in batches]
            steps = [self._trainer.step(batch, rate=0.0, share=0.0) for batch in batches]
            found.append(float(np.mean([float(parts["loss"]) for parts in steps])))
        self._trainer.restart(now, average)
        return found

    def paint(self, image: Image) -> Image:
        """Paint a picture, uint8 RGB (H, W, 3), in the style as it is so far."""
        seen = smooth(image, ADAPTIVE.smooth)
        given = extend(seen, stride=ADAPTIVE.stride, least_side=ADAPTIVE.least_side)
        change = ops.convert_to_tensor(self.tuning.change)
        values = styled.apply_change(self._painter, self._values, change)
        noise = ops.convert_to_tensor(noise_map(*given.shape[:2]))
        pixels = ops.convert_to_tensor(given[None].astype(np.float32))
        painted = ops.convert_to_numpy(styled.paint(self._painter, pixels, noise, values))[0]
        height, width, _ = image.shape
        levels = np.rint(np.clip(painted[:height, :width], 0, 255))
        return np.asarray(levels, np.uint8)

    def _draw(self) -> dict[str, Any]:
        random, count = self._random, self._config.batch
        index = random.integers(len(self.pictures), size=count)
        sizes = np.full((count, 2), _CANVAS)
        side = self._config.side + MARGIN
        windows, mirrored = draw_windows(random, sizes, side=side, whole=_WHOLE)
        sides = {name: self._device[name].shape[0] for name in ("noise", "white")}
        drawn = draw_conditions(random, count, flat=0.15, sides=sides)
        drawn |= {"index": index.astype(np.int32), "mirrored": mirrored}
        drawn["window"] = windows.astype(np.float32)
        tensors = {name: ops.convert_to_tensor(value) for name, value in drawn.items()}
        return {**tensors, **self._device, "style": self._style}

    def _objective(self, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch, and its parts."""
        count, side = self._config.batch, self._config.side
        many, style = count // 2, batch["style"]
        images = views.cut(
            *(batch[name] for name in ("canvases", "index", "window", "mirrored")),
            side=side + MARGIN,
        )
        clean, dirty = degrade(images, batch)
        target = views.slice_at(clean, batch["first"], side)
        given = [
            views.slice_at(dirty, batch["first"], side),
            views.slice_at(clean, batch["second"], side, count=many),
        ]
        noise = [
            views.noise_at(batch["noise"], batch["noise_at"][:number], batch[place], side=side // 4)
            for place, number in (("first", count), ("second", many))
        ]
        added = self._change.added()
        values = {name: value + added[name] for name, value in style["values"].items()}
        # given, not built in: nothing is compiled anew when they are others
        with keras.StatelessScope(zip(self._painter.variables, style["painter"], strict=True)):
            heard = ops.concatenate(noise) * style["noise"]
            painted = styled.paint(self._painter, ops.concatenate(given), heard, values)
        first, again = ops.split(painted, [count])
        deep = style["weights"]["deep"]
        parts = self._distances(first, target, style["fine"], deep)
        coarse = self._distances(halved(first), halved(target), style["coarse"], deep)
        parts |= {name: (parts[name] + coarse[name]) / 2 for name in ("gram", "moments")}
        window = side - MARGIN
        parts["temporal"] = flicker_loss(
            views.slice_at(first, MARGIN - batch["first"], window, count=many),
            views.slice_at(again, MARGIN - batch["second"], window),
        )
        parts["light"] = light_loss(first, target)
        parts["color"] = color_loss(first, style["colors"])
        parts["gradients"] = gradient_loss(first, style["colors"])
        parts["transfer"] = color_transfer_loss(first, target, style["colors"])
        parts["checkerboard"] = checkerboard_loss(painted)
        parts["lattice"] = lattice_loss(painted)
        total = sum(style["weights"][name] * value for name, value in parts.items())
        outside = ops.mean(ops.square(ops.relu(ops.abs(first / 127.5 - 1.0) - 1.0)))
        return total + outside, {**parts, "loss": total}

    def _distances(
        self, painted: Tensor, content: Tensor, wanted: dict[str, Tensor], deep: Tensor
    ) -> dict[str, Tensor]:
        """Return ``gram``, ``moments`` and ``content`` of paintings, by their photos."""
        # not both at once: the way back would lead through the photos too
        seen, before = self._loss_network(painted), self._loss_network(content)
        found = style_losses(style_targets(seen), style_targets(before), wanted, deep)
        return {**found, "content": content_loss(seen[LAYERS[-1]], before[LAYERS[-1]])}


def _given(picture: Image, scale: float) -> Tensor:
    """Return the style picture that the code is made of, (1, H, W, 3)."""
    known = resize_style(picture, ADAPTIVE.style_side * scale)
    return ops.convert_to_tensor(known[None].astype(np.float32))


def wanted_picture(picture: Image, scale: float) -> npt.NDArray[np.float32]:
    """Return the style picture that paintings are compared with.

    Args:
      picture: the style, uint8 RGB (H, W, 3).
      scale: as `TuningConfig.style_scale`.

    Returns:
      RGB 0..255, (h, w, 3).
    """
    resized = resize_style(picture, ADAPTIVE.style_side * scale)
    return np.asarray(cv2.GaussianBlur(resized.astype(np.float32), (0, 0), _SOFT), np.float32)


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


def _numbers(variables: Sequence[Any]) -> list[npt.NDArray[Any]]:
    return [np.array(one.numpy()) for one in variables]
